use std::sync::{Arc, Mutex, PoisonError};

use super::csp::PagePolicies;
use crate::html::{self, PolicyRefused};
use crate::wire::csp::Obstacle;

/// What somebody sees of a page's policies in `<meta>` while its body goes by.
#[derive(Clone, Debug, Default)]
pub struct PolicyWatch(Arc<Mutex<SeenPolicies>>);

#[derive(Clone, Debug, Default)]
pub struct SeenPolicies {
    /// In the order of the page.
    pub metas: Vec<SeenPolicy>,
    /// What the tag carries.
    pub nonce: Option<String>,
}

/// A policy as the page has it, and what is said in its place: nothing, where it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPolicy {
    pub before: String,
    pub after: Result<Option<String>, Obstacle>,
}

impl PolicyWatch {
    /// What was seen so far.
    pub fn seen(&self) -> SeenPolicies {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, nonce: Option<&str>, meta: Option<SeenPolicy>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.nonce = nonce.map(str::to_owned);
        seen.metas.extend(meta);
    }
}

/// The policies of a page, watched.
#[derive(Debug)]
pub(super) struct Watched {
    policies: PagePolicies,
    watch: PolicyWatch,
}

impl Watched {
    pub(super) fn new(policies: PagePolicies, watch: PolicyWatch) -> Self {
        watch.note(policies.nonce(), None);
        Self { policies, watch }
    }
}

impl html::PagePolicies for Watched {
    fn adjust(&mut self, policy: &str) -> Result<Option<String>, PolicyRefused> {
        let after = self.policies.settle_meta(policy);
        let seen = SeenPolicy {
            before: policy.to_owned(),
            after: after.clone(),
        };
        self.watch.note(self.policies.nonce(), Some(seen));
        after.map_err(|_| PolicyRefused)
    }

    fn nonce(&self) -> Option<&str> {
        self.policies.nonce()
    }
}
