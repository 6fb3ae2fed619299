use std::ops::RangeInclusive;

use toml::de::DeValue;

use crate::document::{
    At, Fault, Stated, THIS_KEY, TableReader, flag, one_of, plain_text, size, text,
};
use crate::rules::host::HostPattern;
use crate::rules::level::{Level, LevelName};
use crate::rules::limits::MAX_NAME_CHARS;
use crate::rules::origin::{HostHeader, OriginAddress};
use crate::rules::path_parameters::PathParameters;
use crate::rules::path_pattern::PathPattern;
use crate::rules::site::PathCase;
use crate::rules::visitors::VisitorsTable;
use crate::wire::csp::Treatment;

use super::{ScriptTable, UpstreamTable};

/// `[[site]]`
#[derive(Debug)]
pub(in crate::rules) struct SiteTable {
    pub(in crate::rules) at: At,
    pub(in crate::rules) hosts: Vec<Stated<HostPattern>>,
    /// Those that could be read.
    pub(in crate::rules) origins: Vec<Stated<OriginAddress>>,
    pub(in crate::rules) upstream: UpstreamTable,
    pub(in crate::rules) level: Level,
    pub(in crate::rules) host_header: HostHeader,
    pub(in crate::rules) body_bytes_max: Option<u64>,
    pub(in crate::rules) path_case: PathCase,
    pub(in crate::rules) path_parameters: PathParameters,
    pub(in crate::rules) script: Option<ScriptTable>,
    pub(in crate::rules) visitors: Option<VisitorsTable>,
    pub(in crate::rules) csp: Option<Stated<Treatment>>,
    pub(in crate::rules) rules: Vec<RuleTable>,
}

/// `[[site.rule]]`
#[derive(Debug)]
pub(in crate::rules) struct RuleTable {
    pub(in crate::rules) at: At,
    pub(in crate::rules) name: Option<Stated<String>>,
    pub(in crate::rules) paths: Vec<Stated<PathPattern>>,
    /// Its name is settled when the rule is compiled.
    pub(in crate::rules) level: Level,
}

impl SiteTable {
    pub(super) fn read(mut table: TableReader<'_>) -> Self {
        table.require(
            "hosts",
            "write hosts = [\"www.bank.example\"], or hosts = [\"*\"] for every host",
        );
        let origins = read_origins(&mut table);
        let upstream = table.take_table("upstream", "[site.upstream]");
        let script = table.take_table("script", "[site.script]");
        let visitors = table.take_table("visitors", "[site.visitors]");
        let rules = table.take_tables("rule", "[[site.rule]]");
        let read = Self {
            at: table.at().clone(),
            hosts: table.take_list("hosts", text(HostPattern::parse)),
            origins,
            upstream: upstream.map(UpstreamTable::read).unwrap_or_default(),
            level: Level::read(LevelName::Site, &mut table),
            host_header: table.take_or("host", HostHeader::default(), one_of(HOST_HEADER)),
            body_bytes_max: table
                .take("body_bytes_max", size(BODY_BYTES))
                .map(|stated| stated.value),
            path_case: table.take_or("case_insensitive_paths", PathCase::default(), path_case),
            path_parameters: table.take_or(
                "path_parameters",
                PathParameters::default(),
                one_of(PATH_PARAMETERS),
            ),
            script: script.map(ScriptTable::read),
            visitors: visitors.map(VisitorsTable::read),
            csp: table.take("csp", one_of(CSP)),
            rules: rules.into_iter().map(RuleTable::read).collect(),
        };
        table.finish();
        read
    }
}

/// One `origin`, or several `origins`.
fn read_origins(table: &mut TableReader<'_>) -> Vec<Stated<OriginAddress>> {
    let several = table.take_whole_list("origins", text(OriginAddress::parse));
    let Some(several) = several else {
        if !table.has("origins") {
            table.require(
                "origin",
                "write origin = \"https://10.1.4.20:8443\", where its pages come from",
            );
        }
        return table
            .take("origin", text(OriginAddress::parse))
            .into_iter()
            .collect();
    };
    table.require(
        "origins",
        "write origins = [\"https://10.1.4.20\", \"https://10.1.4.21\"]",
    );
    table.refuse("origin", "write all of them in origins = [...]");
    several.value
}

/// From the smallest form to what no site takes by HTTP.
const BODY_BYTES: RangeInclusive<u64> = 1024..=1 << 40;

const HOST_HEADER: &[(&str, HostHeader)] = &[
    ("preserve", HostHeader::Preserve),
    ("origin", HostHeader::Origin),
];

const CSP: &[(&str, Treatment)] = &[
    ("patch", Treatment::Patch),
    ("leave", Treatment::Leave),
    ("refuse", Treatment::Refuse),
];

const PATH_PARAMETERS: &[(&str, PathParameters)] = &[
    ("both", PathParameters::Both),
    ("strip", PathParameters::Strip),
    ("keep", PathParameters::Keep),
];

fn path_case(given: &DeValue<'_>) -> Result<PathCase, Fault> {
    flag(given).map(|insensitive| match insensitive {
        true => PathCase::Insensitive,
        false => PathCase::Sensitive,
    })
}

impl RuleTable {
    fn read(mut table: TableReader<'_>) -> Self {
        table.refuse("csp", "write it in [[site]]: it holds for all its pages");
        table.require("path", "write path = \"/mortgage/**\", or a list of paths");
        let read = Self {
            at: table.at().clone(),
            name: table.take("name", text(rule_name)),
            paths: table.take_one_or_list("path", text(str::parse)),
            level: Level::read(LevelName::Site, &mut table),
        };
        table.finish();
        read
    }
}

fn rule_name(given: &str) -> Result<String, Fault> {
    let name = plain_text(given)?;
    if name.chars().count() > MAX_NAME_CHARS {
        let message = format!("{THIS_KEY} has more than {MAX_NAME_CHARS} characters");
        return Err(Fault::new(
            message,
            "write a shorter one: it stands in logs and metrics",
        ));
    }
    if ["site", "defaults"].contains(&given) {
        let message = format!("a rule cannot be called \"{given}\"");
        return Err(Fault::new(
            message,
            "write another name: logs say this where no rule matched",
        ));
    }
    Ok(name)
}
