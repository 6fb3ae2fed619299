//! Bits of a deflated stream, the lowest of each byte first (RFC 1951 3.1.1).

use bytes::{BufMut, BytesMut};

use super::Stop;

/// Bits that are read, from `at` on.
#[derive(Clone, Copy)]
pub(super) struct Bits<'b> {
    bytes: &'b [u8],
    pub(super) at: usize,
}

impl<'b> Bits<'b> {
    pub(super) fn new(bytes: &'b [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub(super) fn left(&self) -> usize {
        (self.bytes.len() * 8).saturating_sub(self.at)
    }

    /// The next 57 bits and more; zeros stand for those that are not there.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        let rest = self.bytes.get(self.at / 8..).unwrap_or_default();
        let word = match rest.first_chunk() {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => (rest.iter().rev()).fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        word >> (self.at % 8)
    }

    /// The next bits as a number; 32 at most.
    pub(super) fn take(&mut self, count: usize) -> Result<usize, Stop> {
        if self.left() < count {
            return Err(Stop::Short);
        }
        let taken = self.peek() & ((1 << count) - 1);
        self.at += count;
        usize::try_from(taken).map_err(|_| Stop::Broken)
    }

    /// Goes on at the next byte.
    pub(super) fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

/// Bits that are written.
#[derive(Default)]
pub(super) struct BitWriter {
    out: BytesMut,
    /// The bits behind those in `out`; fewer than 32.
    word: u64,
    filled: usize,
}

impl BitWriter {
    /// Writes the lowest bits of `bits`, 32 at most; the others are 0.
    #[inline]
    pub(super) fn put(&mut self, bits: u64, count: usize) {
        self.word |= bits << self.filled;
        self.filled += count;
        if self.filled >= 32 {
            self.out.put_u32_le((self.word & 0xffff_ffff) as u32);
            self.word >>= 32;
            self.filled -= 32;
        }
    }

    /// Writes the bits of `bytes` from one place to another.
    pub(super) fn copy(&mut self, bytes: &[u8], from: usize, to: usize) {
        let mut bits = Bits::new(bytes, from);
        while bits.at < to {
            let count = (to - bits.at).min(32);
            self.put(bits.peek() & ((1 << count) - 1), count);
            bits.at += count;
        }
    }

    /// How many bits of the last byte are written.
    pub(super) fn phase(&self) -> usize {
        self.filled % 8
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.put(0, (8 - self.phase()) % 8);
    }

    /// Writes whole bytes; stands between two.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.align();
        self.spill();
        self.out.extend_from_slice(bytes);
    }

    /// All whole bytes.
    pub(super) fn take(&mut self) -> BytesMut {
        self.spill();
        self.out.split()
    }

    fn spill(&mut self) {
        while self.filled >= 8 {
            self.out.put_u8((self.word & 0xff) as u8);
            self.word >>= 8;
            self.filled -= 8;
        }
    }
}
