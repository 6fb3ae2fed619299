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
