//! `make bench-guard`: the instructions of a fixed set of parts, counted by callgrind, against the
//! figures of the last time. Time on a noisy machine hides a few per cent; counts do not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

const BASELINE: &str = "tests/bench/guard.json";

/// A part may take so much more, and a set of fresh figures is due when it takes so much less.
const TOLERANCE: f64 = 0.05;

/// What decides about the counts beside the code.
struct Tools {
    rustc: String,
    valgrind: String,
}

pub fn guard(renew: bool) -> Result<()> {
    let tools = Tools::find()?;
    let counts = count(&build()?)?;
    if renew {
        return write(&tools, &counts);
    }
    let baseline = fs::read_to_string(BASELINE).context(BASELINE)?;
    let baseline: Value = serde_json::from_str(&baseline).context(BASELINE)?;
    let worse = compare(&baseline, &counts);
    let same = baseline["rustc"] == tools.rustc.as_str()
        && baseline["valgrind"] == tools.valgrind.as_str();
    if !same {
        println!(
            "Not judged: the figures were taken with rustc {} and valgrind {}, this is rustc {} and valgrind {}.\n\
             `make bench-guard RENEW=1` at a commit that is known to be good makes figures for these.",
            text(&baseline["rustc"]),
            text(&baseline["valgrind"]),
            tools.rustc,
            tools.valgrind
        );
        return Ok(());
    }
    ensure!(
        worse.is_empty(),
        "more than {:.0} % more instructions than before: {}. If that is as it must be: `make bench-guard RENEW=1`",
        TOLERANCE * 100.0,
        worse.join(", ")
    );
    println!("No part takes over {:.0} % more.", TOLERANCE * 100.0);
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

impl Tools {
    fn find() -> Result<Self> {
        Ok(Self {
            rustc: version("rustc", "install Rust by rustup")?,
            valgrind: version("valgrind", "apt-get install valgrind")?,
        })
    }
}

/// The number in "rustc 1.95.0 (...)" or "valgrind-3.19.0".
fn version(program: &str, remedy: &str) -> Result<String> {
    let output = Command::new(program).arg("--version").output();
    let output = output.with_context(|| format!("{program} is missing: {remedy}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split([' ', '-', '\n']);
    let number = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    Ok(number.unwrap_or("?").to_owned())
}

/// Builds the parts as the product is built, and returns where.
fn build() -> Result<String> {
    println!("Building the parts as the product is built (some minutes)");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args([
            "bench", "--no-run", "--locked", "--quiet", "--bench", "parts",
        ])
        .arg("--message-format=json")
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the parts could not be built");
    let messages = String::from_utf8(output.stdout)?;
    let mut messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .find(|message| message["target"]["name"] == "parts" && message["executable"].is_string())
        .map(|message| text(&message["executable"]).to_owned())
        .context("cargo does not say where the parts are")
}

fn count(parts: &str) -> Result<BTreeMap<String, u64>> {
    let names = Command::new(parts).arg("--names").output()?;
    let names = String::from_utf8(names.stdout)?;
    names
        .lines()
        .map(|name| Ok((name.to_owned(), count_one(parts, name)?)))
        .collect()
}

fn count_one(parts: &str, name: &str) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*counted_part*"])
        .args(["--callgrind-out-file=/dev/null", parts, "--once", name])
        .output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {log}");
    let mut lines = log.lines();
    let collected = lines.find_map(|line| line.split_once("Collected : "));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    match count.unwrap_or(0) {
        0 => bail!("{name}: nothing was counted"),
        count => Ok(count),
    }
}

/// Prints all, and returns those that are worse.
fn compare(baseline: &Value, counts: &BTreeMap<String, u64>) -> Vec<String> {
    let mut worse = Vec::new();
    for (name, count) in counts {
        let Some(before) = baseline["instructions"][name].as_u64() else {
            println!("  {name:<26}{count:>13}  new");
            continue;
        };
        let change = *count as f64 / before as f64 - 1.0;
        println!("  {name:<26}{count:>13}  {:+.1} %", change * 100.0);
        if change > TOLERANCE {
            worse.push(format!("{name} ({:+.1} %)", change * 100.0));
        }
    }
    worse
}

fn write(tools: &Tools, counts: &BTreeMap<String, u64>) -> Result<()> {
    let baseline = json!({
        "rustc": tools.rustc,
        "valgrind": tools.valgrind,
        "instructions": counts,
    });
    let text = serde_json::to_string_pretty(&baseline)? + "\n";
    fs::write(Path::new(BASELINE), text)?;
    compare(&baseline, counts);
    println!("Written to {BASELINE}.");
    Ok(())
}
