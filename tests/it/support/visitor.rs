use std::net::SocketAddr;

use bytes::Bytes;
use cobrowse_edge::wire::{Coding, Decoder};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

use super::origin::SMALL_BUFFER;
use super::patience::soon;
use super::test_tls;

/// A visitor's browser, as far as HTTP goes: over plain HTTP/1.1, or over TLS with HTTP/2.
pub(crate) enum Visitor {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    /// `Err` when the body broke off: what came until then.
    pub(crate) body: Result<Vec<u8>, Vec<u8>>,
}

impl Answer {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.body.as_ref().expect("the answer is whole")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// The value of a field, or "" if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Visitor {
    pub(crate) async fn http1(address: SocketAddr) -> Self {
        Self::http1_over(TcpStream::connect(address).await.unwrap()).await
    }

    pub(crate) async fn http1_over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self::Http1(sender)
    }

    /// By ALPN, over TLS, without a look at the certificate.
    pub(crate) async fn http2(address: SocketAddr) -> Self {
        let stream = tls_http2(address).await;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    /// Whether the connection can carry another request.
    pub(crate) async fn is_open(&mut self) -> bool {
        match self {
            Self::Http1(sender) => soon(sender.ready()).await.is_ok(),
            Self::Http2(sender) => soon(sender.ready()).await.is_ok(),
        }
    }

    /// GET, as a browser navigates: the body in full.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path)).await
    }

    pub(crate) async fn send(&mut self, request: http::request::Builder) -> Answer {
        self.send_with_body(request, "").await
    }

    pub(crate) async fn send_with_body(
        &mut self,
        request: http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Answer {
        read(
            self.begin(request.body(Full::new(body.into())).unwrap())
                .await,
        )
        .await
    }

    /// The head of the answer; its body is read by the test.
    pub(crate) async fn begin(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> http::Response<Incoming> {
        self.try_begin(request).await.unwrap()
    }

    /// The same, where it may be that no head comes.
    pub(crate) async fn try_begin(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> hyper::Result<http::Response<Incoming>> {
        // As browsers do when they load a page.
        let page = HeaderValue::from_static("text/html,*/*;q=0.8");
        request.headers_mut().entry("accept").or_insert(page);
        match self {
            Self::Http1(sender) => {
                request
                    .headers_mut()
                    .entry("host")
                    .or_insert("localhost".parse().unwrap());
                sender.ready().await.unwrap();
                soon(sender.send_request(request)).await
            }
            Self::Http2(sender) => {
                if request.uri().authority().is_none() {
                    let address = format!("https://localhost{}", request.uri());
                    *request.uri_mut() = address.parse().unwrap();
                }
                sender.ready().await.unwrap();
                soon(sender.send_request(request)).await
            }
        }
    }
}

impl Visitor {
    /// An extended `CONNECT` (RFC 8441), over HTTP/2 only.
    pub(crate) async fn connect(
        &mut self,
        protocol: &'static str,
        request: impl Fn() -> http::request::Builder,
    ) -> http::Response<Incoming> {
        self.try_connect(protocol, request).await.unwrap()
    }

    /// The same, where the edge may reset the stream.
    pub(crate) async fn try_connect(
        &mut self,
        protocol: &'static str,
        request: impl Fn() -> http::request::Builder,
    ) -> hyper::Result<http::Response<Incoming>> {
        let Self::Http2(sender) = self else {
            panic!("HTTP/1.1 has no extended CONNECT");
        };
        loop {
            let request = request()
                .method(Method::CONNECT)
                .extension(Protocol::from_static(protocol));
            sender.ready().await.unwrap();
            let sent = soon(sender.send_request(request.body(Full::default()).unwrap())).await;
            match sent {
                // The edge has not yet said that it knows of it.
                Err(error) if error.is_user() => tokio::task::yield_now().await,
                sent => return sent,
            }
        }
    }
}

pub(crate) async fn read(response: http::Response<Incoming>) -> Answer {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    let body = loop {
        match soon(body.frame()).await {
            None => break Ok(bytes),
            Some(Err(_)) => break Err(bytes),
            Some(Ok(frame)) => bytes.extend_from_slice(&frame.into_data().unwrap_or_default()),
        }
    };
    Answer {
        status: head.status,
        version: head.version,
        headers: head.headers,
        body,
    }
}

/// The body without its content coding.
pub(crate) fn undo_coding(answer: &Answer) -> Vec<u8> {
    let coding = Coding::of(&answer.headers).unwrap();
    let Some(mut decoder) = Decoder::new(coding) else {
        return answer.bytes().to_vec();
    };
    let mut input = Bytes::copy_from_slice(answer.bytes());
    let mut plain = Vec::new();
    loop {
        let piece = decoder.decode(&mut input).unwrap();
        if piece.is_empty() {
            decoder.finish().unwrap();
            return plain;
        }
        plain.extend_from_slice(&piece);
    }
}

/// A visitor who writes raw bytes.
pub(crate) struct RawVisitor(pub(crate) TcpStream);

impl RawVisitor {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// One for whom the kernel holds little.
    pub(crate) async fn slow(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL_BUFFER as u32).unwrap();
        Self(socket.connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Everything until the connection ends; `Err` if it was reset.
    pub(crate) async fn read_to_end(&mut self) -> Result<Vec<u8>, Vec<u8>> {
        let mut bytes = Vec::new();
        match soon(self.0.read_to_end(&mut bytes)).await {
            Ok(_) => Ok(bytes),
            Err(_) => Err(bytes),
        }
    }

    /// Reads until `end` has come, and not a byte more; panics with what came if that is never.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            match soon(self.0.read_u8()).await {
                Ok(byte) => bytes.push(byte),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&bytes)),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A TLS session in which HTTP/2 was agreed on.
pub(crate) async fn tls_http2(address: SocketAddr) -> TlsStream<TcpStream> {
    let stream = tls(address, Some("localhost"), &["h2"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    stream
}

/// A TLS session with whoever answers; `None` names no server.
pub(crate) async fn tls(
    address: SocketAddr,
    name: Option<&str>,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    soon(test_tls::connect(address, name, protocols)).await
}
