use std::fmt;
use std::str::FromStr;

use crate::document::Fault;
use crate::groups::GroupId;

use super::SiteEnv;
use super::loadable_url::check_loadable_url;
use super::needs::StatedNeeds;

/// Whose visitor script the tag loads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ScriptKind {
    /// The one that comes with the edge: it knows masks of one group and masks of its own.
    Edge,
    /// The vendor's, or one that behaves like it.
    #[default]
    Glance,
}

impl ScriptKind {
    pub(super) const WORDS: &'static [(&'static str, Self)] =
        &[("glance", Self::Glance), ("edge", Self::Edge)];
}

/// The script's URL, in which `{group}` stands for the page's primary group and `{site}` for
/// `production` or `staging`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScriptUrl(Box<str>);

/// The vendor's loader, as its documentation gives it.
pub const VENDOR_SCRIPT_URL: &str =
    "https://www.glancecdn.net/cobrowse/CobrowseJS.ashx?group={group}&site={site}";

impl ScriptUrl {
    pub(super) fn vendor() -> Self {
        Self(VENDOR_SCRIPT_URL.into())
    }

    pub(super) fn is_of_other_origin(&self) -> bool {
        !self.0.starts_with('/')
    }

    pub(super) fn fill(&self, group: GroupId, env: SiteEnv) -> String {
        let with_group = self.0.replace("{group}", &group.to_string());
        with_group.replace("{site}", env.as_str())
    }
}

impl FromStr for ScriptUrl {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let plain = text.replace("{group}", "1").replace("{site}", "production");
        if plain.contains(['{', '}']) {
            return Err(Fault::new(
                format!("\"{text}\" has braces that are neither {{group}} nor {{site}}"),
                "write {group} where the page's group goes and {site} for production or staging",
            ));
        }
        check_loadable_url(&plain)?;
        let authority = text
            .split("://")
            .nth(1)
            .and_then(|after| after.split('/').next());
        if authority.is_some_and(|authority| authority.contains('{')) {
            return Err(Fault::new(
                format!("\"{text}\" has braces in its host"),
                "write the host in full; {group} and {site} belong into path and query",
            ));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ScriptUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The script of one site, with every override applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) kind: ScriptKind,
    pub(super) url: ScriptUrl,
    pub(super) needs: StatedNeeds,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_group_and_site() {
        let url = ScriptUrl::vendor().fill(GroupId::new(15687).unwrap(), SiteEnv::Staging);
        assert_eq!(
            url,
            "https://www.glancecdn.net/cobrowse/CobrowseJS.ashx?group=15687&site=staging"
        );
        assert_eq!(VENDOR_SCRIPT_URL.parse(), Ok(ScriptUrl::vendor()));
    }

    #[test]
    fn refuses_templates_that_cannot_be_filled() {
        for bad in [
            "https://a/{groups}",
            "https://a/{",
            "https://{site}.a/x",
            "/x}",
            "http://cdn.example/",
        ] {
            assert!(bad.parse::<ScriptUrl>().is_err(), "{bad}");
        }
    }
}
