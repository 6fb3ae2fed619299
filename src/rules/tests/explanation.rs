use super::*;

#[test]
fn explains_who_decided_what() {
    let path = root().join("rules/bank.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let file = Arc::new(SourceFile {
        path: "rules/bank.toml".into(),
        text,
    });
    let loaded = RuleSet::compile(vec![file], SiteEnv::Production).unwrap();
    let site = loaded.rules.site("bank.example").unwrap();
    insta::assert_snapshot!(site.explain("/mortgage/apply"));
    insta::assert_snapshot!(site.explain("/mortgage/calculators/monthly;x=1"));
}

#[test]
fn explains_two_readings_group_masks_and_masks_of_the_visitor_script() {
    let rules = rules(
        "version = 1\nscript = { kind = \"edge\", url = \"/v.js\" }\n[[group]]\nid = 1\nmasks = [\"#x\", \"#y\"]\n\
         [[site]]\nhosts = [\"a\"]\norigin = \"http://b\"\ngroup = 1\ntag = { defer = true, presence = \"api\" }\n\
         [[site.rule]]\nname = \"private\"\npath = \"/private\"\nmasks = [\"#x\", { selector = \"p:has(a)\", client_only = true }]\n",
    );
    let site = rules.site("a").unwrap();
    insta::assert_snapshot!(site.explain("/private;a"));
}

#[test]
fn tells_of_several_origins() {
    let loaded = RuleSet::load(&root().join("rules"), SiteEnv::Production).unwrap();
    let site = loaded.rules.site("trade.broker.example").unwrap();
    let explained = site.explain("/").to_string();
    let line = "origins       http://10.1.8.11:8080, http://10.1.8.12:8080 (least-requests)  site";
    assert!(explained.contains(line), "{explained}");
}
