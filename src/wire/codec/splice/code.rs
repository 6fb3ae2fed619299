//! Huffman codes, as RFC 1951 3.2.2 makes them of their lengths.

use super::Stop;
use super::bits::BitWriter;

/// Longer codes are rare, and are looked up bit by bit.
const QUICK_BITS: usize = 10;

/// RFC 1951 3.2.7.
const LENGTH_MAX: usize = 15;

/// Of literals and lengths; the other alphabets are smaller.
pub(super) const SYMBOLS_MAX: usize = 288;

#[derive(Clone)]
pub(super) struct Code {
    /// By the next bits: a symbol, and behind it in four bits the length of its code; 0 for a longer one.
    quick: [u16; 1 << QUICK_BITS],
    /// How many codes there are of each length.
    counts: [u16; LENGTH_MAX + 1],
    /// The symbols by their codes.
    sorted: [u16; SYMBOLS_MAX],
    lengths: [u8; SYMBOLS_MAX],
    /// With the first bit lowest.
    codes: [u16; SYMBOLS_MAX],
}

impl Code {
    pub(super) fn new(lengths: &[u8]) -> Result<Self, Stop> {
        let mut code = Self {
            quick: [0; 1 << QUICK_BITS],
            counts: [0; LENGTH_MAX + 1],
            sorted: [0; SYMBOLS_MAX],
            lengths: [0; SYMBOLS_MAX],
            codes: [0; SYMBOLS_MAX],
        };
        let own = code.lengths.get_mut(..lengths.len()).ok_or(Stop::Broken)?;
        own.copy_from_slice(lengths);
        for length in lengths.iter().filter(|length| **length > 0) {
            code.counts[usize::from(*length) & LENGTH_MAX] += 1;
        }
        let (next, offsets) = code.firsts()?;
        code.assign(next, offsets, lengths.len());
        Ok(code)
    }

    /// The first code of each length, and where its symbol stands among those sorted.
    fn firsts(&self) -> Result<([u16; 16], [u16; 16]), Stop> {
        let (mut next, mut offsets) = ([0_u16; 16], [0_u16; 16]);
        for length in 1..=LENGTH_MAX {
            let before = u32::from(next[length - 1]) + u32::from(self.counts[length - 1]);
            let code = before << 1;
            if code + u32::from(self.counts[length]) > 1 << length {
                return Err(Stop::Broken);
            }
            next[length] = code as u16;
            offsets[length] = offsets[length - 1] + self.counts[length - 1];
        }
        Ok((next, offsets))
    }

    fn assign(&mut self, mut next: [u16; 16], mut offsets: [u16; 16], symbols: usize) {
        for symbol in 0..symbols {
            let length = usize::from(self.lengths[symbol]);
            if length == 0 {
                continue;
            }
            let code = next[length].reverse_bits() >> (16 - length);
            next[length] = next[length].wrapping_add(1);
            self.codes[symbol] = code;
            self.sorted[usize::from(offsets[length])] = symbol as u16;
            offsets[length] += 1;
            let places = self.quick.iter_mut().skip(code.into());
            if length <= QUICK_BITS {
                let entry = (symbol << 4 | length) as u16;
                places.step_by(1 << length).for_each(|place| *place = entry);
            }
        }
    }

    /// The symbol that the next bits stand for, and the length of its code.
    #[inline]
    pub(super) fn read(&self, bits: u64) -> Option<(usize, usize)> {
        let entry = self.quick[(bits & ((1 << QUICK_BITS) - 1)) as usize];
        match entry {
            0 => self.read_slowly(bits),
            _ => Some((usize::from(entry >> 4), usize::from(entry & 15))),
        }
    }

    /// Codes of one length are numbers that follow each other.
    fn read_slowly(&self, mut bits: u64) -> Option<(usize, usize)> {
        let (mut code, mut first, mut index) = (0_usize, 0_usize, 0_usize);
        for length in 1..=LENGTH_MAX {
            code |= (bits & 1) as usize;
            bits >>= 1;
            let count = usize::from(self.counts[length]);
            if code < first + count {
                let symbol = self.sorted.get(index + code - first)?;
                return Some((usize::from(*symbol), length));
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }

    pub(super) fn has(&self, symbol: usize) -> bool {
        self.lengths.get(symbol).is_some_and(|length| *length > 0)
    }

    /// Writes a symbol that has a code.
    pub(super) fn write(&self, symbol: usize, out: &mut BitWriter) {
        out.put(self.codes[symbol].into(), self.lengths[symbol].into());
    }
}
