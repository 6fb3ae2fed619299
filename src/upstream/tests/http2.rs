//! Origins that are spoken to in HTTP/2.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server::SendResponse;
use http::{Response, StatusCode, Version};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::origin::Step::{Read, Send};
use super::origin::perform;
use super::pki::Authority;
use super::tls::tls_target;
use super::*;
use crate::test_directory::TestDirectory;

/// An origin that speaks what was agreed on in the handshake.
pub(super) struct Bilingual {
    port: u16,
    pub(super) heard: Arc<Heard>,
    authority: Authority,
    directory: TestDirectory,
}

#[derive(Default)]
pub(super) struct Heard {
    connections: AtomicUsize,
    /// Method, address and body, as HTTP/2 has them.
    multiplexed: Mutex<Vec<String>>,
    /// Heads of HTTP/1.1.
    heads: Mutex<Vec<String>>,
    /// Answers that wait until there are two.
    waiting: Mutex<Vec<SendResponse<Bytes>>>,
    /// Lets one answer go that is held.
    pub(super) go: Notify,
}

impl Bilingual {
    async fn start(protocols: &[&[u8]]) -> Self {
        Self::learning(&[protocols], None).await
    }

    /// The n-th connection may choose among the n-th protocols; further ones among the last. In
    /// HTTP/2 it takes so many exchanges at once.
    pub(super) async fn learning(protocols: &[&[&[u8]]], exchanges_max: Option<u32>) -> Self {
        let authority = Authority::new();
        let config = authority.server("origin.bank.example", None);
        let acceptor = |protocols: &&[&[u8]]| {
            let mut config = (*config).clone();
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            TlsAcceptor::from(Arc::new(config))
        };
        let acceptors: Vec<_> = protocols.iter().map(acceptor).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Heard::default());
        let noted = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let nth = noted.connections.fetch_add(1, Ordering::AcqRel);
                let acceptor = acceptors[nth.min(acceptors.len() - 1)].clone();
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    match stream.get_ref().1.alpn_protocol() {
                        Some(b"h2") => serve(stream, &noted, exchanges_max).await,
                        _ => answer_alone(stream, &noted).await,
                    }
                });
            }
        });
        Self {
            port,
            heard,
            authority,
            directory: TestDirectory::new(),
        }
    }

    pub(super) async fn both() -> Self {
        Self::start(&[b"h2", b"http/1.1"]).await
    }

    pub(super) fn origins(&self, config: Config) -> Origins {
        let target = tls_target(self.port, &self.directory, &self.authority);
        origins_at(&target, config)
    }

    pub(super) fn connections(&self) -> usize {
        self.heard.connections.load(Ordering::Acquire)
    }

    pub(super) fn multiplexed(&self) -> Vec<String> {
        self.heard.multiplexed.lock().unwrap().clone()
    }
}

/// Ends the connection when asked for `/close`.
async fn serve(stream: TlsStream<TcpStream>, heard: &Arc<Heard>, exchanges_max: Option<u32>) {
    let mut builder = h2::server::Builder::new();
    if let Some(max) = exchanges_max {
        builder.max_concurrent_streams(max);
    }
    let mut connection = builder.handshake(stream).await.unwrap();
    while let Some(Ok((request, respond))) = connection.accept().await {
        let path = request.uri().path().to_owned();
        let line = format!("{} {}", request.method(), request.uri());
        assert!(request.headers().get("host").is_none());
        heard.multiplexed.lock().unwrap().push(line);
        match &*path {
            "/close" => return,
            "/together" => respond_to_two(respond, heard),
            "/large" => respond_at_length(respond),
            "/held" => {
                let heard = Arc::clone(heard);
                tokio::spawn(async move {
                    heard.go.notified().await;
                    respond_to(path, request, respond).await;
                });
            }
            _ => drop(tokio::spawn(respond_to(path, request, respond))),
        }
    }
}

fn respond_to_two(respond: SendResponse<Bytes>, heard: &Heard) {
    let mut waiting = heard.waiting.lock().unwrap();
    waiting.push(respond);
    if waiting.len() == 2 {
        for mut respond in waiting.drain(..) {
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            body.send_data("both".into(), true).unwrap();
        }
    }
}

/// With more than anybody takes unasked.
fn respond_at_length(mut respond: SendResponse<Bytes>) {
    let mut body = respond.send_response(Response::new(()), false).unwrap();
    body.send_data(vec![b'x'; LARGE].into(), true).unwrap();
}

pub(super) const LARGE: usize = 512 * 1024;

async fn respond_to(
    path: String,
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
) {
    let mut sent = Vec::new();
    let mut upload = request.into_body();
    while let Some(Ok(bytes)) = upload.data().await {
        let _ = upload.flow_control().release_capacity(bytes.len());
        sent.extend_from_slice(&bytes);
    }
    if path == "/refuse" {
        return respond.send_reset(h2::Reason::REFUSED_STREAM);
    }
    let mut response = Response::new(());
    if path == "/short" {
        response.headers_mut().insert("content-length", 8.into());
    }
    if path == "/empty" {
        *response.status_mut() = StatusCode::NO_CONTENT;
        drop(respond.send_response(response, true));
        return;
    }
    let mut body = respond.send_response(response, false).unwrap();
    let reason = match &*path {
        "/cut" => h2::Reason::NO_ERROR,
        "/broken" => h2::Reason::INTERNAL_ERROR,
        _ => {
            let text = if sent.is_empty() {
                b"half".to_vec()
            } else {
                sent
            };
            return body.send_data(text.into(), true).unwrap();
        }
    };
    body.send_data("half".into(), false).unwrap();
    // So that it has left before the reset takes its place.
    let_tasks_run().await;
    body.send_reset(reason);
}

async fn answer_alone(mut stream: TlsStream<TcpStream>, heard: &Heard) {
    let (_go, mut go) = mpsc::channel(1);
    let answer = Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nalone");
    while perform(&mut stream, Read, &heard.heads, &mut go)
        .await
        .is_some()
    {
        if perform(&mut stream, answer, &heard.heads, &mut go)
            .await
            .is_none()
        {
            return;
        }
    }
}

pub(super) fn http2() -> Config {
    Config {
        http2: true,
        ..config()
    }
}

#[tokio::test]
async fn exchanges_share_a_connection() {
    let origin = Bilingual::both().await;
    let origins = origin.origins(http2());
    let asking = [(); 2].map(|()| {
        let origins = origins.clone();
        tokio::spawn(async move { fetch(&origins, get("/together?a=1")).await })
    });
    for asking in asking {
        assert_eq!(asking.await.unwrap().unwrap(), "both");
    }
    assert_eq!(fetch(&origins, post("/form")).await.unwrap(), "form");
    assert_eq!(fetch(&origins, get("/empty")).await.unwrap(), "");
    assert_eq!(origin.connections(), 1);
    let address = "https://www.bank.example";
    let line = format!("GET {address}/together?a=1");
    let rest = [
        format!("POST {address}/form"),
        format!("GET {address}/empty"),
    ];
    assert_eq!(origin.multiplexed()[..2], [line.clone(), line]);
    assert_eq!(origin.multiplexed()[2..], rest);
    let_tasks_run().await;
    let status = &origins.status()[0];
    assert_eq!((status.state, status.in_flight, status.kept), ("up", 0, 1));
}

#[tokio::test]
async fn the_answer_is_one_of_this_hop() {
    let origin = Bilingual::both().await;
    let response = origin.origins(http2()).call(get("/"), b"").await.unwrap();
    assert_eq!(response.version(), Version::HTTP_11);
}

#[tokio::test]
async fn it_is_not_spoken_unless_wanted_and_offered() {
    for (protocols, config) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], config()),
        (&[b"http/1.1"], http2()),
        (&[], http2()),
    ] {
        let origin = Bilingual::start(protocols).await;
        let origins = origin.origins(config);
        for _ in 0..3 {
            assert_eq!(fetch_and_settle(&origins, get("/")).await, "alone");
        }
        assert_eq!(origin.connections(), 1);
    }
}

/// Which HTTP/2 cannot switch to, as it is asked for here (RFC 9113 8.2.2).
#[tokio::test]
async fn a_websocket_gets_a_connection_of_http_1_1() {
    let origin = Bilingual::both().await;
    let origins = origin.origins(http2());
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "half");
    let mut upgrade = get("/socket");
    let headers = upgrade.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "websocket".parse().unwrap());
    assert_eq!(fetch(&origins, upgrade).await.unwrap(), "alone");
    let heads = origin.heard.heads.lock().unwrap().clone();
    assert!(
        heads[0].starts_with("GET /socket HTTP/1.1\r\n"),
        "{heads:?}"
    );
    assert!(heads[0].contains("host: www.bank.example"), "{heads:?}");
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "half");
    assert_eq!(origin.connections(), 2);
}

/// hyper takes a reset without an error for an end.
#[tokio::test]
async fn an_answer_that_is_cut_off_is_an_error() {
    let origin = Bilingual::both().await;
    let origins = origin.origins(http2());
    for path in ["/cut", "/broken", "/short"] {
        assert_eq!(failure(&origins, get(path)).await, "body_broken", "{path}");
    }
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "half");
    assert_eq!(origin.connections(), 1, "others on the connection go on");
}

#[tokio::test]
async fn what_was_not_answered_is_sent_again_if_it_changes_nothing() {
    let origin = Bilingual::both().await;
    let origins = origin.origins(http2());
    for path in ["/close", "/refuse"] {
        fetch(&origins, get("/")).await.unwrap();
        let before = origin.multiplexed().len();
        fetch(&origins, get(path)).await.unwrap_err();
        assert_eq!(origin.multiplexed().len(), before + 2, "{path}: twice");
        fetch(&origins, get("/")).await.unwrap();
        let before = origin.multiplexed().len();
        fetch(&origins, post(path)).await.unwrap_err();
        assert_eq!(origin.multiplexed().len(), before + 1, "{path}: once");
    }
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    let origin = Bilingual::both().await;
    let origins = origin.origins(http2());
    fetch_and_settle(&origins, get("/")).await;
    assert_eq!(origins.status()[0].kept, 1);
    let_pass(config().pool_idle_timeout * 2).await;
    while origins.status()[0].kept > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "half");
    assert_eq!(origin.connections(), 2);
}
