//! Answers that are malformed, that can be read in two ways, or that are followed by more than was
//! announced: each gives the right answer or a 502, and nothing of it ever gets into the answer
//! to another exchange on the same pool.

mod cases;
mod origin;

use std::collections::HashSet;

use http::{Method, Request};
use tokio::time::timeout;

use self::cases::{Case, Comes, Late, cases};
use self::origin::Origin;
use crate::support::{Answer, TestEdge, Visitor, config, patience, read, rules_for, tries};

/// How often each case is tried, and with `COBROWSE_TEST_FULL` in the environment.
const TRIES: usize = 6;
const TRIES_IN_FULL: usize = 1000;

/// What is wrong with what a visitor got; `None` is an exchange that failed before its head came.
fn fault(case: &Case, answer: Option<&Answer>) -> Option<String> {
    let Some(answer) = answer else {
        let is_cut = matches!(case.comes, Comes::Cut(_));
        return (!is_cut).then(|| "no head".to_owned());
    };
    let found = (answer.status.as_u16(), answer.body.as_deref());
    let is_right = match (&case.comes, found) {
        (Comes::Right(status, body), (found, Ok(text))) => {
            found == *status && text == body.as_bytes()
        }
        (Comes::Refused, (502, Ok(text))) => !text.is_empty(),
        (Comes::Cut(begins), (200, Err(text))) => begins.as_bytes().starts_with(text),
        _ => false,
    };
    let body = answer
        .body
        .as_deref()
        .unwrap_or_else(|cut| cut)
        .escape_ascii();
    (!is_right).then(|| format!("{} {} {body}", answer.status, answer.body.is_ok()))
}

struct Visitors {
    edge: TestEdge,
    /// Who asks for what is wrong, and two who ask for what is right meanwhile.
    bad: Visitor,
    others: [Visitor; 2],
    asked: usize,
}

impl Visitors {
    async fn new(edge: TestEdge, over_http2: bool) -> Self {
        let others = [
            Visitor::http1(edge.http).await,
            Visitor::http2(edge.https.unwrap()).await,
        ];
        Self {
            bad: visitor(&edge, over_http2).await,
            others,
            edge,
            asked: 0,
        }
    }

    async fn ask(&mut self, case: &Case, number: usize) -> Option<Answer> {
        if !self.bad.is_open().await {
            let over_http2 = matches!(self.bad, Visitor::Http2(_));
            self.bad = visitor(&self.edge, over_http2).await;
        }
        let request = Request::builder()
            .method(case.method.clone())
            .uri(format!("/case/{number}"))
            .header("accept", "*/*");
        let request = match (&self.bad, case.upgrades) {
            (Visitor::Http1(_), true) => request
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            _ => request,
        };
        let body = if case.method == Method::POST {
            "a form"
        } else {
            ""
        };
        let begun = self.bad.try_begin(request.body(body.into()).unwrap()).await;
        Some(read(begun.ok()?).await)
    }

    /// Both others ask at once. Returns the connections to the origin that carried them.
    async fn ask_for_what_is_right(&mut self) -> Result<HashSet<usize>, String> {
        self.asked += 2;
        let paths = [self.asked, self.asked + 1].map(|number| format!("/marked/{number}"));
        let [one, other] = &mut self.others;
        let answers = tokio::join!(one.get(&paths[0]), other.get(&paths[1]));
        [answers.0, answers.1]
            .iter()
            .zip(&paths)
            .map(|(answer, path)| connection_of(answer, path))
            .collect()
    }
}

/// Which connection to the origin carried this marked exchange.
fn connection_of(answer: &Answer, path: &str) -> Result<usize, String> {
    let text = String::from_utf8_lossy(answer.body.as_deref().unwrap_or_else(|cut| cut));
    let own = text
        .strip_prefix(path)
        .and_then(|rest| rest.strip_prefix(" over "));
    let connection = own
        .filter(|_| answer.status == 200)
        .and_then(|own| own.parse().ok());
    connection.ok_or_else(|| format!("{path} was answered {} {text:?}", answer.status))
}

async fn visitor(edge: &TestEdge, over_http2: bool) -> Visitor {
    match over_http2 {
        true => Visitor::http2(edge.https.unwrap()).await,
        false => Visitor::http1(edge.http).await,
    }
}

async fn check(over_http2: bool) {
    let origin = Origin::start().await;
    let edge = TestEdge::spawn(config(&rules_for(origin.address()))).await;
    let mut visitors = Visitors::new(edge, over_http2).await;
    let mut failures = Vec::new();
    // Over HTTP/2 nobody asks for an upgrade.
    let asks = |case: &Case| !(over_http2 && case.upgrades);
    for (number, case) in cases().iter().enumerate().filter(|(_, case)| asks(case)) {
        for _ in 0..tries(TRIES, TRIES_IN_FULL) {
            let tried = timeout(patience(), try_once(&mut visitors, &origin, case, number)).await;
            if let Err(fault) = tried.unwrap_or_else(|_| Err("stalled".to_owned())) {
                failures.push(format!("{}: {fault}, expected {:?}", case.name, case.comes));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// `Err` tells what went wrong.
async fn try_once(
    visitors: &mut Visitors,
    origin: &Origin,
    case: &Case,
    number: usize,
) -> Result<(), String> {
    // The pool has something to give.
    visitors.ask_for_what_is_right().await?;
    let answer = visitors.ask(case, number).await;
    let fault = fault(case, answer.as_ref());
    if case.late == Late::BeforeOthers {
        origin.send_late().await;
    }
    let used = origin.connection_of_last_case();
    let carried = visitors.ask_for_what_is_right().await;
    if case.late == Late::BehindOthers {
        origin.send_late().await;
    }
    let carried_later = visitors.ask_for_what_is_right().await;
    let is_reused = carried?.contains(&used) || carried_later?.contains(&used);
    match is_reused && !case.may_be_reused {
        true => Err(format!("connection {used} was used again")),
        false => fault.map_or(Ok(()), Err),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_answer_stays_in_its_exchange_over_http_1_1() {
    check(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_answer_stays_in_its_exchange_over_http_2() {
    check(true).await;
}
