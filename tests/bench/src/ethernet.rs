//! A network between the peer and the rest, with the segments of Ethernet: the loopback's of 64 KB
//! hide what a proxy does with small ones. The peer gets a network namespace of its own, which ends
//! with it, and with it the pair of devices.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::origin::{self, Origin};

/// RFC 2544: addresses for measurements between devices.
const NETWORK: [u8; 2] = [198, 18];

pub struct Ethernet {
    number: u8,
    /// Where the peer finds the origin.
    pub origin: SocketAddr,
}

impl Ethernet {
    pub fn new(origin: &Origin) -> Result<Self> {
        static NUMBER: AtomicU8 = AtomicU8::new(1);
        ensure!(
            rustix::process::geteuid().is_root(),
            "left out: networks of their own need root"
        );
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (here, there) = (format!("eb{number}"), format!("ep{number}"));
        let _ = ip(&["link", "del", &here]);
        let pair = ["link", "add", &here, "mtu", "1500", "type", "veth", "peer"];
        ip(&[&pair[..], &["name", &there, "mtu", "1500"]].concat())?;
        let mut network = Self {
            number,
            origin: ([0, 0, 0, 0], 0).into(),
        };
        let address = network.address(1, 0);
        ip(&["addr", "add", &format!("{}/30", address.ip()), "dev", &here])?;
        ip(&["link", "set", &here, "up"])?;
        network.origin = origin::listen(Arc::clone(&origin.shelf), address)?;
        Ok(network)
    }

    fn address(&self, host: u8, port: u16) -> SocketAddr {
        let [first, second] = NETWORK;
        ([first, second, self.number, host], port).into()
    }

    pub fn peer_address(&self) -> SocketAddr {
        self.address(2, 8080)
    }

    /// What stands in front of the peer's command line: enters the network once it is there.
    pub fn prefix(&self) -> Vec<String> {
        let there = format!("ep{}", self.number);
        let script = format!(
            "until ip link show {there} >/dev/null 2>&1; do sleep 0.02; done\n\
             ip link set lo up && ip addr add {}/30 dev {there} && ip link set {there} up && exec \"$@\"",
            self.peer_address().ip()
        );
        ["unshare", "--net", "--", "sh", "-c", &script, "sh"]
            .map(str::to_owned)
            .to_vec()
    }

    /// Gives the peer's process its end.
    pub fn connect(&self, pid: u32) -> Result<()> {
        let own = fs::read_link("/proc/self/ns/net")?;
        let started = Instant::now();
        while fs::read_link(format!("/proc/{pid}/ns/net"))? == own {
            if started.elapsed() > Duration::from_secs(5) {
                bail!("the peer's network did not come up");
            }
            thread::sleep(Duration::from_millis(5));
        }
        let there = format!("ep{}", self.number);
        ip(&["link", "set", &there, "netns", &pid.to_string()])
    }
}

impl Drop for Ethernet {
    fn drop(&mut self) {
        let _ = ip(&["link", "del", &format!("eb{}", self.number)]);
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| anyhow::anyhow!("ip (package iproute2): {error}"))?;
    ensure!(
        output.status.success(),
        "ip {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
