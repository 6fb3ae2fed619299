use std::net::SocketAddr;
use std::sync::Arc;

use super::DEFAULT_AGENTS;
use super::listeners::{Listeners, check_agents};
use super::value::parse_listen_address;
use crate::document::{
    At, Endpoint, Fault, Reports, Stated, THIS_KEY, TableReader, filled_text, flag,
};
use crate::wire::{Authority, Scheme};

/// Where agents find their console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentsConfig {
    /// Default: 127.0.0.1:8090.
    pub listen: SocketAddr,
    /// `Https`: with the certificates of the visitors' listeners. Default: `Http`.
    pub scheme: Scheme,
    /// What stands in agents' address bars, where that is not the address itself.
    pub origin: Option<ConsoleOrigin>,
    /// Further hosts that pages load images, fonts and styles from, as sources of a content security
    /// policy. Default: none.
    pub assets: Vec<Arc<str>>,
}

/// Scheme and authority, exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleOrigin {
    pub scheme: Scheme,
    pub authority: Authority,
}

impl AgentsConfig {
    /// On loopback over http.
    pub fn on_loopback() -> Self {
        Self {
            listen: DEFAULT_AGENTS,
            scheme: Scheme::Http,
            origin: None,
            assets: Vec::new(),
        }
    }

    /// What the console's origin may be, once it is known where it listens. On loopback the address and
    /// `localhost` are the same place.
    pub fn origins(&self, bound: SocketAddr) -> Vec<ConsoleOrigin> {
        if let Some(origin) = &self.origin {
            return vec![origin.clone()];
        }
        let localhost = format!("localhost:{}", bound.port());
        let names = [
            Some(bound.to_string()),
            bound.ip().is_loopback().then_some(localhost),
        ];
        let origin = |name: String| {
            let authority = name.parse().ok()?;
            let scheme = self.scheme;
            Some(ConsoleOrigin { scheme, authority })
        };
        names.into_iter().flatten().filter_map(origin).collect()
    }
}

/// `[agents]`
#[derive(Debug)]
pub(super) struct AgentsTable {
    faulty: bool,
    header: At,
    listen: Option<Stated<SocketAddr>>,
    tls: Option<Stated<bool>>,
    origin: Option<Stated<ConsoleOrigin>>,
    assets: Vec<Stated<Arc<str>>>,
}

impl AgentsTable {
    pub(super) fn read(mut table: TableReader<'_>) -> Self {
        let agents = Self {
            faulty: false,
            header: table.at().clone(),
            listen: table.take("listen", filled_text(parse_listen_address)),
            tls: table.take("tls", flag),
            origin: table.take("origin", filled_text(parse_origin)),
            assets: table.take_list("assets", filled_text(parse_asset)),
        };
        let faulty = !table.finish();
        Self { faulty, ..agents }
    }

    /// Whether it needs certificates.
    pub(super) fn wants_tls(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.value)
    }

    /// `sessions`: they are run by this program, and so can be seen by agents.
    pub(super) fn report_idle(&self, sessions: bool, reports: &Reports) {
        if !sessions {
            let remedy = "write backend = \"embedded\" in [session], or remove [agents]";
            reports.error(&self.header, "there are no sessions for agents", remedy);
        }
    }

    /// `certificates`: there are some, or something is wrong with where they are.
    pub(super) fn compile(
        self,
        listeners: &Listeners,
        certificates: bool,
        reports: &Reports,
    ) -> Option<AgentsConfig> {
        if self.faulty {
            return None;
        }
        check_agents(self.listen.as_ref(), &self.header, listeners, reports);
        let default = AgentsConfig::on_loopback();
        let config = AgentsConfig {
            scheme: match self.wants_tls() {
                true => Scheme::Https,
                false => default.scheme,
            },
            listen: self.listen.as_ref().map_or(default.listen, |at| at.value),
            origin: self.origin.as_ref().map(|origin| origin.value.clone()),
            assets: self.assets.into_iter().map(|asset| asset.value).collect(),
        };
        if let (Some(tls), false) = (self.tls.filter(|tls| tls.value), certificates) {
            let remedy = "write certs = \"certs/\" above the first [table], or remove tls";
            reports.error(&tls.at, "the agents' listener has no certificates", remedy);
        }
        if let (Some(listen), false) = (&self.listen, config.listen.ip().is_loopback()) {
            config.check_outside(&listen.at, reports);
        }
        Some(config)
    }
}

impl AgentsConfig {
    /// Whoever can be reached from other machines must not take passwords in the clear, and must know its
    /// name.
    fn check_outside(&self, at: &At, reports: &Reports) {
        let remedy = "write origin = \"https://agents.bank.example\", as agents' browsers show it, \
                      and tls = true unless something in front of the edge does TLS";
        match &self.origin {
            None => reports.error(
                at,
                "the agents' listener can be reached from other machines, and has no `origin`",
                remedy,
            ),
            Some(origin) if origin.scheme == Scheme::Http => reports.error(
                at,
                "agents' passwords would go over the network in the clear",
                remedy,
            ),
            Some(_) => {}
        }
    }
}

/// A browser's origin: no path, and no port where it is the usual one.
fn parse_origin(text: &str) -> Result<ConsoleOrigin, Fault> {
    let Endpoint { https, host, port } = Endpoint::parse(text)?;
    let (scheme, usual) = match https {
        true => (Scheme::Https, 443),
        false => (Scheme::Http, 80),
    };
    let authority = match port == usual {
        true => host,
        false => format!("{host}:{port}"),
    };
    let authority = authority.parse().map_err(|_| {
        let remedy = "write \"https://agents.bank.example\"";
        Fault::new(format!("{text:?} is not an origin"), remedy)
    })?;
    Ok(ConsoleOrigin { scheme, authority })
}

/// A source of a content security policy: an origin.
fn parse_asset(text: &str) -> Result<Arc<str>, Fault> {
    let Endpoint { https, host, port } = Endpoint::parse(text)?;
    let scheme = if https { "https" } else { "http" };
    let plain = !host.contains(['[', '*', ';', ',']);
    plain
        .then(|| format!("{scheme}://{host}:{port}").into())
        .ok_or_else(|| {
            let remedy = "write a host by its name, such as \"https://cdn.bank.example\"";
            Fault::new(format!("{THIS_KEY} cannot have {text:?}"), remedy)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_say() {
        for (text, shown) in [
            ("https://agents.bank.example", "agents.bank.example"),
            ("https://Agents.Bank.example:443/", "agents.bank.example"),
            (
                "https://agents.bank.example:8443",
                "agents.bank.example:8443",
            ),
            ("http://127.0.0.1:8090", "127.0.0.1:8090"),
        ] {
            let origin = parse_origin(text).unwrap();
            assert_eq!(origin.authority.to_string(), shown, "{text}");
        }
        for text in [
            "agents",
            "https://a/b",
            "https://a?b",
            "https://*.a",
            "ftp://a",
        ] {
            assert!(parse_origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn loopback_has_two_names_and_a_configured_origin_one() {
        let mut config = AgentsConfig::on_loopback();
        let names = |config: &AgentsConfig, address: &str| {
            let origins = config.origins(address.parse().unwrap());
            let names = origins.iter().map(|origin| origin.authority.to_string());
            names.collect::<Vec<_>>()
        };
        assert_eq!(
            names(&config, "127.0.0.1:8090"),
            ["127.0.0.1:8090", "localhost:8090"]
        );
        assert_eq!(names(&config, "[::1]:80")[0], "[::1]:80");
        config.origin = parse_origin("https://agents.bank.example").ok();
        assert_eq!(names(&config, "127.0.0.1:8090"), ["agents.bank.example"]);
    }

    #[test]
    fn an_asset_cannot_break_out_of_its_policy() {
        assert_eq!(
            parse_asset("https://cdn.bank.example").as_deref(),
            Ok("https://cdn.bank.example:443")
        );
        for text in [
            "https://a;b",
            "https://a b",
            "https://a,b",
            "*",
            "https://*",
            "data:",
            "'self'",
        ] {
            assert!(parse_asset(text).is_err(), "{text}");
        }
    }
}
