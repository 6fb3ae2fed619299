/// Where the frames of one direction of a WebSocket begin and end (RFC 6455 5.2), followed as its bytes
/// run by. Nothing is held or changed.
#[derive(Debug, Default)]
pub struct WebSocketFrames {
    /// What came of the next frame's header.
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: usize,
    /// Bytes of a frame's payload that are still to come.
    payload_left: u64,
    has_closed: bool,
}

/// A close frame of a server that goes away (code 1001, RFC 6455 7.4.1).
pub const GOING_AWAY: [u8; 4] = [FIN | OPCODE_CLOSE, 2, 0x03, 0xe9];

/// Two bytes, a length of eight, a mask of four.
const HEADER_BYTES_MAX: usize = 14;
const FIN: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const OPCODE_CLOSE: u8 = 0x8;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const LENGTH_OF_16_BITS: u8 = 126;
const LENGTH_OF_64_BITS: u8 = 127;

impl WebSocketFrames {
    /// The next bytes.
    pub fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload_left > 0 {
                let skipped = usize::try_from(self.payload_left).unwrap_or(usize::MAX);
                let skipped = skipped.min(bytes.len());
                self.payload_left -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.header[self.header_bytes] = bytes[0];
            self.header_bytes += 1;
            bytes = &bytes[1..];
            self.read_header();
        }
    }

    /// Whether a frame can be put in here: none is under way, and none said that it is the last.
    pub fn takes_another(&self) -> bool {
        self.header_bytes == 0 && self.payload_left == 0 && !self.has_closed
    }

    fn read_header(&mut self) {
        let header = &self.header[..self.header_bytes];
        let [first, second, ref rest @ ..] = *header else {
            return;
        };
        let mask_bytes = if second & MASKED == 0 { 0 } else { 4 };
        let (length_bytes, length) = match (second & LENGTH, rest) {
            (LENGTH_OF_16_BITS, [a, b, ..]) => (2, u64::from(u16::from_be_bytes([*a, *b]))),
            (LENGTH_OF_64_BITS, [a, b, c, d, e, f, g, h, ..]) => {
                (8, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
            }
            (LENGTH_OF_16_BITS | LENGTH_OF_64_BITS, _) => return,
            (length, _) => (0, u64::from(length)),
        };
        if rest.len() < length_bytes + mask_bytes {
            return;
        }
        self.has_closed |= first & OPCODE == OPCODE_CLOSE;
        self.payload_left = length;
        self.header_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn frame(opcode: u8, masked: bool, length: usize) -> Vec<u8> {
        let mask_bit = if masked { MASKED } else { 0 };
        let mut frame = vec![FIN | opcode];
        match length {
            0..=125 => frame.push(mask_bit | length as u8),
            126..=0xffff => {
                frame.push(mask_bit | LENGTH_OF_16_BITS);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(mask_bit | LENGTH_OF_64_BITS);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        // Payloads that look like headers.
        frame.extend(vec![
            FIN | OPCODE_CLOSE;
            length + if masked { 4 } else { 0 }
        ]);
        frame
    }

    #[test]
    fn behind_a_close_there_is_nothing() {
        let mut frames = WebSocketFrames::default();
        assert!(frames.takes_another());
        frames.pass(&GOING_AWAY);
        assert!(!frames.takes_another());
    }

    #[test]
    fn a_length_that_no_frame_has_is_waited_for() {
        let mut frames = WebSocketFrames::default();
        frames.pass(&[
            0x82,
            LENGTH_OF_64_BITS,
            255,
            255,
            255,
            255,
            255,
            255,
            255,
            255,
        ]);
        frames.pass(&[0; 100]);
        assert!(!frames.takes_another());
    }

    proptest! {
        #[test]
        fn another_is_taken_between_frames_and_nowhere_else(
            shapes in vec((1u8..3, any::<bool>(), prop_oneof![0usize..130, Just(65_535), Just(65_536)]), 1..6),
            pieces in vec(1usize..400, 1..40),
        ) {
            let mut bytes = Vec::new();
            let mut borders = vec![0];
            for (opcode, masked, length) in shapes {
                bytes.extend(frame(opcode, masked, length));
                borders.push(bytes.len());
            }
            let mut frames = WebSocketFrames::default();
            let (mut at, mut pieces) = (0, pieces.into_iter().cycle());
            while at < bytes.len() {
                let until = (at + pieces.next().unwrap()).min(bytes.len());
                frames.pass(&bytes[at..until]);
                at = until;
                prop_assert_eq!(frames.takes_another(), borders.contains(&at), "at {}", at);
            }
        }
    }
}
