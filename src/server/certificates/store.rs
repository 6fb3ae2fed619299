use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;

use super::inventory::Inventory;
use super::pairing::pair;
use super::set::{CertificateInfo, CertificateSet, Identity};
use crate::problem::{Place, Problem};

/// The certificates in force. They can be replaced while connections are made.
#[derive(Debug)]
pub struct Certificates {
    /// `None`: made in memory.
    directory: Option<PathBuf>,
    resolver: Arc<Resolver>,
}

/// Why no certificate could be made in memory.
#[derive(Debug, Error)]
pub enum SelfSignedError {
    #[error("the key that was made cannot be used")]
    Key(#[from] rustls::Error),
    #[error("a certificate for these names cannot be made")]
    Names(#[from] rcgen::Error),
}

/// Chooses by the name that a client asks for.
#[derive(Debug)]
struct Resolver {
    set: ArcSwap<CertificateSet>,
}

/// Longer would be refused by some browsers even for a certificate that a person trusts by hand.
const SELF_SIGNED_LIFE: Duration = Duration::from_hours(90 * 24);

impl Certificates {
    /// Reads every `*.pem`, `*.crt` and `*.key` in a directory. File names are free: keys and
    /// certificates find each other by the public key, names are read from the certificates. The
    /// second part of `Ok` are warnings. Every fault is reported at once.
    pub fn load(directory: &Path) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let (set, warnings) = load_set(directory)?;
        let directory = Some(directory.to_owned());
        let resolver = Resolver::new(set);
        let certificates = Self {
            directory,
            resolver,
        };
        Ok((certificates, warnings))
    }

    /// A certificate for `names`, made here and now, that nobody trusts.
    pub fn self_signed(names: &[&str]) -> Result<Self, SelfSignedError> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let now = SystemTime::now();
        let (key, mut params) = (KeyPair::generate()?, CertificateParams::new(names.clone())?);
        params.not_before = (now - Duration::from_hours(1)).into();
        params.not_after = (now + SELF_SIGNED_LIFE).into();
        let chain = vec![params.self_signed(&key)?.der().clone()];
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let info = CertificateInfo {
            file: None,
            names,
            not_after: now + SELF_SIGNED_LIFE,
        };
        let certified = Arc::new(CertifiedKey::new(chain, any_supported_type(&der)?));
        let set = CertificateSet::single(Identity { info, certified });
        Ok(Self {
            directory: None,
            resolver: Resolver::new(set),
        })
    }

    /// Reads the directory again. The new certificates come into force only when all of them are
    /// good; otherwise those of before stay. `Ok` holds warnings.
    pub fn reload(&self) -> Result<Vec<Problem>, Vec<Problem>> {
        let Some(directory) = &self.directory else {
            return Ok(Vec::new());
        };
        let (set, warnings) = load_set(directory)?;
        self.resolver.set.store(Arc::new(set));
        Ok(warnings)
    }

    /// What is in force, the default first.
    pub fn describe(&self) -> Vec<CertificateInfo> {
        self.resolver.set.load().infos().to_vec()
    }

    pub(in crate::server) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(&self.resolver) as Arc<dyn ResolvesServerCert>
    }
}

impl Resolver {
    fn new(set: CertificateSet) -> Arc<Self> {
        let set = ArcSwap::from_pointee(set);
        Arc::new(Self { set })
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let set = self.set.load();
        set.choose(hello.server_name(), hello.signature_schemes())
    }
}

impl fmt::Display for CertificateInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_deref();
        match file.and_then(Path::file_name) {
            Some(name) => write!(f, "{}: ", name.to_string_lossy())?,
            None => f.write_str("made in memory: ")?,
        }
        f.write_str(&self.names.join(", "))?;
        let left = self.not_after.duration_since(SystemTime::now());
        match left {
            Ok(left) => write!(f, " (expires in {} days)", left.as_secs() / 86_400),
            Err(_) => f.write_str(" (expired)"),
        }
    }
}

fn load_set(directory: &Path) -> Result<(CertificateSet, Vec<Problem>), Vec<Problem>> {
    let mut problems = Vec::new();
    let inventory = Inventory::read(directory, &mut problems);
    let identities = pair(inventory, &mut problems);
    let set = CertificateSet::new(&identities, &mut problems);
    if problems.iter().any(Problem::is_error) {
        return Err(problems);
    }
    match set {
        Some(set) => Ok((set, problems)),
        None => Err(vec![nothing_to_show(directory)]),
    }
}

/// Only authorities' certificates, say: nothing is wrong with any file, and nothing can be served.
fn nothing_to_show(directory: &Path) -> Problem {
    Problem::error(
        Place::Path(directory.to_owned()),
        "no certificate with a private key in this directory",
        "put a site's certificate and its private key here",
    )
}
