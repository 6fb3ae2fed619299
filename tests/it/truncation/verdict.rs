//! What a visitor can tell about an answer.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use cobrowse_edge::wire::{Coding, Decoder};
use http::Request;
use http_body_util::BodyExt;
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

use crate::support::{Ending, RawAnswer, RawVisitor, TestEdge, Visitor};

/// How a visitor asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Http10,
    Http11,
    Http2,
}

pub(super) const CLIENTS: [Client; 3] = [Client::Http10, Client::Http11, Client::Http2];

/// What the visitor has at the end, and whether anything tells that it is not all.
#[derive(Debug)]
pub(super) struct Verdict {
    /// 0 if not even a head came.
    pub(super) status: u16,
    pub(super) looks_complete: bool,
    pub(super) coding: String,
    pub(super) body: Vec<u8>,
}

impl Verdict {
    fn headless() -> Self {
        Self {
            status: 0,
            looks_complete: false,
            coding: String::new(),
            body: Vec::new(),
        }
    }

    /// The body as far as it can be decoded.
    pub(super) fn plain(&self) -> Vec<u8> {
        let coding = match &*self.coding {
            "" => Coding::Identity,
            "gzip" => Coding::Gzip,
            other => panic!("{other:?} was not asked for"),
        };
        let Some(mut decoder) = Decoder::new(coding) else {
            return self.body.clone();
        };
        let (mut input, mut plain) = (Bytes::copy_from_slice(&self.body), Vec::new());
        while let Ok(piece) = decoder.decode(&mut input) {
            if piece.is_empty() {
                break;
            }
            plain.extend_from_slice(&piece);
        }
        plain
    }
}

/// One visitor's connection, or a new one for each request where the version has no other way.
pub(super) enum Asker {
    Raw(SocketAddr, Client),
    Http2(Box<Visitor>),
}

impl Asker {
    pub(super) async fn of(edge: &TestEdge, client: Client) -> Self {
        match client {
            Client::Http10 | Client::Http11 => Self::Raw(edge.http, client),
            Client::Http2 => Self::Http2(Box::new(Visitor::http2(edge.https.unwrap()).await)),
        }
    }

    /// Asks for a path with a body, tells once something of the answer's body is there, and reads to the end.
    pub(super) async fn ask(
        &mut self,
        path: &str,
        body: &'static str,
        seen: &Arc<Notify>,
    ) -> Verdict {
        self.ask_and_tell_at(1, path, body, seen).await
    }

    /// Tells once so many bytes of the answer's body are there.
    pub(super) async fn ask_and_tell_at(
        &mut self,
        bytes: usize,
        path: &str,
        body: &'static str,
        seen: &Arc<Notify>,
    ) -> Verdict {
        let told = (bytes, &**seen);
        match self {
            Self::Raw(address, client) => ask_raw(*address, *client, path, body, told).await,
            Self::Http2(visitor) => ask_http2(visitor, path, body, told).await,
        }
    }
}

/// Larger than any answer that is whole.
const LARGE: usize = 1024 * 1024;

async fn ask_raw(
    address: SocketAddr,
    client: Client,
    path: &str,
    body: &str,
    (enough, seen): (usize, &Notify),
) -> Verdict {
    let mut visitor = RawVisitor::connect(address).await;
    let version = match client {
        Client::Http10 => "1.0",
        _ => "1.1",
    };
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/{version}\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n"
    );
    visitor.send(head + body).await;
    let mut bytes = Vec::new();
    let mut is_told = false;
    let in_order = loop {
        match visitor.0.read_buf(&mut bytes).await {
            Ok(0) => break true,
            Ok(_) => {}
            Err(_) => break false,
        }
        // What follows ends with the connection, and may be much.
        if is_told && bytes.len() > LARGE {
            continue;
        }
        let [answer] = &RawAnswer::all(&bytes)[..] else {
            continue;
        };
        if answer.body.len() >= enough {
            seen.notify_one();
            is_told = true;
        }
        // An error page is whole, and the connection stays.
        if answer.ending == Ending::Whole {
            break true;
        }
    };
    // A reset before the head says what it has to say, too.
    let mut answers = RawAnswer::all(&bytes).into_iter();
    let Some(answer) = answers.next() else {
        return Verdict::headless();
    };
    assert!(answers.next().is_none());
    Verdict {
        status: answer.status,
        looks_complete: match answer.ending {
            Ending::Whole => true,
            Ending::Short => false,
            Ending::ToClose => in_order,
        },
        coding: answer
            .field("content-encoding")
            .unwrap_or_default()
            .to_owned(),
        body: answer.body,
    }
}

async fn ask_http2(
    visitor: &mut Visitor,
    path: &str,
    body: &'static str,
    (enough, seen): (usize, &Notify),
) -> Verdict {
    let request = Request::post(path).header("accept-encoding", "gzip");
    let begun = visitor.try_begin(request.body(body.into()).unwrap()).await;
    let Ok(response) = begun else {
        return Verdict::headless();
    };
    let (head, mut incoming) = response.into_parts();
    let mut bytes = Vec::new();
    let looks_complete = loop {
        match incoming.frame().await {
            None => break true,
            Some(Err(_)) => break false,
            Some(Ok(frame)) => {
                bytes.extend_from_slice(&frame.into_data().unwrap_or_default());
                if bytes.len() >= enough {
                    seen.notify_one();
                }
            }
        }
    };
    let coding = head.headers.get("content-encoding");
    Verdict {
        status: head.status.as_u16(),
        looks_complete,
        coding: coding
            .map_or("", |coding| coding.to_str().unwrap())
            .to_owned(),
        body: bytes,
    }
}
