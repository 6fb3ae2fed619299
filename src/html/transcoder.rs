//! Pages whose bytes are not searched as they are: UTF-16, and charsets in which a byte such as
//! `]` may be the second half of a character.

use bytes::{Bytes, BytesMut};
use encoding_rs::{Decoder, Encoding, UTF_16BE, UTF_16LE};

/// Reads a page as UTF-8, and keeps its bytes beside the text until they are released: what is
/// found in the text is told of the bytes again.
///
/// There is no table of offsets. In UTF-16 a text's length tells how many bytes it was, as a lone
/// surrogate is read as one character, too. In all other charsets the bytes of white space and
/// punctuation are always these characters, and no others are: as many as the text has in front
/// of a place, the bytes have.
pub(super) struct Transcoder {
    encoding: &'static Encoding,
    decoder: Decoder,
    /// Bytes that were read and not yet released; the last of them may be no whole character yet.
    raw: BytesMut,
}

impl Transcoder {
    pub(super) fn new(encoding: &'static Encoding) -> Self {
        Self {
            encoding,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: BytesMut::new(),
        }
    }

    /// Reads the next bytes of the page; returns their text, as far as characters are whole.
    pub(super) fn read(&mut self, mut chunk: &[u8]) -> Bytes {
        self.raw.extend_from_slice(chunk);
        let mut text = String::with_capacity(chunk.len() + ROOM);
        while !chunk.is_empty() {
            let (_, read, _) = self.decoder.decode_to_string(chunk, &mut text, false);
            chunk = &chunk[read..];
            text.reserve(chunk.len() + ROOM);
        }
        text.into()
    }

    /// Appends the bytes of the next piece of the text. The text behind it begins with white space
    /// or punctuation, or else some of its bytes may come along; behind the last piece of the
    /// text, all bytes do that may be the start of a character, but not half a UTF-16 code unit.
    pub(super) fn take(&mut self, text: &[u8], out: &mut BytesMut) {
        let length = if self.is_utf_16() {
            2 * text.iter().map(code_units).sum::<usize>()
        } else {
            let marks = text.iter().filter(|byte| is_mark(**byte)).count();
            let mut in_raw = (0..self.raw.len()).filter(|at| is_mark(self.raw[*at]));
            in_raw.nth(marks).unwrap_or(self.raw.len())
        };
        let length = length.min(self.raw.len());
        out.extend_from_slice(&self.raw.split_to(length));
    }

    /// All bytes that are left: the page is not read any further.
    pub(super) fn into_raw(self) -> BytesMut {
        self.raw
    }

    /// Appends text of our own, which is ASCII, in the page's charset.
    pub(super) fn write(&self, ascii: &[u8], out: &mut BytesMut) {
        for byte in ascii {
            match self.encoding {
                _ if self.encoding == UTF_16LE => out.extend_from_slice(&[*byte, 0]),
                _ if self.encoding == UTF_16BE => out.extend_from_slice(&[0, *byte]),
                _ => out.extend_from_slice(&[*byte]),
            }
        }
    }

    fn is_utf_16(&self) -> bool {
        self.encoding == UTF_16BE || self.encoding == UTF_16LE
    }
}

/// What a decoder wants free at least, to write a character and what it held back.
const ROOM: usize = 16;

/// How many UTF-16 code units begin with this byte of a UTF-8 text.
fn code_units(byte: &u8) -> usize {
    match byte {
        0x80..=0xbf => 0,
        0xf0.. => 2,
        _ => 1,
    }
}

/// ASCII that is never the second byte of a character: all but letters, digits and what stands
/// between and behind them in the table.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' '..=b'/' | b':'..=b'?')
}

#[cfg(test)]
mod tests;
