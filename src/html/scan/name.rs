//! Names of tags, in small letters, and which of them are more than a name to a parser.

use super::tokens::{SCRIPT, Text};

/// The name of a tag: nearly all have at most eight letters, and are compared as a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// The first eight bytes, the first one lowest.
    start: u64,
    length: usize,
    /// All others, as far as they are kept.
    rest: Vec<u8>,
}

/// Longer names are nobody's; what comes behind is not kept.
pub(super) const MAX_NAME: usize = 128;

impl Name {
    pub(super) fn clear(&mut self) {
        self.start = 0;
        self.length = 0;
        self.rest.clear();
    }

    pub(super) fn push(&mut self, letter: u8) {
        let letter = letter.to_ascii_lowercase();
        match self.length {
            0..8 => self.start |= u64::from(letter) << (8 * self.length),
            8..MAX_NAME => self.rest.push(letter),
            _ => {}
        }
        self.length += 1;
    }

    pub(super) fn set(&mut self, name: &[u8]) {
        self.clear();
        name.iter().for_each(|letter| self.push(*letter));
    }

    /// Whether some of it was not kept.
    pub(super) fn is_cut(&self) -> bool {
        self.length > MAX_NAME
    }

    pub(super) fn is(&self, name: &[u8]) -> bool {
        self.length == name.len()
            && self.start == key(name)
            && name.get(8..).is_none_or(|rest| rest == self.rest)
    }

    pub(super) fn push_onto(&self, out: &mut Vec<u8>) {
        let start = self.start.to_le_bytes();
        out.extend_from_slice(&start[..self.length.min(8)]);
        out.extend_from_slice(&self.rest);
    }

    /// Whether the element has no content (to lol_html, with which this must agree).
    pub(super) fn is_void(&self) -> bool {
        VOID.iter()
            .any(|(name, length)| (self.start, self.length) == (*name, *length))
    }

    /// How what follows the start tag is read.
    pub(super) fn text(&self) -> Text {
        const TITLE: u64 = key(b"title");
        const TEXTAREA: u64 = key(b"textarea");
        const STYLE: u64 = key(b"style");
        const IFRAME: u64 = key(b"iframe");
        const XMP: u64 = key(b"xmp");
        const NOEMBED: u64 = key(b"noembed");
        const NOFRAMES: u64 = key(b"noframes");
        const NOSCRIPT: u64 = key(b"noscript");
        const SCRIPT_KEY: u64 = key(SCRIPT);
        match (self.start, self.length) {
            (SCRIPT_KEY, 6) => Text::Script,
            (TITLE, 5) => Text::Raw(b"title"),
            (TEXTAREA, 8) => Text::Raw(b"textarea"),
            (STYLE, 5) => Text::Raw(b"style"),
            (IFRAME, 6) => Text::Raw(b"iframe"),
            (XMP, 3) => Text::Raw(b"xmp"),
            (NOEMBED, 7) => Text::Raw(b"noembed"),
            (NOFRAMES, 8) => Text::Raw(b"noframes"),
            (NOSCRIPT, 8) => Text::Raw(b"noscript"),
            _ if self.is(b"plaintext") => Text::Plain,
            _ => Text::Data,
        }
    }
}

/// The first eight bytes of a name, as a number.
const fn key(name: &[u8]) -> u64 {
    let mut key = 0;
    let mut at = 0;
    while at < name.len() && at < 8 {
        key |= (name[at] as u64) << (8 * at);
        at += 1;
    }
    key
}

const VOID: [(u64, usize); 17] = [
    (key(b"area"), 4),
    (key(b"base"), 4),
    (key(b"basefont"), 8),
    (key(b"bgsound"), 7),
    (key(b"br"), 2),
    (key(b"col"), 3),
    (key(b"embed"), 5),
    (key(b"hr"), 2),
    (key(b"img"), 3),
    (key(b"input"), 5),
    (key(b"keygen"), 6),
    (key(b"link"), 4),
    (key(b"meta"), 4),
    (key(b"param"), 5),
    (key(b"source"), 6),
    (key(b"track"), 5),
    (key(b"wbr"), 3),
];
