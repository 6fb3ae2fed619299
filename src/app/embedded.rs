//! The backend in this program, and where it touches the edge.

#[cfg(feature = "backend")]
pub(super) use with_backend::{Embedded, answer};
#[cfg(not(feature = "backend"))]
pub(super) use without_backend::{Embedded, answer};

#[cfg(feature = "backend")]
mod with_backend {
    use http::{Request, Response, Uri, Version};

    use crate::app::edge::{Shared, StartError};
    use crate::app::routes::Routes;
    use crate::backend::store::AuditRetention;
    use crate::backend::{Backend, Realm, VisitorPlace};
    use crate::config::EdgeConfig;
    use crate::problem::{Place, Problem};
    use crate::proxy::{Exchange, ProxyError};
    use crate::wire::{EdgeBody, Refusal, Scheme};

    /// The backend, where the settings want one.
    #[derive(Clone, Debug)]
    pub(in crate::app) struct Embedded(Option<Backend>);

    impl Embedded {
        pub(in crate::app) async fn start(
            config: &EdgeConfig,
            routes: &Routes,
        ) -> Result<Self, StartError> {
            let Some(embedded) = &config.embedded else {
                return Ok(Self(None));
            };
            let realm = realm(config, routes).ok_or_else(|| {
                let remedy = "let tags carry grants";
                let message = "the embedded backend believes no page without a grant";
                StartError::Problems(vec![Problem::error(Place::Flag("grants"), message, remedy)])
            })?;
            let keep = AuditRetention {
                days: embedded.audit_days,
                lines: embedded.audit_lines,
            };
            let opened = Backend::open(&embedded.database, keep, realm).await;
            let backend = opened.map_err(|error| {
                let place = Place::Path(embedded.database.clone());
                let problem = Problem::error(place, error.to_string(), error.remedy());
                StartError::Problems(vec![problem])
            })?;
            Ok(Self(Some(backend)))
        }

        pub(in crate::app) fn backend(&self) -> Option<&Backend> {
            self.0.as_ref()
        }

        /// Other rules have come into force.
        pub(in crate::app) fn renew(&self, config: &EdgeConfig, routes: &Routes) {
            if let (Some(backend), Some(realm)) = (&self.0, realm(config, routes)) {
                backend.renew(realm);
            }
        }

        pub(in crate::app) async fn drain(&self) {
            if let Some(backend) = &self.0 {
                backend.drain().await;
            }
        }
    }

    fn realm(config: &EdgeConfig, routes: &Routes) -> Option<Realm> {
        Some(Realm {
            rules: std::sync::Arc::clone(&routes.rules),
            keys: routes.grants()?.keys().clone(),
            env: config.env,
        })
    }

    /// Lets the backend answer what a visitor asks below its mount.
    pub(in crate::app) async fn answer(
        shared: &Shared,
        mount: &str,
        scheme: Scheme,
        exchange: Exchange,
    ) -> Result<Response<EdgeBody>, ProxyError> {
        exchange.notes.write(|seen| seen.verdict = Some("session"));
        let backend = shared.embedded.backend();
        let backend = backend.ok_or(ProxyError::UnknownHost)?;
        let asked = &exchange.request;
        let peer = exchange.visitor.peer.ip();
        let place = VisitorPlace {
            scheme,
            authority: asked.authority().clone(),
            address: shared
                .edge
                .trusted_peers
                .visitor_address(peer, &exchange.headers),
            path: asked
                .path()
                .as_str()
                .strip_prefix(mount)
                .unwrap_or_default()
                .to_owned(),
        };
        let uri = Uri::try_from(asked.path_and_query());
        let mut request = Request::new(exchange.body);
        *request.method_mut() = asked.method().clone();
        *request.uri_mut() = uri.map_err(|_| ProxyError::Refused(Refusal::TargetForm))?;
        *request.version_mut() = asked.version();
        *request.headers_mut() = exchange.headers;
        // The gate read the handshake; without one there is nothing to switch.
        if let Some(switchable) = exchange.switchable.filter(|_| asked.upgrade().is_some()) {
            // One of HTTP/2 was made one of HTTP/1.1.
            *request.version_mut() = Version::HTTP_11;
            request.extensions_mut().insert(switchable.upgrade);
            switchable
                .hold
                .map(|hold| request.extensions_mut().insert(hold));
        }
        Ok(backend.answer(place, request).await)
    }
}

#[cfg(not(feature = "backend"))]
mod without_backend {
    use http::Response;

    use crate::app::edge::{Shared, StartError};
    use crate::app::routes::Routes;
    use crate::config::EdgeConfig;
    use crate::proxy::{Exchange, ProxyError};
    use crate::wire::{EdgeBody, Scheme};

    /// There is none in this program; settings that want one are refused.
    #[derive(Clone, Debug)]
    pub(in crate::app) struct Embedded;

    impl Embedded {
        pub(in crate::app) async fn start(_: &EdgeConfig, _: &Routes) -> Result<Self, StartError> {
            Ok(Self)
        }

        pub(in crate::app) fn renew(&self, _: &EdgeConfig, _: &Routes) {}

        pub(in crate::app) async fn drain(&self) {}
    }

    pub(in crate::app) async fn answer(
        _: &Shared,
        _: &str,
        _: Scheme,
        _: Exchange,
    ) -> Result<Response<EdgeBody>, ProxyError> {
        Err(ProxyError::UnknownHost)
    }
}
