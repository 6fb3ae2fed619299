//! Load over HTTP/2: a few connections, each with several closed loops as streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use h2::client::SendRequest;
use http::Request;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};
use tokio_rustls::TlsConnector;

use crate::client::{Answer, HOST, Target, field};
use crate::coding::Coding;
use crate::load::{Busy, nanoseconds};
use crate::tls;

const CONNECTIONS: usize = 8;
const STREAMS: usize = 8;

pub fn saturate<T>(
    target: &Target,
    warm_up: Duration,
    window: Duration,
    around: impl Fn() -> T,
) -> Result<(Busy, T, T)> {
    block_on(async {
        let (timed, over) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let mut loops = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let sender = open(target).await?;
            for _ in 0..STREAMS {
                let (timed, over) = (Arc::clone(&timed), Arc::clone(&over));
                loops.spawn_local(repeat(sender.clone(), request(target)?, timed, over));
            }
        }
        tokio::time::sleep(warm_up).await;
        let (before, started) = (around(), Instant::now());
        timed.store(true, Ordering::Relaxed);
        tokio::time::sleep(window).await;
        timed.store(false, Ordering::Relaxed);
        let (elapsed, after) = (started.elapsed(), around());
        over.store(true, Ordering::Relaxed);
        let mut latencies = Vec::new();
        while let Some(seen) = loops.join_next().await {
            latencies.extend(seen?.context("a request failed under load")?);
        }
        Ok((Busy::of(latencies, elapsed), before, after))
    })
}

/// One page, to be looked at.
pub fn fetch(target: &Target) -> Result<(Answer, Vec<u8>)> {
    block_on(async {
        let mut sender = open(target).await?;
        let asked = Instant::now();
        let (head, mut body) = sender
            .send_request(request(target)?, true)
            .map(|(answer, _)| answer)?
            .await?
            .into_parts();
        let mut bytes = Vec::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            body.flow_control().release_capacity(chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        let coding = head.headers.get("content-encoding");
        let answer = Answer {
            status: head.status.as_u16(),
            coding: match coding.map(|name| name.to_str()) {
                None => Some(Coding::Identity),
                Some(name) => Coding::parse(name?),
            },
            body_bytes: bytes.len() as u64,
            first_byte: asked.elapsed(),
            head: String::new(),
        };
        Ok((answer, bytes))
    })
}

fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, future)
}

async fn open(target: &Target) -> Result<SendRequest<Bytes>> {
    let socket = TcpStream::connect(target.address).await?;
    socket.set_nodelay(true)?;
    let connector = TlsConnector::from(tls::client("h2", false)?);
    let stream = connector
        .connect(ServerName::try_from(HOST)?, socket)
        .await?;
    ensure!(
        stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        "does not speak HTTP/2"
    );
    // As browsers do: windows that never stop a page.
    let (sender, connection) = h2::client::Builder::new()
        .initial_window_size(6 << 20)
        .initial_connection_window_size(15 << 20)
        .handshake(stream)
        .await?;
    tokio::task::spawn_local(connection);
    Ok(sender.ready().await?)
}

/// The same request as over HTTP/1.1.
fn request(target: &Target) -> Result<Request<()>> {
    let text = std::str::from_utf8(&target.request)?;
    let path = text.split(' ').nth(1).unwrap_or("/");
    let mut request = Request::builder().uri(format!("https://{HOST}{path}"));
    let names = [
        "user-agent",
        "accept",
        "accept-language",
        "accept-encoding",
        "sec-fetch-dest",
    ];
    for name in names
        .into_iter()
        .chain(["sec-fetch-mode", "sec-fetch-site", "cookie"])
    {
        request = request.header(name, field(text, name).unwrap_or_default());
    }
    Ok(request.body(())?)
}

async fn repeat(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    timed: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
) -> Result<Vec<u32>> {
    let mut latencies = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let sent = Instant::now();
        let mut sender = sender.clone().ready().await?;
        let (answer, _) = sender.send_request(request.clone(), true)?;
        let answer = answer.await?;
        ensure!(answer.status() == 200, "status {}", answer.status());
        let mut body = answer.into_body();
        while let Some(chunk) = body.data().await {
            let length = chunk?.len();
            body.flow_control().release_capacity(length)?;
        }
        if timed.load(Ordering::Relaxed) {
            latencies.push(nanoseconds(sent.elapsed()));
        }
    }
    Ok(latencies)
}
