use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::load::draft;
use super::*;
use crate::problem::{Place, Problem};
use crate::test_directory::TestDirectory;
use crate::wire::Scheme;

fn read_in(environment: &Environment, text: &str) -> Draft {
    let path = PathBuf::from("/etc/edge/edge.toml");
    let text = text.to_owned();
    draft(&Arc::new(SourceFile { path, text }), environment)
}

#[track_caller]
fn good(text: &str) -> EdgeConfig {
    let draft = read_in(&Environment::default(), text);
    draft
        .config
        .unwrap_or_else(|| panic!("{:#?}", draft.problems))
}

/// How a problem is written beside the file that has it.
fn expectation(problem: &Problem) -> String {
    let severity = if problem.is_error() {
        "error"
    } else {
        "warning"
    };
    let mut text = match &problem.place {
        Place::Span { file, span, also } => {
            let shown: String = file.text[span.clone()].chars().take(40).collect();
            let line = file.line_of(span.start);
            let also = also.iter().map(|related| {
                let line = related.file.line_of(related.span.start);
                format!("  see also line {line}: {}\n", related.label)
            });
            let also: String = also.collect();
            format!("{severity} in line {line}: {shown:?}\n{also}")
        }
        other => format!("{severity} at {other}\n"),
    };
    text += &format!("  {}\n  {}\n", problem.message, problem.remedy);
    text
}

/// `UPDATE_EXPECTED=1` rewrites what is expected.
#[test]
fn every_bad_file_is_met_with_what_is_written_beside_it() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings-bad");
    let entries = fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let bad: Vec<_> = paths
        .filter(|path| path.extension().unwrap() == "toml")
        .collect();
    assert!(bad.len() > 25, "{}", bad.len());
    for path in bad {
        let problems =
            read_in(&Environment::default(), &fs::read_to_string(&path).unwrap()).problems;
        let found: String = problems.iter().map(expectation).collect();
        assert!(
            !found.is_empty(),
            "nothing is wrong with {}",
            path.display()
        );
        let beside = path.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&beside, &found).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(found, expected, "{}", path.display());
    }
}

#[test]
fn an_empty_file_is_an_edge_at_its_defaults() {
    let config = good("");
    assert_eq!(config.rules.directory(), Some(Path::new("/etc/edge/rules")));
    let usual = EdgeConfig::new(config.rules.clone());
    assert_eq!(format!("{config:?}"), format!("{usual:?}"));
}

#[test]
#[cfg(feature = "backend")]
fn the_embedded_backend_needs_one_line() {
    let config = good("session.backend = \"embedded\"");
    let embedded = config.embedded.unwrap();
    assert_eq!(&*embedded.mount, DEFAULT_MOUNT);
    assert_eq!(embedded.database, Path::new("/etc/edge/cobrowse.db"));
    assert_eq!(
        (embedded.audit_days, embedded.audit_lines),
        (400, 2_000_000)
    );
    assert!(config.session.is_none());
    let KeysSource::Kept(file) = config.grants.unwrap().keys else {
        panic!("a restart would not believe its own pages");
    };
    assert_eq!(file, Path::new("/etc/edge/cobrowse.db.grant-key"));

    let config = good(
        "grants.keys = \"grant.keys\"\n[session]\nbackend = \"embedded\"\nmount = \"/help\"\ndatabase = \"/var/lib/edge.db\"\naudit_keep_days = 30\naudit_keep_lines = 5000",
    );
    let embedded = config.embedded.unwrap();
    assert_eq!((embedded.audit_days, embedded.audit_lines), (30, 5000));
    assert_eq!(
        (&*embedded.mount, &*embedded.database),
        ("/help", Path::new("/var/lib/edge.db"))
    );
    assert!(matches!(config.grants.unwrap().keys, KeysSource::File(_)));
}

/// The defaults as people are told them: written out, they change nothing.
#[test]
fn the_defaults_of_the_table_are_the_ones_in_force() {
    let told = settings_table()
        .iter()
        .filter(|setting| !setting.default.is_empty());
    // What has a default only within a table that says more.
    let told = told.filter(|setting| !setting.table.starts_with("session"));
    let lines = told.map(|setting| format!("{} = {}\n", setting.name(), setting.default));
    let written: String = lines.collect();
    assert_eq!(format!("{:?}", good(&written)), format!("{:?}", good("")));

    let session = "session.backend = \"http://a\"\nsession.mount = \"/m\"\n";
    let enforced = format!("{session}session.enforce.referer = true\n");
    for (table, least, already) in [
        ("session", session, ""),
        ("session.enforce", &*enforced, "referer"),
    ] {
        let told = settings_table()
            .iter()
            .filter(|setting| setting.table == table && setting.key != already);
        let told = told.filter(|setting| !setting.default.is_empty());
        let lines = told.map(|setting| format!("{} = {}\n", setting.name(), setting.default));
        let written: String = lines.collect();
        let written = good(&format!("{least}{written}"));
        assert_eq!(format!("{written:?}"), format!("{:?}", good(least)));
    }
}

/// The keys that the reader knows, as it tells them itself, are the ones in the table.
#[test]
fn every_setting_is_in_the_table() {
    let settings = settings_table();
    let tables: Vec<_> = settings.iter().map(|setting| setting.table).collect();
    for table in [
        "server",
        "limits",
        "admin",
        "upstream",
        "session",
        "session.enforce",
        "grants",
        "forwarded",
        "log",
    ] {
        assert!(tables.contains(&table), "{table}");
        let keys = settings.iter().filter(|setting| setting.table == table);
        let within = tables.iter().filter_map(|other| {
            let key = other.strip_prefix(table)?.strip_prefix('.')?;
            (!key.is_empty()).then_some(key)
        });
        let mut keys: Vec<_> = keys.map(|setting| setting.key).chain(within).collect();
        keys.dedup();
        let draft = read_in(&Environment::default(), &format!("{table}.zzzzzzzz = 1"));
        let known = format!("remove it; known here: {}", keys.join(", "));
        assert_eq!(draft.problems[0].remedy, known);
    }
    let draft = read_in(&Environment::default(), "zzzzzzzz = 1");
    let known = draft.problems[0].remedy.clone();
    for name in known.rsplit(": ").next().unwrap().split(", ") {
        assert!(
            settings
                .iter()
                .any(|setting| setting.name() == name || setting.table == name),
            "{name}"
        );
    }
}

/// `UPDATE_README=1` writes the table into the README.
#[test]
fn the_readme_has_the_table() {
    const BEGIN: &str = "<!-- settings -->\n";
    const END: &str = "<!-- /settings -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let begin = readme.find(BEGIN).unwrap() + BEGIN.len();
    let end = begin + readme[begin..].find(END).unwrap();
    if std::env::var_os("UPDATE_README").is_some() {
        let (before, after) = (&readme[..begin], &readme[end..]);
        fs::write(&path, format!("{before}{}{after}", settings_markdown())).unwrap();
        return;
    }
    assert_eq!(
        &readme[begin..end],
        settings_markdown(),
        "run with UPDATE_README=1"
    );
}

#[test]
fn reads_everything_that_can_be_written() {
    let config = good(
        r#"
        env = "staging"
        rules = "/srv/rules"
        certs = "certs/"
        via = "edge1"
        [server]
        http = ["0.0.0.0:80", "[::]:80"]
        https = ["0.0.0.0:8443"]
        redirect_http = true
        drain_timeout = "5s"
        proxy_protocol = ["10.8.0.0/16"]
        [limits]
        head_bytes_max = "16KiB"
        [admin]
        enabled = false
        [upstream]
        body_idle_timeout = "never"
        [session]
        backend = "https://[::1]:9000"
        mount = "/_cobrowse"
        strip_mount = false
        cookies = ["lang"]
        ca = "ca.pem"
        client_certificate = "edge.pem"
        client_key = "edge.key"
        [forwarded]
        trusted_peers = ["10.0.0.0/8", "::1"]
        [log]
        format = "json"
        filter = "warn"
        access = "off"
        "#,
    );
    assert_eq!(config.env, SiteEnv::Staging);
    assert_eq!(config.rules.directory(), Some(Path::new("/srv/rules")));
    assert_eq!(
        config.certificates.directory(),
        Some(Path::new("/etc/edge/certs/"))
    );
    assert_eq!(&*config.pseudonym, "edge1");
    assert_eq!(
        (config.server.http.len(), config.server.https.len()),
        (2, 1)
    );
    assert_eq!(config.redirect_to_https, Some(8443));
    assert_eq!(config.server.drain_timeout, Duration::from_secs(5));
    assert_eq!(config.server.limits.head_bytes_max, 16 * 1024);
    assert_eq!(config.admin, None);
    assert_eq!(config.upstream.body_idle_timeout, None);
    let session = config.session.unwrap();
    assert_eq!(
        (session.backend.scheme, &*session.backend.host),
        (Scheme::Https, "::1")
    );
    assert_eq!(
        session.backend.tls.ca.as_deref(),
        Some(Path::new("/etc/edge/ca.pem"))
    );
    assert_eq!(
        session.backend.tls.client_key.as_deref(),
        Some(Path::new("/etc/edge/edge.key"))
    );
    assert_eq!(session.cookies, ["lang"]);
    assert!(
        matches!(&session.place, SessionPlace::Mount { path, strip: false } if &**path == "/_cobrowse")
    );
    assert!(config.trusted_peers.contains("10.9.9.9".parse().unwrap()));
    assert!(config.trusted_peers.contains("::1".parse().unwrap()));
    let balancers = &config.server.proxy_protocol;
    assert!(balancers.contains("10.8.0.1".parse().unwrap()));
    assert!(!balancers.contains("10.9.9.9".parse().unwrap()));
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!((&*config.log.filter, config.log.access), ("warn", None));
}

#[test]
fn no_http_by_default_beside_https() {
    let config = good("certs = \"certs\"\nserver.https = [\"127.0.0.1:8443\"]");
    assert_eq!(config.server.http, []);
    assert_eq!(config.redirect_to_https, None);
}

#[test]
fn a_redirect_may_name_the_port_that_visitors_see() {
    let config = good(
        "certs = \"certs\"\nserver = { http = [\"127.0.0.1:0\"], https = [\"127.0.0.1:0\"], \
         redirect_http = true, https_port = 443 }",
    );
    assert_eq!(config.redirect_to_https, Some(443));
}

#[test]
fn the_environment_wins_for_addresses_and_the_log_filter_only() {
    let environment = Environment {
        listen: Some("0.0.0.0:80, [::]:80".to_owned()),
        log: Some("debug".to_owned()),
        ..Environment::default()
    };
    let config = read_in(
        &environment,
        "server.http = [\"127.0.0.1:1\"]\nlog.filter = \"warn\"",
    );
    let config = config.config.unwrap();
    assert_eq!(
        config.server.http,
        ["0.0.0.0:80".parse().unwrap(), "[::]:80".parse().unwrap()]
    );
    assert_eq!(config.log.filter, "debug");
}

#[test]
fn faults_in_the_environment_name_the_variable() {
    let environment = Environment {
        listen: Some("8080".to_owned()),
        log: Some("info,=[=loud".to_owned()),
        ..Environment::default()
    };
    let problems = read_in(&environment, "").problems;
    let places = problems.iter().map(|problem| problem.place.to_string());
    let places: Vec<_> = places.collect();
    assert_eq!(places, ["COBROWSE_EDGE_LISTEN", "COBROWSE_EDGE_LOG"]);
    assert!(
        problems[0].remedy.contains("127.0.0.1:8080"),
        "{}",
        problems[0]
    );
}

#[test]
fn the_environment_is_heard_without_a_file_too() {
    let rules = RulesSource::Directory("rules".into());
    let mut config = EdgeConfig::new(rules);
    let environment = Environment {
        listen: Some("0.0.0.0:80".to_owned()),
        log: Some("debug".to_owned()),
        ..Environment::default()
    };
    environment.apply(&mut config).unwrap();
    assert_eq!(config.server.http, ["0.0.0.0:80".parse().unwrap()]);
    assert_eq!(config.log.filter, "debug");
    let broken = Environment {
        listen: Some("80".to_owned()),
        ..Environment::default()
    };
    assert_eq!(broken.apply(&mut config).unwrap_err().len(), 1);
}

#[test]
fn tells_where_other_files_are_though_something_else_is_wrong() {
    let draft = read_in(
        &Environment::default(),
        "env = \"staging\"\nrules = \"r\"\ncerts = \"c\"\nserver.drain_timeout = 3",
    );
    assert!(draft.config.is_none());
    assert_eq!(draft.rules.as_deref(), Some(Path::new("/etc/edge/r")));
    assert_eq!(
        draft.certificates.as_deref(),
        Some(Path::new("/etc/edge/c"))
    );
    assert_eq!(draft.env, SiteEnv::Staging);
    let draft = read_in(&Environment::default(), "rules = 3");
    assert_eq!(draft.rules, None);
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem_of_its_own() {
    let directory = TestDirectory::new();
    let latin = directory.write("latin.toml", b"# one\nvia = \"caf\xe9\"\n");
    let message = |path: &Path| load(path).unwrap_err()[0].to_string();
    assert!(
        message(&latin).contains("not UTF-8 text: line 2"),
        "{}",
        message(&latin)
    );
    assert!(message(&directory.path().join("none.toml")).contains("cannot be read"));
    assert!(message(directory.path()).contains("cannot be read"));
    let large = directory.write("large.toml", vec![b'#'; 1024 * 1024 + 1]);
    assert!(message(&large).contains("larger than"));
}

#[test]
fn unix_sockets_take_the_place_of_the_default_listener() {
    let config = good(
        r#"
        [server]
        unix = ["/run/edge/a.sock", "unix:/run/edge/b.sock"]
        unix_mode = "0600"
        proxy_protocol = ["unix"]
        [forwarded]
        trusted_peers = ["unix"]
        "#,
    );
    let paths = ["/run/edge/a.sock", "/run/edge/b.sock"].map(PathBuf::from);
    assert_eq!(config.server.unix, paths);
    assert_eq!(config.server.unix_mode, 0o600);
    assert!(config.server.http.is_empty());
    for peers in [&config.trusted_peers, &config.server.proxy_protocol] {
        assert!(peers.contains("::".parse().unwrap()));
        assert!(!peers.contains("::1".parse().unwrap()));
    }
    assert_eq!(good("").server.unix_mode, 0o660);
}

#[test]
fn limits_of_exchanges_are_read() {
    let config = good(
        r#"
        [limits]
        body_bytes_max = "5MiB"
        body_timeout = "20s"
        body_bytes_per_second_min = 0
        exchange_timeout = "10m"
        "#,
    );
    assert_eq!(config.exchange.body_bytes_max, 5 << 20);
    assert_eq!(config.exchange.body_timeout, Duration::from_secs(20));
    assert_eq!(config.exchange.body_bytes_per_second_min, 0);
    let ten_minutes = Duration::from_mins(10);
    assert_eq!(config.exchange.exchange_timeout, Some(ten_minutes));
    assert_eq!(good("").exchange.exchange_timeout, None);
}
