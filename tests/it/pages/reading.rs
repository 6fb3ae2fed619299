//! What a browser makes of a page of the corpus.

use super::index::Page;
use super::journey::TAG_SOURCE;
use super::masks::is_private;
use crate::oracle::tree::{Place, Tree};

/// A page as a browser reads it, with scripting or without.
pub(super) struct Reading(Tree);

pub(super) const WITH_AND_WITHOUT_SCRIPTING: [bool; 2] = [true, false];

impl Reading {
    /// `bytes` are what has become of the page.
    pub(super) fn of(page: &Page, bytes: &[u8], scripting: bool) -> Self {
        Self(Tree::parse(bytes, page.charset(), scripting))
    }

    /// How many of our tags a browser runs.
    pub(super) fn live_tags(&self) -> usize {
        let id = Some("glance-cobrowse");
        let live = |place: &Place<'_>| is_ours(*place) && place.attribute("id").as_deref() == id;
        self.0.live_elements().filter(live).count()
    }

    /// The tree without our tags, masks, and what puts a tag out of action.
    pub(super) fn outline(&self) -> String {
        self.0.outline(|place| {
            let existing = is_existing_tag(place);
            let hidden = |name: &str| {
                name == "glance_masked" || existing && (name == "id" || name == "type")
            };
            (!existing || !is_ours(place)).then(|| place.line(hidden))
        })
    }

    /// Elements that a mask selector matches and that are not masked.
    pub(super) fn missed(&self) -> usize {
        let missed = |place: &Place<'_>| is_private(*place) && !is_masked(*place);
        self.0.live_elements().filter(missed).count()
    }

    /// Elements that are masked and that no mask selector matches.
    pub(super) fn extra(&self) -> usize {
        let extra = |place: &Place<'_>| !is_private(*place) && is_masked(*place);
        self.0.live_elements().filter(extra).count()
    }
}

fn is_masked(place: Place<'_>) -> bool {
    place.attribute("glance_masked").is_some()
}

fn is_ours(place: Place<'_>) -> bool {
    place.is_script() && place.attribute("src").as_deref() == Some(TAG_SOURCE)
}

/// The vendor's tag in one of its forms, or one that was put out of action.
fn is_existing_tag(place: Place<'_>) -> bool {
    let ids = [
        "glance-cobrowse",
        "cobrowsescript",
        "glance-cobrowse-replaced",
    ];
    let id = place.attribute("id").unwrap_or_default();
    let source = place.attribute("src").unwrap_or_default();
    matches!(place.name(), "meta" | "script")
        && (ids.contains(&id.as_str()) || source.contains("/GlanceCobrowseLoader"))
}
