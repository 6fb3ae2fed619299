use std::net::SocketAddr;

use super::EdgeConfig;
use super::value::{log_filter, parse_listen_address};
use crate::document::Fault;
use crate::problem::{Place, Problem};

/// What the environment says instead of the file: only what differs from machine to machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Instead of `server.http`: addresses with commas between them.
    pub listen: Option<String>,
    /// Instead of `log.filter`.
    pub log: Option<String>,
}

/// The environment, read.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    pub(super) listen: Option<Vec<SocketAddr>>,
    pub(super) log: Option<String>,
}

pub(super) const LISTEN: &str = "COBROWSE_EDGE_LISTEN";
pub(super) const LOG: &str = "COBROWSE_EDGE_LOG";

impl Environment {
    /// That of this process. An empty variable counts as none.
    pub fn of_process() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            listen: text(LISTEN),
            log: text(LOG),
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
        Ok(())
    }

    pub(super) fn read(&self) -> (Overrides, Vec<Problem>) {
        let mut problems = Vec::new();
        let listen = self.listen.as_deref().map(parse_addresses);
        let log = self.log.as_deref().map(log_filter);
        let overrides = Overrides {
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
