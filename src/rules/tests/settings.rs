use std::time::Duration;

use crate::html::{Frames, Transform};
use crate::problem::Place;

use super::*;

#[test]
fn reads_how_the_origin_is_spoken_to() {
    let rules = rules(
        r#"version = 1
[[site]]
hosts = ["www.bank.example"]
origin = "https://10.1.4.20:8443"
inject = false
host = "origin"
body_bytes_max = "2GiB"
[site.upstream]
ca = "ca.pem"
server_name = "Legacy.bank.example"
client_certificate = "/etc/edge/client.pem"
client_key = "/etc/edge/client.key"
connect_timeout = "500ms"
first_byte_timeout = "10s"
idle_timeout = "5m"
"#,
    );
    let site = rules.site("www.bank.example").unwrap();
    assert_eq!(site.host_header(), HostHeader::Origin);
    assert_eq!(site.body_bytes_max(), Some(2 << 30));
    assert_eq!(
        *site.origin(),
        OriginSettings {
            addresses: vec![OriginAddress {
                scheme: OriginScheme::Https,
                host: "10.1.4.20".into(),
                port: 8443,
                socket: None,
            }],
            ca: Some("rules/ca.pem".into()),
            server_name: Some("legacy.bank.example".into()),
            client_certificate: Some("/etc/edge/client.pem".into()),
            client_key: Some("/etc/edge/client.key".into()),
            connect_timeout: Some(Duration::from_millis(500)),
            first_byte_timeout: Some(Duration::from_secs(10)),
            idle_timeout: Some(Duration::from_secs(300)),
            ..OriginSettings::default()
        }
    );
}

#[test]
fn reads_several_origins_and_how_they_are_chosen_among() {
    let rules = rules(
        r#"version = 1
[[site]]
hosts = ["www.bank.example"]
origins = ["http://10.1.4.20:8080", "http://10.1.4.21:8080"]
inject = false
[site.upstream]
balance = "cookie"
balance_cookie = "JSESSIONID"
eject_after = 3
eject_time = "2s"
eject_time_max = "1m"
panic_threshold = 30
slow_start = "10s"
retry_percent = 10
retry_floor = 1
error_page = "down.html"
"#,
    );
    let origin = rules.site("www.bank.example").unwrap().origin();
    let hosts: Vec<_> = origin.addresses.iter().map(|one| &*one.host).collect();
    assert_eq!(hosts, ["10.1.4.20", "10.1.4.21"]);
    assert_eq!(
        *origin,
        OriginSettings {
            addresses: origin.addresses.clone(),
            balance: Some(OriginBalance::Cookie("JSESSIONID".into())),
            eject_after: Some(3),
            eject_time: Some(Duration::from_secs(2)),
            eject_time_max: Some(Duration::from_mins(1)),
            panic_threshold: Some(30),
            slow_start: Some(Duration::from_secs(10)),
            retry_percent: Some(10),
            retry_floor: Some(1),
            error_page: Some("rules/down.html".into()),
            ..OriginSettings::default()
        }
    );
}

#[test]
fn warns_of_tags_that_load_but_do_not_do_what_is_meant() {
    let warnings = |tag: &str| {
        let text = format!(
            "version = 1\n[[site]]\nhosts = [\"a\"]\norigin = \"http://o\"\ngroup = 7\n[site.tag]\n{tag}"
        );
        compile(&text).map_or_else(
            |problems| listed(&problems),
            |loaded| listed(&loaded.warnings),
        )
    };
    let integrity = format!("integrity = \"sha256-{}\"\n", "A".repeat(44));
    assert!(warnings(&integrity).contains("integrity without crossorigin"));
    assert_eq!(
        warnings(&format!("{integrity}crossorigin = \"anonymous\"\n")),
        ""
    );
    assert!(warnings("nonce = \"abc\"").contains("a fixed nonce"));
}

#[test]
fn a_collision_points_at_both_paths() {
    let text = "version = 1\n[[site]]\nhosts = [\"a\"]\norigin = \"http://o\"\ngroup = 7\n\
         [[site.rule]]\nname = \"one\"\npath = [\"/x\", \"/a/**\"]\n[[site.rule]]\nname = \"two\"\npath = \"/**/b\"\n";
    let problems = compile(text).unwrap_err();
    let [problem] = &problems[..] else {
        panic!("{}", listed(&problems));
    };
    let Place::Span { span, also, .. } = &problem.place else {
        panic!("{problem:?}");
    };
    assert_eq!(&text[span.clone()], "\"/**/b\"");
    assert_eq!(&text[also[0].span.clone()], "\"/a/**\"");
}

#[test]
fn reads_what_is_kept_per_group() {
    let loaded = RuleSet::load(&root().join("rules"), SiteEnv::Production).unwrap();
    let id = crate::groups::GroupId::new(15690).unwrap();
    let group = loaded.rules.group(id).unwrap();
    assert_eq!(group.name.as_deref(), Some("Mortgage partners"));
    assert_eq!(group.trusted_domains.chat, ["https://chat.vendor.example"]);
    assert_eq!(group.button.color.as_deref(), Some("#0a5c36"));
    assert_eq!(group.key.digits, 6);
}

#[test]
fn a_site_may_have_a_script_of_its_own() {
    let rules = rules(
        r#"version = 1
script = { url = "https://cdn.example/{site}/{group}.js" }
[[site]]
hosts = ["a"]
origin = "http://o"
group = 7
[[site]]
hosts = ["b"]
origin = "http://o"
group = 7
script = { url = "/own.js" }
[[site]]
hosts = ["c"]
origin = "http://o"
group = 7
script = { kind = "edge", url = "/edge.js" }
[[group]]
id = 7
"#,
    );
    let tag = |host: &str| tag(rules.site(host).unwrap(), "/");
    assert!(
        tag("a").contains("src=\"https://cdn.example/production/7.js\""),
        "{}",
        tag("a")
    );
    assert!(tag("b").contains("src=\"/own.js\""), "{}", tag("b"));
    assert!(tag("c").contains("src=\"/edge.js\""), "{}", tag("c"));
}

#[test]
fn the_url_of_one_kind_of_script_is_not_inherited_by_another() {
    let rules = rules(
        r#"version = 1
script = { kind = "edge", url = "/edge.js" }
[[group]]
id = 7
[[site]]
hosts = ["a"]
origin = "http://o"
group = 7
script = { kind = "glance" }
"#,
    );
    let tag = tag(rules.site("a").unwrap(), "/");
    assert!(tag.contains("src=\"https://www.glancecdn.net/"), "{tag}");
}

#[test]
fn what_a_script_needs_is_stated_or_follows_from_its_url() {
    let rules = rules(
        r#"version = 1
[script]
needs = { connect = ["https://ws.example", "wss://ws.example"], frame = [] }
[[site]]
hosts = ["a"]
origin = "http://o"
group = 7
csp = "refuse"
tag = { integrity = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }
script = { url = "/own.js", needs = { script = ["https://cdn.example/x/"], connect = ["self"] } }
[[site]]
hosts = ["b"]
origin = "http://o"
group = 7
[[site]]
hosts = ["c"]
origin = "http://o"
group = 7
script = { kind = "edge", url = "/_cobrowse/v.js" }
[[group]]
id = 7
"#,
    );
    let terms = |host| rules.site(host).unwrap().resolve("/").csp.to_string();
    assert_eq!(
        terms("a"),
        "refuse; script-src 'self' https://cdn.example/x/; connect-src 'self' 'self' (WebSockets); \
         style-src 'self'; img-src 'self'; frame-src"
    );
    let hashes = &rules.site("a").unwrap().resolve("/").csp.needs.integrity;
    assert_eq!(
        hashes[..],
        ["sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into()]
    );
    let vendor = "https://*.glancecdn.net https://*.glance.net";
    assert_eq!(
        terms("b"),
        format!(
            "patch; script-src {vendor}; connect-src https://ws.example wss://ws.example; \
                 style-src {vendor}; img-src {vendor}; frame-src"
        )
    );
    assert_eq!(
        terms("c"),
        "patch; script-src 'self' (/_cobrowse/); connect-src https://ws.example wss://ws.example; \
         style-src 'self' (/_cobrowse/); img-src 'self' (/_cobrowse/); frame-src"
    );
    let version = |host| {
        rules
            .site(host)
            .unwrap()
            .resolve("/")
            .plan
            .as_ref()
            .unwrap()
            .version()
    };
    assert_ne!(version("b"), version("c"));
}

#[test]
fn a_page_has_another_version_when_its_policies_are_treated_otherwise() {
    let version = |csp: &str| {
        let rules = rules(&format!(
            "version = 1\n[[site]]\nhosts = [\"a\"]\norigin = \"http://o\"\ngroup = 7\n{csp}"
        ));
        let rule = rules.site("a").unwrap().resolve("/");
        rule.plan.as_ref().unwrap().version()
    };
    assert_eq!(version(""), version("csp = \"patch\""));
    assert_ne!(version(""), version("csp = \"leave\""));
    assert_ne!(version(""), version("script = { needs = { frame = [] } }"));
}

#[test]
fn a_tag_in_the_head_is_allowed_without_masks_and_said_to_be_blind() {
    let loaded = compile(
        "version = 1\n[[site]]\nhosts = [\"a\"]\norigin = \"http://o\"\ngroup = 7\nplacement = \"head\"\n\
         [[site.rule]]\npath = \"/private/**\"\nmasks = [\"#m\"]\nplacement = \"end\"\n",
    );
    let loaded = loaded.unwrap_or_else(|problems| panic!("{}", listed(&problems)));
    assert_eq!(loaded.warnings.len(), 1);
    assert!(
        loaded.warnings[0].message.contains("not searched"),
        "{}",
        listed(&loaded.warnings)
    );
    let placement = |path| {
        let rule = loaded.rules.site("a").unwrap().resolve(path);
        rule.plan.as_ref().unwrap().placement()
    };
    assert_eq!(placement("/"), crate::html::Placement::Head);
    assert_eq!(placement("/private/x"), crate::html::Placement::End);
}

#[test]
fn a_directory_must_be_there_and_hold_readable_rule_files() {
    let dir = TestDirectory::new();
    let load = || listed(&RuleSet::load(dir.path(), SiteEnv::Production).unwrap_err());
    assert!(load().contains("holds no *.toml file"), "{}", load());
    dir.write(".hidden.toml", "nonsense");
    dir.write("a.toml~", "nonsense");
    assert!(load().contains("holds no *.toml file"), "{}", load());
    dir.write("bytes.toml", b"version = 1\n# \xff\n");
    dir.write("other.toml", "version = 2\n");
    let problems = load();
    assert!(problems.contains("not UTF-8 text: line 2"), "{problems}");
    assert!(problems.contains("version 2"), "{problems}");
    dir.remove("bytes.toml");
    dir.write(
        "other.toml",
        "version = 1\n[[site]]\nhosts = [\"a\"]\norigin = \"https://o\"\ngroup = 1\nupstream.ca = \"none.pem\"\n",
    );
    let problems = load();
    assert!(
        problems.contains("other.toml:6: there is no file"),
        "{problems}"
    );
    std::fs::remove_dir_all(dir.path()).unwrap();
    assert!(load().contains("cannot be read"), "{}", load());
}

/// What two readings of a path differ in is decided by the one that does less.
#[test]
fn frames_transform_and_merging_are_decided_by_the_most_specific_level() {
    let rules = rules(
        r#"version = 1
[defaults]
transform = "always"
[[site]]
hosts = ["a"]
origin = "http://b"
group = 7
frames = "skip"
merge_existing = true
tag = { termsurl = false, video = "off" }
[[site.rule]]
path = "/in"
frames = "tag"
transform = "unless-forbidden"
merge_existing = false
ui = "default"
"#,
    );
    let site = rules.site("a").unwrap();
    let plan = |path| site.resolve(path).plan.clone().unwrap();
    let (broad, rule) = (plan("/"), plan("/in"));
    assert_eq!(
        (broad.frames(), broad.transform()),
        (Frames::Skip, Transform::Always)
    );
    assert_eq!(
        (rule.frames(), rule.transform()),
        (Frames::Tag, Transform::UnlessForbidden)
    );
    assert!(rule.inheritance().is_none());
    let inherited = broad.inheritance().unwrap().attributes.clone();
    assert_eq!(
        inherited,
        [
            "data-inputevents",
            "data-presence",
            "data-visitorid",
            "data-cookiedomain",
            "data-cookietype",
            "data-startpaused",
            "data-collection",
            "defer",
            "data-ui"
        ]
    );
    let both = plan("/in;x");
    assert_eq!(
        (both.frames(), both.transform()),
        (Frames::Skip, Transform::UnlessForbidden)
    );
    assert!(both.inheritance().is_none());
    assert_ne!(broad.version(), rule.version());
    let shown = site.explain("/in").to_string();
    assert!(
        shown.contains("frames") && shown.contains("unless-forbidden"),
        "{shown}"
    );
}
