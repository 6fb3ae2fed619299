use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::environment::GRANT_KEYS;
use crate::document::{Fault, Reports, Stated, TableReader, Unreadable, duration, flag, read_file};
use crate::groups::{GrantEpoch, GrantKeyError, GrantKeys};
use crate::problem::{Place, Problem};

use super::value::path;

/// How pages' grants are signed.
#[derive(Clone, Debug)]
pub struct GrantsConfig {
    pub keys: KeysSource,
    pub epoch: GrantEpoch,
}

/// Where the keys come from.
#[derive(Clone, Debug)]
pub enum KeysSource {
    /// Read again with the rules.
    File(PathBuf),
    Given(GrantKeys),
    /// Made at the first start, and found again in this file at the next.
    Kept(PathBuf),
    /// Made at start: for an edge that stands alone.
    Made,
}

/// A text that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The keys that the text holds.
    pub(super) fn parse_keys(&self) -> Result<GrantKeys, Problem> {
        GrantKeys::parse(&self.0).map_err(|error| unfit(Place::Flag(GRANT_KEYS), error))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl GrantsConfig {
    /// The keys; `known` are those in force, which stay where they were made at start.
    pub fn load_keys(&self, known: Option<&GrantKeys>) -> Result<GrantKeys, Problem> {
        match (&self.keys, known) {
            (KeysSource::Given(keys), _) => Ok(keys.clone()),
            (KeysSource::Made, Some(known)) => Ok(known.clone()),
            (KeysSource::Made, None) => {
                GrantKeys::generate().map_err(|error| unfit(Place::Flag("grants"), error))
            }
            (KeysSource::File(path), _) => read_keys(path.clone()),
            (KeysSource::Kept(path), _) => {
                make_keys(path)?;
                read_keys(path.clone())
            }
        }
    }
}

/// Writes a key, for this user alone, where there is none.
fn make_keys(path: &Path) -> Result<(), Problem> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = match options.open(path) {
        Ok(mut file) => {
            let text = GrantKeys::random_text();
            let text = text.map_err(|error| unfit(Place::Path(path.to_owned()), error))?;
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    };
    written.map_err(|error| {
        let remedy = "see that the directory is there and may be written by this user";
        Problem::error(Place::Path(path.to_owned()), error.to_string(), remedy)
    })
}

fn read_keys(path: PathBuf) -> Result<GrantKeys, Problem> {
    match read_file(&path, MAX_FILE_BYTES) {
        Ok(file) => GrantKeys::parse(&file.text).map_err(|error| unfit(Place::Path(path), error)),
        Err(error) => {
            let remedy = match &error {
                Unreadable::Io(_) => {
                    "make it with: (umask 077; openssl rand -base64 32 > grant.keys)"
                }
                Unreadable::NotText { .. } | Unreadable::TooLarge { .. } => REMEDY,
            };
            Err(Problem::error(Place::Path(path), error.to_string(), remedy))
        }
    }
}

fn unfit(place: Place, error: GrantKeyError) -> Problem {
    Problem::error(place, error.to_string(), REMEDY)
}

const REMEDY: &str = "write one or two keys, each of 32 to 512 random characters in one line, the one that signs \
     first: openssl rand -base64 32";

/// Two keys and some words about them.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// Who asks for the grants of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GrantReader {
    /// The embedded backend; a key that has to be made is kept in this file.
    Backend(PathBuf),
    /// The edge itself, before it lets session traffic go.
    Edge,
    Nobody,
}

/// `[grants]`
#[derive(Debug, Default)]
pub(super) struct GrantsTable {
    faulty: bool,
    enabled: Option<Stated<bool>>,
    keys: Option<Stated<PathBuf>>,
    epoch: Option<GrantEpoch>,
}

impl GrantsTable {
    pub(super) fn read(mut table: TableReader<'_>, base: &Path) -> Self {
        let (enabled, keys) = (table.take("enabled", flag), table.take("keys", path(base)));
        let epoch = table.take("epoch", |value| {
            let length = duration(EPOCH_MIN..=GrantEpoch::MAX)(value)?;
            let whole = || Fault::new("an epoch is of whole seconds", "write \"12h\", for example");
            GrantEpoch::new(length).ok_or_else(whole)
        });
        let grants = Self {
            faulty: false,
            enabled,
            keys,
            epoch: epoch.map(|epoch| epoch.value),
        };
        let faulty = !table.finish();
        Self { faulty, ..grants }
    }

    pub(super) fn compile(
        self,
        given: Option<GrantKeys>,
        reader: GrantReader,
        reports: &Reports,
    ) -> Option<GrantsConfig> {
        let off = self.enabled.as_ref().filter(|enabled| !enabled.value);
        if let (Some(off), Some(keys)) = (off, &self.keys) {
            let fault = Fault::new(
                "grants have keys and are switched off",
                "remove one of the two",
            );
            reports.conflict(&off.at, (&keys.at, "the keys"), fault);
        }
        if let (Some(off), GrantReader::Backend(_)) = (off, &reader) {
            let message = "without grants the embedded backend would refuse every session";
            reports.error(&off.at, message, "remove enabled = false");
        }
        let wanted = reader != GrantReader::Nobody || self.keys.is_some() || given.is_some();
        let on = self.enabled.map_or(wanted, |enabled| enabled.value);
        let keys = match (given, self.keys, reader) {
            (Some(keys), _, _) => KeysSource::Given(keys),
            (None, Some(file), _) => KeysSource::File(file.value),
            (None, None, GrantReader::Backend(file)) => KeysSource::Kept(file),
            (None, None, GrantReader::Edge | GrantReader::Nobody) => KeysSource::Made,
        };
        (on && !self.faulty).then(|| GrantsConfig {
            keys,
            epoch: self.epoch.unwrap_or_default(),
        })
    }
}

/// Shorter, and no page would be found in a cache again.
const EPOCH_MIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
