use std::time::Duration;

use clap::Args;
use http::header::{ACCEPT, ACCEPT_ENCODING, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Request};
use tokio::time::timeout;

use super::exit::Exit;
use super::report::report;
use super::terminal::{complain, say};
use crate::app::{self, InspectError};
use crate::config::EdgeConfig;
use crate::problem::with_causes;
use crate::proxy::{InspectedPolicy, Inspection, PolicyPlace};
use crate::wire::{Authority, Scheme};

/// Whether and how the page is fetched.
#[derive(Args, Clone, Debug)]
pub(super) struct FetchArgs {
    /// Fetch the page from its origin, and tell whether the tag will run on it
    ///
    /// Ends with 0 if it will, with 1 if it will not, and with 69 if the page cannot be fetched.
    #[arg(long)]
    pub(super) fetch: bool,
    /// Ask with this header field, such as a cookie; may be given again
    #[arg(long, value_name = "NAME: VALUE", value_parser = parse_header, requires = "fetch")]
    header: Vec<(HeaderName, HeaderValue)>,
    /// Give up after so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", requires = "fetch")]
    timeout: u64,
}

/// A page as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// Path and query, as they were written.
    pub(super) target: String,
}

impl FetchArgs {
    /// Fetches the page, and tells what comes of it.
    pub(super) async fn run(self, config: &EdgeConfig, page: &Asked) -> Exit {
        let request = match self.request(page) {
            Ok(request) => request,
            Err(error) => {
                complain(format_args!("error: {}", with_causes(&error)));
                return Exit::Refused;
            }
        };
        let limit = Duration::from_secs(self.timeout);
        match timeout(limit, app::inspect(config, request, page.scheme)).await {
            Ok(Ok(inspection)) => {
                say(format_args!("\n{}", describe(&inspection)));
                match inspection.fate {
                    Ok(()) => Exit::Success,
                    Err(_) => Exit::Refused,
                }
            }
            Ok(Err(error)) => told(&error),
            Err(_) => {
                let seconds = self.timeout;
                complain(format_args!(
                    "error: the page did not end within {seconds} seconds; --timeout waits longer"
                ));
                Exit::Unavailable
            }
        }
    }

    /// What a browser asks for when a person visits a page.
    fn request(&self, page: &Asked) -> Result<Parts, http::Error> {
        let host = page.authority.to_string();
        let (mut parts, ()) = Request::get(&page.target).body(())?.into_parts();
        for (name, value) in [
            (HOST, &*host),
            (ACCEPT, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
            (ACCEPT_ENCODING, "gzip, deflate, br, zstd"),
            (
                USER_AGENT,
                concat!("cobrowse-edge/", env!("CARGO_PKG_VERSION")),
            ),
            (HeaderName::from_static("sec-fetch-dest"), "document"),
            (HeaderName::from_static("sec-fetch-mode"), "navigate"),
        ] {
            parts.headers.insert(name, HeaderValue::from_str(value)?);
        }
        take(&mut parts.headers, &self.header);
        Ok(parts)
    }
}

/// Fields of one name that are given take the place of ours, and stand beside one another.
fn take(headers: &mut HeaderMap, given: &[(HeaderName, HeaderValue)]) {
    given
        .iter()
        .for_each(|(name, _)| drop(headers.remove(name)));
    for (name, value) in given {
        headers.append(name, value.clone());
    }
}

fn told(error: &InspectError) -> Exit {
    match error {
        InspectError::Problems(problems) => {
            report(problems);
            return Exit::Config;
        }
        error => complain(format_args!("error: {}", with_causes(error))),
    }
    match error {
        InspectError::Unfetched { .. } => Exit::Unavailable,
        _ => Exit::Refused,
    }
}

/// The host is in the URL already.
fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    const FORM: &str = "write it as on the wire: \"Cookie: session=1\"";
    let (name, value) = text.split_once(':').ok_or(FORM)?;
    let name: HeaderName = name.trim().parse().map_err(|_| FORM)?;
    if name == HOST {
        return Err("the host is the URL's".to_owned());
    }
    let value = HeaderValue::from_str(value.trim()).map_err(|_| FORM)?;
    Ok((name, value))
}

/// For a person: what came, under which policies, and whether the tag will run.
fn describe(inspection: &Inspection) -> String {
    let media_type = inspection
        .media_type
        .as_deref()
        .unwrap_or("of no media type");
    let mut text = format!("fetched\n  {} {media_type}\n", inspection.status);
    if let Some(location) = &inspection.location {
        text.push_str(&format!("  to {location}\n"));
    }
    text.push_str("\ncontent security policies\n");
    if inspection.policies.is_empty() {
        text.push_str("  none\n");
    }
    for policy in &inspection.policies {
        text.push_str(&describe_policy(policy));
    }
    match &inspection.fate {
        Ok(()) => text.push_str("\nthe tag will run"),
        Err(why) => text.push_str(&format!("\nthe tag will not run because {why}")),
    }
    text
}

fn describe_policy(policy: &InspectedPolicy) -> String {
    let place = match policy.place {
        PolicyPlace::Head => "head",
        PolicyPlace::ReportOnly => "head, reports only",
        PolicyPlace::Meta => "<meta>",
    };
    match &policy.after {
        Some(after) => format!(
            "  {place}\n    from the origin  {}\n    to the visitor   {after}\n",
            policy.before
        ),
        None => format!("  {place}, as it is\n    {}\n", policy.before),
    }
}
