use std::collections::BTreeSet;

use toml::de::DeValue;

use crate::document::{
    AbsoluteUrl, Fault, Stated, TableReader, flag, plain_text, text, wrong_type,
};
use crate::groups::GroupId;
use crate::rules::level::group_id;
use crate::rules::path_pattern::check_canonical;

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
    /// Canonical, without the query.
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
    let words = |table: &mut TableReader<'_>, key| {
        refuse_empty(table, key);
        table.take_list(key, text(plain_text))
    };
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
    let included = words(&mut table, "masks_include").into_iter();
    all.extend(included.map(|mask| mask.map(Expectation::MasksInclude)));
    let excluded = words(&mut table, "masks_exclude").into_iter();
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

/// Selectors that must or must not be there, of which there are none: it would hold on every page.
fn refuse_empty(table: &TableReader<'_>, key: &'static str) {
    if table.has(key) {
        let remedy = "list selectors, or write masks = [] where there must be no mask at all";
        table.require(key, remedy);
    }
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
    check_canonical(path)?;
    Ok(TestUrl {
        host: url.host,
        path: path.to_owned(),
    })
}
