use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use cobrowse_edge::telemetry::AccessLogFormat;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Fault, LATE, check_left, impatient};
use crate::support::{
    Conversation, RawOrigin, TestEdge, Visitor, Written, config, patience, read, rules_for,
};

const ANSWERS: [&str; 3] = [
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<p>hello</p>\n",
];

const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngood";

/// What the origin does after how many bytes of which answer.
#[derive(Clone, Copy, Debug)]
struct Row {
    answer: usize,
    sent: usize,
    fault: Fault,
}

impl Row {
    fn all(fault: Fault) -> Vec<Self> {
        let rows = ANSWERS.iter().enumerate().flat_map(|(answer, text)| {
            (0..text.len()).map(move |sent| Self {
                answer,
                sent,
                fault,
            })
        });
        rows.collect()
    }

    fn path(self) -> String {
        format!("/{}/{}/{:?}", self.answer, self.sent, self.fault)
    }

    fn read(head: &str) -> Option<Self> {
        let mut words = head.split(' ').nth(1)?.split('/').skip(1);
        Some(Self {
            answer: words.next()?.parse().ok()?,
            sent: words.next()?.parse().ok()?,
            fault: match words.next()? {
                "Fin" => Fault::Fin,
                "Reset" => Fault::Reset,
                _ => Fault::Stall,
            },
        })
    }

    fn has_head(self) -> bool {
        let head = ANSWERS[self.answer].find("\r\n\r\n").unwrap() + 4;
        self.sent >= head
    }

    /// What is wrong with what the visitor got.
    fn fault(self, status: Option<u16>, is_whole: bool) -> Option<String> {
        let is_right = match (status, self.fault, self.has_head()) {
            (Some(200), _, true) => !is_whole,
            // The visitor's connection, or stream, ended before its head was sent.
            (None, _, true) => true,
            (Some(502), Fault::Fin, false) | (Some(504), Fault::Stall, false) => is_whole,
            // A reset overtakes what was sent before it.
            (Some(502), Fault::Reset, _) => is_whole,
            _ => false,
        };
        (!is_right).then(|| format!("{self:?}: {status:?}, whole: {is_whole}"))
    }
}

/// Counts the connections to it that are open.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn faulty(open: &Arc<AtomicUsize>) -> RawOrigin {
    let open = Arc::clone(open);
    RawOrigin::start(move |mut conversation| {
        open.fetch_add(1, Ordering::AcqRel);
        let open = Open(Arc::clone(&open));
        async move {
            while let Some(head) = conversation.head().await {
                match Row::read(&head) {
                    None => conversation.send(GOOD).await,
                    Some(row) => return play(conversation, row).await,
                }
            }
            drop(open);
        }
    })
    .await
}

async fn play(mut conversation: Conversation, row: Row) {
    conversation.send(&ANSWERS[row.answer][..row.sent]).await;
    match row.fault {
        Fault::Fin => {}
        Fault::Reset => conversation.reset(),
        // Until the edge has had enough.
        Fault::Stall => drop(conversation.head().await),
    }
}

async fn ask(visitor: &mut Visitor, path: &str) -> (Option<u16>, bool) {
    let request = http::Request::get(path).body(String::new().into());
    let Ok(response) = visitor.try_begin(request.unwrap()).await else {
        return (None, false);
    };
    let answer = read(response).await;
    (Some(answer.status.as_u16()), answer.body.is_ok())
}

async fn visitor(edge: &TestEdge, over_http2: bool) -> Visitor {
    match over_http2 {
        true => Visitor::http2(edge.https.unwrap()).await,
        false => Visitor::http1(edge.http).await,
    }
}

struct House {
    edge: TestEdge,
    written: Written,
    /// Connections to the origin.
    open: Arc<AtomicUsize>,
    _origin: RawOrigin,
}

impl House {
    async fn new() -> Self {
        let open = Arc::new(AtomicUsize::new(0));
        let origin = faulty(&open).await;
        let mut config = config(&rules_for(origin.address));
        impatient(&mut config);
        config.log.access = Some(AccessLogFormat::Json);
        let written = Written::default();
        let edge = TestEdge::spawn_logging_to(written.clone(), config).await;
        Self {
            edge,
            written,
            open,
            _origin: origin,
        }
    }

    /// Every exchange has ended and has its line, and no connection is left.
    async fn check_end(self, exchanges: usize, failures: &[String]) {
        assert!(failures.is_empty(), "\n{}", failures.join("\n"));
        check_left(&self.edge).await;
        let kept = self.open.load(Ordering::Acquire);
        assert!(kept <= 8, "{kept} connections to the origin are left");
        self.edge.end().await;
        assert_eq!(self.written.text().lines().count(), exchanges);
    }
}

async fn check_each(over_http2: bool) {
    let house = House::new().await;
    let (mut failures, mut exchanges) = (Vec::new(), 0);
    let mut asking = visitor(&house.edge, over_http2).await;
    for fault in [Fault::Fin, Fault::Reset] {
        for row in Row::all(fault) {
            if !asking.is_open().await {
                asking = visitor(&house.edge, over_http2).await;
            }
            let (status, is_whole) = ask(&mut asking, &row.path()).await;
            failures.extend(row.fault(status, is_whole));
            if !asking.is_open().await {
                asking = visitor(&house.edge, over_http2).await;
            }
            let next = ask(&mut asking, "/good").await;
            if next != (Some(200), true) {
                failures.push(format!("after {row:?}: {next:?}"));
            }
            exchanges += 2;
        }
    }
    println!("{exchanges} exchanges");
    drop(asking);
    house.check_end(exchanges, &failures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_may_break_off_after_any_byte_over_http_1_1() {
    check_each(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_may_break_off_after_any_byte_over_http_2() {
    check_each(true).await;
}

/// All at once: each takes as long as the edge's patience.
#[tokio::test(flavor = "multi_thread")]
async fn an_origin_may_stall_after_any_byte() {
    let house = House::new().await;
    let rows = Row::all(Fault::Stall);
    let exchanges = 2 * rows.len();
    let mut stalls = JoinSet::new();
    for (row, over_http2) in rows.into_iter().flat_map(|row| [(row, false), (row, true)]) {
        let mut visitor = visitor(&house.edge, over_http2).await;
        stalls.spawn(async move {
            let began = Instant::now();
            let asked = timeout(patience(), ask(&mut visitor, &row.path())).await;
            let (status, is_whole) = asked.unwrap_or((None, false));
            let late = began.elapsed() > LATE;
            let late = late.then(|| format!("{row:?} took {:?}", began.elapsed()));
            row.fault(status, is_whole).or(late)
        });
    }
    let failures: Vec<_> = stalls.join_all().await.into_iter().flatten().collect();
    let mut next = visitor(&house.edge, false).await;
    assert_eq!(ask(&mut next, "/good").await, (Some(200), true));
    drop(next);
    house.check_end(exchanges + 1, &failures).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_may_send_byte_by_byte() {
    for answer in ANSWERS {
        let origin = RawOrigin::start(move |mut conversation| async move {
            while conversation.head().await.is_some() {
                for byte in answer.bytes() {
                    conversation.send([byte]).await;
                }
            }
        })
        .await;
        let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
        for over_http2 in [false, true] {
            let mut visitor = visitor(&edge, over_http2).await;
            for _ in 0..3 {
                let answer = visitor.get("/").await;
                assert!(answer.text().contains("hello"), "{answer:?}");
            }
        }
        check_left(&edge).await;
    }
}
