use clap::Parser;

use super::*;
use crate::rules::{RuleSet, SiteEnv};
use crate::telemetry::LogFormat;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: ServeArgs,
}

fn configured_in(environment: &Environment, line: &str) -> EdgeConfig {
    let line = Line::try_parse_from(line.split(' ')).unwrap();
    let rules = line.args.flags.rules_source().unwrap();
    line.args.flags.configure(rules, environment).unwrap()
}

fn configured(line: &str) -> EdgeConfig {
    configured_in(&Environment::default(), line)
}

fn addresses(addresses: &[SocketAddr]) -> String {
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    addresses.join(" ")
}

#[test]
fn one_site_answers_for_every_host() {
    let config = configured(
        "serve --origin http://127.0.0.1:8000 --group 15687 --additional-groups 15688,15690 \
         --mask #ssn --mask .a --script-url https://cdn.example.com/loader.js",
    );
    let RulesSource::Given(source) = &config.rules else {
        panic!("{config:?}");
    };
    let loaded = RuleSet::compile(vec![Arc::clone(source)], SiteEnv::Production).unwrap();
    let rule = loaded.rules.site("any.example").unwrap().resolve("/");
    assert_eq!(rule.groups.as_ref().unwrap().primary().as_u32(), 15687);
    let plan = rule.plan.as_ref().unwrap();
    assert_eq!(plan.masks().len(), 2);
    assert!(
        plan.tag()
            .as_str()
            .contains("src=\"https://cdn.example.com/loader.js\"")
    );
    assert!(
        plan.tag()
            .as_str()
            .contains("data-additionalgroupids=\"15688,15690\"")
    );
}

#[test]
fn listens_where_it_is_told_to() {
    for (flags, http, https) in [
        ("", "127.0.0.1:8080", ""),
        (
            " --listen 127.0.0.1:0 --listen [::1]:0",
            "127.0.0.1:0 [::1]:0",
            "",
        ),
        (" --listen-tls 127.0.0.1:8443", "", "127.0.0.1:8443"),
        (
            " --listen 0.0.0.0:80 --listen-tls 0.0.0.0:443",
            "0.0.0.0:80",
            "0.0.0.0:443",
        ),
    ] {
        let config = configured(&format!("serve --rules r{flags}"));
        assert_eq!(addresses(&config.server.http), http, "{flags}");
        assert_eq!(addresses(&config.server.https), https, "{flags}");
    }
}

#[test]
fn certificates_are_home_made_unless_there_are_others() {
    let certificates = |flags| configured(&format!("serve --rules r{flags}")).certificates;
    assert!(matches!(certificates(""), CertificatesSource::None));
    let made = certificates(" --listen-tls 127.0.0.1:0");
    assert!(matches!(made, CertificatesSource::SelfSigned));
    let read = certificates(" --listen-tls 127.0.0.1:0 --certs c");
    assert_eq!(read.directory(), Some(Path::new("c")));
}

#[test]
fn the_rest_is_at_its_default_unless_it_is_said() {
    let config = configured("serve --rules r");
    assert_eq!(config.admin, Some(config::DEFAULT_ADMIN));
    assert_eq!(
        (config.env, config.log.format),
        (SiteEnv::Production, LogFormat::Human)
    );
    assert!(config.session.is_none() && config.log.access.is_some());

    let config = configured(
        "serve --rules r --admin off --env staging --log-format json --access-log off \
         --session-backend https://www.glance.net",
    );
    assert_eq!(config.admin, None);
    assert_eq!(
        (config.env, config.log.format),
        (SiteEnv::Staging, LogFormat::Json)
    );
    assert_eq!(config.log.access, None);
    let session = config.session.unwrap();
    assert_eq!(session.backend.host, "www.glance.net");
    assert!(matches!(
        session.place,
        SessionPlace::Mount { strip: true, .. }
    ));
}

#[test]
fn a_flag_wins_over_the_environment() {
    let environment = Environment {
        listen: Some("0.0.0.0:80".to_owned()),
        ..Environment::default()
    };
    let listens = |line| addresses(&configured_in(&environment, line).server.http);
    assert_eq!(listens("serve --rules r"), "0.0.0.0:80");
    assert_eq!(
        listens("serve --rules r --listen 127.0.0.1:1"),
        "127.0.0.1:1"
    );
}
