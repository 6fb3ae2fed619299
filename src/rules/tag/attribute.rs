use super::input_events;
use crate::document::{Fault, check_host, check_host_port};
use crate::rules::loadable_url::check_loadable_url;

/// The optional attributes of the tag, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::rules) enum TagKey {
    InputEvents,
    Presence,
    VisitorId,
    Ws,
    PresenceServer,
    ScriptServer,
    TermsUrl,
    CookieDomain,
    CookieType,
    Video,
    StartPaused,
    Collection,
    AuthToken,
    Integrity,
    CrossOrigin,
    Nonce,
    Defer,
}

/// What may stand in an attribute.
#[derive(Clone, Copy)]
pub(super) enum TagValue {
    /// Hot keys: a table, or the JSON text that the vendor documents.
    InputEvents,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Text that this function accepts.
    Text(fn(&str) -> Result<(), Fault>),
    /// True is `1`, false is `0`.
    OneOrZero,
    /// True is the bare attribute, false is none.
    Bare,
}

impl TagKey {
    pub(in crate::rules) const ALL: [Self; 17] = [
        Self::InputEvents,
        Self::Presence,
        Self::VisitorId,
        Self::Ws,
        Self::PresenceServer,
        Self::ScriptServer,
        Self::TermsUrl,
        Self::CookieDomain,
        Self::CookieType,
        Self::Video,
        Self::StartPaused,
        Self::Collection,
        Self::AuthToken,
        Self::Integrity,
        Self::CrossOrigin,
        Self::Nonce,
        Self::Defer,
    ];

    /// The key under `tag` in a rule file.
    pub(in crate::rules) fn as_str(self) -> &'static str {
        let attribute = self.attribute();
        attribute.strip_prefix("data-").unwrap_or(attribute)
    }

    /// The attribute's name in the tag.
    pub(in crate::rules) fn attribute(self) -> &'static str {
        match self {
            Self::InputEvents => "data-inputevents",
            Self::Presence => "data-presence",
            Self::VisitorId => "data-visitorid",
            Self::Ws => "data-ws",
            Self::PresenceServer => "data-presenceserver",
            Self::ScriptServer => "data-scriptserver",
            Self::TermsUrl => "data-termsurl",
            Self::CookieDomain => "data-cookiedomain",
            Self::CookieType => "data-cookietype",
            Self::Video => "data-video",
            Self::StartPaused => "data-startpaused",
            Self::Collection => "data-collection",
            Self::AuthToken => "data-authtoken",
            Self::Integrity => "integrity",
            Self::CrossOrigin => "crossorigin",
            Self::Nonce => "nonce",
            Self::Defer => "defer",
        }
    }

    pub(super) fn value(self) -> TagValue {
        match self {
            Self::InputEvents => TagValue::InputEvents,
            Self::Presence => TagValue::Word(&["on", "api", "off"]),
            Self::VisitorId => TagValue::Text(check_visitor_id),
            Self::Ws | Self::PresenceServer => TagValue::Text(check_host_port),
            Self::ScriptServer => TagValue::Text(check_loadable_url),
            Self::TermsUrl => TagValue::Text(check_terms_url),
            Self::CookieDomain => TagValue::Text(check_cookie_domain),
            Self::CookieType => TagValue::Word(&["normal", "ls", "dual", "secure"]),
            Self::Video => TagValue::Word(&["off", "small", "large"]),
            Self::StartPaused => TagValue::OneOrZero,
            Self::Collection => TagValue::Word(&["on", "off"]),
            Self::AuthToken => TagValue::Text(check_auth_token),
            Self::Integrity => TagValue::Text(check_integrity),
            Self::CrossOrigin => TagValue::Word(&["anonymous", "use-credentials"]),
            Self::Nonce => TagValue::Text(check_nonce),
            Self::Defer => TagValue::Bare,
        }
    }
}

/// `ui = "custom"` in a rule.
pub(in crate::rules) const UI: &str = "data-ui";

impl TagKey {
    /// Whether it may be taken over from a tag that the page brings along: what says how the
    /// visitor meets the script, may. What says who may join a session, with which servers the
    /// script speaks, or which script it is, comes from the rules alone: a page never widens what
    /// they allow.
    pub(in crate::rules) fn is_inheritable(self) -> bool {
        match self {
            Self::InputEvents
            | Self::Presence
            | Self::VisitorId
            | Self::TermsUrl
            | Self::CookieDomain
            | Self::CookieType
            | Self::Video
            | Self::StartPaused
            | Self::Collection
            | Self::Defer => true,
            Self::Ws
            | Self::PresenceServer
            | Self::ScriptServer
            | Self::AuthToken
            | Self::Integrity
            | Self::CrossOrigin
            | Self::Nonce => false,
        }
    }
}

/// Whether a page's own tag has a value that a rule could give as well.
pub(in crate::rules) fn accepts(attribute: &'static str, value: &str) -> bool {
    if attribute == UI {
        return value == "custom";
    }
    let mut keys = TagKey::ALL.into_iter();
    let Some(key) = keys.find(|key| key.attribute() == attribute) else {
        return false;
    };
    match key.value() {
        TagValue::InputEvents => input_events::from_json(value).is_ok(),
        TagValue::Word(words) => words.contains(&value),
        TagValue::Text(check) => check(value).is_ok(),
        // The vendor's own pages write 2 for "not".
        TagValue::OneOrZero => ["0", "1", "2"].contains(&value),
        TagValue::Bare => value.is_empty() || value == attribute,
    }
}

/// The vendor's limits for session keys and visitor IDs, taken together.
fn check_visitor_id(text: &str) -> Result<(), Fault> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=50).contains(&text.len()) && text.bytes().all(allowed) {
        return Ok(());
    }
    Err(Fault::new(
        format!("\"{text}\" is not a visitor ID"),
        "write 1 to 50 letters, digits, `-`, `_` or `.`",
    ))
}

/// A link for people: it is followed, not loaded, so plain http will do.
fn check_terms_url(text: &str) -> Result<(), Fault> {
    match text.strip_prefix("http://") {
        Some(rest) => check_loadable_url(&format!("https://{rest}")),
        None => check_loadable_url(text),
    }
}

fn check_cookie_domain(text: &str) -> Result<(), Fault> {
    let domain = text.strip_prefix('.').unwrap_or(text);
    check_host(text, domain)
}

/// Three parts of base64url, as in every JSON web token.
fn check_auth_token(text: &str) -> Result<(), Fault> {
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let parts: Vec<_> = text.split('.').collect();
    if parts.len() == 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(base64url))
    {
        return Ok(());
    }
    // The token is a secret: it is not repeated in a message.
    Err(Fault::new(
        "this is not a JSON web token",
        "write its three parts of letters, digits, `-` and `_`, joined by dots",
    ))
}

fn check_integrity(text: &str) -> Result<(), Fault> {
    let mut hashes = text.split(' ').filter(|hash| !hash.is_empty()).peekable();
    if hashes.peek().is_some() && hashes.all(is_integrity_hash) {
        return Ok(());
    }
    Err(Fault::new(
        format!("\"{text}\" is not an integrity hash"),
        "write \"sha384-\" (or sha256-, sha512-) and the hash in base64",
    ))
}

fn is_integrity_hash(hash: &str) -> bool {
    let lengths = [("sha256-", 44), ("sha384-", 64), ("sha512-", 88)];
    let found = lengths
        .iter()
        .find_map(|(name, length)| Some((hash.strip_prefix(name)?, *length)));
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    found.is_some_and(|(digest, length)| digest.len() == length && digest.bytes().all(base64))
}

fn check_nonce(text: &str) -> Result<(), Fault> {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    if !text.is_empty() && text.bytes().all(base64) {
        return Ok(());
    }
    Err(Fault::new(
        format!("\"{text}\" is not a nonce"),
        "write base64; better, leave the key out: a fixed nonce protects nothing",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_every_key_once_in_the_order_of_the_tag() {
        assert!(TagKey::ALL.is_sorted());
        assert_eq!(TagKey::ALL.len(), TagKey::Defer as usize + 1);
    }

    #[test]
    fn of_a_pages_own_tag_only_what_a_rule_could_say_is_taken_over() {
        for (attribute, value, good) in [
            ("data-inputevents", "{\"ctrl-13\":\"startSession\"}", true),
            ("data-inputevents", "{\"ctrl-13\":\"alert\"}", false),
            ("data-presence", "api", true),
            ("data-presence", "always", false),
            ("data-visitorid", "59204gh-42", true),
            ("data-visitorid", "a b", false),
            ("data-termsurl", "/terms", true),
            ("data-termsurl", "javascript:alert(1)", false),
            ("data-cookiedomain", ".bank.example", true),
            ("data-cookiedomain", "bank.example/", false),
            ("data-cookietype", "secure", true),
            ("data-startpaused", "2", true),
            ("data-startpaused", "yes", false),
            ("defer", "", true),
            ("defer", "defer", true),
            ("data-ui", "custom", true),
            ("data-ui", "default", false),
            ("data-groupid", "1", false),
            ("onload", "x", false),
        ] {
            assert_eq!(accepts(attribute, value), good, "{attribute} {value}");
        }
        let never = TagKey::ALL.iter().filter(|key| !key.is_inheritable());
        let never: Vec<_> = never.map(|key| key.attribute()).collect();
        assert_eq!(
            never,
            [
                "data-ws",
                "data-presenceserver",
                "data-scriptserver",
                "data-authtoken",
                "integrity",
                "crossorigin",
                "nonce"
            ]
        );
    }

    #[test]
    fn checks_text_values() {
        let sha384 = format!("sha384-{}", "A".repeat(64));
        for (key, value, good) in [
            (TagKey::VisitorId, "59204gh-42", true),
            (TagKey::VisitorId, "a b", false),
            (TagKey::VisitorId, &"a".repeat(51), false),
            (TagKey::Ws, "www.myglance.net", true),
            (TagKey::Ws, "127.0.0.1:8080", true),
            (TagKey::Ws, "https://www.glance.net", false),
            (
                TagKey::ScriptServer,
                "https://static.bank.example/cobrowse/4.2.0",
                true,
            ),
            (TagKey::ScriptServer, "http://static.bank.example/", false),
            (TagKey::TermsUrl, "/terms", true),
            (TagKey::TermsUrl, "http://bank.example/terms", true),
            (TagKey::TermsUrl, "javascript:alert(1)", false),
            (TagKey::CookieDomain, ".bank.example", true),
            (TagKey::CookieDomain, "bank.example/", false),
            (TagKey::AuthToken, "a.b.c", true),
            (TagKey::AuthToken, "secret", false),
            (TagKey::Integrity, &sha384, true),
            (TagKey::Integrity, "sha384-AAAA", false),
            (TagKey::Integrity, "", false),
            (TagKey::Nonce, "r4nd0m", true),
            (TagKey::Nonce, "'", false),
        ] {
            let TagValue::Text(check) = key.value() else {
                panic!("{key:?} is text");
            };
            assert_eq!(check(value).is_ok(), good, "{key:?} {value}");
        }
    }
}
