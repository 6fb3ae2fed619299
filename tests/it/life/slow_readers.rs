//! Needs a machine that is idle. `make slow-readers` gives the edge one processor and all else, which
//! are the readers, the origin and whoever measures, another. The readers give way to the others there, so
//! that the time that these wait for is spent in the edge, or in the kernel for it.
//!
//! The origin answers through a Unix socket. Over TCP all four ends of a reader's way would be this machine's: together
//! they take more than its kernel has for TCP as a whole (`tcp_mem`), which then loses segments, and
//! everybody waits until they are sent again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustix::process::setpriority_process;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, UnixListener, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

use super::{is_in_full, rounds};
use crate::support::{Directory, EdgeProcess, Visitor, eventually};

/// What a reader may cost.
const RESIDENT_KIB_MAX: u64 = 96;
const PAGE_BYTES: usize = 5 * 1024 * 1024;
/// Each takes 2 KB/s, a sip at a time, and holds no more than a mobile's socket may.
const SIP: usize = 8_000;
const SIP_EVERY: Duration = Duration::from_secs(4);
const RECEIVE_BUFFER: u32 = 16 * 1024;

/// Other visitors ask 100 times a second, all together, each at a moment of its own.
const OTHERS: u32 = 4;
const ASK_EVERY: Duration = Duration::from_millis(40);
/// In two seconds.
const ASKS_IN_ROUND: usize = 200;
const SPOILT_MAX: usize = 100;

/// Beside a reader's two.
const DESCRIPTORS_BESIDE: u64 = 200;

/// What Linux calls the greatest niceness.
const LEAST_PRIORITY: i32 = 19;

const ROW: &str = "<tr><td class=row>2024-02-29</td><td id=ssn>078-05-1120</td><td>Payment received.</td></tr>\r\n";

/// A page of about so many bytes, with its head.
fn page(bytes: usize) -> Arc<Vec<u8>> {
    let rows = ROW.repeat(bytes / ROW.len());
    let head = "<!doctype html><html><head><title>Statement</title></head><body><table>";
    let body = format!("{head}{rows}</table></body></html>");
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n");
    Arc::new([head.into_bytes(), body.into_bytes()].concat())
}

/// A large page, and a small one at `/small`.
fn origin(directory: &Path) -> String {
    let path = directory.join("origin");
    let listener = UnixListener::bind(&path).unwrap();
    let (large, small) = (page(PAGE_BYTES), page(8 * 1024));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, Arc::clone(&large), Arc::clone(&small)));
        }
    });
    format!("unix:{}", path.display())
}

async fn converse(mut stream: UnixStream, large: Arc<Vec<u8>>, small: Arc<Vec<u8>>) {
    let mut head = Vec::with_capacity(1024);
    while stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {
        if head.ends_with(b"\r\n\r\n") {
            let page = if head.starts_with(b"GET /small") {
                &small
            } else {
                &large
            };
            if stream.write_all(page).await.is_err() {
                return;
            }
            head.clear();
        }
    }
}

/// The binary; or the one that `COBROWSE_EDGE` names, on a processor of its own: the first, so that the
/// others are for whoever measures.
struct Edge {
    process: EdgeProcess,
    address: SocketAddr,
}

impl Edge {
    fn start(origin: &str) -> Self {
        let mut command = match std::env::var("COBROWSE_EDGE") {
            Err(_) => Command::new(env!("CARGO_BIN_EXE_cobrowse-edge")),
            Ok(binary) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", "0", &binary]);
                command
            }
        };
        command
            .args([
                "serve", "--group", "1", "--mask", "#ssn", "--origin", origin,
            ])
            .args(["--listen", "127.0.0.1:0"])
            .args(["--admin", "off", "--access-log", "off"]);
        let mut process = EdgeProcess::spawn_in(&std::env::temp_dir(), &mut command);
        let address = process.address_behind("listening on http://");
        Self { process, address }
    }

    fn resident_kib(&self) -> u64 {
        self.process.status_kib("VmRSS")
    }
}

/// When a reader takes its sips: each at moments of its own, as people do who know nothing of each
/// other. Those whom the edge began to serve together would else go on together.
fn sips(reader: usize) -> Interval {
    let share = reader as u32 * 617 % 1000;
    let first = Instant::now() + SIP_EVERY * share / 1000;
    let mut ticks = interval_at(first.into(), SIP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

/// How far the readers are.
#[derive(Default)]
struct Tally {
    /// Have the head of their page.
    served: AtomicUsize,
    /// Have taken so much that what the kernel took for them at first is gone: from then on the edge is
    /// asked for what they take.
    settled: AtomicUsize,
}

/// Asks for the large page, and takes a little of it now and then.
async fn read_slowly(edge: SocketAddr, mut ticks: Interval, settling: usize, tally: Arc<Tally>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
    let mut stream = socket.connect(edge).await.unwrap();
    let request = "GET /large HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut sip = vec![0; SIP];
    let first = stream.read(&mut sip).await.unwrap();
    assert!(
        sip[..first].starts_with(b"HTTP/1.1 200"),
        "a reader was refused"
    );
    tally.served.fetch_add(1, Ordering::Relaxed);
    for sips in 1.. {
        ticks.tick().await;
        assert!(
            stream.read(&mut sip).await.unwrap() > 0,
            "a reader was cut off"
        );
        if sips == settling {
            tally.settled.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Where the readers are: they give way to whoever else is in this process.
fn back_row() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(|| setpriority_process(None, LEAST_PRIORITY).unwrap())
        .enable_all()
        .build()
        .unwrap()
}

/// How long others wait for a small page, the most patient of a hundred. Rounds in which the host took the
/// processors away are asked again.
async fn p99(edge: SocketAddr, kept: usize) -> Duration {
    let (mut waits, mut spoilt) = (Vec::new(), 0);
    while waits.len() < kept * ASKS_IN_ROUND {
        let before = stolen();
        let round = ask(edge).await;
        if is_in_full() && stolen() != before {
            spoilt += 1;
            assert!(spoilt <= SPOILT_MAX, "this machine is not idle enough");
            continue;
        }
        waits.extend(round);
    }
    waits.sort();
    waits[waits.len() * 99 / 100]
}

/// One round of asking: how long each took.
async fn ask(edge: SocketAddr) -> Vec<Duration> {
    let mut others = JoinSet::new();
    let now = Instant::now();
    for other in 0..OTHERS {
        others.spawn(async move {
            let mut visitor = Visitor::http1(edge).await;
            let first = now + ASK_EVERY * other / OTHERS;
            let mut ticks = interval_at(first.into(), ASK_EVERY);
            let mut waits = Vec::new();
            for _ in 0..ASKS_IN_ROUND / OTHERS as usize {
                // Counted from when it was due.
                let due = ticks.tick().await.into_std();
                let page = visitor.get("/small").await;
                assert!(page.text().ends_with("</script>"));
                waits.push(Instant::now() - due);
            }
            waits
        });
    }
    others.join_all().await.concat()
}

/// How long the host had others on the processors that this machine wanted, in ticks (`proc_stat(5)`).
fn stolen() -> u64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let all = stat.lines().next().unwrap();
    all.split_whitespace().nth(8).unwrap().parse().unwrap()
}

/// How many readers this process, and the edge that it starts, may have descriptors for.
fn readers_max() -> usize {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    usize::try_from(hard.saturating_sub(DESCRIPTORS_BESIDE) / 2).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_cost_little_and_slow_nobody_down() {
    let readers = rounds(200, 10_000).min(readers_max());
    let (asked, settling) = (rounds(1, 15), rounds(1, 9));
    let directory = Directory::new();
    let edge = Edge::start(&origin(&directory.0));
    ask(edge.address).await;
    let quiet = p99(edge.address, asked).await;
    let before = edge.resident_kib();
    let back_row = back_row();
    let (tally, mut reading) = (Arc::<Tally>::default(), JoinSet::new());
    for place in 0..readers {
        let ticks = sips(place);
        let reader = read_slowly(edge.address, ticks, settling, Arc::clone(&tally));
        reading.spawn_on(reader, back_row.handle());
        // No more at once than the kernel keeps ready.
        eventually("readers are served", async || {
            tally.served.load(Ordering::Relaxed) + 200 > place
        })
        .await;
    }
    eventually("all have settled", async || {
        tally.settled.load(Ordering::Relaxed) == readers
    })
    .await;
    let loaded = p99(edge.address, asked).await;
    assert!(reading.try_join_next().is_none(), "all are still reading");
    let each = (edge.resident_kib() - before) as f64 / readers as f64;
    back_row.shutdown_background();
    println!(
        "{readers} slow readers: {each:.1} KiB each above {before} KiB; others wait {quiet:.1?} at p99, \
         {loaded:.1?} meanwhile"
    );
    assert!(each <= RESIDENT_KIB_MAX as f64, "{each:.1} KiB each");
    if std::env::var("COBROWSE_EDGE").is_ok() {
        assert!(loaded <= quiet * 2, "{loaded:?} against {quiet:?}");
    }
}
