use proptest::prelude::*;

use super::*;

/// A rule for each way in which a character can matter, and a path that it is for.
const RULES: [(&str, &str); 6] = [
    ("/loans+credit/**", "/loans+credit/a"),
    ("/all-of-them/!$&'(),=:@/*", "/all-of-them/!$&'(),=:@/x"),
    ("/report(*).asp", "/report(1).asp"),
    ("/star/%2A", "/star/*"),
    ("/named;v=1/**", "/named;v=1/x"),
    ("/Stripped/*", "/Stripped;jsessionid=1:2/y"),
];

fn site_of_rules(more: &str) -> Arc<Site> {
    let rules = RULES.iter().zip(0..).map(|((path, _), number)| {
        format!("[[site.rule]]\nname = \"{number}\"\npath = \"{path}\"\nmasks = [\"#m{number}\"]\n")
    });
    site(
        &[format!("{more}\n")]
            .into_iter()
            .chain(rules)
            .collect::<String>(),
    )
}

/// The path with the characters encoded that the bits say; slashes stay.
fn encode(path: &str, bits: u64, lower: bool) -> String {
    let spell = |(at, byte): (usize, u8)| match byte {
        b'/' => "/".to_owned(),
        _ if bits >> (at % 64) & 1 == 0 => char::from(byte).to_string(),
        _ if lower => format!("%{byte:02x}"),
        _ => format!("%{byte:02X}"),
    };
    path.bytes().enumerate().map(spell).collect()
}

#[test]
fn each_rule_is_found_by_its_path() {
    let site = site_of_rules("");
    for ((_, path), number) in RULES.iter().zip(0..) {
        assert_eq!(
            masks(&site.resolve(path)),
            [format!("#m{number}")],
            "{path}"
        );
    }
    assert_eq!(&*site.resolve("/star/x").label, "site");
}

#[test]
fn what_one_encoding_too_many_spells_is_another_path() {
    let site = site_of_rules("");
    for path in ["/loans%252Bcredit/a", "/loans%2525credit/a", "/star/%252A"] {
        assert_eq!(&*site.resolve(path).label, "site", "{path}");
    }
}

#[test]
fn an_encoded_semicolon_leaves_two_readings_open() {
    let rule = |more| site_of_rules(more).resolve("/Stripped%3Bv/y");
    let both = rule("");
    assert_eq!((&*both.label, masks(&both)), ("site", vec!["#m5"]));
    assert_eq!(&*rule("path_parameters = \"keep\"").label, "site");
    assert!(masks(&rule("path_parameters = \"keep\"")).is_empty());
}

#[test]
fn two_spellings_of_one_path_are_one_path_twice() {
    let text = "version = 1\n[[site]]\nhosts = [\"a\"]\norigin = \"http://o\"\ngroup = 1\n\
         [[site.rule]]\nname = \"one\"\npath = \"/a+b\"\n[[site.rule]]\nname = \"two\"\npath = \"/a%2Bb\"\n";
    let problems = listed(&compile(text).unwrap_err());
    assert!(
        problems.contains("have the same path \"/a+b\""),
        "{problems}"
    );
}

proptest! {
    #[test]
    fn any_spelling_of_a_path_resolves_to_the_same_rules(
        which in 0..RULES.len(),
        bits: u64,
        lower: bool,
        case_insensitive: bool,
    ) {
        let site = site_of_rules(&format!("case_insensitive_paths = {case_insensitive}"));
        let plain = RULES[which].1;
        let spelled = encode(plain, bits, lower);
        let (one, other) = (site.resolve(plain), site.resolve(&spelled));
        prop_assert_eq!(&one.label, &other.label, "{}", spelled);
        prop_assert_eq!(masks(&one), masks(&other), "{}", spelled);
    }

    #[test]
    fn any_spelling_of_a_pattern_is_the_same_pattern(bits: u64, lower: bool) {
        let path = "/loans+credit/!$&'(),=:@;v";
        let spelled = encode(path, bits, lower);
        let site = site(&format!("[[site.rule]]\nname = \"r\"\npath = \"{spelled}/**\"\n"));
        prop_assert_eq!(&*site.resolve(&format!("{path}/x")).label, "r", "{}", spelled);
    }
}
