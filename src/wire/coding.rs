use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};

use super::hop::list_members;

/// A content coding that the edge can take off and put on again (RFC 9110 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    Br,
    Deflate,
    Gzip,
    Identity,
    Zstd,
}

impl Coding {
    /// The coding of a response's body. `none`, an empty value and `identity` all say that there
    /// is none, as some origins do.
    pub fn of(headers: &HeaderMap) -> Result<Self, CodingRefusal> {
        let mut codings = list_members(headers, CONTENT_ENCODING)
            .filter(|name| !name.eq_ignore_ascii_case(b"none"))
            .map(Self::parse)
            .filter(|coding| *coding != Some(Self::Identity));
        let Some(first) = codings.next() else {
            return Ok(Self::Identity);
        };
        match codings.next() {
            Some(_) => Err(CodingRefusal::Stacked),
            None => first.ok_or(CodingRefusal::Unknown),
        }
    }

    /// As it stands in `Content-Encoding`; `identity` is not written there.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Br => "br",
            Self::Deflate => "deflate",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
            Self::Zstd => "zstd",
        }
    }

    fn parse(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"x-gzip") {
            return Some(Self::Gzip);
        }
        let mut known = BY_PREFERENCE.into_iter();
        known.find(|coding| name.eq_ignore_ascii_case(coding.as_str().as_bytes()))
    }
}

/// What is chosen first among codings that the client likes equally.
const BY_PREFERENCE: [Coding; 5] = [
    Coding::Zstd,
    Coding::Br,
    Coding::Gzip,
    Coding::Deflate,
    Coding::Identity,
];

/// Why a response's body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CodingRefusal {
    #[error("the body has more than one content coding")]
    Stacked,
    #[error("the body has an unknown content coding")]
    Unknown,
}

/// A client's `Accept-Encoding` (RFC 9110 12.5.3), as far as it speaks of codings that the edge
/// knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptEncoding {
    /// `None` when there was no such field: then every coding is welcome.
    members: Option<Vec<Member>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Member {
    /// `None` is `*`.
    coding: Option<Coding>,
    weight: Weight,
}

/// A weight in thousandths.
type Weight = u16;

const WEIGHT_MAX: Weight = 1000;

impl AcceptEncoding {
    /// Never fails: a member whose weight cannot be read is left out.
    pub fn parse(headers: &HeaderMap) -> Self {
        let members = || list_members(headers, ACCEPT_ENCODING).filter_map(Member::parse);
        Self {
            members: headers
                .contains_key(ACCEPT_ENCODING)
                .then(|| members().collect()),
        }
    }

    /// What the origin is asked for: the client's wish, cut to what the edge can take off again.
    /// Absent stays absent. `*` is spelt out, since it would invite any coding.
    pub fn narrowed(&self) -> Option<HeaderValue> {
        self.narrowed_without(None)
    }

    /// What the origin is asked for where its answer will be written anew: no `br`, which costs
    /// most to write, as long as the client likes another coding.
    pub fn narrowed_for_rewriting(&self) -> Option<HeaderValue> {
        let others = [Coding::Zstd, Coding::Gzip, Coding::Deflate];
        let likes_another = others.iter().any(|coding| self.weight(*coding) > 0);
        self.narrowed_without(likes_another.then_some(Coding::Br))
    }

    fn narrowed_without(&self, unwanted: Option<Coding>) -> Option<HeaderValue> {
        let members = self.members.as_ref()?;
        let mut text = String::new();
        for member in members {
            match (member.coding, member.weight) {
                (Some(coding), _) if Some(coding) == unwanted => {}
                (None, 1..) => self.unnamed().for_each(|coding| {
                    if Some(coding) != unwanted {
                        push_member(&mut text, coding.as_str(), member.weight);
                    }
                }),
                (coding, weight) => {
                    push_member(&mut text, coding.map_or("*", Coding::as_str), weight)
                }
            }
        }
        if text.is_empty() {
            text.push_str(Coding::Identity.as_str());
        }
        HeaderValue::try_from(text).ok()
    }

    /// The coding for the client: the one at hand where it is welcome, which costs nothing or what
    /// the origin had decided to spend; else the most welcome one. Where nothing is, `identity`:
    /// a page that can be read beats a refusal.
    pub fn choose(&self, at_hand: Coding) -> Coding {
        if self.weight(at_hand) > 0 {
            return at_hand;
        }
        let named = |coding: &Coding| self.named_weight(*coding).is_some_and(|weight| weight > 0);
        let mut best = Coding::Identity;
        let mut best_weight = 0;
        for coding in BY_PREFERENCE.into_iter().filter(named) {
            if self.weight(coding) > best_weight {
                best = coding;
                best_weight = self.weight(coding);
            }
        }
        best
    }

    fn weight(&self, coding: Coding) -> Weight {
        if self.members.is_none() {
            return WEIGHT_MAX;
        }
        let unnamed = match coding {
            Coding::Identity => WEIGHT_MAX,
            Coding::Br | Coding::Deflate | Coding::Gzip | Coding::Zstd => 0,
        };
        self.named_weight(coding).unwrap_or(unnamed)
    }

    /// The weight that is said for a coding, by its name or by `*`.
    fn named_weight(&self, coding: Coding) -> Option<Weight> {
        let weight_of = |wanted: Option<Coding>| {
            let mut members = self.members.iter().flatten();
            let found = members.find(|member| member.coding == wanted);
            found.map(|member| member.weight)
        };
        weight_of(Some(coding)).or_else(|| weight_of(None))
    }

    /// The codings for which `*` stands. `identity` needs no invitation.
    fn unnamed(&self) -> impl Iterator<Item = Coding> {
        let named = |coding: &Coding| {
            let mut members = self.members.iter().flatten();
            members.any(|member| member.coding == Some(*coding))
        };
        let codings = BY_PREFERENCE.into_iter();
        codings.filter(move |coding| *coding != Coding::Identity && !named(coding))
    }
}

impl Member {
    fn parse(member: &[u8]) -> Option<Self> {
        let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let coding = match parts.next()? {
            b"*" => None,
            name => Some(Coding::parse(name)?),
        };
        let weight = match parts.next() {
            Some(weight) => parse_weight(weight)?,
            None => WEIGHT_MAX,
        };
        Some(Self { coding, weight })
    }
}

/// `q=` with at most three decimals (RFC 9110 12.4.2).
fn parse_weight(text: &[u8]) -> Option<Weight> {
    let text = text
        .strip_prefix(b"q=")
        .or_else(|| text.strip_prefix(b"Q="))?;
    let (whole, decimals) = match text {
        [whole] | [whole, b'.'] => (whole, &b""[..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    let mut weight = digit(*whole)?;
    for place in 0..3 {
        let decimal = decimals.get(place).copied().unwrap_or(b'0');
        weight = weight * 10 + digit(decimal)?;
    }
    (weight <= WEIGHT_MAX).then_some(weight)
}

fn digit(byte: u8) -> Option<Weight> {
    byte.is_ascii_digit().then(|| Weight::from(byte - b'0'))
}

fn push_member(text: &mut String, name: &str, weight: Weight) {
    let separator = if text.is_empty() { "" } else { ", " };
    text.extend([separator, name]);
    match weight {
        WEIGHT_MAX => {}
        0 => text.push_str(";q=0"),
        weight => {
            let decimals = format!("{weight:03}");
            text.extend([";q=0.", decimals.trim_end_matches('0')]);
        }
    }
}

#[cfg(test)]
mod tests;
