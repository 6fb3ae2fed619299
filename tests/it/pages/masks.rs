//! The masks that every page of the corpus is taken through with: as selectors, and told of a
//! browser's tree by hand.

use crate::oracle::tree::Place;

pub(super) struct CorpusMask {
    pub(super) selector: &'static str,
    matches: fn(Place<'_>) -> bool,
}

pub(super) const MASKS: [CorpusMask; 9] = [
    CorpusMask {
        selector: "#ssn",
        matches: |place| is(place, "id", "ssn"),
    },
    CorpusMask {
        selector: ".secret",
        matches: |place| place.has_class("secret"),
    },
    CorpusMask {
        selector: "[data-private]",
        matches: |place| place.attribute("data-private").is_some(),
    },
    CorpusMask {
        selector: "[name^='cc-']",
        matches: |place| {
            let name = place.attribute("name");
            name.is_some_and(|name| name.starts_with("cc-"))
        },
    },
    CorpusMask {
        selector: "input[type=password]",
        matches: |place| place.name() == "input" && is(place, "type", "password"),
    },
    CorpusMask {
        selector: "form#account textarea",
        matches: |place| {
            let account = |above: Place<'_>| above.name() == "form" && is(above, "id", "account");
            place.name() == "textarea" && place.ancestors().any(account)
        },
    },
    CorpusMask {
        selector: "ul.list > li.own",
        matches: |place| {
            let list = |above: Place<'_>| above.name() == "ul" && above.has_class("list");
            place.name() == "li" && place.has_class("own") && place.parent().is_some_and(list)
        },
    },
    CorpusMask {
        selector: "tr.total td",
        matches: |place| {
            let total = |above: Place<'_>| above.name() == "tr" && above.has_class("total");
            place.name() == "td" && place.ancestors().any(total)
        },
    },
    CorpusMask {
        selector: ".account i",
        matches: |place| {
            let account = |above: Place<'_>| above.has_class("account");
            place.name() == "i" && place.ancestors().any(account)
        },
    },
];

fn is(place: Place<'_>, attribute: &str, value: &str) -> bool {
    let own = place.attribute(attribute);
    own.is_some_and(|own| own.eq_ignore_ascii_case(value))
}

/// Whether a mask matches the element, to a browser. IDs and classes count in any case, as they
/// do in quirks mode.
pub(super) fn is_private(place: Place<'_>) -> bool {
    MASKS.iter().any(|mask| (mask.matches)(place))
}
