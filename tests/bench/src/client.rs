//! One HTTP/1.1 connection that asks and reads answers: as little work per request as can be,
//! since it runs beside the origin on the cores that are not the proxy's.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::coding::Coding;

/// Whom to ask, and for what.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub tls: Option<Arc<ClientConfig>>,
    pub request: Arc<[u8]>,
}

pub const HOST: &str = "www.bank.example";

/// What a browser sends along.
pub fn request(path: &str, accept_encoding: &str) -> Arc<[u8]> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
         Accept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: {accept_encoding}\r\n\
         Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n\
         Cookie: session=5f0c3d1e9a; lang=en\r\n\r\n"
    )
    .into_bytes()
    .into()
}

pub trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

pub struct Connection {
    stream: Box<dyn Stream>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

pub struct Answer {
    pub status: u16,
    pub coding: Option<Coding>,
    pub body_bytes: u64,
    /// From the request's last byte to the first of the body: what a browser can begin with.
    pub first_byte: Duration,
    pub head: String,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Connection {
    pub fn open(target: &Target) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(&target.address, PATIENCE)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(match &target.tls {
            None => Self::over(Box::new(socket), 256 * 1024),
            // A record of TLS is no longer.
            Some(config) => Self::over(Box::new(encrypt(socket, config)?), 16 * 1024),
        })
    }

    fn over(stream: Box<dyn Stream>, buffer: usize) -> Self {
        Self {
            stream,
            buffer: vec![0; buffer].into(),
            start: 0,
            end: 0,
        }
    }

    /// Asks once and reads the whole answer; its body goes into `body`, if one is given.
    pub fn exchange(
        &mut self,
        request: &[u8],
        mut body: Option<&mut Vec<u8>>,
    ) -> io::Result<Answer> {
        self.stream.write_all(request)?;
        self.stream.flush()?;
        let sent = Instant::now();
        let head = self.read_head()?;
        let status = status_of(&head)?;
        let mut answer = Answer {
            status,
            coding: match field(&head, "content-encoding") {
                None => Some(Coding::Identity),
                Some(name) => Coding::parse(name),
            },
            body_bytes: 0,
            first_byte: Duration::ZERO,
            head,
        };
        if self.start == self.end {
            self.fill()?;
        }
        answer.first_byte = sent.elapsed();
        let chunked = field(&answer.head, "transfer-encoding").is_some();
        if chunked {
            answer.body_bytes = self.read_chunks(&mut body)?;
        } else {
            let length = field(&answer.head, "content-length").and_then(|text| text.parse().ok());
            let length = length.ok_or_else(|| invalid("an answer without a length"))?;
            self.read_body(length, &mut body)?;
            answer.body_bytes = length;
        }
        Ok(answer)
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        match self.stream.read(&mut self.buffer[self.end..])? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            read => {
                self.end += read;
                Ok(())
            }
        }
    }

    fn read_head(&mut self) -> io::Result<String> {
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(length) = find(unread, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&unread[..length + 2]).into_owned();
                self.start += length + 4;
                return Ok(head);
            }
            self.fill()?;
        }
    }

    fn read_body(&mut self, length: u64, body: &mut Option<&mut Vec<u8>>) -> io::Result<()> {
        let mut left = usize::try_from(length).map_err(|_| invalid("too long a body"))?;
        while left > 0 {
            if self.start == self.end {
                self.fill()?;
            }
            let taken = left.min(self.end - self.start);
            if let Some(body) = body {
                body.extend_from_slice(&self.buffer[self.start..self.start + taken]);
            }
            self.start += taken;
            left -= taken;
        }
        Ok(())
    }

    fn read_chunks(&mut self, body: &mut Option<&mut Vec<u8>>) -> io::Result<u64> {
        let mut total = 0;
        loop {
            let size = self.read_line()?;
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| invalid("a bad chunk size"))?;
            self.read_body(size, body)?;
            total += size;
            if !self.read_line()?.is_empty() {
                return Err(invalid("a chunk without its end"));
            }
            if size == 0 {
                return Ok(total);
            }
        }
    }

    fn read_line(&mut self) -> io::Result<String> {
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(length) = find(unread, b"\r\n") {
                let line = String::from_utf8_lossy(&unread[..length]).into_owned();
                self.start += length + 2;
                return Ok(line);
            }
            self.fill()?;
        }
    }
}

pub fn encrypt(
    mut socket: TcpStream,
    config: &Arc<ClientConfig>,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let name = ServerName::try_from(HOST).map_err(|_| invalid("the host is no name"))?;
    let mut connection =
        ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(connection, socket))
}

/// Asks once on a connection of its own.
pub fn fetch(target: &Target) -> io::Result<(Answer, Vec<u8>)> {
    let mut body = Vec::new();
    let answer = Connection::open(target)?.exchange(&target.request, Some(&mut body))?;
    Ok((answer, body))
}

pub fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.split("\r\n").skip(1);
    lines.find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn status_of(head: &str) -> io::Result<u16> {
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    status.ok_or_else(|| invalid("an answer without a status"))
}

pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

pub fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}
