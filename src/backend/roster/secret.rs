use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What a visitor's browser keeps to go on with its session: 256 random bits, and the domain if a cookie
/// for more than the host may hold it. Only the hash of all that is kept here, and nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct ResumeToken(String);

/// What is kept of a token.
pub type TokenHash = [u8; 32];

const TOKEN_BYTES: usize = 32;
/// Of 32 bytes in base64.
const TOKEN_CHARS: usize = 43;
const DOMAIN_CHARS_MAX: usize = 253;

impl ResumeToken {
    pub fn generate() -> Result<Self, Unspecified> {
        let mut secret = [0; TOKEN_BYTES];
        rand::fill(&mut secret)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(secret)))
    }

    /// Marked as one that a cookie for the domain may hold, which all hosts in it can set.
    pub(super) fn within(self, domain: &str) -> Self {
        Self(format!("{}.{domain}", self.0))
    }

    /// `None` for what cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let (secret, domain) = match text.split_once('.') {
            Some((secret, domain)) => (secret, Some(domain)),
            None => (text, None),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = secret.len() == TOKEN_CHARS && secret.bytes().all(plain);
        (fits && domain.is_none_or(is_domain)).then(|| Self(text.to_owned()))
    }

    /// `None`: it is its host's alone.
    pub fn domain(&self) -> Option<&str> {
        self.0.split_once('.').map(|(_, domain)| domain)
    }

    /// The hash is what is looked for, so that how long that takes tells nothing of a token.
    pub fn hash(&self) -> TokenHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, self.0.as_bytes()).as_ref());
        hash
    }

    /// For the visitor it belongs to.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeToken")
    }
}

fn is_domain(domain: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (1..=DOMAIN_CHARS_MAX).contains(&domain.len()) && domain.bytes().all(plain)
}

/// A session key of random digits, each as likely as the other.
pub(super) fn random_digits(digits: u8) -> Result<String, Unspecified> {
    let mut key = String::with_capacity(usize::from(digits));
    while key.len() < usize::from(digits) {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes)?;
        // Of 256 values 250 are spread evenly over ten digits.
        let even = bytes.into_iter().filter(|byte| *byte < 250);
        let missing = usize::from(digits) - key.len();
        key.extend(even.take(missing).map(|byte| char::from(b'0' + byte % 10)));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same_nor_printed() {
        let [one, other] = [(); 2].map(|()| ResumeToken::generate().unwrap());
        assert_ne!(one, other);
        assert_ne!(one.hash(), other.hash());
        assert_eq!(ResumeToken::parse(one.reveal()), Some(one.clone()));
        assert_eq!(one.reveal().len(), TOKEN_CHARS);
        assert!(!format!("{one:?}").contains(one.reveal()));
        for bad in ["", "x", &one.reveal()[1..], &format!("{}=", one.reveal())] {
            assert_eq!(ResumeToken::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_for_a_domain_is_another_than_one_for_the_host() {
        let own = ResumeToken::generate().unwrap();
        let wide = own.clone().within("bank.example");
        assert_eq!((own.domain(), wide.domain()), (None, Some("bank.example")));
        assert_ne!(own.hash(), wide.hash());
        assert_ne!(own.clone().within("other.example").hash(), wide.hash());
        assert_eq!(ResumeToken::parse(wide.reveal()), Some(wide));
        for bad in ["", "Bank.example", "a;b", "a b", &"a".repeat(254)] {
            let text = format!("{}.{bad}", own.reveal());
            assert_eq!(ResumeToken::parse(&text), None, "{bad}");
        }
    }

    #[test]
    fn keys_have_as_many_digits_as_asked_for_and_all_of_them() {
        let mut seen = [0_u32; 10];
        for digits in [4, 5, 12] {
            for _ in 0..500 {
                let key = random_digits(digits).unwrap();
                assert_eq!(key.len(), usize::from(digits));
                for digit in key.bytes() {
                    seen[usize::from(digit - b'0')] += 1;
                }
            }
        }
        // 10,500 digits: each about 1,050 times; 200 away is more than six standard deviations.
        assert!(
            seen.iter().all(|count| count.abs_diff(1050) < 200),
            "{seen:?}"
        );
    }
}
