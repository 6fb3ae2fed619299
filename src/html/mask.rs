use std::collections::BTreeSet;
use std::fmt;
use std::mem;
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

    /// Whether it matches at least the same in every ASCII-compatible charset. An escape may stand
    /// for any character. A part of a value may be found in bytes that are the second ones of
    /// other characters: what is masked for it is masked in vain, but `:not()` makes that too
    /// little.
    pub(super) fn is_ascii(&self) -> bool {
        let lower = self.text.to_ascii_lowercase();
        let without_parts =
            lower.contains(":not(") && (lower.contains("*=") || lower.contains("$="));
        self.text.is_ascii() && !self.text.contains('\\') && !without_parts
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
        if let Some(counting) = COUNTING
            .iter()
            .find(|name| text.to_ascii_lowercase().contains(*name))
        {
            return Err(SelectorError(format!(
                "`{counting}` counts elements, and where a page leaves out end tags a browser counts others"
            )));
        }
        let widened = widened(text).parse().unwrap_or(parsed);
        Ok(Self {
            text: text.into(),
            parsed: Arc::new(widened),
        })
    }
}

/// Pseudo-classes that the engine knows, and counts wrongly: `<td>1<td>2` are siblings to a
/// browser, and one within the other as the tags stream by.
const COUNTING: [&str; 4] = [":nth-", ":first-", ":last-", ":only-"];

/// Elements that a browser makes where no tag is written, so that asking for them as ancestors
/// misses pages that leave their tags out.
const IMPLIED: [&str; 5] = ["html", "head", "body", "tbody", "colgroup"];

/// The selector, made to match at least what it matches in a browser's tree: masking too much
/// beats masking too little.
///
/// - IDs and classes are compared in any case, as browsers do on pages in quirks mode (Selectors
///   4, 6.6 and 6.7); the edge does not know the mode when it compares.
/// - `a > b` is read as `a b`: with `<li>1<li>2` the second is within the first as the tags
///   stream by, and beside it in the tree.
/// - Ancestors that may have no tag (`body`, `tbody`) are not asked for.
///
/// What stands in `:not()`, where matching more would mask less, stays as it is.
fn widened(selector: &str) -> String {
    let mut widened = String::with_capacity(2 * selector.len());
    let mut input = ParserInput::new(selector);
    let mut parser = Parser::new(&mut input);
    // What was read of the compound selector in hand, and how it reads widened.
    let mut compound = (String::new(), String::new());
    let mut after_dot = false;
    loop {
        let start = parser.position();
        let Ok(token) = parser.next_including_whitespace_and_comments().cloned() else {
            widened.push_str(&compound.1);
            return widened;
        };
        match &token {
            Token::IDHash(name) => push_attribute(&mut compound.1, "id=", name),
            Token::Ident(name) if after_dot => push_attribute(&mut compound.1, "class~=", name),
            Token::Delim('.') => {}
            Token::WhiteSpace(_) | Token::Delim('>') => {
                end_ancestor(&mut widened, &mut compound);
                continue;
            }
            Token::Comma => {
                widened.push_str(&mem::take(&mut compound).1);
                widened.push(',');
                continue;
            }
            Token::Function(_) | Token::SquareBracketBlock | Token::ParenthesisBlock => {
                // Read past the block, to copy it as it stands.
                let _ = parser.parse_nested_block(|block| {
                    while block.next().is_ok() {}
                    Ok::<(), cssparser::ParseError<'_, ()>>(())
                });
                compound.1.push_str(parser.slice_from(start));
            }
            _ => compound.1.push_str(parser.slice_from(start)),
        }
        compound.0.push_str(parser.slice_from(start));
        after_dot = token == Token::Delim('.');
    }
}

/// A compound selector has ended, in front of a combinator or the selector's end.
fn end_ancestor(widened: &mut String, compound: &mut (String, String)) {
    let (read, reads_now) = mem::take(compound);
    if !read.is_empty() && !IMPLIED.contains(&read.to_ascii_lowercase().as_str()) {
        widened.push_str(&reads_now);
        widened.push(' ');
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
            "a, b",
            "input:not([type=hidden])",
        ] {
            assert_eq!(text.parse::<MaskSelector>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_selector_is_widened_to_what_browsers_may_match_but_not_where_that_would_mask_less() {
        for (selector, wide) in [
            ("#ssn", "[id=\"ssn\" i]"),
            (
                "td.a.b > .c",
                "td[class~=\"a\" i][class~=\"b\" i] [class~=\"c\" i]",
            ),
            ("p:not(.x, #y) #z", "p:not(.x, #y) [id=\"z\" i]"),
            (
                "[href='.a#b>c'], .\\e9 \\\"",
                "[href='.a#b>c'],[class~=\"é\\\"\" i]",
            ),
            ("table>tbody>tr > td", "table tr td"),
            ("body p, BODY.secure p", "p,BODY[class~=\"secure\" i] p"),
            ("tbody", "tbody"),
            ("*", "*"),
        ] {
            assert_eq!(widened(selector), wide);
            assert!(wide.parse::<Selector>().is_ok(), "{wide}");
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
            "td:nth-child(2)",
            "li:First-Child",
        ] {
            assert!(text.parse::<MaskSelector>().is_err(), "{text}");
        }
    }
}
