//! Load: closed loops on keep-alive connections, a thread each.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::client::{Connection, Target};
use crate::sample::percentile;

/// What all connections together saw.
pub struct Busy {
    pub requests: usize,
    pub elapsed: Duration,
    pub p99_us: f64,
}

/// What one connection alone saw.
pub struct Alone {
    pub p50_us: f64,
    pub p99_us: f64,
    pub first_byte_us: f64,
}

const WARMING: u8 = 0;
const TIMED: u8 = 1;
const OVER: u8 = 2;

/// Asks on `connections` at once; `around` runs at the beginning and the end of the timed window.
pub fn saturate<T>(
    target: &Target,
    connections: usize,
    warm_up: Duration,
    window: Duration,
    around: impl Fn() -> T,
) -> Result<(Busy, T, T)> {
    let phase = AtomicU8::new(WARMING);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| ask_on(target, &phase)))
            .collect();
        thread::sleep(warm_up);
        let (before, started) = (around(), Instant::now());
        phase.store(TIMED, Ordering::Relaxed);
        thread::sleep(window);
        phase.store(OVER, Ordering::Relaxed);
        let (elapsed, after) = (started.elapsed(), around());
        let mut latencies = Vec::new();
        for worker in workers {
            let seen = worker
                .join()
                .map_err(|_| anyhow!("a load thread panicked"))?;
            latencies.extend(seen.context("a request failed under load")?);
        }
        latencies.sort_unstable();
        let busy = Busy {
            requests: latencies.len(),
            elapsed,
            p99_us: percentile(&latencies, 0.99),
        };
        Ok((busy, before, after))
    })
}

fn ask_on(target: &Target, phase: &AtomicU8) -> io::Result<Vec<u32>> {
    let mut connection = Connection::open(target)?;
    let mut latencies = Vec::with_capacity(16 * 1024);
    while phase.load(Ordering::Relaxed) != OVER {
        let sent = Instant::now();
        let answer = connection.exchange(&target.request, None)?;
        if answer.status != 200 {
            return Err(io::Error::other(format!("status {}", answer.status)));
        }
        if phase.load(Ordering::Relaxed) == TIMED {
            latencies.push(nanoseconds(sent.elapsed()));
        }
    }
    Ok(latencies)
}

/// One request after the other on one connection.
pub fn alone(target: &Target, window: Duration) -> Result<Alone> {
    let mut connection = Connection::open(target)?;
    let (mut whole, mut first) = (Vec::new(), Vec::new());
    let started = Instant::now();
    let mut warm = 0;
    while started.elapsed() < window || whole.len() < 5 {
        let sent = Instant::now();
        let answer = connection
            .exchange(&target.request, None)
            .context("a request failed")?;
        warm += 1;
        if warm > 3 {
            whole.push(nanoseconds(sent.elapsed()));
            first.push(nanoseconds(answer.first_byte));
        }
    }
    whole.sort_unstable();
    first.sort_unstable();
    Ok(Alone {
        p50_us: percentile(&whole, 0.5),
        p99_us: percentile(&whole, 0.99),
        first_byte_us: percentile(&first, 0.5),
    })
}

pub fn nanoseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos()).unwrap_or(u32::MAX)
}
