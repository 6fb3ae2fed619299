use http::header::{CACHE_CONTROL, CONTENT_ENCODING, EXPIRES, Entry, HeaderMap, HeaderValue, VARY};

use super::body::PageBody;
use crate::html::PlanVersion;
use crate::wire::{self, Coding};

/// Makes the head of a page say what is true of the page as it is edited: no length and no digest
/// of the origin's bytes, the coding that the visitor gets, the validator with the plan's
/// version, and Vary grown by what the verdict looked at.
pub fn describe_page(
    headers: &mut HeaderMap,
    codings: &PageBody,
    version: PlanVersion,
    looked_at: &[&'static str],
) {
    wire::drop_body_facts(headers);
    headers.remove(CONTENT_ENCODING);
    if codings.to != Coding::Identity {
        let coding = HeaderValue::from_static(codings.to.as_str());
        headers.insert(CONTENT_ENCODING, coding);
    }
    describe_validators(headers, version, looked_at);
    if codings.from != Coding::Identity {
        vary_by(headers, &["Accept-Encoding"]);
    }
}

/// What holds for a page without a byte, too: an answer to HEAD does not tell whether there is one.
pub fn describe_validators(
    headers: &mut HeaderMap,
    version: PlanVersion,
    looked_at: &[&'static str],
) {
    wire::tag_down(headers, version.as_str());
    forbid_guessing(headers);
    vary_by(headers, looked_at);
}

/// The fields of a 304 take the place of those that the page was stored with (RFC 9111 3.2): they
/// must say of the edited page what its own head said. The stored page may have been a coded one.
pub fn describe_not_modified(headers: &mut HeaderMap, looked_at: &[&'static str]) {
    wire::drop_body_facts(headers);
    headers.remove(CONTENT_ENCODING);
    vary_by(headers, looked_at);
    vary_by(headers, &["Accept-Encoding"]);
}

/// Without a word about freshness, browsers keep a page for a tenth of its age (RFC 9111 4.2.2):
/// months, on an old site, in which new masks and groups would not reach its visitors. So they are
/// told to ask each time, which costs a 304 while nothing has changed. What the origin does say
/// stands.
fn forbid_guessing(headers: &mut HeaderMap) {
    if !headers.contains_key(CACHE_CONTROL) && !headers.contains_key(EXPIRES) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
}

/// The same address gives another answer to a script than to a person: caches must know.
pub fn vary_by(headers: &mut HeaderMap, fields: &[&'static str]) {
    let Some((first, others)) = fields.split_first() else {
        return;
    };
    let (mut vary, fields) = match headers.entry(VARY) {
        Entry::Vacant(vary) => (vary.insert_entry(HeaderValue::from_static(first)), others),
        Entry::Occupied(vary) => (vary, fields),
    };
    for field in fields {
        if !vary.iter().any(|line| names_field(line, field)) {
            vary.append(HeaderValue::from_static(field));
        }
    }
}

/// Whether a line of Vary names a field, or all fields (RFC 9110 12.5.5).
fn names_field(line: &HeaderValue, field: &str) -> bool {
    let named = line.as_bytes().split(|byte| *byte == b',');
    let mut named = named.map(<[u8]>::trim_ascii);
    named.any(|named| named == b"*" || named.eq_ignore_ascii_case(field.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::PageKind;

    const FIELDS: [&str; 2] = ["Sec-Fetch-Dest", "X-Requested-With"];

    fn vary(lines: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(VARY, HeaderValue::from_static(line));
        }
        vary_by(&mut headers, &FIELDS);
        headers
            .get_all(VARY)
            .iter()
            .map(|line| line.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn vary_grows_by_what_it_does_not_name_yet() {
        assert_eq!(vary(&[]), ["Sec-Fetch-Dest", "X-Requested-With"]);
        assert_eq!(vary(&["*"]), ["*"]);
        assert_eq!(
            vary(&["Cookie, sec-fetch-dest"]),
            ["Cookie, sec-fetch-dest", "X-Requested-With"]
        );
    }

    #[test]
    fn a_page_of_unsaid_freshness_is_asked_for_each_time() {
        for (field, value, kept) in [
            ("x-none", "", "no-cache"),
            ("cache-control", "max-age=60", "max-age=60"),
            ("expires", "0", ""),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(field, HeaderValue::from_static(value));
            forbid_guessing(&mut headers);
            let said = headers
                .get(CACHE_CONTROL)
                .map_or("", |value| value.to_str().unwrap());
            assert_eq!(said, kept, "{field}");
        }
    }

    #[test]
    fn a_page_loses_what_was_true_of_the_origins_bytes_only() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-length", "5"),
            ("content-encoding", "gzip"),
            ("accept-ranges", "bytes"),
            ("content-md5", "x"),
            ("repr-digest", "x"),
            ("set-cookie", "a=1"),
            ("cache-control", "private"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let codings = PageBody {
            from: Coding::Gzip,
            to: Coding::Br,
            charset: None,
            kind: PageKind::Document,
        };
        let tag = crate::html::ScriptTag::render([("id", None)]).unwrap();
        let plan = crate::html::Plan::new(tag, Default::default(), Default::default(), Vec::new());
        describe_page(&mut headers, &codings, plan.version(), &FIELDS);
        assert_eq!(headers.get(CONTENT_ENCODING).unwrap(), "br");
        let mut left: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
        left.sort_unstable();
        assert_eq!(
            left,
            ["cache-control", "content-encoding", "set-cookie", "vary"]
        );
        let vary: Vec<_> = headers.get_all(VARY).iter().collect();
        assert_eq!(
            vary,
            ["Sec-Fetch-Dest", "X-Requested-With", "Accept-Encoding"]
        );
    }
}
