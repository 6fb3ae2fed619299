use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

use super::entity_tag::EntityTag;

/// The entity tag of a page as the visitor gets it: the origin's validator, and the version of the
/// plan by which the page was edited, as in `W/"abc~ceS.v1"`.
///
/// It is always weak, since a page may go out in another coding than it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageTag<'a> {
    pub(super) origin: Validator<'a>,
    pub(super) version: &'a [u8],
}

/// What the origin knows its page by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validator<'a> {
    Modified(SystemTime),
    Tag(EntityTag<'a>),
}

/// Parts the origin's tag from ours. What the origin's tag contains does not matter: the last one
/// is ours.
const MARK: &[u8] = b"~ce";

/// The first second of the year 10000, which no HTTP date can say.
const SECONDS_END: u64 = 253_402_300_800;

impl<'a> PageTag<'a> {
    /// `None` for a tag that the edge did not make.
    pub(super) fn read(tag: EntityTag<'a>) -> Option<Self> {
        let at = tag
            .opaque
            .windows(MARK.len())
            .rposition(|part| part == MARK)?;
        let opaque = &tag.opaque[..at];
        let (kind, version) = match &tag.opaque[at + MARK.len()..] {
            [kind, b'.', version @ ..] if !version.is_empty() => (kind, version),
            _ => return None,
        };
        let origin = match kind {
            b'L' => Validator::Modified(parse_seconds(opaque)?),
            b'S' => Validator::Tag(EntityTag {
                weak: false,
                opaque,
            }),
            b'W' => Validator::Tag(EntityTag { weak: true, opaque }),
            _ => return None,
        };
        Some(Self { origin, version })
    }

    /// `None` where no tag can be made of it.
    pub(super) fn render(self) -> Option<HeaderValue> {
        let seconds;
        let (opaque, kind) = match self.origin {
            Validator::Modified(time) => {
                let since = time.duration_since(UNIX_EPOCH).ok()?;
                seconds = format!("{:x}", since.as_secs());
                (seconds.as_bytes(), b"L.")
            }
            Validator::Tag(tag) if tag.weak => (tag.opaque, b"W."),
            Validator::Tag(tag) => (tag.opaque, b"S."),
        };
        let tag = [b"W/\"", opaque, MARK, kind, self.version, b"\""].concat();
        EntityTag::parse(&tag).and_then(PageTag::read)?;
        HeaderValue::try_from(tag).ok()
    }
}

fn parse_seconds(hex: &[u8]) -> Option<SystemTime> {
    let plain = !hex.is_empty() && hex.iter().all(u8::is_ascii_hexdigit);
    let hex = std::str::from_utf8(hex).ok().filter(|_| plain)?;
    let seconds = u64::from_str_radix(hex, 16).ok()?;
    let known = seconds < SECONDS_END;
    known.then(|| UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<PageTag<'_>> {
        PageTag::read(EntityTag::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn foreign_tags_are_told_apart() {
        for text in [
            "\"abc\"",
            "\"\"",
            "\"~ce\"",
            "\"a~ceS\"",
            "\"a~ceS.\"",
            "\"a~ceX.v\"",
            "\"a~CES.v\"",
            "\"~ceL.v\"",
            "\"g~ceL.v\"",
            "\"+1~ceL.v\"",
            "\"11112222333344445~ceL.v\"",
            "\"3afff44180~ceL.v\"",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_mark_is_ours() {
        let found = read("W/\"a~ceS.v1~ceW.v2\"").unwrap();
        let opaque = b"a~ceS.v1";
        let expect = Validator::Tag(EntityTag { weak: true, opaque });
        assert_eq!((found.origin, found.version), (expect, &b"v2"[..]));
    }

    #[test]
    fn what_was_rendered_is_read_again() {
        let time = UNIX_EPOCH + Duration::from_secs(SECONDS_END - 1);
        for (origin, text) in [
            (
                Validator::Tag(EntityTag {
                    weak: false,
                    opaque: b"a,b",
                }),
                "W/\"a,b~ceS.v\"",
            ),
            (
                Validator::Tag(EntityTag {
                    weak: true,
                    opaque: b"",
                }),
                "W/\"~ceW.v\"",
            ),
            (Validator::Modified(UNIX_EPOCH), "W/\"0~ceL.v\""),
            (Validator::Modified(time), "W/\"3afff4417f~ceL.v\""),
        ] {
            let tag = PageTag {
                origin,
                version: b"v",
            };
            assert_eq!(tag.render().unwrap(), text);
            assert_eq!(read(text), Some(tag));
        }
    }

    #[test]
    fn a_version_that_is_no_token_makes_no_tag() {
        let origin = Validator::Modified(UNIX_EPOCH);
        for version in [&b""[..], b"\"", b"a\nb"] {
            assert_eq!(PageTag { origin, version }.render(), None, "{version:?}");
        }
    }
}
