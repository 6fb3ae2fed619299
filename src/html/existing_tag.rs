//! Cobrowse tags that a page brings along, written by hand or by another edge: how they are told,
//! and what ours takes over from them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::LazyLock;

use lol_html::html_content::Element;
use lol_html::{ElementContentHandlers, HandlerTypes, HtmlRewriter, Selector, Settings};

use super::end_probe::is_html;
use super::locator::{LocatorStop, fixed};
use super::policy::decoded;
use super::script_tag::Attribute;

/// All elements that may be a cobrowse tag.
pub(super) static CANDIDATES: LazyLock<Selector> = LazyLock::new(|| fixed("script, meta"));

/// A cobrowse tag that a page brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CobrowseTag {
    /// It runs, or is of the form that has another script run.
    Live,
    /// It runs nowhere, but scripts find it by its ID.
    Dormant,
}

/// The vendor's tag in its documented forms, and the loader that accompanies the `<meta>` form.
pub(super) fn cobrowse_tag<H: HandlerTypes>(element: &Element<'_, '_, H>) -> Option<CobrowseTag> {
    let is_script = element.tag_name() == "script";
    let namespace = element.namespace_uri();
    if is_html(namespace) {
        return cobrowse_tag_in_html(is_script, |name| {
            element.get_attribute(name).map(Cow::Owned)
        });
    }
    let value = |name: &str| element.get_attribute(name).map(|text| read(&text));
    let loads = |name: &str| is_script && value(name).is_some_and(|url| is_loader(&url));
    let is_named = || value("id").is_some_and(|id| IDS.contains(&id.as_str()));
    if !is_script || !is_svg(namespace) {
        return None;
    }
    match loads("href") || loads("xlink:href") {
        true => Some(CobrowseTag::Live),
        false => is_named().then_some(CobrowseTag::Dormant),
    }
}

/// The same of a script or a `<meta>` of HTML, by its attributes as they are written.
pub(super) fn cobrowse_tag_in_html<'v>(
    is_script: bool,
    written: impl Fn(&str) -> Option<Cow<'v, str>>,
) -> Option<CobrowseTag> {
    let value = |name: &str| written(name).map(|text| read(&text));
    let is_named = value("id").is_some_and(|id| IDS.contains(&id.as_str()));
    let has_group = || value("data-groupid").is_some_and(|group| is_group(&group));
    let loads = || is_script && value("src").is_some_and(|url| is_loader(&url));
    (is_named || has_group() || loads()).then_some(CobrowseTag::Live)
}

/// Whether a script or a `<meta>` of an XML page may be one, in whatever namespace.
pub(super) fn may_be_cobrowse_tag<'v>(value: impl Fn(&str) -> Option<&'v str>) -> bool {
    let loads = |name: &str| value(name).is_some_and(is_loader);
    value("id").is_some_and(|id| IDS.contains(&id))
        || value("data-groupid").is_some_and(is_group)
        || ["src", "href", "xlink:href"].into_iter().any(loads)
}

/// The names by which the vendor's script finds its tag, the older one last.
const IDS: [&str; 2] = ["glance-cobrowse", "cobrowsescript"];

/// What a browser reads; where that is not sure, what is written.
fn read(written: &str) -> String {
    decoded(written).unwrap_or_else(|| written.to_owned())
}

fn is_svg(namespace: &str) -> bool {
    namespace == "http://www.w3.org/2000/svg"
}

/// As the vendor writes group IDs; other products have attributes of this name, too.
fn is_group(text: &str) -> bool {
    let text = text.trim();
    (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a URL leads to the loader of visitors' pages, on whatever host. The vendor's server
/// knows no case in paths; with `script=Agent` and the like it sends other things, with
/// `script=` the loader. Browsers take no notice of line ends in a URL.
fn is_loader(url: &str) -> bool {
    let url = url.replace(['\t', '\n', '\r'], "").to_ascii_lowercase();
    let url = url.split('#').next().unwrap_or_default();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    if path.contains("/glancecobrowseloader") {
        return true;
    }
    let is_plain = |parameter: &str| !parameter.starts_with("script=") || parameter == "script=";
    let mut parameters = query.split(['&', ';']);
    path.ends_with("/cobrowsejs.ashx") && parameters.all(is_plain)
}

/// Which attributes of a tag that is put out of action ours takes over.
#[derive(Clone, Debug)]
pub struct Inheritance {
    /// In the order in which they are written.
    pub attributes: Vec<&'static str>,
    /// Whether a value may stand in an attribute, by the attribute's name.
    pub accepts: fn(&'static str, &str) -> bool,
}

/// A longer value is not taken over: a page could make the tag as long as it likes.
const MAX_VALUE_BYTES: usize = 2048;

impl Inheritance {
    /// Adds what the tag that `start_tag` begins with brings; what is known from one in front of
    /// it stays.
    ///
    /// Values are read as a browser would, where that is sure, and are written anew. What is not
    /// ASCII is not taken over: none of these attributes can hold it.
    pub(super) fn take(&self, start_tag: &[u8], into: &mut Vec<Attribute>) {
        let known: Vec<_> = into.iter().map(|known| known.name).collect();
        let found = attributes(start_tag, |element| {
            let wanted = self.attributes.iter().filter(|name| !known.contains(name));
            let written = wanted.filter_map(|name| {
                let value = decoded(&element.get_attribute(name)?)?;
                let fits = value.len() <= MAX_VALUE_BYTES && !value.contains(char::is_control);
                (fits && (self.accepts)(name, &value)).then_some(Attribute { name, value })
            });
            written.collect()
        });
        into.extend(found);
        let place = |name| self.attributes.iter().position(|known| *known == name);
        into.sort_by_key(|attribute| place(attribute.name));
    }
}

/// What `read` makes of the element that `start_tag` begins with.
fn attributes(
    start_tag: &[u8],
    read: impl FnOnce(&Element<'_, '_>) -> Vec<Attribute>,
) -> Vec<Attribute> {
    let read = RefCell::new(Some(read));
    let found = RefCell::new(Vec::new());
    let take = |element: &mut Element<'_, '_>| {
        if let Some(read) = read.borrow_mut().take() {
            *found.borrow_mut() = read(element);
        }
        Err(LocatorStop::Complete.into())
    };
    let settings = Settings::new().append_element_content_handler((
        Cow::Borrowed(&*CANDIDATES),
        ElementContentHandlers::default().element(take),
    ));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // It ends in the error with which the handler stops it.
    let _ = rewriter.write(start_tag);
    drop(rewriter);
    found.take()
}

#[cfg(test)]
mod tests;
