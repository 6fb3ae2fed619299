//! How a peer is measured, by the row's method.

use std::time::Duration;

use anyhow::Result;

use crate::client::Target;
use crate::http2;
use crate::load::{self, Alone, Busy};
use crate::pages::Size;
use crate::peers::Packing;
use crate::process::Process;
use crate::rows::{Method, Row};
use crate::run::{Bench, Peer};
use crate::sample::{Metric, Sample};
use crate::slow;
use crate::websocket;

/// Slow readers take their time, and memory is no matter of chance: once is enough.
pub fn rounds(row: &Row, rounds: usize) -> usize {
    match row.method {
        Method::SlowReaders(_) => 1,
        _ => rounds,
    }
}

/// What the same request takes without a proxy, where latencies are compared.
pub fn origin_alone(bench: &Bench, row: &Row, direct: &Target) -> Result<Option<Alone>> {
    let window = bench.pace.alone / 2;
    match row.method {
        Method::Pages => load::alone(direct, window).map(Some),
        Method::WebSocket => {
            load::alone_with(websocket::echo_again(direct.address)?, window).map(Some)
        }
        Method::Handshakes { .. } | Method::Http2 | Method::SlowReaders(_) => Ok(None),
    }
}

pub fn measure(bench: &Bench, row: &Row, peer: &Peer, origin: Option<&Alone>) -> Result<Sample> {
    let mut sample = Sample::default();
    if let Method::SlowReaders(readers) = row.method {
        let seen = slow::read(&peer.target, readers, &peer.process)?;
        sample.put(Metric::Pss, seen.peak as f64);
        let added = seen.peak.saturating_sub(seen.idle) as f64;
        sample.put(Metric::PssPerReader, added / readers as f64);
        return Ok(sample);
    }
    busy(bench, row, peer, &mut sample)?;
    if let Some(origin) = origin {
        let alone = match row.method {
            Method::WebSocket => {
                let step = websocket::echo_again(peer.target.address)?;
                load::alone_with(step, bench.pace.alone)?
            }
            _ => load::alone(&peer.target, bench.pace.alone)?,
        };
        sample.put(Metric::AddedP50, alone.p50_us - origin.p50_us);
        sample.put(Metric::AddedP99, alone.p99_us - origin.p99_us);
        if row.method == Method::Pages {
            sample.put(Metric::FirstByte, alone.first_byte_us);
        }
    }
    sample.put(Metric::Pss, peer.process.pss() as f64);
    if row.packing != Packing::Kept {
        sample.put(Metric::Output, peer.output as f64);
    }
    Ok(sample)
}

fn busy(bench: &Bench, row: &Row, peer: &Peer, sample: &mut Sample) -> Result<()> {
    let (warm_up, window) = (bench.pace.warm_up, bench.pace.window);
    let cpu = || Process::cpu_ns(&peer.process);
    let target = &peer.target;
    let run = |workers, prepare: &(dyn Fn() -> std::io::Result<load::Step> + Sync)| {
        load::saturate(workers, prepare, warm_up, window, cpu)
    };
    let (busy, before, after) = match row.method {
        Method::Handshakes { resume } => run(8, &|| load::connect_again(target, resume))?,
        Method::Http2 => http2::saturate(target, warm_up, window, cpu)?,
        Method::WebSocket => run(32, &|| websocket::echo_again(target.address))?,
        Method::Pages | Method::SlowReaders(_) => {
            run(connections(row.size), &|| load::ask_again(target))?
        }
    };
    put_busy(sample, &busy, after.saturating_sub(before));
    Ok(())
}

fn put_busy(sample: &mut Sample, busy: &Busy, cpu_ns: u64) {
    let requests = busy.requests as f64;
    let seconds = busy.elapsed.max(Duration::from_millis(1)).as_secs_f64();
    sample.put(Metric::Rate, requests / seconds);
    sample.put(Metric::Cpu, cpu_ns as f64 / 1_000.0 / requests);
    sample.put(Metric::BusyP99, busy.p99_us);
}

/// Enough to keep one core busy.
fn connections(size: Size) -> usize {
    match size {
        Size::K2 | Size::K64 => 32,
        Size::M1 => 8,
        Size::M10 => 4,
    }
}
