use std::sync::Arc;

use super::SessionPlace;
use super::value::token;
use crate::document::{At, Fault, Reports, Stated, THIS_KEY, TableReader, filled_text, flag, size};
use crate::proxy::{EnforceConfig, Places};
use crate::wire::MediaType;

/// `[session.enforce]`
#[derive(Debug)]
pub(super) struct EnforceTable {
    faulty: bool,
    header: At,
    group: Places,
    grant: Places,
    referer: Option<Stated<bool>>,
    unread_types: Vec<String>,
    body_bytes_max: usize,
}

impl EnforceTable {
    pub(super) fn read(mut table: TableReader<'_>) -> Self {
        let usual = EnforceConfig::GROUP_NAMES.map(str::to_owned);
        let enforce = Self {
            faulty: false,
            header: table.at().clone(),
            group: Places {
                query: names(&mut table, "group_query").unwrap_or_else(|| usual.to_vec()),
                json: names(&mut table, "group_json").unwrap_or_else(|| usual.to_vec()),
                headers: names(&mut table, "group_headers").unwrap_or_default(),
            },
            grant: Places {
                query: names(&mut table, "grant_query").unwrap_or_default(),
                json: names(&mut table, "grant_json").unwrap_or_default(),
                headers: names(&mut table, "grant_headers").unwrap_or_default(),
            },
            referer: table.take("referer", flag),
            unread_types: values(table.take_list("unread_types", filled_text(media_type))),
            body_bytes_max: table.take_or(
                "body_bytes_max",
                EnforceConfig::BODY_BYTES_MAX,
                size(1..=BODY_BYTES_LIMIT),
            ),
        };
        let faulty = !table.finish();
        Self { faulty, ..enforce }
    }

    pub(super) fn at(&self) -> &At {
        &self.header
    }

    pub(super) fn compile(&self, place: &SessionPlace, reports: &Reports) -> Option<EnforceConfig> {
        if self.faulty {
            return None;
        }
        let referer = self.referer.as_ref().is_none_or(|referer| referer.value);
        if self.group.is_empty() {
            let message = "[session.enforce] names no place in which a request names its group";
            reports.error(
                &self.header,
                message,
                "remove one of the empty group_... lists",
            );
        }
        let by_referer = referer && matches!(place, SessionPlace::Mount { .. });
        if !by_referer && self.grant.is_empty() {
            let message = "no page could be known, and every request that names a group be refused";
            let remedy = "name where requests carry the grant (grant_query, grant_json or grant_headers); \
                          with `mount`, referer = true will do";
            reports.error(&self.header, message, remedy);
        }
        Some(EnforceConfig {
            group: self.group.clone(),
            grant: self.grant.clone(),
            referer,
            unread_types: self.unread_types.clone(),
            body_bytes_max: self.body_bytes_max,
        })
    }
}

/// `None`: nothing is said.
fn names(table: &mut TableReader<'_>, key: &'static str) -> Option<Vec<String>> {
    let list = table.take_whole_list(key, filled_text(token))?;
    let names = list
        .value
        .into_iter()
        .map(|name: Stated<Arc<str>>| name.value.to_string());
    Some(names.collect())
}

fn values<T>(list: Vec<Stated<T>>) -> Vec<T> {
    list.into_iter().map(|stated| stated.value).collect()
}

fn media_type(text: &str) -> Result<String, Fault> {
    let parsed = MediaType::parse(text).filter(|parsed| parsed.essence().len() == text.len());
    match parsed {
        Some(parsed) => Ok(parsed.essence().to_owned()),
        None => Err(Fault::new(
            format!("{THIS_KEY} cannot be {text:?}"),
            "write a media type without parameters: \"text/plain\"",
        )),
    }
}

/// It is held in memory for each request that is read.
const BODY_BYTES_LIMIT: u64 = 16 * 1024 * 1024;
