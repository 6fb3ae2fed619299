use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::problem::SourceFile;

/// The demo's rules, with the address at which the bank is played just now.
pub fn rules(origin: SocketAddr) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: PathBuf::from("src/cli/demo/rules.toml"),
        text: RULES.replace(ORIGIN_PLACE, &origin.to_string()),
    })
}

/// The same, with the loader of a backend elsewhere, which is played.
pub fn rules_for_stand_in(origin: SocketAddr) -> Arc<SourceFile> {
    let SourceFile { path, text } = &*rules(origin);
    let text = text.replace(OWN_SCRIPT, STAND_IN_SCRIPT);
    let path = path.clone();
    Arc::new(SourceFile { path, text })
}

const OWN_SCRIPT: &str = "kind = \"edge\"\nurl  = \"/_cobrowse/CobrowseJS.ashx";
const STAND_IN_SCRIPT: &str = "url = \"/_cobrowse/cobrowse/CobrowseJS.ashx";

const RULES: &str = include_str!("rules.toml");
/// What stands in the file for the address, which is known only at run time.
const ORIGIN_PLACE: &str = "bank.invalid";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::bank::{Expect, PAGES};
    use crate::groups::GroupId;
    use crate::rules::{PageRule, RuleSet, SiteEnv};

    #[test]
    fn the_rules_load_and_name_the_address_of_the_bank() {
        let rules = rules(SocketAddr::from(([127, 0, 0, 1], 4711)));
        assert!(rules.text.contains("origin = \"http://127.0.0.1:4711\""));
        let loaded = RuleSet::compile(vec![rules], SiteEnv::Production).unwrap();
        assert_eq!(loaded.warnings, []);
        assert!(loaded.rules.site("whatever.example").is_some());
    }

    #[test]
    fn a_stand_in_has_a_loader_of_its_own() {
        let rules = rules_for_stand_in(SocketAddr::from(([127, 0, 0, 1], 4711)));
        assert!(rules.text.contains(STAND_IN_SCRIPT) && !rules.text.contains("\"edge\""));
        let loaded = RuleSet::compile(vec![rules], SiteEnv::Production).unwrap();
        assert_eq!(loaded.warnings, []);
    }

    #[test]
    fn the_rules_make_of_each_page_what_the_catalogue_says() {
        let rules = rules(SocketAddr::from(([127, 0, 0, 1], 4711)));
        let loaded = RuleSet::compile(vec![rules], SiteEnv::Production).unwrap();
        let site = loaded.rules.site("bank.example").unwrap();
        for page in PAGES {
            let path = page.path.split('?').next().unwrap();
            let rule = site.resolve(path);
            let Expect::Tagged {
                group,
                additional,
                masks,
            } = page.expect
            else {
                let by_rule = page.expect == Expect::Untouched("the rule says inject = false");
                assert_eq!(rule.plan.is_none(), by_rule, "{path}");
                continue;
            };
            assert_eq!(groups_of(&rule), [&[group], additional].concat(), "{path}");
            let planned = rule.plan.as_ref().unwrap().masks();
            for (selector, _) in masks {
                let planned = planned
                    .iter()
                    .any(|mask| mask.selector.as_str() == *selector);
                assert!(planned, "{selector} on {path}");
            }
        }
    }

    fn groups_of(rule: &PageRule) -> Vec<u32> {
        let groups = rule.groups.as_ref().unwrap();
        groups.iter().map(GroupId::as_u32).collect()
    }
}
