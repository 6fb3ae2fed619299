use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::hmac;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::epoch::{GrantEpoch, unix_seconds};
use super::page_grant::{PAYLOAD_BYTES_MAX, PageGrant};
use super::refusal::GrantRefusal;

/// The keys that grants are signed with. The first one signs; grants of both are believed, so that
/// one key can be replaced by another while pages of the old one are still open.
///
/// What the keys are cannot be got out of this: neither by `Debug` nor otherwise.
#[derive(Clone)]
pub struct GrantKeys {
    signing: Arc<GrantKey>,
    other: Option<Arc<GrantKey>>,
}

struct GrantKey {
    id: String,
    key: hmac::Key,
}

/// Why a text holds no keys. It never quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantKeyError {
    #[error("there is no key")]
    None,
    #[error("the system gives no random numbers")]
    NoRandomness,
    #[error("key {0} contains a character that is not printable ASCII")]
    NotPlain(usize),
    #[error("there are {0} keys")]
    TooMany(usize),
    #[error("key {number} has {length} characters")]
    Length { number: usize, length: usize },
    #[error("key {0} is no random text: it has hardly any different characters")]
    TooSimple(usize),
    #[error("both keys are the same")]
    Twice,
}

const VERSION: &str = "v1";
/// A tag of HMAC-SHA-256.
const MAC_BYTES: usize = 32;
/// Of what is made of a key to name it. Two keys of one name are refused, so this need not be long.
const ID_BYTES: usize = 6;

/// The longest text that can be a grant.
pub const GRANT_BYTES_MAX: usize = VERSION.len()
    + encoded_length(ID_BYTES)
    + encoded_length(PAYLOAD_BYTES_MAX)
    + encoded_length(MAC_BYTES)
    + 3;

impl GrantKeys {
    pub const KEYS_MAX: usize = 2;
    /// 32 random bytes take 43 characters in base64 and 64 in hexadecimal; 32 characters are a fair
    /// key, too.
    pub const LENGTH_MIN: usize = 32;
    pub const LENGTH_MAX: usize = 512;

    /// Keys as people keep them: one or two words of random characters, the one that signs first.
    /// Lines that begin with `#` are comments.
    pub fn parse(text: &str) -> Result<Self, GrantKeyError> {
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let words: Vec<_> = lines
            .flat_map(|line| line.split([' ', '\t', ',']))
            .filter(|word| !word.is_empty())
            .collect();
        match *words {
            [] => Err(GrantKeyError::None),
            [one] => Ok(Self::single(GrantKey::read(1, one)?)),
            [one, other] => Self::pair(GrantKey::read(1, one)?, GrantKey::read(2, other)?),
            _ => Err(GrantKeyError::TooMany(words.len())),
        }
    }

    /// A key that nobody else has.
    pub fn generate() -> Result<Self, GrantKeyError> {
        let mut secret = [0; 32];
        rand::fill(&mut secret).map_err(|_| GrantKeyError::NoRandomness)?;
        Ok(Self::single(GrantKey::new(&secret)))
    }

    /// A key that nobody else has, as people keep one: to be written down and parsed.
    pub fn random_text() -> Result<String, GrantKeyError> {
        let mut secret = [0; 32];
        rand::fill(&mut secret).map_err(|_| GrantKeyError::NoRandomness)?;
        Ok(URL_SAFE_NO_PAD.encode(secret) + "\n")
    }

    /// The names of the keys, the one that signs first. A name tells nothing of its key.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all().map(|key| &*key.id)
    }

    /// The grant as it is written into pages: letters, digits, `-`, `_` and `.`.
    pub fn sign(&self, grant: &PageGrant) -> String {
        let payload = URL_SAFE_NO_PAD.encode(grant.payload());
        let signed = format!("{VERSION}.{}.{payload}", self.signing.id);
        let mac = hmac::sign(&self.signing.key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref()))
    }

    /// What the grant says, if one of these keys signed it and it still holds. Whether it is of the
    /// page in question, [`PageGrant::check_page`] tells.
    pub fn open(&self, text: &str, now: SystemTime) -> Result<PageGrant, GrantRefusal> {
        if text.len() > GRANT_BYTES_MAX {
            return Err(GrantRefusal::TooLong);
        }
        let (signed, mac) = text.rsplit_once('.').ok_or(GrantRefusal::Malformed)?;
        let mut parts = signed.split('.');
        if parts.next() != Some(VERSION) {
            return Err(GrantRefusal::UnknownVersion);
        }
        let (Some(id), Some(payload), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(GrantRefusal::Malformed);
        };
        let mac = decode(mac).filter(|mac| mac.len() == MAC_BYTES);
        let mac = mac.ok_or(GrantRefusal::Malformed)?;
        let key = self.all().find(|key| key.id == id);
        let key = key.ok_or(GrantRefusal::UnknownKey)?;
        // In constant time.
        hmac::verify(&key.key, signed.as_bytes(), &mac).map_err(|_| GrantRefusal::Forged)?;
        let payload = decode(payload).ok_or(GrantRefusal::Malformed)?;
        let grant = PageGrant::read(&payload).ok_or(GrantRefusal::Malformed)?;
        check_time(&grant, now)?;
        Ok(grant)
    }

    fn single(signing: GrantKey) -> Self {
        Self {
            signing: Arc::new(signing),
            other: None,
        }
    }

    fn pair(signing: GrantKey, other: GrantKey) -> Result<Self, GrantKeyError> {
        if signing.id == other.id {
            return Err(GrantKeyError::Twice);
        }
        Ok(Self {
            signing: Arc::new(signing),
            other: Some(Arc::new(other)),
        })
    }

    fn all(&self) -> impl Iterator<Item = &GrantKey> {
        [&self.signing]
            .into_iter()
            .chain(&self.other)
            .map(|key| &**key)
    }
}

impl GrantKey {
    fn read(number: usize, text: &str) -> Result<Self, GrantKeyError> {
        let length = text.chars().count();
        if !(GrantKeys::LENGTH_MIN..=GrantKeys::LENGTH_MAX).contains(&length) {
            return Err(GrantKeyError::Length { number, length });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(GrantKeyError::NotPlain(number));
        }
        let mut different = text.as_bytes().to_vec();
        different.sort_unstable();
        different.dedup();
        // 32 random hexadecimal digits have fewer than 8 different ones once in a million times.
        if different.len() < 8 {
            return Err(GrantKeyError::TooSimple(number));
        }
        Ok(Self::new(text.as_bytes()))
    }

    /// Grants begin with their version, so that what the name is made of is never one.
    fn new(secret: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let name = hmac::sign(&key, b"the name of this key");
        let id = URL_SAFE_NO_PAD.encode(&name.as_ref()[..ID_BYTES]);
        Self { id, key }
    }
}

impl fmt::Debug for GrantKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.ids().collect();
        f.debug_tuple("GrantKeys").field(&ids).finish()
    }
}

fn check_time(grant: &PageGrant, now: SystemTime) -> Result<(), GrantRefusal> {
    // A clock that stands before 1970 does not know whether anything has expired.
    let now = unix_seconds(now).ok_or(GrantRefusal::Expired)?;
    // Two epochs of the longest, and one more for clocks that disagree.
    let longest = 3 * GrantEpoch::MAX.as_secs();
    match grant.expires().checked_sub(now) {
        None | Some(0) => Err(GrantRefusal::Expired),
        Some(left) if left > longest => Err(GrantRefusal::LivesTooLong),
        Some(_) => Ok(()),
    }
}

/// Only the one spelling that encoding gives: no padding, no stray bits, no other alphabet.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

const fn encoded_length(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}
