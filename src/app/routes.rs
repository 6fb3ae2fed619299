use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{EdgeConfig, RulesSource, SessionConfig, SessionPlace};
use crate::problem::{Place, Problem};
use crate::proxy::{Enforcement, Grants, PageRoute, SessionRoute, named_site};
use crate::rules::{Loaded, OriginScheme, OriginSettings, RuleSet};
use crate::upstream::{self, Client, Target, TlsSettings};
use crate::wire::{Authority, EdgeRequest, Scheme};

/// Where requests go under one set of rules. An exchange keeps the routes that it began with.
#[derive(Debug)]
pub struct Routes {
    pub rules: Arc<RuleSet>,
    pages: HashMap<Arc<str>, PageRoute>,
    session: Option<Session>,
    /// Below this path on every site is the backend in this program.
    embedded: Option<Arc<str>>,
    grants: Option<Arc<Grants>>,
    /// By what they were made of, so that a reload keeps the connections of unchanged origins.
    clients: Clients,
}

type Clients = HashMap<MadeOf, Client>;

#[derive(Debug, PartialEq, Eq, Hash)]
struct MadeOf {
    target: Target,
    config: upstream::Config,
    /// A renewed certificate lies where the old one lay.
    files: u64,
}

#[derive(Debug)]
struct Session {
    route: SessionRoute,
    place: SessionPlace,
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub enum Destination<'a> {
    Page(&'a PageRoute),
    Session(&'a SessionRoute),
    /// The backend in this program, mounted at this path.
    Embedded(&'a str),
}

impl Routes {
    /// Reads the rules and prepares a client for every origin they name. `before` are the routes
    /// in force; on problems they stay.
    pub fn load(
        config: &EdgeConfig,
        before: Option<&Self>,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let loaded = match &config.rules {
            RulesSource::Directory(directory) => RuleSet::load(directory, config.env),
            RulesSource::Given(file) => RuleSet::compile(vec![Arc::clone(file)], config.env),
        };
        let grants = load_grants(config, before);
        let (Loaded { rules, warnings }, grants) = match (loaded, grants) {
            (Ok(loaded), Ok(grants)) => (loaded, grants),
            (loaded, grants) => {
                let problems = loaded.err().unwrap_or_default().into_iter();
                return Err(problems.chain(grants.err()).collect());
            }
        };
        let mut builder = Builder {
            config,
            before,
            grants: grants.as_ref(),
            clients: HashMap::new(),
            problems: Vec::new(),
        };
        let rules = Arc::new(rules);
        let pages = rules.sites().iter().filter_map(|site| {
            let route = builder.page_route(site)?;
            Some((Arc::clone(site.name()), route))
        });
        let pages = pages.collect();
        let session = config
            .session
            .as_ref()
            .and_then(|session| builder.session(session, &rules));
        let Builder {
            clients, problems, ..
        } = builder;
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok((
            Self {
                rules,
                pages,
                session,
                embedded: config
                    .embedded
                    .as_ref()
                    .map(|embedded| Arc::clone(&embedded.mount)),
                grants,
                clients,
            },
            warnings,
        ))
    }

    /// `None`: tags carry no grant.
    pub fn grants(&self) -> Option<&Grants> {
        self.grants.as_deref()
    }

    /// `None`: no site has this host.
    pub fn destination(&self, request: &EdgeRequest) -> Option<Destination<'_>> {
        let site = self.rules.site(request.host());
        let page = site.and_then(|site| self.pages.get(site.name()));
        let embedded = self.embedded.as_deref();
        if let (Some(mount), true) = (
            embedded.filter(|mount| is_below(request, mount)),
            page.is_some(),
        ) {
            return Some(Destination::Embedded(mount));
        }
        let session = self.session.as_ref();
        let session = session.filter(|session| session.place.holds(request));
        match (
            session.map(|session| (&session.place, &session.route)),
            page,
        ) {
            (Some((SessionPlace::Host(_), route)), _) => Some(Destination::Session(route)),
            // The mount is on every site, not on every name that leads to the edge: a page under
            // a stranger's name would be of the backend's own origin.
            (Some((SessionPlace::Mount { .. }, route)), Some(_)) => {
                Some(Destination::Session(route))
            }
            (None, Some(route)) => Some(Destination::Page(route)),
            (Some((SessionPlace::Mount { .. }, _)) | None, None) => None,
        }
    }

    /// Whether a TLS connection that was made for one site (its SNI) carries a request for another.
    /// Browsers use one connection for all hosts of a certificate (RFC 9113 9.1.1): for hosts of
    /// one site they may.
    pub fn is_misdirected(&self, sni: &str, request: &EdgeRequest) -> bool {
        let Ok(shown) = sni.parse::<Authority>() else {
            return false;
        };
        let sites = [shown.host(), request.host()].map(|host| named_site(&self.rules, host));
        matches!(sites, [Some(shown), Some(asked)] if !Arc::ptr_eq(shown, asked))
    }
}

impl SessionPlace {
    fn holds(&self, request: &EdgeRequest) -> bool {
        match self {
            Self::Host(host) => request.host() == &**host,
            Self::Mount { path, .. } => is_below(request, path),
        }
    }
}

fn is_below(request: &EdgeRequest, mount: &str) -> bool {
    let below = request.path().as_str().strip_prefix(mount);
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Grants of these routes: what was held for the rules of before is of no more use.
fn load_grants(
    config: &EdgeConfig,
    before: Option<&Routes>,
) -> Result<Option<Arc<Grants>>, Problem> {
    let Some(settings) = &config.grants else {
        return Ok(None);
    };
    let known = before.and_then(Routes::grants).map(Grants::keys);
    let keys = settings.load_keys(known)?;
    let grants = Grants::new(keys, settings.epoch, config.env);
    Ok(Some(Arc::new(grants)))
}

struct Builder<'a> {
    config: &'a EdgeConfig,
    before: Option<&'a Routes>,
    grants: Option<&'a Arc<Grants>>,
    clients: Clients,
    problems: Vec<Problem>,
}

impl Builder<'_> {
    fn page_route(&mut self, site: &Arc<crate::rules::Site>) -> Option<PageRoute> {
        let settings = site.origin();
        let target = target_of(settings);
        let origin = self.name_of(&target)?;
        let client = self.client(target, timeouts(&self.config.upstream, settings))?;
        Some(PageRoute {
            site: Arc::clone(site),
            client,
            origin,
            grants: self.grants.map(Arc::clone),
        })
    }

    fn session(&mut self, session: &SessionConfig, rules: &Arc<RuleSet>) -> Option<Session> {
        let backend = self.name_of(&session.backend)?;
        let client = self.client(session.backend.clone(), self.config.upstream.clone())?;
        let (mount, strip_mount) = match &session.place {
            SessionPlace::Mount { path, strip } => (Some(Arc::clone(path)), *strip),
            SessionPlace::Host(_) => (None, false),
        };
        let route = SessionRoute {
            client,
            backend,
            mount,
            strip_mount,
            cookies: session.cookies.clone().into(),
            rules: Arc::clone(rules),
            enforcement: session.enforce.as_ref().map(|config| Enforcement {
                config: Arc::new(config.clone()),
                grants: self.grants.map(Arc::clone),
            }),
        };
        Some(Session {
            route,
            place: session.place.clone(),
        })
    }

    fn client(&mut self, target: Target, config: upstream::Config) -> Option<Client> {
        let files = target.tls.fingerprint();
        let key = MadeOf {
            target,
            config,
            files,
        };
        let known = self.clients.get(&key);
        let known = known.or_else(|| self.before.and_then(|before| before.clients.get(&key)));
        if let Some(client) = known.cloned() {
            self.clients.insert(key, client.clone());
            return Some(client);
        }
        match Client::new(&key.target, key.config.clone()) {
            Ok(client) => {
                self.clients.insert(key, client.clone());
                Some(client)
            }
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    /// The upstream as its own answers and the Host field name it: without the default port.
    fn name_of(&mut self, target: &Target) -> Option<(Scheme, Authority)> {
        let name = match target.host.contains(':') {
            true => format!("[{}]", target.host),
            false => target.host.clone(),
        };
        let name = match target.port == target.scheme.default_port() {
            true => name,
            false => format!("{name}:{}", target.port),
        };
        match Authority::parse(name.as_bytes()) {
            Ok(authority) => Some((target.scheme, authority)),
            Err(error) => {
                let message = format!("{name:?} is no host: {error}");
                let place = Place::Path(target.to_string().into());
                self.problems.push(Problem::error(
                    place,
                    message,
                    "write a host name or an address",
                ));
                None
            }
        }
    }
}

fn target_of(settings: &OriginSettings) -> Target {
    Target {
        scheme: match settings.scheme {
            OriginScheme::Http => Scheme::Http,
            OriginScheme::Https => Scheme::Https,
        },
        // An IPv6 address stands in brackets in a URL only.
        host: settings.host.trim_matches(['[', ']']).to_owned(),
        port: settings.port,
        tls: TlsSettings {
            ca: settings.ca.clone(),
            server_name: settings.server_name.as_deref().map(str::to_owned),
            client_certificate: settings.client_certificate.clone(),
            client_key: settings.client_key.clone(),
        },
    }
}

/// The process's settings, where the site has none of its own.
fn timeouts(defaults: &upstream::Config, settings: &OriginSettings) -> upstream::Config {
    upstream::Config {
        connect_timeout: settings.connect_timeout.unwrap_or(defaults.connect_timeout),
        first_byte_timeout: settings
            .first_byte_timeout
            .unwrap_or(defaults.first_byte_timeout),
        body_idle_timeout: settings.idle_timeout.or(defaults.body_idle_timeout),
        ..defaults.clone()
    }
}
