//! Requests that are malformed, or that two readers could read in two ways: a table of raw bytes.
//!
//! Behind every row a second request follows on the same connection. Either both are answered and
//! the origin saw exactly what the row says, or the row was refused; and where a refusal closes
//! the connection, the second one is never answered and never seen. In either case the origin saw
//! no request that is not in the access log, and each refusal was counted.

mod expect;
mod fields;
mod heads;
pub(crate) mod http2;
mod logged;
mod pauses;
mod requests;
mod smuggling;

use std::time::Duration;

use cobrowse_edge::config::EdgeConfig;
use cobrowse_edge::telemetry::AccessLogFormat;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use self::expect::{Expect, Row};
use self::logged::Log;
use crate::support::{RawAnswer, RecordingOrigin, Seen, TestEdge, Written, config, eventually};

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
    log: Log,
}

async fn play(row: &Row, adjust: fn(&mut EdgeConfig)) -> Outcome {
    let origin = RecordingOrigin::start().await;
    let mut config = config(&rules(&origin));
    config.server.https.clear();
    config.log.access = Some(AccessLogFormat::Json);
    adjust(&mut config);
    let written = Written::default();
    let edge = TestEdge::spawn_logging_to(written.clone(), config).await;
    let bytes = converse(&edge, row).await;
    if row.expect.is_refusal() {
        eventually("the refusal is counted", async || {
            edge.refusals().await == 1.0
        })
        .await;
    }
    edge.end().await;
    Outcome {
        answers: RawAnswer::all(&bytes),
        seen: origin.finish().await,
        log: Log::read(&written.text()),
    }
}

/// Sends the row and the second request, and reads all answers.
async fn converse(edge: &TestEdge, row: &Row) -> Vec<u8> {
    let mut stream = TcpStream::connect(edge.http).await.unwrap();
    let mut bytes = Vec::new();
    // The edge may close before it has read everything.
    if row.later.is_empty() {
        let _ = stream.write_all(&[&row.request, SECOND].concat()).await;
    } else {
        let _ = stream.write_all(&row.request).await;
        read_until(&mut stream, &mut bytes, |bytes| {
            RawAnswer::all(bytes).iter().any(RawAnswer::is_whole)
        })
        .await;
        let _ = stream.write_all(&[&row.later, SECOND].concat()).await;
    }
    // Until the second request is answered, or the connection has ended.
    read_until(&mut stream, &mut bytes, |bytes| {
        bytes.ends_with(SECOND_ANSWER)
    })
    .await;
    bytes
}

async fn read_until(stream: &mut TcpStream, bytes: &mut Vec<u8>, is_enough: fn(&[u8]) -> bool) {
    while !is_enough(bytes) {
        match stream.read_buf(bytes).await {
            Ok(read) if read > 0 => {}
            _ => break,
        }
    }
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
            Expect::Exactly(first, went_up) => {
                let is_second_answered = seen.last().is_some_and(|last| last == SECOND_SEEN);
                let (statuses, seen) = match is_second_answered {
                    true => (
                        statuses.strip_suffix(&[200]).unwrap_or_default(),
                        &seen[..seen.len() - 1],
                    ),
                    false => (&statuses[..], &seen[..]),
                };
                statuses == first && seen == went_up
            }
        }
    }

    /// What must never be, whatever the row.
    fn oddity(&self, row: &Row) -> Option<String> {
        let first = self.seen.first();
        let odd_field = || {
            row.fields.iter().find_map(|(name, expected)| {
                let found = first
                    .map(|request| request.fields(name))
                    .unwrap_or_default();
                let expected: Vec<_> = expected.iter().copied().collect();
                (found != expected).then(|| format!("{name} is {found:?}, not {expected:?}"))
            })
        };
        oddity(&self.seen)
            .or_else(|| self.log.oddity(&self.seen))
            .or_else(odd_field)
    }
}

impl Expect {
    /// Whether the row is the edge's to refuse, as a whole.
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Closed(_) | Self::Broken(_))
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
        let target = request.head.split(' ').nth(1).unwrap_or_default();
        if !clear {
            Some(format!("Host is {hosts:?}"))
        } else if target.contains("inner") {
            Some(format!("the inner request went up: {}", request.summary()))
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

async fn check(rows: Vec<Row>) {
    check_with(|_| {}, rows).await;
}

async fn check_with(adjust: fn(&mut EdgeConfig), rows: Vec<Row>) {
    let mut failures = Vec::new();
    for row in rows {
        let shown = row.request.escape_ascii().to_string();
        let shown: String = shown.chars().take(240).collect();
        let shown = format!("{}: {shown}", row.technique);
        let expect = &row.expect;
        let Ok(outcome) = timeout(PATIENCE, play(&row, adjust)).await else {
            failures.push(format!("{shown}\n    stalled, expected {expect:?}"));
            continue;
        };
        if !outcome.is(expect) {
            let found = outcome.describe();
            failures.push(format!("{shown}\n    {found}, expected {expect:?}"));
        }
        if let Some(oddity) = outcome.oddity(&row) {
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

#[tokio::test]
async fn one_request_does_not_become_two() {
    check(smuggling::all()).await;
}

#[tokio::test]
async fn nobody_speaks_for_the_edge() {
    check(fields::all()).await;
}

#[tokio::test]
async fn what_comes_after_a_pause_is_no_request() {
    check_with(pauses::patience_is_short, pauses::all()).await;
}

#[test]
fn the_table_is_large() {
    let http1 = [
        requests::targets(),
        requests::methods(),
        requests::chunks(),
        heads::hosts(),
        heads::lengths(),
        heads::broken(),
        heads::sizes(),
        heads::options(),
        smuggling::all(),
        fields::all(),
        pauses::all(),
    ];
    let http1: usize = http1.iter().map(Vec::len).sum();
    let http2 = http2::rows().len();
    println!("{http1} vectors over HTTP/1.x, {http2} over HTTP/2");
    assert!(http1 >= 450 && http2 >= 100, "{http1} {http2}");
}
