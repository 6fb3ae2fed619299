//! gzip and zlib of bodies that are at hand as a whole, by libdeflate: it knows no streams, and so
//! takes less than a zlib that does.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use libdeflater::{CompressionLvl, Compressor, Crc, Decompressor};

use super::deflate::Wrapping;

/// Up to this size a body is looked at as a whole. A thread needs so much room for it, and as much
/// waits with a visitor who takes a page unpacked, and slowly.
const WHOLE_MAX: usize = 128 * 1024;

/// A plain body that may yet come to its end before anybody waits for its bytes.
pub(super) struct Held {
    wrapping: Wrapping,
    plain: Vec<u8>,
}

/// What a thread keeps to write whole bodies.
struct Press {
    level: u8,
    compressor: Compressor,
    room: Vec<u8>,
}

thread_local! {
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static PRESS: RefCell<Option<Press>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor>> = const { RefCell::new(None) };
}

impl Held {
    pub(super) fn new(wrapping: Wrapping) -> Self {
        let spare = SPARE.try_with(|spare| std::mem::take(&mut *spare.borrow_mut()));
        Self {
            wrapping,
            plain: spare.unwrap_or_default(),
        }
    }

    /// Whether there was room.
    pub(super) fn take(&mut self, plain: &[u8]) -> bool {
        let has_room = self.plain.len() + plain.len() <= WHOLE_MAX;
        if has_room {
            self.plain.extend_from_slice(plain);
        }
        has_room
    }

    pub(super) fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// Appends the body, packed; `false`, and nothing, if it could not be.
    pub(super) fn write(&self, out: &mut BytesMut) -> bool {
        let written = PRESS.try_with(|press| {
            let mut press = press.borrow_mut();
            let level = self.wrapping.level();
            if press.as_ref().is_none_or(|press| press.level != level) {
                *press = Press::new(level);
            }
            let packed = press.as_mut()?.pack(self.wrapping, &self.plain)?;
            out.extend_from_slice(packed);
            Some(())
        });
        written.ok().flatten().is_some()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| *spare.borrow_mut() = plain);
    }
}

impl Press {
    fn new(level: u8) -> Option<Self> {
        // What libdeflate writes at 1 is as small as what a zlib writes at 2, and so on.
        let packing = CompressionLvl::new(i32::from(level.saturating_sub(1).max(1))).ok()?;
        Some(Self {
            level,
            compressor: Compressor::new(packing),
            room: Vec::new(),
        })
    }

    fn pack(&mut self, wrapping: Wrapping, plain: &[u8]) -> Option<&[u8]> {
        let bound = match wrapping {
            Wrapping::Gzip(_) => self.compressor.gzip_compress_bound(plain.len()),
            Wrapping::Zlib(_) => self.compressor.zlib_compress_bound(plain.len()),
        };
        if self.room.len() < bound {
            self.room.resize(bound, 0);
        }
        let packed = match wrapping {
            Wrapping::Gzip(_) => self.compressor.gzip_compress(plain, &mut self.room),
            Wrapping::Zlib(_) => self.compressor.zlib_compress(plain, &mut self.room),
        };
        self.room.get(..packed.ok()?)
    }
}

/// RFC 1952 2.3.
const TRAILER: usize = 8;
/// Of which ten are the head's.
const GZIP_BYTES_MIN: usize = 10 + TRAILER;

/// What names gzip, and its one method.
const BEGIN: [u8; 3] = [0x1f, 0x8b, 8];

/// A checksum of the head, and what RFC 1952 does not know: for those who read it step by step.
const ODD_FLAGS: u8 = 0b1110_0010;

/// The body, if `packed` is all of a gzip stream, with nothing behind it. Anything else, and what is broken, is
/// for those who read it step by step.
pub(super) fn gunzip(packed: &[u8]) -> Option<Bytes> {
    let flags = *packed.strip_prefix(&BEGIN)?.first()?;
    if packed.len() < GZIP_BYTES_MIN || flags & ODD_FLAGS != 0 {
        return None;
    }
    // Of a stream that goes on, these four bytes hardly ever are a length in reason.
    let length = usize::try_from(u32::from_le_bytes(*packed.last_chunk()?)).ok()?;
    if length > WHOLE_MAX {
        return None;
    }
    // Another stream may follow, which is as long.
    let behind = memchr::memmem::find(&packed[BEGIN.len()..], &BEGIN);
    if behind.is_some() {
        return None;
    }
    let mut plain = BytesMut::zeroed(length);
    let written = DECOMPRESSOR.try_with(|decompressor| {
        let mut decompressor = decompressor.borrow_mut();
        let decompressor = decompressor.get_or_insert_with(Decompressor::new);
        decompressor.gzip_decompress(packed, &mut plain).ok()
    });
    let is_whole = written.ok().flatten()? == length && ends_there(packed, &plain);
    is_whole.then(|| plain.freeze())
}

/// Whether the stream ends where `packed` does: libdeflate is content with a trailer that stands
/// somewhere before. The trailer is the checksum of the body and its length (RFC 1952 2.3.1).
fn ends_there(packed: &[u8], plain: &[u8]) -> bool {
    let Some(before) = packed.len().checked_sub(TRAILER) else {
        return false;
    };
    let trailer = &packed[before..];
    let mut crc = Crc::new();
    crc.update(plain);
    trailer.starts_with(&crc.sum().to_le_bytes())
        && memchr::memmem::find(packed, trailer) == Some(before)
}
