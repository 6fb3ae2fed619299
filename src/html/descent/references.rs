//! Attributes that are spelled with character references, which lol_html compares as they stand.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Mutex;

use lol_html::send::Element;
use lol_html::{ElementContentHandlers, HandlerResult, HtmlRewriter, Selector, Settings};

use super::Descent;
use super::watch::{locked, start_of};
use crate::html::Plan;
use crate::html::lineage::Lineage;
use crate::html::locator::{Found, Shared};

/// Something that an element matches, as it is spelled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hit {
    /// What a path asks for in this place.
    Ancestor {
        path: usize,
        step: usize,
    },
    Subject {
        path: usize,
    },
}

/// An element whose attributes hold what looks like references: it is looked at again as a browser
/// reads it.
pub(super) fn read(
    plan: &Plan,
    descent: &Mutex<Descent>,
    shared: &Shared,
    element: &Element<'_, '_>,
) -> HandlerResult {
    let raw: Vec<_> = element
        .attributes()
        .iter()
        .map(|attribute| (attribute.name(), attribute.value()))
        .collect();
    let read: Vec<_> = raw
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                htmlize::unescape_attribute(value).into_owned(),
            )
        })
        .collect();
    if raw == read {
        return Ok(());
    }
    let (name, at) = (element.tag_name(), start_of(element));
    // What cannot be told was not found as it stands, and matches as it is read.
    let before = hits(plan, &name, &raw).unwrap_or_default();
    let all = || sought(plan).map(|(hit, _)| hit).collect();
    let now = hits(plan, &name, &read).unwrap_or_else(all);
    let mut descent = locked(descent);
    for hit in now.difference(&before) {
        match *hit {
            Hit::Ancestor { path, step } => descent.meet_unwatched(path, step, &name, at)?,
            Hit::Subject { path } => {
                if let Some(mask) = descent.may_stand(path, at) {
                    shared.note_once(at, Found::Mask(mask));
                }
            }
        }
    }
    Ok(())
}

/// What a start tag with these attributes matches, wherever it stands; `None` if it cannot be told.
fn hits(plan: &Plan, name: &str, attributes: &[(String, String)]) -> Option<BTreeSet<Hit>> {
    let tag = start_tag(plan, name, attributes)?;
    let hits = Rc::new(RefCell::new(BTreeSet::new()));
    let mut settings = Settings::new();
    for (hit, selector) in sought(plan) {
        let hits = Rc::clone(&hits);
        let note = move |_: &mut lol_html::html_content::Element<'_, '_>| {
            hits.borrow_mut().insert(hit);
            Ok(())
        };
        settings = settings.append_element_content_handler((
            Cow::Borrowed(selector),
            ElementContentHandlers::default().element(note),
        ));
    }
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // One tag alone is never in doubt; what follows it is not read.
    let _ = rewriter.write(tag.as_bytes());
    drop(rewriter);
    Some(hits.take())
}

fn sought(plan: &Plan) -> impl Iterator<Item = (Hit, &Selector)> {
    let lineages = plan
        .masks()
        .iter()
        .flat_map(|mask| mask.selector.lineages());
    let lineages = lineages.enumerate();
    lineages.flat_map(|(path, lineage)| of_path(path, lineage))
}

fn of_path(path: usize, lineage: &Lineage) -> impl Iterator<Item = (Hit, &Selector)> {
    let above = lineage.above.iter().enumerate();
    let above = above.map(move |(step, one)| (Hit::Ancestor { path, step }, &one.selector));
    above.chain([(Hit::Subject { path }, &lineage.subject.selector)])
}

/// The start tag with these values, no references in them; `None` where that cannot be written.
fn start_tag(plan: &Plan, name: &str, attributes: &[(String, String)]) -> Option<String> {
    let mut tag = format!("<{name}");
    for (name, value) in attributes {
        let mut value = Cow::Borrowed(value.as_str());
        let quotes = ['"', '\''];
        let unused = quotes.into_iter().find(|quote| !value.contains(*quote));
        let quote = match unused {
            None if asks_for_quotes(plan) => return None,
            None => {
                value = Cow::Owned(value.replace('"', STAND_IN));
                '"'
            }
            Some(quote) => quote,
        };
        tag.extend([" ", name, "="]);
        tag.push(quote);
        tag.push_str(&value);
        tag.push(quote);
    }
    tag.push('>');
    Some(tag)
}

/// Whether a selector may ask for a quote in a value, or for what stands in for one: that takes an
/// escape, or the other quote around.
fn asks_for_quotes(plan: &Plan) -> bool {
    let mut masks = plan.masks().iter().map(|mask| mask.selector.as_str());
    masks.any(|text| {
        let has = |one: &str| text.contains(one);
        has(STAND_IN) || has("\"") && has("'") || escapes_quotes(text)
    })
}

/// Whether an escape, such as `\"` or `\22 `, stands for a quote or its stand-in.
fn escapes_quotes(selector: &str) -> bool {
    selector.split('\\').skip(1).any(|behind| {
        let digits = behind.bytes().take(6);
        let digits = digits.take_while(u8::is_ascii_hexdigit).count();
        match u32::from_str_radix(&behind[..digits], 16) {
            Ok(code) => matches!(code, 0x22 | 0x27 | 0xffff),
            Err(_) => behind.starts_with(['"', '\'']),
        }
    })
}

/// No character to anyone.
const STAND_IN: &str = "\u{ffff}";
