//! The house rules that a machine can check: who may use whom, and what is never written.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room, the rooms that it may use, and the crates that it may name beside std, bytes and
/// thiserror. The table of DESIGN section 3, with what building the house has taught.
struct Room {
    name: &'static str,
    floor: u8,
    uses: &'static [&'static str],
    crates: &'static [&'static str],
}

const fn room(
    name: &'static str,
    floor: u8,
    uses: &'static [&'static str],
    crates: &'static [&'static str],
) -> Room {
    Room {
        name,
        floor,
        uses,
        crates,
    }
}

const HOUSE: &[Room] = &[
    room(
        "cli",
        5,
        &[
            "app",
            "backend",
            "config",
            "document",
            "groups",
            "html",
            "problem",
            "proxy",
            "rules",
            "server",
            "telemetry",
            "upstream",
            "wire",
        ],
        // The demo plays an origin and a backend, and so speaks HTTP itself.
        &[
            "aws_lc_rs",
            "clap",
            "http",
            "http_body",
            "http_body_util",
            "httpdate",
            "hyper",
            "hyper_util",
            "memchr",
            "miette",
            "nix",
            "rpassword",
            "serde",
            "serde_json",
            "tokio",
            "toml",
            "tracing",
        ],
    ),
    room(
        "app",
        5,
        &[
            "acme",
            "backend",
            "config",
            "problem",
            "proxy",
            "rules",
            "server",
            "telemetry",
            "tunnel",
            "upstream",
            "wire",
        ],
        &[
            "arc_swap",
            "http",
            "http_body",
            "http_body_util",
            "hyper",
            "notify",
            "sd_notify",
            "tokio",
            "tracing",
        ],
    ),
    room(
        "config",
        4,
        &[
            "acme",
            "document",
            "groups",
            "problem",
            "proxy",
            "rules",
            "server",
            "telemetry",
            "upstream",
            "wire",
        ],
        &["http", "ipnet", "serde", "toml", "tracing_subscriber"],
    ),
    room(
        "proxy",
        3,
        &[
            "groups",
            "html",
            "inject",
            "rules",
            "telemetry",
            "tunnel",
            "upstream",
            "wire",
        ],
        // aws_lc_rs makes the keys of handshakes, and checks what answers them.
        &[
            "aws_lc_rs",
            "base64",
            "http",
            "http_body",
            "http_body_util",
            "hyper",
            "serde",
            "serde_json",
            "tokio",
            "tracing",
        ],
    ),
    room(
        "backend",
        3,
        &["groups", "rules", "telemetry", "wire"],
        &[
            "argon2",
            "aws_lc_rs",
            "axum",
            "base64",
            "http",
            "http_body_util",
            "hyper",
            "rusqlite",
            "serde",
            "serde_json",
            "tokio",
            "tracing",
        ],
    ),
    room(
        "acme",
        2,
        &["problem", "server", "telemetry"],
        &[
            "aws_lc_rs",
            "base64",
            "http",
            "http_body_util",
            "hyper_rustls",
            "hyper_util",
            "instant_acme",
            "rustls",
            "rustls_platform_verifier",
            "serde_json",
            "tokio",
            "tracing",
        ],
    ),
    room(
        "inject",
        2,
        &["html", "telemetry", "wire"],
        // aws_lc_rs makes nonces.
        &["aws_lc_rs", "encoding_rs", "http", "http_body"],
    ),
    room(
        "rules",
        1,
        // Of wire it uses what a content security policy is, and nothing else.
        &["document", "groups", "html", "problem", "wire"],
        &["serde", "serde_json", "toml"],
    ),
    room(
        "server",
        1,
        &["problem", "telemetry", "wire"],
        // h2 has the word for why a stream is reset.
        &[
            "arc_swap",
            "aws_lc_rs",
            "h2",
            "http",
            "http_body",
            "http_body_util",
            "hyper",
            "hyper_util",
            "listenfd",
            "memchr",
            "nix",
            "ppp",
            "rcgen",
            "rustls",
            "socket2",
            "tokio",
            "tokio_rustls",
            "tracing",
            "x509_parser",
        ],
    ),
    room(
        "tunnel",
        1,
        &["telemetry", "wire"],
        &["hyper", "hyper_util", "tokio", "tracing"],
    ),
    room(
        "upstream",
        1,
        &["problem", "telemetry", "wire"],
        &[
            "h2",
            "http",
            "http_body",
            "http_body_util",
            "hyper",
            "hyper_util",
            "nix",
            "rustls",
            "rustls_platform_verifier",
            "socket2",
            "tokio",
            "tokio_rustls",
            "tracing",
        ],
    ),
    room("document", 0, &["problem"], &["toml"]),
    room("groups", 0, &[], &["aws_lc_rs", "base64"]),
    room(
        "html",
        0,
        &[],
        &[
            "cssparser",
            "encoding_rs",
            "htmlize",
            "lol_html",
            "memchr",
            "precomputed_hash",
            "selectors",
        ],
    ),
    room("problem", 0, &[], &[]),
    room(
        "telemetry",
        0,
        &[],
        &[
            "prometheus_client",
            "serde_json",
            "tracing",
            "tracing_subscriber",
        ],
    ),
    room(
        "wire",
        0,
        &[],
        &[
            "compression_codecs",
            "flate2",
            "http",
            "http_body",
            "http_body_util",
            "httpdate",
            "ipnet",
            "itoa",
            "libdeflater",
            "memchr",
        ],
    ),
];

/// Rooms that stand on one of their own floor.
const ON_TOP: &[(&str, &str)] = &[("cli", "app"), ("document", "problem")];

/// Every crate that the manifest names; what is not among them cannot be used at all.
fn dependencies() -> BTreeSet<String> {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let table = manifest["dependencies"].as_table().unwrap();
    table.keys().map(|name| name.replace('-', "_")).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a tree with one of these endings.
fn files(directory: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "node_modules" && name != "target" {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found
}

fn rust_files(room: &str) -> Vec<PathBuf> {
    let source = root().join("src");
    let file = source.join(format!("{room}.rs"));
    if file.is_file() {
        vec![file]
    } else {
        files(&source.join(room), &[".rs"])
    }
}

/// The code of a file: without comments, and without its test module (tests may look anywhere
/// in the house).
fn code(path: &Path) -> String {
    let text = read(path);
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

fn is_test_file(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy();
    let in_tests = path.components().any(|part| part.as_os_str() == "tests");
    name == "tests" || name.starts_with("test_") || in_tests
}

/// The first path segments behind `crate::` in a text, groups in braces included.
fn rooms_named(code: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => named.extend(members(group)),
            None => {
                named.insert(segment(rest));
            }
        }
    }
    named.remove("");
    named
}

/// The first segments of the members of a `use` group, up to its closing brace.
fn members(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut member = String::new();
    let mut found = Vec::new();
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => found.push(segment(std::mem::take(&mut member).trim())),
            other if depth == 0 => member.push(other),
            _ => {}
        }
    }
    found.push(segment(member.trim()));
    found
}

fn segment(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn the_table_is_a_house() {
    let floor = |name: &str| {
        HOUSE
            .iter()
            .find(|room| room.name == name)
            .map(|room| room.floor)
    };
    for room in HOUSE {
        for used in room.uses {
            let below = floor(used).unwrap_or_else(|| panic!("{}: no room {used}", room.name));
            let on_top = ON_TOP.contains(&(room.name, used));
            assert!(
                below < room.floor || on_top,
                "{} may not use {used}",
                room.name
            );
        }
    }
    let lib = read(&root().join("src/lib.rs"));
    let modules = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for module in modules {
        assert!(
            floor(module).is_some(),
            "{module} has no place in the table"
        );
    }
}

#[test]
fn rooms_use_only_what_the_table_lets_them() {
    let dependencies = dependencies();
    for room in HOUSE {
        for path in rust_files(room.name)
            .iter()
            .filter(|path| !is_test_file(path))
        {
            let code = code(path);
            for used in rooms_named(&code) {
                let allowed = used == room.name || room.uses.contains(&used.as_str());
                assert!(
                    allowed,
                    "{}: {} may not use {used}",
                    path.display(),
                    room.name
                );
            }
            for name in &dependencies {
                let named = code.match_indices(&format!("{name}::")).any(|(at, _)| {
                    let before = code[..at].chars().next_back();
                    before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
                });
                let common = ["bytes", "thiserror"].contains(&name.as_str());
                let allowed = common || room.crates.contains(&name.as_str());
                assert!(
                    !named || allowed,
                    "{}: {} may not name {name}",
                    path.display(),
                    room.name
                );
            }
        }
    }
}

#[test]
fn the_reading_of_use_lines_is_right() {
    let code =
        "use crate::{wire::{Scheme, Path}, html};\nuse crate::rules::{A, B};\ncrate::app::x()";
    let named: Vec<_> = rooms_named(code).into_iter().collect();
    assert_eq!(named, ["app", "html", "rules", "wire"]);
}

#[test]
fn nothing_is_written_that_has_no_place_here() {
    // Put together here, so that this file does not find itself.
    let forbidden = [
        ["unbounded", "_channel"].concat(),
        ["to", "do!("].concat(),
        ["unimplemented", "!("].concat(),
        ["db", "g!("].concat(),
        ["#[ig", "nore"].concat(),
        ["should", "_panic"].concat(),
        ["thread::", "sleep("].concat(),
        ["FIX", "ME"].concat(),
        ["TO", "DO"].concat(),
    ];
    for directory in ["src", "tests"] {
        for path in files(&root().join(directory), &[".rs", ".ts", ".js", ".mjs"]) {
            let text = read(&path);
            // The measuring instrument lets time pass: that is its work, and no test waits for it.
            let measures = path.starts_with(root().join("tests/bench/src"));
            for word in &forbidden {
                if measures && word.ends_with("sleep(") {
                    continue;
                }
                assert!(!text.contains(word.as_str()), "{}: {word}", path.display());
            }
        }
    }
}

#[test]
fn the_binary_is_thin() {
    assert!(read(&root().join("src/main.rs")).lines().count() <= 80);
}
