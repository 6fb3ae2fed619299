use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use crate::groups::{
    GrantEpoch, GrantFields, GrantKeys, GrantRefusal, PageGrant, SiteEnv, UnwritableGrant,
};
use crate::html::AttributeError;
use crate::rules::PageRule;

/// Writes grants onto tags, and opens those that come back.
///
/// What is written depends on a page's rule, its host and the epoch alone, so it is signed once for
/// each. How many hosts there are, visitors may say where a site is for any host: what is held is
/// bounded, and given up as a whole when it is full. Then the next pages are signed again, which takes
/// some microseconds each.
#[derive(Debug)]
pub struct Grants {
    keys: GrantKeys,
    epoch: GrantEpoch,
    env: SiteEnv,
    held: RwLock<Held>,
    bound: usize,
}

/// The rules with their grants, all of one epoch.
#[derive(Debug, Default)]
struct Held {
    /// When the grants end: it names the epoch.
    expires: u64,
    /// By the address of the rule, which is held so that no other one can have it.
    rules: HashMap<usize, OfRule>,
    weight: usize,
}

#[derive(Debug)]
struct OfRule {
    _rule: Arc<PageRule>,
    by_host: HashMap<Box<str>, Arc<PageRule>>,
}

/// Bytes of tags and names that are held: thousands of hosts and rules, and no burden.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What an entry takes beside its tag.
const ENTRY_BYTES: usize = 512;

impl Grants {
    pub fn new(keys: GrantKeys, epoch: GrantEpoch, env: SiteEnv) -> Self {
        Self {
            keys,
            epoch,
            env,
            held: RwLock::default(),
            bound: HELD_BYTES_MAX,
        }
    }

    pub fn keys(&self) -> &GrantKeys {
        &self.keys
    }

    /// The rule with a grant on its tag, for a page of this host. A rule without a tag stays as it is;
    /// so does one whose grant cannot be written, and then no session can start on its pages.
    pub fn granted(&self, rule: Arc<PageRule>, host: &str, now: SystemTime) -> Arc<PageRule> {
        if rule.plan.is_none() {
            return rule;
        }
        let expires = self.epoch.expiry(now);
        self.find(&rule, host, expires)
            .unwrap_or_else(|| self.sign(rule, host, expires))
    }

    /// What a grant says, if it is one of ours and for a page of this host.
    pub fn open(
        &self,
        grant: &str,
        host: &str,
        now: SystemTime,
    ) -> Result<PageGrant, GrantRefusal> {
        let grant = self.keys.open(grant, now)?;
        grant.check_page(host, self.env)?;
        Ok(grant)
    }

    /// A panic elsewhere cannot leave the maps half changed, so a poisoned lock is as good as new.
    fn find(&self, rule: &Arc<PageRule>, host: &str, expires: u64) -> Option<Arc<PageRule>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let of_rule = held.rules.get(&address(rule));
        let of_rule = of_rule.filter(|_| held.expires == expires)?;
        of_rule.by_host.get(host).map(Arc::clone)
    }

    fn sign(&self, rule: Arc<PageRule>, host: &str, expires: u64) -> Arc<PageRule> {
        let Ok(granted) = self.with_grant(&rule, host, expires) else {
            return rule;
        };
        let granted = Arc::new(granted);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.keep((rule, &granted), host, expires, self.bound);
        granted
    }

    fn with_grant(
        &self,
        rule: &PageRule,
        host: &str,
        expires: u64,
    ) -> Result<PageRule, Unwritable> {
        let (Some(plan), Some(groups)) = (&rule.plan, &rule.groups) else {
            return Err(Unwritable);
        };
        let grant = PageGrant::new(GrantFields {
            host: host.into(),
            rule: (*rule.label).into(),
            env: self.env,
            groups: groups.clone(),
            mask_revision: rule.mask_revision(),
            expires,
        })?;
        let plan = plan.tagged_with("data-grant", &self.keys.sign(&grant))?;
        Ok(PageRule {
            plan: Some(Arc::new(plan)),
            ..rule.clone()
        })
    }
}

impl Held {
    fn keep(
        &mut self,
        (rule, granted): (Arc<PageRule>, &Arc<PageRule>),
        host: &str,
        expires: u64,
        bound: usize,
    ) {
        let tag = granted.plan.as_ref().map(|plan| plan.tag().html().len());
        let weight = ENTRY_BYTES + host.len() + tag.unwrap_or_default();
        if self.expires != expires || self.weight + weight > bound {
            *self = Self {
                expires,
                ..Self::default()
            };
        }
        let of_rule = self.rules.entry(address(&rule)).or_insert_with(|| OfRule {
            _rule: rule,
            by_host: HashMap::new(),
        });
        let known = of_rule.by_host.insert(host.into(), Arc::clone(granted));
        if known.is_none() {
            self.weight += weight;
        }
    }
}

fn address(rule: &Arc<PageRule>) -> usize {
    Arc::as_ptr(rule).addr()
}

/// A rule's own bounds are narrower than a grant's.
struct Unwritable;

impl From<UnwritableGrant> for Unwritable {
    fn from(_: UnwritableGrant) -> Self {
        Self
    }
}

impl From<AttributeError> for Unwritable {
    fn from(_: AttributeError) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests;
