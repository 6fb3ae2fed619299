use std::sync::Arc;
use std::time::SystemTime;

use super::session::Admission;
use crate::groups::{GrantKeys, GroupId, PageGrant, SiteEnv};
use crate::rules::RuleSet;

/// What is in force: rules, and the keys that say which pages are believed. Replaced as a whole when
/// rules are loaded again.
#[derive(Clone, Debug)]
pub struct Realm {
    pub rules: Arc<RuleSet>,
    pub keys: GrantKeys,
    pub env: SiteEnv,
}

/// What a page may do in a session, and what is masked on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) admission: Admission,
    pub(super) masks: Vec<String>,
}

impl Realm {
    /// What a page's grant says, if it is one of ours for a page of this host, with this group.
    pub(super) fn open(
        &self,
        grant: &str,
        host: &str,
        group: GroupId,
    ) -> Result<PageGrant, Denied> {
        let opened = self.keys.open(grant, SystemTime::now());
        let opened = opened.map_err(|refusal| Denied::Grant(refusal.as_str()))?;
        let page = opened.check_page(host, self.env);
        page.map_err(|refusal| Denied::Grant(refusal.as_str()))?;
        match opened.groups().contains(group) {
            true => Ok(opened),
            false => Err(Denied::Group),
        }
    }

    /// Looks at a page that wants to go on with a session of the group. `path` is where it says it is.
    pub(super) fn look(&self, grant: &str, host: &str, path: &str, group: GroupId) -> Look {
        let grant = match self.open(grant, host, group) {
            Ok(grant) => grant,
            Err(denied) => return Look::refused(denied.as_str()),
        };
        let site = self.rules.site(host);
        let Some(site) = site.filter(|site| site.has_rule(grant.rule())) else {
            return Look::refused("rule_gone");
        };
        let rule = site.resolve(path);
        if *rule.label != *grant.rule() {
            // A page may say another path by now than it was served under: then nobody knows which
            // rules met on it.
            return Look::allowed(&site.masks_of_all_pages(group));
        }
        let allows = |groups: &crate::groups::GroupSet| groups.contains(group);
        if !rule.groups.as_ref().is_some_and(allows) {
            return Look::refused("group_gone");
        }
        match rule.mask_revision() == grant.mask_revision() {
            true => Look::allowed(&rule.masks_for(group)),
            false => Look::allowed(&site.masks_of_all_pages(group)),
        }
    }
}

/// Why a grant does not let a session run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// It is not believed.
    Grant(&'static str),
    /// It is of a page without the group.
    Group,
}

impl Denied {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Grant(word) => word,
            Self::Group => "groupid",
        }
    }
}

impl Look {
    fn allowed(masks: &[Arc<str>]) -> Self {
        Self {
            admission: Admission::Allowed,
            masks: masks.iter().map(ToString::to_string).collect(),
        }
    }

    fn refused(reason: &'static str) -> Self {
        Self {
            admission: Admission::Refused(reason),
            masks: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::groups::{GrantFields, GroupSet};
    use crate::problem::SourceFile;

    const RULES: &str = r##"
version = 1
[defaults]
masks = [".everywhere"]
[script]
kind = "edge"
url = "/_cobrowse/CobrowseJS.ashx?group={group}&site={site}"
[[group]]
id = 1
masks = [".of-one"]
[[group]]
id = 2
masks = [".of-two", { selector = "a + b", client_only = true }]
[[site]]
hosts = ["bank.example"]
origin = "http://127.0.0.1:1"
group = 1
masks = ["#site"]
[[site.rule]]
name = "desk"
path = "/desk/**"
additional_groups = [2]
masks = ["#desk"]
[[site.rule]]
name = "form"
path = "/desk/form"
masks = ["#form"]
[[site.rule]]
name = "off"
path = "/off"
inject = false
"##;

    fn realm() -> Realm {
        let file = SourceFile {
            path: "rules.toml".into(),
            text: RULES.to_owned(),
        };
        let loaded = RuleSet::compile(vec![Arc::new(file)], SiteEnv::Production).unwrap();
        Realm {
            rules: Arc::new(loaded.rules),
            keys: GrantKeys::generate().unwrap(),
            env: SiteEnv::Production,
        }
    }

    fn group(number: i64) -> GroupId {
        GroupId::new(number).unwrap()
    }

    /// As the edge would sign it for a page at this path.
    fn fields(realm: &Realm, path: &str) -> GrantFields {
        let rule = realm.rules.site("bank.example").unwrap().resolve(path);
        let in_an_hour = SystemTime::now() + Duration::from_secs(3600);
        GrantFields {
            host: "bank.example".into(),
            rule: (*rule.label).into(),
            env: SiteEnv::Production,
            groups: rule.groups.clone().unwrap(),
            mask_revision: rule.mask_revision(),
            expires: in_an_hour.duration_since(UNIX_EPOCH).unwrap().as_secs(),
        }
    }

    fn sign(realm: &Realm, fields: GrantFields) -> String {
        realm.keys.sign(&PageGrant::new(fields).unwrap())
    }

    fn look(realm: &Realm, fields: GrantFields, path: &str, of: i64) -> Look {
        realm.look(&sign(realm, fields), "bank.example", path, group(of))
    }

    #[test]
    fn a_page_has_the_masks_of_its_rules_and_of_the_sessions_group() {
        let realm = realm();
        for (path, of, masks) in [
            ("/", 1, &[".everywhere", "#site", ".of-one"][..]),
            ("/desk/x", 1, &[".everywhere", "#site", "#desk", ".of-one"]),
            (
                "/desk/x",
                2,
                &[".everywhere", "#site", "#desk", ".of-two", "a + b"],
            ),
            (
                "/desk/form",
                1,
                &[".everywhere", "#site", "#desk", "#form", ".of-one"],
            ),
        ] {
            let look = look(&realm, fields(&realm, path), path, of);
            assert_eq!(look.admission, Admission::Allowed, "{path} {of}");
            assert_eq!(look.masks, masks, "{path} {of}");
        }
    }

    #[test]
    fn where_the_rules_of_a_page_are_not_sure_every_mask_holds() {
        let realm = realm();
        let all = [".everywhere", "#site", "#desk", "#form", ".of-one"];
        let elsewhere = look(&realm, fields(&realm, "/desk/form"), "/moved", 1);
        assert_eq!(
            elsewhere,
            Look {
                admission: Admission::Allowed,
                masks: all.map(str::to_owned).to_vec()
            }
        );
        let older = GrantFields {
            mask_revision: 7,
            ..fields(&realm, "/desk/form")
        };
        assert_eq!(look(&realm, older, "/desk/form", 1).masks, all);
    }

    #[test]
    fn every_doubt_is_a_no() {
        let realm = realm();
        let fields = |path: &str| fields(&realm, path);
        let refused = |fields: GrantFields, path: &str, of: i64| {
            let look = look(&realm, fields, path, of);
            assert_eq!(look.masks, [""; 0]);
            look.admission.reason()
        };
        assert_eq!(refused(fields("/"), "/", 2), "groupid");
        let gone = GrantFields {
            rule: "of before".into(),
            ..fields("/")
        };
        assert_eq!(refused(gone, "/", 1), "rule_gone");
        let expired = GrantFields {
            expires: 7,
            ..fields("/")
        };
        assert_eq!(refused(expired, "/", 1), "grant_expired");
        let foreign = GrantFields {
            host: "other.example".into(),
            ..fields("/")
        };
        assert_eq!(refused(foreign, "/", 1), "grant_foreign_page");
        let staging = GrantFields {
            env: SiteEnv::Staging,
            ..fields("/")
        };
        assert_eq!(refused(staging, "/", 1), "grant_foreign_page");
        let more = GrantFields {
            groups: GroupSet::new(group(1), [group(2)]),
            ..fields("/")
        };
        assert_eq!(refused(more, "/", 2), "group_gone", "as the rules are now");
        let off = GrantFields {
            rule: "off".into(),
            ..fields("/")
        };
        assert_eq!(refused(off, "/off", 1), "group_gone");

        let others = Realm {
            keys: GrantKeys::generate().unwrap(),
            ..realm.clone()
        };
        let forged = sign(&others, fields("/"));
        let look = realm.look(&forged, "bank.example", "/", group(1));
        assert_eq!(look.admission.reason(), "grant_unknown_key");
        assert_eq!(
            realm
                .look("", "bank.example", "/", group(1))
                .admission
                .reason(),
            "grant_malformed"
        );
    }
}
