//! End tags in svg and math that close nothing.
//!
//! A browser may have elements open that lol_html knows nothing of: a `<b>` that it opened again, a
//! `<tbody>` that nobody wrote, a `<div>` that was left open where tags were misnested. The end tag of
//! such a one ends svg and math with it, for a browser alone. lol_html does not tell of end tags
//! that close nothing, so that it is fed up to the end of each and asked whether it did.

use super::locator::LocatorStop;

/// Looks for end tags from a `<svg` or `<math` on, as long as these are open.
#[derive(Debug, Default)]
pub(super) struct StrayEnds {
    /// The last bytes that were seen, where none is looked for.
    tail: Vec<u8>,
    watching: bool,
    place: Place,
    /// The name of the end tag, as far as it was read.
    name: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Elsewhere,
    /// Behind `<`.
    Opened,
    /// Behind `</`.
    Ended,
    Name,
    /// Between the name and the `>`.
    Attributes,
}

/// A place in the bytes that were looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Behind an end tag.
    EndTag(usize),
    /// Behind the name of what may be svg or math: from here on end tags are looked for.
    Root(usize),
}

/// What became of an end tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Svg or math is open.
    pub(super) in_foreign: bool,
    /// Within more of the like.
    pub(super) nested: bool,
    /// The tag has closed something in it.
    pub(super) closed: bool,
    /// What was read belongs to nothing that is not read to its end.
    pub(super) settled: bool,
}

impl StrayEnds {
    /// How far the next bytes of the page are to be read, before it is looked what came of it.
    pub(super) fn next_in(&mut self, bytes: &[u8]) -> Option<Stop> {
        if self.watching {
            let end = bytes.iter().position(|byte| self.ends_at(*byte))?;
            return Some(Stop::EndTag(end + 1));
        }
        let root = self.find_root(bytes)?;
        self.watching = true;
        Some(Stop::Root(root))
    }

    /// An end tag is read: whether a browser may have left svg or math by it.
    pub(super) fn judge(&mut self, reading: Reading) -> Result<(), LocatorStop> {
        let known = is_harmless(&self.name) || ends_all(&self.name) && !reading.nested;
        let strays = reading.in_foreign && !reading.closed && !known;
        self.watching = reading.in_foreign || !reading.settled;
        if !self.watching {
            self.tail.clear();
        }
        match strays {
            true => Err(LocatorStop::Ambiguity),
            false => Ok(()),
        }
    }

    /// The place behind the name of an `<svg` or `<math`.
    fn find_root(&mut self, bytes: &[u8]) -> Option<usize> {
        let head = &bytes[..bytes.len().min(LONGEST)];
        let seam = [&self.tail, head].concat();
        let across = root_in(&seam).filter(|end| *end > self.tail.len());
        let found = across.map(|end| end - self.tail.len());
        let found = found.or_else(|| root_in(bytes));
        let last = &bytes[bytes.len().saturating_sub(LONGEST)..];
        self.tail.extend_from_slice(last);
        self.tail.drain(..self.tail.len().saturating_sub(LONGEST));
        found
    }

    /// Reads one byte; whether an end tag ends with it.
    fn ends_at(&mut self, byte: u8) -> bool {
        let in_tag = matches!(self.place, Place::Name | Place::Attributes);
        self.place = match (self.place, byte) {
            (Place::Name | Place::Attributes, b'>') => Place::Elsewhere,
            (Place::Attributes, _) => Place::Attributes,
            (Place::Name, b'/') => Place::Attributes,
            (Place::Name, _) if byte.is_ascii_whitespace() => Place::Attributes,
            (Place::Ended, _) if byte.is_ascii_alphabetic() => {
                self.name.clear();
                Place::Name
            }
            (Place::Name, _) => Place::Name,
            (Place::Opened, b'/') => Place::Ended,
            (_, b'<') => Place::Opened,
            _ => Place::Elsewhere,
        };
        if self.place == Place::Name && self.name.len() < LONGEST_NAME {
            self.name.push(byte.to_ascii_lowercase());
        }
        in_tag && self.place == Place::Elsewhere
    }
}

const ROOTS: [&[u8]; 2] = [b"<svg", b"<math"];
const LONGEST: usize = 5;

/// Longer ones are no name that is known to be harmless.
const LONGEST_NAME: usize = 16;

fn root_in(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', bytes).find_map(|at| {
        let begins = |root: &&&[u8]| {
            let found = bytes.get(at..at + root.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(root))
        };
        Some(at + ROOTS.iter().find(begins)?.len())
    })
}

/// Elements of svg that are none of HTML: their end tags close nothing outside, and authors write
/// `<path/></path>`.
fn is_harmless(name: &[u8]) -> bool {
    matches!(
        name,
        b"circle"
            | b"clippath"
            | b"defs"
            | b"ellipse"
            | b"g"
            | b"line"
            | b"lineargradient"
            | b"path"
            | b"polygon"
            | b"polyline"
            | b"radialgradient"
            | b"rect"
            | b"stop"
            | b"symbol"
            | b"text"
            | b"tspan"
            | b"use"
    )
}

/// What ends all svg and math around it; lol_html ends one.
fn ends_all(name: &[u8]) -> bool {
    matches!(name, b"br" | b"p")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRAY: Reading = Reading {
        in_foreign: true,
        nested: false,
        closed: false,
        settled: true,
    };

    /// The end tags that are looked for, with their names, all of them in svg.
    fn found(page: &[u8], size: usize) -> Vec<(usize, String)> {
        let mut ends = StrayEnds::default();
        let mut found = Vec::new();
        for (index, chunk) in page.chunks(size).enumerate() {
            let mut from = 0;
            while let Some(stop) = ends.next_in(&chunk[from..]) {
                let (Stop::EndTag(length) | Stop::Root(length)) = stop;
                from += length;
                if let Stop::EndTag(_) = stop {
                    let name = String::from_utf8_lossy(&ends.name).into_owned();
                    found.push((index * size + from, name));
                    let _ = ends.judge(STRAY);
                }
            }
        }
        found
    }

    #[test]
    fn end_tags_are_found_behind_a_root_in_whatever_pieces_it_comes() {
        let page = b"<b></b><p></i><sVg></B ><path/></path></></ a></a/></i x=></";
        let whole = found(page, page.len());
        let names: Vec<_> = whole.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["b", "path", "a", "i"]);
        assert_eq!(whole[0].0, 24);
        for size in 1..page.len() {
            assert_eq!(found(page, size), whole, "{size}");
        }
        assert_eq!(found(b"</b><p></i>", 11), []);
    }

    #[test]
    fn what_closes_nothing_is_in_doubt_but_for_what_only_drawings_have() {
        let judged = |name: &str, reading| {
            let mut ends = StrayEnds::default();
            let page = format!("<svg></{name}>");
            assert_eq!(ends.next_in(page.as_bytes()), Some(Stop::Root(4)));
            let end = Stop::EndTag(page.len() - 4);
            assert_eq!(ends.next_in(&page.as_bytes()[4..]), Some(end));
            (ends.judge(reading), ends.watching)
        };
        let refused = (Err(LocatorStop::Ambiguity), true);
        assert_eq!(judged("b", STRAY), refused);
        assert_eq!(judged("tbody", STRAY), refused);
        assert_eq!(judged("pathpathpathpathpath", STRAY), refused);
        assert_eq!(judged("path", STRAY), (Ok(()), true));
        assert_eq!(judged("p", STRAY), (Ok(()), true));
        let nested = Reading {
            nested: true,
            ..STRAY
        };
        assert_eq!(judged("path", nested), (Ok(()), true));
        assert_eq!(judged("br", nested), refused);
        let closed = Reading {
            closed: true,
            ..STRAY
        };
        assert_eq!(judged("b", closed), (Ok(()), true));
        let outside = Reading {
            in_foreign: false,
            ..STRAY
        };
        assert_eq!(judged("b", outside), (Ok(()), false));
        let unread = Reading {
            settled: false,
            ..outside
        };
        assert_eq!(judged("b", unread), (Ok(()), true));
    }
}
