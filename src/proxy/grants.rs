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
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::problem::SourceFile;
    use crate::rules::{RuleSet, Site};

    const EPOCH: Duration = Duration::from_secs(100);

    fn site() -> Arc<Site> {
        let text = "version = 1\n[[site]]\nhosts = [\"*\"]\norigin = \"http://a\"\ngroup = 1\n\
                    [[site.rule]]\nname = \"desk\"\npath = \"/desk\"\nadditional_groups = [3, 2]\nmasks = [\"#x\"]\n\
                    [[site.rule]]\npath = \"/none\"\ninject = false\n";
        let file = SourceFile {
            path: "rules.toml".into(),
            text: text.to_owned(),
        };
        let loaded = RuleSet::compile(vec![Arc::new(file)], SiteEnv::Staging).unwrap();
        Arc::clone(loaded.rules.site("a").unwrap())
    }

    fn grants(bound: usize) -> Grants {
        let keys = GrantKeys::generate().unwrap();
        let epoch = GrantEpoch::new(EPOCH).unwrap();
        Grants {
            bound,
            ..Grants::new(keys, epoch, SiteEnv::Staging)
        }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn tag(rule: &PageRule) -> &str {
        rule.plan.as_ref().unwrap().tag().as_str()
    }

    fn grant(rule: &PageRule) -> &str {
        let (_, rest) = tag(rule).split_once(" data-grant=\"").unwrap();
        rest.strip_suffix("\"></script>").unwrap()
    }

    #[test]
    fn a_tag_says_what_its_page_allows() {
        let (site, grants) = (site(), grants(HELD_BYTES_MAX));
        let plain = site.resolve("/desk");
        let rule = grants.granted(Arc::clone(&plain), "www.bank.example", at(150));
        let opened = grants
            .open(grant(&rule), "www.bank.example", at(299))
            .unwrap();
        let groups: Vec<_> = opened.groups().iter().map(|group| group.as_u32()).collect();
        assert_eq!(groups, [1, 2, 3]);
        assert_eq!((opened.rule(), opened.expires()), ("desk", 300));
        assert_eq!(opened.mask_revision(), plain.mask_revision());
        assert_ne!(opened.mask_revision(), site.resolve("/").mask_revision());
        assert!(tag(&rule).starts_with(tag(&plain).trim_end_matches("></script>")));
        assert_eq!((&rule.groups, &rule.label), (&plain.groups, &plain.label));

        let refused = |host, now| grants.open(grant(&rule), host, now).unwrap_err();
        assert_eq!(refused("bank.example", at(299)), GrantRefusal::ForeignPage);
        assert_eq!(refused("www.bank.example", at(300)), GrantRefusal::Expired);
    }

    #[test]
    fn a_page_without_a_tag_has_no_grant() {
        let rule = site().resolve("/none");
        let granted = grants(HELD_BYTES_MAX).granted(Arc::clone(&rule), "a", at(0));
        assert!(Arc::ptr_eq(&granted, &rule));
    }

    #[test]
    fn a_grant_is_signed_once_for_each_rule_host_and_epoch() {
        let (site, grants) = (site(), grants(HELD_BYTES_MAX));
        let rule = |path, host, now| grants.granted(site.resolve(path), host, at(now));
        let first = rule("/desk", "a", 100);
        assert!(Arc::ptr_eq(&first, &rule("/desk", "a", 199)));
        for (path, host, now) in [("/", "a", 100), ("/desk", "b", 100), ("/desk", "a", 200)] {
            let other = rule(path, host, now);
            assert_ne!(grant(&other), grant(&first), "{path} {host} {now}");
            let versions = [&first, &other].map(|rule| rule.plan.as_ref().unwrap().version());
            assert_ne!(versions[0], versions[1], "{path} {host} {now}");
        }
        assert_eq!(grant(&rule("/desk", "a", 100)), grant(&first));
    }

    #[test]
    fn hosts_that_visitors_make_up_do_not_fill_the_memory() {
        let bound = 64 * 1024;
        let (site, grants) = (site(), grants(bound));
        for number in 0..10_000 {
            let host = format!("{number}.example");
            let rule = grants.granted(site.resolve("/desk"), &host, at(0));
            assert!(grants.open(grant(&rule), &host, at(0)).is_ok(), "{host}");
            let held = grants.held.read().unwrap();
            let entries: usize = held.rules.values().map(|rule| rule.by_host.len()).sum();
            assert!(held.weight <= bound && entries * ENTRY_BYTES <= bound);
        }
    }

    #[test]
    fn rules_that_are_made_anew_for_each_request_do_not_either() {
        let bound = 64 * 1024;
        let (site, grants) = (site(), grants(bound));
        for _ in 0..1_000 {
            let rule = Arc::new((*site.resolve("/desk")).clone());
            grants.granted(rule, "a", at(0));
        }
        assert!(grants.held.read().unwrap().rules.len() * ENTRY_BYTES <= bound);
    }
}
