//! gzip and zlib, written by contexts that are used again: one is hundreds of KB that must be
//! cleared, which takes as long as writing a short page does.

use std::cell::RefCell;
use std::io;

use compression_codecs::EncodeV2;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use flate2::{Compress, Compression, FlushCompress, Status};

/// What a deflated stream is wrapped in, and how much work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    Gzip(u8),
    Zlib(u8),
}

/// Writes one stream.
pub(super) struct Deflater {
    wrapping: Wrapping,
    /// `None` until there is something to write.
    context: Option<Compress>,
    /// Nothing was fed since the last flush.
    is_flushed: bool,
}

/// RFC 1951 knows no larger window.
const WINDOW_BITS: u8 = 15;

/// How many contexts a thread keeps: as many pages as it writes at one time, more or less.
const SPARE_MAX: usize = 4;

thread_local! {
    static SPARE: RefCell<Vec<(Wrapping, Compress)>> = const { RefCell::new(Vec::new()) };
}

impl Deflater {
    pub(super) fn new(wrapping: Wrapping) -> Self {
        Self {
            wrapping,
            context: None,
            is_flushed: true,
        }
    }

    fn step(
        &mut self,
        input: &mut PartialBuffer<&[u8]>,
        output: &mut WriteBuffer<'_>,
        flush: FlushCompress,
    ) -> io::Result<Status> {
        let context = self.context.get_or_insert_with(|| self.wrapping.context());
        let (read, written) = (context.total_in(), context.total_out());
        let room = output.initialize_unwritten();
        let status = context.compress(input.unwritten(), room, flush)?;
        input.advance(usize::try_from(context.total_in() - read).unwrap_or_default());
        output.advance(usize::try_from(context.total_out() - written).unwrap_or_default());
        Ok(status)
    }
}

impl Wrapping {
    pub(super) fn level(self) -> u8 {
        match self {
            Self::Gzip(level) | Self::Zlib(level) => level,
        }
    }

    fn context(self) -> Compress {
        let spare = SPARE.try_with(|spare| take(&mut spare.borrow_mut(), self));
        spare.ok().flatten().unwrap_or_else(|| self.fresh_context())
    }

    fn fresh_context(self) -> Compress {
        match self {
            Self::Gzip(level) => Compress::new_gzip(Compression::new(level.into()), WINDOW_BITS),
            Self::Zlib(level) => Compress::new(Compression::new(level.into()), true),
        }
    }
}

fn take(spare: &mut Vec<(Wrapping, Compress)>, wrapping: Wrapping) -> Option<Compress> {
    // The last one lies in the processor's caches still.
    let at = spare.iter().rposition(|(known, _)| *known == wrapping)?;
    let (_, mut context) = spare.remove(at);
    context.reset();
    Some(context)
}

impl Drop for Deflater {
    fn drop(&mut self) {
        let Some(context) = self.context.take() else {
            return;
        };
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARE_MAX {
                spare.push((self.wrapping, context));
            }
        });
    }
}

impl EncodeV2 for Deflater {
    fn encode(
        &mut self,
        input: &mut PartialBuffer<&[u8]>,
        output: &mut WriteBuffer<'_>,
    ) -> io::Result<()> {
        self.is_flushed = false;
        match self.step(input, output, FlushCompress::None)? {
            Status::Ok | Status::StreamEnd => Ok(()),
            Status::BufError => Err(io::Error::other("the encoder stands still")),
        }
    }

    fn flush(&mut self, output: &mut WriteBuffer<'_>) -> io::Result<bool> {
        if !self.is_flushed {
            let status = self.step(&mut PartialBuffer::new(&[]), output, FlushCompress::Sync)?;
            // Without room left, more may wait inside.
            self.is_flushed = status == Status::BufError || !output.has_no_spare_space();
        }
        Ok(self.is_flushed)
    }

    fn finish(&mut self, output: &mut WriteBuffer<'_>) -> io::Result<bool> {
        match self.step(&mut PartialBuffer::new(&[]), output, FlushCompress::Finish)? {
            Status::Ok => Ok(false),
            Status::StreamEnd => Ok(true),
            Status::BufError => Err(io::Error::other("the encoder stands still")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(wrapping: Wrapping, text: &[u8]) -> Vec<u8> {
        let mut deflater = Deflater::new(wrapping);
        let mut room = vec![0; 2 * text.len() + 100];
        let mut output = WriteBuffer::new_initialized(&mut room);
        let mut input = PartialBuffer::new(text);
        deflater.encode(&mut input, &mut output).unwrap();
        assert!(deflater.finish(&mut output).unwrap());
        output.written().to_vec()
    }

    #[test]
    fn a_context_that_is_used_again_knows_nothing_of_before() {
        for wrapping in [Wrapping::Gzip(2), Wrapping::Zlib(6)] {
            let text = b"the balance of account 4711 is 12.50".repeat(20);
            let fresh = write(wrapping, &text);
            write(wrapping, &b"of another visitor: 4711 is 99.99".repeat(2000));
            assert_eq!(write(wrapping, &text), fresh, "{wrapping:?}");
        }
    }

    #[test]
    fn a_stream_that_was_left_midway_spoils_none() {
        let text = b"a page that is read to its end".repeat(50);
        let fresh = write(Wrapping::Gzip(2), &text);
        let mut left = Deflater::new(Wrapping::Gzip(2));
        let mut room = vec![0; 64];
        let mut output = WriteBuffer::new_initialized(&mut room);
        let mut input = PartialBuffer::new(&b"left midway"[..]);
        left.encode(&mut input, &mut output).unwrap();
        drop(left);
        assert_eq!(write(Wrapping::Gzip(2), &text), fresh);
    }

    #[test]
    fn a_thread_keeps_a_few_contexts_only() {
        let mut many: Vec<_> = (0..10).map(|_| Deflater::new(Wrapping::Gzip(1))).collect();
        let mut room = [0; 64];
        for deflater in &mut many {
            let mut output = WriteBuffer::new_initialized(&mut room);
            let mut input = PartialBuffer::new(&b"a page"[..]);
            deflater.encode(&mut input, &mut output).unwrap();
        }
        drop(many);
        SPARE.with(|spare| assert_eq!(spare.borrow().len(), SPARE_MAX));
    }
}
