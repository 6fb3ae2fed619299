//! Who stands within whom, where a page closes its elements otherwise than it opened them.
//!
//! lol_html matches `a b` by the start tags that no end tag has cut off yet. A browser has a stack
//! of its own (WHATWG HTML 13.2.4.2), and where end tags do not match, the two part: of
//! `<form><div></form><p>` the paragraph stands in the form to the one and not to the other. So the
//! elements that selectors ask for as ancestors are watched, with all that is opened in them. Once
//! one of them is left without a proof that a browser leaves it too, none is left any more to the
//! end of the page: whatever stands behind the ancestors that a selector asks for stands in them.
//! Too much may then be masked, never too little.

mod alike;
mod kinds;
mod references;
mod watch;

use super::Plan;
use super::locator::LocatorStop;
use kinds::{belongs_in, closes_all_within, is_barrier, is_formatting, is_heading, is_root};

pub(super) use watch::with_handlers;

/// The elements that are open within an ancestor that a selector asks for, as the tags stream by.
#[derive(Default)]
struct Descent {
    paths: Vec<Path>,
    open: Vec<Open>,
    opened: u64,
    /// Where the last ancestor begins.
    matched_at: Option<u64>,
    /// Where the last element begins that was looked at.
    entered_at: Option<u64>,
    /// Something was left inside which a browser may still have open.
    ghosts: bool,
    /// Forms that are open.
    forms: usize,
    form_in_form: bool,
    formatting: Formatting,
    /// How many tables, cells and the like have begun.
    markers: u64,
    /// Nothing is left any more.
    loose: bool,
}

/// How far a selector's ancestors were met.
struct Path {
    mask: usize,
    /// Where each of them was first met behind the one in front.
    met: Vec<Option<u64>>,
    /// For each of them, and for the subject, how many elements such as `<b>` match it that do not
    /// stand where they should, but may be opened again where they do.
    astray: Vec<u64>,
    /// So many of them stay to the page's end.
    rooted: usize,
    /// An element has come by that lacks only the ancestors.
    subject_seen: bool,
}

struct Open {
    id: u64,
    name: String,
    is_ancestor: bool,
}

/// Elements such as `<b>`, in which a browser may go on behind the end of what they stand in.
#[derive(Default)]
struct Formatting {
    open: u64,
    left_behind: bool,
}

impl Descent {
    fn of(plan: &Plan) -> Self {
        let masks = plan.masks().iter().enumerate();
        let paths = masks.flat_map(|(mask, of)| {
            let lineages = of.selector.lineages().iter();
            lineages.map(move |lineage| Path {
                mask,
                met: vec![None; lineage.above.len()],
                astray: vec![0; lineage.above.len() + 1],
                rooted: 0,
                subject_seen: false,
            })
        });
        Self {
            paths: paths.collect(),
            ..Self::default()
        }
    }

    /// The element matches what the path asks for in this place; returns whether it stands behind
    /// what the path asks for before.
    fn meet(&mut self, path: usize, step: usize, name: &str, at: u64) -> Result<bool, LocatorStop> {
        let path = &mut self.paths[path];
        let behind = |before: usize| path.met[before].is_some_and(|before| before < at);
        let in_place = step.checked_sub(1).is_none_or(behind);
        if !in_place {
            return Ok(false);
        }
        path.met[step].get_or_insert(at);
        self.matched_at = Some(at);
        // What stands in front of such a tag stands within it, too.
        let late = is_root(name) && path.subject_seen;
        if is_root(name) {
            path.rooted = path.rooted.max(step + 1);
        }
        // One that is opened again stands within the one that has just begun.
        let mut next = step + 1;
        while path.astray[next] > 0 && next < path.met.len() {
            path.met[next].get_or_insert(at);
            self.loose = true;
            next += 1;
        }
        match late || path.astray[next] > 0 {
            true => Err(LocatorStop::Ambiguity),
            false => Ok(true),
        }
    }

    /// An element such as `<b>` stands elsewhere than the path asks for it; returns what tells
    /// whether its end tag ends it.
    fn stray(&mut self, path: usize, step: usize) -> u64 {
        self.paths[path].astray[step] += 1;
        self.markers
    }

    fn open_formatting(&mut self) -> u64 {
        self.formatting.open += 1;
        self.markers
    }

    fn end_stray(&mut self, path: usize, step: usize) {
        self.paths[path].astray[step] -= 1;
    }

    /// The same for an element that the search for ancestors has not found, so that it is not known
    /// when it is left.
    fn meet_unwatched(
        &mut self,
        path: usize,
        step: usize,
        name: &str,
        at: u64,
    ) -> Result<(), LocatorStop> {
        let met = self.meet(path, step, name, at)?;
        if !met && is_formatting(name) {
            self.stray(path, step);
        }
        self.loose = true;
        Ok(())
    }

    /// The mask that the path leads to, and whether it matches the element after all.
    fn arrive(&mut self, path: usize, at: u64) -> (usize, bool) {
        self.paths[path].subject_seen = true;
        let may_stand = self.may_stand(path, at).is_some();
        (self.paths[path].mask, self.loose && may_stand)
    }

    /// The path's mask, if everything that the path asks for was met, wherever it is now.
    fn may_stand(&self, path: usize, at: u64) -> Option<usize> {
        let path = &self.paths[path];
        let met = path
            .met
            .last()
            .is_none_or(|met| met.is_some_and(|met| met < at));
        met.then_some(path.mask)
    }

    /// An element begins within an ancestor, or is one; returns its ID where it is watched.
    fn enter(&mut self, name: String, at: u64) -> Option<u64> {
        let is_ancestor = self.matched_at == Some(at);
        let twice = self.entered_at.replace(at) == Some(at);
        if twice || is_root(&name) || (self.open.is_empty() && !is_ancestor) {
            return None;
        }
        if name == "form" {
            self.form_in_form |= self.forms > 0;
            self.forms += 1;
        }
        self.opened += 1;
        self.open.push(Open {
            id: self.opened,
            name,
            is_ancestor,
        });
        Some(self.opened)
    }

    /// A watched element is closed, with all that is open in it, by an end tag of this name.
    fn leave(&mut self, id: u64, end: &str) {
        // They are in the order of their IDs; of all that one end tag closes, the first tells.
        if self.open.binary_search_by_key(&id, |open| open.id).is_err() {
            return;
        }
        let named = self.open.iter().rposition(|open| open.name == end);
        let left = self.open.split_off(named.unwrap_or(0));
        self.forms -= left.iter().filter(|open| open.name == "form").count();
        let mut left = left.into_iter();
        let closed = named.and_then(|_| left.next());
        let within = left.as_slice();
        self.loose |= !self.is_left(end, closed.as_ref(), within);
        self.ghosts |= !within.is_empty();
        if self.open.is_empty() {
            self.leave_region();
        }
    }

    fn leave_region(&mut self) {
        self.ghosts = false;
        self.form_in_form = false;
        if !self.loose {
            for path in &mut self.paths {
                path.met[path.rooted..].fill(None);
            }
        }
    }

    /// `html`, `head` or `body` have an end tag, behind which there may be more in them.
    fn leave_root(&mut self) {
        self.loose |= self.paths.iter().any(|path| path.rooted > 0);
    }

    /// Whether a browser has certainly left every ancestor among `closed`, which the end tag names,
    /// and what is open `within`, and opens none of them again.
    fn is_left(&self, end: &str, closed: Option<&Open>, within: &[Open]) -> bool {
        if within.iter().all(|open| belongs_in(end, &open.name)) && !within.is_empty() {
            return true;
        }
        if within
            .iter()
            .any(|open| open.is_ancestor || is_barrier(&open.name))
        {
            return false;
        }
        let Some(closed) = closed else {
            return true;
        };
        !closed.is_ancestor || self.is_closed(&closed.name, within)
    }

    /// Whether a browser certainly closes an ancestor at its end tag. No barrier is open within.
    fn is_closed(&self, name: &str, within: &[Open]) -> bool {
        let clean = within.is_empty() && !self.ghosts;
        match name {
            "form" => clean && !self.form_in_form && self.formatting.is_quiet(),
            "li" => !self.ghosts && !within.iter().any(|open| matches!(&*open.name, "ol" | "ul")),
            _ if is_heading(name) => {
                !self.ghosts && !within.iter().any(|open| is_heading(&open.name))
            }
            _ => clean || closes_all_within(name),
        }
    }
}

impl Formatting {
    fn leave(&mut self, certainly: bool) {
        self.open -= 1;
        self.left_behind |= !certainly;
    }

    fn is_quiet(&self) -> bool {
        self.open == 0 && !self.left_behind
    }
}
