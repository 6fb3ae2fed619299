use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::EdgeConfig;
use super::compile::compile;
use super::environment::Environment;
use super::file::{EdgeFile, Written};
use crate::document::{Reports, Unreadable, parse_toml, read_file};
use crate::problem::{Place, Problem, SourceFile};
use crate::rules::SiteEnv;

/// A settings file, read, with whatever is wrong with it.
#[derive(Debug)]
pub struct Draft {
    /// `None`: there are errors among the problems.
    pub config: Option<EdgeConfig>,
    pub problems: Vec<Problem>,
    /// What could be understood of other files' places, so that they can be looked at even when
    /// something else is wrong.
    pub rules: Option<PathBuf>,
    pub certificates: Option<PathBuf>,
    /// Certificates are ordered into it, so that it may be empty, or not there yet.
    pub orders: bool,
    pub env: SiteEnv,
}

/// Reads the settings; the environment of the process is looked at, too. With the configuration come
/// warnings; without one, all that is wrong.
pub fn load(path: &Path) -> Result<(EdgeConfig, Vec<Problem>), Vec<Problem>> {
    let draft = read(path);
    match draft.config {
        Some(config) => Ok((config, draft.problems)),
        None => Err(draft.problems),
    }
}

/// The same, for those who want to look at the rest of the files in any case.
pub fn read(path: &Path) -> Draft {
    match read_text(path) {
        Ok(file) => draft(&file, &Environment::of_process()),
        Err(problem) => Draft::unreadable(vec![problem]),
    }
}

/// Pure: no file is looked at.
pub(super) fn draft(file: &Arc<SourceFile>, environment: &Environment) -> Draft {
    let reports = Reports::default();
    let Some(tree) = parse_toml(file, &reports) else {
        return Draft::unreadable(reports.into_sorted());
    };
    let base = file.path.parent().unwrap_or_else(|| Path::new(""));
    let written = EdgeFile::read(&tree, file, base, &reports);
    let rules_known = !matches!(written.rules, Written::Refused);
    let config = compile(written, base, environment, &reports);
    Draft::of(config, rules_known, reports)
}

impl Draft {
    fn unreadable(problems: Vec<Problem>) -> Self {
        Self {
            config: None,
            problems,
            rules: None,
            certificates: None,
            orders: false,
            env: SiteEnv::default(),
        }
    }

    fn of(config: EdgeConfig, rules_known: bool, reports: Reports) -> Self {
        let sound = reports.errors() == 0;
        Self {
            problems: reports.into_sorted(),
            rules: config
                .rules
                .directory()
                .filter(|_| rules_known)
                .map(Path::to_owned),
            certificates: config.certificates.directory().map(Path::to_owned),
            orders: config.acme.is_some(),
            env: config.env,
            config: sound.then_some(config),
        }
    }
}

fn read_text(path: &Path) -> Result<Arc<SourceFile>, Problem> {
    read_file(path, MAX_FILE_BYTES)
        .map(Arc::new)
        .map_err(|error| {
            let remedy = match &error {
                Unreadable::Io(_) => "name a file of settings, such as --config edge.toml",
                Unreadable::NotText { .. } => "save it as UTF-8",
                Unreadable::TooLarge { .. } => {
                    "name a file of settings: rules have files of their own"
                }
            };
            Problem::error(Place::Path(path.to_owned()), error.to_string(), remedy)
        })
}

/// Some 40 settings fit in 4 KiB; this leaves room for comments.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
