//! What a run leaves under target/bench: all figures as JSON, the tables as Markdown.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::chart;
use crate::peers::Kind;
use crate::report::{columns, judge};
use crate::run::{Measured, Outcome};
use crate::sample::{Metric, Spread};

/// What the figures belong to.
pub struct About {
    pub machine: String,
    pub versions: Vec<(String, String)>,
    pub command: String,
}

pub fn write(directory: &Path, about: &About, outcomes: &[Outcome]) -> Result<()> {
    let results = serde_json::to_string_pretty(&results(about, outcomes))?;
    std::fs::write(directory.join("results.json"), results)?;
    std::fs::write(directory.join("table.md"), table(about, outcomes))?;
    std::fs::write(directory.join("chart.svg"), chart::draw(about, outcomes))?;
    Ok(())
}

fn results(about: &About, outcomes: &[Outcome]) -> Value {
    let versions: Map<_, _> = about
        .versions
        .iter()
        .map(|(name, version)| (name.clone(), json!(version)))
        .collect();
    json!({
        "machine": about.machine,
        "versions": versions,
        "command": about.command,
        "rows": outcomes.iter().map(row).collect::<Vec<_>>(),
    })
}

fn row(outcome: &Outcome) -> Value {
    let base = outcome.peers.first();
    let peers = outcome.peers.iter().map(|peer| {
        json!({
            "name": peer.kind.name(),
            "rounds": peer.samples.iter().map(|sample| {
                sample.iter().map(|(metric, value)| (metric.key().to_owned(), json!(value))).collect::<Map<_, _>>()
            }).collect::<Vec<_>>(),
            "ratios": base.map(|base| ratios(peer, base)),
        })
    });
    let left_out = outcome.left_out.iter();
    json!({
        "name": outcome.row.name,
        "about": outcome.row.about,
        "compared_with": base.map(|base| base.kind.name()),
        "peers": peers.collect::<Vec<_>>(),
        "left_out": left_out.map(|(kind, why)| json!({ "name": kind.name(), "why": why })).collect::<Vec<_>>(),
        "stolen": outcome.stolen,
        "goals": outcome.row.goals.iter().filter_map(|goal| judge(goal, outcome)).collect::<Vec<_>>(),
    })
}

fn ratios(peer: &Measured, base: &Measured) -> Map<String, Value> {
    Metric::ALL
        .into_iter()
        .filter_map(|metric| {
            let ratio = Spread::ratio(&peer.samples, &base.samples, metric)?;
            let spread =
                json!({ "median": ratio.median, "least": ratio.least, "most": ratio.most });
            Some((metric.key().to_owned(), spread))
        })
        .collect()
}

fn table(about: &About, outcomes: &[Outcome]) -> String {
    let mut text = format!("{}. `{}`\n", about.machine, about.command);
    let versions = about.versions.iter();
    let versions: Vec<_> = versions
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let _ = writeln!(text, "{}.\n", versions.join(", "));
    summary(&mut text, outcomes);
    for outcome in outcomes {
        table_of(&mut text, outcome);
    }
    text
}

/// The edge in every row, in a line.
fn summary(text: &mut String, outcomes: &[Outcome]) {
    text.push_str(
        "| row | the edge against | requests/s | CPU/request | added p50 | memory | goals |\n",
    );
    text.push_str("|---|---|--:|--:|--:|--:|---|\n");
    for outcome in outcomes {
        let edge = outcome.peers.iter().find(|peer| peer.kind == Kind::Edge);
        let (Some(edge), Some(base)) = (edge, outcome.peers.first()) else {
            continue;
        };
        let ratio = |metric| {
            let ratio = Spread::ratio(&edge.samples, &base.samples, metric);
            ratio.map_or_else(String::new, |ratio| format!("{:.2}x", ratio.median))
        };
        let reader = Spread::over(&edge.samples, Metric::PssPerReader);
        let memory = reader.map_or_else(
            || ratio(Metric::Pss),
            |reader| format!("{} per reader", Metric::PssPerReader.show(reader.median)),
        );
        let goals = outcome.row.goals.iter();
        let goals: Vec<_> = goals.filter_map(|goal| judge(goal, outcome)).collect();
        let goals: Vec<_> = goals
            .iter()
            .map(|goal| goal.trim_start_matches("goal: "))
            .collect();
        let _ = writeln!(
            text,
            "| {}: {} | {} | {} | {} | {} | {memory} | {} |",
            outcome.row.name,
            outcome.row.about,
            base.kind.name(),
            ratio(Metric::Rate),
            ratio(Metric::Cpu),
            ratio(Metric::AddedP50),
            goals.join("; ")
        );
    }
}

const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- /figures -->";

/// Puts the tables into this package's README.
pub fn publish(about: &About, outcomes: &[Outcome]) -> Result<()> {
    let path = "tests/bench/README.md";
    let text = std::fs::read_to_string(path)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .context("README has no place for figures")?;
    let (_, after) = rest
        .split_once(END)
        .context("README has no place for figures")?;
    let figures = table(about, outcomes);
    std::fs::write(path, format!("{before}{BEGIN}\n{figures}\n{END}{after}"))?;
    println!("The tables are in {path}.");
    Ok(())
}

fn table_of(text: &mut String, outcome: &Outcome) {
    let Some(base) = outcome.peers.first() else {
        return;
    };
    let columns = columns(outcome);
    let _ = writeln!(text, "\n**{}**: {}\n", outcome.row.name, outcome.row.about);
    let titles: Vec<_> = columns.iter().map(|metric| metric.title()).collect();
    let _ = writeln!(text, "| | {} |", titles.join(" | "));
    let _ = writeln!(text, "|---|{}", "--:|".repeat(columns.len()));
    for peer in &outcome.peers {
        let cells: Vec<_> = columns
            .iter()
            .map(|metric| cell(peer, base, *metric))
            .collect();
        let _ = writeln!(text, "| {} | {} |", peer.kind.name(), cells.join(" | "));
    }
}

fn cell(peer: &Measured, base: &Measured, metric: Metric) -> String {
    let Some(value) = Spread::over(&peer.samples, metric) else {
        return String::new();
    };
    let shown = metric.show(value.median);
    match Spread::ratio(&peer.samples, &base.samples, metric) {
        Some(ratio) if metric.is_main() => format!(
            "**{:.2}x** [{:.2}-{:.2}] {shown}",
            ratio.median, ratio.least, ratio.most
        ),
        _ => shown,
    }
}
