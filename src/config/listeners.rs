use std::net::SocketAddr;

use super::DEFAULT_ADMIN;
use super::DEFAULT_AGENTS;
use super::DEFAULT_LISTEN;
use super::environment::LISTEN;
use super::file::ServerTable;
use crate::document::{At, Fault, Reports, Stated};
use crate::problem::{Place, Problem};

/// All addresses that visitors are served on.
#[derive(Debug)]
pub(super) struct Listeners {
    /// Something was wrong with `[server]`, so that what is not here may have been written.
    pub(super) faulty: bool,
    http: Vec<Listener>,
    https: Vec<Listener>,
    /// Where the addresses for https are written; `None`: there are none.
    pub(super) https_list: Option<At>,
    /// Whether there are Unix sockets.
    has_unix: bool,
}

#[derive(Clone, Debug)]
struct Listener {
    address: SocketAddr,
    /// `None`: from the environment, or by default.
    at: Option<At>,
}

impl Listeners {
    /// `instead` of `server.http` are the addresses that the environment names.
    pub(super) fn compile(
        table: &ServerTable,
        instead: Option<Vec<SocketAddr>>,
        reports: &Reports,
    ) -> Self {
        let https_list = table.https.as_ref().filter(|list| !list.value.is_empty());
        let http = match (instead, &table.http, https_list) {
            (Some(addresses), _, _) => addresses.into_iter().map(Listener::unwritten).collect(),
            (None, Some(list), _) => Listener::all_of(list),
            (None, None, None) if !table.unix.is_empty() => Vec::new(),
            (None, None, None) => vec![Listener::unwritten(DEFAULT_LISTEN)],
            (None, None, Some(_)) => Vec::new(),
        };
        let listeners = Self {
            faulty: table.faulty,
            http,
            https: https_list.map(Listener::all_of).unwrap_or_default(),
            https_list: https_list.map(|list| list.at.clone()),
            has_unix: !table.unix.is_empty(),
        };
        listeners.report_clashes(reports);
        if let (false, true, Some(list)) = (table.faulty, listeners.is_empty(), &table.http) {
            let remedy = "write http = [\"127.0.0.1:8080\"], or https = [...]";
            reports.error(&list.at, "nothing listens for visitors", remedy);
        }
        listeners
    }

    /// The port that requests over plain HTTP are sent to, if they are.
    pub(super) fn redirect_port(&self, table: &ServerTable, reports: &Reports) -> Option<u16> {
        if table.faulty {
            return None;
        }
        let redirect = table
            .redirect_http
            .as_ref()
            .filter(|redirect| redirect.value);
        let Some(redirect) = redirect else {
            if let Some(port) = &table.https_port {
                let remedy = "write redirect_http = true, or remove https_port";
                let message = "https_port has no meaning without redirect_http";
                reports.error(&port.at, message, remedy);
            }
            return None;
        };
        let refuse = |message: &str, remedy: &str| {
            reports.error(&redirect.at, message, remedy);
            None
        };
        if self.http.is_empty() {
            return refuse(
                "there is no http listener to redirect from",
                "write http = [...], or remove redirect_http",
            );
        }
        let Some(https) = self.https.first() else {
            return refuse(
                "there is no https listener to redirect to",
                "write https = [...], or remove redirect_http",
            );
        };
        match (&table.https_port, https.address.port()) {
            (Some(port), _) => Some(port.value),
            (None, 0) => refuse(
                "the https listener takes any free port, so visitors cannot be sent to it",
                "write https_port = ..., the port that visitors see",
            ),
            (None, port) => Some(port),
        }
    }

    pub(super) fn http_addresses(&self) -> Vec<SocketAddr> {
        self.http.iter().map(|listener| listener.address).collect()
    }

    pub(super) fn https_addresses(&self) -> Vec<SocketAddr> {
        self.https.iter().map(|listener| listener.address).collect()
    }

    fn is_empty(&self) -> bool {
        self.http.is_empty() && self.https.is_empty() && !self.has_unix
    }

    fn all(&self) -> impl Iterator<Item = &Listener> {
        self.http.iter().chain(&self.https)
    }

    fn report_clashes(&self, reports: &Reports) {
        let all: Vec<_> = self.all().collect();
        for (number, later) in all.iter().enumerate() {
            let earlier = all[..number]
                .iter()
                .find(|earlier| earlier.clashes_with(later));
            if let Some(earlier) = earlier {
                let message = format!("{} is listened on already", later.address);
                earlier.report_clash(later, Fault::new(message, "choose another port"), reports);
            }
        }
    }
}

/// The admin listener needs an address of its own, and should not be seen from outside.
pub(super) fn check_admin(
    written: Option<&Stated<SocketAddr>>,
    listeners: &Listeners,
    reports: &Reports,
) {
    let admin = Listener {
        address: written.map_or(DEFAULT_ADMIN, |listen| listen.value),
        at: written.map(|listen| listen.at.clone()),
    };
    if let Some(other) = listeners.all().find(|other| other.clashes_with(&admin)) {
        let message = format!(
            "the admin listener has {} too, where visitors are served",
            admin.address
        );
        let remedy = "write another address in [admin] listen, or enabled = false";
        other.report_clash(&admin, Fault::new(message, remedy), reports);
    }
    if let (Some(at), false) = (&admin.at, admin.address.ip().is_loopback()) {
        let message = format!(
            "the admin listener at {} can be reached from other machines",
            admin.address
        );
        let remedy = "write a loopback address such as \"127.0.0.1:9090\", or see that only those who may can reach it";
        reports.warning(at, message, remedy);
    }
}

/// Agents are served on an address of their own: what is there must not be found on a site's.
pub(super) fn check_agents(
    written: Option<&Stated<SocketAddr>>,
    header: &At,
    listeners: &Listeners,
    reports: &Reports,
) {
    let at = written.map_or(header, |listen| &listen.at);
    let agents = Listener {
        address: written.map_or(DEFAULT_AGENTS, |listen| listen.value),
        at: Some(at.clone()),
    };
    if let Some(other) = listeners.all().find(|other| other.clashes_with(&agents)) {
        let message = format!(
            "the agents' listener has {} too, where visitors are served",
            agents.address
        );
        let remedy = "write another address in [agents] listen";
        other.report_clash(&agents, Fault::new(message, remedy), reports);
    }
}

impl Listener {
    fn unwritten(address: SocketAddr) -> Self {
        Self { address, at: None }
    }

    fn all_of(list: &Stated<Vec<Stated<SocketAddr>>>) -> Vec<Self> {
        let listener = |stated: &Stated<SocketAddr>| Self {
            address: stated.value,
            at: Some(stated.at.clone()),
        };
        list.value.iter().map(listener).collect()
    }

    /// Port 0 is another one each time; the unspecified address is every address of its family.
    fn clashes_with(&self, other: &Self) -> bool {
        let (one, two) = (self.address, other.address);
        let same_family = one.is_ipv4() == two.is_ipv4();
        let same_host =
            one.ip() == two.ip() || one.ip().is_unspecified() || two.ip().is_unspecified();
        one.port() == two.port() && one.port() != 0 && same_family && same_host
    }

    fn report_clash(&self, later: &Self, fault: Fault, reports: &Reports) {
        match (&self.at, &later.at) {
            (Some(first), Some(second)) => {
                reports.conflict(second, (first, "the other one"), fault)
            }
            (Some(at), None) | (None, Some(at)) => reports.fault(at, fault),
            (None, None) => reports.push(Problem::error(
                Place::Flag(LISTEN),
                fault.message,
                fault.remedy,
            )),
        }
    }
}
