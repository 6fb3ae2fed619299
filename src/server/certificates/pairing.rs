use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use super::inventory::{FoundCertificate, FoundKey, Inventory};
use super::set::{CertificateInfo, Identity};
use crate::problem::{Place, Problem};

/// Certificates that one leaf's chain may have. Real chains have two or three.
const CHAIN_LENGTH_MAX: usize = 8;

/// Pairs every key with its certificate, by the public key in both, and finds their chains.
pub(super) fn pair(inventory: Inventory, problems: &mut Vec<Problem>) -> Vec<Identity> {
    let Inventory {
        certificates,
        keys,
        files: _,
    } = inventory;
    let (mut identities, mut lone_keys) = (Vec::new(), Vec::new());
    for key in keys {
        let leaves: Vec<_> = certificates
            .iter()
            .filter(|found| found.facts.public_key == key.public_key)
            .collect();
        if leaves.is_empty() {
            lone_keys.push(key);
            continue;
        }
        for leaf in leaves {
            warn_of_faults(leaf, problems);
            identities.push(identity(leaf, &key, &certificates));
        }
    }
    let is_lone = |found: &&FoundCertificate| {
        !found.facts.is_authority && !identities.iter().any(|i| i.is_of(&found.der))
    };
    let lone_certificates = certificates.iter().filter(is_lone).collect();
    report_lone(lone_certificates, lone_keys, problems);
    identities.sort_by_cached_key(|identity| {
        let info = &identity.info;
        (info.is_ordered(), info.file.clone())
    });
    identities
}

fn identity(leaf: &FoundCertificate, key: &FoundKey, all: &[FoundCertificate]) -> Identity {
    let info = CertificateInfo {
        file: Some(leaf.path.clone()),
        names: leaf.facts.names.clone(),
        not_before: leaf.facts.not_before,
        not_after: leaf.facts.not_after,
    };
    let chain = chain(leaf, all);
    let certified = Arc::new(CertifiedKey::new(chain, Arc::clone(&key.key)));
    Identity { info, certified }
}

/// The leaf, then whoever issued the one before, in whatever order and files they lie. The root
/// stays out: clients have it, or do not trust it.
fn chain(leaf: &FoundCertificate, all: &[FoundCertificate]) -> Vec<CertificateDer<'static>> {
    let mut chain = vec![leaf.der.clone()];
    let mut last = leaf;
    while !last.facts.is_self_issued() && chain.len() < CHAIN_LENGTH_MAX {
        let issuer = all.iter().find(|found| {
            found.facts.is_authority
                && found.facts.subject == last.facts.issuer
                && !found.facts.is_self_issued()
                && !chain.contains(&found.der)
        });
        let Some(issuer) = issuer else { break };
        chain.push(issuer.der.clone());
        last = issuer;
    }
    chain
}

fn warn_of_faults(leaf: &FoundCertificate, problems: &mut Vec<Problem>) {
    let place = || Place::Path(leaf.path.clone());
    let now = SystemTime::now();
    let days = |time: std::time::Duration| time.as_secs() / (24 * 60 * 60);
    if let Ok(since) = now.duration_since(leaf.facts.not_after) {
        let message = format!("this certificate expired {} days ago", days(since));
        problems.push(Problem::warning(place(), message, "renew it"));
    }
    if let Ok(until) = leaf.facts.not_before.duration_since(now) {
        let message = format!("this certificate is valid only in {} days", days(until) + 1);
        let remedy = "use it later, or set the clock right";
        problems.push(Problem::warning(place(), message, remedy));
    }
    if leaf.facts.names.is_empty() {
        problems.push(Problem::warning(
            place(),
            "this certificate carries no subject alternative name, and browsers refuse it",
            "have it issued again with the site's host names in it",
        ));
    }
}

/// A key and a certificate that lie in one file, or in files of one name, were meant for each
/// other: that is one fault, not two.
fn report_lone(
    certificates: Vec<&FoundCertificate>,
    mut keys: Vec<FoundKey>,
    problems: &mut Vec<Problem>,
) {
    for certificate in certificates {
        let place = Place::Path(certificate.path.clone());
        let meant = keys
            .iter()
            .position(|key| same_stem(&key.path, &certificate.path));
        problems.push(match meant.map(|index| keys.swap_remove(index)) {
            Some(key) => Problem::error(
                place,
                format!(
                    "the key in {} is not this certificate's",
                    file_name(&key.path)
                ),
                "put the key here with which the certificate was requested",
            ),
            None => Problem::error(
                place,
                "no private key for this certificate",
                "put its key beside it, or move the certificate away",
            ),
        });
    }
    problems.extend(keys.into_iter().map(|key| {
        Problem::error(
            Place::Path(key.path),
            "no certificate for this private key",
            "put its certificate beside it, or move the key away",
        )
    }));
}

fn same_stem(a: &Path, b: &Path) -> bool {
    a.file_stem() == b.file_stem()
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    format!("{:?}", name.to_string_lossy())
}
