//! What visitors' browsers ask of the backend, below its mount on the sites' own origins: files, calls
//! and sockets. Everything that is checked in the script is checked here again.

mod brake;
mod calls;
mod cookie;
mod files;
mod pace;
mod socket;
mod start;

pub(super) use pace::Paces;

use std::net::IpAddr;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, Method, Request, Response, StatusCode};

use super::Backend;
use crate::wire::{
    Authority, CanonicalPath, EdgeBody, OriginRefusal, Scheme, empty_body, full_body,
    origin_allowed,
};

const URL_CHARS_MAX: usize = 2048;

/// Who asks, and where. The host is one of a site's.
#[derive(Clone, Debug)]
pub struct VisitorPlace {
    /// As the visitor's browser asked.
    pub scheme: Scheme,
    pub authority: Authority,
    pub address: IpAddr,
    /// Below the mount, with a slash in front.
    pub path: String,
}

impl VisitorPlace {
    /// Whether a page of the very origin that is asked made the request.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), OriginRefusal> {
        origin_allowed(headers, |scheme, origin| {
            scheme == self.scheme && origin.is_same(&self.authority, scheme)
        })
    }

    fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    /// Without query and fragment, and of this origin, whatever was said: agents read it.
    fn plain_url(&self, url: &str) -> String {
        let origin = self.origin();
        let plain = url.split(['?', '#']).next().unwrap_or_default();
        let path = plain.strip_prefix(&origin);
        let path = path.filter(|path| path.starts_with('/') && !path.contains(char::is_control));
        let path = path.filter(|path| path.chars().count() <= URL_CHARS_MAX);
        format!("{origin}{}", path.unwrap_or("/"))
    }

    /// As rules are matched; what cannot be read is the site's root.
    fn path_of(&self, url: &str) -> String {
        let path = url.strip_prefix(&self.origin()).unwrap_or("/");
        let canonical = CanonicalPath::parse(path);
        canonical.map_or_else(|_| "/".to_owned(), |path| path.as_str().to_owned())
    }
}

/// Answers what a visitor's browser asks. `request` holds the way to switch protocols among its extensions.
pub(super) async fn answer(
    backend: &Backend,
    place: VisitorPlace,
    request: Request<EdgeBody>,
) -> Response<EdgeBody> {
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    let checked = place.check_origin(request.headers());
    match (&*place.path, request.method()) {
        ("/session/socket", &Method::GET) => match checked {
            Ok(()) => socket::open(backend, place, request).await,
            Err(_) => plain(StatusCode::FORBIDDEN),
        },
        ("/session/start", &Method::POST) => match checked {
            Ok(()) => start::start(backend, &place, request).await,
            Err(_) => plain(StatusCode::FORBIDDEN),
        },
        ("/session/end", &Method::POST) => match checked {
            Ok(()) => calls::end(backend, &place, request).await,
            Err(_) => plain(StatusCode::FORBIDDEN),
        },
        ("/session/settings", _) if is_get => match checked {
            Ok(()) | Err(OriginRefusal::Missing) => calls::settings(backend, &request),
            Err(_) => plain(StatusCode::FORBIDDEN),
        },
        ("/session/socket" | "/session/start" | "/session/end" | "/session/settings", _) => {
            plain(StatusCode::METHOD_NOT_ALLOWED)
        }
        (path, _) if is_get => files::serve(path, &request),
        _ => plain(StatusCode::METHOD_NOT_ALLOWED),
    }
}

/// An answer without a word.
fn plain(status: StatusCode) -> Response<EdgeBody> {
    let mut response = Response::new(empty_body());
    *response.status_mut() = status;
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Response<EdgeBody> {
    // Our own types, none of which can fail; nothing is said if one does.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(full_body(text));
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, "application/json");
    set(&mut response, CACHE_CONTROL, "no-store");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn set(response: &mut Response<EdgeBody>, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}
