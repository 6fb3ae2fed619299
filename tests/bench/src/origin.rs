//! The origin: every page lies ready in memory, and goes out in one write. It must never be what
//! is measured.
//!
//! `/<anything>/<size>/<codings>`: the page of that size, in the first of the codings (with `+`
//! between them) that the request accepts. `/ws`: a WebSocket that sends back what it gets.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::client::{field, find};
use crate::coding::Coding;
use crate::pages::{self, Page, Size};
use crate::websocket;

const SEED: u64 = 5;

pub struct Origin {
    pub address: SocketAddr,
    pub shelf: Arc<Shelf>,
}

/// All pages, packed and with their heads.
pub struct Shelf {
    pages: Vec<(Size, Page)>,
    answers: HashMap<(String, Coding), Vec<u8>>,
}

impl Shelf {
    pub fn fill() -> Result<Self> {
        let pages: Vec<_> = Size::ALL
            .into_iter()
            .map(|size| (size, pages::generate(size, SEED)))
            .collect();
        let mut answers = HashMap::new();
        for (size, page) in &pages {
            for coding in Coding::ALL {
                let packed = coding.pack(&page.html)?;
                answers.insert((size.name().to_owned(), coding), answer(&packed, coding));
            }
        }
        Ok(Self { pages, answers })
    }

    pub fn page(&self, size: Size) -> Result<&Page> {
        let found = self.pages.iter().find(|(known, _)| *known == size);
        Ok(&found.context("every size has a page")?.1)
    }

    fn answer_to(&self, path: &str, accepted: &str) -> Option<&[u8]> {
        let (rest, codings) = path.rsplit_once('/')?;
        let (_, size) = rest.rsplit_once('/')?;
        let coding = codings
            .split('+')
            .find(|name| accepted.split(',').any(|member| accepts(member, name)))
            .and_then(Coding::parse)
            .unwrap_or(Coding::Identity);
        self.answers
            .get(&(size.to_owned(), coding))
            .map(Vec::as_slice)
    }
}

fn accepts(member: &str, name: &str) -> bool {
    let mut parts = member.split(';').map(str::trim);
    parts.next() == Some(name) && !parts.any(|weight| weight == "q=0")
}

fn answer(packed: &[u8], coding: Coding) -> Vec<u8> {
    let content_encoding = match coding {
        Coding::Identity => String::new(),
        coding => format!("Content-Encoding: {}\r\n", coding.name()),
    };
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nDate: Mon, 04 Mar 2024 08:00:00 GMT\r\nServer: Legacy/6.0\r\n\
         Content-Type: text/html; charset=utf-8\r\n{content_encoding}Vary: Accept-Encoding\r\n\
         ETag: \"5f-{:x}\"\r\nLast-Modified: Fri, 01 Mar 2024 08:00:00 GMT\r\nContent-Length: {}\r\n\r\n",
        packed.len(),
        packed.len()
    )
    .into_bytes();
    answer.extend_from_slice(packed);
    answer
}

impl Origin {
    pub fn start() -> Result<Self> {
        let shelf = Arc::new(Shelf::fill()?);
        let address = listen(Arc::clone(&shelf), ([127, 0, 0, 1], 0).into())?;
        Ok(Self { address, shelf })
    }
}

/// Serves the shelf on one more address, until the process ends.
pub fn listen(shelf: Arc<Shelf>, address: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind(address)
        .map_err(|error| anyhow!("the origin cannot listen on {address}: {error}"))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let shelf = Arc::clone(&shelf);
            thread::spawn(move || serve(socket, &shelf));
        }
    });
    Ok(address)
}

/// An error ends the connection; the load sees it and says so.
fn serve(mut socket: TcpStream, shelf: &Shelf) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = [0; 16 * 1024];
    let mut filled = 0;
    loop {
        let read = socket.read(&mut buffer[filled..])?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
        let Some(end) = find(&buffer[..filled], b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..end + 2]).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default();
        if path == "/ws" {
            return websocket::echo(socket, &head);
        }
        let accepted = field(&head, "accept-encoding").unwrap_or_default();
        match shelf.answer_to(path, accepted) {
            Some(answer) => socket.write_all(answer)?,
            None => {
                socket.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
            }
        }
        buffer.copy_within(end + 4..filled, 0);
        filled -= end + 4;
    }
}
