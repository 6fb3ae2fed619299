use http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE,
    ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, Request, Response, StatusCode};

use super::plain;
use crate::backend::assets::{self, Asset};
use crate::wire::{AcceptEncoding, Coding, EdgeBody, empty_body, full_body};

/// The loader has no hash in its name: it is looked for again, soon.
const LOADER_CACHING: &str = "public, max-age=600";
const CORE_CACHING: &str = "public, max-age=31536000, immutable";

/// The loader by the vendor's name, in any case of letters, and the files that it asks for.
pub(super) fn serve(path: &str, request: &Request<EdgeBody>) -> Response<EdgeBody> {
    let name = path.trim_start_matches('/');
    if assets::LOADER.name.eq_ignore_ascii_case(name) {
        return file(&assets::LOADER, LOADER_CACHING, request.headers());
    }
    if name == assets::CORE.name {
        return file(&assets::CORE, CORE_CACHING, request.headers());
    }
    if name == assets::LICENSES.name {
        return file(&assets::LICENSES, LOADER_CACHING, request.headers());
    }
    plain(StatusCode::NOT_FOUND)
}

/// The smallest form that the browser reads. Who says nothing gets it as it is.
fn coded(asset: &Asset, headers: &HeaderMap) -> (Coding, &'static [u8]) {
    let accepted = AcceptEncoding::parse(headers);
    let says = headers.contains_key(ACCEPT_ENCODING);
    let welcome = |coding| says && accepted.choose(coding) == coding;
    match (welcome(Coding::Br), welcome(Coding::Gzip)) {
        (true, _) => (Coding::Br, asset.br),
        (false, true) => (Coding::Gzip, asset.gzip),
        (false, false) => (Coding::Identity, asset.plain),
    }
}

fn file(asset: &Asset, caching: &'static str, headers: &HeaderMap) -> Response<EdgeBody> {
    let (coding, bytes) = coded(asset, headers);
    let known = headers.get_all(IF_NONE_MATCH).into_iter().any(|line| {
        let line = line.to_str().unwrap_or_default();
        line.split(',').any(|tag| tag.trim() == asset.etag)
    });
    let mut response = Response::new(match known {
        true => empty_body(),
        false => full_body(bytes),
    });
    let fields = response.headers_mut();
    let mut set = |name: HeaderName, value| fields.insert(name, HeaderValue::from_static(value));
    set(CACHE_CONTROL, caching);
    set(ETAG, asset.etag);
    set(VARY, "accept-encoding");
    // Asked for with `crossorigin` and a hash; there is nothing private in it.
    set(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    set(CONTENT_TYPE, asset.media_type);
    if coding != Coding::Identity {
        set(CONTENT_ENCODING, coding.as_str());
    }
    response
}
