use std::path::PathBuf;
use std::sync::Arc;

use http::{HeaderName, Method, Request, Response, Version};
use hyper::ext::ReasonPhrase;

use super::*;
use crate::problem::SourceFile;
use crate::proxy::ExchangeLimits;
use crate::rules::{RuleSet, SiteEnv};
use crate::telemetry::Metrics;
use crate::upstream::{self, Client, Target, TlsSettings};
use crate::wire::{CodingLevels, Markers, TrustedPeers, Via, admit};

/// One exchange's heads, without a socket.
struct Stage {
    edge: Edge,
    route: PageRoute,
    request: EdgeRequest,
    headers: HeaderMap,
}

fn stage(site: &str, request: &[(&'static str, &'static str)]) -> Stage {
    let text = format!(
        "version = 1\n[[site]]\nhosts = [\"*\"]\norigin = \"http://10.1.4.20:8443\"\ngroup = 7\n{site}"
    );
    let file = Arc::new(SourceFile {
        path: PathBuf::from("rules.toml"),
        text,
    });
    let rules = RuleSet::compile(vec![file], SiteEnv::Production)
        .unwrap()
        .rules;
    let target = Target {
        scheme: Scheme::Http,
        host: "10.1.4.20".to_owned(),
        port: 8443,
        socket: None,
        tls: TlsSettings::default(),
    };
    let mut built = Request::get("/page?q=1").header("host", "www.bank.example");
    for (name, value) in request {
        built = built.header(*name, *value);
    }
    let (parts, ()) = built.body(()).unwrap().into_parts();
    Stage {
        edge: Edge {
            metrics: Arc::new(Metrics::new()),
            trusted_peers: Arc::new(TrustedPeers::new(vec!["10.9.0.0/16".parse().unwrap()])),
            via: Via::new("edge"),
            levels: CodingLevels::default(),
            markers: Markers::default(),
            limits: ExchangeLimits::default(),
        },
        route: PageRoute {
            site: Arc::clone(&rules.sites()[0]),
            origins: Client::new(&target, upstream::Config::default())
                .unwrap()
                .into(),
            origin: (Scheme::Http, Authority::parse(b"10.1.4.20:8443").unwrap()),
            other_origins: Vec::new(),
            grants: None,
        },
        request: admit(&parts, Scheme::Http).unwrap(),
        headers: parts.headers,
    }
}

impl Stage {
    fn head(&self, peer: &str) -> PageHead<'_> {
        let peer = peer.parse().unwrap();
        PageHead {
            edge: &self.edge,
            route: &self.route,
            request: &self.request,
            peer,
            subject: None,
        }
    }

    fn asked(&self) -> Asked {
        Asked::of(Method::GET, &self.headers)
    }

    fn plan(&self) -> Arc<Plan> {
        self.route.site.resolve("/page").plan.clone().unwrap()
    }

    /// The head as the origin gets it.
    fn up(&self, peer: &str) -> HeaderMap {
        let mut headers = self.headers.clone();
        self.head(peer)
            .to_origin(&mut headers, &self.asked(), Some(&self.plan()));
        headers
    }

    /// An answer's head as the visitor gets it.
    fn down(&self, peer: &str, status: u16, answer: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = self.headers.clone();
        let (asked, plan) = (self.asked(), self.plan());
        let carried = self.head(peer).to_origin(&mut headers, &asked, Some(&plan));
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.status = StatusCode::from_u16(status).unwrap();
        parts.version = Version::HTTP_10;
        for (name, value) in answer {
            let name = HeaderName::from_static(name);
            parts
                .headers
                .append(name, HeaderValue::from_str(value).unwrap());
        }
        let (head, rule) = (self.head(peer), self.route.site.resolve("/page"));
        let verdict = inject::judge(&asked, &parts, Ok(&plan));
        let (verdict, policies) = head.settle_policies(verdict, &parts, &carried, &rule);
        let judged = (&asked, &verdict, policies.as_ref());
        head.to_visitor(&mut parts, &carried, judged, &rule);
        parts.headers
    }
}

fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect()
}

const PAGE: (&str, &str) = ("sec-fetch-dest", "document");

#[test]
fn the_origin_learns_who_asks_and_nothing_that_a_stranger_claims() {
    let up = stage(
        "",
        &[
            ("x-forwarded-for", "6.6.6.6"),
            ("connection", "x-a, close"),
            ("x-a", "1"),
        ],
    )
    .up("192.0.2.1");
    assert_eq!(values(&up, "host"), ["www.bank.example"]);
    assert_eq!(values(&up, "x-forwarded-for"), ["192.0.2.1"]);
    assert_eq!(values(&up, "x-forwarded-proto"), ["http"]);
    assert_eq!(values(&up, "x-forwarded-host"), ["www.bank.example"]);
    assert_eq!(values(&up, "via"), ["1.1 edge"]);
    assert!(!up.contains_key("connection") && !up.contains_key("x-a"));
}

#[test]
fn the_origins_own_name_is_sent_where_the_site_says_so() {
    let up = stage("host = \"origin\"", &[]).up("192.0.2.1");
    assert_eq!(values(&up, "host"), ["10.1.4.20:8443"]);
}

#[test]
fn the_origin_is_asked_only_for_codings_that_can_be_read() {
    let up = |codings| stage("", &[("accept-encoding", codings)]).up("192.0.2.1");
    assert_eq!(values(&up("gzip, dcb;q=0.9"), "accept-encoding"), ["gzip"]);
    assert_eq!(values(&up("dcz"), "accept-encoding"), ["identity"]);
    assert!(
        !stage("", &[])
            .up("192.0.2.1")
            .contains_key("accept-encoding")
    );
}

#[test]
fn a_page_is_asked_for_whole_and_its_validator_is_the_origins_own() {
    let bare = stage("", &[PAGE]);
    let down = bare.down(
        "192.0.2.1",
        200,
        &[("content-type", "text/html"), ("etag", "\"a\"")],
    );
    let tag: &'static str = Box::leak(values(&down, "etag")[0].to_owned().into_boxed_str());
    assert_ne!(tag, "\"a\"");
    let again = stage("", &[PAGE, ("if-none-match", tag), ("range", "bytes=0-9")]);
    let up = again.up("192.0.2.1");
    assert_eq!(values(&up, "if-none-match"), ["\"a\""]);
    assert!(!up.contains_key("range"));
    assert_eq!(
        values(&again.down("192.0.2.1", 304, &[("etag", "\"a\"")]), "etag"),
        [tag]
    );
    let other_rules = stage("masks = [\"#new\"]", &[PAGE, ("if-none-match", tag)]);
    assert!(!other_rules.up("192.0.2.1").contains_key("if-none-match"));
}

#[test]
fn a_page_is_not_asked_for_in_the_coding_that_costs_most_to_write() {
    let up = |dest| {
        let fields = [("sec-fetch-dest", dest), ("accept-encoding", "gzip, br")];
        stage("", &fields).up("192.0.2.1")
    };
    assert_eq!(values(&up("document"), "accept-encoding"), ["gzip"]);
    assert_eq!(values(&up("image"), "accept-encoding"), ["gzip, br"]);
}

/// The tag of the page as its visitor has it.
fn stored_tag() -> &'static str {
    let answer = [("content-type", "text/html"), ("etag", "\"a\"")];
    let down = stage("", &[PAGE]).down("192.0.2.1", 200, &answer);
    Box::leak(values(&down, "etag")[0].to_owned().into_boxed_str())
}

#[test]
fn a_script_is_not_told_that_the_edited_page_is_good() {
    let asked = [("sec-fetch-dest", "empty"), ("if-none-match", stored_tag())];
    let up = stage("", &asked).up("192.0.2.1");
    assert!(!up.contains_key("if-none-match"));
    let tool = stage("", &asked[1..]).up("192.0.2.1");
    assert_eq!(values(&tool, "if-none-match"), ["\"a\""]);
}

#[test]
fn a_writer_compares_with_the_origins_page() {
    let up = |method| {
        let stage = stage("", &[PAGE, ("if-match", stored_tag())]);
        let mut headers = stage.headers.clone();
        let asked = Asked::of(method, &headers);
        restore_validators(&mut headers, &asked, Some(&stage.plan()));
        values(&headers, "if-match")[0].to_owned()
    };
    assert_eq!(up(Method::PUT), "\"a\"");
    assert_eq!(up(Method::GET), stored_tag());
}

#[test]
fn a_304_says_nothing_of_the_origins_bytes() {
    let again = stage("", &[PAGE, ("if-none-match", stored_tag())]);
    let answer = [
        ("etag", "\"a\""),
        ("content-length", "5"),
        ("content-md5", "x"),
        ("repr-digest", "x"),
    ];
    let down = again.down("192.0.2.1", 304, &answer);
    assert_eq!(values(&down, "etag"), [stored_tag()]);
    for name in ["content-length", "content-md5", "repr-digest"] {
        assert!(!down.contains_key(name), "{name}");
    }
}

#[test]
fn a_page_of_which_nobody_says_how_long_it_is_good_is_asked_for_each_time() {
    let freshness = |kind, dest| {
        let stage = stage("", &[("sec-fetch-dest", dest)]);
        let down = stage.down("192.0.2.1", 200, &[("content-type", kind)]);
        values(&down, "cache-control").join(", ")
    };
    assert_eq!(freshness("text/html", "document"), "no-cache");
    assert_eq!(freshness("text/html", "empty"), "");
    assert_eq!(freshness("image/png", "image"), "");
}

#[test]
fn a_resources_conditions_and_ranges_are_left_alone() {
    let image = [
        ("sec-fetch-dest", "image"),
        ("if-none-match", "\"a\""),
        ("range", "bytes=0-9"),
    ];
    let up = stage("", &image).up("192.0.2.1");
    assert_eq!(values(&up, "if-none-match"), ["\"a\""]);
    assert_eq!(values(&up, "range"), ["bytes=0-9"]);
}

#[test]
fn the_visitor_stays_on_the_edge() {
    let down = stage("", &[PAGE]).down(
        "192.0.2.1",
        302,
        &[
            ("location", "http://10.1.4.20:8443/next"),
            ("alt-svc", "h3=\":443\""),
            ("connection", "keep-alive"),
            ("set-cookie", "a=1; Domain=10.1.4.20; Path=/"),
            ("set-cookie", "b=2"),
        ],
    );
    assert_eq!(values(&down, "location"), ["http://www.bank.example/next"]);
    assert_eq!(
        values(&down, "set-cookie"),
        ["a=1; Domain=www.bank.example; Path=/", "b=2"]
    );
    assert!(!down.contains_key("alt-svc") && !down.contains_key("connection"));
    assert_eq!(values(&down, "via"), ["1.0 edge"]);
}

#[test]
fn behind_a_trusted_balancer_the_visitors_scheme_is_its_own() {
    let page = [
        PAGE,
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let answer = [("location", "http://10.1.4.20:8443/next")];
    let trusted = stage("", &page);
    let location = values(&trusted.down("10.9.0.1", 302, &answer), "location")[0].to_owned();
    assert_eq!(location, "https://www.bank.example/next");
    assert_eq!(
        values(&trusted.up("10.9.0.1"), "x-forwarded-for").join(", "),
        "192.0.2.1, 10.9.0.1"
    );
    let stranger = values(&trusted.down("192.0.2.9", 302, &answer), "location")[0].to_owned();
    assert_eq!(stranger, "http://www.bank.example/next");
}

#[test]
fn a_fragment_tells_caches_that_a_page_differs() {
    let fragment = stage("", &[("x-requested-with", "XMLHttpRequest")]);
    let down = fragment.down(
        "192.0.2.1",
        200,
        &[("content-type", "text/html"), ("etag", "\"a\"")],
    );
    assert_eq!(values(&down, "vary"), ["X-Requested-With"]);
    assert_eq!(values(&down, "etag"), ["\"a\""]);
}

#[test]
fn an_answer_keeps_the_words_of_its_origin_and_nothing_else_beside_its_head() {
    let (mut parts, ()) = Response::new(()).into_parts();
    parts
        .extensions
        .insert(ReasonPhrase::from_static(b"Weiter so"));
    parts.extensions.insert(7_u8);
    let answer = response(parts, wire::empty_body());
    let phrase = answer.extensions().get::<ReasonPhrase>();
    assert_eq!(phrase.map(ReasonPhrase::as_bytes), Some(&b"Weiter so"[..]));
    assert_eq!(answer.extensions().len(), 1);
}

const OWN_SCRIPT: &str = "script = { url = \"/_cobrowse/v.js\" }";
const POLICY: &str = "content-security-policy";

#[test]
fn policies_let_the_script_run_on_the_origin_that_the_visitor_sees() {
    let html = ("content-type", "text/html");
    let stage = stage(OWN_SCRIPT, &[PAGE, ("x-forwarded-proto", "https")]);
    let answer = [
        html,
        (
            POLICY,
            "default-src 'none'; img-src *; style-src *; frame-src *",
        ),
    ];
    for (peer, scheme, socket) in [("10.9.0.1", "https", "wss"), ("192.0.2.1", "http", "ws")] {
        let grown = format!(
            "default-src 'none'; img-src *; style-src *; frame-src *; \
             script-src {scheme}://www.bank.example/_cobrowse/; \
             connect-src 'self' {socket}://www.bank.example"
        );
        assert_eq!(values(&stage.down(peer, 200, &answer), POLICY), [grown]);
    }
    let image = [("content-type", "image/png"), answer[1]];
    assert_eq!(
        values(&stage.down("10.9.0.1", 200, &image), POLICY),
        [answer[1].1]
    );
}

#[test]
fn a_page_that_is_still_good_keeps_its_grown_policies() {
    let policy = (POLICY, "img-src 'none'");
    let tagged = stage(OWN_SCRIPT, &[PAGE]).down(
        "10.9.0.1",
        200,
        &[("content-type", "text/html"), ("etag", "\"1\"")],
    );
    let tag: &'static str = values(&tagged, "etag")[0].to_owned().leak();
    let known = stage(OWN_SCRIPT, &[PAGE, ("if-none-match", tag)]);
    let down = known.down("10.9.0.1", 304, &[("etag", "\"1\""), policy]);
    assert_eq!(
        values(&down, POLICY),
        ["img-src http://www.bank.example/_cobrowse/"]
    );
    let foreign = stage(
        OWN_SCRIPT,
        &[("sec-fetch-dest", "image"), ("if-none-match", "\"1\"")],
    );
    let down = foreign.down("10.9.0.1", 304, &[("etag", "\"1\""), policy]);
    assert_eq!(values(&down, POLICY), ["img-src 'none'"]);
}

#[test]
fn a_page_whose_policies_stay_loses_nothing_but_the_tag() {
    let refusing = stage(&format!("{OWN_SCRIPT}\ncsp = \"refuse\""), &[PAGE]);
    let answer = [
        ("content-type", "text/html"),
        ("etag", "\"1\""),
        ("content-length", "9"),
        (POLICY, "img-src 'none'"),
    ];
    let down = refusing.down("10.9.0.1", 200, &answer);
    for (name, value) in answer {
        assert_eq!(values(&down, name), [value]);
    }
}

const LINK: &str = "<https://cdn.example/l.js?group=7>; rel=preload; as=script";

/// The lines of `Link` on an answer under these rules, to a browser that loads a page.
fn links(rules: &str, status: u16, answer: &[(&'static str, &str)]) -> Vec<String> {
    let rules =
        format!("script = {{ url = \"https://cdn.example/l.js?group={{group}}\" }}\n{rules}");
    let down = stage(&rules, &[PAGE]).down("192.0.2.1", status, answer);
    values(&down, "link")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_page_announces_its_script_as_its_tag_asks_for_it() {
    let html = ("content-type", "text/html");
    let sri = format!("sha256-{}=", "A".repeat(43));
    let with = |rest: &str| format!("{LINK}{rest}");
    let own = "<https://www.bank.example/a.css>; rel=preload; as=style";
    let trusting = (POLICY, "script-src 'strict-dynamic' 'nonce-Ab+/='");
    for (rules, answer, links_down) in [
        ("", vec![], vec![with("")]),
        ("", vec![("link", own)], vec![own.to_owned(), with("")]),
        ("", vec![trusting], vec![with("; nonce=\"Ab+/=\"")]),
        ("", vec![(POLICY, "script-src 'none'")], vec![with("")]),
        (
            "tag = { crossorigin = \"use-credentials\" }",
            vec![],
            vec![with("; crossorigin=\"use-credentials\"")],
        ),
        (
            &format!("tag = {{ crossorigin = \"anonymous\", integrity = \"{sri}\" }}"),
            vec![],
            vec![with(&format!(
                "; crossorigin=\"anonymous\"; integrity=\"{sri}\""
            ))],
        ),
        (
            "tag = { nonce = \"fix\" }",
            vec![],
            vec![with("; nonce=\"fix\"")],
        ),
        (
            "tag = { nonce = \"fix\" }",
            vec![trusting],
            vec![with("; nonce=\"Ab+/=\"")],
        ),
        ("preload = false", vec![("link", own)], vec![own.to_owned()]),
        ("existing_tag = \"keep\"", vec![], vec![]),
        (
            "csp = \"leave\"",
            vec![(POLICY, "script-src 'self'")],
            vec![],
        ),
        (
            "csp = \"leave\"",
            vec![("integrity-policy", "blocked-destinations=(script)")],
            vec![],
        ),
        (
            "csp = \"leave\"",
            vec![(POLICY, "img-src https:")],
            vec![with("")],
        ),
    ] {
        let answer = [&[html][..], &answer].concat();
        assert_eq!(links(rules, 200, &answer), links_down, "{rules} {answer:?}");
    }
}

#[test]
fn what_has_no_tag_announces_none() {
    let html = ("content-type", "text/html");
    for (rules, status, answer) in [
        ("", 200, &[("content-type", "application/json")][..]),
        ("", 304, &[html]),
        ("", 302, &[html, ("location", "/x")]),
        ("", 200, &[html, (POLICY, "sandbox")]),
        ("", 200, &[html, ("cache-control", "no-transform")]),
        (
            "csp = \"refuse\"",
            200,
            &[html, (POLICY, "script-src 'self'")],
        ),
    ] {
        assert!(
            links(rules, status, answer).is_empty(),
            "{rules} {status} {answer:?}"
        );
    }
    let unknown = stage("", &[("accept", "*/*")]).down("192.0.2.1", 200, &[html]);
    assert!(values(&unknown, "link").is_empty(), "perhaps no document");
}

#[test]
fn a_nonce_of_our_own_is_the_same_in_policy_and_link() {
    let answer = [
        ("content-type", "text/html"),
        (POLICY, "script-src 'strict-dynamic'"),
    ];
    let down = stage("", &[PAGE]).down("192.0.2.1", 200, &answer);
    let nonce = |line: &str, before: &str, after: &str| {
        let rest = line
            .split_once(before)
            .and_then(|(_, rest)| rest.strip_suffix(after));
        rest.unwrap().to_owned()
    };
    let granted = nonce(values(&down, POLICY)[0], "'nonce-", "'");
    assert_eq!(nonce(values(&down, "link")[0], "nonce=\"", "\""), granted);
}
