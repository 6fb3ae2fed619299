use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::document::{Unreadable, read_file};
use crate::problem::{Place, Problem, SourceFile};

use super::limits::{MAX_FILE_BYTES, MAX_FILES, MAX_TOTAL_BYTES};
use super::rule_set::{Loaded, RuleSet};
use super::{SiteEnv, compile};

/// Reads and compiles a directory. Files that cannot be read are reported together with what is wrong
/// in the others.
pub(super) fn load(dir: &Path, env: SiteEnv) -> Result<Loaded, Vec<Problem>> {
    let paths = rule_files(dir).map_err(|problem| vec![problem])?;
    let mut files = Vec::new();
    let mut unreadable = Vec::new();
    let mut total = 0;
    for path in paths {
        match read(&path) {
            Ok(file) => {
                total += file.text.len() as u64;
                files.push(Arc::new(file));
            }
            Err(problem) => unreadable.push(problem),
        }
        if total > MAX_TOTAL_BYTES {
            let message =
                format!("the rule files are larger than {MAX_TOTAL_BYTES} bytes together");
            let place = Place::Path(dir.to_owned());
            return Err(vec![Problem::error(
                place,
                message,
                "wildcards need fewer rules",
            )]);
        }
    }
    if !unreadable.is_empty() {
        unreadable.extend(compile::problems_of_single_files(&files));
        return Err(unreadable);
    }
    let loaded = RuleSet::compile(files, env)?;
    let missing = missing_files(&loaded.rules);
    if missing.is_empty() {
        Ok(loaded)
    } else {
        Err(missing)
    }
}

/// The rule files of a directory, in the order of their names. Hidden files are none: editors and
/// orchestrators keep their own things in them.
fn rule_files(dir: &Path) -> Result<Vec<PathBuf>, Problem> {
    let broken = |error: io::Error| {
        let message = format!("the rules directory cannot be read: {error}");
        Problem::error(
            Place::Path(dir.to_owned()),
            message,
            "name a directory that holds *.toml files",
        )
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(broken)? {
        let path = entry.map_err(broken)?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden
            && path
                .extension()
                .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    let fault = |message: String, remedy: &str| {
        Err(Problem::error(Place::Path(dir.to_owned()), message, remedy))
    };
    if paths.is_empty() {
        let message = "the rules directory holds no *.toml file".to_owned();
        return fault(
            message,
            "put a rule file there; rules/bank.toml of the source is an example",
        );
    }
    if paths.len() > MAX_FILES {
        let message = format!("the rules directory holds {} files", paths.len());
        return fault(message, &format!("keep to {MAX_FILES} rule files"));
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<SourceFile, Problem> {
    read_file(path, MAX_FILE_BYTES).map_err(|error| {
        let remedy = match &error {
            Unreadable::Io(_) => "make it readable for the process, or remove it",
            Unreadable::NotText { .. } => "save it as UTF-8",
            Unreadable::TooLarge { .. } => "split it",
        };
        Problem::error(Place::Path(path.to_owned()), error.to_string(), remedy)
    })
}

/// Certificates and keys that rules name and that are not there.
fn missing_files(rules: &RuleSet) -> Vec<Problem> {
    let named = rules.sites().iter().flat_map(|site| &site.files);
    let missing = named.filter(|named| !named.value.is_file());
    let missing = missing.map(|named| {
        let message = format!("there is no file {}", named.value.display());
        Problem::error(
            named.at.place(),
            message,
            "paths are relative to the rule file's directory",
        )
    });
    missing.collect()
}
