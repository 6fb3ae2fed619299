//! A deflated stream in which something is laid in, up to where nothing refers to what stands before it.

use bytes::{Buf, Bytes, BytesMut};

use super::Stop;
use super::bits::{BitWriter, Bits};
use super::block::{
    Block, Coded, Match, Token, WINDOW, write_block, write_padding, write_stored, write_stream_end,
};

/// What is laid in, and in front of which byte of the page.
#[derive(Clone, Debug)]
pub(super) struct Insertion {
    pub(super) at: usize,
    pub(super) text: Bytes,
}

/// Reads tokens, and writes them as they are, but for those that reach across the insertion: they stand further from
/// what they repeat now.
pub(super) struct Walk {
    insertion: Insertion,
    /// The deflated bytes, from the first of which something is not written yet.
    packed: BytesMut,
    /// The bit at which the next token begins.
    at: usize,
    /// Up to this bit all is written.
    copied: usize,
    block: Option<Block>,
    /// How much of the page stands before `at`.
    position: usize,
    is_laid_in: bool,
    out: BitWriter,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Walking,
    /// What follows refers to nothing before the insertion.
    Past,
    /// The stream has ended.
    Ended,
}

impl Walk {
    /// `begin` stands in front of the stream.
    pub(super) fn new(insertion: Insertion, begin: &[u8]) -> Self {
        let mut out = BitWriter::default();
        out.bytes(begin);
        Self {
            insertion,
            packed: BytesMut::new(),
            at: 0,
            copied: 0,
            block: None,
            position: 0,
            is_laid_in: false,
            out,
            state: State::Walking,
        }
    }

    /// Where in the page nothing can refer to what stands before the insertion any more.
    pub(super) fn end_of_zone(insertion: &Insertion) -> usize {
        insertion.at.saturating_add(WINDOW)
    }

    /// Reads on; `plain` is the page from its beginning, as far as it was inflated.
    pub(super) fn read(&mut self, packed: &[u8], plain: &[u8]) -> Result<State, Stop> {
        self.packed.extend_from_slice(packed);
        let walked = loop {
            if self.state != State::Walking {
                break Ok(self.state);
            }
            let stepped = match self.block.take() {
                None => self.open(),
                Some(Block::Stored { left, is_last }) => self.pass_stored(left, is_last),
                Some(Block::Coded(coded)) => self.pass_coded(coded, plain),
            };
            match stepped {
                Ok(()) => {}
                Err(Stop::Short) => break Ok(self.state),
                Err(Stop::Broken) => break Err(Stop::Broken),
            }
        };
        self.copy_up_to(self.at);
        self.forget();
        walked
    }

    /// What is written by now.
    pub(super) fn take(&mut self) -> BytesMut {
        self.out.take()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// What came behind the zone, and goes on as it is; behind the end of the stream, nothing does.
    pub(super) fn into_rest(mut self) -> (BytesMut, BytesMut) {
        if self.state == State::Ended {
            self.out.align();
            return (self.out.take(), BytesMut::new());
        }
        (self.out.take(), self.packed)
    }

    fn copy_up_to(&mut self, bit: usize) {
        self.out.copy(&self.packed, self.copied, bit);
        self.copied = bit;
    }

    /// Leaves away the bytes that are written.
    fn forget(&mut self) {
        let bytes = (self.copied / 8).min(self.packed.len());
        self.packed.advance(bytes);
        self.copied -= bytes * 8;
        self.at -= bytes * 8;
    }

    /// Between two blocks.
    fn open(&mut self) -> Result<(), Stop> {
        if self.is_due() {
            self.copy_up_to(self.at);
            write_block(&self.insertion.text, &mut self.out);
            self.is_laid_in = true;
        }
        if self.is_past() {
            self.leave(None)?;
            return Ok(());
        }
        let mut bits = Bits::new(&self.packed, self.at);
        let block = Block::read(&mut bits, &self.packed)?;
        let (start, end) = (self.at, bits.at);
        self.copy_up_to(start);
        match &block {
            Block::Stored { .. } => self.copied = end,
            // More may have to follow: the stream is ended behind it.
            Block::Coded(coded) if coded.is_last => {
                self.out.put(0, 1);
                self.copied = start + 1;
            }
            Block::Coded(_) => {}
        }
        self.at = end;
        if let Block::Stored { left: 0, .. } = &block {
            write_stored(&[], &mut self.out);
        }
        self.block = Some(block);
        Ok(())
    }

    fn is_due(&self) -> bool {
        !self.is_laid_in && self.position == self.insertion.at
    }

    fn is_past(&self) -> bool {
        self.is_laid_in && self.position >= Self::end_of_zone(&self.insertion)
    }

    /// Bytes of the page as they are, as many as came.
    fn pass_stored(&mut self, left: usize, is_last: bool) -> Result<(), Stop> {
        if left == 0 {
            self.end_block(is_last);
            return Ok(());
        }
        if self.is_due() {
            write_block(&self.insertion.text, &mut self.out);
            self.is_laid_in = true;
        }
        let until_due = match self.is_laid_in {
            true => left,
            false => left.min(self.insertion.at - self.position),
        };
        let rest = &self.packed[self.at / 8..];
        let bytes = &rest[..rest.len().min(until_due)];
        let count = bytes.len();
        if count > 0 {
            write_stored(bytes, &mut self.out);
        }
        self.position += count;
        self.at += count * 8;
        self.copied = self.at;
        let left = left - count;
        self.block = Some(Block::Stored { left, is_last });
        match count {
            0 => Err(Stop::Short),
            _ => Ok(()),
        }
    }

    fn pass_coded(&mut self, coded: Box<Coded>, plain: &[u8]) -> Result<(), Stop> {
        match self.pass_tokens(&coded, plain) {
            Ok(true) => {
                self.end_block(coded.is_last);
                Ok(())
            }
            Ok(false) => self.leave(Some(&coded)),
            Err(stop) => {
                self.block = Some(Block::Coded(coded));
                Err(stop)
            }
        }
    }

    /// Up to the end of the block, or of the zone: `false`.
    fn pass_tokens(&mut self, coded: &Coded, plain: &[u8]) -> Result<bool, Stop> {
        while !self.is_past() {
            if self.is_due() {
                self.copy_up_to(self.at);
                coded.write_literals(&self.insertion.text, &mut self.out);
                self.is_laid_in = true;
            }
            let (token, bits) = coded.read(&Bits::new(&self.packed, self.at))?;
            match token {
                Token::Literal => self.position += 1,
                Token::Match(repeated) => {
                    if self.reaches_across(repeated) {
                        self.write_anew(coded, plain, repeated)?;
                        self.copied = self.at + bits;
                    }
                    self.position += repeated.length;
                }
                Token::BlockEnd => {
                    self.at += bits;
                    return Ok(true);
                }
            }
            self.at += bits;
        }
        Ok(false)
    }

    /// Whether the insertion stands within what is repeated, or between it and where it is repeated.
    #[inline]
    fn reaches_across(&self, repeated: Match) -> bool {
        match self.is_laid_in {
            true => self.position - self.insertion.at < repeated.distance,
            false => self.insertion.at - self.position < repeated.length,
        }
    }

    /// What is repeated stands further back now, where it is not torn apart.
    fn write_anew(&mut self, coded: &Coded, plain: &[u8], repeated: Match) -> Result<(), Stop> {
        let (start, end) = (self.position, self.position + repeated.length);
        let bytes = plain.get(start..end).ok_or(Stop::Short)?;
        let source = start.checked_sub(repeated.distance).ok_or(Stop::Broken)?;
        self.copy_up_to(self.at);
        if !self.is_laid_in {
            let (before, behind) = bytes.split_at(self.insertion.at - start);
            coded.write_literals(before, &mut self.out);
            coded.write_literals(&self.insertion.text, &mut self.out);
            coded.write_literals(behind, &mut self.out);
            self.is_laid_in = true;
            return Ok(());
        }
        let distance = repeated.distance + self.insertion.text.len();
        let is_in_one_piece = source + repeated.length <= self.insertion.at;
        if is_in_one_piece && coded.has_distance(distance) {
            self.copy_up_to(self.at + repeated.length_bits);
            coded.write_distance(distance, &mut self.out);
        } else {
            coded.write_literals(bytes, &mut self.out);
        }
        Ok(())
    }

    fn end_block(&mut self, is_last: bool) {
        self.block = None;
        if is_last {
            self.copy_up_to(self.at);
            if self.is_due() {
                write_block(&self.insertion.text, &mut self.out);
                self.is_laid_in = true;
            }
            write_stream_end(&mut self.out);
            self.state = State::Ended;
        }
    }

    /// From here on the stream goes on as it is, in whole bytes: so it must stand at the same bit of a byte.
    fn leave(&mut self, coded: Option<&Coded>) -> Result<(), Stop> {
        self.copy_up_to(self.at);
        let phase = self.at % 8;
        match coded {
            Some(coded) if coded.is_last || self.out.phase() != phase => {
                coded.write_end(&mut self.out);
                let by = 16 + phase - self.out.phase() - coded.beginning() % 8;
                write_padding(by, &mut self.out);
                coded.write_head(coded.is_last, &mut self.out);
            }
            Some(_) => {}
            None => write_padding(8 + phase - self.out.phase(), &mut self.out),
        }
        if self.out.phase() != phase {
            return Err(Stop::Broken);
        }
        self.copy_up_to(self.at.next_multiple_of(8));
        self.at = self.copied;
        self.state = State::Past;
        Ok(())
    }
}
