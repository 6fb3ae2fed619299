use proptest::prelude::*;

use super::*;

const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Br, Coding::Zstd];

fn encoded(coding: Coding, plain: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    let mut encoder = Encoder::new(coding, CodingLevels::default()).unwrap();
    encoder.encode(plain, &mut out).unwrap();
    encoder.finish(&mut out).unwrap();
    out
}

fn decoded<'c>(
    coding: Coding,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> Result<Vec<u8>, CodecError> {
    let mut decoder = Decoder::new(coding).unwrap();
    let mut plain = Vec::new();
    for chunk in chunks {
        let mut input = Bytes::copy_from_slice(chunk);
        loop {
            let piece = decoder.decode(&mut input)?;
            assert!(piece.len() <= PIECE);
            if piece.is_empty() {
                break;
            }
            plain.extend_from_slice(&piece);
        }
        assert!(input.is_empty());
    }
    decoder.finish().map(|()| plain)
}

fn text(length: usize) -> Vec<u8> {
    (0..length)
        .map(|n| b"cobrowse <p>\n"[(n * n / 7) % 13])
        .collect()
}

#[test]
fn every_coding_gives_back_what_went_in_at_any_chunking() {
    for coding in CODINGS {
        for length in [0, 1, PIECE, 3 * PIECE + 1] {
            let plain = text(length);
            let packed = encoded(coding, &plain);
            for size in [1, 7, 4096, usize::MAX] {
                let chunks = packed.chunks(size.min(packed.len()));
                assert!(
                    decoded(coding, chunks).unwrap() == plain,
                    "{coding:?} {length} {size}"
                );
            }
        }
    }
}

#[test]
fn a_flush_lets_the_receiver_read_all_that_was_encoded() {
    for coding in CODINGS {
        let mut encoder = Encoder::new(coding, CodingLevels::default()).unwrap();
        let mut decoder = Decoder::new(coding).unwrap();
        for part in ["first", " second", " third"] {
            let mut out = BytesMut::new();
            encoder.encode(part.as_bytes(), &mut out).unwrap();
            encoder.flush(&mut out).unwrap();
            let mut input = out.freeze();
            assert_eq!(decoder.decode(&mut input).unwrap(), part, "{coding:?}");
        }
    }
}

#[test]
fn a_body_that_ends_early_is_an_error_wherever_it_is_cut() {
    for coding in CODINGS {
        let packed = encoded(coding, &text(300));
        for end in 1..packed.len() {
            assert!(
                decoded(coding, [&packed[..end]]).is_err(),
                "{coding:?} cut at {end}"
            );
        }
        assert_eq!(
            decoded(coding, []).unwrap(),
            b"",
            "{coding:?} without a byte"
        );
    }
}

#[test]
fn reads_deflate_without_its_zlib_wrapper() {
    let zlib = encoded(Coding::Deflate, &text(300));
    let raw = &zlib[2..zlib.len() - 4];
    assert_eq!(decoded(Coding::Deflate, raw.chunks(1)).unwrap(), text(300));
    assert!(decoded(Coding::Deflate, [&raw[..1]]).is_err());
}

#[test]
fn reads_zstd_frames_one_after_another_and_ignores_bytes_behind_other_streams() {
    let twice = |coding| [encoded(coding, b"one"), encoded(coding, b"two")].concat();
    assert_eq!(
        decoded(Coding::Zstd, twice(Coding::Zstd).chunks(1)).unwrap(),
        b"onetwo"
    );
    assert_eq!(
        decoded(Coding::Gzip, twice(Coding::Gzip).chunks(1)).unwrap(),
        b"one"
    );
}

#[test]
fn what_is_at_hand_as_a_whole_is_written_no_larger_than_what_comes_in_pieces() {
    let page = text(60_000);
    for coding in [Coding::Gzip, Coding::Deflate] {
        for gzip in 1..=9 {
            let levels = CodingLevels {
                gzip,
                ..CodingLevels::default()
            };
            let [whole, in_pieces] = [false, true].map(|is_flushed| {
                let mut out = BytesMut::new();
                let mut encoder = Encoder::new(coding, levels).unwrap();
                encoder.encode(&page[..page.len() / 2], &mut out).unwrap();
                if is_flushed {
                    encoder.flush(&mut out).unwrap();
                }
                encoder.encode(&page[page.len() / 2..], &mut out).unwrap();
                assert_eq!(out.is_empty(), !is_flushed, "{coding:?} {gzip}");
                encoder.finish(&mut out).unwrap();
                assert!(
                    decoded(coding, [&out[..]]).unwrap() == page,
                    "{coding:?} {gzip}"
                );
                out.len()
            });
            assert!(whole <= in_pieces, "{coding:?} {gzip}: {whole} {in_pieces}");
        }
    }
}

#[test]
fn a_gzip_body_is_the_same_at_once_and_byte_by_byte() {
    let both = |packed: &[u8]| {
        let at_once = decoded(Coding::Gzip, [packed]).ok();
        let byte_by_byte = decoded(Coding::Gzip, packed.chunks(1)).ok();
        assert!(at_once == byte_by_byte, "{packed:02x?}");
        at_once
    };
    let packed = encoded(Coding::Gzip, &text(300)).to_vec();
    assert_eq!(both(&packed).unwrap(), text(300));
    for at in 0..packed.len() {
        for bit in 0..8 {
            let mut spoiled = packed.clone();
            spoiled[at] ^= 1 << bit;
            both(&spoiled);
        }
    }
    // Behind the stream, what looks like the length of another, and the trailer once more.
    let trailer = &packed[packed.len() - 8..];
    for behind in [&[0; 4][..], &[44, 1, 0, 0], &packed, trailer] {
        assert_eq!(both(&[&packed[..], behind].concat()).unwrap(), text(300));
    }
}

#[test]
fn no_more_of_a_gzip_body_counts_as_read_than_its_stream() {
    let packed = encoded(Coding::Gzip, &text(300));
    let trailer = &packed[packed.len() - 8..];
    let other_trailer = [&[1, 2, 3, 4], &trailer[4..]].concat();
    for behind in [trailer, &trailer[4..], &other_trailer, &packed, b"\0"] {
        let mut decoder = Decoder::new(Coding::Gzip).unwrap();
        let mut input = Bytes::from([&packed[..], behind].concat());
        while !decoder.decode(&mut input).unwrap().is_empty() {}
        assert_eq!(decoder.total_in(), packed.len() as u64, "{behind:02x?}");
    }
}

#[test]
fn stops_at_a_body_that_was_made_to_explode() {
    let bomb = encoded(Coding::Br, &vec![b' '; 64 * 1024 * 1024]);
    assert!((bomb.len() as u64) < FREE_EXPANSION / MAX_EXPANSION);
    assert!(matches!(
        decoded(Coding::Br, [&bomb[..]]),
        Err(CodecError::Expansion)
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn garbage_is_an_error_or_a_body_but_never_a_panic(
        garbage in prop::collection::vec(any::<u8>(), 0..200),
        coding in prop::sample::select(CODINGS.to_vec()),
    ) {
        let _ = decoded(coding, garbage.chunks(13));
    }
}
