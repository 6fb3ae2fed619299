use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use crate::wire::{CodecError, Coding, CodingLevels, Encoder};

/// What the bank's web server can apply, the best first.
const APPLIED: [Coding; 4] = [Coding::Br, Coding::Zstd, Coding::Gzip, Coding::Deflate];

/// The coding that the client likes best, the bank's favourite among equals; `None` is identity.
pub(super) fn accepted(headers: &HeaderMap) -> Option<Coding> {
    let mut best = None;
    for coding in APPLIED {
        let weight = weight_of(coding.as_str(), headers);
        if weight > best.map_or(0.0, |(_, weight)| weight) {
            best = Some((coding, weight));
        }
    }
    best.map(|(coding, _)| coding)
}

/// The `q` that the client gives to a coding by name; 0 where it does not name it.
fn weight_of(name: &str, headers: &HeaderMap) -> f32 {
    let lines = headers.get_all(ACCEPT_ENCODING).into_iter();
    let members = lines.filter_map(|line| line.to_str().ok());
    let mut members = members.flat_map(|line| line.split(','));
    members
        .find_map(|member| {
            let (coding, parameters) = member.split_once(';').unwrap_or((member, ""));
            let named = coding.trim().eq_ignore_ascii_case(name);
            named.then(|| match parameters.trim().strip_prefix("q=") {
                Some(weight) => weight.trim().parse().unwrap_or(0.0),
                None => 1.0,
            })
        })
        .unwrap_or(0.0)
}

/// A page in chunks, put in a coding chunk by chunk: each is flushed, so that none waits for the
/// next.
pub(super) struct Encoded<I> {
    chunks: I,
    /// `None` once the end of the stream was written.
    encoder: Option<Encoder>,
}

impl<I: Iterator<Item = Bytes>> Encoded<I> {
    pub(super) fn new(coding: Coding, chunks: I) -> Self {
        Self {
            chunks,
            encoder: Encoder::new(coding, CodingLevels::default()),
        }
    }
}

impl<I: Iterator<Item = Bytes>> Iterator for Encoded<I> {
    type Item = Result<Bytes, CodecError>;

    fn next(&mut self) -> Option<Self::Item> {
        let encoder = self.encoder.as_mut()?;
        let mut out = BytesMut::new();
        let written = match self.chunks.next() {
            Some(chunk) => encoder
                .encode(&chunk, &mut out)
                .and_then(|()| encoder.flush(&mut out)),
            None => self.encoder.take()?.finish(&mut out),
        };
        Some(written.map(|()| out.freeze()))
    }
}
