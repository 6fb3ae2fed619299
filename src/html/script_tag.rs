use bytes::Bytes;

/// The cobrowse `<script>` element, rendered and escaped once; ASCII only, so that its bytes mean
/// the same in every ASCII-compatible charset of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptTag {
    html: Bytes,
}

/// An attribute that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    #[error(
        "{0:?} is not an attribute name: use lower-case letters, digits and hyphens, a letter first"
    )]
    Name(String),
    #[error("the attribute {0:?} is given twice")]
    Twice(String),
    #[error("the value of {0:?} contains a control character")]
    Value(String),
}

impl ScriptTag {
    /// Renders `<script a="1" b></script>` from names and values in the order given; a name
    /// without a value is a boolean attribute.
    ///
    /// Values may be any text without control characters: `&`, `<`, `>` and `"` are written as
    /// character references, and so is whatever is not ASCII. A parser gives back exactly the
    /// value.
    pub fn render<'a>(
        attributes: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Result<Self, AttributeError> {
        let mut html = String::from("<script");
        let mut seen = Vec::new();
        for (name, value) in attributes {
            if seen.contains(&name) {
                return Err(AttributeError::Twice(name.to_owned()));
            }
            seen.push(name);
            push_attribute(&mut html, name, value)?;
        }
        html.push_str(END);
        Ok(Self { html: html.into() })
    }

    /// The same with one more attribute, behind all others. One of this name that it has already
    /// would come first, and hold.
    pub(super) fn with(&self, name: &str, value: &str) -> Result<Self, AttributeError> {
        let mut html = self.as_str().trim_end_matches(END).to_owned();
        push_attribute(&mut html, name, Some(value))?;
        html.push_str(END);
        Ok(Self { html: html.into() })
    }

    /// The element as it is written into pages.
    pub fn html(&self) -> &Bytes {
        &self.html
    }

    /// The element with more attributes, and a nonce; one that it has already comes second, and so
    /// means nothing. `nonce` is in the alphabet of base64.
    pub(super) fn html_with(&self, nonce: Option<&str>, more: &[Attribute]) -> Bytes {
        let rest = self.html.strip_prefix(START).unwrap_or_default();
        let rest = rest.strip_suffix(END.as_bytes()).unwrap_or_default();
        let nonce = nonce.map(|nonce| format!(" nonce=\"{nonce}\""));
        let more: String = more.iter().map(Attribute::html).collect();
        let nonce = nonce.unwrap_or_default();
        [
            START,
            nonce.as_bytes(),
            rest,
            more.as_bytes(),
            END.as_bytes(),
        ]
        .concat()
        .into()
    }

    /// An attribute, as it is written; empty, where it has no value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut rest = self.as_str().strip_prefix("<script")?.strip_suffix(END)?;
        while let Some((found, value, behind)) = next_attribute(rest) {
            if found == name {
                return Some(value);
            }
            rest = behind;
        }
        None
    }

    /// The element as text, to be shown to a person.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.html).unwrap_or_default()
    }
}

/// A rendered element as XML wants it: each attribute has a value, and no name comes twice.
/// `with_namespace` says that it is XHTML, where that does not go without saying.
pub(super) fn in_xml(tag: &[u8], with_namespace: bool) -> Bytes {
    let tag = std::str::from_utf8(tag).unwrap_or_default();
    let mut rest = tag.trim_start_matches("<script").trim_end_matches(END);
    let mut xml = String::from("<script");
    if with_namespace {
        xml.push_str(" xmlns=\"http://www.w3.org/1999/xhtml\"");
    }
    let mut seen = Vec::new();
    while let Some((name, value, behind)) = next_attribute(rest) {
        if !seen.contains(&name) {
            seen.push(name);
            xml.push_str(&format!(" {name}=\"{value}\""));
        }
        rest = behind;
    }
    xml.push_str(END);
    xml.into()
}

/// Name, value as it is written, and what follows, of a rendered element.
fn next_attribute(rest: &str) -> Option<(&str, &str, &str)> {
    let attribute = rest.strip_prefix(' ')?;
    let end = attribute.find([' ', '=']).unwrap_or(attribute.len());
    let (name, behind) = attribute.split_at(end);
    let quoted = behind.strip_prefix("=\"");
    let value = quoted.and_then(|quoted| quoted.split_once('"'));
    let (value, behind) = value.unwrap_or(("", behind));
    Some((name, value, behind))
}

const START: &[u8] = b"<script";

/// An attribute that joins the tag on one page; with an empty value it is a boolean one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) value: String,
}

impl Attribute {
    fn html(&self) -> String {
        let Self { name, value } = self;
        if value.is_empty() {
            return format!(" {name}");
        }
        let mut html = format!(" {name}=\"");
        escape_into(&mut html, value);
        html.push('"');
        html
    }
}

const END: &str = "></script>";

fn push_attribute(
    html: &mut String,
    name: &str,
    value: Option<&str>,
) -> Result<(), AttributeError> {
    if !is_attribute_name(name) {
        return Err(AttributeError::Name(name.to_owned()));
    }
    html.push(' ');
    html.push_str(name);
    if let Some(value) = value {
        if value.chars().any(char::is_control) {
            return Err(AttributeError::Value(name.to_owned()));
        }
        html.push_str("=\"");
        escape_into(html, value);
        html.push('"');
    }
    Ok(())
}

fn is_attribute_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Writes an attribute value that stands in double quotes.
pub(super) fn escape_into(html: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            ascii if ascii.is_ascii() => html.push(ascii),
            other => html.push_str(&format!("&#x{:x};", u32::from(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_its_attributes() {
        let attributes = [
            ("id", Some("a b=\"c\"")),
            ("defer", None),
            ("src", Some("/x?a&b")),
        ];
        let tag = ScriptTag::render(attributes).unwrap();
        assert_eq!(tag.attribute("id"), Some("a b=&quot;c&quot;"));
        assert_eq!(tag.attribute("defer"), Some(""));
        assert_eq!(tag.attribute("src"), Some("/x?a&amp;b"));
        assert_eq!(tag.attribute("b"), None);
        assert_eq!(tag.attribute("async"), None);
    }

    #[test]
    fn renders_attributes_in_order_and_escaped() {
        let tag = ScriptTag::render([
            ("id", Some("glance-cobrowse")),
            ("src", Some("https://cdn.example/c?group=1&site=\"x\"")),
            ("data-termsurl", Some("/é<>'")),
            ("defer", None),
        ]);
        assert_eq!(
            tag.unwrap().as_str(),
            "<script id=\"glance-cobrowse\" src=\"https://cdn.example/c?group=1&amp;site=&quot;x&quot;\" \
             data-termsurl=\"/&#xe9;&lt;&gt;'\" defer></script>"
        );
    }

    #[test]
    fn one_more_attribute_stands_last_and_escaped() {
        let tag = ScriptTag::render([("id", Some("></script>"))]).unwrap();
        assert_eq!(
            tag.with("data-grant", "\"></script>").unwrap().as_str(),
            "<script id=\"&gt;&lt;/script&gt;\" data-grant=\"&quot;&gt;&lt;/script&gt;\"></script>"
        );
        assert!(tag.with("data grant", "").is_err() && tag.with("a", "\n").is_err());
    }

    #[test]
    fn more_attributes_join_on_one_page() {
        let tag = ScriptTag::render([("id", Some("a"))]).unwrap();
        let more = |name, value: &str| Attribute {
            name,
            value: value.to_owned(),
        };
        let html = tag.html_with(
            Some("bm9uY2U="),
            &[more("data-termsurl", "/?a=\"1\"&b<"), more("defer", "")],
        );
        assert_eq!(
            html,
            "<script nonce=\"bm9uY2U=\" id=\"a\" data-termsurl=\"/?a=&quot;1&quot;&amp;b&lt;\" defer></script>"
        );
        assert_eq!(&tag.html_with(None, &[]), tag.html());
    }

    #[test]
    fn in_xml_each_attribute_has_a_value_and_none_comes_twice() {
        let attributes = [
            ("src", Some("/c?a=1&b= \"=2\"")),
            ("defer", None),
            ("nonce", Some("fixed")),
            ("async", None),
        ];
        let tag = ScriptTag::render(attributes).unwrap();
        let xml = |with_namespace| in_xml(&tag.html_with(Some("Ab+/=="), &[]), with_namespace);
        let attributes =
            "nonce=\"Ab+/==\" src=\"/c?a=1&amp;b= &quot;=2&quot;\" defer=\"\" async=\"\"";
        assert_eq!(xml(false), format!("<script {attributes}></script>"));
        let xmlns = "xmlns=\"http://www.w3.org/1999/xhtml\"";
        assert_eq!(xml(true), format!("<script {xmlns} {attributes}></script>"));
    }

    #[test]
    fn refuses_names_and_values_that_could_break_out() {
        for name in ["", "1a", "on click", "a=b", "A", "a>", "é"] {
            assert_eq!(
                ScriptTag::render([(name, None)]),
                Err(AttributeError::Name(name.to_owned()))
            );
        }
        assert_eq!(
            ScriptTag::render([("a", Some("x\ny"))]),
            Err(AttributeError::Value("a".to_owned()))
        );
        assert_eq!(
            ScriptTag::render([("a", None), ("a", None)]),
            Err(AttributeError::Twice("a".to_owned()))
        );
    }
}
