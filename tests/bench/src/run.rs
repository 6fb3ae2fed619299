//! A row: its peers are started and checked, then measured in turn, round for round.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, ensure};

use crate::check;
use crate::client::{self, Target};
use crate::ethernet::Ethernet;
use crate::machine::{Cores, Ticks};
use crate::methods;
use crate::origin::Origin;
use crate::peers::{self, Kind, Packing, Setting, Tools, Work};
use crate::process::Process;
use crate::rows::{Method, Row};
use crate::sample::Sample;
use crate::tls::{self, Certificate};
use crate::websocket;

/// What all rows share.
pub struct Bench {
    pub cores: Cores,
    pub tools: Tools,
    pub origin: Origin,
    pub certificate: Certificate,
    /// The tag that the edge writes, and that the others are given to write.
    pub tag: String,
    pub directory: PathBuf,
    pub pace: Pace,
    pub started: Instant,
}

/// How long is measured.
#[derive(Clone, Copy)]
pub struct Pace {
    pub full: bool,
    pub rounds: usize,
    pub warm_up: Duration,
    pub window: Duration,
    pub alone: Duration,
    /// After so long rounds are not repeated any more, lest a stolen machine takes all day.
    pub budget: Duration,
}

/// A peer at work.
pub struct Peer {
    pub kind: Kind,
    pub target: Target,
    pub process: Process,
    pub output: usize,
    /// Ends after the process.
    #[expect(dead_code, reason = "held for what its end does")]
    network: Option<Ethernet>,
}

/// A peer that is not timed, and why.
type LeftOut = (Kind, String);

pub struct Outcome {
    pub row: &'static Row,
    pub peers: Vec<Measured>,
    /// Peers that were not timed, and why.
    pub left_out: Vec<LeftOut>,
    /// The share of time that the hypervisor took, in the worst round that counts.
    pub stolen: f64,
}

/// The samples stand as their peers do.
struct Round {
    samples: Vec<Sample>,
    stolen: f64,
}

pub struct Measured {
    pub kind: Kind,
    pub samples: Vec<Sample>,
}

/// A round in which more was stolen is measured again, twice at most.
const STOLEN_MAX: f64 = 0.02;
const REPEATS_MAX: usize = 2;

impl Bench {
    pub fn run(&self, row: &'static Row) -> Result<Outcome> {
        let (mut peers, left_out) = self.start_peers(row)?;
        let direct = self.target(row, self.origin.address)?;
        let mut outcome = Outcome {
            row,
            peers: Vec::new(),
            left_out,
            stolen: 0.0,
        };
        let mut rounds: Vec<Round> = Vec::new();
        while rounds.len() < methods::rounds(row, self.pace.rounds) && !peers.is_empty() {
            match self.round(row, &peers, &direct, rounds.len())? {
                Ok(round) => rounds.push(round),
                Err((index, error)) => {
                    let peer = peers.remove(index);
                    outcome.left_out.push((peer.kind, format!("{error:#}")));
                    for round in &mut rounds {
                        round.samples.remove(index);
                    }
                }
            }
        }
        for (index, peer) in peers.iter().enumerate() {
            outcome.peers.push(Measured {
                kind: peer.kind,
                samples: rounds
                    .iter()
                    .map(|round| round.samples[index].clone())
                    .collect(),
            });
        }
        let stolen = rounds.iter().map(|round| round.stolen);
        outcome.stolen = stolen.fold(0.0, f64::max);
        Ok(outcome)
    }

    fn start_peers(&self, row: &'static Row) -> Result<(Vec<Peer>, Vec<LeftOut>)> {
        let (mut peers, mut left_out) = (Vec::new(), Vec::new());
        for kind in self.kinds(row) {
            let started = match kind.missing(&self.tools) {
                Some(missing) => Err(anyhow::anyhow!(missing)),
                None => self.start(kind, row),
            };
            match started {
                Ok(peer) => peers.push(peer),
                Err(error) => left_out.push((kind, format!("{error:#}"))),
            }
        }
        Ok((peers, left_out))
    }

    fn kinds(&self, row: &Row) -> Vec<Kind> {
        let kinds = match self.pace.full || row.quick.is_empty() {
            true => row.peers,
            false => row.quick,
        };
        let mut kinds = kinds.to_vec();
        if self.tools.base.is_some() && kinds.contains(&Kind::Edge) {
            kinds.push(Kind::EdgeBase);
        }
        kinds
    }

    /// Starts the peer and looks at what it sends.
    fn start(&self, kind: Kind, row: &'static Row) -> Result<Peer> {
        let directory = self
            .directory
            .join("run")
            .join(row.name)
            .join(kind.name().replace([' ', ','], "-"));
        fs::create_dir_all(&directory)?;
        let network = match row.ethernet {
            true => Some(Ethernet::new(&self.origin)?),
            false => None,
        };
        let listen = match &network {
            Some(network) => network.peer_address(),
            None => peers::free_address()?,
        };
        let setting = Setting {
            tools: &self.tools,
            work: row.work,
            packing: row.packing,
            origin: network
                .as_ref()
                .map_or(self.origin.address, |network| network.origin),
            listen,
            certificate: row.secure.then_some(&self.certificate),
            tag: &self.tag,
            directory: &directory,
        };
        let prefix = network.as_ref().map_or_else(Vec::new, Ethernet::prefix);
        let command = [prefix, peers::command(kind, &setting)?].concat();
        let mut process = Process::start(&command, self.cores.proxy, &directory.join("log"))?;
        if let Some(network) = &network {
            network.connect(process.id())?;
        }
        process.wait_for(listen)?;
        let target = self.target(row, listen)?;
        let output = self
            .check(kind, row, &target)
            .context("not timed, since it does not do the work")?;
        Ok(Peer {
            kind,
            target,
            process,
            output,
            network,
        })
    }

    fn check(&self, kind: Kind, row: &Row, target: &Target) -> Result<usize> {
        match row.method {
            Method::WebSocket => {
                websocket::echo_again(target.address)?()?;
                return Ok(0);
            }
            Method::Handshakes { resume: true } => {
                ensure!(tls::resumes(target)?, "does not resume sessions");
            }
            Method::Handshakes { .. } | Method::Http2 | Method::Pages | Method::SlowReaders(_) => {}
        }
        let page = self.origin.shelf.page(row.size)?;
        check::page(kind, row, target, page, &self.tag)
    }

    pub fn target(&self, row: &Row, address: std::net::SocketAddr) -> Result<Target> {
        let path = format!("/pages/{}/{}", row.size.name(), row.codings);
        let direct = address == self.origin.address;
        Ok(Target {
            address,
            tls: match row.secure && !direct {
                true => Some(tls::client("http/1.1", true)?),
                false => None,
            },
            request: client::request(&path, row.accept),
        })
    }

    /// Each round begins with another peer, so that none always follows the same. A peer that fails
    /// is named by its index.
    fn round(
        &self,
        row: &Row,
        peers: &[Peer],
        direct: &Target,
        number: usize,
    ) -> Result<Result<Round, (usize, Error)>> {
        let mut best: Option<Round> = None;
        for _ in 0..=REPEATS_MAX {
            let before = Ticks::now()?;
            let mut samples = vec![Sample::default(); peers.len()];
            let origin = methods::origin_alone(self, row, direct)?;
            for turn in 0..peers.len() {
                let index = (turn + number) % peers.len();
                match methods::measure(self, row, &peers[index], origin.as_ref()) {
                    Ok(sample) => samples[index] = sample,
                    Err(error) => return Ok(Err((index, error))),
                }
            }
            let stolen = Ticks::now()?.stolen_since(before);
            if best.as_ref().is_none_or(|best| stolen < best.stolen) {
                best = Some(Round { samples, stolen });
            }
            let late = self.started.elapsed() > self.pace.budget;
            if stolen <= STOLEN_MAX || late || methods::rounds(row, 2) == 1 {
                break;
            }
        }
        best.context("no round was measured").map(Ok)
    }
}

/// Asks the edge for the tag that it writes.
pub fn learn_tag(bench: &Bench) -> Result<String> {
    let row = crate::rows::ROWS
        .iter()
        .find(|row| row.work == Work::Tag && row.packing == Packing::Kept)
        .context("there is a row with a tag")?;
    let directory = bench.directory.join("run").join("tag");
    fs::create_dir_all(&directory)?;
    let address = peers::free_address()?;
    let setting = Setting {
        tools: &bench.tools,
        work: Work::Tag,
        packing: Packing::Kept,
        origin: bench.origin.address,
        listen: address,
        certificate: None,
        tag: "",
        directory: &directory,
    };
    let command = peers::command(Kind::Edge, &setting)?;
    let mut process = Process::start(&command, bench.cores.proxy, &directory.join("log"))?;
    process.wait_for(address)?;
    let (_, body) = client::fetch(&bench.target(row, address)?)?;
    let body = String::from_utf8(body)?;
    let start = body.find("<script id=\"glance-cobrowse\"");
    let start = start.context("the edge writes no tag")?;
    let end = body[start..]
        .find("</script>")
        .context("the tag has no end")?;
    Ok(body[start..start + end + "</script>".len()].to_owned())
}
