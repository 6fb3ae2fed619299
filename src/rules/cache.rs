use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::limits::MAX_CACHE_WEIGHT;
use super::page_rule::PageRule;

/// The page rules of one site that were compiled so far, by the rules that led to them.
///
/// A page rule depends on nothing but which rules match, so it is compiled once. Nothing is ever
/// evicted: a reload brings a new rule set with an empty cache. Once the bound is reached, what is not
/// in is compiled for each request, which costs microseconds and no memory.
pub(super) struct PageRuleCache {
    held: RwLock<Held>,
    bound: usize,
}

#[derive(Default)]
struct Held {
    rules: HashMap<Box<[u32]>, Arc<PageRule>>,
    weight: usize,
}

impl PageRuleCache {
    pub(super) fn new() -> Self {
        Self::with_bound(MAX_CACHE_WEIGHT)
    }

    fn with_bound(bound: usize) -> Self {
        let held = RwLock::default();
        Self { held, bound }
    }

    /// A panic elsewhere cannot leave the map half changed, so a poisoned lock is as good as new.
    pub(super) fn find_or_compile(
        &self,
        key: Box<[u32]>,
        compile: impl FnOnce() -> PageRule,
    ) -> Arc<PageRule> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = held.rules.get(&key) {
            return Arc::clone(found);
        }
        drop(held);
        let compiled = Arc::new(compile());
        self.keep(key, &compiled);
        compiled
    }

    fn keep(&self, key: Box<[u32]>, rule: &Arc<PageRule>) {
        let weight = rule.weight() + key.len() / 16;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.weight + weight <= self.bound && !held.rules.contains_key(&key) {
            held.weight += weight;
            held.rules.insert(key, Arc::clone(rule));
        }
    }
}

impl fmt::Debug for PageRuleCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageRuleCache")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::limits::PAGE_RULE_WEIGHT;

    use super::*;

    fn page_rule() -> PageRule {
        PageRule {
            label: "site".into(),
            groups: None,
            plan: None,
            csp: Default::default(),
            preload: None,
            client_masks: Box::default(),
            untagged: None,
        }
    }

    #[test]
    fn keeps_page_rules_up_to_its_bound_and_no_further() {
        let cache = PageRuleCache::with_bound(2 * PAGE_RULE_WEIGHT);
        let ask = |key: u32| {
            let mut compiled = false;
            cache.find_or_compile([key].into(), || {
                compiled = true;
                page_rule()
            });
            compiled
        };
        assert_eq!([1, 2, 3].map(ask), [true, true, true]);
        assert_eq!([1, 2, 3].map(ask), [false, false, true]);
    }
}
