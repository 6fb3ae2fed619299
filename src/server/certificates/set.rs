use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use crate::problem::{Place, Problem};

/// One certificate in force, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// `None`: made in memory.
    pub file: Option<PathBuf>,
    /// Host names, wildcards and addresses that it is good for.
    pub names: Vec<String>,
    pub not_after: SystemTime,
}

/// A certificate with its chain and key.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) info: CertificateInfo,
    pub(super) certified: Arc<CertifiedKey>,
}

/// Which certificate answers to which name.
pub(super) struct CertificateSet {
    exact: HashMap<String, Arc<CertifiedKey>>,
    /// By what follows the `*.`.
    wildcard: HashMap<String, Arc<CertifiedKey>>,
    default: Arc<CertifiedKey>,
    infos: Vec<CertificateInfo>,
}

impl CertificateSet {
    /// The first identity is the default. `None` when there is none, or two claim one name.
    pub(super) fn new(identities: &[Identity], problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let default = Arc::clone(&identities.first()?.certified);
        let mut claims: HashMap<&str, &Identity> = HashMap::new();
        let mut set = Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default,
            infos: identities.iter().map(|i| i.info.clone()).collect(),
        };
        for identity in identities {
            for name in &identity.info.names {
                match claims.insert(name, identity) {
                    Some(other) if !std::ptr::eq(other, identity) => {
                        problems.push(claimed_twice(name, other, identity));
                    }
                    Some(_) | None => set.put(name, &identity.certified),
                }
            }
        }
        (problems.len() == before).then_some(set)
    }

    /// One identity that answers to every name.
    pub(super) fn single(identity: Identity) -> Self {
        Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default: identity.certified,
            infos: vec![identity.info],
        }
    }

    /// By exact name, then by a wildcard in place of the first label, then the default. The name is lower-case, as
    /// rustls gives it.
    pub(super) fn choose(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let Some(name) = name else {
            return Arc::clone(&self.default);
        };
        let by_wildcard = || {
            let (_, parent) = name.split_once('.')?;
            self.wildcard.get(parent)
        };
        let chosen = self.exact.get(name).or_else(by_wildcard);
        Arc::clone(chosen.unwrap_or(&self.default))
    }

    pub(super) fn infos(&self) -> &[CertificateInfo] {
        &self.infos
    }

    fn put(&mut self, name: &str, certified: &Arc<CertifiedKey>) {
        let certified = Arc::clone(certified);
        match name.strip_prefix("*.") {
            Some(parent) => self.wildcard.insert(parent.to_owned(), certified),
            None => self.exact.insert(name.to_owned(), certified),
        };
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
    fn place(&self) -> Place {
        let in_memory = || PathBuf::from("(in memory)");
        Place::Path(self.file.clone().unwrap_or_else(in_memory))
    }
}

fn claimed_twice(name: &str, first: &Identity, second: &Identity) -> Problem {
    Problem::error(
        second.info.place(),
        format!("{name:?} is also in the certificate {}", first.info.place()),
        "keep the one that is valid longer, and move the other away",
    )
}
