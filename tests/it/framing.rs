//! Requests that are malformed, or that two readers could read in two ways: a table of raw bytes.
//!
//! Behind every row a second request follows on the same connection. Either both are answered and
//! the origin saw exactly what the row says, or the row was refused; and where a refusal closes
//! the connection, the second one is never answered and never seen.

mod expect;
mod heads;
mod http2;
mod requests;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use self::expect::{Expect, Row};
use crate::support::{RawAnswer, RecordingOrigin, Seen, TestEdge, config};

const SECOND: &[u8] = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND_SEEN: &str = "GET /second";
const SECOND_ANSWER: &[u8] = b"answer to /second\n";

/// A guard only: no row waits for time to pass.
const PATIENCE: Duration = Duration::from_secs(30);

fn rules(origin: &RecordingOrigin) -> String {
    let address = origin.address;
    format!(
        r#"
        version = 1
        [script]
        url = "https://cdn.example.com/loader.js"
        [[site]]
        hosts = ["a", "127.0.0.1"]
        origin = "http://{address}"
        group = 15687
        "#
    )
}

/// What came of a row.
struct Outcome {
    answers: Vec<RawAnswer>,
    seen: Vec<Seen>,
}

async fn play(request: &[u8]) -> Outcome {
    let origin = RecordingOrigin::start().await;
    let mut config = config(&rules(&origin));
    config.server.https.clear();
    let edge = TestEdge::spawn(config).await;
    let mut stream = TcpStream::connect(edge.http).await.unwrap();
    // The edge may close before it has read everything.
    let _ = stream.write_all(&[request, SECOND].concat()).await;
    let answers = RawAnswer::all(&read_answers(&mut stream).await);
    drop(stream);
    edge.end().await;
    Outcome {
        answers,
        seen: origin.finish().await,
    }
}

/// All until the second request is answered, or the connection has ended.
async fn read_answers(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(SECOND_ANSWER) {
        match stream.read_buf(&mut bytes).await {
            Ok(read) if read > 0 => {}
            _ => break,
        }
    }
    bytes
}

impl Outcome {
    fn describe(&self) -> String {
        let statuses: Vec<_> = self.answers.iter().map(|answer| answer.status).collect();
        let seen: Vec<_> = self.seen.iter().map(Seen::summary).collect();
        format!("answered {statuses:?}, the origin saw {seen:?}")
    }

    fn is(&self, expect: &Expect) -> bool {
        let statuses: Vec<_> = self.answers.iter().map(|answer| answer.status).collect();
        let seen: Vec<_> = self.seen.iter().map(Seen::summary).collect();
        match expect {
            Expect::Passed(first) => {
                statuses == [200, 200] && seen == [first.as_str(), SECOND_SEEN]
            }
            Expect::Last(first) => statuses == [200] && seen == [first.as_str()],
            Expect::Refused(status) => statuses == [*status, 200] && seen == [SECOND_SEEN],
            Expect::Closed(status) => statuses == [*status] && seen.is_empty(),
            Expect::Broken(status) => {
                statuses == [*status] && self.seen.iter().all(|request| !request.is_whole)
            }
        }
    }
}

/// What no request that reaches an origin may have, whatever the row.
fn oddity(seen: &[Seen]) -> Option<String> {
    seen.iter().find_map(|request| {
        let hosts = request.fields("host");
        let clear = matches!(&hosts[..], ["a" | "a:80" | "a:8080" | "127.0.0.1"]);
        let hop_by_hop = HOP_BY_HOP
            .iter()
            .find(|name| !request.fields(name).is_empty());
        if !clear {
            Some(format!("Host is {hosts:?}"))
        } else if let Some(name) = hop_by_hop {
            Some(format!("{name} went up"))
        } else {
            let version = request.head.lines().next()?.rsplit(' ').next()?;
            (version != "HTTP/1.1").then(|| format!("the version is {version:?}"))
        }
    })
}

const HOP_BY_HOP: [&str; 7] = [
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "x-nominated",
];

async fn check(rows: impl IntoIterator<Item = Row>) {
    let mut failures = Vec::new();
    for Row { request, expect } in rows {
        let shown: String = request
            .escape_ascii()
            .to_string()
            .chars()
            .take(160)
            .collect();
        let Ok(outcome) = timeout(PATIENCE, play(&request)).await else {
            failures.push(format!("{shown}\n    stalled, expected {expect:?}"));
            continue;
        };
        if !outcome.is(&expect) {
            failures.push(format!(
                "{shown}\n    {}, expected {expect:?}",
                outcome.describe()
            ));
        }
        if let Some(oddity) = oddity(&outcome.seen) {
            failures.push(format!("{shown}\n    {oddity}"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[tokio::test]
async fn targets_go_up_in_one_spelling_or_not_at_all() {
    check(requests::targets()).await;
}

#[tokio::test]
async fn only_methods_of_a_site_go_up() {
    check(requests::methods()).await;
}

#[tokio::test]
async fn a_host_is_one_and_known() {
    check(heads::hosts()).await;
}

#[tokio::test]
async fn a_length_has_one_reading() {
    check(heads::lengths()).await;
}

#[tokio::test]
async fn chunks_have_one_reading() {
    check(requests::chunks()).await;
}

#[tokio::test]
async fn heads_that_are_no_heads_end_the_connection() {
    check(heads::broken()).await;
}

#[tokio::test]
async fn heads_have_a_size() {
    check(heads::sizes()).await;
}

#[tokio::test]
async fn upgrades_and_expectations_that_cannot_be_met_are_no_way_in() {
    check(heads::options()).await;
}

#[test]
fn the_table_is_large() {
    let rows = [
        requests::targets(),
        requests::methods(),
        requests::chunks(),
        heads::hosts(),
        heads::lengths(),
        heads::broken(),
        heads::sizes(),
        heads::options(),
    ];
    let rows: usize = rows.iter().map(Vec::len).sum();
    assert!(rows >= 80, "{rows}");
}
