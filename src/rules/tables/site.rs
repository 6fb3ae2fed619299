use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use crate::document::{
    At, Endpoint, Fault, Stated, THIS_KEY, TableReader, check_host, duration, flag, one_of,
    plain_text, text,
};
use crate::rules::host::HostPattern;
use crate::rules::level::{Level, LevelName};
use crate::rules::limits::MAX_NAME_CHARS;
use crate::rules::origin::HostHeader;
use crate::rules::path_parameters::PathParameters;
use crate::rules::path_pattern::PathPattern;
use crate::rules::site::PathCase;
use crate::wire::csp::Treatment;

use super::ScriptTable;

/// `[[site]]`
#[derive(Debug)]
pub(in crate::rules) struct SiteTable {
    pub(in crate::rules) at: At,
    pub(in crate::rules) hosts: Vec<Stated<HostPattern>>,
    pub(in crate::rules) origin: Option<Stated<Endpoint>>,
    pub(in crate::rules) upstream: UpstreamTable,
    pub(in crate::rules) level: Level,
    pub(in crate::rules) host_header: HostHeader,
    pub(in crate::rules) path_case: PathCase,
    pub(in crate::rules) path_parameters: PathParameters,
    pub(in crate::rules) script: Option<ScriptTable>,
    pub(in crate::rules) csp: Option<Stated<Treatment>>,
    pub(in crate::rules) rules: Vec<RuleTable>,
}

/// `[site.upstream]`
#[derive(Debug, Default)]
pub(in crate::rules) struct UpstreamTable {
    pub(in crate::rules) ca: Option<Stated<PathBuf>>,
    pub(in crate::rules) server_name: Option<Stated<Box<str>>>,
    pub(in crate::rules) client_certificate: Option<Stated<PathBuf>>,
    pub(in crate::rules) client_key: Option<Stated<PathBuf>>,
    pub(in crate::rules) connect_timeout: Option<Duration>,
    pub(in crate::rules) first_byte_timeout: Option<Duration>,
    pub(in crate::rules) idle_timeout: Option<Duration>,
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
        table.require(
            "origin",
            "write origin = \"https://10.1.4.20:8443\", where its pages come from",
        );
        let upstream = table.take_table("upstream", "[site.upstream]");
        let script = table.take_table("script", "[site.script]");
        let rules = table.take_tables("rule", "[[site.rule]]");
        let read = Self {
            at: table.at().clone(),
            hosts: table.take_list("hosts", text(HostPattern::parse)),
            origin: table.take("origin", text(Endpoint::parse)),
            upstream: upstream.map(UpstreamTable::read).unwrap_or_default(),
            level: Level::read(LevelName::Site, &mut table),
            host_header: table.take_or("host", HostHeader::default(), one_of(HOST_HEADER)),
            path_case: table.take_or("case_insensitive_paths", PathCase::default(), path_case),
            path_parameters: table.take_or(
                "path_parameters",
                PathParameters::default(),
                one_of(PATH_PARAMETERS),
            ),
            script: script.map(ScriptTable::read),
            csp: table.take("csp", one_of(CSP)),
            rules: rules.into_iter().map(RuleTable::read).collect(),
        };
        table.finish();
        read
    }
}

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

fn value<T>(stated: Stated<T>) -> T {
    stated.value
}

impl UpstreamTable {
    fn read(mut table: TableReader<'_>) -> Self {
        let server_name =
            |name: &str| check_host(name, name).map(|()| name.to_ascii_lowercase().into());
        let read = Self {
            ca: table.take("ca", text(file_name)),
            server_name: table.take("server_name", text(server_name)),
            client_certificate: table.take("client_certificate", text(file_name)),
            client_key: table.take("client_key", text(file_name)),
            connect_timeout: table.take("connect_timeout", duration(TIMEOUTS)).map(value),
            first_byte_timeout: table
                .take("first_byte_timeout", duration(TIMEOUTS))
                .map(value),
            idle_timeout: table.take("idle_timeout", duration(TIMEOUTS)).map(value),
        };
        table.finish();
        read
    }
}

/// The longest time-out that makes sense is a day; longer ones are slips of the unit.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(24);

fn file_name(given: &str) -> Result<PathBuf, Fault> {
    plain_text(given).map(PathBuf::from)
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
