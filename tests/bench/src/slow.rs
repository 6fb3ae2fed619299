//! Many slow readers at once, as on a bad line: what a proxy holds for each.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use socket2::{Domain, Socket, Type};

use crate::client::Target;
use crate::process::Process;

pub struct Memory {
    pub idle: u64,
    pub peak: u64,
}

/// A reader takes this much five times a second: 20 KB/s.
const SIP: usize = 4_000;
const PAUSE: Duration = Duration::from_millis(200);

/// What a mobile's socket may hold.
const RECEIVE_BUFFER: usize = 16 * 1024;

/// So long all must wait at most for their first bytes.
const PATIENCE: Duration = Duration::from_secs(30);

/// So long after the last one was served what the proxy holds may still grow.
const AFTER: Duration = Duration::from_secs(3);

pub fn read(target: &Target, readers: usize, process: &Process) -> Result<Memory> {
    let idle = process.pss();
    let mut sockets = (0..readers)
        .map(|_| open(target))
        .collect::<Result<Vec<_>>>()
        .context("not all readers were let in")?;
    let started = Instant::now();
    let (mut peak, mut answered) = (0, vec![false; readers]);
    let mut all_served = None;
    while started.elapsed() < PATIENCE {
        if answered.iter().all(|answered| *answered) {
            let since = *all_served.get_or_insert_with(Instant::now);
            if since.elapsed() > AFTER {
                break;
            }
        }
        for (socket, answered) in sockets.iter_mut().zip(&mut answered) {
            sip(socket, answered)?;
        }
        peak = peak.max(process.pss());
        thread::sleep(PAUSE);
    }
    let served = answered.iter().filter(|answered| **answered).count();
    ensure!(
        served == readers,
        "only {served} of {readers} readers were served"
    );
    Ok(Memory { idle, peak })
}

fn open(target: &Target) -> Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.connect(&target.address.into())?;
    let mut stream = TcpStream::from(socket);
    stream.write_all(&target.request)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn sip(socket: &mut TcpStream, answered: &mut bool) -> Result<()> {
    let mut buffer = [0; SIP];
    match socket.read(&mut buffer) {
        Ok(0) => anyhow::bail!("a reader was cut off"),
        Ok(_) if *answered => Ok(()),
        Ok(_) => {
            ensure!(buffer.starts_with(b"HTTP/1.1 200"), "a reader was refused");
            *answered = true;
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error.into()),
    }
}
