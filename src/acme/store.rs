use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use instant_acme::AccountCredentials;

use super::error::OrderError;
use crate::server::ORDERED;

/// What is kept below the directory of certificates: these themselves, and in `acme/` the accounts and
/// whose turn it is. For this user alone, and never half written.
#[derive(Clone, Debug)]
pub(super) struct Store {
    certificates: PathBuf,
}

/// While this is held, no other edge orders. The system gives it back when the process ends.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "dropping it gives the turn back")] File);

/// Stands before an authority's address in the files of certificates.
const BY: &str = "# ordered by cobrowse-edge from ";
const FIRST_LINE_MAX: u64 = 4096;

impl Store {
    pub(super) fn new(certificates: &Path) -> Self {
        let certificates = certificates.to_owned();
        Self { certificates }
    }

    /// `None`: another edge orders.
    pub(super) fn turn(&self) -> io::Result<Option<Turn>> {
        let file = self.prepared("lock")?;
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(file)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Turn(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// `None`: there is none at this authority, or it cannot be read, so that another one is made.
    pub(super) fn account(&self, directory: &str) -> Option<AccountCredentials> {
        let text = fs::read(self.account_file(directory)).ok()?;
        let read = serde_json::from_slice(&text);
        read.inspect_err(|error| tracing::warn!(%error, "an account's file is damaged"))
            .ok()
    }

    pub(super) fn keep_account(
        &self,
        directory: &str,
        account: &AccountCredentials,
    ) -> Result<(), OrderError> {
        let what = "the account";
        let keep = || {
            let text = serde_json::to_vec(account)?;
            self.prepared("account")?;
            write_whole(&self.account_file(directory), &text)
        };
        keep().map_err(|source| OrderError::Keep { what, source })
    }

    pub(super) fn forget_account(&self, directory: &str) {
        if let Err(error) = fs::remove_file(self.account_file(directory)) {
            tracing::warn!(%error, "an account cannot be forgotten");
        }
    }

    /// Puts a certificate and its key, in PEM, in the place of those before.
    pub(super) fn keep_certificate(
        &self,
        host: &str,
        directory: &str,
        pem: &str,
    ) -> Result<(), OrderError> {
        let what = "the certificate";
        let text = format!("{BY}{directory}\n{pem}");
        write_whole(&self.certificate_file(host), text.as_bytes())
            .map_err(|source| OrderError::Keep { what, source })
    }

    /// Who certified what the edge has ordered for a host.
    pub(super) fn directory_of(&self, host: &str) -> Option<String> {
        let mut text = String::new();
        let file = File::open(self.certificate_file(host)).ok()?;
        file.take(FIRST_LINE_MAX).read_to_string(&mut text).ok()?;
        let directory = text.lines().next()?.strip_prefix(BY)?;
        Some(directory.to_owned())
    }

    fn certificate_file(&self, host: &str) -> PathBuf {
        self.certificates.join(format!("{ORDERED}{host}.pem"))
    }

    /// Accounts at a staging directory are others than those at the real one.
    fn account_file(&self, directory: &str) -> PathBuf {
        let hash = digest(&SHA256, directory.as_bytes());
        let name = hash
            .as_ref()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"));
        let name = name.collect::<String>();
        self.certificates
            .join("acme")
            .join(format!("account-{name}.json"))
    }

    fn prepared(&self, name: &str) -> io::Result<PathBuf> {
        let directory = self.certificates.join("acme");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)?;
        Ok(directory.join(name))
    }
}

/// Whoever reads the file finds the old text or the new one.
fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::test_directory::TestDirectory;

    #[test]
    fn one_edge_has_its_turn() {
        let directory = TestDirectory::new();
        let (one, two) = (Store::new(directory.path()), Store::new(directory.path()));
        let turn = one.turn().unwrap();
        assert!(turn.is_some());
        assert!(two.turn().unwrap().is_none());
        drop(turn);
        assert!(two.turn().unwrap().is_some());
    }

    #[test]
    fn certificates_are_replaced_whole_and_tell_whence_they_are() {
        let directory = TestDirectory::new();
        let store = Store::new(directory.path());
        assert_eq!(store.directory_of("a.example"), None);
        for text in ["a long text that is replaced", "short"] {
            store
                .keep_certificate("a.example", "https://ca.example/dir", text)
                .unwrap();
        }
        let file = directory.path().join("acme-a.example.pem");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.ends_with("https://ca.example/dir\nshort"), "{text}");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let known = store.directory_of("a.example");
        assert_eq!(known.as_deref(), Some("https://ca.example/dir"));
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            1,
            "nothing is left over"
        );
    }

    #[test]
    fn a_damaged_account_is_as_none() {
        let directory = TestDirectory::new();
        let store = Store::new(directory.path());
        assert!(store.account("https://ca.example/dir").is_none());
        store.prepared("x").unwrap();
        fs::write(store.account_file("https://ca.example/dir"), "{").unwrap();
        assert!(store.account("https://ca.example/dir").is_none());
        store.forget_account("https://ca.example/dir");
        assert!(!store.account_file("https://ca.example/dir").exists());
    }
}
