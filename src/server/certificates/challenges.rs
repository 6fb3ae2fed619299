use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

/// What an authority asks to see before it certifies a host (RFC 8555 8.3, RFC 8737), while it may ask.
/// It lies in files, since another edge on the same addresses may be the one that is asked.
#[derive(Debug)]
pub struct Challenges {
    directory: PathBuf,
}

/// A challenge that is answered until this is dropped.
#[derive(Debug)]
pub struct Offered {
    file: PathBuf,
}

/// Who was ended amid an order leaves its file behind; no order takes that long.
const AGE_MAX: Duration = Duration::from_hours(1);
/// Far above any answer.
const FILE_BYTES_MAX: u64 = 4096;

impl Challenges {
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Answers for this host from now on. `key_authorization` begins with the challenge's token.
    pub fn offer(&self, host: &str, key_authorization: &str) -> io::Result<Offered> {
        let file = self.file(host).ok_or(io::ErrorKind::InvalidInput)?;
        fs::create_dir_all(&self.directory)?;
        let beside = self.directory.join(format!(".{host}.new"));
        let mut options = OpenOptions::new();
        let mut written = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        written.write_all(key_authorization.as_bytes())?;
        fs::rename(beside, &file)?;
        Ok(Offered { file })
    }

    /// What stands at `/.well-known/acme-challenge/TOKEN` on a host, if an authority is to find it there.
    pub fn http_answer(&self, host: &str, token: &str) -> Option<String> {
        let answer = self.key_authorization(host)?;
        let (asked, _) = answer.split_once('.')?;
        (asked == token).then_some(answer)
    }

    /// What is shown to an authority that asks for the host by TLS.
    pub(super) fn certificate(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        let answer = self.key_authorization(host)?;
        certificate(host, &answer)
            .inspect_err(
                |error| tracing::error!(host, %error, "no answer to a challenge can be made"),
            )
            .ok()
    }

    fn key_authorization(&self, host: &str) -> Option<String> {
        let file = self.file(host)?;
        let facts = fs::metadata(&file).ok()?;
        let is_fresh = facts
            .modified()
            .ok()?
            .elapsed()
            .is_ok_and(|age| age < AGE_MAX);
        let is_fit = is_fresh && facts.len() <= FILE_BYTES_MAX;
        is_fit.then(|| fs::read_to_string(file).ok())?
    }

    /// `None`: this is no host's name, whatever it may name here.
    fn file(&self, host: &str) -> Option<PathBuf> {
        is_file_name(host).then(|| self.directory.join(host))
    }
}

impl Drop for Offered {
    fn drop(&mut self) {
        // What remains is not answered any more in a while.
        let _ = fs::remove_file(&self.file);
    }
}

fn is_file_name(host: &str) -> bool {
    let is_fit = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
    };
    !host.is_empty() && host.len() <= 253 && !host.starts_with('.') && host.bytes().all(is_fit)
}

fn certificate(host: &str, answer: &str) -> Result<Arc<CertifiedKey>, super::SelfSignedError> {
    let (key, mut params) = (
        KeyPair::generate()?,
        CertificateParams::new([host.to_owned()])?,
    );
    let digest = digest(&SHA256, answer.as_bytes());
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let chain = vec![params.self_signed(&key)?.der().clone()];
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(Arc::new(CertifiedKey::new(
        chain,
        any_supported_type(&der)?,
    )))
}

/// Where the challenges of a directory of certificates lie, which every edge that uses it knows.
pub(super) fn place_below(certificates: &Path) -> PathBuf {
    certificates.join("acme").join("challenges")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_directory::TestDirectory;

    #[test]
    fn a_challenge_is_answered_while_it_is_offered_for_its_host_and_token_alone() {
        let directory = TestDirectory::with(&[]);
        let challenges = Challenges::new(directory.path().join("challenges"));
        assert_eq!(challenges.http_answer("a.example", "token"), None);
        let offered = challenges.offer("a.example", "token.print").unwrap();
        let answer = |host, token| challenges.http_answer(host, token);
        assert_eq!(answer("a.example", "token"), Some("token.print".to_owned()));
        for (host, token) in [
            ("b.example", "token"),
            ("a.example", "other"),
            ("a.example", ""),
            ("a.example", "token.print"),
            ("../challenges/a.example", "token"),
            ("A.example", "token"),
        ] {
            assert_eq!(answer(host, token), None, "{host} {token}");
        }
        assert!(challenges.certificate("a.example").is_some());
        assert!(challenges.certificate("b.example").is_none());
        drop(offered);
        assert_eq!(answer("a.example", "token"), None);
    }

    #[test]
    fn what_an_edge_left_behind_is_not_answered_for_ever() {
        let directory = TestDirectory::with(&[]);
        let challenges = Challenges::new(directory.path().to_owned());
        let offered = challenges.offer("a.example", "token.print").unwrap();
        let file = fs::File::options().write(true).open(&offered.file).unwrap();
        let past = std::time::SystemTime::now() - AGE_MAX;
        file.set_modified(past).unwrap();
        assert_eq!(challenges.http_answer("a.example", "token"), None);
    }

    #[test]
    fn names_that_are_no_hosts_lead_nowhere() {
        let challenges = Challenges::new(PathBuf::from("challenges"));
        for host in ["", ".", "..", "../a", "a/b", "a b", "A", ".new", "a\0"] {
            assert_eq!(challenges.file(host), None, "{host:?}");
        }
        assert!(challenges.file("www.bank-1.example").is_some());
    }
}
