use std::borrow::Cow;

use http::header::{HeaderValue, RETRY_AFTER, SET_COOKIE};
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value};

use super::{VisitorPlace, calls, cookie, json};
use crate::backend::Backend;
use crate::backend::protocol::{
    ErrorCode, PROTOCOL_VERSION, Refusal, SessionError, SessionName, StartReply, StartRequest,
    StorageKind, Visitor,
};
use crate::backend::realm::{AskingPage, GrantedPage};
use crate::backend::roster::{NewSession, ResumeToken, StartRefusal};
use crate::backend::session::{SessionFacts, VisitorData};
use crate::backend::store::{Actor, AuditEntry, Outcome, SessionId, StoreError};
use crate::groups::GroupId;
use crate::wire::{EdgeBody, Scheme};

/// Why a session does not start.
#[derive(Clone, Debug)]
struct Refused {
    status: StatusCode,
    code: ErrorCode,
    /// For the audit log.
    why: &'static str,
    text: Cow<'static, str>,
    params: Option<Map<String, Value>>,
}

pub(super) async fn start(
    backend: &Backend,
    place: &VisitorPlace,
    request: Request<EdgeBody>,
) -> Response<EdgeBody> {
    // Before anything is read or written: the audit log must not be for everybody to fill.
    if !backend.paces().starts.allows(place.address) {
        return Refused::busy().answer();
    }
    let Some(body) = calls::read_body(request).await else {
        return Refused::malformed("malformed").answer();
    };
    let asked: Option<StartRequest> = serde_json::from_slice(&body).ok();
    let group = asked.as_ref().and_then(|asked| group_of(asked.group));
    let started = match asked {
        Some(asked) => begin(backend, place, &asked).await,
        None => Err(Refused::malformed("malformed")),
    };
    match started {
        Ok((asked, facts, token)) => {
            let of = (Some(facts.group), Some(facts.id));
            match audit(backend, of, Outcome::Allowed, "").await {
                Ok(()) => welcome(place, &asked, &facts, &token),
                // Nobody is told of it, so it ends for want of a page.
                Err(error) => Refused::by_roster(&StartRefusal::Store(error), &asked).answer(),
            }
        }
        Err(refused) => {
            // Refused it is, written down or not.
            let _ = audit(backend, (group, None), Outcome::Refused, refused.why).await;
            refused.answer()
        }
    }
}

type Begun = (StartRequest, std::sync::Arc<SessionFacts>, ResumeToken);

async fn begin(
    backend: &Backend,
    place: &VisitorPlace,
    asked: &StartRequest,
) -> Result<Begun, Refused> {
    if asked.version != PROTOCOL_VERSION {
        return Err(Refused::malformed("version"));
    }
    if asked.storage.kind == StorageKind::Secure && place.scheme != Scheme::Https {
        return Err(Refused::malformed("storage"));
    }
    let realm = backend.realm();
    let page = AskingPage {
        grant: &asked.grant,
        host: place.authority.host(),
        path: &place.path_of(&place.plain_url(&asked.url)),
    };
    let opened = realm.open(page);
    let allowed = || opened.as_ref().map(GrantedPage::allowed);
    let refused = |why| Refused::group(why, asked.group, &allowed().unwrap_or_default());
    let group = group_of(asked.group).ok_or_else(|| refused("groupid"))?;
    let page = opened.as_ref().map_err(|why| Refused::grant(why))?;
    page.check(group).map_err(refused)?;
    let settings = realm.rules.group(group);
    let settings = settings.ok_or_else(|| refused("group_gone"))?;
    if asked.key.as_deref().is_some_and(|key| !is_key(key)) {
        return Err(Refused::key());
    }
    let visitor = visitor_data(&asked.visitor).ok_or_else(|| Refused::malformed("visitor"))?;
    let new = NewSession {
        group,
        key: asked.key.clone(),
        keys: settings.key,
        visitor,
        domain: cookie::domain_of(&asked.storage, place.scheme, &place.authority),
    };
    let started = backend.roster().start(new).await;
    let (facts, token) = started.map_err(|refusal| Refused::by_roster(&refusal, asked))?;
    Ok((asked.clone(), facts, token))
}

fn welcome(
    place: &VisitorPlace,
    asked: &StartRequest,
    facts: &SessionFacts,
    token: &ResumeToken,
) -> Response<EdgeBody> {
    let in_storage = matches!(asked.storage.kind, StorageKind::Ls | StorageKind::Dual);
    let reply = StartReply {
        session: SessionName {
            group: facts.group.as_u32(),
            key: facts.key.clone(),
        },
        resume: in_storage.then(|| token.reveal().to_owned()),
    };
    let mut response = json(StatusCode::OK, &reply);
    for line in cookie::keep(token, &asked.storage, place.scheme, &place.authority) {
        if let Ok(line) = HeaderValue::try_from(line) {
            response.headers_mut().append(SET_COOKIE, line);
        }
    }
    response
}

async fn audit(
    backend: &Backend,
    (group, session): (Option<GroupId>, Option<SessionId>),
    outcome: Outcome,
    reason: &'static str,
) -> Result<(), StoreError> {
    let entry = AuditEntry {
        at: crate::backend::unix_now(),
        actor: Actor::Visitor,
        action: "start",
        group,
        session,
        outcome,
        reason: reason.to_owned(),
    };
    let audited = backend.store().audit(entry).await;
    if let Err(error) = &audited {
        tracing::error!(%error, "the audit log cannot be written");
    }
    audited
}

fn group_of(number: u32) -> Option<GroupId> {
    GroupId::new(i64::from(number))
}

/// By the union of the vendor's rules for keys.
fn is_key(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte);
    (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(plain)
}

/// `None`: something is longer than it may be. The script never sends that.
fn visitor_data(visitor: &Visitor) -> Option<VisitorData> {
    let Visitor {
        id,
        name,
        email,
        phone,
    } = visitor.clone();
    let short = |text: &Option<String>, most: usize| {
        let fits = |text: &String| text.chars().count() <= most && !text.contains(char::is_control);
        text.as_ref().is_none_or(fits)
    };
    let fits = short(&name, NAME_MAX) && short(&email, EMAIL_MAX) && short(&phone, PHONE_MAX);
    let fits = fits && id.as_deref().is_none_or(is_key);
    fits.then_some(VisitorData {
        id,
        name,
        email,
        phone,
    })
}

const KEY_MAX: usize = 62;
const NAME_MAX: usize = 63;
const EMAIL_MAX: usize = 127;
const PHONE_MAX: usize = 31;

impl Refused {
    fn new(
        status: StatusCode,
        code: ErrorCode,
        why: &'static str,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            why,
            text: text.into(),
            params: None,
        }
    }

    fn grant(why: &'static str) -> Self {
        let text = "the page's grant is not believed; the page must be loaded again";
        Self::new(StatusCode::FORBIDDEN, ErrorCode::Grant, why, text)
    }

    fn group(why: &'static str, group: u32, allowed: &[u32]) -> Self {
        let SessionError { code, msg, params } = SessionError::of_group(group, allowed);
        Self {
            params,
            ..Self::new(StatusCode::FORBIDDEN, code, why, msg)
        }
    }

    fn key() -> Self {
        let text = "a session key is 1 to 62 of A-Z, a-z, 0-9, _, ., ~ and -";
        Self::new(
            StatusCode::BAD_REQUEST,
            ErrorCode::SessionKey,
            "sessionkey",
            text,
        )
    }

    fn malformed(why: &'static str) -> Self {
        let text = "the request cannot be read";
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::Service, why, text)
    }

    fn busy() -> Self {
        let (status, text) = (
            StatusCode::TOO_MANY_REQUESTS,
            "too many sessions were started",
        );
        Self::new(status, ErrorCode::Service, "rate", text)
    }

    fn by_roster(refusal: &StartRefusal, asked: &StartRequest) -> Self {
        let down = StatusCode::SERVICE_UNAVAILABLE;
        let service = |why| {
            Self::new(
                down,
                ErrorCode::Service,
                why,
                "no session can be started now",
            )
        };
        match refusal {
            StartRefusal::DupKey => {
                let text = "the session key is in use";
                let key = asked.key.clone().map(Value::from);
                let params = key.map(|key| Map::from_iter([("sessionKey".to_owned(), key)]));
                Self {
                    params,
                    ..Self::new(StatusCode::CONFLICT, ErrorCode::DupKey, "dupkey", text)
                }
            }
            StartRefusal::Draining => service("draining"),
            StartRefusal::Full => service("full"),
            StartRefusal::NoRandomness => service("randomness"),
            StartRefusal::Store(error) => {
                tracing::error!(%error, "a session cannot be kept, and does not start");
                service("store")
            }
        }
    }

    fn answer(self) -> Response<EdgeBody> {
        let error = SessionError {
            code: self.code,
            msg: self.text.into_owned(),
            params: self.params,
        };
        let mut response = json(self.status, &Refusal { error });
        let later = [
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        if later.contains(&self.status) {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_plain_and_not_long() {
        for good in ["1", "05213", "59204gh-42", "a_b.c~d-E", &"x".repeat(62)] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["", " ", "a b", "a/b", "ä", "a%20", "1\n", &"x".repeat(63)] {
            assert!(!is_key(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_said_of_a_visitor_is_bounded() {
        let of = |name: &str, email: &str, phone: &str, id: Option<&str>| {
            visitor_data(&Visitor {
                id: id.map(str::to_owned),
                name: Some(name.to_owned()),
                email: Some(email.to_owned()),
                phone: Some(phone.to_owned()),
            })
        };
        let long = |most: usize| "ö".repeat(most);
        assert!(of(&long(63), &long(127), &long(31), Some("a-1")).is_some());
        assert!(of("", "", "", None).is_some());
        for bad in [
            of(&long(64), "", "", None),
            of("", &long(128), "", None),
            of("", "", &long(32), None),
            of("", "", "", Some("a b")),
            of("", "", "", Some("")),
            of("a\nb", "", "", None),
        ] {
            assert_eq!(bad, None);
        }
    }
}
