//! One chart: CPU per request against the peer that a row compares with, on a logarithmic scale.

use std::fmt::Write as _;

use crate::files::About;
use crate::peers::Kind;
use crate::run::{Measured, Outcome};
use crate::sample::{Metric, Spread};

const LEFT: f64 = 190.0;
const WIDTH: f64 = 620.0;
const BAR: f64 = 13.0;
const ROW_GAP: f64 = 14.0;

/// From a 32nd to 32 times.
const OCTAVES: f64 = 5.0;

pub fn draw(about: &About, outcomes: &[Outcome]) -> String {
    let mut body = String::new();
    let mut y = 64.0;
    for outcome in outcomes {
        y = draw_row(&mut body, outcome, y);
    }
    let grid = draw_grid(y);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"600\">CPU per request: less is better</text>\n\
         <text x=\"12\" y=\"40\" fill=\"#666\">{machine}; line: the range over the rounds</text>\n{grid}{body}</svg>\n",
        width = LEFT + WIDTH + 80.0,
        height = y + 16.0,
        machine = escape(&about.machine)
    )
}

fn x(ratio: f64) -> f64 {
    let octaves = ratio.log2().clamp(-OCTAVES, OCTAVES);
    LEFT + WIDTH * (octaves + OCTAVES) / (2.0 * OCTAVES)
}

fn draw_grid(bottom: f64) -> String {
    let mut grid = String::new();
    for (ratio, label) in [
        (1.0 / 16.0, "1/16"),
        (0.25, "1/4"),
        (0.5, "1/2"),
        (1.0, "the same"),
        (2.0, "2x"),
        (4.0, "4x"),
        (16.0, "16x"),
    ] {
        let at = x(ratio);
        let colour = if ratio == 1.0 { "#444" } else { "#ddd" };
        let _ = writeln!(
            grid,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"60\" y2=\"{bottom:.1}\" stroke=\"{colour}\"/>\
             <text x=\"{at:.1}\" y=\"55\" text-anchor=\"middle\" fill=\"#666\">{label}</text>"
        );
    }
    grid
}

fn draw_row(body: &mut String, outcome: &Outcome, mut y: f64) -> f64 {
    let Some(base) = outcome.peers.first() else {
        return y;
    };
    let metric = match Spread::over(&base.samples, Metric::Cpu) {
        Some(_) => Metric::Cpu,
        None => return y,
    };
    y += ROW_GAP;
    let _ = writeln!(
        body,
        "<text x=\"12\" y=\"{:.1}\" font-weight=\"600\">{}</text>\
         <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#666\">against {}</text>",
        y,
        escape(outcome.row.name),
        LEFT + 8.0,
        y,
        escape(&base.kind.name())
    );
    y += 5.0;
    for peer in outcome.peers.iter().skip(1) {
        if let Some(ratio) = Spread::ratio(&peer.samples, &base.samples, metric) {
            draw_bar(body, peer, ratio, y);
            y += BAR + 3.0;
        }
    }
    y
}

fn draw_bar(body: &mut String, peer: &Measured, ratio: Spread, y: f64) {
    let colour = match peer.kind {
        Kind::EdgeBase => "#9cc3b5",
        kind if kind.is_edge() => "#1f7a5c",
        _ => "#b9bec8",
    };
    let (from, to) = (x(1.0).min(x(ratio.median)), x(1.0).max(x(ratio.median)));
    let middle = y + BAR / 2.0;
    let _ = writeln!(
        body,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
         <rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>\
         <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"#222\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{:.2}x</text>",
        LEFT - 8.0,
        y + BAR - 3.0,
        escape(&peer.kind.name()),
        (to - from).max(1.0),
        x(ratio.least),
        x(ratio.most),
        x(ratio.most).max(to) + 5.0,
        y + BAR - 3.0,
        ratio.median
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
