//! The commands as a person or a script meets them: the built binary, its output, signals and
//! exit codes.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::support::{
    Directory, EdgeProcess, Ended, RawVisitor, Script, ScriptedOrigin, Visitor, rules_for, soon,
};

const ANYWHERE: &str = "127.0.0.1:0";

#[track_caller]
fn assert_ended(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    for words in words {
        let told = ended.output.contains(words) || ended.errors.contains(words);
        assert!(told, "{words:?} is not in {ended:#?}");
    }
}

/// `serve` for one site before this origin, and where it listens.
fn serve(origin: &ScriptedOrigin) -> (EdgeProcess, std::net::SocketAddr) {
    let origin = format!("http://{}", origin.address);
    let site = ["--origin", &origin, "--group", "15687", "--mask", "#ssn"];
    let place = ["--listen", ANYWHERE, "--admin", "off"];
    let mut edge = EdgeProcess::start(&[&["serve"], &site[..], &place].concat());
    let address = edge.address_behind("listening on http://");
    (edge, address)
}

/// An origin that sends half a page, tells that it has, and waits to be told to send the rest.
async fn hesitant_origin() -> (ScriptedOrigin, Arc<Notify>) {
    let go_on = Arc::new(Notify::new());
    let told = Arc::clone(&go_on);
    let origin = ScriptedOrigin::start(move |_| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\nhalf ";
        let (head, rest) = (head.as_bytes().to_vec(), b"whole".to_vec());
        vec![
            Script::Send(head),
            Script::Wait(Arc::clone(&told)),
            Script::Send(rest),
        ]
    });
    (origin.await, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_by_flags_tells_its_address_and_serves_tagged_pages_until_sigterm() {
    let page = "<html><body><b id=ssn>123</b></body></html>";
    let origin = ScriptedOrigin::serving(page).await;
    let (edge, address) = serve(&origin);
    let answer = Visitor::http1(address).await.get("/account").await;
    let text = answer.text();
    assert!(text.contains("data-groupid=\"15687\""), "{text}");
    assert!(text.contains("glance_masked"), "{text}");
    edge.signal("TERM");
    let ended = edge.end();
    assert_ended(&ended, 0, &["terminated"]);
    assert!(
        ended.output.contains("GET http localhost /account 200"),
        "{ended:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_an_open_exchange_end() {
    let (origin, go_on) = hesitant_origin().await;
    let (mut edge, address) = serve(&origin);
    let mut visitor = RawVisitor::connect(address).await;
    visitor.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    soon(visitor.read_until("half ")).await;
    edge.signal("TERM");
    edge.complaint("open exchanges may end");
    go_on.notify_one();
    assert_eq!(soon(visitor.read_to_end()).await.unwrap(), b"whole");
    assert_ended(&edge.end(), 0, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_interrupt_cuts_what_is_open() {
    let (origin, _go_on) = hesitant_origin().await;
    let (mut edge, address) = serve(&origin);
    let mut visitor = RawVisitor::connect(address).await;
    visitor.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    soon(visitor.read_until("half ")).await;
    edge.signal("INT");
    edge.complaint("Ctrl-C cuts them");
    edge.signal("INT");
    assert_ended(&edge.end(), 130, &["interrupted"]);
    assert_ne!(soon(visitor.read_to_end()).await, Ok(b"whole".to_vec()));
}

/// The rule file is a link, so that nobody sees what it leads to change: only SIGHUP can tell.
#[tokio::test(flavor = "multi_thread")]
async fn sighup_brings_changed_rules_into_force() {
    let rules = rules_for("127.0.0.1:1".parse().unwrap());
    let elsewhere = Directory::with("bank.toml", &rules);
    let directory = Directory::new();
    symlink(elsewhere.0.join("bank.toml"), directory.0.join("bank.toml")).unwrap();
    let rules_directory = directory.0.to_str().unwrap();
    let place = ["--listen", ANYWHERE, "--admin", ANYWHERE];
    let mut edge =
        EdgeProcess::start(&[&["serve", "--rules", rules_directory], &place[..]].concat());
    let admin = edge.address_behind("admin on http://");
    let explanation = async || {
        let mut visitor = Visitor::http1(admin).await;
        visitor.get("/explain?url=http://a/").await.text()
    };
    assert!(explanation().await.contains("15687"));

    elsewhere.write("bank.toml", &rules.replace("15687", "25687"));
    edge.signal("HUP");
    edge.complaint("reloaded");
    assert!(explanation().await.contains("25687"));

    elsewhere.write("bank.toml", &rules.replace("15687", "\"none\""));
    edge.signal("HUP");
    edge.complaint("not reloaded");
    assert!(explanation().await.contains("25687"));
}

#[test]
fn an_address_in_use_is_told_with_the_flag_that_chose_it() {
    let taken = TcpListener::bind(ANYWHERE).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let site = ["serve", "--origin", "http://127.0.0.1:1", "--group", "1"];
    for (flag, other) in [("--listen", "--admin"), ("--admin", "--listen")] {
        let place = [flag, &address, other, ANYWHERE];
        let edge = EdgeProcess::start(&[&site[..], &place].concat());
        assert_ended(&edge.end(), 69, &[&address, "in use", flag]);
    }
}

#[test]
fn bad_settings_are_reported_all_at_once() {
    let settings = "via = \"my edge\"\nrulez = \"rules\"\n[server]\nhttp = [\"localhost\"]\n";
    let directory = Directory::with("edge.toml", settings);
    let ended = EdgeProcess::run_in(&directory.0, &["serve"]);
    let words = [
        "edge.toml:1:7: error: \"my edge\"",
        "did you mean `rules`?",
        "edge.toml:4:9: error: \"localhost\"",
        "3 errors",
    ];
    assert_ended(&ended, 78, &words);
    assert_eq!(ended.output, "");
}

/// Settings, and rules with a rule and a test, in a directory.
fn site_files() -> Directory {
    let directory = Directory::with("edge.toml", "rules = \"rules\"\n");
    std::fs::create_dir(directory.0.join("rules")).unwrap();
    let rules = "version = 1\n[[site]]\nhosts = [\"www.bank.example\", \"*.shop.example\"]\n\
        origin = \"http://127.0.0.1:1\"\ngroup = 15687\nmasks = [\"#ssn\"]\n\
        [[site.rule]]\nname = \"desk\"\npath = \"/mortgage/**\"\nadditional_groups = [15688]\n\
        [[test]]\nurl = \"https://www.bank.example/mortgage/\"\nexpect = { rule = \"desk\" }\n";
    directory.write("rules/bank.toml", rules);
    directory
}

#[test]
fn check_counts_what_is_good_and_reports_what_is_not() {
    let directory = site_files();
    let ended = EdgeProcess::run_in(&directory.0, &["check"]);
    assert_ended(&ended, 0, &[]);
    assert_eq!(ended.output, "1 site, 1 rule, 1 test passed: all good");
    assert_eq!(ended.errors, "");

    directory.write("rules/more.toml", "version = 1\n[defaults]\nmaks = []\n");
    directory.write("edge.toml", "rules = \"rules\"\ncerts = \"none\"\n");
    let words = [
        "rules/more.toml:3:1",
        "did you mean `masks`?",
        "none: error:",
    ];
    let ended = EdgeProcess::run_in(&directory.0, &["check"]);
    assert_ended(&ended, 1, &words);
    assert!(!ended.output.contains("good"), "{ended:#?}");

    let ended = EdgeProcess::run_in(&directory.0, &["check", "--rules", "nowhere"]);
    assert_ended(&ended, 1, &["nowhere", "cannot be read"]);
}

#[test]
fn explain_tells_who_decided_what() {
    let directory = site_files();
    let page = "https://www.bank.example/mortgage/apply?step=2";
    let ended = EdgeProcess::run_in(&directory.0, &["explain", page]);
    let words = [
        "rule \"desk\"",
        "rules/bank.toml:9",
        "15687",
        "15688",
        "#ssn",
        "data-groupid=\"15687\" data-additionalgroupids=\"15688\"",
    ];
    assert_ended(&ended, 0, &words);

    let unknown = ["explain", "https://nobody.example/"];
    let ended = EdgeProcess::run_in(&directory.0, &unknown);
    let words = ["nobody.example", "www.bank.example", "*.shop.example"];
    assert_ended(&ended, 1, &words);
    assert_eq!(ended.output, "");
}

/// `explain --fetch` of a page that an origin answers with this head, under rules with these lines.
async fn explain_fetched(head: &str, page: &str, rules: &str) -> (Ended, ScriptedOrigin) {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{head}\r\n{page}",
        page.len()
    );
    let origin = ScriptedOrigin::answering(answer).await;
    let ended = explain_from(&origin, rules, &["--header", "Cookie: a=1"]);
    (ended, origin)
}

/// The same, of this origin, with these flags.
fn explain_from(origin: &ScriptedOrigin, rules: &str, flags: &[&str]) -> Ended {
    let rules = format!(
        "version = 1\nscript = {{ url = \"https://cdn.example/l.js\" }}\n[[site]]\n\
         hosts = [\"www.bank.example\"]\norigin = \"http://{}\"\ngroup = 1\n{rules}",
        origin.address
    );
    let directory = Directory::with("bank.toml", &rules);
    let place = directory.0.to_str().unwrap();
    let page = ["http://www.bank.example/x?y=1#z"];
    let arguments = [&["explain", "--fetch", "--rules", place], flags, &page].concat();
    EdgeProcess::run_in(&directory.0, &arguments)
}

const HTML: &str = "Content-Type: text/html\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn explain_fetches_a_page_and_tells_that_its_tag_will_run() {
    let policies = format!(
        "{HTML}Content-Security-Policy: script-src 'self'\r\n\
         Content-Security-Policy-Report-Only: img-src *\r\n"
    );
    let meta = "<meta http-equiv=Content-Security-Policy content=\"connect-src 'none'\"><p>";
    let (ended, origin) = explain_fetched(&policies, meta, "").await;
    let words = [
        "data-groupid=\"1\"",
        "200 OK text/html",
        "from the origin  script-src 'self'",
        "to the visitor   script-src 'self' https://cdn.example",
        "head, reports only, as it is",
        "from the origin  connect-src 'none'",
        "to the visitor   connect-src https://cdn.example wss://cdn.example",
        "the tag will run",
    ];
    assert_ended(&ended, 0, &words);
    let asked = origin.seen().pop().unwrap();
    assert!(asked.starts_with("GET /x?y=1 HTTP/1.1\r\n"), "{asked}");
    for line in [
        "host: www.bank.example",
        "cookie: a=1",
        "sec-fetch-dest: document",
    ] {
        assert!(asked.contains(line), "{line}: {asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_why_the_tag_of_a_fetched_page_will_not_run() {
    let policy = format!("{HTML}Content-Security-Policy: script-src 'self'\r\n");
    let sandbox = format!("{HTML}Content-Security-Policy: sandbox\r\n");
    let integrity = format!("{HTML}Integrity-Policy: blocked-destinations=(script)\r\n");
    let meta = "<meta http-equiv=Content-Security-Policy content=\"script-src 'strict-dynamic'\">";
    for (head, page, rules, why) in [
        (
            &*policy,
            "<p>",
            "csp = \"leave\"",
            "script-src does not allow https://cdn.example",
        ),
        (
            &*policy,
            "<p>",
            "csp = \"refuse\"",
            "script-src does not allow https://cdn.example",
        ),
        (
            &*sandbox,
            "<p>",
            "",
            "the page is sandboxed without allow-scripts",
        ),
        (HTML, meta, "", "script-src has 'strict-dynamic'"),
        (
            &*integrity,
            "<p>",
            "csp = \"leave\"",
            "the page demands integrity of scripts",
        ),
        (
            HTML,
            meta,
            "csp = \"leave\"",
            "script-src has 'strict-dynamic'",
        ),
        (
            HTML,
            "<!-- ",
            "",
            "a tag at the end of the page would not be run",
        ),
        (
            HTML,
            "<p>",
            "inject = false",
            "the rules say inject = false",
        ),
        (
            "Content-Type: image/png\r\n",
            "x",
            "",
            "the answer is not HTML",
        ),
        (
            "Content-Type: text/html\r\nContent-Encoding: gzip\r\n",
            "x",
            "",
            "broke off",
        ),
    ] {
        let (ended, _origin) = explain_fetched(head, page, rules).await;
        assert_ended(&ended, 1, &["the tag will not run because", why]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_asks_as_it_is_told() {
    let origin = ScriptedOrigin::serving("<p>").await;
    let flags = ["--header", "Accept: x/y", "--header", "Cookie: a=1"];
    let more = ["--header", "cookie: b=2"];
    let ended = explain_from(&origin, "", &[&flags[..], &more].concat());
    assert_ended(&ended, 0, &["the tag will run"]);
    let asked = origin.seen().pop().unwrap();
    for line in ["\r\naccept: x/y\r\n", "a=1", "b=2"] {
        assert!(asked.contains(line), "{line}: {asked}");
    }
    assert!(!asked.contains("text/html"), "{asked}");
    for bad in ["Host: x", "no field", "a: \u{1}"] {
        let ended = explain_from(&origin, "", &["--header", bad]);
        assert_ended(&ended, 64, &["--header"]);
    }
    assert_eq!(origin.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_where_a_redirect_leads() {
    let place = "Location: /next\r\nContent-Length: 0\r\n";
    let answer = format!("HTTP/1.1 302 Found\r\n{place}\r\n");
    let origin = ScriptedOrigin::answering(answer).await;
    let words = ["302 Found", "to /next", "the answer is a redirect"];
    assert_ended(&explain_from(&origin, "", &[]), 1, &words);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_gives_up_on_a_page_that_does_not_end() {
    let never = Arc::new(Notify::new());
    let half = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>";
    let origin = ScriptedOrigin::start(move |_| {
        let half = Script::Send(half.into());
        vec![half, Script::Wait(Arc::clone(&never))]
    });
    let words = ["the page did not end within 1 seconds"];
    let ended = explain_from(&origin.await, "", &["--timeout", "1"]);
    assert_ended(&ended, 69, &words);
}

/// A page that embeds nothing from elsewhere without its server's word.
#[tokio::test(flavor = "multi_thread")]
async fn explain_tells_what_an_embedder_policy_makes_of_the_tag() {
    let field = |value: &str| format!("{HTML}Cross-Origin-Embedder-Policy: {value}\r\n");
    let why = "Cross-Origin-Embedder-Policy: require-corp, and the script is another origin's";
    let cors = "tag = { crossorigin = \"anonymous\" }";
    let own = "script = { url = \"/l.js\" }";
    for (value, rules, runs) in [
        ("require-corp", "", false),
        ("require-corp; report-to=\"a\"", "", false),
        ("require-corp", cors, true),
        ("require-corp", own, true),
        ("credentialless", "", true),
        ("unsafe-none", "", true),
    ] {
        let (ended, _origin) = explain_fetched(&field(value), "<p>", rules).await;
        match runs {
            true => assert_ended(&ended, 0, &["the tag will run"]),
            false => assert_ended(&ended, 1, &["the tag will not run because", why]),
        }
    }
}

#[test]
fn explain_tells_that_an_origin_cannot_be_reached() {
    let directory = site_files();
    let page = ["explain", "--fetch", "https://www.bank.example/"];
    let words = [
        "nothing could be fetched from http://127.0.0.1:1",
        "refused",
    ];
    assert_ended(&EdgeProcess::run_in(&directory.0, &page), 69, &words);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_at_once_though_somebody_watches() {
    let place = ["--listen", ANYWHERE, "--listen-tls", ANYWHERE];
    let mut demo = EdgeProcess::start(
        &[
            &["demo"],
            &place[..],
            &["--admin", ANYWHERE, "--agents", ANYWHERE],
        ]
        .concat(),
    );
    let http = demo.address_behind("through the edge   http://");
    let origin = demo.address_behind("origin http://");
    let admin = demo.address_behind("admin http://");
    assert_eq!(Visitor::http1(admin).await.get("/readyz").await.status, 200);
    let direct = Visitor::http1(origin).await.get("/").await.text();
    let tagged = Visitor::http1(http).await.get("/").await.text();
    assert!(!direct.contains("glance-cobrowse"), "{direct}");
    assert!(tagged.contains("data-groupid=\"15687\""), "{tagged}");

    let mut watcher = RawVisitor::connect(http).await;
    watcher
        .send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    soon(watcher.read_until("\n\n")).await;
    demo.signal("INT");
    assert_ended(&demo.end_within(Duration::from_secs(5)), 0, &[]);
}

#[test]
fn a_command_line_that_cannot_be_understood_ends_with_64() {
    let empty = Directory::new();
    for (arguments, words) in [
        (&[][..], "demo"),
        (&["serv"], "serve"),
        (&["serve"], "nothing to serve"),
        (&["serve", "--origin", "http://127.0.0.1:1"], "--group"),
        (&["serve", "--config", "a", "--rules", "b"], "--rules"),
        (&["serve", "--rules", "a", "--listen", "80"], "127.0.0.1:"),
        (&["explain", "/account"], "in full"),
        (&["check", "--fast"], "--fast"),
        (&["explain", "http://a/", "--header", "a: b"], "--fetch"),
        (
            &["explain", "http://a/", "--fetch", "--header", "Host: b"],
            "the URL's",
        ),
    ] {
        let ended = EdgeProcess::run_in(&empty.0, arguments);
        assert_ended(&ended, 64, &[words]);
        assert_eq!(ended.output, "", "{arguments:?}");
    }
    let ended = EdgeProcess::run_in(&empty.0, &["--help"]);
    assert_ended(&ended, 0, &["serve", "check", "explain", "demo"]);
}
