//! An insertion into a gzip body that is not packed anew: behind it the origin's own bytes go on.
//!
//! What is deflated repeats what stands up to 32 KiB before it, and says how far. So up to there each token is read,
//! and one that reaches across the insertion is written anew; what follows is not looked at. The body is
//! inflated beside it all the same: whoever finds the place needs it, and what is broken is to be noticed.

mod bits;
mod block;
mod code;
mod walk;

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use flate2::Crc;

use self::walk::{Insertion, State, Walk};
use super::CodecError;

/// Why a stream is not read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// It goes on in bytes that have not come yet.
    Short,
    /// This is no deflated stream.
    Broken,
}

/// Lays what was inserted into a page into the gzip body that it came in.
pub struct Splicer {
    stage: Stage,
    /// How much of the packed body was taken, and how much of that is its head.
    taken: u64,
    head: usize,
    begin: [u8; HEAD],
    /// Of the page as it goes on.
    crc: Crc,
    length: u32,
}

enum Stage {
    /// What was inserted is not known yet.
    Looking {
        plain: Vec<u8>,
        page: Vec<u8>,
        packed: BytesMut,
    },
    Walking {
        walk: Box<Walk>,
        /// The page from its beginning, as far as it may be repeated.
        plain: Vec<u8>,
        plain_max: usize,
    },
    /// The last bytes, which may be the trailer.
    Passing(BytesMut),
    /// The stream has ended; what may follow is the trailer.
    Ended,
}

/// How far a page is read in search of an insertion, and how much of it is held packed.
const LOOKING_MAX: usize = 64 * 1024;

/// RFC 1952 2.3.
const HEAD: usize = 10;
const FLAGS: usize = 3;
const TRAILER: usize = 8;

/// What stands at the end of a flush (RFC 1951 3.2.4: a stored block of nothing).
const FLUSHED: [u8; 4] = [0, 0, 0xff, 0xff];

/// The longest match.
const MATCH_MAX: usize = 258;

impl Splicer {
    /// `start` are the first bytes of a gzip body; `None` if they are not such that it is worth a try.
    pub fn new(start: &[u8]) -> Option<Self> {
        Some(Self {
            stage: Stage::Looking {
                plain: Vec::new(),
                page: Vec::new(),
                packed: BytesMut::new(),
            },
            taken: 0,
            head: head_length(start)?,
            begin: *start.first_chunk()?,
            crc: Crc::new(),
            length: 0,
        })
    }

    /// Whether the insertion is not known yet.
    pub fn is_looking(&self) -> bool {
        matches!(self.stage, Stage::Looking { .. })
    }

    /// Whether the insertion should be known by now, by what is held for it.
    pub fn has_looked_enough(&self) -> bool {
        match &self.stage {
            // Blocks of nothing make no page.
            Stage::Looking { plain, packed, .. } => plain.len().max(packed.len()) > LOOKING_MAX,
            Stage::Walking { .. } | Stage::Passing(_) | Stage::Ended => false,
        }
    }

    /// A piece of the page as it was read, and what goes on instead, now or later. `false` if the insertion
    /// should be known by now.
    pub fn note(&mut self, read: &[u8], written: &[u8]) -> bool {
        self.crc.update(written);
        self.length = self.length.wrapping_add(written.len() as u32);
        match &mut self.stage {
            Stage::Looking { plain, page, .. } => {
                plain.extend_from_slice(read);
                page.extend_from_slice(written);
                !self.has_looked_enough()
            }
            Stage::Walking {
                plain, plain_max, ..
            } => {
                let room = plain_max.saturating_sub(plain.len());
                plain.extend_from_slice(&read[..read.len().min(room)]);
                true
            }
            Stage::Passing(_) | Stage::Ended => true,
        }
    }

    /// All that is still to come of the page goes on as it is. `false` if more than one insertion was made, or the
    /// stream cannot be followed: then the page is to be packed anew.
    pub fn settle(&mut self) -> bool {
        let Stage::Looking {
            plain,
            page,
            packed,
        } = &mut self.stage
        else {
            return true;
        };
        let Some(insertion) = insertion(plain, page) else {
            return false;
        };
        let plain_max = Walk::end_of_zone(&insertion).saturating_add(MATCH_MAX);
        let mut begin = self.begin;
        // What the head may say beside is left away.
        begin[FLAGS] = 0;
        let mut walk = Box::new(Walk::new(insertion, &begin));
        if walk.read(packed, plain).is_err() {
            return false;
        }
        let plain = std::mem::take(plain);
        self.stage = Stage::Walking {
            walk,
            plain,
            plain_max,
        };
        true
    }

    /// What was to be written so far, for somebody who packs it.
    pub fn give_up(self) -> Vec<u8> {
        match self.stage {
            Stage::Looking { page, .. } => page,
            Stage::Walking { .. } | Stage::Passing(_) | Stage::Ended => Vec::new(),
        }
    }

    /// How much of the packed body was taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Takes the packed bytes of which all that was noted is made; returns what can be sent.
    pub fn splice(&mut self, packed: &[u8]) -> Result<Bytes, CodecError> {
        let head = usize::try_from(self.taken).map_or(0, |taken| self.head.saturating_sub(taken));
        self.taken += packed.len() as u64;
        let packed = packed.get(head..).unwrap_or_default();
        let out = match &mut self.stage {
            Stage::Looking { packed: all, .. } => {
                all.extend_from_slice(packed);
                BytesMut::new()
            }
            Stage::Ended => BytesMut::new(),
            Stage::Passing(last) => pass(last, packed),
            Stage::Walking { walk, plain, .. } => match walk.read(packed, plain) {
                Err(_) => return Err(broken()),
                Ok(State::Walking) => walk.take(),
                Ok(_) => self.end_walk(),
            },
        };
        Ok(out.freeze())
    }

    fn end_walk(&mut self) -> BytesMut {
        let Stage::Walking { walk, .. } = std::mem::replace(&mut self.stage, Stage::Ended) else {
            return BytesMut::new();
        };
        let has_ended = walk.has_ended();
        let (mut out, mut rest) = walk.into_rest();
        if !has_ended {
            out.unsplit(pass(&mut rest, &[]));
            self.stage = Stage::Passing(rest);
        }
        out
    }

    /// The origin pauses: what it has flushed goes on to its last byte. Where it did not flush, the last eight bytes
    /// stay, since they may be the trailer: nobody could read them to their end without what follows.
    pub fn flush(&mut self) -> Bytes {
        match &mut self.stage {
            Stage::Passing(last) if last.ends_with(&FLUSHED) => last.split().freeze(),
            _ => Bytes::new(),
        }
    }

    /// The body has ended well, and all of it was taken: what follows.
    pub fn finish(self) -> Result<[u8; TRAILER], CodecError> {
        let is_whole = match &self.stage {
            Stage::Looking { .. } | Stage::Walking { .. } => false,
            Stage::Passing(last) => last.len() == TRAILER,
            Stage::Ended => true,
        };
        if !is_whole {
            return Err(broken());
        }
        let mut trailer = [0; TRAILER];
        let (crc, length) = trailer.split_at_mut(4);
        crc.copy_from_slice(&self.crc.sum().to_le_bytes());
        length.copy_from_slice(&self.length.to_le_bytes());
        Ok(trailer)
    }
}

impl std::fmt::Debug for Splicer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Splicer")
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

fn broken() -> CodecError {
    CodecError::Malformed(io::Error::other("the deflated stream cannot be followed"))
}

/// All but the last bytes, which are kept.
fn pass(last: &mut BytesMut, packed: &[u8]) -> BytesMut {
    last.extend_from_slice(packed);
    last.split_to(last.len().saturating_sub(TRAILER))
}

/// The one insertion that makes the one of the other.
fn insertion(plain: &[u8], page: &[u8]) -> Option<Insertion> {
    let inserted = page.len().checked_sub(plain.len())?;
    let same = plain
        .iter()
        .zip(page)
        .take_while(|(one, other)| one == other);
    let at = same.count();
    let (text, rest) = page[at..].split_at_checked(inserted)?;
    (rest == &plain[at..]).then(|| Insertion {
        at,
        text: Bytes::copy_from_slice(text),
    })
}

/// How long the head of a gzip body is, if its beginning holds it and it has nothing unusual.
fn head_length(start: &[u8]) -> Option<usize> {
    let [0x1f, 0x8b, 8, flags, ..] = *start else {
        return None;
    };
    let mut rest = start.get(HEAD..)?;
    if flags & ODD_FLAGS != 0 {
        return None;
    }
    if flags & EXTRA != 0 {
        let length = u16::from_le_bytes(*rest.first_chunk()?);
        rest = rest.get(2 + usize::from(length)..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest.advance(end + 1);
        }
    }
    Some(start.len() - rest.len())
}

/// RFC 1952 2.3.1.
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
/// A checksum of the head, and what is not known.
const ODD_FLAGS: u8 = 0b1110_0010;

#[cfg(test)]
mod tests;
