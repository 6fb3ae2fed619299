use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
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

use super::challenges::{Challenges, place_below};
use super::inventory::{Inventory, empty_directory};
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

/// Names whose certificates are ordered by the edge itself.
#[derive(Debug)]
struct Ordered {
    challenges: Arc<Challenges>,
    /// Whether visitors are shown a certificate that nobody trusts, until there is another.
    has_stand_ins: bool,
    /// With their stand-ins.
    awaited: ArcSwap<HashMap<String, Option<Arc<CertifiedKey>>>>,
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
    ordered: Option<Ordered>,
}

/// The protocol in which authorities look at a challenge.
pub(in crate::server) const ALPN_CHALLENGE: &[u8] = b"acme-tls/1";
/// Longer would be refused by some browsers even for a certificate that a person trusts by hand.
const SELF_SIGNED_LIFE: Duration = Duration::from_hours(90 * 24);

impl Certificates {
    /// Reads every `*.pem`, `*.crt` and `*.key` in a directory. File names are free: keys and
    /// certificates find each other by the public key, names are read from the certificates. The
    /// second part of `Ok` are warnings. Every fault is reported at once.
    pub fn load(directory: &Path) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let (set, warnings) = load_set(directory, false)?;
        let directory = Some(directory.to_owned());
        let resolver = Resolver::new(set, None);
        let certificates = Self {
            directory,
            resolver,
        };
        Ok((certificates, warnings))
    }

    /// The same for a directory in which certificates are to come that the edge orders itself: it is
    /// made if it is not there, and may be empty. See [`expect`](Self::expect).
    pub fn load_ordered(
        directory: &Path,
        has_stand_ins: bool,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        if let Err(error) = fs::create_dir_all(directory) {
            return Err(vec![unwritable_directory(directory, &error)]);
        }
        let (set, warnings) = load_set(directory, true)?;
        let ordered = Ordered {
            challenges: Arc::new(Challenges::new(place_below(directory))),
            has_stand_ins,
            awaited: ArcSwap::default(),
        };
        let certificates = Self {
            directory: Some(directory.to_owned()),
            resolver: Resolver::new(set, Some(ordered)),
        };
        Ok((certificates, warnings))
    }

    /// Names for which certificates are ordered. Who asks for one of them gets no other certificate
    /// meanwhile.
    pub fn expect(&self, hosts: &[String]) {
        let Some(ordered) = &self.resolver.ordered else {
            return;
        };
        let known = ordered.awaited.load();
        let stand_in = |host: &String| {
            let known = known.get(host).cloned().flatten();
            known.or_else(|| made_in_memory(host).filter(|_| ordered.has_stand_ins))
        };
        let awaited = hosts.iter().map(|host| (host.clone(), stand_in(host)));
        ordered.awaited.store(Arc::new(awaited.collect()));
    }

    /// `None`: nothing is ordered.
    pub fn challenges(&self) -> Option<Arc<Challenges>> {
        let ordered = self.resolver.ordered.as_ref()?;
        Some(Arc::clone(&ordered.challenges))
    }

    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// A certificate for `names`, made here and now, that nobody trusts.
    pub fn self_signed(names: &[&str]) -> Result<Self, SelfSignedError> {
        let identity = self_signed(names)?;
        Ok(Self {
            directory: None,
            resolver: Resolver::new(CertificateSet::single(identity), None),
        })
    }

    /// Reads the directory again. The new certificates come into force only when all of them are
    /// good; otherwise those of before stay. `Ok` holds warnings.
    pub fn reload(&self) -> Result<Vec<Problem>, Vec<Problem>> {
        let Some(directory) = &self.directory else {
            return Ok(Vec::new());
        };
        let may_be_empty = self.resolver.ordered.is_some();
        let (set, warnings) = load_set(directory, may_be_empty)?;
        self.resolver.set.store(Arc::new(set));
        Ok(warnings)
    }

    /// What lies in a directory, and warnings; nothing of it comes into force.
    pub fn look(
        directory: &Path,
        may_be_empty: bool,
    ) -> Result<(Vec<CertificateInfo>, Vec<Problem>), Vec<Problem>> {
        let (set, warnings) = load_set(directory, may_be_empty)?;
        Ok((set.infos().to_vec(), warnings))
    }

    /// Whether a certificate and its key, in PEM, are of use for a host now.
    pub fn check(host: &str, pem: &str) -> Result<CertificateInfo, Problem> {
        let mut problems = Vec::new();
        let place = Path::new(host);
        let inventory = Inventory::of_text(place, pem.as_bytes(), &mut problems);
        let identities = pair(inventory, &mut problems);
        let now = SystemTime::now();
        let fit = identities
            .into_iter()
            .map(|identity| identity.info)
            .find(|info| {
                let names_it = info.names.iter().any(|name| name == host);
                names_it && info.not_before <= now && now < info.not_after
            });
        fit.ok_or_else(|| match problems.into_iter().next() {
            Some(problem) => problem,
            None => Problem::error(
                Place::Path(place.to_owned()),
                "the certificate is not for this host, or not for now",
                "look at the clock, and at the authority",
            ),
        })
    }

    /// What is in force, the default first.
    pub fn describe(&self) -> Vec<CertificateInfo> {
        self.resolver.set.load().infos().to_vec()
    }

    /// Whether authorities may come to look at a challenge.
    pub(in crate::server) fn are_ordered(&self) -> bool {
        self.resolver.ordered.is_some()
    }

    pub(in crate::server) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(&self.resolver) as Arc<dyn ResolvesServerCert>
    }
}

impl Resolver {
    fn new(set: CertificateSet, ordered: Option<Ordered>) -> Arc<Self> {
        let set = ArcSwap::from_pointee(set);
        Arc::new(Self { set, ordered })
    }

    fn stand_in(&self, name: &str) -> Option<Option<Arc<CertifiedKey>>> {
        self.ordered.as_ref()?.awaited.load().get(name).cloned()
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let set = self.set.load();
        let Some(name) = hello.server_name() else {
            return set.default(schemes);
        };
        if asks_for_a_challenge(&hello) {
            return self.ordered.as_ref()?.challenges.certificate(name);
        }
        if let Some(certified) = set.of_name(name, schemes) {
            return Some(certified);
        }
        match self.stand_in(name) {
            Some(stand_in) => stand_in,
            None => set.default(schemes),
        }
    }
}

/// Authorities offer this protocol and no other (RFC 8737 3).
pub(in crate::server) fn asks_for_a_challenge(hello: &ClientHello<'_>) -> bool {
    let offered = hello.alpn();
    offered.is_some_and(|mut offered| {
        offered.next() == Some(ALPN_CHALLENGE) && offered.next().is_none()
    })
}

fn self_signed(names: &[&str]) -> Result<Identity, SelfSignedError> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let now = SystemTime::now();
    let (key, mut params) = (KeyPair::generate()?, CertificateParams::new(names.clone())?);
    let (not_before, not_after) = (now - Duration::from_hours(1), now + SELF_SIGNED_LIFE);
    params.not_before = not_before.into();
    params.not_after = not_after.into();
    let chain = vec![params.self_signed(&key)?.der().clone()];
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let info = CertificateInfo {
        file: None,
        names,
        not_before,
        not_after,
    };
    let certified = Arc::new(CertifiedKey::new(chain, any_supported_type(&der)?));
    Ok(Identity { info, certified })
}

fn made_in_memory(host: &str) -> Option<Arc<CertifiedKey>> {
    self_signed(&[host])
        .map(|identity| identity.certified)
        .inspect_err(|error| tracing::error!(host, %error, "no certificate can be made in memory"))
        .ok()
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

fn load_set(
    directory: &Path,
    may_be_empty: bool,
) -> Result<(CertificateSet, Vec<Problem>), Vec<Problem>> {
    let mut problems = Vec::new();
    let inventory = Inventory::read(directory, &mut problems);
    if inventory.files == 0 && problems.is_empty() && !may_be_empty {
        problems.push(empty_directory(directory));
    }
    let identities = pair(inventory, &mut problems);
    let set = CertificateSet::new(&identities, &mut problems);
    if problems.iter().any(Problem::is_error) {
        return Err(problems);
    }
    match set.filter(|set| may_be_empty || !set.infos().is_empty()) {
        Some(set) => Ok((set, problems)),
        None => Err(vec![nothing_to_show(directory)]),
    }
}

fn unwritable_directory(directory: &Path, error: &io::Error) -> Problem {
    Problem::error(
        Place::Path(directory.to_owned()),
        format!("the directory of certificates cannot be made: {error}"),
        "name one that the user who runs the edge may write to",
    )
}

/// Only authorities' certificates, say: nothing is wrong with any file, and nothing can be served.
fn nothing_to_show(directory: &Path) -> Problem {
    Problem::error(
        Place::Path(directory.to_owned()),
        "no certificate with a private key in this directory",
        "put a site's certificate and its private key here",
    )
}
