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

/// One closed loop: does one request, again and again.
pub type Step = Box<dyn FnMut() -> io::Result<()>>;

/// Runs `workers` closed loops at once, each with a step of its own; `around` runs at the beginning
/// and the end of the timed window.
pub fn saturate<T>(
    workers: usize,
    prepare: impl Fn() -> io::Result<Step> + Sync,
    warm_up: Duration,
    window: Duration,
    around: impl Fn() -> T,
) -> Result<(Busy, T, T)> {
    let phase = AtomicU8::new(WARMING);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| repeat(prepare()?, &phase)))
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
        Ok((Busy::of(latencies, elapsed), before, after))
    })
}

fn repeat(mut step: Step, phase: &AtomicU8) -> io::Result<Vec<u32>> {
    let mut latencies = Vec::with_capacity(16 * 1024);
    while phase.load(Ordering::Relaxed) != OVER {
        let sent = Instant::now();
        step()?;
        if phase.load(Ordering::Relaxed) == TIMED {
            latencies.push(nanoseconds(sent.elapsed()));
        }
    }
    Ok(latencies)
}

impl Busy {
    pub fn of(mut latencies: Vec<u32>, elapsed: Duration) -> Self {
        latencies.sort_unstable();
        Self {
            requests: latencies.len(),
            elapsed,
            p99_us: percentile(&latencies, 0.99),
        }
    }
}

/// Asks for the page on a connection that is kept.
pub fn ask_again(target: &Target) -> io::Result<Step> {
    let (target, mut connection) = (target.clone(), Connection::open(target)?);
    Ok(Box::new(move || {
        let answer = connection.exchange(&target.request, None)?;
        expect_200(answer.status)
    }))
}

/// Asks for the page on a connection of its own each time.
pub fn connect_again(target: &Target, resume: bool) -> io::Result<Step> {
    let config = crate::tls::client("http/1.1", resume).map_err(io::Error::other)?;
    let mut target = target.clone();
    target.tls = Some(config);
    Ok(Box::new(move || {
        let answer = Connection::open(&target)?.exchange(&target.request, None)?;
        expect_200(answer.status)
    }))
}

fn expect_200(status: u16) -> io::Result<()> {
    match status {
        200 => Ok(()),
        status => Err(io::Error::other(format!("status {status}"))),
    }
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

/// One round trip after the other of something that has no first byte.
pub fn alone_with(mut step: Step, window: Duration) -> Result<Alone> {
    let (mut whole, started) = (Vec::new(), Instant::now());
    while started.elapsed() < window || whole.len() < 5 {
        let sent = Instant::now();
        step().context("a round trip failed")?;
        whole.push(nanoseconds(sent.elapsed()));
    }
    whole.sort_unstable();
    Ok(Alone {
        p50_us: percentile(&whole, 0.5),
        p99_us: percentile(&whole, 0.99),
        first_byte_us: f64::NAN,
    })
}

pub fn nanoseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos()).unwrap_or(u32::MAX)
}
