use tokio::io::AsyncReadExt;

use super::raw_origin::Conversation;

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

/// Switches protocols, and sends back whatever comes until it ends.
pub(crate) async fn serve_echo(mut conversation: Conversation) {
    if conversation.head().await.is_none() {
        return;
    }
    conversation.send(SWITCHED).await;
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
