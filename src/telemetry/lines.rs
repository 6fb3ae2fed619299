use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

/// Takes lines for a thread that writes them. Never waits: when the thread cannot keep up, lines
/// are dropped and counted.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    sender: SyncSender<Message>,
    dropped: Counter,
}

/// The thread that writes. Dropping it waits until every line that was taken is written out, or
/// nobody takes them any more.
#[derive(Debug)]
pub(super) struct LinesWriter {
    sender: SyncSender<Message>,
    is_closing: Arc<AtomicBool>,
    /// Ends when the thread does.
    ended: Receiver<()>,
}

#[derive(Debug)]
enum Message {
    Line(String),
    Close,
}

/// Lines that wait for the writer. At some 250 bytes each this bounds the memory to about 2 MB,
/// and is half a second's worth at 16,000 requests per second.
pub(super) const LINES_WAITING_MAX: usize = 8 * 1024;

/// How long the end of the process waits for an output that takes nothing.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

impl Lines {
    /// Starts a thread of this name on `output`.
    pub(super) fn start(
        name: &str,
        output: impl Write + Send + 'static,
        dropped: Counter,
    ) -> io::Result<(Self, LinesWriter)> {
        let (sender, lines) = sync_channel(LINES_WAITING_MAX);
        let (running, ended) = sync_channel::<()>(0);
        let is_closing = Arc::new(AtomicBool::new(false));
        let (must_close, lost) = (Arc::clone(&is_closing), dropped.clone());
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                write_lines(&lines, output, &lost, &must_close);
                // In this order: once the end is told, no line is taken that nobody would write.
                drop(lines);
                drop(running);
            })?;
        let writer = LinesWriter {
            sender: sender.clone(),
            is_closing,
            ended,
        };
        Ok((Self { sender, dropped }, writer))
    }

    /// Queues a line, which has no end of its own.
    pub(super) fn put(&self, line: String) {
        match self.sender.try_send(Message::Line(line)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.inc();
            }
        }
    }

    #[cfg(test)]
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.get()
    }
}

impl Drop for LinesWriter {
    fn drop(&mut self) {
        self.is_closing.store(true, Ordering::Release);
        // Wakes the thread; while the queue is full it is awake, and will see the flag.
        let _ = self.sender.try_send(Message::Close);
        match self.ended.recv_timeout(CLOSE_TIMEOUT) {
            Ok(()) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Writes until it is told to close, flushing whenever nothing waits, so that a line is seen at
/// once on a quiet edge and lines go out in blocks on a busy one.
fn write_lines(
    lines: &Receiver<Message>,
    output: impl Write,
    dropped: &Counter,
    must_close: &AtomicBool,
) {
    let mut output = BufWriter::new(output);
    while let Ok(Message::Line(line)) = lines.recv() {
        write_line(&mut output, &line, dropped);
        while let Ok(Message::Line(line)) = lines.try_recv() {
            write_line(&mut output, &line, dropped);
        }
        // A full disk or a closed pipe must not end the log for good: the next line tries again.
        if output.flush().is_err() {
            dropped.inc();
        }
        if must_close.load(Ordering::Acquire) {
            return;
        }
    }
}

fn write_line(output: &mut impl Write, line: &str, dropped: &Counter) {
    if writeln!(output, "{line}").is_err() {
        dropped.inc();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    #[derive(Clone, Default)]
    pub(in super::super) struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Memory {
        pub(in super::super) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

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
    pub(in super::super) struct Blocked {
        entered: Sender<()>,
        gate: Receiver<()>,
    }

    impl Blocked {
        pub(in super::super) fn new() -> (Self, Receiver<()>, Sender<()>) {
            let (entered, is_entered) = channel();
            let (open, gate) = channel();
            (Self { entered, gate }, is_entered, open)
        }
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
        let memory = Memory::default();
        let (lines, writer) = Lines::start("t", memory.clone(), Counter::default()).unwrap();
        for _ in 0..1000 {
            lines.put("line".to_owned());
        }
        drop(writer);
        assert_eq!(memory.text(), "line\n".repeat(1000));
    }

    #[test]
    fn a_stuck_output_holds_neither_a_line_nor_the_end() {
        let (output, is_entered, _never) = Blocked::new();
        let (lines, writer) = Lines::start("t", output, Counter::default()).unwrap();
        lines.put("line".to_owned());
        is_entered.recv().unwrap();
        for _ in 0..LINES_WAITING_MAX + 5 {
            lines.put("line".to_owned());
        }
        assert_eq!(lines.dropped(), 5);
        drop(writer);
    }
}
