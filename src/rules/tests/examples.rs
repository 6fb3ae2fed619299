use super::*;

#[test]
fn the_examples_load_without_warnings_and_pass_their_tests_in_either_environment() {
    for env in [SiteEnv::Production, SiteEnv::Staging] {
        let loaded = RuleSet::load(&root().join("rules"), env);
        let loaded = loaded.unwrap_or_else(|problems| panic!("{}", listed(&problems)));
        assert_eq!(listed(&loaded.warnings), "");
        assert_eq!(loaded.rules.sites().len(), 3);
    }
}

#[test]
fn staging_has_its_own_hosts_groups_and_script() {
    let loaded = RuleSet::load(&root().join("rules"), SiteEnv::Staging).unwrap();
    assert!(loaded.rules.site("portal.insurer.example").is_none());
    let site = loaded.rules.site("portal.staging.insurer.example").unwrap();
    let rule = site.resolve("/");
    assert_eq!(groups(&rule), [25702]);
    let tag = rule.plan.as_ref().unwrap().tag().as_str().to_owned();
    assert!(
        tag.contains("beta.glancecdn.net/cobrowse/CobrowseJS.ashx?group=25702&amp;site=staging"),
        "{tag}"
    );
    assert!(tag.contains("data-site=\"staging\""), "{tag}");
}
