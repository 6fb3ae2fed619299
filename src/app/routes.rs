use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::visitors::VisitorDemands;
use super::{error_page, upstream_settings};
use crate::config::{EdgeConfig, RulesSource, SessionConfig, SessionPlace};
use crate::problem::{Place, Problem};
use crate::proxy::{Enforcement, Grants, PageRoute, SessionRoute, named_site};
use crate::rules::{Loaded, RuleSet};
use crate::upstream::{self, Client, Origins, Policy, Target};
use crate::wire::{Authority, EdgeRequest, Scheme};

/// Where requests go under one set of rules. An exchange keeps the routes that it began with.
#[derive(Debug)]
pub struct Routes {
    pub rules: Arc<RuleSet>,
    pages: HashMap<Arc<str>, PageRoute>,
    /// What visitors read where there is no answer, by the site's name, and for all others; none:
    /// the page that is built in.
    error_pages: HashMap<Arc<str>, Bytes>,
    error_page: Option<Bytes>,
    session: Option<Session>,
    /// Below this path on every site is the backend in this program.
    embedded: Option<Arc<str>>,
    grants: Option<Arc<Grants>>,
    pub(super) visitors: VisitorDemands,
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
            error_pages: HashMap::new(),
            problems: Vec::new(),
        };
        let rules = Arc::new(rules);
        let known = before.map(|before| &before.visitors);
        let visitors = VisitorDemands::load(&rules, known, &mut builder.problems);
        let pages = rules.sites().iter().filter_map(|site| {
            let route = builder.page_route(site)?;
            Some((Arc::clone(site.name()), route))
        });
        let pages = pages.collect();
        let session = config
            .session
            .as_ref()
            .and_then(|session| builder.session(session, &rules));
        let error_page = config.error_page.as_deref();
        let error_page = error_page.and_then(|path| builder.error_page(path));
        let Builder {
            clients,
            error_pages,
            problems,
            ..
        } = builder;
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok((
            Self {
                rules,
                pages,
                error_pages,
                error_page,
                session,
                embedded: config
                    .embedded
                    .as_ref()
                    .map(|embedded| Arc::clone(&embedded.mount)),
                grants,
                visitors,
                clients,
            },
            warnings,
        ))
    }

    /// `None`: tags carry no grant.
    pub fn grants(&self) -> Option<&Grants> {
        self.grants.as_deref()
    }

    /// What visitors of this site read where there is no answer; `None`: what is built in.
    pub fn error_page(&self, site: Option<&str>) -> Option<&Bytes> {
        let own = site.and_then(|site| self.error_pages.get(site));
        own.or(self.error_page.as_ref())
    }

    /// Looks after the origins of these routes, which have come into force.
    pub(super) fn watch_origins(&self) {
        self.origins()
            .iter()
            .for_each(|(_, origins)| origins.watch());
    }

    /// The sites' origins and the backend elsewhere, by their names.
    pub fn origins(&self) -> Vec<(&str, &Origins)> {
        let pages = self
            .pages
            .iter()
            .map(|(site, route)| (&**site, &route.origins));
        let session = self
            .session
            .iter()
            .map(|session| (SESSION, &session.route.origins));
        let mut all: Vec<_> = pages.chain(session).collect();
        all.sort_by_key(|(name, _)| *name);
        all
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

/// What the backend elsewhere is called among the sites. No site has such a host.
const SESSION: &str = "(sessions)";

struct Builder<'a> {
    config: &'a EdgeConfig,
    before: Option<&'a Routes>,
    grants: Option<&'a Arc<Grants>>,
    clients: Clients,
    error_pages: HashMap<Arc<str>, Bytes>,
    problems: Vec<Problem>,
}

impl Builder<'_> {
    fn page_route(&mut self, site: &Arc<crate::rules::Site>) -> Option<PageRoute> {
        let settings = site.origin();
        let config = upstream_settings::config(&self.config.upstream, settings);
        let targets: Vec<_> = upstream_settings::targets(settings).collect();
        let names: Vec<_> = targets.iter().map(|target| self.name_of(target)).collect();
        let clients = targets
            .into_iter()
            .map(|target| self.client(target, config.clone()));
        let clients: Vec<_> = clients.collect();
        if let Some(page) = settings
            .error_page
            .as_deref()
            .and_then(|path| self.error_page(path))
        {
            self.error_pages.insert(Arc::clone(site.name()), page);
        }
        let mut names = names.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
        let clients = clients.into_iter().collect::<Option<Vec<_>>>()?;
        let policy = upstream_settings::policy(settings);
        let origins = self.origins(site.name(), clients, policy);
        Some(PageRoute {
            site: Arc::clone(site),
            origins,
            origin: names.next()?,
            other_origins: names.collect(),
            grants: self.grants.map(Arc::clone),
        })
    }

    /// Those of before, where they are the same.
    fn origins(&self, site: &str, clients: Vec<Client>, policy: Policy) -> Origins {
        let before = self.before.and_then(|before| before.pages.get(site));
        let known = before.map(|route| &route.origins);
        match known.filter(|known| known.are(&clients, &policy)) {
            Some(known) => known.clone(),
            None => Origins::new(clients, policy),
        }
    }

    fn session(&mut self, session: &SessionConfig, rules: &Arc<RuleSet>) -> Option<Session> {
        let backend = self.name_of(&session.backend)?;
        let client = self.client(session.backend.clone(), self.config.upstream.clone())?;
        let origins = Origins::from(client);
        let (mount, strip_mount) = match &session.place {
            SessionPlace::Mount { path, strip } => (Some(Arc::clone(path)), *strip),
            SessionPlace::Host(_) => (None, false),
        };
        let route = SessionRoute {
            origins,
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

    fn error_page(&mut self, path: &Path) -> Option<Bytes> {
        let loaded = error_page::load(path);
        loaded.map_err(|problem| self.problems.push(problem)).ok()
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
