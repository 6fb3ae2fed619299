//! The table in the terminal.

use crate::rows::{Bound, Goal};
use crate::run::{Measured, Outcome};
use crate::sample::{Metric, Spread};

/// The figures that this row has.
pub fn columns(outcome: &Outcome) -> Vec<Metric> {
    let Some(base) = outcome.peers.first() else {
        return Vec::new();
    };
    let mut columns = Metric::ALL.to_vec();
    columns.retain(|metric| Spread::over(&base.samples, *metric).is_some());
    columns
}

pub fn print(outcome: &Outcome) {
    let row = outcome.row;
    println!();
    let rounds = outcome.peers.first().map_or(0, |peer| peer.samples.len());
    println!("{}: {} ({rounds} rounds)", row.name, row.about);
    let base = outcome.peers.first();
    let columns = columns(outcome);
    let mut head = format!("  {:<19}", "");
    for metric in &columns {
        head.push_str(&format!(
            " {:>width$}",
            metric.title(),
            width = width(*metric)
        ));
    }
    println!("{head}");
    if let Some(base) = base {
        for peer in &outcome.peers {
            print_peer(peer, base, &columns);
        }
    }
    for (kind, why) in &outcome.left_out {
        println!("  {:<19} {why}", kind.name());
    }
    if outcome.stolen > 0.02 {
        println!(
            "  the hypervisor took {:.0} % of the time in the worst round, though it was repeated",
            outcome.stolen * 100.0
        );
    }
    for goal in row.goals {
        if let Some(line) = judge(goal, outcome) {
            println!("  {line}");
        }
    }
}

fn width(metric: Metric) -> usize {
    match metric.is_main() {
        true => 29,
        false => 15,
    }
}

fn print_peer(peer: &Measured, base: &Measured, columns: &[Metric]) {
    let mut line = format!("  {:<19}", peer.kind.name());
    for metric in columns {
        let text = cell(peer, base, *metric);
        line.push_str(&format!(" {text:>width$}", width = width(*metric)));
    }
    println!("{line}");
}

fn cell(peer: &Measured, base: &Measured, metric: Metric) -> String {
    let Some(value) = Spread::over(&peer.samples, metric) else {
        return "-".to_owned();
    };
    let shown = metric.show(value.median);
    match Spread::ratio(&peer.samples, &base.samples, metric) {
        Some(ratio) if metric.is_main() => format!(
            "{:.2}x [{:.2} {:.2}] {shown:>8}",
            ratio.median, ratio.least, ratio.most
        ),
        Some(ratio) => format!("{:.2}x {shown:>7}", ratio.median),
        None => shown,
    }
}

/// Whether the edge reaches what it is to reach.
pub fn judge(goal: &Goal, outcome: &Outcome) -> Option<String> {
    let peer = |kind| outcome.peers.iter().find(|peer| peer.kind == kind);
    let (edge, other) = (peer(crate::peers::Kind::Edge)?, peer(goal.against)?);
    let ratio_of = |metric| {
        let ratio = Spread::ratio(&edge.samples, &other.samples, metric);
        ratio.map(|ratio| ratio.median)
    };
    let value = Spread::over(&edge.samples, goal.metric)?.median;
    let seen = ratio_of(goal.metric)?;
    // What a core can do is judged by its time per request: what was counted is less where the load
    // or something else on the machine was the limit.
    let (ratio, how) = match (goal.metric, ratio_of(Metric::Cpu)) {
        (Metric::Rate, Some(cpu)) if cpu > 0.0 => {
            (1.0 / cpu, format!(" by CPU, {seen:.2}x as counted"))
        }
        _ => (seen, String::new()),
    };
    let of = format!("x of {}", goal.against.name());
    let (reached, text) = match goal.bound {
        Bound::AtLeast(bound) => (
            ratio >= bound,
            format!(">= {bound:.2}{of}: {ratio:.2}x{how}"),
        ),
        Bound::AtMost(bound) => (
            ratio <= bound,
            format!("<= {bound:.2}{of}: {ratio:.2}x{how}"),
        ),
        Bound::NoMoreThan(bound) => {
            let (bound_shown, shown) = (goal.metric.show(bound), goal.metric.show(value));
            (value <= bound, format!("<= {bound_shown}: {shown}"))
        }
    };
    let verdict = if reached { "reached" } else { "NOT reached" };
    Some(format!("goal: {} {text}, {verdict}", goal.metric.title()))
}
