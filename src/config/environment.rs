use std::net::SocketAddr;

use super::fault::{Fault, THIS};
use super::reader::Reports;
use super::value::{listen_address, log_filter};
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

    pub(super) fn read(&self, reports: &Reports) -> Overrides {
        let refused = |name, fault: Fault| {
            let fault = fault.named(name);
            reports.push(Problem::error(
                Place::Flag(name),
                fault.message,
                fault.remedy,
            ));
        };
        let listen = self.listen.as_deref().map(parse_addresses);
        let log = self.log.as_deref().map(log_filter);
        Overrides {
            listen: listen.and_then(|listen| listen.map_err(|fault| refused(LISTEN, fault)).ok()),
            log: log.and_then(|log| log.map_err(|fault| refused(LOG, fault)).ok()),
        }
    }
}

fn parse_addresses(text: &str) -> Result<Vec<SocketAddr>, Fault> {
    let addresses = text
        .split(',')
        .map(|address| listen_address(address.trim()));
    let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
    if addresses.is_empty() {
        return Err(Fault::new(
            format!("{THIS} is empty"),
            "write an address, or unset it",
        ));
    }
    Ok(addresses)
}
