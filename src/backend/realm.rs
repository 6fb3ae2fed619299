use std::sync::Arc;
use std::time::SystemTime;

use super::session::Admission;
use crate::groups::{GrantKeys, GrantRefusal, GroupId, PageGrant, SiteEnv};
use crate::rules::{PageRule, RuleSet, Site};

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
    /// The groups that the page allows.
    pub(super) allowed: Vec<u32>,
}

/// A page that shows a grant.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskingPage<'a> {
    pub(super) grant: &'a str,
    pub(super) host: &'a str,
    /// Where it says it is.
    pub(super) path: &'a str,
}

/// A page whose grant is believed, and what the rules say of it now.
#[derive(Debug)]
pub(super) struct GrantedPage<'a> {
    grant: PageGrant,
    site: &'a Site,
    /// What meets on the page, where that is sure: a page may say another path by now than it was served
    /// under, and then nothing is but the rule that was signed.
    rule: Option<Arc<PageRule>>,
}

impl Realm {
    /// Looks at a page that wants to go on with a session of the group.
    pub(super) fn look(&self, page: AskingPage<'_>, group: GroupId) -> Look {
        let page = match self.open(page) {
            Ok(page) => page,
            Err(reason) => return Look::refused(reason, Vec::new()),
        };
        match page.check(group) {
            Ok(()) => Look {
                admission: Admission::Allowed,
                masks: page.masks(group).iter().map(ToString::to_string).collect(),
                allowed: page.allowed(),
            },
            Err(reason) => Look::refused(reason, page.allowed()),
        }
    }

    /// What there is to know of the page, if its grant is one of ours for a page of this host; else a
    /// constant word that says why not.
    pub(super) fn open(&self, page: AskingPage<'_>) -> Result<GrantedPage<'_>, &'static str> {
        let opened = self.keys.open(page.grant, SystemTime::now());
        let grant = opened.map_err(GrantRefusal::as_str)?;
        let checked = grant.check_page(page.host, self.env);
        checked.map_err(GrantRefusal::as_str)?;
        let site = self.rules.site(page.host);
        let site = site.filter(|site| site.has_rule(grant.rule()));
        let site = site.ok_or("rule_gone")?;
        let rule = site.resolve(page.path);
        let rule = (*rule.label == *grant.rule()).then_some(rule);
        Ok(GrantedPage { grant, site, rule })
    }
}

impl GrantedPage<'_> {
    /// Whether the page allows the group: by its grant *and* by the rules of now.
    pub(super) fn check(&self, group: GroupId) -> Result<(), &'static str> {
        if !self.grant.groups().contains(group) {
            return Err("groupid");
        }
        let allows = match &self.rule {
            Some(rule) => {
                let groups = rule.groups.as_ref();
                groups.is_some_and(|groups| groups.contains(group))
            }
            None => self.site.rule_allows(self.grant.rule(), group),
        };
        allows.then_some(()).ok_or("group_gone")
    }

    /// The groups that the page allows.
    pub(super) fn allowed(&self) -> Vec<u32> {
        let granted = self.grant.groups().iter();
        let allowed = granted.filter(|group| self.check(*group).is_ok());
        allowed.map(GroupId::as_u32).collect()
    }

    fn masks(&self, group: GroupId) -> Vec<Arc<str>> {
        match &self.rule {
            Some(rule) if rule.mask_revision() == self.grant.mask_revision() => {
                rule.masks_for(group)
            }
            _ => self.site.masks_of_all_pages(group),
        }
    }
}

impl Look {
    fn refused(reason: &'static str, allowed: Vec<u32>) -> Self {
        Self {
            admission: Admission::Refused(reason),
            masks: Vec::new(),
            allowed,
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
        realm_of(RULES)
    }

    fn realm_of(rules: &str) -> Realm {
        let file = SourceFile {
            path: "rules.toml".into(),
            text: rules.to_owned(),
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

    fn look_with(realm: &Realm, grant: &str, path: &str, of: i64) -> Look {
        let host = "bank.example";
        realm.look(AskingPage { grant, host, path }, group(of))
    }

    fn look(realm: &Realm, fields: GrantFields, path: &str, of: i64) -> Look {
        look_with(realm, &sign(realm, fields), path, of)
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
                masks: all.map(str::to_owned).to_vec(),
                allowed: vec![1, 2],
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
        let look = look_with(&realm, &forged, "/", 1);
        assert_eq!(look.admission.reason(), "grant_unknown_key");
        let look = look_with(&realm, "", "/", 1);
        assert_eq!(look.admission.reason(), "grant_malformed");
    }

    #[test]
    fn a_group_that_was_taken_out_of_a_rule_goes_on_nowhere() {
        let before = realm();
        let grant = |path| sign(&before, fields(&before, path));
        let (desk, form) = (grant("/desk/x"), grant("/desk/form"));
        for path in ["/desk/x", "/desk/form", "/moved", "/"] {
            for grant in [&desk, &form] {
                let look = look_with(&before, grant, path, 2);
                assert_eq!(look.admission, Admission::Allowed, "{path}");
                assert_eq!(look.allowed, [1, 2], "{path}");
            }
        }
        let after = Realm {
            keys: before.keys.clone(),
            ..realm_of(&RULES.replace("additional_groups = [2]", ""))
        };
        for path in ["/desk/x", "/desk/form", "/moved", "/"] {
            for grant in [&desk, &form] {
                let look = look_with(&after, grant, path, 2);
                assert_eq!(look.admission.reason(), "group_gone", "{path}");
                assert_eq!(look.allowed, [1], "{path}");
                let look = look_with(&after, grant, path, 1);
                assert_eq!(look.admission, Admission::Allowed, "{path}");
            }
        }
        let off = Realm {
            keys: before.keys.clone(),
            ..realm_of(&RULES.replace("masks = [\"#desk\"]", "inject = false"))
        };
        let look = look_with(&off, &desk, "/moved", 1);
        assert_eq!(look.admission.reason(), "group_gone");
    }
}
