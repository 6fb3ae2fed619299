use clap::CommandFactory;

use super::*;

fn read(line: &str) -> Result<Cli, clap::Error> {
    let words = format!("cobrowse-edge {line}");
    Cli::try_parse_from(words.split(' '))
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn reads_what_it_should() {
    for line in [
        "serve",
        "serve --config edge.toml",
        "serve --rules rules",
        "serve --rules rules --listen 127.0.0.1:0 --listen [::1]:0 --listen-tls 127.0.0.1:0",
        "serve --rules rules --listen-tls 0.0.0.0:8443 --certs certs --admin off",
        "serve --origin http://127.0.0.1:8000 --group 15687",
        "serve --origin http://a --group 1 --additional-groups 2,3 --mask #a --mask .b --script-url /x",
        "serve --origin http://a --group 1 --session-backend https://www.glance.net --env staging",
        "serve --rules r --log-format json --access-log off",
        "demo",
        "demo --listen 127.0.0.1:0 --listen-tls 127.0.0.1:0 --admin 127.0.0.1:0",
        "check",
        "check --config edge.toml",
        "check --rules rules --env staging",
        "explain https://www.bank.example/",
        "explain https://www.bank.example/ --rules rules",
    ] {
        let read = read(line);
        assert!(read.is_ok(), "{line}: {read:?}");
    }
}

#[test]
fn refuses_what_contradicts_itself_and_names_it() {
    for (line, words) in [
        (
            "serve --config a --rules b",
            "'--config <FILE>' cannot be used with '--rules <DIR>'",
        ),
        (
            "serve --config a --listen 127.0.0.1:1",
            "cannot be used with '--listen <ADDR>'",
        ),
        (
            "serve --config a --admin off",
            "cannot be used with '--admin <ADDR>'",
        ),
        (
            "serve --config a --env staging",
            "cannot be used with '--env <ENV>'",
        ),
        (
            "serve --origin http://a --group 1 --rules r",
            "cannot be used with",
        ),
        (
            "serve --rules r --mask #a",
            "cannot be used with '--mask <SELECTOR>'",
        ),
        ("serve --origin http://a", "--group <ID>"),
        ("serve --group 1", "--origin <URL>"),
        ("serve --mask #a", "--origin <URL>"),
        (
            "serve --listen 127.0.0.1:1",
            "<--rules <DIR>|--origin <URL>>",
        ),
        ("serve --rules r --certs c", "--listen-tls <ADDR>"),
        (
            "serve --rules r --listen 8080",
            "write an IP address and a port: \"127.0.0.1:8080\"",
        ),
        (
            "serve --rules r --admin on",
            "write an IP address and a port",
        ),
        (
            "serve --rules r --env test",
            "[possible values: production, staging]",
        ),
        (
            "serve --rules r --session-backend www.glance.net",
            "write it in full",
        ),
        (
            "serve --origin http://a --group 0",
            "a positive whole number",
        ),
        (
            "serve --origin http://a --group 1 --additional-groups 2,x",
            "a positive whole number",
        ),
        ("check --config a --rules b", "cannot be used with"),
        ("check --env staging", "--rules <DIR>"),
        ("explain", "<URL>"),
        ("explain www.bank.example", "write it in full"),
        ("srve", "similar"),
    ] {
        let refusal = read(line).unwrap_err();
        assert!(refusal.to_string().contains(words), "{line}: {refusal}");
        assert_eq!(exit_of(&refusal), Exit::Usage, "{line}");
    }
}

#[test]
fn asking_for_help_is_no_mistake() {
    for line in ["--help", "--version", "serve --help", "check -h"] {
        let told = read(line).unwrap_err();
        assert_eq!(exit_of(&told), Exit::Success, "{line}");
    }
}
