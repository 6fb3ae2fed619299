//! Large uploads that come slowly, and fail on their way, by the client's doing or by the origin's: no
//! beginning passes for the whole, both sides are let go, and the next exchange works.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::clients::{Line, connect, give_up};
use super::{Fault, check_left, impatient};
use crate::support::frames::{ACK, END_STREAM, POST, PREFACE, frame, headers, kind};
use crate::support::{
    Conversation, RawOrigin, TestEdge, Visitor, config, eventually, rules_for, soon,
};

const LENGTH: usize = 4 * 1024 * 1024;
const PIECE: usize = 16 * 1024;
/// Between two pieces.
const PAUSE: Duration = Duration::from_millis(1);

/// How it is told where the upload ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Length,
    Chunked,
    Http2,
}

/// An upload on its way.
struct Upload {
    line: Box<dyn Line>,
    form: Form,
    /// What may be sent over HTTP/2: on the stream, and on the connection.
    windows: [usize; 2],
}

/// RFC 9113 6.9.2.
const FIRST_WINDOW: usize = 65_535;

impl Upload {
    async fn begin(edge: &TestEdge, form: Form) -> Self {
        let mut line = connect(edge, form == Form::Http2).await;
        let head = match form {
            Form::Length => {
                format!("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LENGTH}\r\n\r\n")
                    .into()
            }
            Form::Chunked => {
                b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    .to_vec()
            }
            Form::Http2 => [PREFACE, &headers(1, 0, POST)].concat(),
        };
        line.write_all(&head).await.unwrap();
        let windows = [FIRST_WINDOW; 2];
        Self {
            line,
            form,
            windows,
        }
    }

    /// So many bytes of it, with a pause after each piece.
    async fn send(&mut self, bytes: usize) {
        let mut ticks = interval(PAUSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for _ in 0..bytes / PIECE {
            let piece = [b'x'; PIECE];
            let piece = match self.form {
                Form::Length => piece.to_vec(),
                Form::Chunked => [format!("{PIECE:x}\r\n").as_bytes(), &piece, b"\r\n"].concat(),
                Form::Http2 => {
                    self.open_windows().await;
                    frame(kind::DATA, 0, 1, &piece)
                }
            };
            soon(self.line.write_all(&piece)).await.unwrap();
            self.line.flush().await.unwrap();
            ticks.tick().await;
        }
    }

    async fn end(&mut self) {
        match self.form {
            Form::Length => {}
            Form::Chunked => self.line.write_all(b"0\r\n\r\n").await.unwrap(),
            Form::Http2 => {
                let end = frame(kind::DATA, END_STREAM, 1, &[]);
                self.line.write_all(&end).await.unwrap();
            }
        }
        self.line.flush().await.unwrap();
    }

    /// Waits until the edge takes another piece.
    async fn open_windows(&mut self) {
        while self.windows.iter().any(|window| *window < PIECE) {
            let mut head = [0; 9];
            soon(self.line.read_exact(&mut head)).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            soon(self.line.read_exact(&mut payload)).await.unwrap();
            let number = |at: usize| u32::from_be_bytes(payload[at..][..4].try_into().unwrap());
            match head[3] {
                kind::WINDOW_UPDATE => {
                    self.windows[usize::from(head[8] == 0)] += number(0) as usize
                }
                kind::SETTINGS => {
                    let mut settings = (0..payload.len()).step_by(6);
                    let window = settings.rfind(|at| payload[at + 1] == 4);
                    if let Some(at) = window {
                        self.windows[0] += number(at + 2) as usize - FIRST_WINDOW;
                    }
                    // Until then the edge expects no more than the first windows allow.
                    if head[4] & ACK == 0 {
                        let heard = frame(kind::SETTINGS, ACK, 0, &[]);
                        self.line.write_all(&heard).await.unwrap();
                    }
                }
                _ => {}
            }
        }
        self.windows = self.windows.map(|window| window - PIECE);
    }
}

/// The bytes of each upload that came to the origin, and whether it was a whole one; there is a clone for
/// each of its connections that is open.
type Taken = Arc<Mutex<Vec<(usize, bool)>>>;

/// Connections that the edge may keep for the next exchange.
const KEPT: usize = 8;

/// It takes uploads, but for those that it fails in the middle.
async fn origin(taken: &Taken) -> RawOrigin {
    let taken = Arc::clone(taken);
    RawOrigin::start(move |conversation| converse(conversation, Arc::clone(&taken))).await
}

async fn converse(mut conversation: Conversation, taken: Taken) {
    while let Some(head) = conversation.head().await {
        if head.starts_with("GET ") {
            let good = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood";
            conversation.send(good).await;
            continue;
        }
        let fault = match head.split(' ').nth(1).unwrap() {
            "/Fin" => Some(Fault::Fin),
            "/Reset" => Some(Fault::Reset),
            "/Stall" => Some(Fault::Stall),
            _ => None,
        };
        let most = fault.map_or(LENGTH, |_| LENGTH / 2);
        let (bytes, is_whole) = take(&mut conversation, &head, most).await;
        taken.lock().unwrap().push((bytes, is_whole));
        match fault {
            None if is_whole => {
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntaken";
                conversation.send(answer).await;
            }
            None | Some(Fault::Fin) => return,
            Some(Fault::Reset) => return conversation.reset(),
            Some(Fault::Stall) => return std::future::pending().await,
        }
    }
}

/// So much of a body, or all of it. It is made of `x`, which its framing is not.
async fn take(conversation: &mut Conversation, head: &str, most: usize) -> (usize, bool) {
    let is_chunked = head.to_lowercase().contains("chunked");
    let mut bytes = std::mem::take(&mut conversation.buffer);
    let (mut count, mut tail) = (0, Vec::new());
    loop {
        count += bytes.iter().filter(|byte| **byte == b'x').count();
        tail.extend(&bytes[bytes.len().saturating_sub(7)..]);
        tail.drain(..tail.len().saturating_sub(7));
        let is_whole = match is_chunked {
            true => tail.ends_with(b"\r\n0\r\n\r\n"),
            false => count == LENGTH,
        };
        if is_whole || most < LENGTH && count >= most {
            return (count, is_whole);
        }
        bytes.resize(64 * 1024, 0);
        match conversation.stream.read(&mut bytes).await {
            Ok(read) if read > 0 => bytes.truncate(read),
            _ => return (count, false),
        }
    }
}

struct House {
    edge: TestEdge,
    taken: Taken,
    _origin: RawOrigin,
}

impl House {
    async fn new() -> Self {
        let taken = Taken::default();
        let origin = origin(&taken).await;
        let mut config = config(&rules_for(origin.address));
        impatient(&mut config);
        // Dozens upload at once, on a machine that is busy with other things.
        config.upstream.body_idle_timeout = Some(Duration::from_secs(2));
        Self {
            edge: TestEdge::spawn(config).await,
            taken,
            _origin: origin,
        }
    }

    /// Nobody is left, and the next exchange works; what came to the origin.
    async fn check_end(&self) -> Vec<(usize, bool)> {
        eventually("the origin is let go", async || {
            Arc::strong_count(&self.taken) <= KEPT
        })
        .await;
        check_left(&self.edge).await;
        let next = Visitor::http1(self.edge.http).await.get("/good").await;
        assert_eq!(next.text(), "good");
        self.taken.lock().unwrap().clone()
    }
}

const FORMS: [Form; 3] = [Form::Length, Form::Chunked, Form::Http2];
const FAULTS: [Fault; 3] = [Fault::Fin, Fault::Reset, Fault::Stall];

#[tokio::test(flavor = "multi_thread")]
async fn large_uploads_arrive_whole_or_fail() {
    let house = House::new().await;
    let mut uploads = JoinSet::new();
    for form in FORMS {
        for fault in FAULTS {
            for sent in [PIECE, LENGTH / 2, LENGTH - PIECE, LENGTH] {
                // There would be nothing left to fail.
                if (form, sent) == (Form::Length, LENGTH) {
                    continue;
                }
                let mut upload = Upload::begin(&house.edge, form).await;
                uploads.spawn(async move {
                    upload.send(sent).await;
                    let rest = give_up(upload.line, fault).await;
                    let rest = rest.unwrap_or_else(|| panic!("{form:?} {fault:?} {sent} stays"));
                    if (fault, form == Form::Http2) == (Fault::Stall, false) {
                        let answer = String::from_utf8_lossy(&rest);
                        assert!(
                            answer.starts_with("HTTP/1.1 408 "),
                            "{form:?} {sent}: {answer}"
                        );
                    }
                });
            }
        }
    }
    uploads.join_all().await;
    let taken = house.check_end().await;
    // Of some that were reset at once it has heard nothing.
    assert!(taken.len() >= FORMS.len() * FAULTS.len(), "{taken:?}");
    assert!(taken.iter().all(|(_, is_whole)| !is_whole), "{taken:?}");
    for form in FORMS {
        let mut upload = Upload::begin(&house.edge, form).await;
        upload.send(LENGTH).await;
        upload.end().await;
        let mut heard = Vec::new();
        while !heard.ends_with(b"taken") {
            assert!(soon(upload.line.read_buf(&mut heard)).await.unwrap() > 0);
        }
    }
    let failed = taken.len();
    let taken = house.check_end().await;
    assert_eq!(taken[failed..], [(LENGTH, true); FORMS.len()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_may_fail_in_the_middle_of_a_large_upload() {
    let house = House::new().await;
    let mut uploads = 0;
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for fault in FAULTS {
            let mut visitor = match version {
                Version::HTTP_2 => Visitor::http2(house.edge.https.unwrap()).await,
                _ => Visitor::http1(house.edge.http).await,
            };
            let request = Request::post(format!("/{fault:?}"));
            let body = Bytes::from(vec![b'x'; LENGTH]);
            let answer = visitor.try_begin(request.body(body.into()).unwrap()).await;
            let status = answer.map(|answer| answer.status().as_u16());
            let is_right = match (&status, fault) {
                (Ok(504), Fault::Stall) | (Ok(502), Fault::Fin | Fault::Reset) => true,
                // Over HTTP/1.1 the answer ends the connection while the body is on its way.
                (Err(_), _) => version == Version::HTTP_11,
                _ => false,
            };
            assert!(is_right, "{version:?} {fault:?}: {status:?}");
            uploads += 1;
        }
    }
    let taken = house.check_end().await;
    assert_eq!(taken.len(), uploads);
    assert!(taken.iter().all(|(_, is_whole)| !is_whole), "{taken:?}");
}
