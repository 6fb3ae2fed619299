use std::sync::Arc;

use crate::document::{At, Fault};
use crate::html::MaskSelector;

/// One mask as a person wrote it.
#[derive(Clone, Debug)]
pub(super) struct MaskSetting {
    pub(super) target: MaskTarget,
    pub(super) at: At,
}

/// Who looks for the elements of a mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MaskTarget {
    /// Only the visitor script, in the browser.
    ClientOnly(Arc<str>),
    /// The edge, as the page streams by; the visitor script too.
    Streamed(MaskSelector),
}

impl MaskTarget {
    pub(super) fn streamed(text: &str) -> Result<Self, Fault> {
        let parsed: Result<MaskSelector, _> = text.parse();
        parsed.map(Self::Streamed).map_err(|error| {
            Fault::new(
                format!("the edge cannot match the selector \"{text}\": {error}"),
                "use names, #ids, .classes, [attributes], `a b`, `a > b`, :not(...); \
                 with the edge's own script, { selector = \"...\", client_only = true } leaves it to the browser",
            )
        })
    }

    /// The browser will have the last word on the selector; this refuses what it surely would.
    pub(super) fn client_only(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.is_empty() || text.contains(['{', '}', '<', ';']) || !is_balanced(text) {
            return Err(Fault::new(
                format!("\"{text}\" is not a selector"),
                "write one CSS selector, with its brackets and quotes closed",
            ));
        }
        Ok(Self::ClientOnly(text.into()))
    }

    pub(super) fn selector(&self) -> &str {
        match self {
            Self::ClientOnly(text) => text,
            Self::Streamed(selector) => selector.as_str(),
        }
    }

    pub(super) fn is_client_only(&self) -> bool {
        matches!(self, Self::ClientOnly(_))
    }
}

/// Whether all brackets and quotes are closed.
fn is_balanced(text: &str) -> bool {
    let mut open = Vec::new();
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (_, '\\') => {
                characters.next();
            }
            (Some(mark), _) if mark == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, ')' | ']') if open.pop() != Some(character) => return false,
            (None, _) => {}
        }
    }
    quote.is_none() && open.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_selectors_with_closed_brackets_to_the_browser() {
        for good in [
            ":has(> input[name='a]'])",
            "a + b",
            "label:has(+ .x)",
            r"a\(b",
        ] {
            assert!(MaskTarget::client_only(good).is_ok(), "{good}");
        }
        for bad in ["", " ", ":has(a", "a]", "[a='x]", "a{}", "a;b", "([)]"] {
            assert!(MaskTarget::client_only(bad).is_err(), "{bad}");
        }
    }
}
