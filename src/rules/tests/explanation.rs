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
