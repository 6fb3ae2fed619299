use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use tokio::time::timeout;

use super::account;
use super::answers::{Code, Refusal, json, no_content};
use super::door::sole;
use super::listener::Shared;
use crate::backend::access::{Login, LoginRefusal, Token};
use crate::wire::EdgeBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginRequest {
    name: String,
    password: String,
}

/// A body of JSON, not too large, in time.
pub(super) async fn read(headers: &HeaderMap, body: Incoming) -> Result<LoginRequest, Refusal> {
    let media_type = sole(headers, &CONTENT_TYPE).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(Code::MediaType));
    }
    let bytes = collect(body).await?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::new(Code::Malformed))
}

async fn collect(body: Incoming) -> Result<Bytes, Refusal> {
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    match timeout(BODY_TIMEOUT, reading).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::new(Code::Large)),
        Ok(Err(_)) | Err(_) => Err(Refusal::new(Code::Malformed)),
    }
}

pub(super) async fn login(
    shared: &Shared,
    headers: &HeaderMap,
    request: LoginRequest,
    peer: IpAddr,
) -> Result<Response<EdgeBody>, Refusal> {
    let LoginRequest { name, password } = request;
    let admitted = shared.access.login(&name, password, peer).await;
    let (token, agent) = admitted.map_err(|refusal| match refusal {
        LoginRefusal::Credentials => Refusal::new(Code::Credentials),
        LoginRefusal::Rate(limited) => Refusal::rate(seconds(limited.retry_after)),
        LoginRefusal::Unavailable(_) => Refusal::new(Code::Busy),
    })?;
    // Whoever was logged in here before is not any more.
    if let Some(before) = cookie(shared, headers) {
        shared.access.logout(&before).await;
    }
    let mut response = json(&account::account(&agent, &shared.surroundings));
    set_cookie(shared, headers, &mut response, &token.to_secret_text(), "")?;
    Ok(response)
}

pub(super) async fn logout(shared: &Shared, headers: &HeaderMap) -> Response<EdgeBody> {
    if let Some(token) = cookie(shared, headers) {
        shared.access.logout(&token).await;
    }
    let mut response = no_content();
    // Nothing that could be refused is in it.
    let _ = set_cookie(shared, headers, &mut response, "", "; Max-Age=0");
    response
}

pub(super) fn account(shared: &Shared, headers: &HeaderMap) -> Result<Response<EdgeBody>, Refusal> {
    let agent = who(shared, headers).and_then(|login| shared.access.agent(&login));
    let agent = agent.ok_or_else(|| Refusal::new(Code::Login))?;
    Ok(json(&account::account(&agent, &shared.surroundings)))
}

/// The login of a request.
pub(super) fn who(shared: &Shared, headers: &HeaderMap) -> Option<Arc<Login>> {
    shared.access.who(&cookie(shared, headers)?)
}

/// Several of that name are none: one may be a neighbour's.
fn cookie(shared: &Shared, headers: &HeaderMap) -> Option<Token> {
    let name = cookie_name(shared, headers);
    let lines = headers.get_all(COOKIE).into_iter();
    let mut values = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name);
    let (_, value) = values.next()?;
    match values.next() {
        Some(_) => None,
        None => Token::parse(value),
    }
}

fn set_cookie(
    shared: &Shared,
    headers: &HeaderMap,
    response: &mut Response<EdgeBody>,
    value: &str,
    age: &str,
) -> Result<(), Refusal> {
    let name = cookie_name(shared, headers);
    let secure = if shared.is_secure(headers) {
        "; Secure"
    } else {
        ""
    };
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}");
    let mut line = HeaderValue::try_from(line).map_err(|_| Refusal::new(Code::Busy))?;
    line.set_sensitive(true);
    response.headers_mut().insert(SET_COOKIE, line);
    Ok(())
}

fn cookie_name(shared: &Shared, headers: &HeaderMap) -> &'static str {
    match shared.is_secure(headers) {
        true => "__Host-cobrowse-agent",
        false => "cobrowse-agent",
    }
}

/// Rounded up, so that who waits that long is let in.
pub(super) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

/// A name and a password; nothing that is asked for here is larger.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// For so little.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
