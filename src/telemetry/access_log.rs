use std::fmt;
use std::io::{self, Write};

use super::access_record::AccessRecord;
use super::lines::{Lines, LinesWriter};
use super::metrics::Metrics;

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessLogFormat {
    /// Columns for a person, then `key=value` for what only some exchanges have.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// Takes one record per exchange; a cheap handle on the writer. Never waits: when the writer
/// cannot keep up, lines are dropped and counted (`edge_access_lines_dropped_total`).
#[derive(Clone)]
pub struct AccessLog {
    format: AccessLogFormat,
    lines: Lines,
}

/// The thread that writes. Dropping it waits until every line that was taken is written out, or
/// for a few seconds where the output takes nothing.
#[derive(Debug)]
pub struct AccessLogWriter {
    _lines: LinesWriter,
}

impl AccessLog {
    /// Starts the writer's thread on `output`.
    pub fn start(
        format: AccessLogFormat,
        output: impl Write + Send + 'static,
        metrics: &Metrics,
    ) -> io::Result<(Self, AccessLogWriter)> {
        let (lines, writer) = Lines::start("access-log", output, metrics.access_lines_dropped())?;
        Ok((Self { format, lines }, AccessLogWriter { _lines: writer }))
    }

    /// Queues the line of one exchange.
    pub fn record(&self, record: &AccessRecord) {
        self.lines.put(record.line(self.format));
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl AccessLogWriter {
    /// Writes out what was taken so far and ends the thread; later lines are dropped and counted.
    pub fn close(self) {}
}

#[cfg(test)]
mod tests {
    use super::super::access_record::tests::record;
    use super::super::lines::tests::Memory;
    use super::*;

    #[test]
    fn a_record_is_a_line() {
        let (memory, metrics) = (Memory::default(), Metrics::new());
        let (log, writer) =
            AccessLog::start(AccessLogFormat::Human, memory.clone(), &metrics).unwrap();
        log.record(&record());
        writer.close();
        let line = record().line(AccessLogFormat::Human);
        assert_eq!(memory.text(), line + "\n");
    }

    #[test]
    fn lines_after_the_end_are_counted_as_dropped() {
        let metrics = Metrics::new();
        let (log, writer) = AccessLog::start(AccessLogFormat::Json, io::sink(), &metrics).unwrap();
        writer.close();
        log.record(&record());
        assert_eq!(log.lines.dropped(), 1);
        assert!(
            metrics
                .encode()
                .contains("edge_access_lines_dropped_total 1")
        );
    }
}
