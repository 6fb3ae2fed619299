//! Elements such as `<b>` that are alike, but for their masks.
//!
//! Of those that it may have to open again, a browser keeps three that are alike (WHATWG HTML
//! 13.2.4.3, "the Noah's Ark clause"). Where a mask distinguishes some that were alike, it would keep
//! more of them: the mask would change the tree. So the search ends there.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lol_html::HandlerResult;
use lol_html::html_content::EndTag;
use lol_html::send::Element;

use super::watch::start_of;
use crate::html::locator::{LocatorStop, Shared};

/// The elements that were not ended by an end tag of their own, by what they are but for masks.
#[derive(Default)]
pub(super) struct Alike(HashMap<u64, Count>);

#[derive(Clone, Copy, Default)]
struct Count {
    masked: u32,
    plain: u32,
}

/// So many kinds are counted at most.
const MAX_KINDS: usize = 4096;

/// How many that are alike a browser keeps.
const KEPT: u32 = 3;

impl Alike {
    fn enter(&mut self, kind: u64, masked: bool) -> Result<(), LocatorStop> {
        let full = self.0.len() >= MAX_KINDS;
        let count = match self.0.entry(kind) {
            Entry::Vacant(_) if full => return Err(LocatorStop::MemoryLimit),
            entry => entry.or_default(),
        };
        *count.of(masked) += 1;
        let differ = count.masked > 0 && count.plain > 0;
        match differ && count.masked + count.plain > KEPT {
            true => Err(LocatorStop::Ambiguity),
            false => Ok(()),
        }
    }

    fn leave(&mut self, kind: u64, masked: bool) {
        let Entry::Occupied(mut entry) = self.0.entry(kind) else {
            return;
        };
        let count = entry.get_mut().of(masked);
        *count = count.saturating_sub(1);
        if entry.get().masked + entry.get().plain == 0 {
            entry.remove();
        }
    }
}

impl Count {
    fn of(&mut self, masked: bool) -> &mut u32 {
        match masked {
            true => &mut self.masked,
            false => &mut self.plain,
        }
    }
}

/// Counts the element, once it is known whether it is masked. `markers` tells how many tables,
/// cells and the like have begun: an end tag reaches no further than to the last.
pub(super) fn count(
    alike: &Arc<Mutex<Alike>>,
    shared: &Shared,
    element: &mut Element<'_, '_>,
    markers: impl Fn() -> u64 + Send + 'static,
) -> HandlerResult {
    if !element.can_have_content() {
        return Ok(());
    }
    let at = start_of(element);
    let masked = shared.is_masked(at);
    let (kind, name, begun) = (kind_of(element), element.tag_name(), markers());
    locked(alike).enter(kind, masked)?;
    let alike = Arc::clone(alike);
    element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
        if end.name() == name && markers() == begun {
            locked(&alike).leave(kind, masked);
        }
        Ok(())
    }))
}

/// The same for all that are alike to a browser: attributes count in any order and spelling, the
/// first of a name alone.
fn kind_of(element: &Element<'_, '_>) -> u64 {
    let mut attributes: Vec<(String, String)> = Vec::new();
    for attribute in element.attributes() {
        let name = attribute.name();
        if attributes.iter().all(|(known, _)| *known != name) {
            let value = attribute.value();
            let value = htmlize::unescape_attribute(&value);
            let letters = value.chars().filter(|char| char.is_alphanumeric());
            attributes.push((name, letters.collect()));
        }
    }
    attributes.sort();
    let mut hasher = DefaultHasher::new();
    (element.tag_name(), attributes).hash(&mut hasher);
    hasher.finish()
}

fn locked(alike: &Mutex<Alike>) -> MutexGuard<'_, Alike> {
    alike.lock().unwrap_or_else(PoisonError::into_inner)
}
