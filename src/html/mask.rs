use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use cssparser::{Parser, ParserInput, Token, serialize_string};
use lol_html::Selector;

/// A CSS selector that the streaming engine can match.
///
/// It sees start tags one after another, so it knows an element's name, attributes, ancestors and
/// its place among its parent's children so far, but nothing that comes later in the page.
#[derive(Clone)]
pub struct MaskSelector {
    text: Arc<str>,
    parsed: Arc<Selector>,
}

impl MaskSelector {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it means the same in every ASCII-compatible charset. An escape may stand for any
    /// character.
    pub(super) fn is_ascii(&self) -> bool {
        self.text.is_ascii() && !self.text.contains('\\')
    }

    pub(super) fn parsed(&self) -> &Selector {
        &self.parsed
    }
}

impl fmt::Debug for MaskSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskSelector({})", self.text)
    }
}

impl PartialEq for MaskSelector {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for MaskSelector {}

/// The selector does not parse, or asks for something that is not known when a start tag streams
/// by; the text says which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(String);

impl FromStr for MaskSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let text = text.trim();
        let parsed: Selector = text
            .parse()
            .map_err(|error: lol_html::errors::SelectorError| {
                SelectorError(
                    error
                        .to_string()
                        .to_lowercase()
                        .trim_end_matches('.')
                        .to_owned(),
                )
            })?;
        let folded = in_any_case(text).parse().unwrap_or(parsed);
        Ok(Self {
            text: text.into(),
            parsed: Arc::new(folded),
        })
    }
}

/// The selector with its IDs and classes compared in any case, as browsers do on pages in quirks
/// mode (Selectors 4, 6.6 and 6.7). The edge does not know the mode when it compares, and many old
/// pages are in it: masking too much beats masking too little. So what stands in `:not()`, where
/// matching more would mask less, stays as it is.
fn in_any_case(selector: &str) -> String {
    let mut folded = String::with_capacity(2 * selector.len());
    let mut input = ParserInput::new(selector);
    let mut parser = Parser::new(&mut input);
    let mut after_dot = false;
    loop {
        let start = parser.position();
        let Ok(token) = parser.next_including_whitespace_and_comments().cloned() else {
            return folded;
        };
        match &token {
            Token::IDHash(name) => push_attribute(&mut folded, "id=", name),
            Token::Ident(name) if after_dot => push_attribute(&mut folded, "class~=", name),
            Token::Delim('.') => {}
            Token::Function(_) | Token::SquareBracketBlock | Token::ParenthesisBlock => {
                // Read past the block, to copy it as it stands.
                let _ = parser.parse_nested_block(|block| {
                    while block.next().is_ok() {}
                    Ok::<(), cssparser::ParseError<'_, ()>>(())
                });
                folded.push_str(parser.slice_from(start));
            }
            _ => folded.push_str(parser.slice_from(start)),
        }
        after_dot = token == Token::Delim('.');
    }
}

fn push_attribute(selector: &mut String, name_and_operator: &str, value: &str) {
    selector.push('[');
    selector.push_str(name_and_operator);
    // Writing to a String cannot fail.
    let _ = serialize_string(value, selector);
    selector.push_str(" i]");
}

/// In whose sessions an element is masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaskScope {
    /// In all: written as `glance_masked="true"`, which every cobrowse script obeys.
    Everyone,
    /// In sessions of these groups: written as `data-cobrowse-mask-groups="..."`.
    Groups(BTreeSet<u32>),
}

/// What is masked on a page, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    pub selector: MaskSelector,
    pub scope: MaskScope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_selectors_that_can_be_matched_as_the_page_streams_by() {
        for text in [
            "#ssn",
            ".account-number",
            "input[type=password]",
            "[autocomplete^='cc-']",
            "form#declaration textarea",
            "td > span.iban",
            "tr:nth-child(2)",
            "a, b",
            "input:not([type=hidden])",
        ] {
            assert_eq!(text.parse::<MaskSelector>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn ids_and_classes_are_compared_in_any_case_but_not_where_that_would_mask_less() {
        for (selector, folded) in [
            ("#ssn", "[id=\"ssn\" i]"),
            (
                "td.a.b > .c",
                "td[class~=\"a\" i][class~=\"b\" i] > [class~=\"c\" i]",
            ),
            ("p:not(.x, #y) #z", "p:not(.x, #y) [id=\"z\" i]"),
            (
                "[href='.a#b'], .\\e9 \\\"",
                "[href='.a#b'], [class~=\"é\\\"\" i]",
            ),
            ("tr:nth-child(2n+1)", "tr:nth-child(2n+1)"),
            ("*", "*"),
        ] {
            assert_eq!(in_any_case(selector), folded);
            assert!(folded.parse::<Selector>().is_ok(), "{folded}");
        }
    }

    #[test]
    fn refuses_selectors_that_need_what_comes_later_or_do_not_parse() {
        for text in [
            "",
            "a + b",
            "a ~ b",
            ":has(a)",
            "#",
            "p::before",
            "a:hover",
            "]",
            "div:last-child",
        ] {
            assert!(text.parse::<MaskSelector>().is_err(), "{text}");
        }
    }
}
