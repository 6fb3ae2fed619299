//! Whole exchanges through an edge, over sockets: what the edge's own thread does, without the
//! client's and the origin's.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread;

use bytes::Bytes;
use cobrowse_edge::app::Edge;
use cobrowse_edge::config::{CertificatesSource, EdgeConfig, RulesSource};
use cobrowse_edge::problem::SourceFile;
use cobrowse_edge::wire::{Coding, Scheme};
use rustls::pki_types::ServerName;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::pages::{self, SELECTORS, Size};
use super::{Part, masks, packed, part, ready};

/// How many exchanges are one run.
const TIMES: usize = 50;

const TAG_IN_HEAD: &str = "placement = \"head\"";

pub(crate) fn exchanges() -> Vec<Part> {
    let plain = Coding::Identity;
    let pages = [
        ("pass 2 KB", Size::K2, plain, "inject = false".to_owned()),
        ("pass 64 KB", Size::K64, plain, "inject = false".to_owned()),
        ("tag 2 KB", Size::K2, plain, TAG_IN_HEAD.to_owned()),
        ("tag 64 KB", Size::K64, plain, TAG_IN_HEAD.to_owned()),
        ("tag last 2 KB", Size::K2, plain, String::new()),
        ("tag last 64 KB", Size::K64, plain, String::new()),
        (
            "gzip 64 KB",
            Size::K64,
            Coding::Gzip,
            TAG_IN_HEAD.to_owned(),
        ),
        ("5 masks 64 KB", Size::K64, plain, masks(&SELECTORS[..5])),
    ];
    let mut parts: Vec<_> = pages.map(kept).into();
    parts.push(part("exchange handshake 2 KB", || {
        let stage = Stage::set(Size::K2, Coding::Identity, "inject = false")?;
        stage.play(Client::with_handshakes)
    }));
    parts
}

/// Over one connection that is kept.
fn kept((name, size, coding, what): (&'static str, Size, Coding, String)) -> Part {
    part(&format!("exchange {name}"), move || {
        let stage = Stage::set(size, coding, &what)?;
        stage.play(Client::on_one_connection)
    })
}

/// An edge that waits for its client, before an origin.
struct Stage {
    runtime: Runtime,
    http: SocketAddr,
    https: SocketAddr,
    coding: Coding,
}

impl Stage {
    fn set(size: Size, coding: Coding, what: &str) -> Option<Self> {
        let origin = start_origin(answer(size, coding)?).ok()?;
        let text = format!(
            "version = 1\n[[site]]\nhosts = [\"localhost\"]\norigin = \"http://{origin}\"\ngroup = 15687\n{what}\n"
        );
        let path = "bench.toml".into();
        let mut config = EdgeConfig::new(RulesSource::Given(Arc::new(SourceFile { path, text })));
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        config.server.http = vec![any_port];
        config.server.https = vec![any_port];
        config.certificates = CertificatesSource::SelfSigned;
        config.log.access = None;
        config.admin = None;
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        let edge = runtime.block_on(Edge::start(config)).ok()?;
        let address = |scheme| {
            let bound = edge.addresses().into_iter();
            let mut found = bound.filter(|bound| bound.scheme == scheme);
            found.next().map(|bound| bound.address)
        };
        let (http, https) = (address(Scheme::Http)?, address(Scheme::Https)?);
        runtime.spawn(edge.run(std::future::pending()));
        Some(Self {
            runtime,
            http,
            https,
            coding,
        })
    }

    /// Each run, the client asks so many times, on a thread of its own.
    fn play(self, client: impl FnOnce(&Self) -> io::Result<Client>) -> Option<super::Ready> {
        let mut client = client(&self).ok()?;
        let (begin, begun) = mpsc::channel::<oneshot::Sender<bool>>();
        thread::spawn(move || {
            for ended in begun {
                let outcome = (0..TIMES).try_for_each(|_| client.ask());
                let _ = ended.send(outcome.is_ok());
            }
        });
        let runtime = Rc::new(RefCell::new(self.runtime));
        ready(0, move || {
            let (ended, outcome) = oneshot::channel();
            let _ = begin.send(ended);
            let well = runtime.borrow().block_on(outcome);
            assert_eq!(well, Ok(true), "an exchange failed");
        })
    }
}

struct Client {
    edge: SocketAddr,
    request: Vec<u8>,
    over: Over,
}

enum Over {
    Kept(TcpStream),
    Handshakes(Arc<rustls::ClientConfig>),
}

impl Client {
    fn on_one_connection(stage: &Stage) -> io::Result<Self> {
        let stream = TcpStream::connect(stage.http)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            edge: stage.http,
            request: request(stage.coding),
            over: Over::Kept(stream),
        })
    }

    fn with_handshakes(stage: &Stage) -> io::Result<Self> {
        Ok(Self {
            edge: stage.https,
            request: request(stage.coding),
            over: Over::Handshakes(Arc::new(trusting()?)),
        })
    }

    fn ask(&mut self) -> io::Result<()> {
        match &mut self.over {
            Over::Kept(stream) => ask(stream, &self.request),
            Over::Handshakes(config) => {
                let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                let session = rustls::ClientConnection::new(Arc::clone(config), name);
                let session = session.map_err(io::Error::other)?;
                let socket = TcpStream::connect(self.edge)?;
                let mut stream = rustls::StreamOwned::new(session, socket);
                ask(&mut stream, &self.request)
            }
        }
    }
}

/// What a browser sends along.
fn request(coding: Coding) -> Vec<u8> {
    format!(
        "GET /pages/index.html HTTP/1.1\r\nHost: localhost\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
         Accept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: {}\r\n\
         Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n\
         Cookie: session=5f0c3d1e9a; lang=en\r\n\r\n",
        coding.as_str()
    )
    .into_bytes()
}

/// Asks once and reads the answer to its end.
fn ask(stream: &mut (impl Read + Write), request: &[u8]) -> io::Result<()> {
    stream.write_all(request)?;
    let mut answer = Vec::with_capacity(256 * 1024);
    let mut piece = vec![0; 256 * 1024];
    while !is_whole(&answer) {
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => answer.extend_from_slice(&piece[..read]),
        }
    }
    match answer.starts_with(b"HTTP/1.1 200 ") {
        true => Ok(()),
        false => Err(io::Error::other("an answer of another status")),
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return false;
    };
    let (head, body) = (&answer[..end], &answer[end + 4..]);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.split_once("content-length: ").and_then(|(_, rest)| {
        let digits = rest.split("\r\n").next()?;
        digits.parse::<usize>().ok()
    });
    match length {
        Some(length) => body.len() >= length,
        None => body.ends_with(b"\r\n0\r\n\r\n"),
    }
}

fn answer(size: Size, coding: Coding) -> Option<Bytes> {
    let page = pages::generate(size, 5).html;
    let (body, field) = match coding {
        Coding::Identity => (Bytes::from(page), String::new()),
        coding => {
            let field = format!("Content-Encoding: {}\r\n", coding.as_str());
            (packed(coding, &page)?, field)
        }
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nDate: Mon, 04 Mar 2024 08:00:00 GMT\r\nServer: Legacy/6.0\r\n\
         Content-Type: text/html; charset=utf-8\r\n{field}Vary: Accept-Encoding\r\n\
         ETag: \"5f-1\"\r\nLast-Modified: Fri, 01 Mar 2024 08:00:00 GMT\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    Some([head.as_bytes(), &body].concat().into())
}

/// Says the same to whoever asks.
fn start_origin(answer: Bytes) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || serve(stream, &answer));
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut piece, mut head) = (vec![0; 16 * 1024], Vec::new());
    loop {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            read => head.extend_from_slice(&piece[..read]),
        }
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            stream.write_all(answer)?;
        }
    }
}

fn trusting() -> io::Result<rustls::ClientConfig> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    // In the order of browsers, which servers follow: with AES-256 come hashes of SHA-384.
    let aes_128 = rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
    provider
        .cipher_suites
        .sort_by_key(|suite| *suite != aes_128);
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13]);
    let mut config = builder
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// Whoever answers is the edge.
#[derive(Debug)]
struct Trusting;

impl rustls::client::danger::ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        vec![
            rustls::SignatureScheme::ECDSA_NISTP256_SHA256,
            rustls::SignatureScheme::ED25519,
            rustls::SignatureScheme::RSA_PSS_SHA256,
        ]
    }
}
