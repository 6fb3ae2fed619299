use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::{VisitorPlace, cookie, json, plain, set};
use crate::backend::Backend;
use crate::backend::protocol::{
    BODY_BYTES_MAX, ButtonReply, EndRequest, SettingsReply, TermsReply,
};
use crate::backend::roster::ResumeToken;
use crate::groups::GroupId;
use crate::wire::EdgeBody;

/// A body of a few hundred bytes that has not come by then will not.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// `None`: it is too long, too slow, or broken off.
pub(super) async fn read_body(request: Request<EdgeBody>) -> Option<Bytes> {
    timeout(BODY_PATIENCE, collect(request.into_body()))
        .await
        .ok()?
}

async fn collect(mut body: EdgeBody) -> Option<Bytes> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.ok()?.into_data() {
            if read.len() + data.len() > BODY_BYTES_MAX {
                return None;
            }
            read.extend_from_slice(&data);
        }
    }
    Some(read.freeze())
}

/// The visitor ends its session. What is over already is as it should be.
pub(super) async fn end(
    backend: &Backend,
    place: &VisitorPlace,
    request: Request<EdgeBody>,
) -> Response<EdgeBody> {
    let mut tokens = cookie::tokens_to_end(request.headers());
    let body = read_body(request).await.unwrap_or_default();
    let asked: Option<EndRequest> = serde_json::from_slice(&body).ok();
    if let Some(asked) = asked.filter(|_| backend.paces().ends.allows(place.address)) {
        tokens.extend(asked.resume.as_deref().and_then(ResumeToken::parse));
        if let Some(session) = backend.session_of(&tokens) {
            backend.roster().finish(session.id, asked.reason).await;
        }
    }
    let mut response = plain(StatusCode::NO_CONTENT);
    for line in cookie::remove(place.scheme, &place.authority) {
        if let Ok(line) = HeaderValue::try_from(line) {
            response.headers_mut().append(SET_COOKIE, line);
        }
    }
    response
}

/// What a page needs of a group before there is a session.
pub(super) fn settings(backend: &Backend, request: &Request<EdgeBody>) -> Response<EdgeBody> {
    let query = request.uri().query().unwrap_or_default();
    let group = parameter(query, "group").or_else(|| parameter(query, "groupid"));
    let group = group.and_then(|group| group.parse::<GroupId>().ok());
    let realm = backend.realm();
    let known = group.and_then(|group| Some((group, realm.rules.group(group)?)));
    let Some((group, settings)) = known else {
        return plain(StatusCode::NOT_FOUND);
    };
    let button = settings.button.clone();
    let reply = SettingsReply {
        group: group.as_u32(),
        button: ButtonReply {
            label: button.label,
            color: button.color,
            css: button.css,
        },
        terms: TermsReply::default(),
    };
    let mut response = json(StatusCode::OK, &reply);
    set(&mut response, CACHE_CONTROL, "public, max-age=300");
    response
}

/// The first of this name, in any case of letters.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}
