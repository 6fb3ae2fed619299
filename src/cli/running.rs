use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::descriptors::raise_descriptor_limit;
use super::exit::Exit;
use super::report::report;
use super::terminal::complain;
use crate::app::{Edge, StartError};
use crate::config::EdgeConfig;
use crate::problem::{Problem, with_causes};
use crate::server::{BindError, Inherited};
use crate::telemetry::start_log;

/// Where the addresses of a configuration were chosen; told when one of them cannot be had.
#[derive(Clone, Debug)]
pub(super) struct AddressPlaces(Vec<(SocketAddr, &'static str)>);

impl AddressPlaces {
    pub(super) fn flags(config: &EdgeConfig) -> Self {
        Self::of(config, ["--listen", "--listen-tls", "--admin", "--agents"])
    }

    pub(super) fn settings(config: &EdgeConfig) -> Self {
        Self::of(
            config,
            [
                "`http` in [server]",
                "`https` in [server]",
                "`listen` in [admin]",
                "`listen` in [agents]",
            ],
        )
    }

    fn of(config: &EdgeConfig, [http, https, admin, agents]: [&'static str; 4]) -> Self {
        let http = config.server.http.iter().map(|address| (*address, http));
        let https = config.server.https.iter().map(|address| (*address, https));
        let admin = config.admin.iter().map(|address| (*address, admin));
        let console = config.agents.iter().map(|console| (console.listen, agents));
        Self(http.chain(https).chain(admin).chain(console).collect())
    }

    /// The server's own words know of one flag only.
    fn explain(&self, error: &BindError) -> String {
        let place = address_of(error).and_then(|address| {
            let (_, place) = self.0.iter().find(|(known, _)| *known == address)?;
            Some(*place)
        });
        let text = match error {
            BindError::Tls(_) => with_causes(error),
            told_in_full => told_in_full.to_string(),
        };
        text.replace("--listen", place.unwrap_or("--listen"))
    }
}

/// Sockets that were handed over. Before there are threads: it changes the environment.
pub(super) fn inherited_sockets() -> Result<Inherited, Exit> {
    Inherited::of_process().map_err(|error| {
        complain(format_args!(
            "error: sockets were handed over that cannot be used: {error}"
        ));
        Exit::Unavailable
    })
}

/// Runs `serve` on a runtime of its own; what still lives in it afterwards is dropped.
pub(super) fn on_runtime(serve: impl Future<Output = Exit>) -> Exit {
    match runtime() {
        Ok(runtime) => {
            let exit = runtime.block_on(serve);
            runtime.shutdown_background();
            exit
        }
        Err(error) => {
            complain(format_args!("error: no threads can be started: {error}"));
            Exit::Unavailable
        }
    }
}

/// Where there is one processor, one thread: several would take turns with it, which a page of 2 KB pays with 6 % of
/// the time that it takes, and the edge with 4 MB.
fn runtime() -> io::Result<Runtime> {
    let mut builder = match available_parallelism() {
        Ok(NonZero::<usize>::MIN) => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

/// Starts an edge, lets `announce` tell where it is, and runs it until it is told to end.
pub(super) async fn run(
    config: EdgeConfig,
    inherited: Inherited,
    places: &AddressPlaces,
    warnings: &[Problem],
    announce: impl FnOnce(&Edge),
) -> Exit {
    let _log = match start_log(config.log.format, &config.log.filter) {
        Ok(writer) => writer,
        Err(error) => {
            complain(format_args!("error: {}", with_causes(&error)));
            return Exit::Config;
        }
    };
    raise_descriptor_limit(&config);
    let (signals, edge) = match (Signals::listen(), Edge::start_on(inherited, config).await) {
        (Ok(signals), Ok(edge)) => (signals, edge),
        (_, Err(error)) => return explain_failure(&error, places),
        (Err(error), Ok(_)) => {
            complain(format_args!("error: signals cannot be heard: {error}"));
            return Exit::Unavailable;
        }
    };
    for warning in warnings.iter().chain(edge.warnings()) {
        tracing::warn!("{warning}");
    }
    announce(&edge);
    run_until_told(edge, signals).await
}

/// The first signal begins the drain; an interrupt during the drain cuts what is still open.
async fn run_until_told(edge: Edge, mut signals: Signals) -> Exit {
    let handle = edge.handle();
    let (drain, draining) = oneshot::channel::<()>();
    let mut ended = std::pin::pin!(edge.run(async {
        let _ = draining.await;
    }));
    let interrupted = async {
        let signal = signals.first().await;
        tracing::info!("{signal}: open exchanges may end; Ctrl-C cuts them");
        let _ = drain.send(());
        signals.interrupt.recv().await;
    };
    tokio::select! {
        ended = &mut ended => {
            if ended.cut > 0 {
                tracing::warn!(connections = ended.cut, "the drain took too long: connections were cut");
            }
            Exit::Success
        }
        () = interrupted => {
            handle.cut();
            ended.await;
            Exit::Interrupted
        }
    }
}

#[derive(Debug)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Before anybody is told that the edge runs, so that none is lost.
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn first(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupted",
            _ = self.terminate.recv() => "terminated",
        }
    }
}

fn explain_failure(error: &StartError, places: &AddressPlaces) -> Exit {
    let text = match error {
        StartError::Problems(problems) => {
            report(problems);
            return Exit::Config;
        }
        StartError::Bind(error) => places.explain(error),
        StartError::AccessLog(_) | StartError::Certificate(_) => with_causes(error),
    };
    complain(format_args!("error: {text}"));
    Exit::Unavailable
}

fn address_of(error: &BindError) -> Option<SocketAddr> {
    match error {
        BindError::AddressInUse { address, .. }
        | BindError::AddressNotHere { address, .. }
        | BindError::Listen { address, .. }
        | BindError::PermissionDenied { address, .. } => Some(*address),
        BindError::NoCertificates
        | BindError::NoListener
        | BindError::NotNamed { .. }
        | BindError::Tls(_)
        | BindError::Unix { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{EdgeConfig, RulesSource};

    fn in_use(port: u16) -> BindError {
        BindError::AddressInUse {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            source: io::ErrorKind::AddrInUse.into(),
        }
    }

    #[test]
    fn a_taken_address_names_what_chose_it() {
        let config = EdgeConfig::new(RulesSource::Directory("rules".into()));
        let flags = AddressPlaces::flags(&config);
        assert!(
            flags
                .explain(&in_use(8080))
                .contains("another address with --listen")
        );
        assert!(
            flags
                .explain(&in_use(9090))
                .contains("another address with --admin")
        );
        let settings = AddressPlaces::settings(&config);
        assert!(
            settings
                .explain(&in_use(8080))
                .contains("with `http` in [server]")
        );
    }

    #[test]
    fn causes_are_told_once() {
        let error = StartError::AccessLog(io::Error::other("disk full"));
        assert_eq!(
            with_causes(&error),
            "the access log cannot be written: disk full"
        );
        let bind = BindError::Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 1)),
            source: io::Error::other("odd"),
        };
        assert_eq!(with_causes(&bind), "cannot listen on 127.0.0.1:1: odd");
    }
}
