use std::io;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The value of `Sec-WebSocket-Accept`: proof that the key was read, RFC 6455 4.2.2. It guards
/// nothing, so SHA-1 does no harm here.
pub(super) fn accept_key(key: &[u8]) -> String {
    let salted = [key, b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat();
    base64(digest(&SHA1_FOR_LEGACY_USE_ONLY, &salted).as_ref())
}

/// Sends back each message, frame by frame, until the peer closes. A frame that is not masked, or
/// holds more than [`PAYLOAD_LIMIT`] bytes, ends the connection.
pub(crate) async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    loop {
        let frame = Frame::read(&mut stream).await?;
        stream.write_all(&frame.answer()).await?;
        stream.flush().await?;
        if frame.opcode() == CLOSE {
            return stream.shutdown().await;
        }
    }
}

/// A frame of a client, unmasked.
struct Frame {
    /// The first byte: FIN, reserved bits and opcode.
    first: u8,
    payload: Vec<u8>,
}

impl Frame {
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let (first, second) = (stream.read_u8().await?, stream.read_u8().await?);
        let length = match second & LENGTH {
            SHORT_LENGTH_FOLLOWS => usize::from(stream.read_u16().await?),
            LONG_LENGTH_FOLLOWS => return Err(refused("the frame is too long")),
            length => usize::from(length),
        };
        if second & MASKED == 0 {
            return Err(refused("a client's frame must be masked"));
        }
        if length > PAYLOAD_LIMIT {
            return Err(refused("the frame is too long"));
        }
        let mut key = [0; 4];
        stream.read_exact(&mut key).await?;
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await?;
        for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        Ok(Self { first, payload })
    }

    fn opcode(&self) -> u8 {
        self.first & OPCODE
    }

    /// The same frame as a server sends it, unmasked; a ping is answered by a pong.
    fn answer(&self) -> Vec<u8> {
        let first = match self.opcode() {
            PING => self.first & !OPCODE | PONG,
            _ => self.first,
        };
        let mut frame = vec![first];
        match u8::try_from(self.payload.len()) {
            Ok(length) if length < SHORT_LENGTH_FOLLOWS => frame.push(length),
            _ => {
                frame.push(SHORT_LENGTH_FOLLOWS);
                frame.extend((self.payload.len() as u16).to_be_bytes());
            }
        }
        frame.extend_from_slice(&self.payload);
        frame
    }
}

fn refused(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// RFC 4648 4, with padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let sixes = group.len() + 1;
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | u32::from(group.get(at).copied().unwrap_or(0))
        });
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) as usize & 63;
            text.push(if at < sixes {
                char::from(ALPHABET[six])
            } else {
                '='
            });
        }
    }
    text
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Sessions are not held here, so messages are short.
const PAYLOAD_LIMIT: usize = 4096;
const OPCODE: u8 = 0x0f;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;
const SHORT_LENGTH_FOLLOWS: u8 = 126;
const LONG_LENGTH_FOLLOWS: u8 = 127;

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `frames` and reads until the stand-in hangs up.
    async fn exchange(frames: &[u8]) -> (Vec<u8>, io::Result<()>) {
        let (mut client, server) = tokio::io::duplex(16 * 1024);
        client.write_all(frames).await.unwrap();
        let ended = echo(server).await;
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).await.unwrap();
        (heard, ended)
    }

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let key = [1, 2, 3, 4];
        let mut frame = vec![first];
        if payload.len() < 126 {
            frame.push(0x80 | payload.len() as u8);
        } else {
            frame.push(0x80 | 126);
            frame.extend((payload.len() as u16).to_be_bytes());
        }
        frame.extend(key);
        let hidden = payload.iter().zip(key.iter().cycle());
        frame.extend(hidden.map(|(byte, key)| byte ^ key));
        frame
    }

    #[tokio::test]
    async fn echoes_messages_answers_pings_and_closes() {
        let frames = [
            masked(0x81, b"hello"),
            masked(0x89, b"?"),
            masked(0x88, b""),
        ];
        let (heard, ended) = exchange(&frames.concat()).await;
        assert_eq!(heard, b"\x81\x05hello\x8a\x01?\x88\x00");
        assert!(ended.is_ok());
    }

    #[tokio::test]
    async fn echoes_up_to_the_limit_and_refuses_more() {
        let most = vec![7; PAYLOAD_LIMIT];
        let frames = [masked(0x82, &most), masked(0x88, b"")].concat();
        let (heard, _) = exchange(&frames).await;
        assert_eq!(heard[..4], [0x82, 126, 0x10, 0x00]);
        assert_eq!(heard[4..4 + PAYLOAD_LIMIT], most);

        let (heard, ended) = exchange(&masked(0x82, &vec![7; PAYLOAD_LIMIT + 1])).await;
        assert!(heard.is_empty() && ended.is_err());
    }

    #[tokio::test]
    async fn refuses_frames_that_are_not_masked() {
        let (heard, ended) = exchange(b"\x81\x05hello").await;
        assert!(heard.is_empty() && ended.is_err());
    }

    #[test]
    fn writes_base64_with_its_padding() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
