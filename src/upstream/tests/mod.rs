//! The client against an origin that does exactly what a test tells it to, byte by byte.

mod origin;
mod pki;

mod checks;
mod endurance;
mod failures;
mod framing;
mod http2;
mod limits;
mod multiplexing;
mod names;
mod pooling;
mod several;
mod time;
mod tls;
mod unix;
mod upgrade;

use std::time::Duration;

use http::{Method, Request, Response};
use http_body::Body;
use http_body_util::BodyExt;

use super::*;
use crate::wire::test_body::streamed;
use crate::wire::{EdgeBody, Scheme, empty_body, full_body};
use origin::Origin;

/// Long enough never to be reached by an exchange that works.
const PATIENCE: Duration = Duration::from_secs(20);
/// Short enough for a test to wait for.
const BRIEFLY: Duration = Duration::from_millis(60);

fn config() -> Config {
    Config {
        connect_timeout: PATIENCE,
        first_byte_timeout: PATIENCE,
        body_idle_timeout: Some(PATIENCE),
        ..Config::default()
    }
}

fn target(port: u16) -> Target {
    Target {
        scheme: Scheme::Http,
        host: "127.0.0.1".to_owned(),
        port,
        socket: None,
        tls: TlsSettings::default(),
    }
}

fn client(origin: &Origin) -> Origins {
    client_with(origin, config())
}

fn client_with(origin: &Origin, config: Config) -> Origins {
    origins_at(&target(origin.port), config)
}

fn origins_at(target: &Target, config: Config) -> Origins {
    Client::new(target, config).unwrap().into()
}

fn request(method: Method, path: &str, body: EdgeBody) -> Request<EdgeBody> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "www.bank.example")
        .body(body)
        .unwrap()
}

fn get(path: &str) -> Request<EdgeBody> {
    request(Method::GET, path, empty_body())
}

fn post(path: &str) -> Request<EdgeBody> {
    request(Method::POST, path, full_body("form"))
}

async fn text(response: Response<UpstreamBody>) -> Result<String, UpstreamError> {
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

async fn fetch(client: &Origins, request: Request<EdgeBody>) -> Result<String, UpstreamError> {
    text(client.call(request, b"").await?).await
}

/// The connection goes back to the pool in a task of its own, which runs when the test waits.
async fn let_tasks_run() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn fetch_and_settle(client: &Origins, request: Request<EdgeBody>) -> String {
    let text = fetch(client, request).await.unwrap();
    let_tasks_run().await;
    text
}

/// What a failed exchange is called, wherever it failed.
async fn failure(client: &Origins, request: Request<EdgeBody>) -> &'static str {
    fetch(client, request).await.unwrap_err().kind()
}

/// Lets `time` pass at once. What waits for a socket meanwhile does not notice.
async fn let_pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
