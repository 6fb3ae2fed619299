//! Origins behind a Unix socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::*;
use crate::test_directory::TestDirectory;

fn socket_target(path: &Path) -> Target {
    Target {
        host: "localhost".to_owned(),
        socket: Some(path.to_owned()),
        ..target(80)
    }
}

/// Answers so many requests on each connection, then closes it.
fn start(directory: &TestDirectory, per_connection: usize) -> (PathBuf, Arc<AtomicUsize>) {
    let path = directory.path().join("app.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::AcqRel);
            answer(stream, per_connection).await;
        }
    });
    (path, connections)
}

async fn answer(mut stream: UnixStream, count: usize) {
    for _ in 0..count {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        if head.starts_with(b"POST") {
            stream.read_exact(&mut [0; 4]).await.unwrap();
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
    }
}

#[tokio::test]
async fn it_is_spoken_to_like_any_other() {
    let directory = TestDirectory::new();
    let (path, connections) = start(&directory, 3);
    let origins = origins_at(&socket_target(&path), config());
    assert_eq!(origins.status()[0].name, format!("unix:{}", path.display()));
    assert_eq!(fetch_and_settle(&origins, get("/1")).await, "ok");
    assert_eq!(fetch_and_settle(&origins, post("/2")).await, "ok");
    assert_eq!(connections.load(Ordering::Acquire), 1);
}

#[tokio::test]
async fn a_connection_that_it_closed_carries_no_form() {
    let directory = TestDirectory::new();
    let (path, connections) = start(&directory, 1);
    let origins = origins_at(&socket_target(&path), config());
    for _ in 0..20 {
        assert_eq!(fetch_and_settle(&origins, post("/")).await, "ok");
    }
    assert_eq!(connections.load(Ordering::Acquire), 20);
}

#[tokio::test]
async fn one_that_is_not_there_is_down_like_any_other() {
    let directory = TestDirectory::new();
    let path = directory.path().join("none.sock");
    let origins = origins_at(&socket_target(&path), config());
    let error = fetch(&origins, get("/")).await.unwrap_err();
    assert_eq!(error.kind(), "unreachable");
    assert!(error.to_string().contains("none.sock"), "{error}");
    for _ in 1..5 {
        fetch(&origins, get("/")).await.unwrap_err();
    }
    assert_eq!(failure(&origins, get("/")).await, "origin_down");
}

/// As many wait for it as the system lets wait.
#[tokio::test]
async fn one_that_is_busy_is_not_one_that_is_not_there() {
    let directory = TestDirectory::new();
    let path = directory.path().join("busy.sock");
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(0).unwrap();
    socket.set_nonblocking(true).unwrap();
    let listener = UnixListener::from_std(socket.into()).unwrap();
    let mut others = Vec::new();
    while let Ok(other) = UnixStream::connect(&path).await {
        others.push(other);
    }
    let origins = origins_at(&socket_target(&path), config());
    let mut asking = Box::pin(fetch(&origins, post("/")));
    let waiting = tokio::time::timeout(BRIEFLY, &mut asking).await;
    assert!(waiting.is_err(), "{waiting:?}");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, 1));
        }
    });
    assert_eq!(asking.await.unwrap(), "ok");
}

#[tokio::test]
async fn one_that_stays_busy_is_asked_all_the_same() {
    let directory = TestDirectory::new();
    let path = directory.path().join("busy.sock");
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(0).unwrap();
    let mut others = Vec::new();
    while let Ok(other) = UnixStream::connect(&path).await {
        others.push(other);
    }
    let config = Config {
        connect_timeout: BRIEFLY,
        ..config()
    };
    let origins = origins_at(&socket_target(&path), config);
    for _ in 0..6 {
        assert_eq!(failure(&origins, get("/")).await, "unreachable");
    }
    assert_eq!(origins.status()[0].state, "up");
}
