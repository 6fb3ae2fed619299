use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use prometheus_client::metrics::counter::Counter;
use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use super::lines::{Lines, LinesWriter};

/// How the process's own log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for a person; coloured on a terminal.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

#[derive(Debug, Error)]
pub enum LogError {
    #[error("the log filter {filter:?} cannot be read")]
    Filter {
        filter: String,
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    #[error("the log was started twice")]
    Started(#[source] tracing_subscriber::util::TryInitError),
    #[error("the log's thread cannot be started")]
    Thread(#[source] io::Error),
}

/// The thread that writes the log. Dropping it waits until every line is written out, or for a few
/// seconds where standard error takes nothing; later lines are dropped.
#[derive(Debug)]
pub struct LogWriter {
    _lines: LinesWriter,
}

/// Sends the process's log to standard error. `filter` is a level ("info"), or levels by module
/// ("info,cobrowse_edge::upstream=debug"). Whoever logs never waits: what standard error does not take
/// is dropped and counted (`edge_log_lines_dropped_total`).
pub fn start_log(format: LogFormat, filter: &str) -> Result<LogWriter, LogError> {
    let env_filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| LogError::Filter {
            filter: filter.to_owned(),
            source,
        })?;
    let (lines, writer) =
        Lines::start("log", io::stderr(), lines_dropped()).map_err(LogError::Thread)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(env_filter)
        .with_writer(EventWriter(lines))
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Human => builder.with_target(false).finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    }
    .map_err(LogError::Started)?;
    Ok(LogWriter { _lines: writer })
}

/// The process has one log, which begins before its metrics do.
pub(super) fn lines_dropped() -> Counter {
    static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);
    DROPPED.clone()
}

/// Takes what tracing-subscriber writes, which is an event at a time.
struct EventWriter(Lines);

impl Write for &EventWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(event);
        self.0.put(line.trim_end_matches('\n').to_owned());
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for EventWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::LINES_WAITING_MAX;
    use super::super::lines::tests::{Blocked, Memory};
    use super::*;

    fn logging(lines: Lines, log: impl FnOnce()) {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(EventWriter(lines))
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, log);
    }

    #[test]
    fn an_event_is_a_line() {
        let memory = Memory::default();
        let (lines, writer) = Lines::start("t", memory.clone(), Counter::default()).unwrap();
        logging(lines, || tracing::info!(site = "a", "hello"));
        drop(writer);
        let text = memory.text();
        assert!(text.ends_with("hello site=\"a\"\n"), "{text:?}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_stuck_output_never_holds_who_logs() {
        let (output, is_entered, open) = Blocked::new();
        let (lines, _writer) = Lines::start("t", output, Counter::default()).unwrap();
        let dropped = lines.clone();
        logging(lines, || {
            tracing::info!("hello");
            is_entered.recv().unwrap();
            for _ in 0..LINES_WAITING_MAX + 5 {
                tracing::info!("hello");
            }
        });
        assert_eq!(dropped.dropped(), 5);
        drop(open);
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let error = start_log(LogFormat::Human, "info,=[=loud").unwrap_err();
        assert!(error.to_string().contains("loud"), "{error}");
    }
}
