use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::problem::{Place, Problem};

/// One certificate in force, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// `None`: made in memory.
    pub file: Option<PathBuf>,
    /// Host names, wildcards and addresses that it is good for.
    pub names: Vec<String>,
    pub not_before: SystemTime,
    pub not_after: SystemTime,
}

/// What the edge has ordered itself lies in files whose names begin so.
pub const ORDERED: &str = "acme-";

/// A certificate with its chain and key.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) info: CertificateInfo,
    pub(super) certified: Arc<CertifiedKey>,
}

/// Which certificate answers to which name.
pub(super) struct CertificateSet {
    exact: HashMap<String, Kinds>,
    /// By what follows the `*.`.
    wildcard: HashMap<String, Kinds>,
    /// `None`: there are no certificates yet.
    default: Option<Kinds>,
    infos: Vec<CertificateInfo>,
}

/// The certificates of one name: at most one of each kind of key, never none, the best one first.
#[derive(Clone)]
struct Kinds(Vec<Arc<CertifiedKey>>);

/// Kinds of keys, the best one first: the small and fast one that all browsers know, then the one
/// that few do, then the one that the oldest know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum KeyKind {
    Ecdsa,
    Eddsa,
    Rsa,
}

impl CertificateSet {
    /// The first identity is the default. `None` when two with keys of one kind claim one name;
    /// what the edge has ordered comes last, and leaves a name to what somebody put there.
    pub(super) fn new(identities: &[Identity], problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let first = identities.first();
        let default = first.map(|first| Kinds::one(&first.certified));
        let mut claims: HashMap<(&str, KeyKind), &Identity> = HashMap::new();
        let mut set = Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default,
            infos: identities.iter().map(|i| i.info.clone()).collect(),
        };
        for identity in identities {
            for name in &identity.info.names {
                let claim = (name.as_str(), KeyKind::of(&identity.certified));
                let holder = *claims.entry(claim).or_insert(identity);
                if std::ptr::eq(holder, identity) {
                    set.put(name, &identity.certified);
                } else if !identity.info.is_ordered() {
                    problems.push(claimed_twice(name, holder, identity));
                }
            }
        }
        // Its twin with a key of another kind answers along with the default.
        let first_name = first.and_then(|first| first.info.names.first());
        if let Some(kinds) = first_name.and_then(|name| set.named(name)) {
            set.default = Some(kinds.clone());
        }
        (problems.len() == before).then_some(set)
    }

    /// One identity that answers to every name.
    pub(super) fn single(identity: Identity) -> Self {
        Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default: Some(Kinds::one(&identity.certified)),
            infos: vec![identity.info],
        }
    }

    /// By exact name, then by a wildcard in place of the first label; of two, the one that the client
    /// can read. The name is lower-case, as rustls gives it.
    pub(super) fn of_name(
        &self,
        name: &str,
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let by_wildcard = || {
            let (_, parent) = name.split_once('.')?;
            self.wildcard.get(parent)
        };
        let chosen = self.exact.get(name).or_else(by_wildcard);
        chosen?.readable(schemes)
    }

    pub(super) fn default(&self, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.default.as_ref()?.readable(schemes)
    }

    pub(super) fn infos(&self) -> &[CertificateInfo] {
        &self.infos
    }

    fn put(&mut self, name: &str, certified: &Arc<CertifiedKey>) {
        let (names, name) = match name.strip_prefix("*.") {
            Some(parent) => (&mut self.wildcard, parent),
            None => (&mut self.exact, name),
        };
        match names.get_mut(name) {
            Some(kinds) => kinds.add(certified),
            None => drop(names.insert(name.to_owned(), Kinds::one(certified))),
        }
    }

    /// What answers to a name as it stands in a certificate.
    fn named(&self, name: &str) -> Option<&Kinds> {
        match name.strip_prefix("*.") {
            Some(parent) => self.wildcard.get(parent),
            None => self.exact.get(name),
        }
    }
}

impl Kinds {
    fn one(certified: &Arc<CertifiedKey>) -> Self {
        Self(vec![Arc::clone(certified)])
    }

    /// The caller sees to it that there is none of its kind yet.
    fn add(&mut self, certified: &Arc<CertifiedKey>) {
        if !self.0.iter().any(|known| Arc::ptr_eq(known, certified)) {
            self.0.push(Arc::clone(certified));
            self.0.sort_by_key(|certified| KeyKind::of(certified));
        }
    }

    /// For a client that can read none the handshake fails, which says so best.
    fn readable(&self, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let mut readable = self.0.iter();
        let readable = readable.find(|kind| kind.key.choose_scheme(schemes).is_some());
        readable.or_else(|| self.0.first()).map(Arc::clone)
    }
}

impl KeyKind {
    fn of(certified: &CertifiedKey) -> Self {
        match certified.key.algorithm() {
            SignatureAlgorithm::RSA => Self::Rsa,
            SignatureAlgorithm::ED25519 | SignatureAlgorithm::ED448 => Self::Eddsa,
            _ => Self::Ecdsa,
        }
    }
}

impl fmt::Debug for CertificateSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateSet")
            .field("infos", &self.infos)
            .finish_non_exhaustive()
    }
}

impl Identity {
    pub(super) fn is_of(&self, der: &CertificateDer<'_>) -> bool {
        self.certified.cert.first() == Some(der)
    }
}

impl CertificateInfo {
    /// Whether the edge has ordered it itself.
    pub fn is_ordered(&self) -> bool {
        let name = self.file.as_deref().and_then(Path::file_name);
        name.and_then(OsStr::to_str)
            .is_some_and(|name| name.starts_with(ORDERED))
    }

    fn place(&self) -> Place {
        let in_memory = || PathBuf::from("(in memory)");
        Place::Path(self.file.clone().unwrap_or_else(in_memory))
    }
}

fn claimed_twice(name: &str, first: &Identity, second: &Identity) -> Problem {
    Problem::error(
        second.info.place(),
        format!("{name:?} is also in the certificate {}", first.info.place()),
        "keep the one that is valid longer, and move the other away (two for one name may stand \
         side by side only if one has an RSA key and the other an ECDSA key)",
    )
}
