//! A visitor who asks again and again for one page.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cobrowse_edge::wire::{
    Conditional, is_conditional, restore_foreign, restore_up, sole_page_tag, tag_down,
};
use http::header::{
    ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};

/// What the origin calls its page, behind the number of what it holds.
const TAGS: [&str; 8] = ["", "a", "a,b", "a b", "\u{e9}", "~ce", "W/", "~ceX.v"];

/// What an origin says of its page, over and over.
struct Origin {
    content: u8,
    tag: Tag,
    suffix: &'static str,
    says_date: bool,
    /// A 304 leaves the tag out.
    is_terse: bool,
    /// Dates are compared as texts.
    is_exact: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    None,
    Strong,
    Unreadable,
    Weak,
}

/// What a visitor was given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Copy {
    content: u8,
    /// The version by which it was edited, if it was.
    version: Option<u8>,
    tag: Option<HeaderValue>,
    date: Option<HeaderValue>,
}

/// How the edge sees a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Page,
    Script,
    Unknown,
}

/// Steps of two bytes: what happens, and to what.
pub(crate) fn travel(how: u8, steps: &[u8]) {
    let mut origin = Origin {
        content: 0,
        tag: [Tag::Strong, Tag::Weak, Tag::None, Tag::Unreadable][usize::from(how & 3)],
        suffix: TAGS[usize::from(how >> 2 & 7)],
        says_date: how & 0x20 != 0,
        is_terse: how & 0x40 != 0,
        is_exact: false,
    };
    let (mut version, mut copies) = (0, Vec::new());
    for step in steps.chunks_exact(2).take(16) {
        match step[0] & 7 {
            0 => origin.change(step[1] & 3),
            1 => version = step[1] & 1,
            2 => origin.is_exact = step[1] & 1 == 0,
            3 => origin.is_terse = step[1] & 1 == 0,
            4 => ask(&origin, version, &mut copies, Asks::Script, step),
            5 => ask(&origin, version, &mut copies, Asks::Unknown, step),
            _ => ask(&origin, version, &mut copies, Asks::Page, step),
        }
    }
}

fn ask(origin: &Origin, version: u8, copies: &mut Vec<Copy>, asks: Asks, step: &[u8]) {
    let asked: Vec<Copy> = chosen(copies, step[1]).cloned().collect();
    let mut up = conditions(&asked, step[0] & 8 != 0, step[0] & 16 != 0);
    let named = format!("v{version}");
    let sole = sole_page_tag(&up, &named);
    let was = up.clone();
    let conditional = match asks {
        Asks::Page => restore_up(&mut up, &named),
        Asks::Unknown => restore_foreign(&mut up, &named),
        Asks::Script => restore_foreign(&mut up, "none"),
    };
    assert_eq!(
        conditional == Conditional::Unconditional,
        asks == Asks::Page && !is_conditional(&up)
            || asks != Asks::Page && is_conditional(&was) && !is_conditional(&up),
        "{was:?} {up:?}"
    );
    // Only what a script asks for, and what turns out to be none, is no page.
    let edits = match asks {
        Asks::Page => true,
        Asks::Script => false,
        Asks::Unknown => step[0] & 32 != 0,
    };
    let now = Copy::given(origin, edits.then_some(version));
    if !origin.answers_not_modified(&up) {
        check_worth(&asked, &now, &was, origin, asks);
        copies.push(now);
        let drop = copies.len().saturating_sub(6);
        copies.drain(..drop);
        return;
    }
    let mut down = origin.head(origin.is_terse);
    let told = down.clone();
    let is_page = conditional.tag_not_modified(&mut down, &named, sole.as_ref());
    let fits = |copy: &&Copy| {
        let as_page = asks != Asks::Script && copy.version == Some(version);
        let as_is = asks != Asks::Page && copy.version.is_none();
        copy.content == origin.content && (as_page || as_is)
    };
    let right: Vec<_> = asked.iter().filter(fits).collect();
    assert!(!right.is_empty(), "a 304 for {asked:?} of {was:?}: {up:?}");
    if is_page {
        let edited = right.iter().any(|copy| copy.version.is_some());
        assert!(edited, "a page's 304 for {asked:?}");
    } else {
        assert_eq!(down, told, "a 304 that speaks of no page of ours");
    }
    if let Some(tag) = down.get(ETAG).filter(|_| origin.tag != Tag::Unreadable) {
        let page = Copy::given(origin, Some(version)).tag;
        let by_date = Copy::by_date(origin, version);
        let as_is = Copy::given(origin, None).tag;
        let known = match is_page {
            true => [page, by_date].contains(&Some(tag.clone())),
            false => as_is.as_ref() == Some(tag),
        };
        assert!(known, "{tag:?} for {:?}", origin.content);
    }
}

fn chosen(copies: &[Copy], bits: u8) -> impl Iterator<Item = &Copy> {
    let chosen = move |at: &usize| bits >> at & 1 == 1;
    (0..copies.len().min(6))
        .filter(chosen)
        .map(|at| &copies[at])
}

/// The conditions by which a visitor asks who has these, in one line or several.
fn conditions(copies: &[Copy], in_lines: bool, with_date: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let tags: Vec<_> = copies.iter().filter_map(|copy| copy.tag.as_ref()).collect();
    if in_lines {
        for tag in tags {
            headers.append(IF_NONE_MATCH, tag.clone());
        }
    } else if !tags.is_empty() {
        let tags: Vec<_> = tags.iter().map(|tag| tag.as_bytes()).collect();
        let list = HeaderValue::from_bytes(&tags.join(&b", "[..])).expect("a list of tags");
        headers.insert(IF_NONE_MATCH, list);
    }
    // A date belongs to one copy: to the only one, or to one that has no tag.
    if let (
        [
            Copy {
                date: Some(date),
                tag,
                ..
            },
        ],
        true,
    ) = (copies, with_date)
        && (tag.is_some() || !headers.contains_key(IF_NONE_MATCH))
    {
        headers.insert(IF_MODIFIED_SINCE, date.clone());
    }
    headers
}

/// Who asks by the one tag of what he would be given now is not given it again.
fn check_worth(asked: &[Copy], now: &Copy, was: &HeaderMap, origin: &Origin, asks: Asks) {
    if let [one] = asked
        && one == now
        && (one.tag.is_some() || was.contains_key(IF_MODIFIED_SINCE) && asks != Asks::Page)
        && origin.tag != Tag::Unreadable
    {
        panic!("given again: {one:?}");
    }
}

impl Copy {
    fn given(origin: &Origin, version: Option<u8>) -> Self {
        let mut head = origin.head(false);
        if let Some(version) = version {
            tag_down(&mut head, &format!("v{version}"));
        }
        Self {
            content: origin.content,
            version,
            tag: head.get(ETAG).cloned(),
            date: head.get(LAST_MODIFIED).cloned(),
        }
    }

    /// What a page's tag is where the origin has no other.
    fn by_date(origin: &Origin, version: u8) -> Option<HeaderValue> {
        let mut head = origin.head(false);
        head.remove(ETAG);
        tag_down(&mut head, &format!("v{version}"));
        head.remove(ETAG)
    }
}

impl Origin {
    /// A page that goes back in time is not told from a later one by its date.
    fn change(&mut self, content: u8) {
        match self.tag {
            Tag::Strong | Tag::Weak => self.content = content,
            Tag::None | Tag::Unreadable => self.content = self.content.max(content),
        }
    }

    fn head(&self, terse: bool) -> HeaderMap {
        let mut head = HeaderMap::new();
        if let Some(tag) = self.tag_text().filter(|_| !terse) {
            head.insert(ETAG, HeaderValue::from_bytes(&tag).expect("a tag"));
        }
        if self.says_date {
            let date = httpdate::fmt_http_date(self.modified());
            head.insert(LAST_MODIFIED, HeaderValue::try_from(date).expect("a date"));
        }
        head
    }

    fn tag_text(&self) -> Option<Vec<u8>> {
        let opaque = format!("{}{}", self.content, self.suffix);
        let text = match self.tag {
            Tag::None => return None,
            Tag::Strong => format!("\"{opaque}\""),
            Tag::Unreadable => opaque,
            Tag::Weak => format!("W/\"{opaque}\""),
        };
        Some(text.into_bytes())
    }

    fn modified(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000_000 + u64::from(self.content))
    }

    /// RFC 9110 13.2.2, for a request that is safe.
    fn answers_not_modified(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(IF_NONE_MATCH) {
            let own = self.tag_text().unwrap_or_default();
            let own = own.strip_prefix(b"W/").unwrap_or(&own);
            return lines(headers, &IF_NONE_MATCH).any(|line| holds(line, own));
        }
        let mut dates = lines(headers, &IF_MODIFIED_SINCE);
        let Some(date) = dates.next().filter(|_| self.says_date) else {
            return false;
        };
        let same = httpdate::fmt_http_date(self.modified()).as_bytes() == date;
        let text = std::str::from_utf8(date).unwrap_or_default();
        let since = httpdate::parse_http_date(text);
        same || !self.is_exact && since.is_ok_and(|since| self.modified() <= since)
    }
}

/// An unreadable tag is compared as the text that it is.
fn holds(line: &[u8], own: &[u8]) -> bool {
    let found = line.windows(own.len().max(1)).enumerate();
    let mut found = found.filter(|(_, part)| *part == own);
    found.any(|(at, _)| {
        let ends = |byte: Option<&u8>| byte.is_none_or(|byte| matches!(byte, b',' | b' ' | b'/'));
        ends(at.checked_sub(1).map(|before| &line[before])) && ends(line.get(at + own.len()))
    })
}

fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).into_iter().map(HeaderValue::as_bytes)
}
