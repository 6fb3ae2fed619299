use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use lol_html::Selector;

use super::lineage::{Lineage, Reading};
use super::xml::XmlSelector;

/// A CSS selector that the streaming engine can match.
///
/// It sees start tags one after another, so it knows an element's name, attributes, ancestors and
/// its place among its parent's children so far, but nothing that comes later in the page.
#[derive(Clone)]
pub struct MaskSelector {
    text: Arc<str>,
    parsed: Arc<Selector>,
    attributes: Arc<[String]>,
    lineages: Arc<[Lineage]>,
    in_xml: XmlSelector,
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

    /// The attributes that it asks for.
    pub(super) fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// Its alternatives, each with what must stand around an element.
    pub(super) fn lineages(&self) -> &[Lineage] {
        &self.lineages
    }

    /// In XML there is no quirks mode, and no tag may be left out: nothing is to be widened.
    pub(super) fn in_xml(&self) -> &XmlSelector {
        &self.in_xml
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
        let parsed: Selector = text.parse().map_err(refused)?;
        if let Some(counting) = COUNTING
            .iter()
            .find(|name| text.to_ascii_lowercase().contains(*name))
        {
            return Err(SelectorError(format!(
                "`{counting}` counts elements, and where a page leaves out end tags a browser counts others"
            )));
        }
        let reading = Reading::of(text);
        let lineages = reading.lineages().map_err(refused)?;
        let in_xml = XmlSelector::parse(text)
            .ok_or_else(|| SelectorError("the selector is not read".to_owned()))?;
        Ok(Self {
            in_xml,
            text: text.into(),
            parsed: Arc::new(reading.widened().parse().unwrap_or(parsed)),
            attributes: reading.attributes().into(),
            lineages: lineages.into(),
        })
    }
}

fn refused(error: lol_html::errors::SelectorError) -> SelectorError {
    let error = error.to_string().to_lowercase();
    SelectorError(error.trim_end_matches('.').to_owned())
}

/// Pseudo-classes that the engine knows, and counts wrongly: `<td>1<td>2` are siblings to a
/// browser, and one within the other as the tags stream by.
const COUNTING: [&str; 4] = [":nth-", ":first-", ":last-", ":only-"];

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
            ("table>tbody>tr > td", "table td"),
            ("body p, BODY.secure p", "p,BODY[class~=\"secure\" i] p"),
            (
                "#t tbody",
                "[id=\"t\" i] tbody,[id=\"t\" i] tr,[id=\"t\" i] td,[id=\"t\" i] th",
            ),
            ("tr, tr.x", "tr,tr[class~=\"x\" i],td,th"),
            ("IMG.x", "IMG[class~=\"x\" i],image[class~=\"x\" i]"),
            ("*", "*"),
        ] {
            assert_eq!(Reading::of(selector).widened(), wide);
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
