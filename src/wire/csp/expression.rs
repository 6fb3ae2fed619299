use super::self_origin::SelfOrigin;
use crate::wire::Scheme;

/// One source expression of a directive's list (CSP3 2.3.1), as far as growing a list needs it told
/// apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expression<'a> {
    /// `sha256-...`, without its quotes.
    Hash(&'a str),
    Host(HostSource<'a>),
    Nonce(&'a str),
    /// `'none'`
    Nothing,
    /// A keyword that allows no URL, or a word that nobody knows.
    Other,
    /// `https:`
    Scheme(&'a str),
    /// `'self'`
    SelfOrigin,
    /// `*`
    Star,
    /// `'strict-dynamic'`
    StrictDynamic,
}

impl<'a> Expression<'a> {
    pub(super) fn parse(word: &'a str) -> Self {
        if word == "*" {
            return Self::Star;
        }
        if let Some(quoted) = word.strip_prefix('\'') {
            let inner = quoted.strip_suffix('\'');
            return inner.map_or(Self::Other, Self::parse_quoted);
        }
        match word.strip_suffix(':') {
            Some(scheme) if is_scheme(scheme) => Self::Scheme(scheme),
            _ => HostSource::parse(word).map_or(Self::Other, Self::Host),
        }
    }

    fn parse_quoted(inner: &'a str) -> Self {
        match inner {
            _ if inner.eq_ignore_ascii_case("none") => Self::Nothing,
            _ if inner.eq_ignore_ascii_case("self") => Self::SelfOrigin,
            _ if inner.eq_ignore_ascii_case("strict-dynamic") => Self::StrictDynamic,
            _ => match inner.split_once('-') {
                Some((name, value)) if name.eq_ignore_ascii_case("nonce") && is_nonce(value) => {
                    Self::Nonce(value)
                }
                Some((name, value)) if is_hash_name(name) && is_nonce(value) => Self::Hash(inner),
                _ => Self::Other,
            },
        }
    }

    /// Whether this allows every URL that `wanted` does. Where browsers could differ, it does not.
    pub(super) fn covers(&self, wanted: &HostSource<'_>, page: &SelfOrigin) -> bool {
        match self {
            Self::Star => true,
            Self::Scheme(scheme) => wanted
                .scheme
                .is_some_and(|wanted| scheme_covers(scheme, wanted)),
            Self::Host(host) => host.covers(wanted, page.scheme()),
            Self::SelfOrigin => page.as_source().covers(wanted, page.scheme()),
            Self::Hash(_) | Self::Nonce(_) | Self::Nothing | Self::Other | Self::StrictDynamic => {
                false
            }
        }
    }
}

/// A host source, cut into its parts; nothing is decoded or folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HostSource<'a> {
    pub(super) scheme: Option<&'a str>,
    /// A name, `*`, or `*.` and a name.
    pub(super) host: &'a str,
    pub(super) port: Option<Port>,
    /// Empty, or beginning with `/`; one that ends with `/` stands for all below it.
    pub(super) path: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Any,
    Number(u16),
}

impl<'a> HostSource<'a> {
    pub(super) fn parse(word: &'a str) -> Option<Self> {
        let (scheme, rest) = match word.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            Some(_) => return None,
            None => (None, word),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(Port::parse(port)?)),
            None => (authority, None),
        };
        let source = Self {
            scheme,
            host,
            port,
            path,
        };
        (is_host(host) && path.bytes().all(is_path_byte)).then_some(source)
    }

    /// `own`: the scheme of the page, for a source that names none.
    pub(super) fn covers(&self, wanted: &HostSource<'_>, own: Scheme) -> bool {
        let scheme = self.scheme.unwrap_or(own.as_str());
        wanted
            .scheme
            .is_some_and(|wanted| scheme_covers(scheme, wanted))
            && host_covers(self.host, wanted.host)
            && self.covers_port(wanted)
            && path_covers(self.path, wanted.path)
    }

    fn covers_port(&self, wanted: &HostSource<'_>) -> bool {
        match (self.port, wanted.port) {
            (Some(Port::Any), _) => true,
            (Some(Port::Number(one)), Some(Port::Number(other))) => one == other,
            (_, Some(Port::Any)) => false,
            (None, None) => true,
            (Some(Port::Number(port)), None) | (None, Some(Port::Number(port))) => {
                wanted.scheme.and_then(default_port) == Some(port)
            }
        }
    }
}

impl Port {
    fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text {
            "*" => Some(Self::Any),
            _ if digits => text.parse().ok().map(Self::Number),
            _ => None,
        }
    }
}

/// A scheme allows itself and its secure sister (CSP3 6.7.2.9; browsers agree on no more).
fn scheme_covers(scheme: &str, wanted: &str) -> bool {
    let is = |one: &str, other: &str| {
        scheme.eq_ignore_ascii_case(one) && wanted.eq_ignore_ascii_case(other)
    };
    scheme.eq_ignore_ascii_case(wanted) || is("http", "https") || is("ws", "wss")
}

fn host_covers(host: &str, wanted: &str) -> bool {
    if host == "*" {
        return true;
    }
    let Some(suffix) = host.strip_prefix('*') else {
        return host.eq_ignore_ascii_case(wanted);
    };
    let start = wanted.len().checked_sub(suffix.len());
    start
        .and_then(|start| wanted.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// Compared as written: an encoded spelling of the same path counts as another.
fn path_covers(path: &str, wanted: &str) -> bool {
    match path {
        "" | "/" => true,
        folder if folder.ends_with('/') => wanted.starts_with(folder),
        file => file == wanted,
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

/// The grammar of nonce and hash values alike (`base64-value`).
pub(super) fn is_nonce(value: &str) -> bool {
    let digits = value.trim_end_matches('=');
    !digits.is_empty()
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
}

fn is_hash_name(name: &str) -> bool {
    ["sha256", "sha384", "sha512"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    text == "*" || is_host_name(name)
}

/// What a host source can name: neither `_` nor an IPv6 address is in its grammar.
pub(super) fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.split('.').all(label)
}

/// A byte of a path (RFC 3986 3.3) but for `;` and `,`, which end a directive and a policy.
pub(super) fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+=:@".contains(&byte)
}

#[cfg(test)]
mod tests;
