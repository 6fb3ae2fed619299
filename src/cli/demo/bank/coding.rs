use std::io;

use bytes::Bytes;
use compression_codecs::brotli::params::EncoderParams;
use compression_codecs::core::Level;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::{BrotliEncoder, EncodeV2, GzipEncoder, ZlibEncoder, ZstdEncoder};
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A content coding that the bank's web server can apply, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Zstd,
    Gzip,
    /// In the zlib wrapper, as RFC 9110 8.4.1.2 asks.
    Deflate,
}

impl Coding {
    const ALL: [Self; 4] = [Self::Brotli, Self::Zstd, Self::Gzip, Self::Deflate];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    /// The coding that the client likes best, ours first among equals; `None` is identity.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut best = None;
        for coding in Self::ALL {
            let weight = weight_of(coding.name(), headers);
            if weight > best.map_or(0.0, |(_, weight)| weight) {
                best = Some((coding, weight));
            }
        }
        best.map(|(coding, _)| coding)
    }

    fn encoder(self) -> Box<dyn EncodeV2 + Send> {
        match self {
            Self::Brotli => {
                let quality = EncoderParams::default().quality(Level::Precise(BROTLI_QUALITY));
                Box::new(BrotliEncoder::new(quality))
            }
            Self::Zstd => Box::new(ZstdEncoder::new(ZSTD_LEVEL)),
            Self::Gzip => Box::new(GzipEncoder::new(Level::Fastest.into())),
            Self::Deflate => Box::new(ZlibEncoder::new(Level::Fastest.into())),
        }
    }
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
    encoder: Option<Box<dyn EncodeV2 + Send>>,
}

impl<I: Iterator<Item = Bytes>> Encoded<I> {
    pub(super) fn new(coding: Coding, chunks: I) -> Self {
        Self {
            chunks,
            encoder: Some(coding.encoder()),
        }
    }
}

impl<I: Iterator<Item = Bytes>> Iterator for Encoded<I> {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let encoder = self.encoder.as_mut()?;
        if let Some(chunk) = self.chunks.next() {
            return Some(encode(encoder.as_mut(), &chunk));
        }
        let mut encoder = self.encoder.take()?;
        Some(drain(|space| encoder.finish(space)))
    }
}

fn encode(encoder: &mut dyn EncodeV2, chunk: &[u8]) -> io::Result<Bytes> {
    let mut input = PartialBuffer::new(chunk);
    let body = drain(|space| {
        encoder.encode(&mut input, space)?;
        Ok(input.unwritten().is_empty())
    })?;
    let rest = drain(|space| encoder.flush(space))?;
    Ok([body, rest].concat().into())
}

/// What `step` writes until it says that it is done.
fn drain(mut step: impl FnMut(&mut WriteBuffer<'_>) -> io::Result<bool>) -> io::Result<Bytes> {
    let mut written = Vec::new();
    let mut space = [0; SPACE];
    loop {
        let mut room = WriteBuffer::new_initialized(&mut space);
        let done = step(&mut room)?;
        written.extend_from_slice(room.written());
        if done {
            return Ok(written.into());
        }
    }
}

/// Low, since pages are compressed on each request and the demo should feel quick.
const BROTLI_QUALITY: i32 = 3;
const ZSTD_LEVEL: i32 = 1;
/// Bytes that an encoder may write in one step.
const SPACE: usize = 8 * 1024;
