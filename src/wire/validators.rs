use std::time::SystemTime;

use http::header::{
    ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};

use super::entity_tag::{EntityTag, tag_members};
use super::hop::drop_all;
use super::page_tag::{PageTag, Validator};

/// Gives a page that is edited under the plan `version` an entity tag that carries this version.
/// An origin that has only `Last-Modified` gets a tag made of it; a validator that cannot be read
/// is taken out, since it could not be taken back on its way up.
///
/// `version` is of characters that an entity tag can hold, without `~`.
pub fn tag_down(headers: &mut HeaderMap, version: &str) {
    let modified = only(headers, &LAST_MODIFIED).and_then(parse_date);
    if modified.is_none() {
        headers.remove(LAST_MODIFIED);
    }
    let tag = only(headers, &ETAG).and_then(|line| EntityTag::parse(line.as_bytes()));
    let origin = tag
        .map(Validator::Tag)
        .or_else(|| modified.map(Validator::Modified));
    let version = version.as_bytes();
    match origin.and_then(|origin| PageTag { origin, version }.render()) {
        Some(value) => drop(headers.insert(ETAG, value)),
        None => drop(headers.remove(ETAG)),
    }
}

/// Takes a page request's conditions back to what the origin knows. What carries another version,
/// or none, comes from a page as it was before this plan: it is dropped, and if nothing is left the
/// request is unconditional, so that the visitor gets the page anew.
///
/// For requests that load a page by a safe method.
pub fn restore_up(headers: &mut HeaderMap, version: &str) -> Conditional {
    if !is_conditional(headers) {
        return Conditional::Unconditional;
    }
    let mut conditions = Conditions::read(headers, &IF_NONE_MATCH, version);
    conditions.foreign.clear();
    headers.remove(IF_NONE_MATCH);
    headers.remove(IF_MODIFIED_SINCE);
    conditions.write(headers, &IF_NONE_MATCH, &IF_MODIFIED_SINCE);
    match conditions.is_current() {
        true => Conditional::Page,
        false => Conditional::Unconditional,
    }
}

/// The same for a request that loads no page: our own tags are taken back or dropped as ever, all
/// other conditions stay. A date beside a tag of ours belongs to the same edited page, and goes
/// the way of the tag; so does a range of it.
pub fn restore_foreign(headers: &mut HeaderMap, version: &str) -> Conditional {
    if only(headers, &IF_RANGE).is_some_and(is_ours) {
        drop_range(headers);
    }
    let conditions = Conditions::read(headers, &IF_NONE_MATCH, version);
    if conditions.ours {
        headers.remove(IF_NONE_MATCH);
        headers.remove(IF_MODIFIED_SINCE);
        conditions.write(headers, &IF_NONE_MATCH, &IF_MODIFIED_SINCE);
        if !is_conditional(headers) {
            return Conditional::Unconditional;
        }
    }
    Conditional::Mixed {
        made_of_date: conditions.asks_by_date(),
        restored: conditions.tags,
    }
}

/// Whether a request asks for an answer only if it differs from what is in store.
pub fn is_conditional(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE)
}

/// The one page of this version that a request asks about; `None` if there are several, or none.
pub fn sole_page_tag(headers: &HeaderMap, version: &str) -> Option<HeaderValue> {
    let lines = headers.get_all(IF_NONE_MATCH).into_iter();
    let members = lines.flat_map(|line| tag_members(line.as_bytes()));
    let mut ours = members.filter(|member| {
        let tag = EntityTag::parse(member).and_then(PageTag::read);
        tag.is_some_and(|tag| tag.version == version.as_bytes())
    });
    let first = ours.next()?;
    ours.next()
        .is_none()
        .then(|| HeaderValue::from_bytes(first).ok())?
}

/// Takes our marks off `If-Match`, whatever their version: what matters to a writer is whether the
/// origin's resource changed, not how the page was edited for display. A tag that was made of
/// `Last-Modified` becomes `If-Unmodified-Since`.
pub fn restore_if_match(headers: &mut HeaderMap) {
    let conditions = Conditions::read_all(headers, &IF_MATCH);
    if !conditions.ours {
        return;
    }
    headers.remove(IF_MATCH);
    conditions.write(headers, &IF_MATCH, &IF_UNMODIFIED_SINCE);
}

/// Asks for the whole, because a part of a page cannot be edited.
pub fn drop_range(headers: &mut HeaderMap) {
    headers.remove(RANGE);
    headers.remove(IF_RANGE);
}

/// Takes out what an origin says of a body's bytes, which an edited body makes untrue.
pub fn drop_body_facts(headers: &mut HeaderMap) {
    drop_all(headers, |name| {
        matches!(
            name,
            "accept-ranges"
                | "content-digest"
                | "content-length"
                | "content-md5"
                | "digest"
                | "repr-digest"
        )
    });
}

/// What became of a request's conditions; it says what an answer of 304 means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conditional {
    /// Some conditions may be the visitor's own; these are the ones that were ours.
    Mixed {
        /// Entity tags as they were sent to the origin.
        restored: Vec<Vec<u8>>,
        /// Whether `If-Modified-Since` was made of a tag of ours.
        made_of_date: bool,
    },
    /// Every condition that was sent up was taken from a page of this version.
    Page,
    /// No condition was sent up: a 304 would answer a question that was not asked.
    Unconditional,
}

impl Conditional {
    /// Marks the entity tag of a 304 again, where it speaks of a page that carries our mark; returns
    /// whether it does. An origin may leave the tag out: `sole` is then what the visitor asked with.
    pub fn tag_not_modified(
        &self,
        headers: &mut HeaderMap,
        version: &str,
        sole: Option<&HeaderValue>,
    ) -> bool {
        let named = only(headers, &ETAG).cloned();
        let is_page = match self {
            Self::Mixed {
                restored,
                made_of_date,
            } => match &named {
                Some(line) => restored.iter().any(|tag| is_same_tag(tag, line.as_bytes())),
                None => *made_of_date && !headers.contains_key(ETAG),
            },
            Self::Page => true,
            Self::Unconditional => false,
        };
        if is_page {
            tag_down(headers, version);
            if let (None, Some(sole)) = (named, sole) {
                headers.insert(ETAG, sole.clone());
            }
        }
        is_page
    }
}

/// The weak comparison (RFC 9110 8.8.3.2).
fn is_same_tag(one: &[u8], other: &[u8]) -> bool {
    let opaque = |bytes| EntityTag::parse(bytes).map(|tag| tag.opaque);
    opaque(one).is_some() && opaque(one) == opaque(other)
}

/// The members of a condition, sorted by whose they are.
#[derive(Debug, Default)]
struct Conditions {
    /// Whether any member was ours, of any version.
    ours: bool,
    /// The origin's tags out of members of ours.
    tags: Vec<Vec<u8>>,
    /// The origin's dates out of members of ours.
    dates: Vec<SystemTime>,
    /// All other members, as they are.
    foreign: Vec<Vec<u8>>,
}

impl Conditions {
    /// Of the members that are ours, only those of this version.
    fn read(headers: &HeaderMap, name: &HeaderName, version: &str) -> Self {
        Self::collect(headers, name, |tag| tag.version == version.as_bytes())
    }

    fn read_all(headers: &HeaderMap, name: &HeaderName) -> Self {
        Self::collect(headers, name, |_| true)
    }

    fn collect(
        headers: &HeaderMap,
        name: &HeaderName,
        wanted: impl Fn(&PageTag<'_>) -> bool,
    ) -> Self {
        let mut found = Self::default();
        let lines = headers.get_all(name).into_iter();
        for member in lines.flat_map(|line| tag_members(line.as_bytes())) {
            let Some(tag) = EntityTag::parse(member).and_then(PageTag::read) else {
                found.foreign.push(member.to_owned());
                continue;
            };
            found.ours = true;
            match tag.origin {
                _ if !wanted(&tag) => {}
                Validator::Modified(date) => found.dates.push(date),
                Validator::Tag(tag) => found.tags.push(tag.to_bytes()),
            }
        }
        found
    }

    /// Whether the visitor holds a page of this version.
    fn is_current(&self) -> bool {
        !self.tags.is_empty() || !self.dates.is_empty()
    }

    fn asks_by_date(&self) -> bool {
        self.foreign.is_empty() && self.tags.is_empty() && !self.dates.is_empty()
    }

    /// Writes all members as tags; where there are none, the earliest date: it is met by the fewest
    /// pages, so a condition never becomes weaker.
    fn write(&self, headers: &mut HeaderMap, tags: &HeaderName, date: &HeaderName) {
        let members = [self.foreign.as_slice(), &self.tags].concat();
        let (name, text) = match self.dates.iter().min() {
            _ if !members.is_empty() => (tags, members.join(&b", "[..])),
            Some(earliest) => (date, httpdate::fmt_http_date(*earliest).into_bytes()),
            None => return,
        };
        if let Ok(value) = HeaderValue::from_bytes(&text) {
            headers.insert(name, value);
        }
    }
}

fn is_ours(line: &HeaderValue) -> bool {
    let tag = EntityTag::parse(line.as_bytes());
    tag.and_then(PageTag::read).is_some()
}

fn parse_date(line: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(line.to_str().ok()?).ok()
}

/// The field's value, where it stands on one line.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut lines = headers.get_all(name).into_iter();
    let first = lines.next();
    first.filter(|_| lines.next().is_none())
}

#[cfg(test)]
mod tests;
