//! What an insertion into a gzip body must come to, whatever the body: other readers than the edge's read the page
//! with what was inserted; and what they do not read to its end is not made to look whole.

#![allow(
    clippy::expect_used,
    reason = "all of this is tests, though clippy takes only what is marked as one for it"
)]

mod body;
mod choices;
mod stream;

use bytes::Bytes;
use cobrowse_edge::wire::{Coding, Decoder, Splicer};

use self::body::{Body, read};
use self::choices::Choices;

/// Something goes into a page that comes packed.
struct Case {
    body: Body,
    at: usize,
    text: Vec<u8>,
    /// How much comes at once.
    chunk: usize,
    /// Whether what was read goes on only once the place is known.
    holds: bool,
    flushes: bool,
}

enum Outcome {
    Spliced(Vec<u8>),
    Broken,
    /// It is packed anew.
    Untried,
}

/// `input` says what is packed, and how.
pub(crate) fn check(input: &[u8]) {
    let case = Case::chosen(&mut Choices::new(input));
    match (case.splice(), &case.body.plain) {
        (Outcome::Spliced(out), Some(plain)) => {
            let expected = [&plain[..case.at], &case.text, &plain[case.at..]].concat();
            assert!(read(&out).as_ref() == Some(&expected), "another page");
            let mut room = vec![0; expected.len()];
            let mut reader = libdeflater::Decompressor::new();
            let length = reader.gzip_decompress(&out, &mut room);
            let is_same = length == Ok(expected.len()) && room == expected;
            assert!(is_same, "another page to others");
        }
        // Of what is broken the edge may read more than others do; it does not mend it.
        (Outcome::Spliced(out), None) => assert!(read(&out).is_none(), "it looks whole"),
        (Outcome::Broken, Some(_)) => panic!("a page is lost"),
        (Outcome::Broken, None) | (Outcome::Untried, _) => {}
    }
}

impl Case {
    fn chosen(choices: &mut Choices<'_>) -> Self {
        let how = choices.byte();
        let wanted = match how & 3 {
            0 => 0,
            1 => choices.below(64),
            2 => choices.number() % 2_000,
            _ => choices.number() % 50_000,
        };
        let chunk = choices.byte();
        let text = text(choices);
        let body = Body::chosen(choices, wanted);
        let length = body.plain.as_ref().map_or(wanted, Vec::len);
        Self {
            at: wanted.min(length),
            text,
            chunk: match chunk {
                0..128 => body.packed.len().max(1),
                128.. => usize::from(chunk - 127) * usize::from(chunk - 127),
            },
            body,
            holds: how & 4 == 4,
            flushes: how & 8 == 8,
        }
    }

    /// As the body of a page does it.
    fn splice(&self) -> Outcome {
        let packed = &self.body.packed;
        let (start, rest) = packed.split_at(packed.len().min(self.chunk.max(START)));
        let Some(mut splicer) = Splicer::new(start) else {
            return Outcome::Untried;
        };
        let mut decoder = Decoder::new(Coding::Gzip).expect("a decoder");
        let mut page = Page::default();
        let mut out = Vec::new();
        for chunk in std::iter::once(start).chain(rest.chunks(self.chunk)) {
            let mut input = Bytes::copy_from_slice(chunk);
            loop {
                match decoder.decode(&mut input) {
                    Err(_) => return Outcome::Broken,
                    Ok(piece) if piece.is_empty() => break,
                    Ok(piece) => match self.note(&mut splicer, &mut page, &piece) {
                        Some(true) => {}
                        Some(false) => return Outcome::Untried,
                        None => return Outcome::Broken,
                    },
                }
            }
            let read = (decoder.total_in() - splicer.taken()) as usize;
            match splicer.splice(&chunk[..read.min(chunk.len())]) {
                Err(_) => return Outcome::Broken,
                Ok(sent) => out.extend_from_slice(&sent),
            }
            if self.flushes {
                out.extend_from_slice(&splicer.flush());
            }
        }
        if decoder.finish().is_err() {
            return Outcome::Broken;
        }
        if splicer.is_looking() {
            return Outcome::Untried;
        }
        let Ok(trailer) = splicer.finish() else {
            return Outcome::Broken;
        };
        out.extend_from_slice(&trailer);
        Outcome::Spliced(out)
    }

    /// `None` if it cannot go on, `false` if the page is packed anew.
    fn note(&self, splicer: &mut Splicer, page: &mut Page, piece: &[u8]) -> Option<bool> {
        for piece in piece.chunks(PIECE) {
            page.read += piece.len();
            let end = page.read;
            if !splicer.is_looking() {
                splicer.note(piece, piece);
                continue;
            }
            page.held.extend_from_slice(piece);
            let falls_here = end >= self.at;
            if falls_here {
                let at = self.at - (end - page.held.len());
                page.held.splice(at..at, self.text.iter().copied());
            }
            let written = match falls_here || !self.holds {
                true => std::mem::take(&mut page.held),
                false => Vec::new(),
            };
            if !splicer.note(piece, &written) {
                return Some(false);
            }
            if falls_here {
                let is_settled = splicer.settle();
                assert!(is_settled, "one insertion is what it takes");
            }
        }
        Some(true)
    }
}

/// What became of it so far.
#[derive(Default)]
struct Page {
    read: usize,
    held: Vec<u8>,
}

const PIECE: usize = 4096;

/// What comes first holds the whole head, or nothing is tried.
const START: usize = 20;

/// What is inserted: as long as tags are, longer than a window, nothing, and with bytes that few blocks have codes
/// for.
fn text(choices: &mut Choices<'_>) -> Vec<u8> {
    let length = [0, 1, 30, 90, 400, 3_000, 32_768, 40_000][choices.below(8)];
    let (first, step) = (choices.byte(), choices.byte() & 3);
    let bytes = (0..length).map(|n: usize| first.wrapping_add((n as u8).wrapping_mul(step)));
    bytes.collect()
}
