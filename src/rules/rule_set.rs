use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::groups::{GroupId, GroupSettings};
use crate::problem::{Problem, SourceFile};

use super::group_book::GroupBook;
use super::host::HostIndex;
use super::site::Site;
use super::{SiteEnv, compile, directory};

/// All sites, compiled; never changed afterwards.
pub struct RuleSet {
    pub(super) sites: Vec<Arc<Site>>,
    pub(super) hosts: HostIndex,
    pub(super) groups: Arc<GroupBook>,
    /// How many `[[test]]` there are.
    pub(super) tests: usize,
}

/// A rule set that may be used, and what a person should look at all the same.
#[derive(Debug)]
pub struct Loaded {
    pub rules: RuleSet,
    pub warnings: Vec<Problem>,
}

impl RuleSet {
    /// Reads every `*.toml` in a directory. The order of files and of rules in them never matters.
    ///
    /// The tests in the files are run; one that fails is an error like any other. On error, all
    /// problems that were found are returned together, warnings among them.
    pub fn load(dir: &Path, env: SiteEnv) -> Result<Loaded, Vec<Problem>> {
        directory::load(dir, env)
    }

    /// The same as [`RuleSet::load`] for files that were read already; looks at no file system.
    pub fn compile(files: Vec<Arc<SourceFile>>, env: SiteEnv) -> Result<Loaded, Vec<Problem>> {
        compile::compile(files, env)
    }

    /// The site for a host in lower case and without port: a site that names it exactly, else the one
    /// with the longest `*.suffix`, else the one for `*`.
    pub fn site(&self, host: &str) -> Option<&Arc<Site>> {
        self.hosts.find(host).and_then(|site| self.sites.get(site))
    }

    /// In the order of their names.
    pub fn sites(&self) -> &[Arc<Site>] {
        &self.sites
    }

    /// How many `[[test]]` were run. They all passed: else there would be no rule set.
    pub fn test_count(&self) -> usize {
        self.tests
    }

    /// What `[[group]]` says about a group.
    pub fn group(&self, id: GroupId) -> Option<&GroupSettings> {
        self.groups.groups.get(&id).map(|group| &group.settings)
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleSet")
            .field("sites", &self.sites)
            .finish_non_exhaustive()
    }
}
