//! Gzip bodies: raw bytes behind a head, streams of our own making, what packers write, and all of that broken.

use std::io::{Read, Write};

use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc, Decompress, FlushDecompress, Status};

use super::choices::Choices;
use super::stream::stream;

pub(super) struct Body {
    pub(super) packed: Vec<u8>,
    /// What others read in it; `None` if it is broken, or ends early.
    pub(super) plain: Option<Vec<u8>>,
}

/// A page that is larger says no more.
const PLAIN_MAX: u64 = 1 << 18;

impl Body {
    pub(super) fn chosen(choices: &mut Choices<'_>, at: usize) -> Self {
        let (kind, damage, amount) = (choices.byte(), choices.byte(), choices.byte());
        let mut packed = match kind % 4 {
            0 => sealed(kind, choices.rest()),
            1 => by_packer(choices),
            _ => {
                let made = stream(choices, at);
                let sealed = sealed(kind, &made.packed);
                assert!(
                    read(&sealed) == Some(made.plain),
                    "a stream as it should be"
                );
                sealed
            }
        };
        let place = usize::from(amount) * packed.len() / 256;
        match damage {
            0..16 => packed.truncate(packed.len() - place.min(packed.len())),
            16..24 => packed.truncate(packed.len().saturating_sub(amount.into())),
            24..32 => packed[place] ^= 1 << (damage & 7),
            32..40 => packed.extend_from_within(..place),
            40..48 => packed.extend_from_slice(&[damage, 0x1f, 0x8b]),
            _ => {}
        }
        let plain = read(&packed);
        Self { packed, plain }
    }
}

/// The first page of a body, as zlib reads it; what follows it is nobody's concern.
pub(super) fn read(packed: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut reader = GzDecoder::new(packed).take(PLAIN_MAX);
    (reader.read_to_end(&mut plain).is_ok() && (plain.len() as u64) < PLAIN_MAX).then_some(plain)
}

/// A deflated stream, with head and trailer.
fn sealed(kind: u8, deflated: &[u8]) -> Vec<u8> {
    let mut body = head(kind >> 5);
    let (plain, length) = inflated(deflated);
    let mut crc = Crc::new();
    crc.update(&plain);
    body.extend_from_slice(&deflated[..length]);
    body.extend_from_slice(&crc.sum().to_le_bytes());
    body.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    body.extend_from_slice(&deflated[length..]);
    body
}

/// RFC 1952 2.3.
fn head(kind: u8) -> Vec<u8> {
    let (flags, behind): (u8, &[u8]) = match kind {
        0 => (8, b"page.html\0"),
        1 => (4, b"\x04\0\x1f\x8b\x08\0"),
        2 => (4 + 8 + 16, b"\0\0\0\0"),
        3 => (1, b""),
        _ => (0, b""),
    };
    [&[0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3], behind].concat()
}

/// As far as it can be read, and how much of it was.
fn inflated(deflated: &[u8]) -> (Vec<u8>, usize) {
    let mut machine = Decompress::new(false);
    let mut plain = Vec::with_capacity(PLAIN_MAX as usize);
    match machine.decompress_vec(deflated, &mut plain, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) => (plain, machine.total_in() as usize),
        _ => (plain, deflated.len()),
    }
}

/// With the packer's own blocks.
fn by_packer(choices: &mut Choices<'_>) -> Vec<u8> {
    let level = Compression::new(choices.below(10) as u32);
    let mut packer = GzEncoder::new(Vec::new(), level);
    let mut total = 0;
    while !choices.are_made() && total < PLAIN_MAX as usize / 2 {
        let (length, from, to) = (1 + choices.number() % 9_000, choices.byte(), choices.byte());
        let (mut state, colours) = (u32::from(from), u32::from(to % 64) + 1);
        let text = (0..length).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b' ' + (state >> 16).wrapping_rem(colours) as u8
        });
        let text: Vec<u8> = text.collect();
        total += length;
        packer.write_all(&text).expect("room");
        if to & 64 == 64 {
            packer.flush().expect("room");
        }
    }
    packer.finish().expect("a body")
}
