//! A WebSocket as far as a tunnel can tell: the upgrade, and bytes there and back.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::client::{HOST, field, find, invalid};
use crate::load::Step;

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

/// The key is the example of RFC 6455 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A masked text frame of 64 bytes, as a browser sends for a small event.
fn frame() -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | 58, 1, 2, 3, 4];
    frame.extend((0..58_u8).map(|n| b'e' ^ (n % 4 + 1)));
    frame
}

/// The visitor's side: sends a frame and waits until it is back.
pub fn echo_again(address: SocketAddr) -> io::Result<Step> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    upgrade(&mut socket)?;
    let (frame, mut back) = (frame(), [0; 64]);
    Ok(Box::new(move || {
        socket.write_all(&frame)?;
        socket.read_exact(&mut back)?;
        match back[..] == frame[..] {
            true => Ok(()),
            false => Err(invalid("another frame came back")),
        }
    }))
}

fn upgrade(socket: &mut TcpStream) -> io::Result<()> {
    socket.write_all(
        format!(
            "GET /ws HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Origin: http://{HOST}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        )
        .as_bytes(),
    )?;
    let (mut head, mut byte) = (Vec::new(), [0]);
    while find(&head, b"\r\n\r\n").is_none() {
        socket.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let accepted = field(&head, "sec-websocket-accept") == Some(&accept_key(KEY));
    match accepted && head.starts_with("HTTP/1.1 101") {
        true => Ok(()),
        false => Err(invalid("the WebSocket is refused")),
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
