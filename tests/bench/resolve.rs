//! How long it takes to find the rule for a path, and to load the rules, by their number.

#![allow(
    missing_docs,
    reason = "criterion's macros make public items without docs"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use cobrowse_edge::problem::SourceFile;
use cobrowse_edge::rules::{RuleSet, SiteEnv};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

const COUNTS: [usize; 3] = [10, 1_000, 10_000];

/// Exact paths, areas, wildcards in the middle and partial wildcards, as a grown rule set has them.
fn source(count: usize) -> Arc<SourceFile> {
    let mut text = String::from(
        "version = 1\n[[site]]\nhosts = [\"www.bank.example\"]\norigin = \"http://10.0.0.1\"\ngroup = 1\nmasks = [\"#ssn\"]\n",
    );
    for number in 0..count {
        let path = match number % 4 {
            0 => format!("/area{number}/**"),
            1 => format!("/products/item{number}/details.html"),
            2 => format!("/branches/*/service{number}"),
            _ => format!("/area{}/forms/*.asp", number - 3),
        };
        let _ = writeln!(
            text,
            "[[site.rule]]\nname = \"rule {number}\"\npath = \"{path}\"\nmasks = [\"#m{number}\"]"
        );
    }
    Arc::new(SourceFile {
        path: PathBuf::from("bench.toml"),
        text,
    })
}

fn resolve(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("resolve");
    for count in COUNTS {
        let Ok(loaded) = RuleSet::compile(vec![source(count)], SiteEnv::Production) else {
            return;
        };
        let last = (count - 1) / 4 * 4;
        let paths = [
            (
                "exact",
                format!("/products/item{}/details.html", last.saturating_sub(3)),
            ),
            (
                "two rules",
                format!("/area{}/forms/apply.asp", last.saturating_sub(4)),
            ),
            ("no rule", "/somewhere/else/altogether.html".to_owned()),
        ];
        for (name, path) in paths {
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| {
                    let site = loaded.rules.site(black_box("www.bank.example"));
                    site.map(|site| site.resolve(black_box(&path)))
                });
            });
        }
    }
    group.finish();
}

fn load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    for count in COUNTS {
        let source = source(count);
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher
                .iter(|| RuleSet::compile(vec![Arc::clone(&source)], SiteEnv::Production).is_ok());
        });
    }
    group.finish();
}

criterion_group!(benches, resolve, load);
criterion_main!(benches);
