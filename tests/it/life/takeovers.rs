use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Command, Stdio};

use socket2::{Domain, Socket, Type};

use super::rounds;
use super::visitors::{Crowd, Doors, origin};
use crate::support::{Authority, Directory, EdgeProcess, RawVisitor, handshake, soon};

/// How the addresses come to the next edge.
enum Way {
    /// A service manager holds the sockets.
    Inherited([TcpListener; 2]),
    /// Every edge opens its own on the same addresses. Held here so that nobody else gets them.
    ReusePort([Socket; 2]),
}

struct House {
    directory: Directory,
    way: Way,
    doors: Doors,
}

impl House {
    fn new(origin: SocketAddr, way: Way) -> Self {
        let addresses = way.addresses();
        let [http, https] = addresses;
        let reuse_port = matches!(way, Way::ReusePort(_));
        let settings = format!(
            "certs = \"certs\"\n[server]\nhttp = [\"{http}\"]\nhttps = [\"{https}\"]\n\
             reuse_port = {reuse_port}\n[admin]\nenabled = false\n[log]\naccess = \"off\"\n"
        );
        let rules = format!(
            "version = 1\n[[site]]\nhosts = [\"*\"]\norigin = \"http://{origin}\"\ngroup = 1\n\
             masks = [\"#ssn\"]\n"
        );
        let directory = Directory::with("edge.toml", &settings);
        for name in ["rules", "certs"] {
            std::fs::create_dir(directory.0.join(name)).unwrap();
        }
        directory.write("rules/rules.toml", &rules);
        directory.write("certs/a.pem", &Authority::new().sign(&["localhost"]).both());
        let doors = Doors { http, https };
        Self {
            directory,
            way,
            doors,
        }
    }

    /// An edge that serves.
    fn start(&self) -> EdgeProcess {
        let mut edge = match &self.way {
            Way::Inherited(sockets) => {
                EdgeProcess::start_on_two(&self.directory.0, sockets.each_ref(), &["serve"])
            }
            Way::ReusePort(_) => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_cobrowse-edge"));
                command.arg("serve").stdin(Stdio::null());
                EdgeProcess::spawn_in(&self.directory.0, &mut command)
            }
        };
        assert_eq!(edge.address_behind("https://"), self.doors.https);
        edge
    }
}

impl Way {
    fn inherited() -> Self {
        Self::Inherited([any_port(), any_port()])
    }

    fn reuse_port() -> Self {
        Self::ReusePort([reserved(), reserved()])
    }

    fn addresses(&self) -> [SocketAddr; 2] {
        match self {
            Self::Inherited(sockets) => sockets
                .each_ref()
                .map(|socket| socket.local_addr().unwrap()),
            Self::ReusePort(sockets) => sockets
                .each_ref()
                .map(|socket| socket.local_addr().unwrap().as_socket().unwrap()),
        }
    }
}

fn any_port() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

/// A port that nobody listens on, and that nobody else is given.
fn reserved() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket
        .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
        .unwrap();
    socket
}

/// Edges take over from each other while visitors come; sockets stay with the edge that they found.
async fn take_over(way: Way, rounds: usize) {
    let origin = origin().await;
    let house = House::new(origin.address, way);
    let mut edge = house.start();
    let crowd = Crowd::come(house.doors);
    for _ in 0..rounds {
        let mut socket = RawVisitor::connect(house.doors.http).await;
        socket.send(handshake("localhost", "/socket", &[])).await;
        socket.read_until("\r\n\r\n").await;
        crowd.some_more().await;
        let next = house.start();
        crowd.some_more().await;
        let old = std::mem::replace(&mut edge, next);
        old.signal("TERM");
        crowd.some_more().await;
        socket.send("still here").await;
        socket.read_until("still here").await;
        drop(socket);
        let ended = soon(async { tokio::task::spawn_blocking(|| old.end()).await.unwrap() }).await;
        assert_eq!(ended.code, Some(0));
        let said = format!("{}{}", ended.output, ended.errors);
        assert!(!said.contains("connections were cut"), "{said}");
    }
    println!("{rounds} take-overs: {}", crowd.go().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn edges_on_the_same_sockets_take_over_and_no_request_fails() {
    take_over(Way::inherited(), rounds(2, 20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edges_on_the_same_addresses_take_over_and_no_request_fails() {
    take_over(Way::reuse_port(), rounds(2, 20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_an_address_in_use_is_an_error() {
    let origin = origin().await;
    let house = House::new(origin.address, Way::reuse_port());
    let _first = house.start();
    let settings = std::fs::read_to_string(house.directory.0.join("edge.toml")).unwrap();
    let settings = settings.replace("reuse_port = true", "reuse_port = false");
    house.directory.write("edge.toml", &settings);
    let ended = EdgeProcess::run_in(&house.directory.0, &["serve"]);
    assert_eq!(ended.code, Some(69));
    assert!(ended.errors.contains("is in use"), "{}", ended.errors);
}
