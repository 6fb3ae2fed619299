//! Blocks of a deflated stream and what stands in them (RFC 1951 3.2.3 to 3.2.7).

use std::sync::LazyLock;

use super::Stop;
use super::bits::{BitWriter, Bits};
use super::code::{Code, SYMBOLS_MAX};

pub(super) enum Block {
    /// Bytes as they are; so many are to come.
    Stored {
        left: usize,
        is_last: bool,
    },
    Coded(Box<Coded>),
}

/// A block in Huffman codes.
pub(super) struct Coded {
    pub(super) is_last: bool,
    literals: Code,
    distances: Code,
    /// What stands in front of the tokens, without the bit that says whether the block is the last.
    head: Vec<u8>,
    head_bits: usize,
}

/// What stands for bytes of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Literal,
    Match(Match),
    BlockEnd,
}

/// Bytes that stood `distance` before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) length: usize,
    pub(super) distance: usize,
    /// How many bits say the length.
    pub(super) length_bits: usize,
}

const BLOCK_END: usize = 256;

/// Codes and extra bits of a token are no more.
const TOKEN_BITS_MAX: usize = 48;

/// How far back a match may reach.
pub(super) const WINDOW: usize = 32 * 1024;

/// Base and extra bits of the lengths (RFC 1951 3.2.5).
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

const DISTANCES: [(u16, u8); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];

/// In which order the lengths of the codes for lengths come.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

impl Block {
    /// Reads a block's head.
    pub(super) fn read(bits: &mut Bits<'_>, bytes: &[u8]) -> Result<Self, Stop> {
        let is_last = bits.take(1)? == 1;
        let start = bits.at;
        let (literals, distances) = match bits.take(2)? {
            0 => return Self::stored(bits, is_last),
            1 => FIXED.clone()?,
            2 => dynamic(bits)?,
            _ => return Err(Stop::Broken),
        };
        let mut head = BitWriter::default();
        head.copy(bytes, start, bits.at);
        head.align();
        Ok(Self::Coded(Box::new(Coded {
            is_last,
            literals,
            distances,
            head: head.take().into(),
            head_bits: bits.at - start,
        })))
    }

    fn stored(bits: &mut Bits<'_>, is_last: bool) -> Result<Self, Stop> {
        bits.align();
        let (left, check) = (bits.take(16)?, bits.take(16)?);
        match left ^ check {
            0xffff => Ok(Self::Stored { left, is_last }),
            _ => Err(Stop::Broken),
        }
    }
}

/// Made once: a block may be as short as its end, and a body all such blocks.
static FIXED: LazyLock<Result<(Code, Code), Stop>> = LazyLock::new(|| {
    let mut lengths = [8; SYMBOLS_MAX];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    Ok((Code::new(&lengths)?, Code::new(&[5; 32])?))
});

fn dynamic(bits: &mut Bits<'_>) -> Result<(Code, Code), Stop> {
    let literals = bits.take(5)? + 257;
    let distances = bits.take(5)? + 1;
    let mut of_lengths = [0; ORDER.len()];
    let named = bits.take(4)? + 4;
    for place in &ORDER[..named] {
        of_lengths[*place] = bits.take(3)? as u8;
    }
    let lengths = lengths(bits, &Code::new(&of_lengths)?, literals + distances)?;
    let (of_literals, of_distances) = lengths.split_at(literals);
    if of_literals[BLOCK_END] == 0 {
        return Err(Stop::Broken);
    }
    Ok((Code::new(of_literals)?, Code::new(of_distances)?))
}

/// The lengths of codes, many of which are said to be as the one before, or none.
fn lengths(bits: &mut Bits<'_>, code: &Code, count: usize) -> Result<Vec<u8>, Stop> {
    let mut lengths = Vec::with_capacity(count);
    while lengths.len() < count {
        let read = code.read(bits.peek());
        let (symbol, used) = read.ok_or_else(|| short_or_broken(bits))?;
        bits.take(used)?;
        let (length, times) = match symbol {
            16 => (lengths.last().copied(), 3 + bits.take(2)?),
            17 => (Some(0), 3 + bits.take(3)?),
            18 => (Some(0), 11 + bits.take(7)?),
            _ => (Some(symbol as u8), 1),
        };
        let length = length.ok_or(Stop::Broken)?;
        lengths.resize(lengths.len() + times, length);
    }
    match lengths.len() == count {
        true => Ok(lengths),
        false => Err(Stop::Broken),
    }
}

/// What has no meaning may have one with the bits that follow.
fn short_or_broken(bits: &Bits<'_>) -> Stop {
    match bits.left() < TOKEN_BITS_MAX {
        true => Stop::Short,
        false => Stop::Broken,
    }
}

impl Coded {
    /// The next token, and how many bits it takes.
    #[inline]
    pub(super) fn read(&self, bits: &Bits<'_>) -> Result<(Token, usize), Stop> {
        let read = self.token(bits.peek());
        let (token, used) = read.ok_or_else(|| short_or_broken(bits))?;
        match used <= bits.left() {
            true => Ok((token, used)),
            false => Err(Stop::Short),
        }
    }

    #[inline]
    fn token(&self, mut word: u64) -> Option<(Token, usize)> {
        let (symbol, used) = self.literals.read(word)?;
        if symbol < BLOCK_END {
            return Some((Token::Literal, used));
        }
        if symbol == BLOCK_END {
            return Some((Token::BlockEnd, used));
        }
        word >>= used;
        let (base, extra) = *LENGTHS.get(symbol - BLOCK_END - 1)?;
        let length = usize::from(base) + low(word, extra);
        let length_bits = used + usize::from(extra);
        word >>= extra;
        let (symbol, used) = self.distances.read(word)?;
        let (base, extra) = *DISTANCES.get(symbol)?;
        let distance = usize::from(base) + low(word >> used, extra);
        let token = Token::Match(Match {
            length,
            distance,
            length_bits,
        });
        Some((token, length_bits + used + usize::from(extra)))
    }

    /// Whether this block has a code for a distance.
    pub(super) fn has_distance(&self, distance: usize) -> bool {
        distance <= WINDOW && self.distances.has(distance_symbol(distance))
    }

    /// Writes a distance for which there is a code.
    pub(super) fn write_distance(&self, distance: usize, out: &mut BitWriter) {
        let symbol = distance_symbol(distance);
        let (base, extra) = DISTANCES[symbol];
        self.distances.write(symbol, out);
        out.put((distance - usize::from(base)) as u64, extra.into());
    }

    /// Writes bytes as they are: in this block's codes, or where it lacks one, in a block between two halves
    /// of this one.
    pub(super) fn write_literals(&self, bytes: &[u8], out: &mut BitWriter) {
        let symbols = bytes.iter().map(|byte| usize::from(*byte));
        if symbols.clone().all(|symbol| self.literals.has(symbol)) {
            symbols.for_each(|symbol| self.literals.write(symbol, out));
            return;
        }
        self.write_end(out);
        write_block(bytes, out);
        self.write_head(false, out);
    }

    pub(super) fn write_end(&self, out: &mut BitWriter) {
        self.literals.write(BLOCK_END, out);
    }

    /// Begins the block anew.
    pub(super) fn write_head(&self, is_last: bool, out: &mut BitWriter) {
        out.put(is_last.into(), 1);
        out.copy(&self.head, 0, self.head_bits);
    }

    /// How many bits such a beginning takes.
    pub(super) fn beginning(&self) -> usize {
        1 + self.head_bits
    }
}

/// The symbol of a distance, which is 1 or more.
fn distance_symbol(distance: usize) -> usize {
    let further = DISTANCES.partition_point(|(base, _)| usize::from(*base) <= distance);
    further.saturating_sub(1)
}

fn low(word: u64, bits: u8) -> usize {
    (word & ((1 << bits) - 1)) as usize
}

/// Writes bytes in a block of their own, with the codes that need no table.
pub(super) fn write_block(bytes: &[u8], out: &mut BitWriter) {
    out.put(0b010, 3);
    for byte in bytes {
        let (code, length) = match byte {
            0..144 => (0x30 + u16::from(*byte), 8),
            144.. => (0x190 + u16::from(byte - 144), 9),
        };
        out.put((code.reverse_bits() >> (16 - length)).into(), length);
    }
    out.put(0, 7);
}

/// Ends the stream, with a last block of nothing.
pub(super) fn write_stream_end(out: &mut BitWriter) {
    out.put(0b011, 10);
}

/// Writes bytes that are not coded at all; 65,535 at most.
pub(super) fn write_stored(bytes: &[u8], out: &mut BitWriter) {
    out.put(0, 3);
    out.align();
    out.put(bytes.len() as u64, 16);
    out.put(!(bytes.len() as u64) & 0xffff, 16);
    out.bytes(bytes);
}

/// Blocks of nothing that move what follows by so many bits of a byte.
pub(super) fn write_padding(by: usize, out: &mut BitWriter) {
    let mut by = by % 8;
    if by % 2 == 1 {
        write_odd_block(out);
        by = (by + 8 - ODD_BLOCK_BITS % 8) % 8;
    }
    // Each takes 10 bits.
    (0..by / 2).for_each(|_| write_block(&[], out));
}

const ODD_BLOCK_BITS: usize = 91;

/// A block of nothing with a table: of 257 literals and lengths, the last two have codes of one bit, as has the one
/// distance. These lengths are said by two codes of one bit: 18, so many times none, and 1.
fn write_odd_block(out: &mut BitWriter) {
    out.put(0b100, 3);
    out.put(0, 10);
    out.put(14, 4);
    for symbol in &ORDER[..18] {
        out.put(u64::from([1, 18].contains(symbol)), 3);
    }
    for none in [138_u64, 117] {
        out.put(1, 1);
        out.put(none - 11, 7);
    }
    out.put(0, 3);
    // The end of the block is the second of the two.
    out.put(1, 1);
}
