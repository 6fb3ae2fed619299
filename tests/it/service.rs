//! The edge as a service: what its manager hears, the sockets that it is given, and how one edge takes
//! over from another without a visitor's noticing.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::task::JoinHandle;

use crate::support::{Directory, EdgeProcess, ScriptedOrigin, Visitor, patience};

/// Who listens to what services say.
struct Manager {
    directory: Directory,
    socket: UnixDatagram,
}

impl Manager {
    fn start() -> Self {
        let directory = Directory::new();
        let socket = UnixDatagram::bind(directory.0.join("notify")).unwrap();
        socket.set_read_timeout(Some(patience())).unwrap();
        Self { directory, socket }
    }

    fn serve(&self, origin: SocketAddr, watchdog: Option<&str>) -> EdgeProcess {
        let origin = format!("http://{origin}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_cobrowse-edge"));
        command
            .args(arguments(&origin, "127.0.0.1:0"))
            .env("NOTIFY_SOCKET", self.directory.0.join("notify"))
            .stdin(Stdio::null());
        if let Some(microseconds) = watchdog {
            command.env("WATCHDOG_USEC", microseconds);
        }
        EdgeProcess::spawn_in(&self.directory.0, &mut command)
    }

    fn heard(&self) -> String {
        let mut message = [0; 4096];
        let length = self.socket.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    }
}

fn arguments<'a>(origin: &'a str, listen: &'a str) -> [&'a str; 11] {
    [
        "serve",
        "--origin",
        origin,
        "--group",
        "15687",
        "--listen",
        listen,
        "--admin",
        "off",
        "--access-log",
        "off",
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_what_the_edge_does() {
    let origin = ScriptedOrigin::serving("<p>hello</p>").await;
    let manager = Manager::start();
    let edge = manager.serve(origin.address, None);
    assert!(manager.heard().contains("READY=1"));
    edge.signal("HUP");
    let reloading = manager.heard();
    assert!(reloading.contains("RELOADING=1"), "{reloading}");
    let (_, since) = reloading.split_once("MONOTONIC_USEC=").unwrap();
    let digits = since.split('\n').next().unwrap();
    assert!(digits.parse::<u64>().unwrap() > 0, "{reloading}");
    assert!(manager.heard().contains("READY=1"));
    edge.signal("TERM");
    assert!(manager.heard().contains("STOPPING=1"));
    assert_eq!(edge.end().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watchdog_is_told_again_and_again() {
    let origin = ScriptedOrigin::serving("<p>hello</p>").await;
    let manager = Manager::start();
    let _edge = manager.serve(origin.address, Some("20000"));
    let heard: Vec<_> = (0..6).map(|_| manager.heard()).collect();
    let alive = heard.iter().filter(|told| told.contains("WATCHDOG=1"));
    assert_eq!(alive.count(), 5, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_no_setting_names_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let edge = EdgeProcess::start_on(&listener, &arguments("http://127.0.0.1:1", "127.0.0.1:0"));
    let ended = edge.end();
    assert_eq!(ended.code, Some(69));
    let expected = format!("the service manager listens on {address}, which no setting names");
    assert!(ended.errors.contains(&expected), "{}", ended.errors);
}

/// What visitors met who each came by a connection of their own.
#[derive(Default)]
struct Tally {
    done: AtomicBool,
    pages: AtomicUsize,
}

impl Tally {
    fn visit(self: &Arc<Self>, address: SocketAddr) -> JoinHandle<()> {
        let tally = Arc::clone(self);
        tokio::spawn(async move {
            while !tally.done.load(Ordering::Relaxed) {
                let page = Visitor::http1(address).await.get("/").await;
                assert!(page.text().starts_with("<p>hello</p><script "));
                tally.pages.fetch_add(1, Ordering::Relaxed);
            }
        })
    }

    /// Until some more pages came.
    async fn some_more(&self) {
        let before = self.pages.load(Ordering::Relaxed);
        while self.pages.load(Ordering::Relaxed) < before + 20 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_edges_take_over_from_each_other_and_nobody_is_refused() {
    let origin = ScriptedOrigin::serving("<p>hello</p>").await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (origin, listen) = (format!("http://{}", origin.address), address.to_string());
    let start = || {
        let mut edge = EdgeProcess::start_on(&listener, &arguments(&origin, &listen));
        assert_eq!(edge.address_behind("http://"), address);
        edge
    };
    let mut edge = start();
    let tally = Arc::new(Tally::default());
    let visitors: Vec<_> = (0..4).map(|_| tally.visit(address)).collect();
    for _ in 0..20 {
        tally.some_more().await;
        let old = std::mem::replace(&mut edge, start());
        old.signal("TERM");
        assert_eq!(old.end().code, Some(0));
    }
    tally.some_more().await;
    tally.done.store(true, Ordering::Relaxed);
    for visitor in visitors {
        visitor.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_with_one_processor_serves_and_ends_in_order() {
    let origin = ScriptedOrigin::serving("<p>hello</p>").await;
    let (directory, origin) = (Directory::new(), format!("http://{}", origin.address));
    let mut command = Command::new("taskset");
    command
        .args(["--cpu-list", "0", env!("CARGO_BIN_EXE_cobrowse-edge")])
        .args(arguments(&origin, "127.0.0.1:0"));
    let mut edge = EdgeProcess::spawn_in(&directory.0, &mut command);
    let address = edge.address_behind("listening on http://");
    let mut visitors = [Visitor::http1(address).await, Visitor::http1(address).await];
    for visitor in &mut visitors {
        let page = visitor.get("/").await;
        assert!(page.text().starts_with("<p>hello</p><script "));
    }
    drop(visitors);
    edge.signal("TERM");
    assert_eq!(edge.end().code, Some(0));
}
