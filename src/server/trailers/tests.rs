use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::AsyncReadExt;

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = kind::HEADERS;
const DATA: u8 = kind::DATA;
/// The end of the fields, and of the stream.
const ENDS: u8 = 5;

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [
        length[1], length[2], length[3], kind, flags, 0, 0, 0, stream,
    ];
    [&head[..], payload].concat()
}

/// What h2 gets of these frames, which come in pieces of this size.
fn marked(frames: &[u8], size: usize) -> Vec<u8> {
    let mut mark = TrailerMark::new();
    let mut out = BytesMut::new();
    for piece in [PREFACE, frames].concat().chunks(size) {
        let passed = mark.pass(piece);
        out.extend_from_slice(&piece[..passed]);
        mark.pass_into(&piece[passed..], &mut out);
    }
    out.extend_from_slice(&mark.begun);
    assert_eq!(&out[..PREFACE.len()], PREFACE);
    out[PREFACE.len()..].to_vec()
}

#[test]
fn trailers_begin_with_a_field_and_nothing_else_changes() {
    let open = [frame(HEADERS, 4, 1, b"head"), frame(DATA, 0, 1, b"body")].concat();
    for (flags, payload, expected) in [
        (ENDS, &b"\x82"[..], Some(&b"\x8f\x82"[..])),
        (ENDS, b"", Some(b"\x8f")),
        (ENDS, b"\0\x01x\x01y", Some(b"\x8f\0\x01x\x01y")),
        (1, b"\0\x01x", Some(b"\x8f\0\x01x")),
        // The table's size comes first, once or twice.
        (ENDS, b"\x20\x82", Some(b"\x20\x8f\x82")),
        (ENDS, b"\x20", Some(b"\x20\x8f")),
        (
            ENDS,
            b"\x20\x3f\xe1\x1f\x82",
            Some(b"\x20\x3f\xe1\x1f\x8f\x82"),
        ),
        (ENDS | PADDED, b"\x02\x82\0\0", Some(b"\x02\x8f\x82\0\0")),
        (ENDS | PADDED, b"\x02\0\0", Some(b"\x02\x8f\0\0")),
        (ENDS | PADDED, b"\x02\x20\0\0", Some(b"\x02\x20\x8f\0\0")),
        (
            ENDS | PRIORITY,
            b"\0\0\0\0\x09\x82",
            Some(b"\0\0\0\0\x09\x8f\x82"),
        ),
        (
            ENDS | PADDED | PRIORITY,
            b"\x01\0\0\0\0\x09\x82\0",
            Some(b"\x01\0\0\0\0\x09\x8f\x82\0"),
        ),
        // What h2 refuses, with or without.
        (ENDS | PADDED, b"", None),
        (ENDS | PADDED, b"\x01", None),
        (ENDS | PADDED, b"\x09\x82", None),
        (ENDS | PRIORITY, b"\0\0\0\0", None),
    ] {
        let behind = frame(HEADERS, ENDS, 3, b"\x82");
        let sent = [
            open.clone(),
            frame(HEADERS, flags, 1, payload),
            behind.clone(),
        ]
        .concat();
        let got = frame(HEADERS, flags, 1, expected.unwrap_or(payload));
        let got = [open.clone(), got, behind].concat();
        for size in 1..=sent.len() {
            assert_eq!(marked(&sent, size), got, "{flags} {payload:?} by {size}");
        }
    }
}

/// A table's size that does not end: h2 refuses it, and no more of it is kept than of one that does.
#[test]
fn of_sizes_without_an_end_little_is_held_back() {
    let open = [frame(HEADERS, 4, 1, b"head"), frame(DATA, 0, 1, b"body")].concat();
    let endless = [&[0x3f][..], &[0x80; 200]].concat();
    let sent = [PREFACE, &open, &frame(HEADERS, ENDS, 1, &endless)].concat();
    let (mut mark, mut out) = (TrailerMark::new(), BytesMut::new());
    for byte in &sent {
        mark.pass_into(&[*byte], &mut out);
        assert!(
            mark.begun.len() <= HEAD_BYTES + SIZES_BYTES_MAX,
            "{}",
            mark.begun.len()
        );
    }
    assert_eq!(out.len(), sent.len() + 1);
}

#[test]
fn what_is_no_trailer_stays_as_it_is() {
    let frames = [
        frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]),
        frame(HEADERS, ENDS, 1, b"\x82"),
        frame(HEADERS, 0, 3, b"\x82"),
        frame(kind::CONTINUATION, ENDS, 3, b"\x82"),
        frame(HEADERS, ENDS, 1, b"\x82"),
        frame(HEADERS, 4, 7, b"\x82"),
        frame(HEADERS, ENDS, 5, b"\x82"),
        frame(kind::RST_STREAM, 0, 7, &[0; 4]),
        frame(HEADERS, ENDS, 7, b"\x82"),
        frame(HEADERS, 4, 9, b"\x82"),
        frame(DATA, 1, 9, b"end"),
        frame(HEADERS, ENDS, 9, b"\x82"),
        frame(DATA, 1, 1, b"\0\0\x01\x01\x05\0\0\0\x01\x82"),
        frame(kind::RST_STREAM, 0, 1, &[0; 4]),
        frame(6, 0, 0, &[0; 8]),
        vec![0xff; 5],
    ]
    .concat();
    for size in 1..=frames.len() {
        assert_eq!(marked(&frames, size), frames, "{size}");
    }
}

/// A client that lets streams stand until nobody can tell any more which are open.
#[test]
fn of_too_many_open_streams_all_may_have_trailers() {
    let on = |stream: usize, flags| {
        let mut frame = frame(HEADERS, flags, 0, b"\x82");
        frame[5..9].copy_from_slice(&u32::try_from(stream).unwrap().to_be_bytes());
        frame
    };
    let opened: Vec<_> = (0..OPEN_MAX + 1).flat_map(|at| on(2 * at + 1, 4)).collect();
    for stream in [1, 2 * OPEN_MAX - 1, 2 * OPEN_MAX + 1] {
        let sent = [opened.clone(), on(stream, ENDS)].concat();
        assert_eq!(marked(&sent, 100).len(), sent.len() + 1, "{stream}");
    }
}

/// Frames as clients send them, and as nobody does.
fn any_frames() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![Just(HEADERS), Just(DATA), any::<u8>()];
    let sizes = prop_oneof![Just(0x20), Just(0x3f), Just(0xff), Just(0x82), any::<u8>()];
    let one = (kinds, any::<u8>(), 0..6_u8, vec(sizes, 0..40))
        .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload));
    (vec(one, 0..12), vec(any::<u8>(), 0..30))
        .prop_map(|(frames, tail)| [frames.concat(), tail].concat())
}

/// The same without the bytes that trailers got: frame by frame, as long as there are whole ones.
fn without_marks(mut sent: &[u8], mut got: &[u8]) -> bool {
    let mut last = 0;
    while sent.len() >= HEAD_BYTES && sent.len() >= HEAD_BYTES + length(sent.first_chunk().unwrap())
    {
        let head: &[u8; HEAD_BYTES] = sent.first_chunk().unwrap();
        let Some(seen) = got.first_chunk::<HEAD_BYTES>() else {
            return false;
        };
        let (is, was) = (length(seen), length(head));
        let is_trailers = head[3] == HEADERS && stream(head) <= last;
        if head[3] == HEADERS {
            last = last.max(stream(head));
        }
        if is != was && !(is_trailers && is == was + 1) || head[3..] != seen[3..] {
            return false;
        }
        let (payload, rest) = sent[HEAD_BYTES..].split_at(was);
        let (found, behind) = got[HEAD_BYTES..].split_at(is);
        let gone = (0..found.len()).any(|at| [&found[..at], &found[at + 1..]].concat() == payload);
        if !(found == payload || gone) {
            return false;
        }
        (sent, got) = (rest, behind);
    }
    true
}

proptest! {
    #[test]
    fn whatever_comes_comes_out_in_whatever_pieces(frames in any_frames(), size in 1..50_usize) {
        let got = marked(&frames, frames.len() + PREFACE.len());
        prop_assert_eq!(&marked(&frames, size), &got);
        prop_assert_eq!(&marked(&frames, 1), &got);
        prop_assert!(without_marks(&frames, &got), "{:?}", got);
    }
}

/// A connection that is read in these pieces, at most.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(buf.remaining()));
            buf.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn all_that_was_read_is_handed_over() {
    let open = frame(HEADERS, 4, 1, b"head");
    let trailers = frame(HEADERS, ENDS, 1, b"\x82");
    let cut = &frame(DATA, 0, 1, b"cut")[..7];
    let sent = [PREFACE, &open, &trailers, cut].concat();
    let got = [PREFACE, &open, &frame(HEADERS, ENDS, 1, b"\x8f\x82"), cut].concat();
    for size in 1..=sent.len() {
        for room in [1, 2, 30, 200] {
            let pieces = sent.chunks(size).map(<[u8]>::to_vec).collect();
            let mut io = Marked::new(Pieces(pieces));
            let mut all: Vec<u8> = Vec::new();
            loop {
                let mut piece = vec![0; room];
                match io.read(&mut piece).await.unwrap() {
                    0 => break,
                    count => all.extend(&piece[..count]),
                }
            }
            assert_eq!(all, got, "{size} {room}");
        }
    }
}
