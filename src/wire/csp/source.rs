use std::borrow::Cow;
use std::fmt;

use super::expression::{Expression, HostSource, is_path_byte};
use super::self_origin::SelfOrigin;

/// Something that a script needs a page's policies to allow. It can name a host, never everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// A host source with a scheme.
    Host(Box<str>),
    Own,
    /// A folder on the page's own origin; begins and ends with `/`.
    OwnFolder(Box<str>),
    OwnSocket,
}

/// Why a text is no [`Source`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("is no source that can be granted: only a host with its scheme is")]
    Form,
    #[error("has a scheme that is neither https nor wss, nor http or ws to this machine")]
    Scheme,
    #[error("opens the page to everybody")]
    Wide,
}

impl Source {
    /// The origin on which a page stands.
    pub const OWN: Self = Self(Kind::Own);
    /// WebSockets to the host and port of the page's own origin.
    pub const OWN_SOCKET: Self = Self(Kind::OwnSocket);

    /// Reads `https://host`, `wss://*.host:port`, `https://host/folder/` and the like.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let source = match Expression::parse(text) {
            Expression::Host(source) => source,
            Expression::Scheme(_) | Expression::Star => return Err(SourceError::Wide),
            _ => return Err(SourceError::Form),
        };
        let scheme = source.scheme.ok_or(SourceError::Form)?;
        if is_wide(source.host) {
            return Err(SourceError::Wide);
        }
        let local = ["127.0.0.1", "localhost"].contains(&source.host);
        match scheme {
            "https" | "wss" => {}
            "http" | "ws" if local => {}
            _ => return Err(SourceError::Scheme),
        }
        Ok(Self(Kind::Host(text.into())))
    }

    /// The folder of a script's URL, and so the script and what lies beside it. `url` is absolute,
    /// or a path on the page's own origin.
    pub fn folder_of(url: &str) -> Option<Self> {
        let (origin, path) = split_url(url)?;
        let folder = folder(path).filter(|folder| folder != "/");
        if !origin.is_empty() {
            let source = format!("{origin}{}", folder.unwrap_or_default());
            return Self::parse(&source).ok();
        }
        Some(folder.map_or(Self::OWN, |folder| Self(Kind::OwnFolder(folder.into()))))
    }

    /// The origin of an absolute URL; of a path, the first folder: `/cobrowse/` of
    /// `/cobrowse/js/l.js`, and so what lies around the script.
    pub fn surroundings_of(url: &str) -> Option<Self> {
        let (origin, path) = split_url(url)?;
        if !origin.is_empty() {
            return Self::parse(origin).ok();
        }
        let folder = folder(path).unwrap_or_default();
        let first = folder.split_inclusive('/').nth(1);
        let around = |first| Self(Kind::OwnFolder(format!("/{first}").into()));
        Some(first.map_or(Self::OWN, around))
    }

    /// The origin of an absolute URL, or of a path.
    pub fn origin_of(url: &str) -> Option<Self> {
        match split_url(url)?.0 {
            "" => Some(Self::OWN),
            origin => Self::parse(origin).ok(),
        }
    }

    /// WebSockets to the host and port of an absolute URL, or of a path.
    pub fn sockets_of(url: &str) -> Option<Self> {
        match split_url(url)?.0 {
            "" => Some(Self::OWN_SOCKET),
            origin => Self::parse(&origin.replacen("http", "ws", 1)).ok(),
        }
    }

    /// Whether one of these hosts allows all that this one does, or says the same.
    pub fn is_beneath(&self, others: &[Self]) -> bool {
        let Kind::Host(text) = &self.0 else {
            return others.contains(self);
        };
        let Some(own) = HostSource::parse(text) else {
            return false;
        };
        others.iter().any(|other| match &other.0 {
            // Both have a scheme, so that the page's does not matter.
            Kind::Host(other) => HostSource::parse(other)
                .is_some_and(|other| other.covers(&own, crate::wire::Scheme::Https)),
            Kind::Own | Kind::OwnFolder(_) | Kind::OwnSocket => false,
        })
    }

    /// What this means on a page of that origin.
    pub(super) fn on<'a>(&'a self, page: &'a SelfOrigin) -> Option<Wanted<'a>> {
        match &self.0 {
            Kind::Host(text) => Some(Wanted {
                written: Cow::Borrowed(text),
                pattern: HostSource::parse(text)?,
                is_own_socket: false,
            }),
            Kind::Own => Some(Wanted {
                written: Cow::Borrowed("'self'"),
                pattern: page.as_source(),
                is_own_socket: false,
            }),
            Kind::OwnFolder(folder) => Some(Wanted {
                written: match page.in_a_source() {
                    Some(host) => Cow::Owned(format!("{}://{host}{folder}", page.scheme())),
                    None => Cow::Borrowed("'self'"),
                },
                pattern: HostSource {
                    path: folder,
                    ..page.as_source()
                },
                is_own_socket: false,
            }),
            Kind::OwnSocket => Some(Wanted {
                written: match page.in_a_source() {
                    Some(host) => Cow::Owned(format!("{}://{host}", page.socket_scheme())),
                    None => Cow::Borrowed("'self'"),
                },
                pattern: page.as_socket(),
                is_own_socket: true,
            }),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Host(text) => f.write_str(text),
            Kind::Own => f.write_str("'self'"),
            Kind::OwnFolder(folder) => write!(f, "'self' ({folder})"),
            Kind::OwnSocket => f.write_str("'self' (WebSockets)"),
        }
    }
}

/// A source as a page on a certain origin needs it.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    /// As it goes into a policy.
    pub(super) written: Cow<'a, str>,
    pub(super) pattern: HostSource<'a>,
    /// By CSP3 `'self'` allows these too; browsers of some years ago read it otherwise.
    pub(super) is_own_socket: bool,
}

/// Every host, or every host below a top-level domain.
fn is_wide(host: &str) -> bool {
    host == "*"
        || host
            .strip_prefix("*.")
            .is_some_and(|name| !name.contains('.'))
}

/// Scheme and authority, empty for a path on the own origin; and the path without query and
/// fragment.
fn split_url(url: &str) -> Option<(&str, &str)> {
    let url = url.split(['?', '#']).next()?;
    let authority = match url.split_once("://") {
        Some((scheme, rest)) => scheme.len() + 3 + rest.find('/').unwrap_or(rest.len()),
        None if url.starts_with('/') => 0,
        None => return None,
    };
    Some(url.split_at(authority))
}

/// The folder that a path lies in, ending with `/`; `None` where browsers would read the path as
/// another one, or a policy cannot name it.
fn folder(path: &str) -> Option<String> {
    let folder = &path[..=path.rfind('/')?];
    let folder = folder.replace(';', "%3B").replace(',', "%2C");
    let dots = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    let plain = folder.bytes().all(is_path_byte) && !folder.split('/').any(dots);
    plain.then_some(folder)
}

#[cfg(test)]
mod tests;
