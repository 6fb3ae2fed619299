use std::io::IsTerminal;

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

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
}

/// Sends the process's log to standard error. `filter` is a level ("info"), or levels by module
/// ("info,cobrowse_edge::upstream=debug").
pub fn start_log(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let env_filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| LogError::Filter {
            filter: filter.to_owned(),
            source,
        })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(env_filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Human => builder.with_target(false).finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    }
    .map_err(LogError::Started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let error = start_log(LogFormat::Human, "info,=[=loud").unwrap_err();
        assert!(error.to_string().contains("loud"), "{error}");
    }
}
