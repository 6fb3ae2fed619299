use std::borrow::Cow;

/// A start tag, or that of an element without content.
#[derive(Debug)]
pub(super) struct StartTag {
    /// With its prefix.
    pub(super) name: Box<str>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) is_empty: bool,
}

#[derive(Debug)]
pub(super) struct Attribute {
    /// With its prefix.
    pub(super) name: Box<str>,
    /// `None` where it holds an entity that is declared elsewhere.
    pub(super) value: Option<Box<str>>,
}

impl StartTag {
    /// `None` where it is not well-formed.
    pub(super) fn parse(tag: &[u8]) -> Option<Self> {
        let tag = std::str::from_utf8(tag).ok()?;
        let tag = tag.strip_prefix('<')?.strip_suffix('>')?;
        let (tag, is_empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let end = tag.find(is_space).unwrap_or(tag.len());
        let (name, mut rest) = tag.split_at(end);
        let mut attributes = Vec::<Attribute>::new();
        while let Some(text) = trimmed(rest) {
            let (attribute, behind) = Attribute::parse(text)?;
            attributes.push(attribute);
            rest = behind;
        }
        let mut names: Vec<_> = attributes.iter().map(|attribute| &attribute.name).collect();
        names.sort_unstable();
        let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
        // Attributes are set apart by white space.
        let well_formed = is_name(name) && !twice && rest.chars().all(is_space);
        well_formed.then(|| Self {
            name: name.into(),
            attributes,
            is_empty,
        })
    }

    /// What has to be kept of it while it is open.
    pub(super) fn size(&self) -> usize {
        let of_attribute = |attribute: &Attribute| {
            attribute.name.len() + attribute.value.as_ref().map_or(0, |value| value.len())
        };
        let own = size_of::<Self>() + self.attributes.len() * size_of::<Attribute>();
        own + self.name.len() + self.attributes.iter().map(of_attribute).sum::<usize>()
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| &*attribute.name == name)
    }
}

/// What stands behind white space, of which there must be some in front of more.
fn trimmed(rest: &str) -> Option<&str> {
    let text = rest.trim_start_matches(is_space);
    (!text.is_empty() && text.len() < rest.len()).then_some(text)
}

impl Attribute {
    fn parse(text: &str) -> Option<(Self, &str)> {
        let (name, rest) = text.split_once('=')?;
        let name = name.trim_end_matches(is_space);
        let rest = rest.trim_start_matches(is_space);
        let quote = rest
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, rest) = rest[1..].split_once(quote)?;
        let attribute = Self {
            name: name.into(),
            value: decoded(value)?.map(Into::into),
        };
        is_name(name).then_some((attribute, rest))
    }
}

/// The value as a browser reads it. `None`: it is not well-formed; within: it holds an entity that
/// only the document type declares.
fn decoded(value: &str) -> Option<Option<Cow<'_, str>>> {
    if !value.contains(['&', '\t', '\n', '\r']) {
        return Some(Some(Cow::Borrowed(value)));
    }
    let spaces = |text: &str| text.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ");
    let mut parts = value.split('&');
    let mut text = spaces(parts.next()?);
    let mut is_known = true;
    for part in parts {
        let (name, rest) = part.split_once(';')?;
        match referred(name) {
            Some(character) => text.push(character),
            None if is_name(name) => is_known = false,
            None => return None,
        }
        text.push_str(&spaces(rest));
    }
    Some(is_known.then_some(Cow::Owned(text)))
}

fn referred(name: &str) -> Option<char> {
    let number = match name {
        "amp" => return Some('&'),
        "apos" => return Some('\''),
        "gt" => return Some('>'),
        "lt" => return Some('<'),
        "quot" => return Some('"'),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let is_number = digits.chars().all(|digit| digit.is_digit(radix));
    let code = u32::from_str_radix(digits, radix)
        .ok()
        .filter(|_| is_number)?;
    char::from_u32(code)
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Of characters that are not ASCII all are taken for part of names.
fn is_name(name: &str) -> bool {
    let begins = |first: char| {
        first.is_ascii_alphabetic() || matches!(first, '_' | ':') || !first.is_ascii()
    };
    let goes_on = |c: char| begins(c) || c.is_ascii_digit() || matches!(c, '-' | '.');
    name.starts_with(begins) && name.chars().all(goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(tag: &str) -> Option<String> {
        let tag = StartTag::parse(tag.as_bytes())?;
        let mut shown = tag.name.to_string();
        for Attribute { name, value } in tag.attributes {
            shown.push_str(&format!(" {name}={value:?}"));
        }
        if tag.is_empty {
            shown.push('/');
        }
        Some(shown)
    }

    #[test]
    fn reads_start_tags() {
        for (tag, read) in [
            ("<p>", "p"),
            ("<p />", "p/"),
            ("<x:y\n/>", "x:y/"),
            ("<p a='1' B = \"2\"/>", "p a=Some(\"1\") B=Some(\"2\")/"),
            ("<p a='>/\"'\r\nb='' >", "p a=Some(\">/\\\"\") b=Some(\"\")"),
            (
                "<é ü='&amp;&#65;&#x42;&quot;&apos;&lt;&gt;'>",
                "é ü=Some(\"&AB\\\"'<>\")",
            ),
            ("<p a='1\r\n2\t3'>", "p a=Some(\"1 2 3\")"),
            ("<p a='&nbsp;' b='c'>", "p a=None b=Some(\"c\")"),
        ] {
            assert_eq!(shown(tag).as_deref(), Some(read), "{tag}");
        }
    }

    #[test]
    fn refuses_what_is_not_well_formed() {
        for tag in [
            "<>",
            "</p>",
            "< p>",
            "<1>",
            "<p a>",
            "<p a=1>",
            "<p a='1'b='2'>",
            "<p a='1' a='2'>",
            "<p a='1' b='2' a='3'>",
            "<p 'a'>",
            "<p =''>",
            "<p a='&'>",
            "<p a='&;'>",
            "<p a='&#;'>",
            "<p a='&#+65;'>",
            "<p a='&#x;'>",
            "<p a='&#xd800;'>",
            "<p a='& ;'>",
            "<p a='1' x>",
            "<p//>",
            "<p / >",
        ] {
            assert_eq!(shown(tag), None, "{tag}");
        }
        assert!(StartTag::parse(b"<p a='\xff'>").is_none());
    }
}
