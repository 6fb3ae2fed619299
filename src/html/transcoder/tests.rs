use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, GB18030, GBK, IBM866, ISO_8859_8_I, KOI8_U, MACINTOSH, SHIFT_JIS,
    WINDOWS_874, WINDOWS_1251, WINDOWS_1252, X_USER_DEFINED,
};
use proptest::prelude::*;

use super::*;

const NOT_UTF_16: [&Encoding; 14] = [
    BIG5,
    EUC_JP,
    EUC_KR,
    GB18030,
    GBK,
    IBM866,
    ISO_8859_8_I,
    KOI8_U,
    MACINTOSH,
    SHIFT_JIS,
    WINDOWS_874,
    WINDOWS_1251,
    WINDOWS_1252,
    X_USER_DEFINED,
];

fn marks(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| is_mark(*byte)).collect()
}

/// What `take` counts on: in whatever bytes, the marks are the marks of the text.
#[test]
fn marks_are_characters_of_their_own_in_any_two_bytes() {
    for encoding in NOT_UTF_16 {
        for pair in 0..=u16::MAX {
            for page in [
                &pair.to_be_bytes()[..],
                &[&pair.to_be_bytes()[..], b"<"].concat(),
            ] {
                let (text, _) = encoding.decode_without_bom_handling(page);
                let found = marks(text.as_bytes());
                assert_eq!(found, marks(page), "{} {page:x?}", encoding.name());
            }
        }
    }
}

/// Bytes that are likely to begin, continue and break characters.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let likely =
        prop::sample::select(b"<> ]\\5a|\x80\x81\x8e\x8f\xa1\xd8\xdc\xe0\xfe\xff\0\xd9".to_vec());
    prop::collection::vec(prop_oneof![3 => likely, 1 => any::<u8>()], 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn marks_are_characters_of_their_own_in_any_bytes(page in bytes()) {
        for encoding in NOT_UTF_16 {
            let (text, _) = encoding.decode_without_bom_handling(&page);
            prop_assert_eq!(marks(text.as_bytes()), marks(&page), "{}", encoding.name());
        }
    }

    /// Whatever the chunks: the text is what a browser reads, the bytes come back as they were,
    /// and each piece of the text that ends in front of a mark with the bytes that it was.
    #[test]
    fn text_and_bytes_stay_together(page in bytes(), chunk in 1usize..9, size in 1usize..12) {
        for encoding in NOT_UTF_16.into_iter().chain([UTF_16BE, UTF_16LE]) {
            let mut transcoder = Transcoder::new(encoding);
            let mut text = Vec::new();
            for chunk in page.chunks(chunk) {
                text.extend_from_slice(&transcoder.read(chunk));
            }
            let (whole, _) = encoding.decode_without_bom_handling(&page);
            // What is not a whole character at the end is not read.
            prop_assert!(whole.as_bytes().starts_with(&text));
            prop_assert!(whole.len() - text.len() <= 12);
            let mut out = BytesMut::new();
            let mut raw_end = BytesMut::new();
            let mut rest = &text[..];
            while !rest.is_empty() {
                let end = (size..rest.len()).find(|end| is_mark(rest[*end])).unwrap_or(rest.len());
                let (piece, behind) = rest.split_at(end);
                let from = out.len();
                transcoder.take(piece, &mut out);
                if !behind.is_empty() {
                    // The byte behind it, without which gb18030 takes digits to be cut off.
                    let mut raw = out[from..].to_vec();
                    transcoder.write(b" ", &mut raw_end);
                    raw.extend_from_slice(&raw_end.split());
                    let (read, _) = encoding.decode_without_bom_handling(&raw);
                    let expected = [piece, b" "].concat();
                    prop_assert_eq!(read.as_bytes(), expected, "{}", encoding.name());
                }
                rest = behind;
            }
            let left = transcoder.into_raw();
            prop_assert!(left.is_empty() || encoding == UTF_16BE || encoding == UTF_16LE || text.is_empty());
            out.extend_from_slice(&left);
            prop_assert_eq!(&out[..], &page[..]);
        }
    }
}

#[test]
fn our_text_is_written_in_the_pages_charset() {
    for (encoding, bytes) in [
        (UTF_16LE, &b"<\0a\0"[..]),
        (UTF_16BE, b"\0<\0a"),
        (SHIFT_JIS, b"<a"),
    ] {
        let mut out = BytesMut::new();
        Transcoder::new(encoding).write(b"<a", &mut out);
        assert_eq!(out, bytes);
    }
}
