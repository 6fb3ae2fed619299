//! Names of tags, in small letters, and which of them are more than a name to a parser.

use super::tokens::{SCRIPT, Text, ends_name};

/// The name of a tag: nearly all have at most eight letters, and are compared as a number.
#[derive(Clone, Debug, Default, Eq)]
pub(super) struct Name {
    /// The first eight bytes, the first one lowest.
    start: u64,
    length: usize,
    /// All others, as far as they are kept.
    rest: Vec<u8>,
}

/// What a start tag of a name means to a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Body,
    /// Elements without content (to lol_html, with which this must agree).
    Void,
    Frameset,
    /// `<input>` and `<keygen>`, behind which no `<select>` is open.
    Input,
    Meta,
    Other,
    /// `<svg>` and `<math>`.
    Foreign,
    Select,
    Table,
    Template,
    /// What follows is text.
    Text(Text),
}

/// Longer names are nobody's; what comes behind is not kept.
pub(super) const MAX_NAME: usize = 128;

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        (self.start, self.length) == (other.start, other.length)
            && (self.length <= 8 || self.rest == other.rest)
    }
}

impl Name {
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn clear(&mut self) {
        self.start = 0;
        self.length = 0;
        self.rest.clear();
    }

    /// Reads a whole name at the front of these bytes; `None` if it is longer than most, or they may not be all
    /// of it.
    #[inline]
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<usize> {
        let (start, _) = bytes.split_first_chunk::<8>()?;
        let length = start.iter().position(|byte| ends_name(*byte))?;
        let others = u64::MAX << (8 * length);
        self.start = in_small_letters(u64::from_le_bytes(*start) & !others);
        self.length = length;
        Some(length)
    }

    pub(super) fn push(&mut self, letters: &[u8]) {
        if self.length == 0 && letters.len() <= 8 {
            let mut start = [0; 8];
            start[..letters.len()].copy_from_slice(letters);
            self.start = in_small_letters(u64::from_le_bytes(start));
            self.length = letters.len();
            return;
        }
        for letter in letters {
            let letter = letter.to_ascii_lowercase();
            match self.length {
                0..8 => self.start |= u64::from(letter) << (8 * self.length),
                8..MAX_NAME => self.rest.push(letter),
                _ => {}
            }
            self.length += 1;
        }
    }

    pub(super) fn set(&mut self, name: &[u8]) {
        self.clear();
        self.push(name);
    }

    /// Whether some of it was not kept.
    pub(super) fn is_cut(&self) -> bool {
        self.length > MAX_NAME
    }

    pub(super) fn is(&self, name: &[u8]) -> bool {
        (self.start, self.length) == (key(name), name.len())
            && (self.length <= 8 || name.get(8..) == Some(&*self.rest))
    }

    pub(super) fn push_onto(&self, out: &mut Vec<u8>) {
        let start = self.start.to_le_bytes();
        out.extend_from_slice(&start[..self.length.min(8)]);
        out.extend_from_slice(&self.rest);
    }

    pub(super) fn kind(&self) -> Kind {
        if self.length > 8 {
            return match self.is(b"plaintext") {
                true => Kind::Text(Text::Plain),
                false => Kind::Other,
            };
        }
        let known = KINDS.binary_search_by_key(&self.start, |(start, ..)| *start);
        let kind = known.ok().and_then(|at| KINDS.get(at));
        match kind {
            Some((_, name, kind)) if name.len() == self.length => *kind,
            _ => Kind::Other,
        }
    }
}

/// Eight bytes at once, of which capital letters become small ones: they have a bit less.
const fn in_small_letters(bytes: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = bytes & (EACH * 0x7f);
    // The highest bit of each byte says that it is one of these, or follows them.
    let from_a = low + EACH * (0x80 - b'A' as u64);
    let behind_z = low + EACH * (0x7f - b'Z' as u64);
    let capitals = (from_a ^ behind_z) & !bytes & (EACH * 0x80);
    bytes | (capitals >> 2)
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

type KnownName = (u64, &'static [u8], Kind);

const fn text(name: &'static [u8]) -> (&'static [u8], Kind) {
    (name, Kind::Text(Text::Raw(name)))
}

/// All names that mean something, in the order of their keys.
static KINDS: [KnownName; 33] = in_order([
    (b"area", Kind::Void),
    (b"base", Kind::Void),
    (b"basefont", Kind::Void),
    (b"bgsound", Kind::Void),
    (b"body", Kind::Body),
    (b"br", Kind::Void),
    (b"col", Kind::Void),
    (b"embed", Kind::Void),
    (b"frameset", Kind::Frameset),
    (b"hr", Kind::Void),
    text(b"iframe"),
    (b"img", Kind::Void),
    (b"input", Kind::Input),
    (b"keygen", Kind::Input),
    (b"link", Kind::Void),
    (b"math", Kind::Foreign),
    (b"meta", Kind::Meta),
    text(b"noembed"),
    text(b"noframes"),
    text(b"noscript"),
    (b"param", Kind::Void),
    (SCRIPT, Kind::Text(Text::Script)),
    (b"select", Kind::Select),
    (b"source", Kind::Void),
    text(b"style"),
    (b"svg", Kind::Foreign),
    (b"table", Kind::Table),
    (b"template", Kind::Template),
    text(b"textarea"),
    text(b"title"),
    (b"track", Kind::Void),
    (b"wbr", Kind::Void),
    text(b"xmp"),
]);

const fn in_order<const N: usize>(names: [(&'static [u8], Kind); N]) -> [KnownName; N] {
    let mut known = [(0, names[0].0, names[0].1); N];
    let mut at = 0;
    while at < names.len() {
        let one = (key(names[at].0), names[at].0, names[at].1);
        let mut place = at;
        while place > 0 && known[place - 1].0 > one.0 {
            known[place] = known[place - 1];
            place -= 1;
        }
        known[place] = one;
        at += 1;
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_made_small_as_one_by_one() {
        for byte in 0..=u8::MAX {
            for other in [b'@', b'A', b'Z', b'[', b'a', 0, 0xff] {
                let mut bytes = [other, byte, other, other, byte, byte, other, byte];
                let small = in_small_letters(u64::from_le_bytes(bytes));
                bytes.make_ascii_lowercase();
                assert_eq!(small, u64::from_le_bytes(bytes), "{byte} among {other}");
            }
        }
    }

    #[test]
    fn a_name_is_the_same_at_once_and_in_pieces() {
        for name in ["b", "BODY", "section", "textarea", "frameset", "blockquote"] {
            let tag = format!("{name}>and some text behind it");
            let (mut at_once, mut pieces) = (Name::default(), Name::default());
            let length = at_once.read(tag.as_bytes());
            assert_eq!(length, (name.len() < 8).then_some(name.len()), "{name}");
            name.bytes().for_each(|letter| pieces.push(&[letter]));
            if length.is_none() {
                at_once.push(name.as_bytes());
            }
            assert!(at_once == pieces && at_once.is(name.to_ascii_lowercase().as_bytes()));
        }
    }
}
