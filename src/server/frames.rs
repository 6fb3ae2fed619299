//! The frames of HTTP/2 as far as their first bytes tell (RFC 9113 4.1, 6.1).

/// A frame's kind, flags and length; that of `DATA` without its padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) length: u32,
}

pub(super) mod kind {
    pub(in crate::server) const DATA: u8 = 0;
    pub(in crate::server) const HEADERS: u8 = 1;
    pub(in crate::server) const RST_STREAM: u8 = 3;
    pub(in crate::server) const CONTINUATION: u8 = 9;
}

/// Walks along one direction of a connection, in whatever pieces it comes. What is not well formed
/// is for hyper to refuse: it reads the same bytes behind this.
#[derive(Debug)]
pub(super) struct Frames {
    /// What is to come before the next frame: of the preface, or of a frame's payload.
    skip: usize,
    /// With the length of padding behind it.
    head: [u8; HEAD_BYTES + 1],
    head_bytes: usize,
    block: Block,
    heads_ended: u64,
}

/// How far the preface, or a request's head, has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    /// None is on its way.
    None,
    /// The preface: it ends with the first frame.
    Preface,
    /// More frames follow.
    Open,
    /// It ends with this frame's payload.
    Ending,
}

pub(super) const HEAD_BYTES: usize = 9;
pub(super) const PREFACE_BYTES: usize = 24;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

impl Frame {
    pub(super) const fn new(kind: u8, flags: u8, length: u32) -> Self {
        Self {
            kind,
            flags,
            length,
        }
    }

    pub(super) fn ends_stream(self) -> bool {
        self.flags & END_STREAM != 0
    }

    fn read(head: &[u8]) -> Self {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        Self::new(head[3], head[4], length)
    }

    /// Whether a byte behind the head says how much of it is padding.
    fn is_padded_data(self) -> bool {
        self.kind == kind::DATA && self.flags & PADDED != 0 && self.length > 0
    }

    fn without(self, padding: u8) -> Self {
        let length = self.length.saturating_sub(1 + u32::from(padding));
        Self { length, ..self }
    }
}

impl Frames {
    pub(super) fn of_client() -> Self {
        Self::new(PREFACE_BYTES, Block::Preface)
    }

    pub(super) fn of_server() -> Self {
        Self::new(0, Block::None)
    }

    fn new(skip: usize, block: Block) -> Self {
        Self {
            skip,
            head: [0; HEAD_BYTES + 1],
            head_bytes: 0,
            block,
            heads_ended: 0,
        }
    }

    /// Tells of each frame whose first bytes are whole with these.
    pub(super) fn walk(&mut self, mut bytes: &[u8], mut meet: impl FnMut(Frame)) {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                (self.skip, bytes) = (self.skip - skipped, &bytes[skipped..]);
            } else {
                let taken = (self.head_length() - self.head_bytes).min(bytes.len());
                let (head, rest) = bytes.split_at(taken);
                self.head[self.head_bytes..][..taken].copy_from_slice(head);
                (self.head_bytes, bytes) = (self.head_bytes + taken, rest);
                if self.head_bytes == self.head_length() {
                    meet(self.begin_frame());
                }
            }
            if self.skip == 0 && self.head_bytes == 0 && self.block == Block::Ending {
                self.block = Block::None;
                self.heads_ended += 1;
            }
        }
    }

    fn head_length(&self) -> usize {
        let is_longer = self.head_bytes >= HEAD_BYTES && Frame::read(&self.head).is_padded_data();
        HEAD_BYTES + usize::from(is_longer)
    }

    fn begin_frame(&mut self) -> Frame {
        let mut frame = Frame::read(&self.head);
        self.skip = HEAD_BYTES + frame.length as usize - self.head_bytes;
        self.head_bytes = 0;
        if frame.is_padded_data() {
            frame = frame.without(self.head[HEAD_BYTES]);
        }
        let is_head = matches!(frame.kind, kind::HEADERS | kind::CONTINUATION);
        self.block = match self.block {
            Block::Preface => Block::Ending,
            _ if is_head && frame.flags & END_HEADERS != 0 => Block::Ending,
            _ if is_head => Block::Open,
            block => block,
        };
        frame
    }

    /// Whether a preface or a head has begun and not ended.
    pub(super) fn is_in_head(&self) -> bool {
        self.block != Block::None
    }

    /// How many have ended so far.
    pub(super) fn heads_ended(&self) -> u64 {
        self.heads_ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    fn bytes(frames: &[Frame]) -> Vec<u8> {
        let mut bytes = PREFACE.to_vec();
        for frame in frames {
            bytes.extend(&frame.length.to_be_bytes()[1..]);
            bytes.extend([frame.kind, frame.flags, 0, 0, 0, 1]);
            bytes.extend(vec![0xff; frame.length as usize]);
        }
        bytes
    }

    #[test]
    fn frames_are_met_in_whatever_pieces_they_come() {
        let frames = [
            Frame::new(4, 0, 0),
            Frame::new(kind::HEADERS, 1, 20),
            Frame::new(kind::CONTINUATION, 4, 0),
            Frame::new(kind::DATA, 0, 300),
            Frame::new(6, 0, 8),
        ];
        let bytes = bytes(&frames);
        for size in [1, 2, 7, 9, 10, bytes.len()] {
            let (mut walker, mut met) = (Frames::of_client(), Vec::new());
            for piece in bytes.chunks(size) {
                walker.walk(piece, |frame| met.push(frame));
            }
            assert_eq!(met, frames, "{size}");
            assert_eq!((walker.heads_ended(), walker.is_in_head()), (2, false));
        }
    }

    #[test]
    fn padding_is_no_part_of_what_comes() {
        let frames = [Frame::new(4, 0, 0), Frame::new(kind::DATA, PADDED, 300)];
        for (padding, length) in [(0, 299), (200, 99), (255, 44)] {
            let mut bytes = bytes(&frames);
            let at = bytes.len() - 300;
            bytes[at] = padding;
            // All of this frame is padding, and the last one is not well formed.
            for (frame, padding) in [([0, 0, 3, 0, PADDED, 0, 0, 0, 1], 2), ([0; 9], 0)] {
                bytes.extend(frame);
                bytes.extend(vec![padding; usize::from(frame[2])]);
            }
            bytes.extend([0, 0, 0, 0, PADDED, 0, 0, 0, 1]);
            for size in [1, 2, 9, 10, 11, bytes.len()] {
                let (mut walker, mut met) = (Frames::of_client(), Vec::new());
                for piece in bytes.chunks(size) {
                    walker.walk(piece, |frame| met.push((frame.kind, frame.length)));
                }
                let data = [length, 0, 0, 0].map(|length| (kind::DATA, length));
                assert_eq!(met[1..], data, "{padding} {size}");
            }
        }
    }

    #[test]
    fn a_head_is_on_its_way_until_its_last_byte() {
        let frames = [
            Frame::new(4, 0, 6),
            Frame::new(kind::HEADERS, 0, 2),
            Frame::new(kind::CONTINUATION, 4, 3),
        ];
        let mut walker = Frames::of_client();
        let mut on_its_way = String::new();
        for byte in bytes(&frames) {
            walker.walk(&[byte], |_| {});
            on_its_way.push(if walker.is_in_head() { 'h' } else { '.' });
        }
        let preface = "h".repeat(PREFACE.len() + 9 + 5);
        // The end of the settings, and the first bytes of a frame that is not known yet.
        let between = ".".repeat(1 + 8);
        let head = "h".repeat(1 + 2 + 9 + 2);
        assert_eq!(on_its_way, format!("{preface}{between}{head}."));
    }
}
