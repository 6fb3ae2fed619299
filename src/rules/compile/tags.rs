use crate::document::{At, Fault, Reports};
use crate::html::{ExistingTag, Placement};
use crate::rules::level::Level;
use crate::rules::site::Site;
use crate::rules::tag::TagKey;

/// What can be right by itself and wrong on this site.
pub(super) fn check(site: &Site, reports: &Reports) {
    check_cookie_domains(site, reports);
    check_integrity(site, reports);
    check_merging(site, reports);
    for (_, at) in site.levels().filter_map(|level| text(level, TagKey::Nonce)) {
        reports.warning(
            at,
            "a fixed nonce is on every page for everybody to read, so it protects nothing",
            "remove it: the edge takes the nonce of each page's own policy",
        );
    }
}

/// The vendor demands that the host's name ends with the cookie domain.
fn check_cookie_domains(site: &Site, reports: &Reports) {
    for level in site.levels() {
        let Some((domain, at)) = text(level, TagKey::CookieDomain) else {
            continue;
        };
        let outside = site
            .hosts
            .iter()
            .find(|host| !host.value.lies_within(domain));
        if let Some(host) = outside {
            let fault = Fault::new(
                format!(
                    "the host \"{}\" does not end with the cookie domain \"{domain}\"",
                    host.value
                ),
                "write a domain that all hosts of the site end with, or set it per site",
            );
            reports.conflict(at, (&host.at, "this host"), fault);
        }
    }
}

/// Browsers refuse to check a script of another origin that was not fetched with CORS: they would not
/// run it at all.
fn check_integrity(site: &Site, reports: &Reports) {
    if !site.script.url.is_of_other_origin() {
        return;
    }
    let broad = [&site.level, &*site.defaults];
    let fetched_with_cors = broad
        .iter()
        .any(|level| text(level, TagKey::CrossOrigin).is_some());
    for level in site.levels().filter(|_| !fetched_with_cors) {
        let own = text(level, TagKey::CrossOrigin);
        if let (Some((_, at)), None) = (text(level, TagKey::Integrity), own) {
            reports.warning(
                at,
                "browsers will not run a script of another origin that has integrity without crossorigin",
                "write crossorigin = \"anonymous\" beside it",
            );
        }
    }
}

/// There must be a tag to take something over, and it must be known by then.
fn check_merging(site: &Site, reports: &Reports) {
    for level in site.levels() {
        let Some(merge) = level.merge_existing.as_ref().filter(|merge| merge.value) else {
            continue;
        };
        let keep = level.existing_tag.as_ref();
        if let Some(keep) = keep.filter(|tag| tag.value == ExistingTag::Keep) {
            let fault = Fault::new(
                "a page's own tag cannot be kept and merged into ours at once",
                "remove one of the two",
            );
            reports.conflict(&merge.at, (&keep.at, "this keeps it"), fault);
        }
        let head = level.placement.as_ref();
        if let Some(head) = head.filter(|placement| placement.value == Placement::Head) {
            let fault = Fault::new(
                "a tag in the head is written before the page's own tag is known",
                "write placement = \"end\", or remove merge_existing",
            );
            reports.conflict(&merge.at, (&head.at, "this puts it there"), fault);
        }
    }
}

/// The attribute's text, if this level sets it.
fn text(level: &Level, key: TagKey) -> Option<(&str, &At)> {
    let stated = level.tag.find(key)?;
    Some((stated.value.as_deref()?, &stated.at))
}
