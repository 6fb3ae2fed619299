use std::path::PathBuf;

use serde::Serialize;

use crate::groups::GroupId;
use crate::problem::SourceFile;

/// One site for every host, as the command line describes it when there are no rule files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleSite {
    pub origin: String,
    pub group: GroupId,
    pub additional_groups: Vec<GroupId>,
    /// Selectors.
    pub masks: Vec<String>,
    /// None: the vendor's script.
    pub script_url: Option<String>,
}

impl SingleSite {
    /// The rule file that says the same. Written by a TOML serialiser, so that no value can say more
    /// than itself; compiled like any other, so that every value is checked.
    pub fn to_source(&self) -> SourceFile {
        let groups = self.additional_groups.iter();
        let file = FileText {
            version: 1,
            script: self.script_url.as_deref().map(|url| ScriptText { url }),
            site: [SiteText {
                hosts: ["*"],
                origin: &self.origin,
                group: self.group.as_u32(),
                additional_groups: groups.map(|group| group.as_u32()).collect(),
                masks: &self.masks,
            }],
        };
        SourceFile {
            path: PathBuf::from("command line"),
            // Text, numbers and lists always serialise; an empty file would be refused.
            text: toml::to_string(&file).unwrap_or_default(),
        }
    }
}

#[derive(Serialize)]
struct FileText<'a> {
    version: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<ScriptText<'a>>,
    site: [SiteText<'a>; 1],
}

#[derive(Serialize)]
struct ScriptText<'a> {
    url: &'a str,
}

#[derive(Serialize)]
struct SiteText<'a> {
    hosts: [&'a str; 1],
    origin: &'a str,
    group: u32,
    additional_groups: Vec<u32>,
    masks: &'a [String],
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::rules::{RuleSet, SiteEnv};

    use super::*;

    fn single(masks: &[&str]) -> SingleSite {
        SingleSite {
            origin: "http://127.0.0.1:8000".to_owned(),
            group: GroupId::new(15687).unwrap(),
            additional_groups: [15688, 15690].map(|id| GroupId::new(id).unwrap()).into(),
            masks: masks.iter().map(|mask| (*mask).to_owned()).collect(),
            script_url: Some("https://cdn.example.com/loader.js".to_owned()),
        }
    }

    #[test]
    fn answers_for_every_host_and_path() {
        let source = single(&["#ssn"]).to_source();
        let loaded = RuleSet::compile(vec![Arc::new(source)], SiteEnv::Production).unwrap();
        assert!(loaded.warnings.is_empty());
        let rule = loaded
            .rules
            .site("whatever.example")
            .unwrap()
            .resolve("/any");
        let plan = rule.plan.as_ref().unwrap();
        assert_eq!(
            plan.tag().as_str(),
            "<script id=\"glance-cobrowse\" type=\"text/javascript\" \
             src=\"https://cdn.example.com/loader.js\" data-groupid=\"15687\" \
             data-additionalgroupids=\"15688,15690\" data-site=\"production\" charset=\"UTF-8\"></script>"
        );
        assert_eq!(plan.masks()[0].selector.as_str(), "#ssn");
    }

    #[test]
    fn no_value_can_say_more_than_itself() {
        let odd = "#a\"]\ninject = false\n[[site]]\n#";
        let source = single(&[odd]).to_source();
        let problems = RuleSet::compile(vec![Arc::new(source)], SiteEnv::Production).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].message.contains("cannot match the selector"),
            "{problems:?}"
        );
    }
}
