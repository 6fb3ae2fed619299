use std::future::pending;
use std::net::SocketAddr;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::BytesMut;
use http::Request;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;

use super::patience::soon;
use super::raw_origin::Conversation;
use super::visitor::{Visitor, tls};

/// A visitor's handshake; `lines` stand below those that every handshake has.
pub(crate) fn handshake(host: &str, path: &str, lines: &[&str]) -> String {
    let mut head = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    for line in lines {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head
}

/// An answer that switches, as it must be.
pub(crate) const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The answer that switches for whoever sent this head, `lines` among it.
pub(crate) fn switched(head: &str, lines: &[&str]) -> String {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let key = fields.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
    let (_, key) = key.unwrap_or_else(|| panic!("no key in {head}"));
    let signed = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept = BASE64_STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, signed.as_bytes()));
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{lines}\r\n"
    )
}

/// Switches protocols, and sends back whatever comes until it ends.
pub(crate) async fn serve_echo(mut conversation: Conversation) {
    let Some(head) = conversation.head().await else {
        return;
    };
    conversation.send(switched(&head, &[])).await;
    let mut buffer = std::mem::take(&mut conversation.buffer);
    loop {
        conversation.send(&buffer).await;
        buffer.clear();
        match conversation.stream.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// A connection, with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A browser's end of a WebSocket, as far as tests of one go.
pub(crate) struct Socket {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
}

/// What comes over a socket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Text(String),
    Binary(Vec<u8>),
    /// With its code, if it has one.
    Close(Option<u16>),
    /// The connection is gone.
    Gone,
}

impl Socket {
    /// `Err`: the status of an answer that does not switch.
    pub(crate) async fn open(
        address: SocketAddr,
        host: &str,
        path: &str,
        lines: &[&str],
    ) -> Result<Self, u16> {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::open_on(Box::new(stream), host, path, lines).await
    }

    /// The same over TLS.
    pub(crate) async fn open_tls(
        address: SocketAddr,
        host: &str,
        path: &str,
        lines: &[&str],
    ) -> Result<Self, u16> {
        let stream = tls(address, Some("localhost"), &["http/1.1"])
            .await
            .unwrap();
        Self::open_on(Box::new(stream), host, path, lines).await
    }

    /// The same on a stream of an HTTP/2 connection (RFC 8441).
    pub(crate) async fn open_stream(
        visitor: &mut Visitor,
        host: &str,
        path: &str,
        lines: &[&str],
    ) -> Result<Self, u16> {
        let request = || {
            let target = format!("https://{host}{path}");
            let lines = lines.iter().map(|line| line.split_once(": ").unwrap());
            let mut request = Request::builder().uri(target);
            for (name, value) in lines.chain([("sec-websocket-version", "13")]) {
                request = request.header(name, value);
            }
            request
        };
        let answer = visitor.connect("websocket", request).await;
        if answer.status() != 200 {
            return Err(answer.status().as_u16());
        }
        for name in ["connection", "upgrade", "sec-websocket-accept"] {
            assert!(!answer.headers().contains_key(name), "{answer:?}");
        }
        let stream = soon(hyper::upgrade::on(answer)).await.unwrap();
        Ok(Self {
            stream: Box::new(TokioIo::new(stream)),
            buffer: BytesMut::new(),
        })
    }

    async fn open_on(
        mut stream: Box<dyn Stream>,
        host: &str,
        path: &str,
        lines: &[&str],
    ) -> Result<Self, u16> {
        let head = handshake(host, path, lines);
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut buffer = BytesMut::new();
        let end = loop {
            let end = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            assert!(soon(stream.read_buf(&mut buffer)).await.unwrap() > 0);
        };
        let head = String::from_utf8(buffer.split_to(end).to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        match status {
            101 => Ok(Self { stream, buffer }),
            other => Err(other),
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.send(1, text.as_bytes()).await;
    }

    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        self.send(2, bytes).await;
    }

    pub(crate) async fn close(&mut self, code: u16) {
        self.send(8, &code.to_be_bytes()).await;
    }

    /// Says all of it, piece by piece, and hears what comes meanwhile, until the other side has ended.
    pub(crate) async fn converse(&mut self, pieces: &[Vec<u8>], heard: &mut Vec<u8>) {
        heard.extend_from_slice(&self.buffer.split());
        let (mut reader, mut writer) = split(&mut self.stream);
        let saying = async {
            for piece in pieces {
                if writer.write_all(piece).await.is_err() || writer.flush().await.is_err() {
                    break;
                }
            }
            pending::<()>().await;
        };
        let hearing = async { while reader.read_buf(heard).await.is_ok_and(|read| read > 0) {} };
        tokio::select! {
            () = saying => {}
            () = hearing => {}
        }
    }

    /// Ends this side alone, in order.
    pub(crate) async fn finish(&mut self) {
        soon(self.stream.shutdown()).await.unwrap();
    }

    /// A whole frame, masked as a client's are. One that is not taken is not: it may be closed.
    async fn send(&mut self, kind: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | kind];
        match payload.len() {
            short @ ..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            middle @ ..=0xffff => {
                frame.push(0x80 | 126);
                frame.extend(u16::try_from(middle).unwrap().to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend(u64::try_from(long).unwrap().to_be_bytes());
            }
        }
        // With a key of zeros the payload stays as it is.
        frame.extend([0; 4]);
        frame.extend(payload);
        let _ = soon(self.stream.write_all(&frame)).await;
    }

    /// The next thing that is told; pings are answered meanwhile.
    pub(crate) async fn next(&mut self) -> Told {
        loop {
            match soon(self.frame()).await {
                Some((9, payload)) => self.send(10, &payload).await,
                Some((10, _)) => {}
                Some((1, payload)) => return Told::Text(String::from_utf8(payload).unwrap()),
                Some((2, payload)) => return Told::Binary(payload),
                Some((8, payload)) => {
                    let code = payload
                        .get(..2)
                        .map(|code| u16::from_be_bytes([code[0], code[1]]));
                    return Told::Close(code);
                }
                Some((other, _)) => panic!("a frame of kind {other}"),
                None => return Told::Gone,
            }
        }
    }

    /// What comes until the connection is gone, if nothing is answered: the kinds of its frames.
    pub(crate) async fn ignore(&mut self) -> Vec<u8> {
        let mut kinds = Vec::new();
        while let Some((kind, _)) = self.frame().await {
            kinds.push(kind);
        }
        kinds
    }

    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.take(2).await?;
        let length = match head[1] {
            126 => u64::from(u16::from_be_bytes(self.take(2).await?.try_into().unwrap())),
            127 => u64::from_be_bytes(self.take(8).await?.try_into().unwrap()),
            short => u64::from(short),
        };
        let payload = self.take(usize::try_from(length).unwrap()).await?;
        Some((head[0] & 15, payload))
    }

    async fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < length {
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
        Some(self.buffer.split_to(length).to_vec())
    }
}
