use std::path::{Path, PathBuf};

use http::Uri;

use super::listeners::Listeners;
use super::value::path;
use crate::acme::{self, ChallengeKind, ExternalAccount, Pace, orderable};
use crate::document::{At, Fault, Reports, Stated, TableReader, filled_text, flag, one_of};

/// `[acme]`
#[derive(Debug)]
pub(super) struct AcmeTable {
    faulty: bool,
    header: At,
    directory: Option<Stated<String>>,
    terms_agreed: Option<Stated<bool>>,
    contact: Vec<Stated<String>>,
    hosts: Option<Stated<Vec<Stated<String>>>>,
    challenge: Option<Stated<ChallengeKind>>,
    ca: Option<Stated<PathBuf>>,
    account_id: Option<Stated<String>>,
    account_key: Option<Stated<PathBuf>>,
    stand_in: Option<Stated<bool>>,
}

impl AcmeTable {
    pub(super) fn read(mut table: TableReader<'_>, base: &Path) -> Self {
        let acme = Self {
            faulty: false,
            header: table.at().clone(),
            directory: table.take("directory", filled_text(parse_directory)),
            terms_agreed: table.take("terms_agreed", flag),
            contact: table.take_list("contact", filled_text(parse_contact)),
            hosts: table.take_whole_list("hosts", filled_text(parse_host)),
            challenge: table.take("challenge", one_of(CHALLENGES)),
            ca: table.take("ca", path(base)),
            account_id: table.take("account_id", filled_text(|text| Ok(text.to_owned()))),
            account_key: table.take("account_key", path(base)),
            stand_in: table.take("stand_in", flag),
        };
        let faulty = !table.finish();
        Self { faulty, ..acme }
    }

    pub(super) fn compile(self, listeners: &Listeners, reports: &Reports) -> Option<acme::Config> {
        if self.faulty || listeners.faulty {
            return None;
        }
        self.check_terms(reports);
        let external_account = self.external_account(reports);
        let challenge = self.challenge(listeners, reports);
        Some(acme::Config {
            directory: self
                .directory
                .map_or_else(|| LETS_ENCRYPT.to_owned(), |at| at.value),
            contact: self
                .contact
                .into_iter()
                .map(|contact| contact.value)
                .collect(),
            hosts: self
                .hosts
                .map(|hosts| hosts.value.into_iter().map(|host| host.value).collect()),
            challenge,
            ca: self.ca.map(|ca| ca.value),
            external_account,
            has_stand_ins: self.stand_in.is_some_and(|stand_in| stand_in.value),
            pace: Pace::default(),
        })
    }

    fn check_terms(&self, reports: &Reports) {
        if !self
            .terms_agreed
            .as_ref()
            .is_some_and(|agreed| agreed.value)
        {
            let at = self
                .terms_agreed
                .as_ref()
                .map_or(&self.header, |agreed| &agreed.at);
            let remedy = "read them (Let's Encrypt: https://letsencrypt.org/repository/), and write \
                          terms_agreed = true in [acme]";
            reports.error(
                at,
                "the authority's terms of service are not agreed to",
                remedy,
            );
        }
    }

    fn external_account(&self, reports: &Reports) -> Option<ExternalAccount> {
        match (&self.account_id, &self.account_key) {
            (Some(id), Some(key)) => Some(ExternalAccount {
                id: id.value.clone(),
                key_file: key.value.clone(),
            }),
            (None, None) => None,
            (Some(Stated { at, .. }), None) | (None, Some(Stated { at, .. })) => {
                let message = "an external account has an id and a key";
                reports.error(
                    at,
                    message,
                    "write both account_id and account_key, or neither",
                );
                None
            }
        }
    }

    /// Port 80 asks for less than port 443: nothing there changes while certificates do.
    fn challenge(&self, listeners: &Listeners, reports: &Reports) -> ChallengeKind {
        let has_http = !listeners.http_addresses().is_empty();
        if listeners.https_list.is_none() {
            let remedy = "write https = [\"0.0.0.0:443\"] in [server], or remove [acme]";
            let message = "certificates are ordered, but nothing listens for https";
            reports.error(&self.header, message, remedy);
        }
        match &self.challenge {
            Some(Stated {
                value: ChallengeKind::Http,
                at,
            }) if !has_http => {
                let remedy =
                    "write http = [\"0.0.0.0:80\"] in [server], or challenge = \"tls-alpn-01\"";
                reports.error(
                    at,
                    "nothing listens where the authority asks by http-01",
                    remedy,
                );
                ChallengeKind::Http
            }
            Some(challenge) => challenge.value,
            None if has_http => ChallengeKind::Http,
            None => ChallengeKind::TlsAlpn,
        }
    }
}

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

const CHALLENGES: &[(&str, ChallengeKind)] = &[
    ("http-01", ChallengeKind::Http),
    ("tls-alpn-01", ChallengeKind::TlsAlpn),
];

fn parse_directory(text: &str) -> Result<String, Fault> {
    let url = match text {
        "letsencrypt" => LETS_ENCRYPT,
        "letsencrypt-staging" => LETS_ENCRYPT_STAGING,
        other => other,
    };
    let is_https = url
        .parse::<Uri>()
        .is_ok_and(|uri| uri.scheme_str() == Some("https") && uri.authority().is_some());
    if is_https {
        return Ok(url.to_owned());
    }
    Err(Fault::new(
        format!("{text:?} is no directory of an authority"),
        "write \"letsencrypt\", \"letsencrypt-staging\", or the https:// address of another one",
    ))
}

fn parse_contact(text: &str) -> Result<String, Fault> {
    let address = text.strip_prefix("mailto:").unwrap_or(text);
    let is_address = address.split_once('@').is_some_and(|(who, host)| {
        !who.is_empty() && host.contains('.') && !address.contains(char::is_whitespace)
    });
    match is_address {
        true => Ok(format!("mailto:{address}")),
        false => Err(Fault::new(
            format!("{text:?} is no mail address"),
            "write one such as \"tls@bank.example\"",
        )),
    }
}

fn parse_host(text: &str) -> Result<String, Fault> {
    match orderable(text) {
        true => Ok(text.to_owned()),
        false => Err(Fault::new(
            format!("no certificate can be ordered for {text:?}"),
            "write a host's name in the public DNS, in lower case and without a wildcard",
        )),
    }
}
