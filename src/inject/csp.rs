use aws_lc_rs::rand;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY};
use http::header::{ETAG, Entry, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED, LINK};

use super::verdict::{SkipReason, Verdict};
use super::watch::{PolicyWatch, Watched};
use crate::html::{self, PolicyRefused};
use crate::wire::csp::{Adjuster, Obstacle, SelfOrigin, Terms, Treatment, requires_integrity};
use crate::wire::{ScriptPreload, keep_from_shared_caches};

const INTEGRITY_POLICY: HeaderName = HeaderName::from_static("integrity-policy");

/// The policies of a page, as they go on: those of the head, and those that come in its body.
#[derive(Clone, Debug)]
pub struct PagePolicies {
    adjuster: Adjuster,
    /// The page demands integrity of scripts, the tag has none, and all is left as it is.
    lacks_integrity: bool,
}

/// Looks at the policies in the head of what the verdict takes for a page. One that they do not let
/// run the tag, and that may not or cannot be helped, is left alone.
pub fn settle_policies(
    verdict: Verdict,
    headers: &HeaderMap,
    terms: &Terms,
    page: impl FnOnce() -> SelfOrigin,
) -> (Verdict, Option<PagePolicies>) {
    if let Verdict::Pass(_) = verdict {
        return (verdict, None);
    }
    match PagePolicies::of(headers, terms, page()) {
        Ok(policies) => (verdict, Some(policies)),
        Err(_) => (Verdict::Pass(SkipReason::Csp), None),
    }
}

impl PagePolicies {
    /// Reads the policies of a head, as the origin sent it.
    pub fn of(headers: &HeaderMap, terms: &Terms, page: SelfOrigin) -> Result<Self, Obstacle> {
        let lines = |name: HeaderName| -> Vec<&[u8]> {
            let values = headers.get_all(name).iter();
            values.map(HeaderValue::as_bytes).collect()
        };
        let demands = lines(INTEGRITY_POLICY);
        let demanded = demands.into_iter().any(requires_integrity);
        let lacks_integrity = demanded && terms.needs.integrity.is_empty();
        if lacks_integrity && terms.treatment != Treatment::Leave {
            return Err(Obstacle::Integrity);
        }
        let enforced = lines(CONTENT_SECURITY_POLICY);
        let reported = lines(CONTENT_SECURITY_POLICY_REPORT_ONLY);
        let adjuster = Adjuster::new((&enforced, &reported), terms, page, fresh_nonce)?;
        Ok(Self {
            adjuster,
            lacks_integrity,
        })
    }

    /// What keeps the tag from running under the head's policies, where they are left as they are.
    pub fn obstacle_left(&self) -> Option<&Obstacle> {
        const INTEGRITY: &Obstacle = &Obstacle::Integrity;
        let lacks_integrity = self.lacks_integrity.then_some(INTEGRITY);
        lacks_integrity.or_else(|| self.adjuster.obstacle_left())
    }

    /// Writes them into the head. With a nonce that was made for this answer it is for one visitor,
    /// and once: what is stored elsewhere, or revalidated, would part the nonces of head and body.
    pub fn write(&self, headers: &mut HeaderMap) {
        self.write_lines(headers);
        if self.adjuster.has_own_nonce() {
            headers.remove(ETAG);
            headers.remove(LAST_MODIFIED);
            keep_from_shared_caches(headers);
        }
    }

    /// Tells the browser of the script, beside what the origin tells it of, where it is sure that
    /// there will be a tag.
    pub fn announce(&self, preload: &ScriptPreload, headers: &mut HeaderMap) {
        if self.obstacle_left().is_none()
            && let Some(field) = preload.field(self.adjuster.nonce())
        {
            headers.append(LINK, field);
        }
    }

    /// Writes only the lines: into an answer that says that a stored page is still good, and whose
    /// fields take the place of those that were stored with it (RFC 9111 3.2).
    pub fn write_lines(&self, headers: &mut HeaderMap) {
        for name in [CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY] {
            let Entry::Occupied(mut lines) = headers.entry(name) else {
                continue;
            };
            for line in lines.iter_mut() {
                let grown = self.adjuster.line(line.as_bytes());
                // A value that has grown by visible ASCII is a value.
                if let Some(Ok(grown)) = grown.map(|grown| HeaderValue::from_bytes(&grown)) {
                    *line = grown;
                }
            }
        }
    }
}

impl PagePolicies {
    /// What the tag is to carry.
    pub fn nonce(&self) -> Option<&str> {
        self.adjuster.nonce()
    }

    /// The same, with somebody who sees what becomes of the policies in the body.
    pub fn watched(self, watch: &PolicyWatch) -> impl html::PagePolicies + 'static {
        Watched::new(self, watch.clone())
    }

    pub(super) fn settle_meta(&mut self, policy: &str) -> Result<Option<String>, Obstacle> {
        self.adjuster.meta(policy)
    }
}

impl html::PagePolicies for PagePolicies {
    fn adjust(&mut self, policy: &str) -> Result<Option<String>, PolicyRefused> {
        self.settle_meta(policy).map_err(|_| PolicyRefused)
    }

    fn nonce(&self) -> Option<&str> {
        self.nonce()
    }
}

/// 128 random bits (CSP3 7.1), in digits that need no escaping anywhere.
fn fresh_nonce() -> Option<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests;
