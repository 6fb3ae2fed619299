use std::fmt;
use std::io::{self, BufWriter, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use prometheus_client::metrics::counter::Counter;

use super::access_record::AccessRecord;
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
    sender: SyncSender<Message>,
    dropped: Counter,
}

/// The thread that writes. Dropping it waits until every line that was taken is written out.
#[derive(Debug)]
pub struct AccessLogWriter {
    sender: SyncSender<Message>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Line(String),
    Close,
}

/// Lines that wait for the writer. At some 250 bytes each this bounds the memory to about 2 MB,
/// and is half a second's worth at 16,000 requests per second.
const LINES_WAITING_MAX: usize = 8 * 1024;

impl AccessLog {
    /// Starts the writer's thread on `output`.
    pub fn start(
        format: AccessLogFormat,
        output: impl Write + Send + 'static,
        metrics: &Metrics,
    ) -> io::Result<(Self, AccessLogWriter)> {
        let (sender, lines) = sync_channel(LINES_WAITING_MAX);
        let dropped = metrics.access_lines_dropped();
        let lost = dropped.clone();
        let thread = thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_lines(&lines, output, &lost))?;
        let writer = AccessLogWriter {
            sender: sender.clone(),
            thread: Some(thread),
        };
        let log = Self {
            format,
            sender,
            dropped,
        };
        Ok((log, writer))
    }

    /// Queues the line of one exchange.
    pub fn record(&self, record: &AccessRecord) {
        let line = record.line(self.format);
        match self.sender.try_send(Message::Line(line)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.inc();
            }
        }
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

impl Drop for AccessLogWriter {
    fn drop(&mut self) {
        let closing = self.sender.send(Message::Close).is_ok();
        if let Some(thread) = self.thread.take()
            && closing
            && thread.join().is_err()
        {
            tracing::error!("the access log's writer had panicked");
        }
    }
}

/// Writes until it is told to close, flushing whenever nothing waits, so that a line is seen at
/// once on a quiet edge and lines go out in blocks on a busy one.
fn write_lines(lines: &Receiver<Message>, output: impl Write, dropped: &Counter) {
    let mut output = BufWriter::new(output);
    while let Ok(Message::Line(line)) = lines.recv() {
        write_line(&mut output, &line, dropped);
        loop {
            match lines.try_recv() {
                Ok(Message::Line(line)) => write_line(&mut output, &line, dropped),
                Ok(Message::Close) => return flush(&mut output),
                Err(_) => break,
            }
        }
        flush(&mut output);
    }
}

fn write_line(output: &mut impl Write, line: &str, dropped: &Counter) {
    if writeln!(output, "{line}").is_err() {
        dropped.inc();
    }
}

fn flush(output: &mut impl Write) {
    // A full disk or a closed pipe must not end the log for good; the next line tries again.
    if let Err(error) = output.flush() {
        tracing::warn!(%error, "the access log could not be written");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex};

    use super::super::access_record::tests::record;
    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Says when it is first written to, then waits until it is let go.
    struct Blocked {
        entered: Sender<()>,
        gate: Receiver<()>,
    }

    impl Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.entered.send(());
            let _ = self.gate.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_before_the_writer_is_gone() {
        let (memory, metrics) = (Memory::default(), Metrics::new());
        let (log, writer) =
            AccessLog::start(AccessLogFormat::Human, memory.clone(), &metrics).unwrap();
        for _ in 0..1000 {
            log.record(&record());
        }
        writer.close();
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1000);
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn lines_after_the_end_are_counted_as_dropped() {
        let metrics = Metrics::new();
        let (log, writer) = AccessLog::start(AccessLogFormat::Json, io::sink(), &metrics).unwrap();
        writer.close();
        log.record(&record());
        assert_eq!(log.dropped.get(), 1);
        assert!(
            metrics
                .encode()
                .contains("edge_access_lines_dropped_total 1")
        );
    }

    #[test]
    fn a_stuck_output_never_holds_an_exchange() {
        let metrics = Metrics::new();
        let (entered, is_entered) = channel();
        let (open, gate) = channel();
        let output = Blocked { entered, gate };
        let (log, writer) = AccessLog::start(AccessLogFormat::Json, output, &metrics).unwrap();
        log.record(&record());
        is_entered.recv().unwrap();
        for _ in 0..LINES_WAITING_MAX + 5 {
            log.record(&record());
        }
        assert_eq!(log.dropped.get(), 5);
        drop(open);
        writer.close();
    }
}
