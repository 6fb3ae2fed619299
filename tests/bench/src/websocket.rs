//! A WebSocket as far as a tunnel can tell: the upgrade, and bytes there and back.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use crate::client::field;

/// RFC 6455 4.2.2
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The origin's side: accepts, and sends back what it gets.
pub fn echo(mut socket: TcpStream, head: &str) -> io::Result<()> {
    let key = field(head, "sec-websocket-key").unwrap_or_default();
    let accept = accept_key(key);
    socket.write_all(
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .as_bytes(),
    )?;
    let mut buffer = [0; 64 * 1024];
    loop {
        match socket.read(&mut buffer)? {
            0 => return Ok(()),
            read => socket.write_all(&buffer[..read])?,
        }
    }
}

pub fn accept_key(key: &str) -> String {
    let digest = ring::digest::digest(
        &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
        format!("{key}{GUID}").as_bytes(),
    );
    base64(digest.as_ref())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |number, index| {
            number << 8 | usize::from(*group.get(index).unwrap_or(&0))
        });
        for index in 0..4 {
            let digit = DIGITS[number >> (18 - 6 * index) & 63];
            text.push(if index <= group.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}
