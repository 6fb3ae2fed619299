//! A visitor who reads an answer as it comes.

use std::time::Duration;

use bytes::Bytes;
use cobrowse_edge::wire::{Coding, Decoder};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::support::Visitor;

/// A guard: nothing here waits for time to pass.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// An answer under way: its head is here, its body is read on demand.
pub(super) struct Reader {
    pub(super) headers: HeaderMap,
    body: Incoming,
    decoder: Option<Decoder>,
    /// What has come so far, decoded.
    pub(super) plain: Vec<u8>,
    /// How much of it there was after each frame.
    pub(super) stages: Vec<usize>,
}

impl Reader {
    pub(super) async fn begin(visitor: &mut Visitor, path: &str, accept: &str) -> Self {
        let mut request = Request::get(path);
        if !accept.is_empty() {
            request = request.header("accept-encoding", accept);
        }
        let begun = timeout(PATIENCE, visitor.begin(request.body("".into()).unwrap())).await;
        let (head, body) = begun.expect("a head").into_parts();
        let decoder = Decoder::new(Coding::of(&head.headers).unwrap());
        Self {
            headers: head.headers,
            body,
            decoder,
            plain: Vec::new(),
            stages: Vec::new(),
        }
    }

    /// Reads on until this is what has come, and not a byte more.
    pub(super) async fn read_exactly(&mut self, expected: &[u8]) {
        while self.plain != expected {
            assert!(
                expected.starts_with(&self.plain),
                "{:?} came, expected {:?}",
                String::from_utf8_lossy(&self.plain),
                String::from_utf8_lossy(expected)
            );
            assert!(self.read_on().await, "the body ended early");
        }
    }

    pub(super) async fn read_to_end(&mut self) {
        while self.read_on().await {}
    }

    /// The next frame; `false` at the end.
    pub(super) async fn read_on(&mut self) -> bool {
        let frame = timeout(PATIENCE, self.body.frame()).await;
        let missing = || {
            panic!(
                "nothing more came after {:?}",
                self.plain.escape_ascii().to_string()
            )
        };
        let Some(frame) = frame.unwrap_or_else(|_| missing()) else {
            return false;
        };
        let mut bytes = frame.unwrap().into_data().unwrap_or_default();
        self.decode(&mut bytes);
        self.stages.push(self.plain.len());
        true
    }

    fn decode(&mut self, bytes: &mut Bytes) {
        let Some(decoder) = &mut self.decoder else {
            return self.plain.extend_from_slice(bytes);
        };
        loop {
            let piece = decoder.decode(bytes).unwrap();
            if piece.is_empty() {
                return;
            }
            self.plain.extend_from_slice(&piece);
        }
    }
}
