//! What the end tag of an element does in a browser (WHATWG HTML 13.2.6.4), as far as it matters for
//! what an element may leave open.

/// Elements that stop a browser from looking further for what an end tag closes, or whose content
/// is read by rules of its own.
pub(super) fn is_barrier(name: &str) -> bool {
    matches!(
        name,
        "applet"
            | "foreignobject"
            | "frameset"
            | "marquee"
            | "math"
            | "object"
            | "select"
            | "svg"
            | "template"
    ) || is_of_table(name)
}

fn is_of_table(name: &str) -> bool {
    name == "table" || (belongs_in("table", name))
}

/// Whether the end tag of the one part of a table ends the other with it, wherever that is.
pub(super) fn belongs_in(outer: &str, inner: &str) -> bool {
    match outer {
        "table" => matches!(
            inner,
            "caption" | "colgroup" | "tbody" | "td" | "tfoot" | "th" | "thead" | "tr"
        ),
        "tbody" | "tfoot" | "thead" => matches!(inner, "td" | "th" | "tr"),
        "tr" => matches!(inner, "td" | "th"),
        _ => false,
    }
}

/// Whether the end tag closes whatever is open inside, but for barriers.
pub(super) fn closes_all_within(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "applet"
            | "article"
            | "aside"
            | "blockquote"
            | "button"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "header"
            | "hgroup"
            | "listing"
            | "main"
            | "marquee"
            | "menu"
            | "nav"
            | "object"
            | "ol"
            | "pre"
            | "search"
            | "section"
            | "select"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}

/// Elements that a browser opens again where they were left without an end tag of their own.
pub(super) const FORMATTING: &str =
    "a, b, big, code, em, font, i, nobr, s, small, strike, strong, tt, u";

pub(super) fn is_formatting(name: &str) -> bool {
    FORMATTING.split(", ").any(|one| one == name)
}

/// What keeps the end tag of such an element, and their being opened again, from reaching further.
pub(super) const MARKERS: &str =
    "applet, caption, marquee, math, object, select, svg, table, td, template, th";

pub(super) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Elements that are there whether a tag says so or not, and that stay to the page's end.
pub(super) fn is_root(name: &str) -> bool {
    matches!(name, "body" | "head" | "html")
}
