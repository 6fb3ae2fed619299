//! A row: its peers are started and checked, then measured in turn, round for round.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::check;
use crate::client::{self, Target};
use crate::load;
use crate::machine::{Cores, Ticks};
use crate::origin::Origin;
use crate::pages::Size;
use crate::peers::{self, Kind, Packing, Setting, Tools, Work};
use crate::process::Process;
use crate::rows::Row;
use crate::sample::{Metric, Sample};
use crate::tls::{self, Certificate};

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
}

/// How long is measured.
#[derive(Clone, Copy)]
pub struct Pace {
    pub full: bool,
    pub rounds: usize,
    pub warm_up: Duration,
    pub window: Duration,
    pub alone: Duration,
}

/// A peer at work.
pub struct Peer {
    pub kind: Kind,
    pub target: Target,
    pub process: Option<Process>,
    pub output: usize,
}

pub struct Outcome {
    pub row: &'static Row,
    pub peers: Vec<Measured>,
    /// Peers that were not timed, and why.
    pub left_out: Vec<(Kind, String)>,
    /// The share of time that the hypervisor took, in the worst round that counts.
    pub stolen: f64,
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
        let (peers, left_out) = self.start_peers(row)?;
        let direct = self.target(row, self.origin.address)?;
        let mut outcome = Outcome {
            row,
            peers: peers.iter().map(|peer| Measured::new(peer.kind)).collect(),
            left_out,
            stolen: 0.0,
        };
        for round in 0..self.pace.rounds {
            let (samples, stolen) = self.round(row, &peers, &direct, round)?;
            outcome.stolen = outcome.stolen.max(stolen);
            for (measured, sample) in outcome.peers.iter_mut().zip(samples) {
                measured.samples.push(sample);
            }
        }
        Ok(outcome)
    }

    fn start_peers(&self, row: &'static Row) -> Result<(Vec<Peer>, Vec<(Kind, String)>)> {
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
        let address = peers::free_address()?;
        let setting = Setting {
            tools: &self.tools,
            work: row.work,
            packing: row.packing,
            origin: self.origin.address,
            listen: address,
            certificate: row.secure.then_some(&self.certificate),
            tag: &self.tag,
            directory: &directory,
        };
        let command = peers::command(kind, &setting)?;
        let mut process = Process::start(&command, self.cores.proxy, &directory.join("log"))?;
        process.wait_for(address)?;
        let target = self.target(row, address)?;
        let page = self.origin.shelf.page(row.size)?;
        let output = check::page(kind, row, &target, page, &self.tag)
            .context("not timed, since it does not do the work")?;
        Ok(Peer {
            kind,
            target,
            process: Some(process),
            output,
        })
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

    /// Each round begins with another peer, so that none always follows the same.
    fn round(
        &self,
        row: &Row,
        peers: &[Peer],
        direct: &Target,
        round: usize,
    ) -> Result<(Vec<Sample>, f64)> {
        let mut best: Option<(Vec<Sample>, f64)> = None;
        for _ in 0..=REPEATS_MAX {
            let before = Ticks::now()?;
            let mut samples = vec![Sample::default(); peers.len()];
            let origin = load::alone(direct, self.pace.alone / 2)?;
            for turn in 0..peers.len() {
                let index = (turn + round) % peers.len();
                samples[index] = self
                    .measure(row, &peers[index], &origin)
                    .with_context(|| peers[index].kind.name())?;
            }
            let stolen = Ticks::now()?.stolen_since(before);
            if best.as_ref().is_none_or(|(_, least)| stolen < *least) {
                best = Some((samples, stolen));
            }
            if stolen <= STOLEN_MAX {
                break;
            }
        }
        best.context("no round was measured")
    }

    fn measure(&self, row: &Row, peer: &Peer, origin: &load::Alone) -> Result<Sample> {
        let mut sample = Sample::default();
        let cpu = || peer.process.as_ref().map_or(0, Process::cpu_ns);
        let pace = self.pace;
        let connections = connections(row.size);
        let (busy, before, after) =
            load::saturate(&peer.target, connections, pace.warm_up, pace.window, cpu)?;
        let requests = busy.requests as f64;
        sample.put(Metric::Rate, requests / busy.elapsed.as_secs_f64());
        sample.put(Metric::Cpu, (after - before) as f64 / 1_000.0 / requests);
        sample.put(Metric::BusyP99, busy.p99_us);
        let alone = load::alone(&peer.target, pace.alone)?;
        sample.put(Metric::AddedP50, alone.p50_us - origin.p50_us);
        sample.put(Metric::AddedP99, alone.p99_us - origin.p99_us);
        sample.put(Metric::FirstByte, alone.first_byte_us);
        let pss = peer.process.as_ref().map_or(0, Process::pss);
        sample.put(Metric::Pss, pss as f64);
        if row.packing != Packing::Kept {
            sample.put(Metric::Output, peer.output as f64);
        }
        Ok(sample)
    }
}

impl Measured {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            samples: Vec::new(),
        }
    }
}

/// Enough to keep one core busy.
pub fn connections(size: Size) -> usize {
    match size {
        Size::K2 | Size::K64 => 32,
        Size::M1 => 8,
        Size::M10 => 4,
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
