//! The proxies: each as its documentation advises for this work, one worker, access log off,
//! connections to the origin kept. What was chosen, and why, stands above each configuration.

mod apache;
mod edge;
mod envoy;
mod haproxy;
mod nginx;
mod pingora;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::free_port;
use crate::tls::Certificate;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The edge; a plan without masks has its tag in the head.
    Edge,
    /// The edge with the tag at the page's end, where pages with masks have it.
    EdgeTagLast,
    /// Another build of the edge, to compare with (`BASE=`).
    EdgeBase,
    /// The edge, whose rule set has this many rules.
    EdgeRules(usize),
    Nginx,
    NginxTuned,
    NginxUnbuffered,
    Haproxy,
    Apache,
    Envoy,
    Pingora,
    /// No proxy: the origin itself.
    Direct,
}

impl Kind {
    pub fn name(self) -> String {
        let name = match self {
            Self::Edge => "edge",
            Self::EdgeTagLast => "edge, tag last",
            Self::EdgeBase => "edge before",
            Self::EdgeRules(count) => return format!("edge, {count} rules"),
            Self::Nginx => "nginx",
            Self::NginxTuned => "nginx tuned",
            Self::NginxUnbuffered => "nginx unbuffered",
            Self::Haproxy => "haproxy",
            Self::Apache => "apache",
            Self::Envoy => "envoy",
            Self::Pingora => "pingora + lol_html",
            Self::Direct => "origin alone",
        };
        name.to_owned()
    }

    pub fn is_edge(self) -> bool {
        matches!(
            self,
            Self::Edge | Self::EdgeTagLast | Self::EdgeBase | Self::EdgeRules(_)
        )
    }

    /// The program, and where it comes from when it is not there.
    fn program(self, tools: &Tools) -> (PathBuf, &'static str) {
        match self {
            Self::Edge | Self::EdgeTagLast | Self::EdgeRules(_) => {
                (tools.edge.clone(), "cargo build --release")
            }
            Self::EdgeBase => (tools.base.clone().unwrap_or_default(), "BASE=<path>"),
            Self::Nginx | Self::NginxTuned | Self::NginxUnbuffered => {
                ("/usr/sbin/nginx".into(), "apt-get install nginx")
            }
            Self::Haproxy => ("/usr/sbin/haproxy".into(), "apt-get install haproxy"),
            Self::Apache => ("/usr/sbin/apache2".into(), "apt-get install apache2"),
            Self::Envoy => (
                tools.envoy.clone(),
                "python3 with venv and pip, then `make bench FULL=1`",
            ),
            Self::Pingora => (tools.pingora.clone(), "`make bench FULL=1` builds it"),
            Self::Direct => (PathBuf::new(), ""),
        }
    }

    /// What to do about it, if its program is missing.
    pub fn missing(self, tools: &Tools) -> Option<String> {
        let (program, remedy) = self.program(tools);
        let here = self == Self::Direct || program.exists();
        (!here).then(|| format!("{} is not installed ({remedy})", self.name()))
    }
}

/// Programs that are not where a distribution puts them.
pub struct Tools {
    pub edge: PathBuf,
    pub base: Option<PathBuf>,
    pub envoy: PathBuf,
    pub pingora: PathBuf,
}

impl Tools {
    /// Name and version of every program that is there, as it says itself.
    pub fn versions(&self) -> Vec<(String, String)> {
        let asked = [
            (Kind::Edge, "--version"),
            (Kind::Nginx, "-v"),
            (Kind::Haproxy, "-v"),
            (Kind::Apache, "-v"),
            (Kind::Envoy, "--version"),
            (Kind::Pingora, "--version"),
        ];
        asked
            .into_iter()
            .filter_map(|(kind, flag)| {
                let (program, _) = kind.program(self);
                let output = Command::new(program).arg(flag).output().ok()?;
                let text = [output.stdout, output.stderr].concat();
                Some((kind.name(), version_in(&String::from_utf8_lossy(&text))?))
            })
            .collect()
    }
}

/// The first thing in the text that looks like 1.2.3.
fn version_in(text: &str) -> Option<String> {
    let mut words = text.split([' ', '/', '\n', '-', '(']);
    let version = |word: &&str| {
        word.split('.').count() > 2
            && word
                .chars()
                .all(|character| character.is_ascii_digit() || character == '.')
    };
    words.find(version).map(str::to_owned)
}

/// What the proxy does to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Pass,
    Tag,
    /// The tag, and this many selectors of `pages::SELECTORS`.
    Masks(usize),
}

/// How the page comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As the origin sends it, or plain in and plain out.
    Kept,
    /// Plain in, gzip out.
    Pack,
    /// gzip in, gzip out, with the page changed in between.
    Repack,
}

/// All that a peer's configuration depends on.
pub struct Setting<'a> {
    pub tools: &'a Tools,
    pub work: Work,
    pub packing: Packing,
    pub origin: SocketAddr,
    pub listen: SocketAddr,
    pub certificate: Option<&'a Certificate>,
    /// What all write into the page: the edge's own tag.
    pub tag: &'a str,
    pub directory: &'a Path,
}

impl Setting<'_> {
    fn write(&self, name: &str, text: &str) -> Result<String> {
        let path = self.directory.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path.display().to_string())
    }

    fn directory(&self) -> String {
        self.directory.display().to_string()
    }
}

/// The command line of a peer, its files written.
pub fn command(kind: Kind, setting: &Setting<'_>) -> Result<Vec<String>> {
    let (program, _) = kind.program(setting.tools);
    let mut command = vec![program.display().to_string()];
    command.extend(match kind {
        Kind::Edge | Kind::EdgeTagLast | Kind::EdgeBase | Kind::EdgeRules(_) => {
            edge::arguments(kind, setting)?
        }
        Kind::Nginx | Kind::NginxTuned | Kind::NginxUnbuffered => nginx::arguments(kind, setting)?,
        Kind::Haproxy => haproxy::arguments(setting)?,
        Kind::Apache => apache::arguments(setting)?,
        Kind::Envoy => envoy::arguments(setting)?,
        Kind::Pingora => pingora::arguments(setting),
        Kind::Direct => Vec::new(),
    });
    Ok(command)
}

/// A free address for a peer.
pub fn free_address() -> Result<SocketAddr> {
    Ok(([127, 0, 0, 1], free_port()?).into())
}
