use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::{HEAD_BYTES, PREFACE_BYTES, kind};

/// An HTTP/2 connection below hyper, in which a field stands in front of all that clients send as
/// trailers.
///
/// A pseudo-field in trailers makes a request malformed (RFC 9113 8.1), which the h2 crate does not see.
/// It does reset the stream of a pseudo-field that comes after another field (8.3); behind this one
/// each of them does. Nothing is decoded for it: the field is a byte that names one of the static
/// table, and trailers go nowhere from here.
#[derive(Debug)]
pub(super) struct Marked<I> {
    io: I,
    mark: TrailerMark,
    /// Read, and not handed over yet.
    late: BytesMut,
}

/// Bytes in, bytes out.
#[derive(Debug)]
struct TrailerMark {
    /// What goes on as it is, before the next frame.
    skip: usize,
    /// The beginning of a frame, for as long as it cannot be told what comes of it.
    begun: Vec<u8>,
    /// Clients count their streams upwards (RFC 9113 5.1.1).
    last_stream: u32,
    /// On which a body is on its way, behind which trailers may come.
    open: Vec<u32>,
}

/// What comes of a frame of which this much is known.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// More must be known.
    Wait,
    /// It goes on as it is.
    Pass,
    /// The field belongs behind so many bytes of its payload.
    Mark(usize),
}

/// `accept-charset`, with an empty value (RFC 7541 6.1, appendix A): it means nothing in a trailer.
const FIELD: u8 = 0x80 | 15;
/// All that a client may send in a frame, as the edge announces no other size (RFC 9113 4.2). With a
/// byte more h2 refuses the frame, which then holds trailers of 16 KiB.
const FRAME_BYTES_MAX: usize = 16 * 1024;
/// Two changes of the table's size, which is as many as may be (RFC 7541 4.2), as long as they get.
const SIZES_BYTES_MAX: usize = 12;
/// Far more than may be open at once. Where there are as many, which is no honest client's doing, all
/// that comes on a stream of before is taken for trailers.
const OPEN_MAX: usize = 256;
const END_STREAM: u8 = 1;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;
const PRIORITY_BYTES: usize = 5;

impl<I> Marked<I> {
    pub(super) fn new(io: I) -> Self {
        Self {
            io,
            mark: TrailerMark::new(),
            late: BytesMut::new(),
        }
    }

    fn hand_over(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.late.len().min(buf.remaining());
        buf.put_slice(&self.late[..count]);
        self.late.advance(count);
        if self.late.is_empty() {
            self.late = BytesMut::new();
        }
    }
}

impl TrailerMark {
    fn new() -> Self {
        Self {
            skip: PREFACE_BYTES,
            begun: Vec::new(),
            last_stream: 0,
            open: Vec::new(),
        }
    }

    /// How many of these can go on where they are: what is whole of frames that stay as they are.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        if !self.begun.is_empty() {
            return 0;
        }
        let mut passed = self.skip.min(bytes.len());
        self.skip -= passed;
        while self.skip == 0
            && let Some(head) = bytes[passed..].first_chunk()
            && self.judge(head) == Step::Pass
        {
            self.note(head);
            let frame = HEAD_BYTES + length(head);
            let taken = frame.min(bytes.len() - passed);
            (self.skip, passed) = (frame - taken, passed + taken);
        }
        passed
    }

    /// The others, behind what was held back before them.
    fn pass_into(&mut self, mut bytes: &[u8], out: &mut BytesMut) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.skip > 0 {
                let (passed, rest) = bytes.split_at(self.skip.min(bytes.len()));
                out.extend_from_slice(passed);
                (self.skip, bytes) = (self.skip - passed.len(), rest);
                continue;
            }
            self.begun.push(*first);
            bytes = rest;
            match self.judge(&self.begun) {
                Step::Wait => {}
                Step::Pass => self.go_on(None, out),
                Step::Mark(at) => self.go_on(Some(at), out),
            }
        }
    }

    fn judge(&self, begun: &[u8]) -> Step {
        let Some((head, payload)) = begun.split_first_chunk() else {
            return Step::Wait;
        };
        // What is larger, or not well formed, h2 refuses.
        if !self.are_trailers(head) || length(head) > FRAME_BYTES_MAX {
            return Step::Pass;
        }
        let is = |flag: u8| head[4] & flag != 0;
        let start = usize::from(is(PADDED)) + PRIORITY_BYTES * usize::from(is(PRIORITY));
        let padding = match payload.first() {
            Some(padding) if is(PADDED) => usize::from(*padding),
            None if is(PADDED) && length(head) > 0 => return Step::Wait,
            _ => 0,
        };
        let Some(block_bytes) = length(head).checked_sub(start + padding) else {
            return Step::Pass;
        };
        let block = payload.get(start..).unwrap_or_default();
        match behind_sizes(block) {
            _ if payload.len() < start => Step::Wait,
            Some(at) => Step::Mark(start + at.min(block_bytes)),
            None if block.len() >= block_bytes => Step::Mark(start + block_bytes),
            None => Step::Wait,
        }
    }

    /// Lets the frame that has begun go on, with the field there if it is to have it.
    fn go_on(&mut self, mark_at: Option<usize>, out: &mut BytesMut) {
        let begun = std::mem::take(&mut self.begun);
        let Some((head, payload)) = begun.split_first_chunk() else {
            return;
        };
        self.note(head);
        self.skip = length(head) - payload.len();
        let Some(at) = mark_at else {
            out.extend_from_slice(&begun);
            return;
        };
        let longer = (length(head) as u32 + 1).to_be_bytes();
        out.extend_from_slice(&longer[1..]);
        out.extend_from_slice(&head[3..]);
        out.extend_from_slice(&payload[..at]);
        out.extend_from_slice(&[FIELD]);
        out.extend_from_slice(&payload[at..]);
    }

    fn are_trailers(&self, head: &[u8; HEAD_BYTES]) -> bool {
        let stream = stream(head);
        let is_full = self.open.len() >= OPEN_MAX && stream <= self.last_stream;
        head[3] == kind::HEADERS && (is_full || self.open.contains(&stream))
    }

    fn note(&mut self, head: &[u8; HEAD_BYTES]) {
        let (stream, is_last) = (stream(head), head[4] & END_STREAM != 0);
        match head[3] {
            kind::HEADERS if stream > self.last_stream => {
                self.last_stream = stream;
                if !is_last && self.open.len() < OPEN_MAX {
                    self.open.push(stream);
                }
            }
            kind::HEADERS | kind::DATA if !is_last => {}
            kind::HEADERS | kind::DATA | kind::RST_STREAM => {
                self.open.retain(|open| *open != stream);
            }
            _ => {}
        }
    }
}

fn length(head: &[u8; HEAD_BYTES]) -> usize {
    u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize
}

fn stream(head: &[u8; HEAD_BYTES]) -> u32 {
    u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]])
}

/// Where the first field begins: in front of it the table's size may change (RFC 7541 6.3). `None`:
/// not to be told yet. Of sizes that take more bytes than any may, which h2 refuses, no end is looked
/// for: what is held back is read anew with each byte.
fn behind_sizes(block: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < SIZES_BYTES_MAX {
        let first = block.get(at)?;
        if first & 0xe0 != 0x20 {
            return Some(at);
        }
        at += 1;
        if first & 0x1f == 0x1f {
            while at < SIZES_BYTES_MAX && block.get(at)? & 0x80 != 0 {
                at += 1;
            }
            at += 1;
        }
    }
    Some(at.min(SIZES_BYTES_MAX))
}

impl<I: AsyncRead + Unpin> AsyncRead for Marked<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        while buf.remaining() > 0 && buf.filled().len() == before {
            if !this.late.is_empty() {
                this.hand_over(buf);
                break;
            }
            ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
            let read = &buf.filled()[before..];
            if read.is_empty() {
                // The end. A frame that was cut off is for h2 to refuse.
                this.late.extend_from_slice(&this.mark.begun);
                this.mark.begun.clear();
                this.hand_over(buf);
                break;
            }
            let passed = this.mark.pass(read);
            this.mark.pass_into(&read[passed..], &mut this.late);
            buf.set_filled(before + passed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Marked<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
