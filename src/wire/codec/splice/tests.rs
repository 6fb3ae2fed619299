use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::wire::{Coding, Decoder};

fn packed(plain: &[u8], level: u32) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::new(level));
    packer.write_all(plain).unwrap();
    packer.finish().unwrap()
}

/// With a flush behind each piece.
fn packed_in_pieces(plain: &[u8], level: u32, piece: usize) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::new(level));
    for piece in plain.chunks(piece) {
        packer.write_all(piece).unwrap();
        packer.flush().unwrap();
    }
    packer.finish().unwrap()
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(Coding::Gzip).unwrap();
    let mut input = Bytes::copy_from_slice(packed);
    let mut plain = Vec::new();
    loop {
        let piece = decoder.decode(&mut input).unwrap();
        if piece.is_empty() {
            decoder.finish().unwrap();
            assert_eq!(
                decoder.total_in(),
                packed.len() as u64,
                "all of it is the stream"
            );
            return plain;
        }
        plain.extend_from_slice(&piece);
    }
}

/// Lays `text` in at `at`, as a page does that comes in chunks of `size`.
fn spliced(packed: &[u8], at: usize, text: &[u8], size: usize) -> Vec<u8> {
    let mut decoder = Decoder::new(Coding::Gzip).unwrap();
    let mut splicer = Splicer::new(packed).unwrap();
    let (mut out, mut position) = (Vec::new(), 0);
    for chunk in packed.chunks(size) {
        let mut input = Bytes::copy_from_slice(chunk);
        loop {
            let piece = decoder.decode(&mut input).unwrap();
            if piece.is_empty() {
                break;
            }
            note(&mut splicer, &piece, at, position, text);
            position += piece.len();
        }
        let read = decoder.total_in() - splicer.taken();
        out.extend_from_slice(&splicer.splice(&chunk[..read as usize]).unwrap());
    }
    decoder.finish().unwrap();
    out.extend_from_slice(&splicer.finish().unwrap());
    out
}

fn note(splicer: &mut Splicer, piece: &[u8], at: usize, position: usize, text: &[u8]) {
    let mut page = piece.to_vec();
    let falls_here = (position..=position + piece.len()).contains(&at);
    if falls_here && splicer.is_looking() {
        page.splice(at - position..at - position, text.iter().copied());
    }
    splicer.note(piece, &page);
    if falls_here {
        assert!(splicer.settle());
    }
}

fn with_text(plain: &[u8], at: usize, text: &[u8]) -> Vec<u8> {
    [&plain[..at], text, &plain[at..]].concat()
}

/// Words that come again, near and far.
fn page(length: usize, seed: usize) -> Vec<u8> {
    let mut state = seed as u32 | 1;
    let mut next = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) & 0xffff) % below.max(1)
    };
    let mut out = b"<!DOCTYPE html><html><head><title>t</title>".to_vec();
    while out.len() < length {
        match next(4) {
            0 => out.extend_from_slice(format!("<td class=\"c{}\">", next(40)).as_bytes()),
            1 => out.extend_from_slice(format!("{:04}.{:02}", next(9999), next(99)).as_bytes()),
            2 => {
                let from = next(out.len() as u32) as usize % out.len();
                let to = (from + 3 + next(300) as usize).min(out.len());
                out.extend_from_within(from..to);
            }
            _ => out.push(next(256) as u8),
        }
    }
    out.truncate(length);
    out
}

const TAG: &[u8] =
    b"<script id=\"cobrowse\" src=\"/cobrowse/loader.js?v=1\" data-groupid=\"15687\"></script>";

#[test]
fn a_page_is_the_same_but_for_what_was_inserted() {
    for length in [1, 10, 300, 5_000, 40_000, 70_000, 200_000, 600_000] {
        let plain = page(length, 7);
        for level in [0, 1, 2, 6, 9] {
            let packed = packed(&plain, level);
            for at in [0, 1, 40, 43, 2000] {
                let at = at.min(plain.len());
                for size in [packed.len(), 16 * 1024] {
                    let out = spliced(&packed, at, TAG, size);
                    let same = unpacked(&out) == with_text(&plain, at, TAG);
                    assert!(same, "{length} bytes at {level}, {at}, by {size}");
                }
            }
        }
    }
}

/// As others see it too, who are less patient than ours.
#[test]
fn other_readers_read_the_same() {
    let plain = page(100_000, 3);
    for level in [0, 1, 6, 9] {
        let out = spliced(&packed(&plain, level), 43, TAG, 5000);
        let expected = with_text(&plain, 43, TAG);
        let mut room = vec![0; expected.len()];
        let mut reader = libdeflater::Decompressor::new();
        assert_eq!(
            reader.gzip_decompress(&out, &mut room).unwrap(),
            expected.len()
        );
        assert!(room == expected, "{level}");
    }
}

#[test]
fn what_is_behind_the_zone_goes_on_byte_for_byte() {
    let plain = page(400_000, 5);
    let packed = packed(&plain, 6);
    let out = spliced(&packed, 43, TAG, 4096);
    let rest = packed.len() / 2..packed.len() - 8;
    let tail = &out[..out.len() - 8];
    assert!(tail.ends_with(&packed[rest]));
    assert!(
        out.len() < packed.len() + 1500,
        "{} of {}",
        out.len(),
        packed.len()
    );
}

#[test]
fn every_byte_by_itself_makes_no_difference() {
    let plain = page(45_000, 11);
    for level in [0, 1, 6] {
        let packed = packed(&plain, level);
        let out = spliced(&packed, 100, TAG, packed.len());
        let start = &packed[..10];
        let mut decoder = Decoder::new(Coding::Gzip).unwrap();
        let mut splicer = Splicer::new(start).unwrap();
        let mut by_bytes = Vec::new();
        let mut position = 0;
        for byte in packed.chunks(1) {
            let mut input = Bytes::copy_from_slice(byte);
            loop {
                let piece = decoder.decode(&mut input).unwrap();
                if piece.is_empty() {
                    break;
                }
                note(&mut splicer, &piece, 100, position, TAG);
                position += piece.len();
            }
            by_bytes.extend_from_slice(&splicer.splice(byte).unwrap());
        }
        by_bytes.extend_from_slice(&splicer.finish().unwrap());
        assert!(unpacked(&by_bytes) == unpacked(&out), "{level}");
    }
}

#[test]
fn what_the_origin_flushed_goes_on_to_its_last_byte() {
    for (length, piece) in [(9_000, 1_000), (200_000, 20_000)] {
        let plain = page(length, 13);
        for level in [1, 6] {
            let packed = packed_in_pieces(&plain, level, piece);
            let mut decoder = Decoder::new(Coding::Gzip).unwrap();
            let mut reader = Decoder::new(Coding::Gzip).unwrap();
            let mut splicer = Splicer::new(&packed).unwrap();
            let (mut position, mut arrived, mut begin) = (0, 0, 0);
            let flushes = packed.windows(4).enumerate();
            let flushes = flushes.filter(|(_, bytes)| *bytes == FLUSHED);
            for (flush, _) in flushes.collect::<Vec<_>>() {
                let chunk = &packed[begin..flush + 4];
                begin = flush + 4;
                let mut input = Bytes::copy_from_slice(chunk);
                loop {
                    let read = decoder.decode(&mut input).unwrap();
                    if read.is_empty() {
                        break;
                    }
                    note(&mut splicer, &read, 43, position, TAG);
                    position += read.len();
                }
                let mut sent = BytesMut::from(splicer.splice(chunk).unwrap());
                sent.extend_from_slice(&splicer.flush());
                let mut sent = sent.freeze();
                loop {
                    let read = reader.decode(&mut sent).unwrap();
                    if read.is_empty() {
                        break;
                    }
                    arrived += read.len();
                }
                assert_eq!(
                    arrived,
                    position + TAG.len(),
                    "{length} at {level}, {flush}"
                );
            }
            assert!(position >= length - piece, "{position}");
        }
    }
}

#[test]
fn heads_with_a_name_are_read_and_odd_ones_are_not() {
    let plain = page(3000, 17);
    let mut packer = flate2::GzBuilder::new()
        .filename("page.html")
        .comment("a page")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), Compression::new(6));
    packer.write_all(&plain).unwrap();
    let named = packer.finish().unwrap();
    let out = spliced(&named, 43, TAG, 500);
    assert_eq!(unpacked(&out), with_text(&plain, 43, TAG));
    for odd in [&named[..20], &named[..9], b"", b"<!DOCTYPE html>"] {
        assert!(Splicer::new(odd).is_none());
    }
    for flag in [2, 32, 64, 128] {
        let mut odd = packed(&plain, 6);
        odd[FLAGS] |= flag;
        assert!(Splicer::new(&odd).is_none(), "{flag}");
    }
}

#[test]
fn more_than_one_insertion_is_for_others() {
    let packed = packed(b"one two three", 6);
    let mut splicer = Splicer::new(&packed).unwrap();
    splicer.note(b"one two three", b"one +two +three");
    assert!(!splicer.settle());
    assert_eq!(splicer.give_up(), b"one +two +three");
    let mut splicer = Splicer::new(&packed).unwrap();
    splicer.note(b"one two three", b"two three");
    assert!(!splicer.settle());
}

#[test]
fn a_page_in_which_nothing_is_found_is_read_for_a_while_only() {
    let start = packed(b"", 6);
    let mut splicer = Splicer::new(&start).unwrap();
    let piece = vec![b' '; 8 * 1024];
    let notes = (0..20).take_while(|_| splicer.note(&piece, &piece));
    assert_eq!(notes.count() * piece.len(), LOOKING_MAX);
}

#[test]
fn blocks_of_nothing_are_held_for_a_while_only() {
    let mut splicer = Splicer::new(&packed(b"", 6)).unwrap();
    let nothing = b"\0\0\0\xff\xff".repeat(1000);
    let pieces = (0..100).take_while(|_| {
        assert!(splicer.splice(&nothing).unwrap().is_empty());
        !splicer.has_looked_enough()
    });
    assert_eq!(pieces.count(), LOOKING_MAX / nothing.len());
}

#[test]
fn a_stream_that_is_not_whole_has_no_trailer() {
    let plain = page(90_000, 19);
    let packed = packed(&plain, 6);
    for cut in [1, 7, 9, 100, packed.len() / 2, packed.len() - 20] {
        let mut decoder = Decoder::new(Coding::Gzip).unwrap();
        let mut splicer = Splicer::new(&packed).unwrap();
        let chunk = &packed[..packed.len() - cut];
        let mut input = Bytes::copy_from_slice(chunk);
        let mut position = 0;
        loop {
            let piece = decoder.decode(&mut input).unwrap();
            if piece.is_empty() {
                break;
            }
            note(&mut splicer, &piece, 43, position, TAG);
            position += piece.len();
        }
        splicer.splice(chunk).unwrap();
        // What it cannot tell by itself, who inflates can.
        assert!(decoder.finish().is_err(), "{cut}");
    }
}

#[test]
fn all_paddings_move_by_what_they_say() {
    for by in 0..16 {
        let mut out = bits::BitWriter::default();
        block::write_padding(by, &mut out);
        assert_eq!(out.phase(), by % 8);
        block::write_block(b"behind", &mut out);
        block::write_stream_end(&mut out);
        out.align();
        let deflated = out.take();
        let mut plain = Vec::new();
        flate2::write::DeflateDecoder::new(&mut plain)
            .write_all(&deflated)
            .unwrap();
        assert_eq!(plain, b"behind", "{by}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_page_anywhere_in_any_chunking(
        length in 1_usize..90_000,
        seed in any::<usize>(),
        level in 0_u32..10,
        at in 0_usize..6_000,
        text in proptest::collection::vec(any::<u8>(), 0..400),
        size in 1_usize..40_000,
        flush in proptest::option::of(200_usize..30_000),
    ) {
        let plain = page(length, seed);
        let at = at.min(plain.len());
        let packed = match flush {
            None => packed(&plain, level),
            Some(piece) => packed_in_pieces(&plain, level, piece),
        };
        let size = size.max(10);
        let out = spliced(&packed, at, &text, size);
        prop_assert!(unpacked(&out) == with_text(&plain, at, &text));
    }

    /// Bytes that are no stream end in an error, or are waited for.
    #[test]
    fn any_bytes_are_read_without_harm(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        at in 0_usize..50,
        text in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut walk = Walk::new(Insertion { at, text: text.into() }, &[]);
        let _ = walk.read(&bytes, &vec![b'x'; 70_000]);
        walk.take();
    }
}
