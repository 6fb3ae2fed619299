//! The charset that the start of a page declares, read as WHATWG HTML 13.2.3.3 has it: byte by byte, without
//! a parser, and therefore in scripts and titles, too.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

use super::charset::labelled;

/// What a `<meta>` declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Declaration {
    pub(super) encoding: &'static Encoding,
    /// How far one has to read to know it.
    pub(super) end: usize,
}

/// The first declaration in the bytes ("prescan a byte stream to determine its encoding"), but for
/// the XML declaration. More bytes never change it.
pub(super) fn declared_in(start: &[u8]) -> Option<Declaration> {
    let mut scan = Scan { start, at: 0 };
    loop {
        if let Some(encoding) = scan.step()? {
            let end = scan.at + 1;
            return Some(Declaration { encoding, end });
        }
    }
}

/// A position in the bytes. `None` of its methods: the bytes have run out.
struct Scan<'p> {
    start: &'p [u8],
    at: usize,
}

struct Attribute {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Scan<'_> {
    /// Looks at what begins here, and goes on behind it unless it declares something.
    fn step(&mut self) -> Option<Option<&'static Encoding>> {
        let mut declared = None;
        match self.rest()? {
            [b'<', b'!', b'-', b'-', ..] => self.go_to_comment_end()?,
            [b'<', name @ ..] if begins_meta(name) => {
                self.at += "<meta".len();
                declared = self.meta()?;
            }
            [b'<', b'/', letter, ..] | [b'<', letter, ..] if letter.is_ascii_alphabetic() => {
                self.go_to(|byte| is_space(byte) || byte == b'>')?;
                while self.attribute()?.is_some() {}
            }
            [b'<', b'!' | b'/' | b'?', ..] => self.go_to(|byte| byte == b'>')?,
            _ => {}
        }
        if declared.is_none() {
            self.at += 1;
        }
        Some(declared)
    }

    fn rest(&self) -> Option<&[u8]> {
        self.start.get(self.at..).filter(|rest| !rest.is_empty())
    }

    fn byte(&self) -> Option<u8> {
        self.start.get(self.at).copied()
    }

    fn go_to(&mut self, wanted: impl Fn(u8) -> bool) -> Option<()> {
        self.at += self.rest()?.iter().position(|byte| wanted(*byte))?;
        Some(())
    }

    /// The dashes that end a comment may be those that begin it.
    fn go_to_comment_end(&mut self) -> Option<()> {
        let inside = &self.start[self.at + 2..];
        let end = inside.windows(3).position(|part| part == b"-->")?;
        self.at += 2 + end + 2;
        Some(())
    }

    fn skip_spaces(&mut self) -> Option<()> {
        self.go_to(|byte| !is_space(byte))
    }

    fn meta(&mut self) -> Option<Option<&'static Encoding>> {
        let mut names = Vec::new();
        let mut is_pragma = false;
        let mut found: Option<(Option<&'static Encoding>, bool)> = None;
        while let Some(Attribute { name, value }) = self.attribute()? {
            if names.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => is_pragma = value == b"content-type",
                b"content" if found.is_none() => {
                    found = encoding_in(&value).map(|encoding| (Some(encoding), true));
                }
                b"charset" => found = Some((Encoding::for_label(&value), false)),
                _ => {}
            }
            names.push(name);
        }
        Some(match found {
            Some((encoding, needs_pragma)) if is_pragma || !needs_pragma => {
                encoding.map(declarable)
            }
            _ => None,
        })
    }

    /// "Get an attribute".
    fn attribute(&mut self) -> Option<Option<Attribute>> {
        self.go_to(|byte| !is_space(byte) && byte != b'/')?;
        if self.byte()? == b'>' {
            return Some(None);
        }
        let mut name = Vec::new();
        while !is_space(self.byte()?) {
            match self.byte()? {
                b'=' if !name.is_empty() => break,
                b'/' | b'>' => return Some(Some(Attribute::bare(name))),
                other => name.push(other.to_ascii_lowercase()),
            }
            self.at += 1;
        }
        self.skip_spaces()?;
        if self.byte()? != b'=' {
            return Some(Some(Attribute::bare(name)));
        }
        self.at += 1;
        self.skip_spaces()?;
        let value = self.value()?;
        Some(Some(Attribute { name, value }))
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        let from = self.at;
        if let quote @ (b'"' | b'\'') = self.byte()? {
            self.at += 1;
            self.go_to(|byte| byte == quote)?;
            self.at += 1;
            return Some(self.start[from + 1..self.at - 1].to_ascii_lowercase());
        }
        self.go_to(|byte| is_space(byte) || byte == b'>')?;
        Some(self.start[from..self.at].to_ascii_lowercase())
    }
}

impl Attribute {
    fn bare(name: Vec<u8>) -> Self {
        let value = Vec::new();
        Self { name, value }
    }
}

/// `name` is what stands behind a `<`.
fn begins_meta(name: &[u8]) -> bool {
    let ends = |byte: &u8| is_space(*byte) || *byte == b'/';
    name.get(..4)
        .is_some_and(|name| name.eq_ignore_ascii_case(b"meta"))
        && name.get(4).is_some_and(ends)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// The encoding that a `<meta>` means by naming this one: as it could be read at all, the page is
/// not in UTF-16.
pub(super) fn declarable(encoding: &'static Encoding) -> &'static Encoding {
    match encoding {
        _ if encoding == UTF_16BE || encoding == UTF_16LE => UTF_8,
        _ if encoding == X_USER_DEFINED => WINDOWS_1252,
        _ => encoding,
    }
}

/// The encoding in `text/html; charset=label` (WHATWG HTML, "extracting a character encoding from a
/// meta element").
pub(super) fn encoding_in(content: &[u8]) -> Option<&'static Encoding> {
    let mut rest = content;
    loop {
        let found = rest
            .windows("charset".len())
            .position(|part| part.eq_ignore_ascii_case(b"charset"))?;
        rest = trim_start(&rest[found + "charset".len()..]);
        if let Some(value) = rest.strip_prefix(b"=") {
            return Encoding::for_label(label_in(trim_start(value))?);
        }
    }
}

fn label_in(value: &[u8]) -> Option<&[u8]> {
    let quote = *value.first()?;
    if let b'"' | b'\'' = quote {
        let end = value[1..].iter().position(|byte| *byte == quote)?;
        return Some(&value[1..=end]);
    }
    let ends = |byte: &u8| *byte == b';' || is_space(*byte);
    value.split(ends).next()
}

fn trim_start(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| is_space(**byte)).count();
    &text[spaces..]
}

/// The encoding that an XML declaration names ("get an XML encoding"): browsers obey it in HTML,
/// too, where nothing else speaks.
pub(super) fn xml_encoding(text: &[u8]) -> Option<&'static Encoding> {
    let declaration = text.strip_prefix(b"<?xml")?;
    let end = declaration.iter().position(|byte| *byte == b'>')?;
    let declaration = &declaration[..end];
    let name = b"encoding";
    let at = declaration
        .windows(name.len())
        .position(|part| part == name)?;
    let control = |byte: &u8| *byte <= b' ';
    let skip = |text: &[u8]| text.iter().take_while(|byte| control(byte)).count();
    let rest = &declaration[at + name.len()..];
    let rest = rest[skip(rest)..].strip_prefix(b"=")?;
    let rest = &rest[skip(rest)..];
    let quote = *rest.first().filter(|quote| matches!(quote, b'"' | b'\''))?;
    let end = rest[1..].iter().position(|byte| *byte == quote)?;
    let label = &rest[1..=end];
    let encoding = labelled(std::str::from_utf8(label).ok()?)?;
    let is_utf_16 = encoding == UTF_16BE || encoding == UTF_16LE;
    (!label.iter().any(control)).then_some(if is_utf_16 { UTF_8 } else { encoding })
}

/// How an XML declaration begins in UTF-16 without a byte order mark, and in which.
pub(super) const UTF_16_DECLARATIONS: [(&[u8], &Encoding); 2] =
    [(b"<\0?\0x\0", UTF_16LE), (b"\0<\0?\0x", UTF_16BE)];

#[cfg(test)]
mod tests;
