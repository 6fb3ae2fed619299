//! A proxy as a process: pinned, ended with us, and its CPU time and memory read from /proc.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

pub struct Process {
    child: Child,
    log: File,
}

impl Process {
    /// Starts `command` on `core`, with its output in `log`. The kernel ends it when we end, however
    /// that happens.
    pub fn start(command: &[String], core: usize, log: &Path) -> Result<Self> {
        let output = File::create(log)?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "taskset", "-c"])
            .arg(core.to_string())
            .args(command)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("setpriv and taskset (package util-linux) are needed")?;
        let log = File::open(log)?;
        Ok(Self { child, log })
    }

    /// Waits until it takes connections.
    pub fn wait_for(&mut self, address: SocketAddr) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(15) {
            if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("ended at once ({status}): {}", self.output());
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("does not listen on {address}: {}", self.output());
    }

    fn output(&mut self) -> String {
        let mut text = String::new();
        let _ = self.log.rewind();
        let _ = self.log.read_to_string(&mut text);
        let lines: Vec<_> = text.trim().lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }

    /// This process and all below it.
    fn family(&self) -> Vec<u32> {
        let mut family = vec![self.child.id()];
        let mut seen: HashSet<u32> = HashSet::new();
        let mut index = 0;
        while let Some(pid) = family.get(index).copied() {
            index += 1;
            for task in task_files(pid, "children") {
                let children = task.split_whitespace().filter_map(|pid| pid.parse().ok());
                family.extend(children.filter(|pid| seen.insert(*pid)));
            }
        }
        family
    }

    /// Nanoseconds on a core so far, of all threads of all processes.
    pub fn cpu_ns(&self) -> u64 {
        self.family()
            .into_iter()
            .flat_map(|pid| task_files(pid, "schedstat"))
            .filter_map(|stat| stat.split_whitespace().next()?.parse::<u64>().ok())
            .sum()
    }

    /// Proportional set size in bytes: memory shared with others counts in part.
    pub fn pss(&self) -> u64 {
        self.family()
            .into_iter()
            .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok())
            .filter_map(|text| {
                let line = text.lines().find(|line| line.starts_with("Pss:"))?;
                line.split_whitespace().nth(1)?.parse::<u64>().ok()
            })
            .sum::<u64>()
            * 1024
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

fn task_files(pid: u32, name: &str) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join(name)).ok())
        .collect()
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(2) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free now; its user should take it soon.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
