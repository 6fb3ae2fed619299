//! Frames (RFC 9113) and field blocks (RFC 7541), no more than the tests need.

use std::collections::HashMap;

use tokio::io::{AsyncRead, AsyncReadExt};

pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

/// With empty settings.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const GOAWAY: u8 = 7;
pub(super) const CONTINUATION: u8 = 9;

/// RFC 9113 7.
const PROTOCOL_ERROR: u32 = 1;

pub(crate) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;
pub(super) const PRIORITY: u8 = 0x20;

pub(super) fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [
        length[1], length[2], length[3], kind, flags, 0, 0, 0, stream,
    ];
    [&head[..], payload].concat()
}

/// Literal fields without indexing, without Huffman coding (RFC 7541 6.2.2).
pub(super) fn block(fields: Fields<'_>) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            push_length(&mut block, text.len());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// RFC 7541 5.1, with a prefix of seven bits.
fn push_length(block: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(127) else {
        block.push(u8::try_from(length).unwrap());
        return;
    };
    block.push(127);
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// A whole request: its fields, and its body if it has one.
pub(super) fn request(stream: u8, fields: Fields<'_>, body: Option<&str>) -> Vec<u8> {
    match body {
        None => frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(fields)),
        Some(body) => [open(stream, fields), data(stream, END_STREAM, body)].concat(),
    }
}

/// The fields of a request that has a body.
pub(crate) fn open(stream: u8, fields: Fields<'_>) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(fields))
}

pub(crate) fn data(stream: u8, flags: u8, body: &str) -> Vec<u8> {
    frame(DATA, flags, stream, body.as_bytes())
}

/// How each stream was answered, as far as the connection went.
#[derive(Default, Debug)]
pub(super) struct Streams {
    statuses: HashMap<u8, u16>,
    ended: Vec<u8>,
    /// With the codes that say why.
    reset: HashMap<u8, u32>,
    is_over: bool,
}

impl Streams {
    /// Until these streams have ended, or the connection has.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin), awaited: &[u8]) -> Self {
        let mut streams = Self::default();
        while !awaited.iter().all(|stream| streams.has_ended(*stream)) {
            if !streams.read_frame(stream).await {
                streams.is_over = true;
                break;
            }
        }
        streams
    }

    async fn read_frame(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> bool {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).await.is_err() {
            return false;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        if stream.read_exact(&mut payload).await.is_err() || head[3] == GOAWAY {
            return false;
        }
        self.note(head[3], head[4], head[8], &payload);
        true
    }

    fn note(&mut self, kind: u8, flags: u8, stream: u8, payload: &[u8]) {
        if kind == HEADERS {
            self.statuses.insert(stream, status(payload));
        }
        if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
            self.ended.push(stream);
        }
        if kind == RST_STREAM {
            let code = payload.try_into().map_or(0, u32::from_be_bytes);
            self.reset.insert(stream, code);
        }
    }

    fn has_ended(&self, stream: u8) -> bool {
        self.ended.contains(&stream) || self.is_reset(stream)
    }

    pub(super) fn status(&self, stream: u8) -> Option<u16> {
        self.statuses.get(&stream).copied()
    }

    pub(super) fn is_reset(&self, stream: u8) -> bool {
        self.reset.contains_key(&stream)
    }

    /// Whether it was reset as what is malformed.
    pub(super) fn is_protocol_error(&self, stream: u8) -> bool {
        self.reset.get(&stream) == Some(&PROTOCOL_ERROR)
    }

    /// Whether the whole connection was given up.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }
}

/// From a block that begins with it, be it in the static table (RFC 7541, appendix A) or a literal.
fn status(payload: &[u8]) -> u16 {
    // In front of it there may be a change of the table's size.
    let start = payload.iter().position(|byte| byte & 0xe0 != 0x20).unwrap();
    let block = &payload[start..];
    match block[0] {
        0x88 => 200,
        0x89 => 204,
        0x8a => 206,
        0x8b => 304,
        0x8c => 400,
        0x8d => 404,
        0x8e => 500,
        _ => literal(&block[1..]),
    }
}

/// Digits, Huffman coded if that is shorter (RFC 7541, appendix B: 0, 1, 2 are five bits, others
/// six).
fn literal(text: &[u8]) -> u16 {
    let length = usize::from(text[0] & 0x7f);
    let bytes = &text[1..=length];
    if text[0] & 0x80 == 0 {
        return std::str::from_utf8(bytes).unwrap().parse().unwrap();
    }
    let mut bits = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1));
    let mut take = |count: usize| {
        bits.by_ref()
            .take(count)
            .fold(0, |all, bit| all << 1 | u16::from(bit))
    };
    let mut status = 0;
    for _ in 0..3 {
        let five = take(5);
        let digit = match five {
            0..=2 => five,
            _ => (five << 1 | take(1)) - 0x19 + 3,
        };
        status = status * 10 + digit;
    }
    status
}

#[test]
fn statuses_are_read() {
    for (block, expected) in [
        (&[0x88][..], 200),
        (&[0x20, 0x8c], 400),
        (&[0x48, 3, b'4', b'2', b'1'], 421),
        // 4 is 011010, 2 is 00010, 1 is 00001: 01101000 01000001, no padding.
        (&[0x48, 0x82, 0b0110_1000, 0b0100_0001], 421),
    ] {
        assert_eq!(status(block), expected);
    }
}
