/// An entity tag (RFC 9110 8.8.3), borrowed from a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntityTag<'a> {
    pub(super) weak: bool,
    /// What stands between the quotes.
    pub(super) opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.trim_ascii();
        let (weak, quoted) = match bytes.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, bytes),
        };
        let opaque = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        opaque
            .iter()
            .all(is_etag_byte)
            .then_some(Self { weak, opaque })
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let prefix: &[u8] = if self.weak { b"W/\"" } else { b"\"" };
        [prefix, self.opaque, b"\""].concat()
    }
}

/// The members of a list of entity tags: commas between quotes belong to the tag.
pub(super) fn tag_members(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    })
    .map(<[u8]>::trim_ascii)
    .filter(|member| !member.is_empty())
}

/// `etagc`. Spaces do not belong there, but some origins write them, and every client sends them
/// back as they are.
fn is_etag_byte(byte: &u8) -> bool {
    *byte == b' ' || *byte == 0x21 || (0x23..=0x7E).contains(byte) || *byte >= 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_is_no_tag() {
        for text in [
            "", "a", "\"", "\"a", "a\"", "W/", "w/\"a\"", "W/ \"a\"", "\"a\"b\"", "\"a\tb\"", "*",
        ] {
            assert_eq!(EntityTag::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn tells_weak_from_strong() {
        for (text, weak, opaque) in [
            ("\"\"", false, ""),
            (" \"a,b\" ", false, "a,b"),
            ("W/\"a\\\"", true, "a\\"),
            ("\"\u{e9} x\"", false, "\u{e9} x"),
        ] {
            let tag = EntityTag {
                weak,
                opaque: opaque.as_bytes(),
            };
            assert_eq!(EntityTag::parse(text.as_bytes()), Some(tag), "{text:?}");
            assert_eq!(tag.to_bytes(), text.trim().as_bytes());
        }
    }

    #[test]
    fn commas_between_quotes_do_not_part_members() {
        for (line, expect) in [
            ("", &[][..]),
            (" , ", &[]),
            ("\"a\",W/\"b\"", &["\"a\"", "W/\"b\""]),
            ("\"a,b\" , \"c\"", &["\"a,b\"", "\"c\""]),
            ("a,\"b", &["a", "\"b"]),
            ("\"a,b", &["\"a,b"]),
        ] {
            let members: Vec<_> = tag_members(line.as_bytes()).collect();
            let expect: Vec<_> = expect.iter().map(|member| member.as_bytes()).collect();
            assert_eq!(members, expect, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn tags_survive_lists(opaque in prop::collection::vec("[ -!#-~]{0,6}", 1..4)) {
            let tags: Vec<_> = opaque
                .iter()
                .map(|opaque| EntityTag { weak: opaque.len() % 2 == 0, opaque: opaque.as_bytes() })
                .collect();
            let line = tags.iter().map(|tag| tag.to_bytes()).collect::<Vec<_>>().join(&b","[..]);
            let read: Vec<_> = tag_members(&line).filter_map(EntityTag::parse).collect();
            prop_assert_eq!(read, tags);
        }

        #[test]
        fn never_panics(line in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = tag_members(&line).filter_map(EntityTag::parse).count();
        }
    }
}
