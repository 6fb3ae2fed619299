use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args};

use super::exit::Exit;
use super::flags::{Access, Admin, Env, Log, parse_group};
use super::report::report;
use super::running::{AddressPlaces, inherited_sockets, on_runtime, run};
use super::source::DEFAULT_CONFIG;
use super::terminal::{complain, say};
use crate::app::Edge;
use crate::config::{
    self, CertificatesSource, EdgeConfig, Environment, RulesSource, SessionConfig, SessionPlace,
    parse_backend, parse_listen_address,
};
use crate::groups::GroupId;
use crate::problem::Problem;
use crate::rules::SingleSite;
use crate::upstream::Target;

/// Serve sites through the edge
///
/// Settings are read from a file (--config), or a few are given as flags, with a directory of rules
/// (--rules) or with one site for every host (--origin and --group).
#[derive(Args, Clone, Debug)]
#[command(
    group = ArgGroup::new("without_file").args(["rules", "origin"]),
    after_help = "\
Examples:
  cobrowse-edge serve --config edge.toml
  cobrowse-edge serve --rules rules/ --listen 0.0.0.0:8080 --listen-tls 0.0.0.0:8443 --certs certs/
  cobrowse-edge serve --origin http://127.0.0.1:8000 --group 15687 --mask '#ssn' --listen 127.0.0.1:0

SIGTERM or Ctrl-C: open exchanges may end, then the edge does; Ctrl-C again ends it at once.
SIGHUP: rules and certificates are read again, as they are whenever they change.
COBROWSE_EDGE_LISTEN and COBROWSE_EDGE_LOG stand in for the HTTP addresses and the log filter."
)]
pub(super) struct ServeArgs {
    /// Settings file [default: edge.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

/// What can be said without a settings file.
#[derive(Args, Clone, Debug)]
struct Flags {
    /// Directory of rule files
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    site: Option<SiteFlags>,
    #[command(flatten)]
    place: PlaceFlags,
    /// Cobrowse backend whose sessions are carried below /_cobrowse
    #[arg(long, value_name = "URL", value_parser = parse_backend, conflicts_with = "config", requires = "without_file")]
    session_backend: Option<Target>,
    /// The tag's `data-site`, and which `[env.*]` of the rules holds [default: production]
    #[arg(long, value_enum, conflicts_with = "config", requires = "without_file")]
    env: Option<Env>,
    /// How the log looks, on standard error [default: human]
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        conflicts_with = "config",
        requires = "without_file"
    )]
    log_format: Option<Log>,
    /// How the line per exchange looks, on standard output [default: human]
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        conflicts_with = "config",
        requires = "without_file"
    )]
    access_log: Option<Access>,
}

/// One site for every host. Required is not what is in it, but that all of that is there if any is.
#[derive(Args, Clone, Debug)]
struct SiteFlags {
    /// Where the pages come from: scheme, host and port
    #[arg(long, value_name = "URL", required = false, conflicts_with_all = ["config", "rules"], requires = "group")]
    origin: String,
    /// Group ID on every page
    #[arg(long, value_name = "ID", value_parser = parse_group, required = false, conflicts_with_all = ["config", "rules"], requires = "origin")]
    group: GroupId,
    /// Further groups that may run sessions, with commas between them
    #[arg(long, value_name = "IDS", value_parser = parse_group, value_delimiter = ',', conflicts_with_all = ["config", "rules"], requires = "origin")]
    additional_groups: Vec<GroupId>,
    /// CSS selector of elements to mask; may be given again
    #[arg(long, value_name = "SELECTOR", conflicts_with_all = ["config", "rules"], requires = "origin")]
    mask: Vec<String>,
    /// Where browsers load the visitor script from [default: the vendor's]
    #[arg(long, value_name = "URL", conflicts_with_all = ["config", "rules"], requires = "origin")]
    script_url: Option<String>,
}

/// Where the edge is found.
#[derive(Args, Clone, Debug)]
struct PlaceFlags {
    /// Address for HTTP; may be given again, port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = parse_listen_address, conflicts_with = "config", requires = "without_file")]
    listen: Vec<SocketAddr>,
    /// Address for HTTPS, with a certificate made in memory unless --certs is given
    #[arg(long, value_name = "ADDR", value_parser = parse_listen_address, conflicts_with = "config", requires = "without_file")]
    listen_tls: Vec<SocketAddr>,
    /// Directory of certificates and keys
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with = "config",
        requires = "listen_tls"
    )]
    certs: Option<PathBuf>,
    /// Address for health and metrics, or `off` [default: 127.0.0.1:9090]
    #[arg(
        long,
        value_name = "ADDR",
        conflicts_with = "config",
        requires = "without_file"
    )]
    admin: Option<Admin>,
}

/// A configuration, what a person should look at, and where its addresses were chosen.
#[derive(Debug)]
struct Ready {
    config: EdgeConfig,
    warnings: Vec<Problem>,
    places: AddressPlaces,
}

impl ServeArgs {
    pub(super) fn run(self) -> Exit {
        let ready = match self.flags.rules_source() {
            Some(rules) => self.flags.ready(rules),
            None => match self.config.or_else(default_config) {
                Some(path) => ready_from(&path),
                None => {
                    complain(NOTHING_TO_SERVE);
                    return Exit::Usage;
                }
            },
        };
        match ready {
            Ok(Ready {
                config,
                warnings,
                places,
            }) => match inherited_sockets() {
                Ok(sockets) => on_runtime(run(config, sockets, &places, &warnings, announce)),
                Err(exit) => exit,
            },
            Err(problems) => {
                report(&problems);
                Exit::Config
            }
        }
    }
}

fn default_config() -> Option<PathBuf> {
    let path = PathBuf::from(DEFAULT_CONFIG);
    path.exists().then_some(path)
}

fn ready_from(path: &Path) -> Result<Ready, Vec<Problem>> {
    let (config, warnings) = config::load(path)?;
    Ok(Ready {
        places: AddressPlaces::settings(&config),
        config,
        warnings,
    })
}

impl Flags {
    /// `None`: everything is in a settings file.
    fn rules_source(&self) -> Option<RulesSource> {
        let directory = self.rules.clone().map(RulesSource::Directory);
        let site = self
            .site
            .clone()
            .map(|site| SingleSite::from(site).to_source());
        directory.or_else(|| site.map(|source| RulesSource::Given(Arc::new(source))))
    }

    fn ready(self, rules: RulesSource) -> Result<Ready, Vec<Problem>> {
        let config = self.configure(rules, &Environment::of_process())?;
        Ok(Ready {
            places: AddressPlaces::flags(&config),
            config,
            warnings: Vec::new(),
        })
    }

    /// A flag wins over the environment.
    fn configure(
        self,
        rules: RulesSource,
        environment: &Environment,
    ) -> Result<EdgeConfig, Vec<Problem>> {
        let mut config = EdgeConfig::new(rules);
        environment.apply(&mut config)?;
        self.place.place(&mut config);
        config.session = self.session_backend.map(carry_sessions);
        config.env = self.env.map_or(config.env, Into::into);
        config.log.format = self.log_format.map_or(config.log.format, Into::into);
        config.log.access = self.access_log.map_or(config.log.access, Into::into);
        Ok(config)
    }
}

impl From<SiteFlags> for SingleSite {
    fn from(flags: SiteFlags) -> Self {
        Self {
            origin: flags.origin,
            group: flags.group,
            additional_groups: flags.additional_groups,
            masks: flags.mask,
            script_url: flags.script_url,
        }
    }
}

impl PlaceFlags {
    fn place(self, config: &mut EdgeConfig) {
        if !self.listen.is_empty() {
            config.server.http = self.listen;
        } else if !self.listen_tls.is_empty() {
            config.server.http = Vec::new();
        }
        config.certificates = match (self.certs, self.listen_tls.is_empty()) {
            (_, true) => CertificatesSource::None,
            (Some(directory), false) => CertificatesSource::Directory(directory),
            (None, false) => CertificatesSource::SelfSigned,
        };
        config.server.https = self.listen_tls;
        config.admin = self.admin.map_or(config.admin, Into::into);
    }
}

/// On every site, below a path that the backend does not know.
pub(super) fn carry_sessions(backend: Target) -> SessionConfig {
    SessionConfig {
        backend,
        place: SessionPlace::Mount {
            path: SESSION_MOUNT.into(),
            strip: true,
        },
        cookies: Vec::new(),
        enforce: None,
    }
}

/// Scripts wait for these lines, and read the ports from them.
fn announce(edge: &Edge) {
    for bound in edge.addresses() {
        say(format_args!(
            "listening on {}://{}",
            bound.scheme, bound.address
        ));
    }
    for path in edge.unix_sockets() {
        say(format_args!("listening on unix:{}", path.display()));
    }
    if let Some(admin) = edge.admin_address() {
        say(format_args!("admin on http://{admin}"));
    }
    if let Some(agents) = edge.agents_address() {
        let scheme = agents.scheme;
        say(format_args!("agents on {scheme}://{}", agents.address));
    }
}

/// A name that no legacy site is likely to have.
const SESSION_MOUNT: &str = "/_cobrowse";

const NOTHING_TO_SERVE: &str = "\
error: there is nothing to serve: no edge.toml is here, and no flag says what

  cobrowse-edge serve --config FILE
  cobrowse-edge serve --rules DIR
  cobrowse-edge serve --origin URL --group ID

For more, try '--help'.";

#[cfg(test)]
mod tests;
