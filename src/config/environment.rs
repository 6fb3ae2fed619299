use std::net::SocketAddr;

use super::EdgeConfig;
use super::grants::{GrantsConfig, KeysSource, Secret};
use super::value::{log_filter, parse_listen_address};
use crate::document::Fault;
use crate::groups::GrantKeys;
use crate::problem::{Place, Problem};

/// What the environment says instead of the file: only what differs from machine to machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Instead of `server.http`: addresses with commas between them.
    pub listen: Option<String>,
    /// Instead of `log.filter`.
    pub log: Option<String>,
    /// Instead of `grants.keys`: the keys themselves.
    pub grant_keys: Option<Secret>,
}

/// The environment, read.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    pub(super) listen: Option<Vec<SocketAddr>>,
    pub(super) log: Option<String>,
    pub(super) grant_keys: Option<GrantKeys>,
}

pub(super) const LISTEN: &str = "COBROWSE_EDGE_LISTEN";
pub(super) const LOG: &str = "COBROWSE_EDGE_LOG";
pub(super) const GRANT_KEYS: &str = "COBROWSE_EDGE_GRANT_KEYS";

impl Environment {
    /// That of this process. An empty variable counts as none.
    pub fn of_process() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            listen: text(LISTEN),
            log: text(LOG),
            grant_keys: text(GRANT_KEYS).map(Secret::new),
        }
    }

    /// Changes a configuration that was made without a file.
    pub fn apply(&self, config: &mut EdgeConfig) -> Result<(), Vec<Problem>> {
        let (overrides, problems) = self.read();
        if !problems.is_empty() {
            return Err(problems);
        }
        if let Some(listen) = overrides.listen {
            config.server.http = listen;
        }
        if let Some(filter) = overrides.log {
            config.log.filter = filter;
        }
        if let Some(keys) = overrides.grant_keys {
            let epoch = config.grants.take().map(|grants| grants.epoch);
            config.grants = Some(GrantsConfig {
                keys: KeysSource::Given(keys),
                epoch: epoch.unwrap_or_default(),
            });
        }
        Ok(())
    }

    pub(super) fn read(&self) -> (Overrides, Vec<Problem>) {
        let mut problems = Vec::new();
        let listen = self.listen.as_deref().map(parse_addresses);
        let log = self.log.as_deref().map(log_filter);
        let grant_keys = self.grant_keys.as_ref().map(Secret::parse_keys);
        let overrides = Overrides {
            grant_keys: grant_keys.and_then(|keys| {
                let refuse = |problem| problems.push(problem);
                keys.map_err(refuse).ok()
            }),
            listen: listen.and_then(|listen| accept(LISTEN, listen, &mut problems)),
            log: log.and_then(|log| accept(LOG, log, &mut problems)),
        };
        (overrides, problems)
    }
}

fn accept<T>(name: &'static str, read: Result<T, Fault>, problems: &mut Vec<Problem>) -> Option<T> {
    let refuse = |fault: Fault| {
        let Fault { message, remedy } = fault.named(&format!("`{name}`"));
        problems.push(Problem::error(Place::Flag(name), message, remedy));
    };
    read.map_err(refuse).ok()
}

fn parse_addresses(text: &str) -> Result<Vec<SocketAddr>, Fault> {
    let addresses = text
        .split(',')
        .map(|address| parse_listen_address(address.trim()));
    addresses.collect()
}
