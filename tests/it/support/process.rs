use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::patience::patience;

/// The binary as it was built, running; dropped, it is killed. Its methods block: the test's own
/// servers need threads of their own.
pub(crate) struct EdgeProcess {
    child: Child,
    output: Lines,
    errors: Lines,
}

/// What is left of a process.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    /// All of standard output.
    pub(crate) output: String,
    /// All of standard error.
    pub(crate) errors: String,
}

impl EdgeProcess {
    /// In a directory, with nothing in its environment that it would listen to.
    pub(crate) fn start_in(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cobrowse-edge"));
        command.args(arguments).stdin(Stdio::null());
        Self::spawn_in(directory, &mut command)
    }

    /// As a service manager starts it that listens for it already.
    pub(crate) fn start_on(listener: &TcpListener, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let script = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\"";
        command
            .args(["-c", script, env!("CARGO_BIN_EXE_cobrowse-edge")])
            .args(arguments)
            .stdin(OwnedFd::from(listener.try_clone().unwrap()));
        Self::spawn_in(&std::env::temp_dir(), &mut command)
    }

    /// The same with two sockets. They come to it as standard input and output, so that all that it
    /// says comes on standard error.
    pub(crate) fn start_on_two(
        directory: &Path,
        [first, second]: [&TcpListener; 2],
        arguments: &[&str],
    ) -> Self {
        let script =
            "exec 3<&0 4<&1 0</dev/null 1>&2; LISTEN_FDS=2 LISTEN_PID=$$ exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command
            .args(["-c", script, env!("CARGO_BIN_EXE_cobrowse-edge")])
            .args(arguments)
            .stdin(OwnedFd::from(first.try_clone().unwrap()))
            .stdout(OwnedFd::from(second.try_clone().unwrap()));
        let mut child = at_home(directory, &mut command)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Lines::of(child.stderr.take().unwrap());
        let errors = Lines::of(std::io::empty());
        Self {
            child,
            output,
            errors,
        }
    }

    pub(crate) fn spawn_in(directory: &Path, command: &mut Command) -> Self {
        let mut child = at_home(directory, command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Lines::of(child.stdout.take().unwrap());
        let errors = Lines::of(child.stderr.take().unwrap());
        Self {
            child,
            output,
            errors,
        }
    }

    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(&std::env::temp_dir(), arguments)
    }

    /// Runs a command that ends by itself.
    pub(crate) fn run_in(directory: &Path, arguments: &[&str]) -> Ended {
        Self::start_in(directory, arguments).end()
    }

    /// The address behind these words, as soon as standard output tells it.
    pub(crate) fn address_behind(&mut self, words: &str) -> SocketAddr {
        let line = self.output.line_with(words);
        let (_, rest) = line.split_once(words).unwrap();
        let end = rest.find([' ', '/']).unwrap_or(rest.len());
        rest[..end]
            .parse()
            .unwrap_or_else(|_| panic!("no address behind {words:?}: {line}"))
    }

    /// A number of KiB from what the kernel tells of it: `VmRSS`, `VmHWM`.
    pub(crate) fn status_kib(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let kib = line.and_then(|value| value.trim().strip_suffix(" kB"));
        kib.unwrap().parse().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line with these words on standard error.
    pub(crate) fn complaint(&mut self, words: &str) -> String {
        self.errors.line_with(words)
    }

    /// `TERM`, `INT`, `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", name, &pid])
            .status();
        assert!(sent.unwrap().success(), "{name} cannot be sent");
    }

    pub(crate) fn end(self) -> Ended {
        self.end_within(patience())
    }

    /// Waits until it has ended, or panics with what it said until then.
    pub(crate) fn end_within(mut self, time: Duration) -> Ended {
        let deadline = Instant::now() + time;
        let (output, errors) = (self.output.rest(deadline), self.errors.rest(deadline));
        let status = self.child.wait().unwrap();
        Ended {
            code: status.code(),
            output,
            errors,
        }
    }
}

/// In this directory, and with nothing in its environment that an edge would listen to.
fn at_home<'a>(directory: &Path, command: &'a mut Command) -> &'a mut Command {
    command
        .current_dir(directory)
        .env_remove("COBROWSE_EDGE_LISTEN")
        .env_remove("COBROWSE_EDGE_LOG")
        .env_remove("COBROWSE_EDGE_GRANT_KEYS")
}

impl Drop for EdgeProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes out of a pipe, read by a thread so that the process never waits for the test.
struct Lines {
    coming: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        // More than any test makes a process say.
        let (sender, coming) = mpsc::sync_channel(10_000);
        thread::spawn(move || {
            let lines = BufReader::new(pipe).lines().map_while(Result::ok);
            for line in lines {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            coming,
            seen: Vec::new(),
        }
    }

    fn line_with(&mut self, words: &str) -> String {
        let deadline = Instant::now() + patience();
        loop {
            match self.next(deadline) {
                Ok(line) if line.contains(words) => return line,
                Ok(_) => {}
                Err(error) => panic!("no {words:?} ({error}) in {:#?}", self.seen),
            }
        }
    }

    /// Everything until the pipe is closed, what was read before included.
    fn rest(&mut self, deadline: Instant) -> String {
        loop {
            match self.next(deadline) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return self.seen.join("\n"),
                Err(RecvTimeoutError::Timeout) => panic!("still running after {:#?}", self.seen),
            }
        }
    }

    fn next(&mut self, deadline: Instant) -> Result<String, RecvTimeoutError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = self.coming.recv_timeout(left)?;
        self.seen.push(line.clone());
        Ok(line)
    }
}
