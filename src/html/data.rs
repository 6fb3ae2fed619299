//! Data that is served as a page: JSON, scripts, feeds and messages in XML. Somebody may have asked
//! for it in a window, or a script reads it out of a frame; it shows no field, and a tag in it would be of
//! no use.
//!
//! Only what cannot well be a page is taken for data: all else is shown by browsers as one.

/// How far one looks: what has not shown itself till then is a page.
pub(super) const MAX_LOOKED_AT: usize = 1024;

/// Whether a text begins like data; `None`: more bytes may tell.
pub(super) fn is_data(text: &[u8]) -> Option<bool> {
    let rest = &text[..text.len().min(MAX_LOOKED_AT)];
    match (Reader { rest }).is_data() {
        None if text.len() >= MAX_LOOKED_AT => Some(false),
        told => told,
    }
}

/// What is still to be read. `None` of its methods: it has run out.
struct Reader<'t> {
    rest: &'t [u8],
}

impl<'t> Reader<'t> {
    fn is_data(&mut self) -> Option<bool> {
        let is_commented = self.skip_script_comments()?;
        match self.peek()? {
            b'<' if is_commented => Some(false),
            b'<' => self.is_xml_data(),
            _ if is_commented => Some(true),
            b'{' | b'[' => self.is_json(),
            _ => self.is_script(),
        }
    }

    /// The comments of scripts and style sheets. In front of a page there may be one, too, which
    /// somebody forgot there.
    fn skip_script_comments(&mut self) -> Option<bool> {
        let mut found = false;
        loop {
            self.skip_space();
            match self.peek()? {
                b'/' if self.begins(b"/*")? => self.skip_past(b"*/")?,
                b'/' if self.begins(b"//")? => self.skip_past(b"\n")?,
                _ => return Some(found),
            }
            found = true;
        }
    }

    /// Braces may be those of a template that was not filled; in front of a key they are not.
    fn is_json(&mut self) -> Option<bool> {
        while self.peek()? == b'[' {
            self.advance(1);
            self.skip_space();
        }
        if self.peek()? == b'{' {
            self.advance(1);
            self.skip_space();
            return Some(matches!(self.peek()?, b'"' | b'}'));
        }
        let digits = self.take_while(|byte| byte.is_ascii_digit())?;
        if digits.is_empty() {
            return Some(matches!(self.peek()?, b'"' | b']'));
        }
        self.skip_space();
        Some(self.peek()? == b',')
    }

    fn is_script(&mut self) -> Option<bool> {
        for opening in SCRIPT_OPENINGS {
            if self.begins(opening)? {
                return Some(true);
            }
        }
        for call in CALLS {
            if self.begins(call)? {
                self.take_while(is_name_byte)?;
                return Some(self.peek()? == b'(');
            }
        }
        for word in [&b"function "[..], b"function(", b"var "] {
            if self.begins(word)? {
                self.advance(word.len() - 1);
                self.skip_space();
                self.take_while(is_name_byte)?;
                self.skip_space();
                return Some(matches!(self.peek()?, b'(' | b'=' | b';' | b','));
            }
        }
        Some(false)
    }

    /// XHTML that is served as HTML has an XML declaration, too.
    fn is_xml_data(&mut self) -> Option<bool> {
        if !self.begins(b"<?")? {
            return self.is_known_root();
        }
        let is_space = |byte: &u8| byte.is_ascii_whitespace();
        let declaration = self.begins(b"<?xml")?;
        if !declaration || !self.rest.get(b"<?xml".len()).map(is_space)? {
            return Some(false);
        }
        loop {
            self.skip_space();
            match self.rest {
                [b'<', b'?', ..] => self.skip_past(b"?>")?,
                [b'<', b'!', b'-', b'-', ..] => self.skip_past(b"-->")?,
                [b'<', b'!', b'-'] | [b'<', b'!'] | [b'<'] | [] => return None,
                [b'<', b'!', ..] => return self.is_other_doctype(),
                [b'<', ..] => return self.is_other_root(),
                _ => return Some(false),
            }
        }
    }

    fn is_other_doctype(&mut self) -> Option<bool> {
        if !self.begins(b"<!DOCTYPE")? {
            return Some(false);
        }
        self.advance(b"<!DOCTYPE".len());
        self.skip_space();
        let name = self.take_while(|byte| is_name_byte(byte) || b":-".contains(&byte))?;
        Some(!begins_pages(name))
    }

    /// A root that no page begins with.
    fn is_other_root(&mut self) -> Option<bool> {
        let name = self.root()?;
        Some(!name.is_empty() && !begins_pages(name))
    }

    /// A root that is well known for what it is.
    fn is_known_root(&mut self) -> Option<bool> {
        self.advance(1);
        let mut is_open = false;
        for root in DATA_ROOTS {
            match self.begins(root) {
                None => is_open = true,
                Some(false) => {}
                Some(true) => match self.rest.get(root.len()) {
                    None => is_open = true,
                    Some(end) if ends_name(*end) => return Some(true),
                    Some(_) => {}
                },
            }
        }
        (!is_open).then_some(false)
    }

    /// The name behind a `<`; empty where there is none.
    fn root(&mut self) -> Option<&'t [u8]> {
        self.advance(1);
        if !self.peek()?.is_ascii_alphabetic() {
            return Some(&[]);
        }
        self.take_while(|byte| !ends_name(byte))
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// Whether a word comes next, in any case.
    fn begins(&self, word: &[u8]) -> Option<bool> {
        let common = self.rest.len().min(word.len());
        let differs = !self.rest[..common].eq_ignore_ascii_case(&word[..common]);
        match differs {
            true => Some(false),
            false => (common == word.len()).then_some(true),
        }
    }

    fn skip_past(&mut self, end: &[u8]) -> Option<()> {
        let mut places = self.rest.windows(end.len());
        let at = places.position(|place| place == end)?;
        self.advance(at + end.len());
        Some(())
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> Option<&'t [u8]> {
        let end = self.rest.iter().position(|byte| !wanted(*byte))?;
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(taken)
    }
}

fn ends_name(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"/>".contains(&byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_$.".contains(&byte)
}

/// The last three keep JSON from being run as a script.
const SCRIPT_OPENINGS: [&[u8]; 11] = [
    b"\"use strict\"",
    b"'use strict'",
    b"(function",
    b"!function",
    b";(function",
    b"(()=>",
    b"(() =>",
    b"document.",
    b")]}'",
    b"for(;;);",
    b"while(1);",
];

/// Functions that JSON is passed to.
const CALLS: [&[u8]; 3] = [b"callback", b"jquery", b"jsonp"];

const DATA_ROOTS: [&[u8]; 11] = [
    b"env:envelope",
    b"feed",
    b"opml",
    b"rdf:rdf",
    b"rss",
    b"s:envelope",
    b"sitemapindex",
    b"soap-env:envelope",
    b"soap:envelope",
    b"soapenv:envelope",
    b"urlset",
];

fn begins_pages(name: &[u8]) -> bool {
    let mut known = PAGE_ROOTS.split_ascii_whitespace();
    known.any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// What a page in XHTML, a piece of one or a drawing begins with.
const PAGE_ROOTS: &str = "a article b base blockquote body br button center dd div dl dt em \
    fieldset font footer form frameset h1 h2 h3 h4 head header hr html i iframe img input label li \
    link main math meta nav noscript ol p pre script section select span strong style svg table \
    title ul";

#[cfg(test)]
mod tests;
