//! Fields of any text, and what a second reading of them makes of it.

use std::time::{Duration, UNIX_EPOCH};

use cobrowse_edge::wire::{
    Conditional, restore_foreign, restore_if_match, restore_up, sole_page_tag, tag_down,
};
use http::header::{
    ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED,
};

/// What texts are made of; a byte of the input takes one of them, or stands for itself.
const PIECES: &[&str] = &[
    "\"",
    "W/\"",
    "\", ",
    ",",
    " ",
    "\t",
    "*",
    "~ceS.v2\"",
    "~ceW.v2\"",
    "~ceL.v2\"",
    "~ceS.v1\"",
    "~ceL.v1\"",
    "~ce",
    "S.",
    "L.",
    "W.",
    "v2",
    "a",
    "0",
    "f",
    "2ebc98a1",
    "3afff4417f",
    "3afff44180",
    "+1",
    "\u{e9}",
    "W/\"a~ceS.v2\"",
    "\"b\"",
    "W/\"2ebc98a1~ceL.v2\"",
    "/",
    "w",
];

const VERSION: &str = "v2";

pub(crate) fn check(how: u8, text: &[u8]) {
    let lines: Vec<Vec<u8>> = text.split(|byte| *byte == 0xff).map(written).collect();
    let values = lines
        .iter()
        .take(4)
        .filter_map(|line| HeaderValue::from_bytes(line).ok());
    let values: Vec<_> = values.filter(|value| value.len() <= 512).collect();
    let fields = [&IF_NONE_MATCH, &IF_MATCH, &ETAG, &LAST_MODIFIED];
    let name = fields[usize::from(how & 3)];
    let mut headers = HeaderMap::new();
    for value in &values {
        headers.append(name, value.clone());
    }
    if how & 4 != 0 {
        headers.insert(IF_MODIFIED_SINCE, HeaderValue::from_static("yesterday"));
    }
    let read = Read::of(&values);
    match name {
        _ if *name == IF_NONE_MATCH && how & 8 == 0 => check_up(headers, &read),
        _ if *name == IF_NONE_MATCH => check_foreign(headers, &read),
        _ if *name == IF_MATCH => check_if_match(headers, &read),
        _ => check_down(headers),
    }
}

fn written(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in bytes {
        match PIECES.get(usize::from(*byte).wrapping_sub(0x80)) {
            Some(piece) => text.extend_from_slice(piece.as_bytes()),
            None => text.push(*byte),
        }
    }
    text
}

/// The members of a list.
#[derive(Debug, Default)]
struct Read {
    all: Vec<Member>,
}

#[derive(Clone, Debug)]
enum Member {
    Foreign(Vec<u8>),
    /// The origin's tag, and the version.
    Tag(Vec<u8>, Vec<u8>, Vec<u8>),
    /// Seconds, and the version.
    Date(u64, Vec<u8>, Vec<u8>),
}

impl Read {
    fn of(values: &[HeaderValue]) -> Self {
        let mut read = Self::default();
        for value in values {
            let (mut member, mut quotes) = (Vec::new(), 0);
            for byte in value.as_bytes().iter().copied().chain([0]) {
                if byte == 0 || byte == b',' && quotes % 2 == 0 {
                    let text = std::mem::take(&mut member);
                    let text = text.trim_ascii();
                    if !text.is_empty() {
                        read.all.push(Member::of(text));
                    }
                } else {
                    quotes += usize::from(byte == b'"');
                    member.push(byte);
                }
            }
        }
        read
    }

    fn ours(&self) -> usize {
        let foreign = |member: &&Member| matches!(member, Member::Foreign(_));
        self.all.len() - self.all.iter().filter(foreign).count()
    }

    /// What is written of members that are ours and of `version`: the field, and its text.
    fn restored(&self, version: Option<&str>, with_foreign: bool) -> Restored {
        let of = |own: &[u8]| version.is_none_or(|version| own == version.as_bytes());
        let (mut tags, mut foreign, mut date) = (Vec::new(), Vec::new(), None::<u64>);
        for member in &self.all {
            match member {
                Member::Foreign(text) if with_foreign => foreign.push(text.clone()),
                Member::Tag(tag, own, _) if of(own) => tags.push(tag.clone()),
                Member::Date(at, own, _) if of(own) => {
                    date = Some(date.map_or(*at, |date| date.min(*at)));
                }
                _ => {}
            }
        }
        Restored {
            tags,
            foreign,
            date,
        }
    }
}

struct Restored {
    tags: Vec<Vec<u8>>,
    foreign: Vec<Vec<u8>>,
    date: Option<u64>,
}

impl Restored {
    fn is_current(&self) -> bool {
        !self.tags.is_empty() || self.date.is_some()
    }

    fn list(&self) -> Option<Vec<u8>> {
        let all = [self.foreign.as_slice(), &self.tags].concat();
        (!all.is_empty()).then(|| all.join(&b", "[..]))
    }

    fn date(&self) -> Option<Vec<u8>> {
        let alone = self.list().is_none();
        let at = self.date.filter(|_| alone)?;
        let at = UNIX_EPOCH + Duration::from_secs(at);
        Some(httpdate::fmt_http_date(at).into_bytes())
    }
}

impl Member {
    fn of(text: &[u8]) -> Self {
        Self::ours(text).unwrap_or_else(|| Self::Foreign(text.to_owned()))
    }

    fn ours(text: &[u8]) -> Option<Self> {
        let quoted = text.strip_prefix(b"W/").unwrap_or(text);
        let [b'"', opaque @ .., b'"'] = quoted else {
            return None;
        };
        if opaque
            .iter()
            .any(|byte| matches!(byte, 0..=0x1f | b'"' | 0x7f))
        {
            return None;
        }
        let marks = (0..opaque.len()).rev();
        let at = marks
            .into_iter()
            .find(|at| opaque[*at..].starts_with(b"~ce"))?;
        let (origin, [_, _, _, kind, b'.', version @ ..]) = opaque.split_at(at) else {
            return None;
        };
        if version.is_empty() {
            return None;
        }
        let (whole, version) = (text.to_owned(), version.to_owned());
        match kind {
            b'S' => Some(Self::Tag([b"\"", origin, b"\""].concat(), version, whole)),
            b'W' => Some(Self::Tag([b"W/\"", origin, b"\""].concat(), version, whole)),
            b'L' => {
                let hex = std::str::from_utf8(origin).ok()?;
                let plain = hex.chars().all(|digit| digit.is_ascii_hexdigit());
                let at = u64::from_str_radix(hex, 16).ok().filter(|_| plain)?;
                (at < 253_402_300_800).then_some(Self::Date(at, version, whole))
            }
            _ => None,
        }
    }
}

fn only(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let mut lines = headers.get_all(name).into_iter();
    let first = lines.next()?.as_bytes().to_owned();
    assert!(lines.next().is_none(), "several lines in {headers:?}");
    Some(first)
}

fn check_up(mut headers: HeaderMap, read: &Read) {
    let asked = headers.clone();
    let conditional = restore_up(&mut headers, VERSION);
    let expect = read.restored(Some(VERSION), false);
    assert_eq!(only(&headers, &IF_NONE_MATCH), expect.list(), "{asked:?}");
    assert_eq!(
        only(&headers, &IF_MODIFIED_SINCE),
        expect.date(),
        "{asked:?}"
    );
    let expect = match expect.is_current() {
        true => Conditional::Page,
        false => Conditional::Unconditional,
    };
    assert_eq!(conditional, expect, "{asked:?}");
    let current = read.all.iter().filter_map(|member| match member {
        Member::Tag(_, own, whole) | Member::Date(_, own, whole) if own == VERSION.as_bytes() => {
            Some(whole)
        }
        _ => None,
    });
    let current: Vec<_> = current.collect();
    let sole = sole_page_tag(&asked, VERSION);
    let sole = sole.map(|sole| sole.as_bytes().to_owned());
    let expect = (current.len() == 1).then(|| current[0].clone());
    assert_eq!(sole, expect, "{asked:?}");
}

fn check_foreign(mut headers: HeaderMap, read: &Read) {
    let asked = headers.clone();
    let conditional = restore_foreign(&mut headers, VERSION);
    if read.ours() == 0 {
        assert_eq!(headers, asked);
        assert!(matches!(conditional, Conditional::Mixed { .. }));
        return;
    }
    let expect = read.restored(Some(VERSION), true);
    assert_eq!(only(&headers, &IF_NONE_MATCH), expect.list(), "{asked:?}");
    assert_eq!(
        only(&headers, &IF_MODIFIED_SINCE),
        expect.date(),
        "{asked:?}"
    );
    let nothing = expect.list().is_none() && expect.date().is_none();
    let expect = match nothing {
        true => Conditional::Unconditional,
        false => Conditional::Mixed {
            made_of_date: expect.date().is_some(),
            restored: expect.tags,
        },
    };
    assert_eq!(conditional, expect, "{asked:?}");
}

fn check_if_match(mut headers: HeaderMap, read: &Read) {
    let asked = headers.clone();
    restore_if_match(&mut headers);
    if read.ours() == 0 {
        assert_eq!(headers, asked);
        return;
    }
    let expect = read.restored(None, true);
    assert_eq!(only(&headers, &IF_MATCH), expect.list(), "{asked:?}");
    assert_eq!(
        only(&headers, &IF_UNMODIFIED_SINCE),
        expect.date(),
        "{asked:?}"
    );
}

/// What goes down comes up again as it was, and nothing else goes down.
fn check_down(mut headers: HeaderMap) {
    let origin = headers.clone();
    tag_down(&mut headers, VERSION);
    let Some(tag) = only(&headers, &ETAG) else {
        return;
    };
    let mut up = HeaderMap::new();
    up.insert(IF_NONE_MATCH, HeaderValue::from_bytes(&tag).expect("a tag"));
    assert_eq!(
        restore_up(&mut up, VERSION),
        Conditional::Page,
        "{origin:?}"
    );
    match only(&up, &IF_NONE_MATCH) {
        Some(tag) => {
            let known = origin[ETAG].as_bytes().trim_ascii();
            assert_eq!(tag, known, "{origin:?}");
        }
        None => {
            let since = only(&up, &IF_MODIFIED_SINCE).expect("one of them");
            let since = String::from_utf8(since).expect("a date");
            let known = origin[LAST_MODIFIED].to_str().expect("a date");
            let read = httpdate::parse_http_date;
            assert_eq!(read(&since).ok(), read(known).ok(), "{origin:?}");
        }
    }
}
