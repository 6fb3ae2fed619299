use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::routes::Routes;
use crate::server::{self, BindError, Certificates, Handle, Inherited, Server};
use crate::telemetry::{METRICS_CONTENT_TYPE, Metrics, OriginFigures, SiteFigures};
use crate::upstream::{OriginStatus, Origins};
use crate::wire::{Authority, CanonicalPath, EdgeBody, full_body};

/// What the admin listener answers from: for operators and their machines, on loopback unless the
/// settings say otherwise. It tells nothing of any visitor.
#[derive(Clone, Debug)]
pub(super) struct Admin {
    pub(super) metrics: Arc<Metrics>,
    pub(super) routes: Arc<ArcSwap<Routes>>,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) ready: watch::Receiver<Readiness>,
}

/// Whether a balancer should send visitors here. It is not asked before the edge runs: the sockets
/// are bound by then, and who connects is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    Serving,
    Draining,
}

/// The admin listener, bound.
#[derive(Debug)]
pub(super) struct AdminServer {
    server: Server,
    admin: Admin,
}

/// The admin listener, running.
#[derive(Debug)]
pub(super) struct AdminTask {
    handle: Handle,
    task: JoinHandle<()>,
}

impl AdminServer {
    pub(super) fn bind(
        address: SocketAddr,
        reuse_port: bool,
        inherited: &mut Inherited,
        admin: Admin,
    ) -> Result<Self, BindError> {
        let config = server::Config {
            http: vec![address],
            https: Vec::new(),
            reuse_port,
            ..server::Config::default()
        };
        let server = Server::bind(config, inherited, None, Arc::clone(&admin.metrics))?;
        Ok(Self { server, admin })
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.server.addresses().first().map(|bound| bound.address)
    }

    pub(super) fn start(self) -> AdminTask {
        let Self { server, admin } = self;
        let handle = server.handle();
        let task = tokio::spawn(async move {
            let make_service = move |_| {
                let admin = admin.clone();
                service_fn(move |request: Request<Incoming>| {
                    let answer = admin.answer(request.method(), request.uri());
                    async move { Ok::<_, Infallible>(answer) }
                })
            };
            // It ends when the edge does; whoever still reads metrics then is cut.
            let _ = server.serve(make_service, std::future::pending()).await;
        });
        AdminTask { handle, task }
    }
}

impl AdminTask {
    pub(super) async fn end(self) {
        self.handle.cut();
        if self.task.await.is_err() {
            tracing::error!("the admin listener had panicked");
        }
    }
}

impl Admin {
    fn answer(&self, method: &Method, uri: &Uri) -> Response<EdgeBody> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return text(
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET is served here\n".to_owned(),
            );
        }
        match uri.path() {
            "/" => text(StatusCode::OK, INDEX.to_owned()),
            "/healthz" => text(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" => self.readiness(),
            "/metrics" => self.metrics(),
            "/origins" => text(StatusCode::OK, self.origins()),
            "/certificates" => self.certificates(),
            "/explain" => self.explain(uri.query().unwrap_or_default()),
            _ => text(StatusCode::NOT_FOUND, INDEX.to_owned()),
        }
    }

    fn readiness(&self) -> Response<EdgeBody> {
        match *self.ready.borrow() {
            Readiness::Serving => text(StatusCode::OK, "ready\n".to_owned()),
            Readiness::Draining => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned()),
        }
    }

    fn metrics(&self) -> Response<EdgeBody> {
        let routes = self.routes.load();
        let sites = routes.origins().into_iter().map(figures);
        self.metrics.publish_origins(&sites.collect::<Vec<_>>());
        let mut response = text(StatusCode::OK, self.metrics.encode());
        let media_type = HeaderValue::from_static(METRICS_CONTENT_TYPE);
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response
    }

    /// A line for each site and one for each of its origins.
    fn origins(&self) -> String {
        let mut text = String::new();
        for (site, origins) in self.routes.load().origins() {
            let (retries, waiting) = (origins.retries(), origins.waiting());
            text.push_str(&format!("{site}  retries {retries}  waiting {waiting}\n"));
            for origin in origins.status() {
                let OriginStatus {
                    name,
                    state,
                    in_flight,
                    kept,
                    ejections,
                    ..
                } = origin;
                text.push_str(&format!(
                    "  {name}  {state}  in flight {in_flight}  connections kept {kept}  left alone {ejections} times\n"
                ));
            }
        }
        text
    }

    fn certificates(&self) -> Response<EdgeBody> {
        let certificates = self.certificates.as_ref();
        let infos = certificates.map(|certificates| certificates.describe());
        let lines = infos
            .unwrap_or_default()
            .into_iter()
            .map(|info| format!("{info}\n"));
        text(StatusCode::OK, lines.collect())
    }

    fn explain(&self, query: &str) -> Response<EdgeBody> {
        let url = query.split('&').find_map(|pair| pair.strip_prefix("url="));
        let url = url.map(percent_decoded);
        match url
            .as_deref()
            .ok_or_else(|| EXPLAIN_USAGE.to_owned())
            .and_then(|url| self.explained(url))
        {
            Ok(explanation) => text(StatusCode::OK, explanation),
            Err(message) => text(StatusCode::BAD_REQUEST, message),
        }
    }

    fn explained(&self, url: &str) -> Result<String, String> {
        let url: Uri = url
            .parse()
            .map_err(|error| format!("this is no address: {error}\n"))?;
        let authority = url.authority().ok_or(EXPLAIN_USAGE)?;
        let authority = Authority::parse(authority.as_str().as_bytes());
        let authority = authority.map_err(|error| format!("{error}\n"))?;
        let path = CanonicalPath::parse(url.path()).map_err(|error| format!("{error}\n"))?;
        let routes = self.routes.load();
        match routes.rules.site(authority.host()) {
            Some(site) => Ok(site.explain(path.as_str()).to_string()),
            None => Err(format!("no site has the host {:?}\n", authority.host())),
        }
    }
}

fn figures((site, origins): (&str, &Origins)) -> SiteFigures {
    let figures = |status: OriginStatus| OriginFigures {
        origin: status.name,
        is_up: status.is_up,
        in_flight: status.in_flight,
        ejections: status.ejections,
    };
    SiteFigures {
        site: site.to_owned(),
        retries: origins.retries(),
        waiting: origins.waiting(),
        origins: origins.status().into_iter().map(figures).collect(),
    }
}

const INDEX: &str = "cobrowse-edge

/healthz      whether the process lives
/readyz       whether it takes visitors
/metrics      counters, for Prometheus
/origins      how the origins of each site do
/certificates what is shown to visitors, and until when
/explain?url= which rules apply to an address, and why
";

const EXPLAIN_USAGE: &str = "write /explain?url=https://host/path\n";

fn text(status: StatusCode, text: String) -> Response<EdgeBody> {
    let mut response = Response::new(full_body(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A query's value with its `%XX` and `+` read; what is not such a triplet stays.
fn percent_decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        let triplet = match (first, after) {
            (b'%', [high, low, ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits)
                    .ok()
                    .filter(|d| !d.starts_with('+'));
                digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())
            }
            _ => None,
        };
        rest = if triplet.is_some() {
            &after[2..]
        } else {
            after
        };
        bytes.push(triplet.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_address_out_of_a_query() {
        for (value, read) in [
            ("https://a/b", "https://a/b"),
            ("https%3A%2F%2Fa%2fb", "https://a/b"),
            ("a+b%", "a b%"),
            ("%+1%zz%4", "% 1%zz%4"),
        ] {
            assert_eq!(percent_decoded(value), read, "{value}");
        }
    }
}
