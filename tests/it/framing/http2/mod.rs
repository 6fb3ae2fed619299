//! HTTP/2 requests that are malformed, or that would become other requests on their way to an
//! HTTP/1.1 origin: frames and field blocks are written by hand, because no client library would
//! send them. Behind every row, on a stream of its own, comes a second request.

pub(crate) mod frames;
mod rows;

use cobrowse_edge::telemetry::AccessLogFormat;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use self::frames::{PREFACE, Streams};
pub(super) use self::rows::rows;
use self::rows::{Fate, Row};
use super::logged::Log;
use super::{PATIENCE, SECOND_SEEN, oddity, rules};
use crate::support::{RecordingOrigin, Seen, TestEdge, Written, config, tls_http2};

struct Outcome {
    streams: Streams,
    seen: Vec<Seen>,
    log: Log,
}

async fn play(row: &Row) -> Outcome {
    let origin = RecordingOrigin::start().await;
    let mut config = config(&rules(&origin));
    config.log.access = Some(AccessLogFormat::Json);
    let written = Written::default();
    let edge = TestEdge::spawn_logging_to(written.clone(), config).await;
    let mut stream: TlsStream<TcpStream> = tls_http2(edge.https.unwrap()).await;
    let second = frames::request(3, &rows::get("/second"), None);
    let all = [PREFACE, &row.frames, &second].concat();
    let _ = stream.write_all(&all).await;
    let awaited: &[u8] = match row.fate {
        Fate::Gone => &[3],
        Fate::Goes(_) | Fate::Refused(_) | Fate::Malformed | Fate::Reset => &[1, 3],
    };
    let streams = Streams::read(&mut stream, awaited).await;
    drop(stream);
    edge.end().await;
    Outcome {
        streams,
        seen: origin.finish().await,
        log: Log::read(&written.text()),
    }
}

impl Outcome {
    /// What is not as the row says.
    fn fault(&self, row: &Row) -> Option<String> {
        let Self { streams, seen, log } = self;
        let whole = seen.iter().filter(|request| request.is_whole);
        let mut whole: Vec<_> = whole.map(Seen::summary).collect();
        whole.sort();
        let status = streams.status(1);
        let is_right = match &row.fate {
            Fate::Goes(first) => {
                let mut both = [SECOND_SEEN, first];
                both.sort_unstable();
                whole == both && status == Some(200) && streams.status(3) == Some(200)
            }
            Fate::Refused(code) => whole == [SECOND_SEEN] && status == Some(*code),
            // Whether the second stream is answered is the server's choice.
            Fate::Malformed => {
                whole.iter().all(|request| request == SECOND_SEEN)
                    && match status {
                        Some(status) => status == 400,
                        None => streams.is_reset(1) || streams.is_over(),
                    }
            }
            Fate::Reset => {
                whole == [SECOND_SEEN]
                    && status.is_none()
                    && streams.is_protocol_error(1)
                    && streams.status(3) == Some(200)
            }
            Fate::Gone => whole == [SECOND_SEEN] && streams.status(3) == Some(200),
        };
        match is_right {
            true => oddity(seen).or_else(|| log.oddity(seen)),
            false => Some(format!("{streams:?}, the origin saw {whole:?}")),
        }
    }
}

async fn check(rows: Vec<Row>) {
    let mut failures = Vec::new();
    for row in rows {
        let (technique, shown) = (row.technique, &row.shown);
        let fault = match timeout(PATIENCE, play(&row)).await {
            Ok(outcome) => outcome.fault(&row),
            Err(_) => Some("stalled".to_owned()),
        };
        if let Some(fault) = fault {
            failures.push(format!(
                "{technique}: {shown}\n    {fault}, expected {:?}",
                row.fate
            ));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[tokio::test]
async fn what_has_one_reading_goes_up() {
    check(rows::clear()).await;
}

#[tokio::test]
async fn fields_that_would_frame_the_request_anew_are_stopped() {
    check(rows::framing()).await;
}

#[tokio::test]
async fn fields_that_would_be_other_lines_are_stopped() {
    check(rows::fields()).await;
}

#[tokio::test]
async fn request_lines_that_would_be_other_lines_are_stopped() {
    check(rows::request_lines()).await;
}

#[tokio::test]
async fn pseudo_fields_out_of_place_are_stopped() {
    check(rows::pseudo_fields()).await;
}

#[tokio::test]
async fn fields_behind_the_body_go_nowhere() {
    check(rows::trailers()).await;
}

#[tokio::test]
async fn frames_out_of_order_are_no_requests() {
    check(rows::out_of_order()).await;
}
