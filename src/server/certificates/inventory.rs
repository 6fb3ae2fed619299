use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::facts::Facts;
use crate::problem::{Place, Problem};

/// What lies in a directory, before anything is made of it.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    pub(super) certificates: Vec<FoundCertificate>,
    pub(super) keys: Vec<FoundKey>,
    /// Files that were looked at.
    pub(super) files: usize,
}

#[derive(Clone, Debug)]
pub(super) struct FoundCertificate {
    pub(super) path: PathBuf,
    pub(super) der: CertificateDer<'static>,
    pub(super) facts: Facts,
}

#[derive(Debug)]
pub(super) struct FoundKey {
    pub(super) path: PathBuf,
    pub(super) key: std::sync::Arc<dyn rustls::sign::SigningKey>,
    pub(super) public_key: Vec<u8>,
}

/// Far above any certificate file; a file that is larger was put here by mistake.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

impl Inventory {
    /// Reads every `*.pem`, `*.crt` and `*.key` in `directory`, in the order of their names.
    pub(super) fn read(directory: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut inventory = Self::default();
        let files = match files(directory) {
            Ok(files) => files,
            Err(error) => {
                problems.push(unreadable_directory(directory, &error));
                return inventory;
            }
        };
        inventory.files = files.len();
        for path in files {
            match read_file(&path) {
                Ok(bytes) => inventory.add_file(&path, &bytes, problems),
                Err(problem) => problems.push(problem),
            }
        }
        inventory
    }

    /// What one text holds.
    pub(super) fn of_text(path: &Path, bytes: &[u8], problems: &mut Vec<Problem>) -> Self {
        let mut inventory = Self::default();
        inventory.add_file(path, bytes, problems);
        inventory
    }

    fn add_file(&mut self, path: &Path, bytes: &[u8], problems: &mut Vec<Problem>) {
        let mut is_empty = true;
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
            match section {
                Ok((kind, der)) => is_empty &= !self.add_section(path, kind, der, problems),
                Err(error) => {
                    problems.push(not_pem(path, &error));
                    return;
                }
            }
        }
        if is_empty {
            problems.push(nothing_in(path, bytes));
        }
    }

    /// Whether the section is of a kind that belongs here.
    fn add_section(
        &mut self,
        path: &Path,
        kind: SectionKind,
        der: Vec<u8>,
        problems: &mut Vec<Problem>,
    ) -> bool {
        if kind == SectionKind::Certificate {
            self.add_certificate(path, CertificateDer::from(der), problems);
            return true;
        }
        let key = PrivateKeyDer::from_pem(kind, der);
        if let Some(key) = &key {
            self.add_key(path, key, problems);
        }
        key.is_some()
    }

    /// The same certificate in two files (`cert.pem` and `fullchain.pem`) is one.
    fn add_certificate(
        &mut self,
        path: &Path,
        der: CertificateDer<'static>,
        problems: &mut Vec<Problem>,
    ) {
        let Some(facts) = Facts::read(&der) else {
            problems.push(Problem::error(
                Place::Path(path.to_owned()),
                "a certificate in this file is damaged",
                "get the file again from where it was issued",
            ));
            return;
        };
        if !self.certificates.iter().any(|found| found.der == der) {
            let path = path.to_owned();
            let found = FoundCertificate { path, der, facts };
            self.certificates.push(found);
        }
    }

    fn add_key(&mut self, path: &Path, der: &PrivateKeyDer<'_>, problems: &mut Vec<Problem>) {
        let signing = any_supported_type(der).ok();
        let public = signing.as_ref().and_then(|key| key.public_key());
        let public_key = public.map(|key| key.as_ref().to_vec());
        let (Some(key), Some(public_key)) = (signing, public_key) else {
            problems.push(Problem::error(
                Place::Path(path.to_owned()),
                "this private key is damaged or of a kind that cannot be used",
                "give an RSA (2048 bits or more), ECDSA (P-256, P-384, P-521) or Ed25519 key",
            ));
            return;
        };
        if !self.keys.iter().any(|k| k.public_key == public_key) {
            let path = path.to_owned();
            self.keys.push(FoundKey {
                path,
                key,
                public_key,
            });
        }
    }
}

fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|e| e.to_str());
        if matches!(extension, Some("pem" | "crt" | "key")) && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<Vec<u8>, Problem> {
    let size = fs::metadata(path).map(|metadata| metadata.len());
    if size.is_ok_and(|size| size > FILE_BYTES_MAX) {
        return Err(Problem::error(
            Place::Path(path.to_owned()),
            "this file is too large for a certificate or a key",
            "move it out of the directory of certificates",
        ));
    }
    fs::read(path).map_err(|error| {
        Problem::error(
            Place::Path(path.to_owned()),
            format!("this file cannot be read: {error}"),
            "let the user that runs the edge read it",
        )
    })
}

fn unreadable_directory(directory: &Path, error: &io::Error) -> Problem {
    Problem::error(
        Place::Path(directory.to_owned()),
        format!("the directory of certificates cannot be read: {error}"),
        "name a directory that the user who runs the edge may read",
    )
}

pub(super) fn empty_directory(directory: &Path) -> Problem {
    Problem::error(
        Place::Path(directory.to_owned()),
        "no certificate in this directory",
        "put a certificate and its private key here, as *.pem, *.crt or *.key",
    )
}

fn not_pem(path: &Path, error: &rustls::pki_types::pem::Error) -> Problem {
    Problem::error(
        Place::Path(path.to_owned()),
        format!("this file is not valid PEM: {error}"),
        "get it again from where it was issued, as text with lines -----BEGIN ...-----",
    )
}

fn nothing_in(path: &Path, bytes: &[u8]) -> Problem {
    let place = Place::Path(path.to_owned());
    if memchr::memmem::find(bytes, b"ENCRYPTED").is_some() {
        return Problem::error(
            place,
            "this private key is locked with a password",
            "unlock it with: openssl pkey -in FILE -out NEW_FILE",
        );
    }
    Problem::error(
        place,
        "neither a certificate nor a private key is in this file",
        "give PEM (text with lines -----BEGIN CERTIFICATE----- or -----BEGIN PRIVATE KEY-----), \
         or move the file away",
    )
}
