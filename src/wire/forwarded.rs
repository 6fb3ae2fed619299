use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::Version;
use http::header::{Entry, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, VIA};
use ipnet::IpNet;

use super::authority::Authority;
use super::hop::list_members;
use super::scheme::Scheme;

/// The peers (load balancers, CDNs) that are believed when they say for whom they ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedPeers(Vec<IpNet>);

impl TrustedPeers {
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// An IPv4 address that arrives on an IPv6 socket (`::ffff:10.0.0.1`) counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asks through `peer`: the right-most address that is not trusted, as far as the chain of
    /// `X-Forwarded-For` is told by trusted peers. (`Forwarded` is not read for it.)
    pub fn visitor_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut visitor = peer.to_canonical();
        if !self.contains(visitor) {
            return visitor;
        }
        let chain: Vec<&[u8]> = list_members(headers, X_FORWARDED_FOR).collect();
        for member in chain.iter().rev() {
            if !self.contains(visitor) {
                break;
            }
            let Some(address) = parse_address(member) else {
                break;
            };
            visitor = address;
        }
        visitor
    }
}

/// What the origin is told about the visitor: who asks, by which scheme, for which authority.
#[derive(Clone, Copy, Debug)]
pub struct Forwarding<'a> {
    /// Who is at the other end of the connection.
    pub peer: IpAddr,
    /// How the connection came in.
    pub scheme: Scheme,
    /// The authority that the request names.
    pub authority: &'a Authority,
    pub trusted: &'a TrustedPeers,
}

impl Forwarding<'_> {
    /// Writes `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded` (RFC 7239). What an untrusted
    /// peer sent of that kind is dropped; what a trusted one sent is kept and appended to.
    ///
    /// To be called after the hop-by-hop fields were taken out, so that nothing in the request can
    /// make these vanish again.
    pub fn apply(&self, headers: &mut HeaderMap) {
        if !self.trusted.contains(self.peer) {
            drop_claims(headers);
        }
        let peer = match self.peer.to_canonical() {
            // Through a Unix socket (RFC 7239 6).
            peer if peer.is_unspecified() => "unknown".to_owned(),
            IpAddr::V4(peer) => dotted(peer),
            IpAddr::V6(peer) => peer.to_string(),
        };
        append(headers, FORWARDED, self.element(&peer).try_into().ok());
        append(headers, X_FORWARDED_FOR, peer.try_into().ok());
        let scheme = HeaderValue::from_static(self.scheme.as_str());
        set_unless_claimed(headers, X_FORWARDED_PROTO, Some(scheme));
        set_unless_claimed(headers, X_FORWARDED_HOST, self.host(headers));
    }

    /// How the visitor's browser asked: what a trusted peer says in `X-Forwarded-Proto`, or else
    /// the scheme of the connection.
    pub fn visitor_scheme(&self, headers: &HeaderMap) -> Scheme {
        if !self.trusted.contains(self.peer) {
            return self.scheme;
        }
        let claimed = list_members(headers, X_FORWARDED_PROTO).next();
        let claimed = claimed.and_then(|name| std::str::from_utf8(name).ok());
        claimed.and_then(Scheme::parse).unwrap_or(self.scheme)
    }

    /// Nearly always as it stands in the head, and so without a copy.
    fn host(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let authority = self.authority.as_str();
        match headers.get(HOST) {
            Some(host) if host == authority => Some(host.clone()),
            Some(_) | None => HeaderValue::from_str(authority).ok(),
        }
    }

    fn element(&self, peer: &str) -> String {
        let host = self.authority.as_str();
        let (open, close) = match self.peer.to_canonical() {
            peer if peer.is_unspecified() => ("", ""),
            IpAddr::V4(_) => ("", ""),
            IpAddr::V6(_) => ("\"[", "]\""),
        };
        let quote = if host.contains([':', '[']) { "\"" } else { "" };
        let scheme = self.scheme.as_str();
        [
            "for=", open, peer, close, ";host=", quote, host, quote, ";proto=", scheme,
        ]
        .concat()
    }
}

/// What this edge is called in `Via` (RFC 9110 7.6.3), for each version in which a message may come.
#[derive(Clone, Debug)]
pub struct Via(Vec<(Version, HeaderValue)>);

impl Via {
    /// `pseudonym` is a token; what is none is not told.
    pub fn new(pseudonym: &str) -> Self {
        let versions = [
            (Version::HTTP_11, "1.1"),
            (Version::HTTP_2, "2"),
            (Version::HTTP_10, "1.0"),
            (Version::HTTP_09, "0.9"),
            (Version::HTTP_3, "3"),
        ];
        let members = versions.into_iter().filter_map(|(version, number)| {
            let member = [number, " ", pseudonym].concat();
            Some((version, HeaderValue::try_from(member).ok()?))
        });
        Self(members.collect())
    }

    /// Adds this edge, with the version in which the message came.
    pub fn append(&self, headers: &mut HeaderMap, version: Version) {
        let mut members = self.0.iter();
        let member = members.find(|(known, _)| *known == version);
        append(headers, VIA, member.map(|(_, member)| member.clone()));
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields by which somebody claims to be another, or to ask for another path than the one that the
/// rules saw.
const CLAIMS: [&str; 10] = [
    "client-ip",
    "forwarded",
    "front-end-https",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

fn drop_claims(headers: &mut HeaderMap) {
    let claims: Vec<_> = headers
        .keys()
        .filter(|name| is_claim(name))
        .cloned()
        .collect();
    for name in claims {
        headers.remove(name);
    }
}

/// `_` counts as `-`: a CGI-style origin cannot tell `X_Forwarded_For` from `X-Forwarded-For`.
fn is_claim(name: &HeaderName) -> bool {
    let name = name.as_str();
    // Most names are none by their first letter.
    if !name.starts_with(['c', 'f', 't', 'x']) {
        return false;
    }
    let begins_like = |claim: &str| {
        let mut bytes = name.bytes().zip(claim.bytes());
        name.len() >= claim.len() && bytes.all(|(n, c)| n == c || (n == b'_' && c == b'-'))
    };
    let is_one = |claim: &&str| name.len() == claim.len() && begins_like(claim);
    begins_like("x-forwarded") || CLAIMS.iter().any(is_one)
}

/// Adds a member to a list field, in one line.
fn append(headers: &mut HeaderMap, name: HeaderName, member: Option<HeaderValue>) {
    let Some(member) = member else {
        return;
    };
    match headers.entry(name) {
        Entry::Vacant(field) => drop(field.insert(member)),
        Entry::Occupied(mut field) => {
            let lines = field.iter().chain([&member]);
            let lines: Vec<_> = lines.map(HeaderValue::as_bytes).collect();
            let list = Bytes::from(lines.join(&b", "[..]));
            if let Ok(value) = HeaderValue::from_maybe_shared(list) {
                field.insert(value);
            }
        }
    }
}

fn set_unless_claimed(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let (Entry::Vacant(field), Some(value)) = (headers.entry(name), value) {
        field.insert(value);
    }
}

/// What formatting does in ten times as many steps.
fn dotted(address: Ipv4Addr) -> String {
    let mut text = String::with_capacity("255.255.255.255".len());
    for octet in address.octets() {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(itoa::Buffer::new().format(octet));
    }
    text
}

/// An address alone, in brackets, or with a port, as various balancers write it.
fn parse_address(member: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(member).ok()?;
    let text = text.trim_matches('"');
    let plain = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = plain.unwrap_or(text).parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    address
        .or_else(with_port)
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests;
