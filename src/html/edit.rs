use std::collections::BTreeSet;
use std::fmt::Write;

use bytes::Bytes;

use super::locator::{Enclosure, Finding, Found};
use super::{ExistingTag, MaskScope, Plan};

/// Bytes to be laid into the page: `text` goes in front of the origin's byte at `at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// Offset in the origin's (decoded) page.
    pub(super) at: u64,
    pub(super) text: Bytes,
}

/// What stands behind the tag name of a cobrowse tag that must not run: its own `id` and `type`
/// come second, and an HTML parser keeps the first of two.
const OUT_OF_ACTION: &str = r#" id="glance-cobrowse-replaced" type="text/plain""#;

const MASKED: &str = r#" glance_masked="true""#;

/// Turns all that was found at one start tag into at most one edit, right behind the tag name.
///
/// `findings` all stand at the same offset; `start_tag` are the page's bytes from there on;
/// `policy` is an attribute that goes with them.
pub(super) fn at_start_tag(
    plan: &Plan,
    findings: &[Finding],
    start_tag: &[u8],
    policy: Option<&str>,
) -> Option<Edit> {
    let mut text = String::new();
    if replaces(plan, findings) {
        text.push_str(OUT_OF_ACTION);
    }
    push_mask(&mut text, plan, findings);
    text.push_str(policy.unwrap_or_default());
    let first = findings.first()?;
    let behind_name = first.at + tag_name_end(start_tag) as u64;
    (!text.is_empty()).then(|| Edit {
        at: behind_name,
        text: text.into(),
    })
}

/// What is laid around a cobrowse tag of an XML page: what a template holds does not run, and is not
/// found by its ID. It says its namespace, for another one may be in force.
pub(super) fn of_enclosure(finding: &Finding) -> Option<Edit> {
    let text = match finding.what {
        Found::Enclosure(Enclosure::Begin) => TEMPLATE,
        Found::Enclosure(Enclosure::End) => b"</template>",
        _ => return None,
    };
    Some(Edit {
        at: finding.at,
        text: Bytes::from_static(text),
    })
}

const TEMPLATE: &[u8] = br#"<template xmlns="http://www.w3.org/1999/xhtml">"#;

fn replaces(plan: &Plan, findings: &[Finding]) -> bool {
    plan.existing_tag() == ExistingTag::Replace
        && findings
            .iter()
            .any(|finding| matches!(finding.what, Found::DormantTag | Found::ExistingTag))
}

/// One attribute for all the masks that match an element; a mask for everyone says it all.
fn push_mask(text: &mut String, plan: &Plan, findings: &[Finding]) {
    let mut groups = BTreeSet::new();
    for finding in findings {
        let Found::Mask(index) = finding.what else {
            continue;
        };
        match &plan.masks()[index].scope {
            MaskScope::Everyone => return text.push_str(MASKED),
            MaskScope::Groups(of_mask) => groups.extend(of_mask.iter().copied()),
        }
    }
    for (position, group) in groups.iter().enumerate() {
        let separator = if position == 0 {
            " data-cobrowse-mask-groups=\""
        } else {
            " "
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{group}");
    }
    if !groups.is_empty() {
        text.push('"');
    }
}

/// How far a tag name reaches, its `<` included (WHATWG HTML 13.2.5.8, tag name state).
///
/// In every ASCII-compatible charset the bytes that end a name mean themselves: none of them can
/// be the second byte of a character.
fn tag_name_end(start_tag: &[u8]) -> usize {
    let ends = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ' | b'/' | b'>');
    start_tag.iter().position(ends).unwrap_or(start_tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::{Mask, Placement, ScriptTag};

    fn plan() -> Plan {
        let mask = |text: &str, scope| Mask {
            selector: text.parse().unwrap(),
            scope,
        };
        let masks = vec![
            mask("#all", MaskScope::Everyone),
            mask("#one", MaskScope::Groups([7, 3].into())),
            mask("#two", MaskScope::Groups([5, 7].into())),
        ];
        let tag = ScriptTag::render([("id", None)]).unwrap();
        Plan::new(tag, Placement::End, ExistingTag::Replace, masks)
    }

    fn text_of(what: &[Found], start_tag: &str) -> Option<(u64, String)> {
        let findings: Vec<_> = what
            .iter()
            .map(|what| Finding {
                at: 100,
                what: *what,
            })
            .collect();
        let edit = at_start_tag(&plan(), &findings, start_tag.as_bytes(), None)?;
        Some((edit.at, String::from_utf8(edit.text.to_vec()).unwrap()))
    }

    #[test]
    fn writes_one_attribute_however_many_masks_match() {
        let masked = Some((102, r#" glance_masked="true""#.to_owned()));
        assert_eq!(text_of(&[Found::Mask(0)], "<p>"), masked);
        assert_eq!(text_of(&[Found::Mask(1), Found::Mask(0)], "<p>"), masked);
        let grouped = Some((103, r#" data-cobrowse-mask-groups="3 5 7""#.to_owned()));
        assert_eq!(
            text_of(&[Found::Mask(1), Found::Mask(2)], "<TD\n a=b>"),
            grouped
        );
    }

    #[test]
    fn puts_an_existing_tag_out_of_action_and_masks_it_where_asked() {
        let (at, text) = text_of(&[Found::ExistingTag, Found::Mask(0)], "<script/id=x>").unwrap();
        assert_eq!((at, text), (107, format!("{OUT_OF_ACTION}{MASKED}")));
    }

    #[test]
    fn finds_where_a_tag_name_ends() {
        for (tag, end) in [
            ("<p>", 2),
            ("<br/>", 3),
            ("<a\tb>", 2),
            ("<x:y\x0c>", 4),
            ("<a", 2),
        ] {
            assert_eq!(tag_name_end(tag.as_bytes()), end, "{tag:?}");
        }
    }
}
