use std::path::PathBuf;

use clap::Args;

use super::flags::Env;
use crate::config::{self, Draft, EdgeConfig, RulesSource};

/// Where the settings and rules are that a command looks at.
#[derive(Args, Clone, Debug)]
pub(super) struct Source {
    /// Settings file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    config: PathBuf,
    /// Directory of rule files, without settings
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    rules: Option<PathBuf>,
    /// Which `[env.*]` of the rules holds
    #[arg(long, value_enum, requires = "rules", default_value = "production")]
    env: Env,
}

/// Looked for in the current directory when no file is named.
pub(super) const DEFAULT_CONFIG: &str = "edge.toml";

impl Source {
    /// What is known of the settings, and what is wrong with them.
    pub(super) fn draft(&self) -> Draft {
        let Some(directory) = &self.rules else {
            return config::read(&self.config);
        };
        let env = self.env.into();
        let rules = RulesSource::Directory(directory.clone());
        Draft {
            config: Some(EdgeConfig {
                env,
                ..EdgeConfig::new(rules)
            }),
            problems: Vec::new(),
            rules: Some(directory.clone()),
            certificates: None,
            orders: false,
            env,
        }
    }
}
