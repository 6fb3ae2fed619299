use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH,
};
use http::{Response, StatusCode};

use super::answers::harden;
use super::door::sole;
use crate::wire::{EdgeBody, empty_body, full_body};

/// What the bundler made for agents.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleFiles {
    /// The console's document.
    pub console: &'static [u8],
    /// The document in which the replayer works.
    pub replay: &'static [u8],
    /// Name, media type, content; a name holds a hash of the content.
    pub files: &'static [(&'static str, &'static str, &'static [u8])],
    /// Notices of what is in them.
    pub licenses: &'static [u8],
}

/// A file that is served here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    Asset(&'static str, &'static [u8]),
    Console,
    Licenses,
    Replay,
}

impl ConsoleFiles {
    pub(super) fn find(&self, path: &str) -> Option<File> {
        match path {
            "/" => return Some(File::Console),
            "/replay" => return Some(File::Replay),
            "/licenses.txt" => return Some(File::Licenses),
            _ => {}
        }
        if let Some(name) = path.strip_prefix("/assets/") {
            let mut files = self.files.iter();
            let (_, media_type, bytes) = files.find(|(known, ..)| *known == name)?;
            return Some(File::Asset(media_type, bytes));
        }
        is_agent_view(path).then_some(File::Console)
    }

    /// `sites`: sources of a content security policy, from which pages load what they are made of.
    pub(super) fn serve(
        &self,
        file: File,
        headers: &HeaderMap,
        sites: &[String],
        socket: &str,
    ) -> Response<EdgeBody> {
        match file {
            File::Asset(media_type, bytes) => {
                let mut response = whole(media_type, bytes);
                let immutable = HeaderValue::from_static("max-age=31536000, immutable");
                response.headers_mut().insert(CACHE_CONTROL, immutable);
                response
            }
            File::Console => document(self.console, headers, &console_policy(socket)),
            File::Licenses => whole("text/plain; charset=utf-8", self.licenses),
            File::Replay => {
                without_credentials(document(self.replay, headers, &replay_policy(sites)))
            }
        }
    }
}

/// What a visitor's page has the agent's browser load is asked for without the agent's cookies: the site may
/// know him. Frames without an address of their own inherit it.
fn without_credentials(mut response: Response<EdgeBody>) -> Response<EdgeBody> {
    let name = HeaderName::from_static("cross-origin-embedder-policy");
    let value = HeaderValue::from_static("credentialless");
    response.headers_mut().insert(name, value);
    response
}

/// The vendor's addresses, in any case.
fn is_agent_view(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let name = path
        .strip_prefix("/agentjoin/")
        .or_else(|| path.strip_prefix("/cobrowse/"))
        .or_else(|| path.strip_prefix('/'));
    let names = [
        "agentview",
        "agentview.aspx",
        "agentview.php",
        "agentjoin.aspx",
    ];
    name.is_some_and(|name| names.contains(&name))
}

/// Nothing but its own files; no HTML is made of text.
fn console_policy(socket: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {socket}; \
         img-src 'self' data:; font-src 'self'; frame-src 'self'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'"
    )
}

/// What a page is made of, and no way for it to tell anybody anything.
fn replay_policy(sites: &[String]) -> String {
    let mut list = String::new();
    for site in sites {
        let _ = write!(list, " {site}");
    }
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'{list}; \
         img-src data: blob:{list}; font-src data:{list}; media-src 'none'{list}; \
         frame-src 'self'; connect-src 'none'; form-action 'none'; base-uri 'none'; \
         frame-ancestors 'self'"
    )
    .replace("media-src 'none' ", "media-src ")
}

fn document(bytes: &'static [u8], headers: &HeaderMap, policy: &str) -> Response<EdgeBody> {
    let tag = entity_tag(bytes);
    let is_known = sole(headers, &IF_NONE_MATCH).is_some_and(|known| known == tag);
    let mut response = match is_known {
        true => not_modified(),
        false => whole("text/html; charset=utf-8", bytes),
    };
    let headers = response.headers_mut();
    if let (Ok(policy), Ok(tag)) = (HeaderValue::try_from(policy), HeaderValue::try_from(tag)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        headers.insert(ETAG, tag);
        return response;
    }
    // Without its policy a document is not shown.
    let mut response = Response::new(empty_body());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

fn not_modified() -> Response<EdgeBody> {
    let mut response = Response::new(empty_body());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    harden(headers);
    response
}

fn whole(media_type: &'static str, bytes: &'static [u8]) -> Response<EdgeBody> {
    let mut response = Response::new(full_body(Bytes::from_static(bytes)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    harden(headers);
    response
}

fn entity_tag(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    let hex: String = hash.as_ref()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: ConsoleFiles = ConsoleFiles {
        console: b"console",
        replay: b"replay",
        files: &[("a.0123.js", "text/javascript", b"a")],
        licenses: b"MIT",
    };

    #[test]
    fn the_vendors_links_lead_to_the_console() {
        for path in [
            "/",
            "/AgentView",
            "/agentview",
            "/AgentView.aspx",
            "/agentjoin/AgentView.aspx",
            "/cobrowse/AGENTVIEW.ASPX",
            "/agentjoin/AgentView.php",
            "/agentjoin/AgentJoin.aspx",
        ] {
            assert_eq!(FILES.find(path), Some(File::Console), "{path}");
        }
        for path in [
            "",
            "//",
            "/agentview/",
            "/agentjoin/cobrowse/agentview",
            "/assets/",
            "/assets/../a.0123.js",
            "/assets/A.0123.js",
            "/Replay",
            "/api",
        ] {
            assert_eq!(FILES.find(path), None, "{path}");
        }
        assert!(matches!(
            FILES.find("/assets/a.0123.js"),
            Some(File::Asset("text/javascript", b"a"))
        ));
    }

    #[test]
    fn a_document_has_its_policy_also_when_it_is_known() {
        let sites = ["https://www.bank.example".to_owned()];
        let mut headers = HeaderMap::new();
        for status in [StatusCode::OK, StatusCode::NOT_MODIFIED] {
            let response = FILES.serve(File::Replay, &headers, &sites, "wss://a");
            assert_eq!(response.status(), status);
            let policy = response.headers()[CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap();
            assert!(policy.contains("connect-src 'none'"), "{policy}");
            assert!(
                policy.contains("media-src https://www.bank.example;"),
                "{policy}"
            );
            assert!(!policy.contains("script-src 'self' "), "{policy}");
            let embedder = &response.headers()["cross-origin-embedder-policy"];
            assert_eq!(embedder, "credentialless");
            headers.insert(IF_NONE_MATCH, response.headers()[ETAG].clone());
        }
        let response = FILES.serve(File::Console, &headers, &sites, "wss://a");
        assert_eq!(response.status(), StatusCode::OK);
        let policy = response.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        assert!(policy.contains("connect-src 'self' wss://a;") && !policy.contains("bank"));
    }

    #[test]
    fn without_sites_a_page_loads_nothing() {
        let policy = replay_policy(&[]);
        assert!(
            policy.contains("img-src data: blob:; font-src data:; media-src 'none';"),
            "{policy}"
        );
    }
}
