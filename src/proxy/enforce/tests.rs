use std::time::{Duration, UNIX_EPOCH};

use http::{Method, Request};

use super::*;
use crate::groups::{GrantEpoch, GrantKeys, SiteEnv};
use crate::problem::SourceFile;
use crate::proxy::ExchangeLimits;
use crate::rules::RuleSet;
use crate::telemetry::Metrics;
use crate::upstream::{self, Client, Target, TlsSettings};
use crate::wire::{self, CodingLevels, Markers, TrustedPeers, Via, empty_body, full_body};

const RULES: &str = r#"
    version = 1
    [[site]]
    hosts = ["www.bank.example"]
    origin = "http://10.0.0.1"
    group = 15687
    [[site.rule]]
    name = "desk"
    path = "/mortgage/**"
    additional_groups = [15688, 15690]
    [[site.rule]]
    path = "/mortgage/calculators/**"
    inject = false
    [[site]]
    hosts = ["*.shop.example"]
    origin = "http://10.0.0.2"
    case_insensitive_paths = true
    group = 15690
"#;

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn config() -> EnforceConfig {
    let groups = names(&EnforceConfig::GROUP_NAMES);
    EnforceConfig {
        group: Places {
            query: groups.clone(),
            json: groups,
            headers: names(&["X-Group"]),
        },
        grant: Places {
            query: names(&["grant"]),
            json: names(&["grant"]),
            headers: names(&["x-grant"]),
        },
        referer: true,
        unread_types: names(&["text/plain"]),
        body_bytes_max: 100,
    }
}

/// An edge with its backend below `/_c`, and the keys of its grants.
struct Stage {
    edge: Edge,
    route: SessionRoute,
    enforcement: Enforcement,
}

impl Stage {
    fn new() -> Self {
        Self::with(config(), Some("/_c"))
    }

    fn with(config: EnforceConfig, mount: Option<&str>) -> Self {
        let file = SourceFile {
            path: "rules.toml".into(),
            text: RULES.to_owned(),
        };
        let loaded = RuleSet::compile(vec![Arc::new(file)], SiteEnv::Production).unwrap();
        let target = Target {
            scheme: Scheme::Http,
            host: "10.0.0.3".to_owned(),
            port: 80,
            socket: None,
            tls: TlsSettings::default(),
        };
        let keys = GrantKeys::generate().unwrap();
        let grants = Grants::new(keys, GrantEpoch::default(), SiteEnv::Production);
        Self {
            edge: Edge {
                metrics: Arc::new(Metrics::new()),
                trusted_peers: Arc::new(TrustedPeers::default()),
                via: Via::new("edge"),
                levels: CodingLevels::default(),
                markers: Markers::default(),
                limits: ExchangeLimits::default(),
            },
            route: SessionRoute {
                origins: Client::new(&target, upstream::Config::default())
                    .unwrap()
                    .into(),
                backend: (Scheme::Http, "10.0.0.3".parse().unwrap()),
                mount: mount.map(Arc::from),
                strip_mount: true,
                cookies: Arc::new([]),
                rules: Arc::new(loaded.rules),
                enforcement: None,
            },
            enforcement: Enforcement {
                config: Arc::new(config),
                grants: Some(Arc::new(grants)),
            },
        }
    }

    /// The grant of a page, as its tag carries it.
    fn grant(&self, host: &str, path: &str, now: SystemTime) -> String {
        let rule = self.route.rules.site(host).unwrap().resolve(path);
        let grants = self.enforcement.grants.as_ref().unwrap();
        let rule = grants.granted(rule, host, now);
        let tag = rule.plan.as_ref().unwrap().tag().as_str().to_owned();
        let (_, grant) = tag.split_once("data-grant=\"").unwrap();
        grant.split('"').next().unwrap().to_owned()
    }

    async fn check(&self, asked: &Asked<'_>) -> Result<Vec<u8>, EnforceRefusal> {
        use http_body_util::BodyExt;
        let mut built = Request::builder().method(Method::POST).uri(asked.target);
        for (name, value) in asked.lines {
            built = built.header(*name, *value);
        }
        if !asked.lines.iter().any(|(name, _)| *name == "host") {
            built = built.header("host", "www.bank.example");
        }
        let (parts, ()) = built.body(()).unwrap().into_parts();
        let asking = Asking {
            edge: &self.edge,
            route: &self.route,
            request: &wire::admit(&parts, Scheme::Https).unwrap(),
            headers: &parts.headers,
            visitor_scheme: Scheme::Https,
        };
        let body = match asked.body {
            b"" => empty_body(),
            bytes => full_body(bytes.to_vec()),
        };
        let body = self.enforcement.check(&asking, body).await?;
        Ok(body.collect().await.unwrap().to_bytes().to_vec())
    }

    async fn kind(&self, asked: &Asked<'_>) -> &'static str {
        let checked = self.check(asked).await;
        checked.map_or_else(|refusal| refusal.kind(), |_| "allowed")
    }
}

struct Asked<'a> {
    target: &'a str,
    lines: &'a [(&'static str, &'a str)],
    body: &'a [u8],
}

const DESK: (&str, &str) = ("referer", "https://www.bank.example/mortgage/apply?x=1");
const FRONT: (&str, &str) = ("referer", "https://www.bank.example/");

#[tokio::test]
async fn a_query_is_read_as_the_most_lenient_backend_reads_it() {
    let stage = Stage::new();
    for (query, expected) in [
        ("", "allowed"),
        ("?a=1&b", "allowed"),
        ("?group=15687", "allowed"),
        ("?groupid=15690&group=15688", "allowed"),
        ("?group=15691", "group_not_allowed"),
        ("?GROUP=15691", "group_not_allowed"),
        ("?GroupId=15691", "group_not_allowed"),
        ("?%67roup=15691", "group_not_allowed"),
        ("?gr%4Fup=15691", "group_not_allowed"),
        ("?group=15687&group=15691", "group_not_allowed"),
        ("?group=15691&group=15687", "group_not_allowed"),
        ("?group=15687&groupid=15691", "group_not_allowed"),
        ("?a;group=15691", "group_not_allowed"),
        ("?a=1;group=15691", "group_not_allowed"),
        ("?group[]=15691", "group_not_allowed"),
        ("?group[0]=15691", "group_not_allowed"),
        ("?group%5B%5D=15691", "group_not_allowed"),
        ("?+group=15691", "group_not_allowed"),
        ("?group%20=15691", "group_not_allowed"),
        ("?group%00x=15691", "group_not_allowed"),
        ("?&&group=15691", "group_not_allowed"),
        ("?group=%31%35%36%38%37", "allowed"),
        ("?group=%315691", "group_not_allowed"),
        ("?group=", "group_unreadable"),
        ("?group", "group_unreadable"),
        ("?group=015687", "group_unreadable"),
        ("?group=15687.0", "group_unreadable"),
        ("?group=+15687", "group_unreadable"),
        ("?group=%2B15687", "group_unreadable"),
        ("?group=-15687", "group_unreadable"),
        ("?group=0x3d47", "group_unreadable"),
        ("?group=1.5687e4", "group_unreadable"),
        ("?group=15687,15691", "group_unreadable"),
        ("?group=15687;15691", "group_unreadable"),
        ("?group=15687%00", "group_unreadable"),
        ("?group=15687%0a", "group_unreadable"),
        ("?group==15687", "group_unreadable"),
        ("?group=%EF%BC%91", "group_unreadable"),
        ("?group=4294982983", "group_unreadable"),
        ("?group=0", "group_unreadable"),
        ("?group=1%zz", "group_unreadable"),
        ("?%u0067roup=15691", "session_query_unreadable"),
        ("?%EF%BD%87roup=15691", "session_query_unreadable"),
        ("?%=1", "session_query_unreadable"),
        ("?a=100%", "allowed"),
        ("?groups=15691&xgroup=15691&groupidx=15691", "allowed"),
    ] {
        let target = format!("/_c/CobrowseJS.ashx{query}");
        let (lines, body) = (&[DESK][..], &b""[..]);
        let asked = Asked {
            target: &target,
            lines,
            body,
        };
        assert_eq!(stage.kind(&asked).await, expected, "{query}");
    }
}

#[tokio::test]
async fn json_is_read_in_one_way_or_not_at_all() {
    let stage = Stage::new();
    for (body, expected) in [
        (r#"{}"#, "allowed"),
        (r#"[1, "15691", null, 1.5, -1, true]"#, "allowed"),
        (r#"{"groupid": 15687}"#, "allowed"),
        (r#"{"groupid": "15687"}"#, "allowed"),
        (r#"{"GROUPID": 15691}"#, "group_not_allowed"),
        (r#"{"groupid": "15691"}"#, "group_not_allowed"),
        (r#"{"gr\u006fup": 15691}"#, "group_not_allowed"),
        (r#"{"group\u0131d": 15691}"#, "group_not_allowed"),
        (r#"{"group": 15687, "group": 15691}"#, "group_not_allowed"),
        (r#"{"group": 15691, "group": 15687}"#, "group_not_allowed"),
        (r#"{"group": 15687, "groupId": 15691}"#, "group_not_allowed"),
        (
            r#"[[{"a": {"b": [{"group": 15691}]}}]]"#,
            "group_not_allowed",
        ),
        (r#"{"group": 15687.0}"#, "group_unreadable"),
        (r#"{"group": 1.5687e4}"#, "group_unreadable"),
        (r#"{"group": -15687}"#, "group_unreadable"),
        (r#"{"group": "015687"}"#, "group_unreadable"),
        (r#"{"group": "15687.0"}"#, "group_unreadable"),
        (r#"{"group": " 15687"}"#, "group_unreadable"),
        (r#"{"group": ""}"#, "group_unreadable"),
        (r#"{"group": null}"#, "group_unreadable"),
        (r#"{"group": true}"#, "group_unreadable"),
        (r#"{"group": [15687]}"#, "group_unreadable"),
        (r#"{"group": {"id": 15687}}"#, "group_unreadable"),
        (r#"{"group": 99999999999999999999}"#, "group_unreadable"),
        (r#"{"group": 015687}"#, "session_body_unreadable"),
        (r#"{"group": 0x3d47}"#, "group_unreadable"),
        (
            r#"{"group": 15687} {"group": 15691}"#,
            "session_body_unreadable",
        ),
        (r#"{"group": 15687,}"#, "session_body_unreadable"),
        (r#"{'group': 15691}"#, "session_body_unreadable"),
        (r#"{group: 15691}"#, "session_body_unreadable"),
        (r#"/**/{"group": 15691}"#, "session_body_unreadable"),
        (r#"{"group": 15691"#, "session_body_unreadable"),
        (r#"{"\ud800": 1}"#, "session_body_unreadable"),
        ("\u{feff}{\"group\": 15691}", "session_body_unreadable"),
        ("group=15691", "session_body_unreadable"),
    ] {
        let lines = &[DESK, ("content-type", "application/json")];
        let asked = Asked {
            target: "/_c/start",
            lines,
            body: body.as_bytes(),
        };
        assert_eq!(stage.kind(&asked).await, expected, "{body}");
    }
    let deep = format!("{}{}", "[".repeat(50), "]".repeat(50));
    let latin = b"{\"group\": 15687, \"name\": \"\xe4\"}";
    let utf16 = b"{\0}\0";
    let inputs = [
        (deep.as_bytes(), "allowed"),
        (&latin[..], "session_body_unreadable"),
        (&utf16[..], "session_body_unreadable"),
    ];
    for (body, expected) in inputs {
        let lines = &[DESK, ("content-type", "application/json; charset=UTF-8")];
        let asked = Asked {
            target: "/_c/start",
            lines,
            body,
        };
        assert_eq!(stage.kind(&asked).await, expected, "{body:?}");
    }
}

#[tokio::test]
async fn a_body_goes_on_as_it_was_if_it_can_be_read() {
    let stage = Stage::new();
    let foreign = r#"{"group":15691}"#;
    for (types, body, expected) in [
        (&["application/json"][..], foreign, "group_not_allowed"),
        (
            &["APPLICATION/JSON ; Charset=\"utf-8\""],
            foreign,
            "group_not_allowed",
        ),
        (&["text/json"], foreign, "group_not_allowed"),
        (&["application/vnd.x+json"], foreign, "group_not_allowed"),
        (&["application/json"], r#" {"group" :15687} "#, "allowed"),
        (
            &["application/x-www-form-urlencoded"],
            "a=1&group=15691",
            "group_not_allowed",
        ),
        (
            &["application/x-www-form-urlencoded"],
            "a=\u{e4}&group=15687",
            "allowed",
        ),
        (
            &["application/x-www-form-urlencoded"],
            foreign,
            "session_body_unreadable",
        ),
        (
            &["application/x-www-form-urlencoded"],
            " [1]",
            "session_body_unreadable",
        ),
        (
            &["application/x-www-form-urlencoded"],
            "%zz=1",
            "session_body_unreadable",
        ),
        (&["text/plain"], "group=15691", "allowed"),
        (&["text/plain;charset=utf-16"], "group=15691", "allowed"),
        (&[], foreign, "session_body_type"),
        (&["application/octet-stream"], foreign, "session_body_type"),
        (
            &["multipart/form-data; boundary=x"],
            foreign,
            "session_body_type",
        ),
        (
            &["application/json; charset=utf-16"],
            foreign,
            "session_body_type",
        ),
        (
            &["application/json; charset=utf-8; charset=utf-7"],
            foreign,
            "session_body_type",
        ),
        (
            &["application/json", "text/plain"],
            foreign,
            "session_body_type",
        ),
        (
            &["text/plain, application/json"],
            foreign,
            "session_body_type",
        ),
        (&["json"], foreign, "session_body_type"),
        (&["application/json"], "", "allowed"),
        (&[], "", "allowed"),
    ] {
        let mut lines = vec![DESK];
        lines.extend(types.iter().map(|media_type| ("content-type", *media_type)));
        let asked = Asked {
            target: "/_c/start",
            lines: &lines,
            body: body.as_bytes(),
        };
        match stage.check(&asked).await {
            Ok(passed) => {
                assert_eq!(expected, "allowed", "{types:?} {body}");
                assert_eq!(passed, body.as_bytes());
            }
            Err(refusal) => assert_eq!(refusal.kind(), expected, "{types:?} {body}"),
        }
    }
}

#[tokio::test]
async fn a_body_in_a_coding_or_beyond_the_limit_is_refused() {
    let stage = Stage::new();
    let json = ("content-type", "application/json");
    let of_length = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
    for (coding, length, expected) in [
        ("gzip", 10, "session_body_type"),
        ("IDENTITY", 10, "allowed"),
        ("identity", 100, "allowed"),
        ("identity", 101, "session_body_too_large"),
        ("identity, gzip", 10, "session_body_type"),
    ] {
        let (lines, body) = (
            [DESK, json, ("content-encoding", coding)],
            of_length(length),
        );
        let asked = Asked {
            target: "/_c/start",
            lines: &lines,
            body: body.as_bytes(),
        };
        assert_eq!(stage.kind(&asked).await, expected, "{coding} {length}");
    }
}

#[tokio::test]
async fn every_header_field_that_names_a_group_counts() {
    let stage = Stage::new();
    for (lines, expected) in [
        (&[("x-group", "15687")][..], "allowed"),
        (&[("x-group", "15691")], "group_not_allowed"),
        (&[("x_group", "15691")], "group_not_allowed"),
        (
            &[("x-group", "15687"), ("x-group", "15691")],
            "group_not_allowed",
        ),
        (&[("x-group", "15687, 15688")], "group_unreadable"),
        (&[("x-group", "")], "group_unreadable"),
        (&[("x-group", "\u{e4}")], "group_unreadable"),
        (&[("x-groups", "15691")], "allowed"),
    ] {
        let lines: Vec<_> = lines.iter().copied().chain([DESK]).collect();
        let asked = Asked {
            target: "/_c/start",
            lines: &lines,
            body: b"",
        };
        assert_eq!(stage.kind(&asked).await, expected, "{lines:?}");
    }
}

/// The group is one that every page would allow.
#[tokio::test]
async fn a_page_is_known_by_a_referer_of_its_own_origin_or_not_at_all() {
    let stage = Stage::new();
    for (lines, expected) in [
        (&[FRONT][..], "allowed"),
        (&[DESK], "allowed"),
        (&[("referer", "https://www.bank.example:443/a")], "allowed"),
        (&[("origin", "https://www.bank.example"), FRONT], "allowed"),
        (&[], "page_unknown"),
        (&[("referer", "")], "page_unknown"),
        (&[("referer", "/mortgage/apply")], "page_unknown"),
        (&[("referer", "about:blank")], "page_unknown"),
        (&[("referer", "http://www.bank.example/")], "page_unknown"),
        (
            &[("referer", "https://www.bank.example:8443/")],
            "page_unknown",
        ),
        (&[("referer", "https://bank.example/")], "page_unknown"),
        (&[("referer", "https://a.shop.example/")], "page_unknown"),
        (
            &[("referer", "https://www.bank.example.evil.example/")],
            "page_unknown",
        ),
        (
            &[("referer", "https://www.bank.example@evil.example/")],
            "page_unknown",
        ),
        (
            &[("referer", "https://evil.example/https://www.bank.example/")],
            "page_unknown",
        ),
        (&[FRONT, FRONT], "page_unknown"),
        (
            &[("origin", "https://a.shop.example"), FRONT],
            "page_unknown",
        ),
        (&[("origin", "null"), FRONT], "page_unknown"),
        (
            &[("referer", "https://www.bank.example/_c/frame.html")],
            "page_unknown",
        ),
        (
            &[("referer", "https://www.bank.example/_c")],
            "page_unknown",
        ),
        (
            &[("referer", "https://www.bank.example/x/../_c/")],
            "page_unknown",
        ),
        (&[("referer", "https://www.bank.example/_cx")], "allowed"),
        (
            &[("referer", "https://www.bank.example/../x")],
            "page_unknown",
        ),
        (
            &[("referer", "https://www.bank.example/a%2fb")],
            "page_unknown",
        ),
        (
            &[("referer", "https://www.bank.example/mortgage/calculators/a")],
            "group_not_allowed",
        ),
        (
            &[(
                "referer",
                "https://www.bank.example/x/../mortgage/%63alculators/a",
            )],
            "group_not_allowed",
        ),
    ] {
        let asked = Asked {
            target: "/_c/x?group=15687",
            lines,
            body: b"",
        };
        assert_eq!(stage.kind(&asked).await, expected, "{lines:?}");
    }
}

#[tokio::test]
async fn each_page_allows_its_own_groups() {
    let stage = Stage::new();
    for (referer, group, expected) in [
        (DESK, 15690, "allowed"),
        (FRONT, 15690, "group_not_allowed"),
        (FRONT, 15687, "allowed"),
    ] {
        let target = format!("/_c/x?group={group}");
        let asked = Asked {
            target: &target,
            lines: &[referer],
            body: b"",
        };
        assert_eq!(stage.kind(&asked).await, expected, "{referer:?} {group}");
    }
    let asked = Asked {
        target: "/_c/x?group=15690",
        lines: &[FRONT],
        body: b"",
    };
    let refusal = stage.check(&asked).await.unwrap_err();
    let answer: serde_json::Value = serde_json::from_str(&refusal.to_json()).unwrap();
    assert_eq!(answer["error"], "group_not_allowed");
    assert_eq!(answer["group"], 15690);
    assert_eq!(answer["allowed"], serde_json::json!([15687]));
    assert_eq!(refusal.status(), http::StatusCode::FORBIDDEN);
}

/// Windows reads other names than it is told; so rules of such a site might not have been asked.
#[tokio::test]
async fn a_referer_that_can_be_read_in_two_ways_names_no_page() {
    let stage = Stage::new();
    for (page, expected) in [
        ("/a", "allowed"),
        ("/a.", "page_unknown"),
        ("/a::$DATA", "page_unknown"),
    ] {
        let referer = format!("https://a.shop.example{page}");
        let lines = &[("host", "a.shop.example"), ("referer", &*referer)];
        let asked = Asked {
            target: "/_c/x?group=15690",
            lines,
            body: b"",
        };
        assert_eq!(stage.kind(&asked).await, expected, "{page}");
    }
}

#[tokio::test]
async fn a_grant_tells_the_page_wherever_it_is_carried() {
    let stage = Stage::new();
    let now = SystemTime::now();
    let desk = stage.grant("www.bank.example", "/mortgage/apply", now);
    let front = stage.grant("www.bank.example", "/", now);
    let shop = stage.grant("a.shop.example", "/", now);
    let old = stage.grant(
        "www.bank.example",
        "/mortgage/apply",
        UNIX_EPOCH + Duration::from_secs(1),
    );
    let (signed, mac) = desk.rsplit_once('.').unwrap();
    let other = if mac.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{signed}.{other}{}", &mac[1..]);
    for (grants, expected) in [
        (&[&desk][..], "allowed"),
        (&[&desk, &desk], "allowed"),
        (&[&front], "group_not_allowed"),
        (&[&desk, &front], "grant_ambiguous"),
        (&[&front, &desk], "grant_ambiguous"),
        (&[&shop], "grant_foreign_page"),
        (&[&old], "grant_expired"),
        (&[&forged], "grant_forged"),
        (&[&String::new()], "grant_malformed"),
    ] {
        let query: Vec<_> = grants
            .iter()
            .map(|grant| format!("&Grant={grant}"))
            .collect();
        let target = format!("/_c/x?group=15690{}", query.concat());
        let asked = Asked {
            target: &target,
            lines: &[],
            body: b"",
        };
        let kind = stage.kind(&asked).await;
        assert_eq!(kind, expected, "{grants:?}");
        // What Referer says does not save it.
        let asked = Asked {
            target: &target,
            lines: &[DESK],
            body: b"",
        };
        assert_eq!(stage.kind(&asked).await, kind, "{grants:?}");
    }
    let header = [("x-grant", &*desk)];
    let asked = Asked {
        target: "/_c/x?group=15690",
        lines: &header,
        body: b"",
    };
    assert_eq!(stage.kind(&asked).await, "allowed");
    let bare = Asked {
        target: "/_c/x",
        lines: &[("x-grant", "nonsense")],
        body: b"",
    };
    assert_eq!(stage.kind(&bare).await, "allowed");
}

#[tokio::test]
async fn on_a_host_of_its_own_a_backend_learns_pages_by_grant_only() {
    let mut config = config();
    config.body_bytes_max = 1000;
    let stage = Stage::with(config, None);
    let host = ("host", "cobrowse.bank.example");
    let desk = stage.grant("www.bank.example", "/mortgage/a", SystemTime::now());
    let body = format!("{{\"groupid\": 15690, \"grant\": \"{desk}\"}}");
    let json = ("content-type", "application/json");
    let ours = ("origin", "https://www.bank.example");
    for (lines, body, expected) in [
        (&[host, json, ours][..], &*body, "allowed"),
        (&[host, json, DESK], &body, "allowed"),
        (&[host, json], &body, "grant_unchecked"),
        (
            &[host, json, ("origin", "null"), DESK],
            &body,
            "grant_unchecked",
        ),
        (
            &[host, json, ("origin", "https://a.shop.example")],
            &body,
            "grant_foreign_page",
        ),
        (&[host, json, DESK], r#"{"groupid": 15690}"#, "page_unknown"),
        (
            &[
                host,
                json,
                ("referer", "https://cobrowse.bank.example/mortgage/a"),
            ],
            r#"{"groupid": 15690}"#,
            "page_unknown",
        ),
    ] {
        let asked = Asked {
            target: "/start",
            lines,
            body: body.as_bytes(),
        };
        assert_eq!(stage.kind(&asked).await, expected, "{lines:?} {body}");
    }
}

#[tokio::test]
async fn places_that_are_not_named_are_not_read() {
    let mut config = config();
    config.group.json.clear();
    config.grant.json.clear();
    config.referer = false;
    let stage = Stage::with(config, Some("/_c"));
    for (target, media_type, expected) in [
        ("/_c/x", "application/json", "allowed"),
        ("/_c/x", "application/octet-stream", "allowed"),
        ("/_c/x?group=15687", "application/json", "page_unknown"),
        ("/_c/x", "application/x-www-form-urlencoded", "page_unknown"),
    ] {
        let lines = &[DESK, ("content-type", media_type)];
        let asked = Asked {
            target,
            lines,
            body: b"group=15687",
        };
        assert_eq!(stage.kind(&asked).await, expected, "{target} {media_type}");
    }
}

#[tokio::test]
async fn what_was_decided_is_counted_by_reason() {
    let stage = Stage::new();
    for target in ["/_c/x?group=15691", "/_c/x?group=15687", "/_c/x"] {
        stage
            .kind(&Asked {
                target,
                lines: &[DESK],
                body: b"",
            })
            .await;
    }
    let text = stage.edge.metrics.encode();
    for (outcome, count) in [("allowed", 1), ("group_not_allowed", 1)] {
        let line = format!(
            "edge_group_checks_total{{site=\"www.bank.example\",outcome=\"{outcome}\"}} {count}\n"
        );
        assert!(text.contains(&line), "{text}");
    }
}
