//! Heads that never end, a byte now and then: no byte makes the edge wait any longer.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::clients::{Line, connect};
use super::{LATE, SOON, check_left, impatient};
use crate::support::frames::{END_STREAM, GET, PREFACE, block, frame, kind};
use crate::support::{ScriptedOrigin, TestEdge, Visitor, config, rules_for};

/// As many of each version at once.
const CLIENTS: usize = 20;
/// Each of them goes on for minutes.
const BYTES: usize = 16 * 1024;
const PAUSE: Duration = Duration::from_millis(20);

fn http1() -> Vec<u8> {
    let field = "x".repeat(BYTES);
    format!("GET /x HTTP/1.1\r\nHost: localhost\r\nX: {field}").into()
}

/// The field's value is said to be longer than what comes of it.
fn http2() -> Vec<u8> {
    let field = [&[0, 1, b'x', 0x7f, 0x81, 0x7f][..], &[b'x'; BYTES - 100]].concat();
    let head = frame(kind::HEADERS, END_STREAM, 1, &[block(GET), field].concat());
    [PREFACE, &head].concat()
}

/// Sends all of it byte by byte, but for a beginning at once, and returns what was sent by when the
/// edge ended the connection.
async fn trickle(mut line: Box<dyn Line>, head: Vec<u8>, at_once: usize) -> (usize, Duration) {
    let (first, rest) = head.split_at(at_once);
    let (began, mut sent) = (Instant::now(), at_once);
    line.write_all(first).await.unwrap();
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut bytes = rest.iter();
    let mut heard = [0; 1024];
    loop {
        tokio::select! {
            read = line.read(&mut heard) => if read.is_ok_and(|read| read > 0) { continue } else { break },
            _ = ticks.tick() => {
                let Some(byte) = bytes.next() else { break };
                if line.write_all(&[*byte]).await.is_err() || line.flush().await.is_err() {
                    break;
                }
                sent += 1;
            }
        }
    }
    (sent, began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_trickles_is_ended_in_its_time() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let mut config = config(&rules_for(origin.address));
    impatient(&mut config);
    let edge = TestEdge::spawn(config).await;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        for (head, at_once, is_http2) in [
            (http1(), 0, false),
            (http1(), 40, false),
            (http2(), 10, true),
            (http2(), PREFACE.len() + 40, true),
        ] {
            let line = connect(&edge, is_http2).await;
            clients.spawn(trickle(line, head, at_once));
        }
    }
    // Others are served meanwhile.
    for _ in 0..5 {
        assert_eq!(Visitor::http1(edge.http).await.get("/").await.status, 200);
    }
    for (sent, took) in clients.join_all().await {
        assert!(sent < BYTES / 2 && took < LATE, "{sent} bytes in {took:?}");
        assert!(took >= SOON * 9 / 10, "{sent} bytes in {took:?}");
    }
    let series = r#"edge_connections_refused_total{reason="h2_slow_head"}"#;
    assert_eq!(edge.metric(series).await, 2.0 * CLIENTS as f64);
    check_left(&edge).await;
    assert_eq!(Visitor::http1(edge.http).await.get("/").await.status, 200);
}
