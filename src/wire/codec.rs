//! Content codings as streams: compressed bytes in any chunking in, plain pieces of bounded size
//! out, and back. The state machines are compression-codecs'; the limits are ours.

mod deflate;
mod splice;
mod whole;

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use compression_codecs::brotli::params::EncoderParams as BrotliParams;
use compression_codecs::core::Level;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::zstd::params::{CParameter, DParameter};
use compression_codecs::{
    BrotliDecoder, BrotliEncoder, DecodeV2, DeflateDecoder, EncodeV2, GzipDecoder, ZlibDecoder,
    ZstdDecoder, ZstdEncoder,
};

use self::deflate::{Deflater, Wrapping};
pub use self::splice::Splicer;
use self::whole::{Held, gunzip};
use super::Coding;

/// A compressed body that cannot be read to its end. The page that it carried is cut off where
/// it broke, visibly.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    #[error("the compressed body ends early")]
    EarlyEnd,
    #[error("the compressed body grows to more than {MAX_EXPANSION} times its size")]
    Expansion,
    #[error("the body does not have the coding that its head names")]
    Malformed(#[source] io::Error),
}

/// The largest piece that a decoder returns at once.
const PIECE: usize = 32 * 1024;

/// gzip and deflate cannot grow more than 1,032 times; what grows more was made to.
const MAX_EXPANSION: u64 = 1_100;

/// Up to this size a body may grow as it likes: a few bytes of br are a whole page of spaces.
const FREE_EXPANSION: u64 = 16 * 1024 * 1024;

/// RFC 9659 3: a zstd frame on the web needs at most 8 MiB of window.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Reads a compressed body.
pub struct Decoder {
    machine: Machine,
    /// The rest of a plain body that came as a whole.
    whole: Bytes,
    total_in: u64,
    total_out: u64,
    /// The last piece filled its buffer: more may wait inside the machine.
    pending: bool,
    ended: bool,
}

enum Machine {
    /// `deflate` means zlib (RFC 9110 8.4.1.2), but some origins send it raw: its first two bytes
    /// tell.
    Deflate { start: BytesMut },
    /// Nothing was read yet.
    Gzip,
    Running {
        decoder: Box<dyn DecodeV2 + Send>,
        many_frames: bool,
    },
}

impl Decoder {
    /// `None` for the identity, which needs no reading.
    pub fn new(coding: Coding) -> Option<Self> {
        let machine = match coding {
            Coding::Identity => return None,
            Coding::Gzip => Machine::Gzip,
            Coding::Deflate => Machine::Deflate {
                start: BytesMut::new(),
            },
            Coding::Br => Machine::running(BrotliDecoder::new()),
            Coding::Zstd => {
                let window = DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX);
                let decoder = Box::new(ZstdDecoder::new_with_params(&[window]));
                Machine::Running {
                    decoder,
                    many_frames: true,
                }
            }
        };
        Some(Self {
            machine,
            whole: Bytes::new(),
            total_in: 0,
            total_out: 0,
            pending: false,
            ended: false,
        })
    }

    /// Takes what it needs from the front of `input` and returns the next piece of the plain
    /// body, at most 32 KiB. An empty piece means that all input is used up.
    pub fn decode(&mut self, input: &mut Bytes) -> Result<Bytes, CodecError> {
        self.read_whole(input)?;
        if !self.whole.is_empty() {
            let piece = self.whole.len().min(PIECE);
            return Ok(self.whole.split_to(piece));
        }
        while self.pending || !input.is_empty() {
            let piece = self.step(input)?;
            if !piece.is_empty() {
                return Ok(piece);
            }
        }
        Ok(Bytes::new())
    }

    /// How many compressed bytes were read. What came behind the end of the stream is not counted.
    pub fn total_in(&self) -> u64 {
        self.total_in
    }

    /// The compressed body has ended: whether it was whole. A body of no bytes is.
    pub fn finish(&self) -> Result<(), CodecError> {
        let whole = self.ended || self.total_in == 0;
        whole.then_some(()).ok_or(CodecError::EarlyEnd)
    }

    /// Reads a gzip body at once, if its first bytes are all of it.
    fn read_whole(&mut self, input: &mut Bytes) -> Result<(), CodecError> {
        if !matches!(self.machine, Machine::Gzip) || self.ended {
            return Ok(());
        }
        let Some(plain) = gunzip(input) else {
            return Ok(());
        };
        let (read, written) = (input.len(), plain.len());
        self.ended = true;
        self.whole = plain;
        input.clear();
        self.account(read, written)
    }

    fn step(&mut self, input: &mut Bytes) -> Result<Bytes, CodecError> {
        if self.ended && !self.begin_next_frame(input)? {
            return Ok(Bytes::new());
        }
        let Some(decoder) = self.machine.start(input, &mut self.total_in) else {
            return Ok(Bytes::new());
        };
        let mut buffer = BytesMut::zeroed(PIECE);
        let mut output = WriteBuffer::new_initialized(&mut buffer);
        let mut unread = PartialBuffer::new(&input[..]);
        let outcome = match decoder.decode(&mut unread, &mut output) {
            // Asked for what it may still hold, a machine that holds nothing calls it an error.
            Err(_) if input.is_empty() => Ok(false),
            outcome => outcome,
        };
        let (read, written) = (unread.written_len(), output.written_len());
        self.ended = outcome.map_err(CodecError::Malformed)?;
        self.pending = !self.ended && written == PIECE;
        input.advance(read);
        buffer.truncate(written);
        self.account(read, written)?;
        Ok(buffer.freeze())
    }

    /// zstd frames may follow each other (RFC 8878 3.1); bytes behind the end of any other
    /// stream are ignored, as browsers do.
    fn begin_next_frame(&mut self, input: &mut Bytes) -> Result<bool, CodecError> {
        let Machine::Running {
            decoder,
            many_frames: true,
        } = &mut self.machine
        else {
            input.clear();
            return Ok(false);
        };
        if input.is_empty() {
            return Ok(false);
        }
        decoder.reinit().map_err(CodecError::Malformed)?;
        self.ended = false;
        Ok(true)
    }

    fn account(&mut self, read: usize, written: usize) -> Result<(), CodecError> {
        self.total_in += read as u64;
        self.total_out += written as u64;
        let allowed = self
            .total_in
            .saturating_mul(MAX_EXPANSION)
            .max(FREE_EXPANSION);
        (self.total_out <= allowed)
            .then_some(())
            .ok_or(CodecError::Expansion)
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("total_in", &self.total_in)
            .field("total_out", &self.total_out)
            .finish_non_exhaustive()
    }
}

impl Machine {
    fn running(decoder: impl DecodeV2 + Send + 'static) -> Self {
        Self::Running {
            decoder: Box::new(decoder),
            many_frames: false,
        }
    }

    /// The decoder, once it is known which one it is; puts back in front of `input` what was
    /// kept to find out.
    fn start(
        &mut self,
        input: &mut Bytes,
        total_in: &mut u64,
    ) -> Option<&mut (dyn DecodeV2 + Send)> {
        if let Self::Deflate { start } = self {
            *total_in += input.len() as u64;
            start.extend_from_slice(input);
            input.clear();
            let [first, second, ..] = start[..] else {
                return None;
            };
            *input = start.split().freeze();
            *total_in -= input.len() as u64;
            // RFC 1950 2.2: method 8, and the two bytes as one number are a multiple of 31.
            let zlib = first & 0x0f == 8 && u16::from_be_bytes([first, second]) % 31 == 0;
            *self = match zlib {
                true => Self::running(ZlibDecoder::new()),
                false => Self::running(DeflateDecoder::new()),
            };
        }
        if matches!(self, Self::Gzip) {
            *self = Self::running(GzipDecoder::new());
        }
        match self {
            Self::Running { decoder, .. } => Some(decoder.as_mut()),
            Self::Deflate { .. } | Self::Gzip => None,
        }
    }
}

/// How much work is put into writing each coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodingLevels {
    /// gzip and deflate, 1 to 9. Default: 2.
    pub gzip: u8,
    /// br, 0 to 11. Default: 4.
    pub br: u8,
    /// zstd, 1 to 19. Default: 3.
    pub zstd: u8,
}

/// Levels at which a page can be written while its visitor waits. gzip at 2 gives pages somewhat
/// smaller than nginx's level 1 does; at 1 they are a quarter larger.
const GZIP_LEVEL: u8 = 2;
const BROTLI_LEVEL: u8 = 4;
const ZSTD_LEVEL: u8 = 3;
/// Windows that keep an exchange's memory below 1 MiB.
const BROTLI_WINDOW_LOG: i32 = 18;
const ZSTD_WINDOW_LOG: u32 = 19;

impl Default for CodingLevels {
    fn default() -> Self {
        Self {
            gzip: GZIP_LEVEL,
            br: BROTLI_LEVEL,
            zstd: ZSTD_LEVEL,
        }
    }
}

/// Writes a compressed body.
pub struct Encoder {
    /// What the machine was not given yet, as the body may come to its end first.
    held: Option<Held>,
    machine: Box<dyn EncodeV2 + Send>,
}

impl Encoder {
    /// `None` for the identity, which needs no writing.
    pub fn new(coding: Coding, levels: CodingLevels) -> Option<Self> {
        Some(match coding {
            Coding::Identity => return None,
            Coding::Gzip => Self::deflating(Wrapping::Gzip(levels.gzip)),
            Coding::Deflate => Self::deflating(Wrapping::Zlib(levels.gzip)),
            Coding::Br => Self::streaming(BrotliEncoder::new(
                BrotliParams::default()
                    .quality(Level::Precise(levels.br.into()))
                    .window_size(BROTLI_WINDOW_LOG)
                    .text_mode(),
            )),
            Coding::Zstd => {
                let window = CParameter::window_log(ZSTD_WINDOW_LOG);
                let level = levels.zstd.into();
                Self::streaming(ZstdEncoder::new_with_params(level, &[window]))
            }
        })
    }

    fn deflating(wrapping: Wrapping) -> Self {
        Self {
            held: Some(Held::new(wrapping)),
            machine: Box::new(Deflater::new(wrapping)),
        }
    }

    fn streaming(machine: impl EncodeV2 + Send + 'static) -> Self {
        Self {
            held: None,
            machine: Box::new(machine),
        }
    }

    /// Appends to `out` what the coding gives out already; it may keep bytes until a flush.
    pub fn encode(&mut self, plain: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        if self.held.as_mut().is_some_and(|held| held.take(plain)) {
            return Ok(());
        }
        self.let_go(out)?;
        self.feed(plain, out)
    }

    /// Appends all that was kept, so that the receiver can read everything encoded so far.
    pub fn flush(&mut self, out: &mut BytesMut) -> Result<(), CodecError> {
        self.let_go(out)?;
        while !write_once(out, |room| self.machine.flush(room))? {}
        Ok(())
    }

    /// Appends the end of the stream.
    pub fn finish(mut self, out: &mut BytesMut) -> Result<(), CodecError> {
        if self.held.as_ref().is_some_and(|held| held.write(out)) {
            return Ok(());
        }
        self.let_go(out)?;
        while !write_once(out, |room| self.machine.finish(room))? {}
        Ok(())
    }

    /// From now on the body is written as it comes.
    fn let_go(&mut self, out: &mut BytesMut) -> Result<(), CodecError> {
        match self.held.take() {
            Some(held) => self.feed(held.plain(), out),
            None => Ok(()),
        }
    }

    fn feed(&mut self, plain: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        let mut unread = PartialBuffer::new(plain);
        while !unread.unwritten().is_empty() {
            write_once(out, |room| self.machine.encode(&mut unread, room))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

/// How far `out` grows at a time.
const ROOM: usize = 8 * 1024;

fn write_once<T>(
    out: &mut BytesMut,
    write: impl FnOnce(&mut WriteBuffer<'_>) -> io::Result<T>,
) -> Result<T, CodecError> {
    let start = out.len();
    out.resize(start + ROOM, 0);
    let mut room = WriteBuffer::new_initialized(&mut out[start..]);
    let outcome = write(&mut room);
    let written = room.written_len();
    out.truncate(start + written);
    outcome.map_err(CodecError::Malformed)
}

#[cfg(test)]
mod tests;
