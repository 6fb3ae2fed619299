use super::*;
use proptest::prelude::*;

use crate::document::MAX_LIST_ENTRIES;
use crate::rules::limits::*;

fn problems(text: &str) -> String {
    compile(text).map_or_else(|problems| listed(&problems), |_| String::new())
}

fn site_with(more: &str) -> String {
    format!("version = 1\n[[site]]\nhosts = [\"a\"]\norigin = \"http://o\"\ngroup = 1\n{more}\n")
}

fn list(count: usize, entry: impl Fn(usize) -> String) -> String {
    let entries: Vec<_> = (0..count).map(entry).collect();
    format!("[{}]", entries.join(", "))
}

#[test]
fn masks_of_one_page_are_bounded() {
    let masks = |count| {
        site_with(&format!(
            "masks = {}",
            list(count, |n| format!("\"#m{n}\""))
        ))
    };
    assert_eq!(problems(&masks(MAX_MASKS_PER_PAGE)), "");
    assert!(problems(&masks(MAX_MASKS_PER_PAGE + 1)).contains("513 masks meet"));
}

#[test]
fn masks_that_only_meet_on_a_page_leave_it_untagged() {
    let rule = |path: &str, letter: &str| {
        let masks = list(300, |n| format!("\"#{letter}{n}\""));
        format!("[[site.rule]]\npath = \"{path}\"\nmasks = {masks}\n")
    };
    let rules = rules(&site_with(
        &[rule("/a/**", "x"), rule("/a/b/**", "y")].concat(),
    ));
    let site = rules.site("a").unwrap();
    assert!(site.resolve("/a").plan.is_some());
    assert_eq!(
        site.resolve("/a/b").untagged,
        Some(Untagged::TooManyMasks(600))
    );
}

#[test]
fn groups_that_only_meet_on_a_page_leave_it_untagged() {
    let rule = |path: &str, from: usize| {
        let groups = list(150, |n| (n + from).to_string());
        format!("[[site.rule]]\npath = \"{path}\"\nadditional_groups = {groups}\n")
    };
    let rules = rules(&site_with(
        &[rule("/a/**", 10), rule("/a/b/**", 500)].concat(),
    ));
    let site = rules.site("a").unwrap();
    assert!(site.resolve("/a").plan.is_some());
    assert_eq!(
        site.resolve("/a/b").untagged,
        Some(Untagged::TooManyGroups(301))
    );
}

#[test]
fn lists_are_bounded() {
    let paths = |count| {
        let paths = list(count, |n| format!("\"/p{n}\""));
        site_with(&format!("[[site.rule]]\npath = {paths}"))
    };
    assert_eq!(problems(&paths(MAX_LIST_ENTRIES)), "");
    assert!(problems(&paths(MAX_LIST_ENTRIES + 1)).contains("`path` has 1001 entries"));
}

#[test]
fn groups_of_one_level_are_bounded() {
    let groups = |count| {
        site_with(&format!(
            "additional_groups = {}",
            list(count, |n| (n + 2).to_string())
        ))
    };
    assert_eq!(problems(&groups(MAX_GROUPS_PER_PAGE - 1)), "");
    assert!(problems(&groups(MAX_GROUPS_PER_PAGE)).contains("more than 256 groups"));
}

#[test]
fn partial_wildcards_of_one_segment_are_bounded() {
    let rules = |count: usize| {
        let rules: String = (0..count)
            .map(|n| format!("[[site.rule]]\npath = \"/x{n:05}*\"\ninject = true\n"))
            .collect();
        site_with(&rules)
    };
    assert_eq!(problems(&rules(MAX_PARTIALS_PER_NODE)), "");
    assert!(
        problems(&rules(MAX_PARTIALS_PER_NODE + 1)).contains("more than 1000 paths with a `*`")
    );
}

#[test]
fn collisions_are_reported_up_to_a_bound() {
    let rules: String = (0..40)
        .map(|n| {
            format!("[[site.rule]]\npath = \"/*/b{n}\"\ninject = true\n[[site.rule]]\npath = \"/a{n}/*\"\ninject = true\n")
        })
        .collect();
    let reported = problems(&site_with(&rules)).matches("ambiguous").count();
    assert_eq!(reported, MAX_COLLISIONS_REPORTED);
}

#[test]
fn a_head_tag_that_meets_many_masks_is_reported_up_to_a_bound() {
    let heads = "[[site.rule]]\npath = \"/a/**\"\nplacement = \"head\"\n".to_owned();
    let masks = (0..40).map(|n| format!("[[site.rule]]\npath = \"/a/{n}\"\nmasks = [\"#m\"]\n"));
    let text = site_with(&[heads].into_iter().chain(masks).collect::<String>());
    let reported = problems(&text)
        .matches("the tag cannot go into the head")
        .count();
    assert_eq!(reported, MAX_COLLISIONS_REPORTED);
}

#[test]
fn rules_that_cannot_be_checked_against_one_another_are_refused() {
    let rule = |n| format!("[[site.rule]]\npath = \"/**/a{n}/**/p{n}\"\ninject = true\n");
    let rules = |count: usize| site_with(&(0..count).map(rule).collect::<String>());
    assert_eq!(problems(&rules(300)), "");
    assert!(problems(&rules(1_100)).contains("cannot be checked"));
}

#[test]
fn directories_of_rule_files_are_bounded() {
    let dir = TestDirectory::new();
    let load = || {
        let loaded = RuleSet::load(dir.path(), SiteEnv::Production);
        loaded.map_or_else(|problems| listed(&problems), |_| String::new())
    };
    let large = std::fs::File::create(dir.path().join("large.toml")).unwrap();
    large.set_len(MAX_FILE_BYTES + 1).unwrap();
    assert!(load().contains("larger than 16777216 bytes"), "{}", load());
    dir.remove("large.toml");
    for number in 0..=MAX_FILES {
        dir.write(&format!("{number}.toml"), "version = 1\n");
    }
    assert!(load().contains("holds 1001 files"), "{}", load());
}

#[test]
fn thousands_of_rules_are_checked_against_one_another() {
    let rules: String = (0..5_000)
        .map(|n| {
            let rule = "[[site.rule]]\ninject = true\n";
            format!("{rule}path = \"/area{n}/**\"\n{rule}path = [\"/list/*/item{n}\", \"/**/end{n}/last\", \"/**/of{n}/*\"]\n")
        })
        .collect();
    assert_eq!(problems(&site_with(&rules)), "");
    let with_one_more = format!("{rules}[[site.rule]]\ninject = true\npath = \"/**/area7\"\n");
    assert_eq!(
        problems(&site_with(&with_one_more))
            .matches("ambiguous")
            .count(),
        20
    );
}

/// Pieces of rule files, good and bad, in any order.
fn scrambled() -> impl Strategy<Value = String> {
    let dirs = ["rules", "tests/rules-bad"].map(|dir| std::fs::read_dir(root().join(dir)).unwrap());
    let paths = dirs
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    let texts = paths
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap());
    let lines: Vec<String> = texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let line = prop::sample::select(lines);
    let cut = (line.clone(), any::<prop::sample::Index>()).prop_map(|(line, index)| {
        let end = line
            .char_indices()
            .nth(index.index(line.len() + 1))
            .map_or(line.len(), |(at, _)| at);
        line[..end].to_owned()
    });
    prop::collection::vec(prop_oneof![9 => line, 1 => cut], 0..40)
        .prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn any_text_gives_rules_or_problems(text in scrambled()) {
        let given = compile(&format!("version = 1\n{text}"));
        if let Err(problems) = given {
            prop_assert!(problems.iter().any(Problem::is_error));
        }
    }
}
