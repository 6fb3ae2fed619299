//! Measures the edge beside its peers. See README.md in this package.

mod chart;
mod check;
mod client;
mod coding;
mod ethernet;
mod files;
mod guard;
mod http2;
mod load;
mod machine;
mod methods;
mod origin;
mod pages;
mod peers;
mod process;
mod report;
mod rows;
mod run;
mod sample;
mod slow;
mod tls;
mod websocket;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::files::About;
use crate::machine::{Cores, Ticks};
use crate::origin::Origin;
use crate::peers::Tools;
use crate::rows::{ROWS, Row};
use crate::run::{Bench, Pace};
use crate::tls::Certificate;

fn main() -> ExitCode {
    let outcome = match env::args().nth(1).as_deref() {
        Some("guard") => guard::guard(setting("RENEW").is_some()),
        _ => measure(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

const QUICK: Pace = Pace {
    full: false,
    rounds: 3,
    warm_up: Duration::from_millis(120),
    window: Duration::from_millis(600),
    alone: Duration::from_millis(200),
    budget: Duration::from_secs(60),
};

const FULL: Pace = Pace {
    full: true,
    rounds: 5,
    warm_up: Duration::from_millis(200),
    window: Duration::from_millis(1000),
    alone: Duration::from_millis(400),
    budget: Duration::from_secs(8 * 60),
};

fn setting(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn measure() -> Result<()> {
    let started = Instant::now();
    let pace = if setting("FULL").is_some() {
        FULL
    } else {
        QUICK
    };
    let rows = chosen(setting("ONLY").as_deref(), pace)?;
    let bench = prepare(pace)?;
    let about = About {
        machine: machine::description(),
        versions: bench.tools.versions(),
        command: command(),
    };
    println!("{}", about.machine);
    let mut outcomes = Vec::new();
    for row in rows {
        let outcome = bench.run(row).with_context(|| row.name)?;
        report::print(&outcome);
        outcomes.push(outcome);
        files::write(&bench.directory, &about, &outcomes)?;
    }
    if setting("README").is_some() {
        files::publish(&about, &outcomes)?;
    }
    println!(
        "\n{} rows in {} s; all figures: {}/results.json, table.md, chart.svg",
        outcomes.len(),
        started.elapsed().as_secs(),
        bench.directory.display()
    );
    Ok(())
}

fn command() -> String {
    let mut command = String::from("make bench");
    for name in ["FULL", "ONLY", "BASE"] {
        if let Some(value) = setting(name) {
            command.push_str(&format!(" {name}={value}"));
        }
    }
    command
}

fn chosen(only: Option<&str>, pace: Pace) -> Result<Vec<&'static Row>> {
    let rows: Vec<_> = match only {
        Some(only) => ROWS
            .iter()
            .filter(|row| only.split(',').any(|name| name == row.name))
            .collect(),
        None => ROWS
            .iter()
            .filter(|row| pace.full || !row.quick.is_empty())
            .collect(),
    };
    if rows.is_empty() {
        let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        bail!("there is no such row; there are: {}", names.join(" "));
    }
    Ok(rows)
}

fn prepare(pace: Pace) -> Result<Bench> {
    let target = std::path::absolute("target")?;
    let directory = target.join("bench");
    std::fs::create_dir_all(&directory)?;
    let edge = setting("EDGE").map_or_else(|| target.join("release/cobrowse-edge"), PathBuf::from);
    if !edge.exists() {
        bail!(
            "{} is not there: `cargo build --release` makes it",
            edge.display()
        );
    }
    warn_if_busy()?;
    allow_many_files()?;
    let mut bench = Bench {
        cores: Cores::divide()?,
        tools: tools(&directory, edge),
        origin: Origin::start()?,
        certificate: Certificate::create(&directory)?,
        tag: String::new(),
        directory,
        pace,
        started: Instant::now(),
    };
    bench.tag = run::learn_tag(&bench)?;
    Ok(bench)
}

fn tools(directory: &Path, edge: PathBuf) -> Tools {
    Tools {
        edge,
        base: setting("BASE").map(PathBuf::from),
        envoy: envoy(directory).unwrap_or_else(|| directory.join("envoy/bin/envoy")),
        pingora: directory.join("build/release/pingora-peer"),
    }
}

/// The program itself, which the wheel's launcher in Python would start.
fn envoy(directory: &Path) -> Option<PathBuf> {
    let libraries = std::fs::read_dir(directory.join("envoy/lib")).ok()?;
    let programs = libraries
        .flatten()
        .map(|library| library.path().join("site-packages/envoy/_bin/envoy"));
    programs.into_iter().find(|program| program.exists())
}

/// A thousand readers are as many connections, and as many again for the proxy and the origin.
fn allow_many_files() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    Ok(())
}

fn warn_if_busy() -> Result<()> {
    let before = Ticks::now()?;
    std::thread::sleep(Duration::from_millis(300));
    let busy = Ticks::now()?.busy_since(before);
    if busy > 0.2 {
        println!(
            "The machine is {:.0} % busy with something else: believe ratios only.",
            busy * 100.0
        );
    }
    Ok(())
}
