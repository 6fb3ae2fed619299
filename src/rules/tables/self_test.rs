use std::collections::BTreeSet;

use toml::de::DeValue;

use crate::document::{
    AbsoluteUrl, Fault, Stated, TableReader, flag, plain_text, text, wrong_type,
};
use crate::groups::GroupId;
use crate::rules::level::group_id;
use crate::rules::path_pattern::canonical_path;

/// `[[test]]`: a URL, and what must come out for it.
#[derive(Debug)]
pub(in crate::rules) struct TestTable {
    pub(in crate::rules) url: Option<Stated<TestUrl>>,
    pub(in crate::rules) expectations: Vec<Stated<Expectation>>,
}

/// The parts of a URL that rules see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) struct TestUrl {
    pub(in crate::rules) host: String,
    /// In canonical spelling, without the query.
    pub(in crate::rules) path: String,
}

/// One key of `expect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Expectation {
    AdditionalGroups(BTreeSet<GroupId>),
    Group(GroupId),
    Inject(bool),
    /// Exactly these masks.
    Masks(BTreeSet<String>),
    MasksExclude(String),
    MasksInclude(String),
    Rule(String),
    Site(String),
}

impl TestTable {
    pub(super) fn read(mut table: TableReader<'_>) -> Self {
        table.require(
            "url",
            "write url = \"https://www.bank.example/mortgage/apply\"",
        );
        table.require(
            "expect",
            "write expect = { group = 15687, masks_include = [\"#ssn\"] }",
        );
        let read = Self {
            url: table.take("url", text(test_url)),
            expectations: table
                .take_table("expect", "expect")
                .map(read_expect)
                .unwrap_or_default(),
        };
        table.finish();
        read
    }
}

fn read_expect(mut table: TableReader<'_>) -> Vec<Stated<Expectation>> {
    let mut all = Vec::new();
    let it = &mut table;
    all.extend(take(it, "site", text(plain_text), Expectation::Site));
    all.extend(take(it, "rule", text(plain_text), Expectation::Rule));
    all.extend(take(it, "group", group_id, Expectation::Group));
    all.extend(take(it, "inject", flag, Expectation::Inject));
    all.extend(take(
        it,
        "additional_groups",
        set(group_id),
        Expectation::AdditionalGroups,
    ));
    all.extend(take(it, "masks", set(text(plain_text)), Expectation::Masks));
    let included = table.take_list("masks_include", text(plain_text));
    let included = included.into_iter();
    all.extend(included.map(|mask| mask.map(Expectation::MasksInclude)));
    let excluded = table.take_list("masks_exclude", text(plain_text));
    let excluded = excluded.into_iter();
    all.extend(excluded.map(|mask| mask.map(Expectation::MasksExclude)));
    let at = table.at().clone();
    if all.is_empty() && table.is_empty() {
        table.fault(
            &at,
            Fault::new(
                "this test expects nothing",
                "write expect = { group = 15687 }",
            ),
        );
    }
    table.finish();
    all
}

fn take<T>(
    table: &mut TableReader<'_>,
    key: &'static str,
    parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    expect: impl FnOnce(T) -> Expectation,
) -> Option<Stated<Expectation>> {
    let stated = table.take(key, parse)?;
    Some(stated.map(expect))
}

/// A list in which order says nothing.
fn set<T: Ord>(
    parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
) -> impl Fn(&DeValue<'_>) -> Result<BTreeSet<T>, Fault> {
    move |value| match value {
        DeValue::Array(list) => list.iter().map(|entry| parse(entry.get_ref())).collect(),
        other => Err(wrong_type(other, "a list", "it in [...]")),
    }
}

fn test_url(given: &str) -> Result<TestUrl, Fault> {
    let url = AbsoluteUrl::parse(given)?;
    let end = url.rest.find(['?', '#']).unwrap_or(url.rest.len());
    let path = match &url.rest[..end] {
        "" => "/",
        path => path,
    };
    let mut segments = path[1..].split('/').rev().skip(1);
    if path.split('/').any(|segment| matches!(segment, "." | "..")) || segments.any(str::is_empty) {
        return Err(Fault::new(
            format!("the path of \"{given}\" is not canonical"),
            "write it without `.`, `..` and `//`: so rules see it",
        ));
    }
    Ok(TestUrl {
        host: url.host,
        path: canonical_path(path).into_owned(),
    })
}
