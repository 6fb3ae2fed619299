//! The machine: which core is whose, how much of it others took, what it is.

use std::fs;

use anyhow::{Context, Result, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// One core is the proxies'; the others are load's and origin's.
pub struct Cores {
    pub proxy: usize,
}

impl Cores {
    /// Leaves the first core to the proxies; this process, with all threads that it starts later,
    /// moves to the others.
    pub fn divide() -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let proxy = cores.next().context("there is no core")?;
        let load: Vec<_> = cores.collect();
        if load.is_empty() {
            bail!("two cores are needed: one for the proxy, one for load and origin");
        }
        let mut set = CpuSet::new();
        load.iter().for_each(|core| set.set(*core));
        sched_setaffinity(None, &set)?;
        Ok(Self { proxy })
    }
}

/// /proc/stat: what all cores did so far, in ticks.
#[derive(Clone, Copy)]
pub struct Ticks {
    all: u64,
    idle: u64,
    stolen: u64,
}

impl Ticks {
    pub fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/stat")?;
        let line = text.lines().next().unwrap_or_default();
        let numbers: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            .filter_map(|number| number.parse().ok())
            .collect();
        let at = |index: usize| numbers.get(index).copied().unwrap_or(0);
        Ok(Self {
            all: numbers.iter().take(8).sum(),
            idle: at(3) + at(4),
            stolen: at(7),
        })
    }

    /// The share of the time since then that the hypervisor gave to others.
    pub fn stolen_since(self, earlier: Self) -> f64 {
        share(self.stolen - earlier.stolen, self.all - earlier.all)
    }

    pub fn busy_since(self, earlier: Self) -> f64 {
        1.0 - share(self.idle - earlier.idle, self.all - earlier.all)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// "AMD EPYC ..., 2 cores, Linux 6.1.0"
pub fn description() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let count = cpus
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {count} cores, Linux {}", kernel.trim())
}
