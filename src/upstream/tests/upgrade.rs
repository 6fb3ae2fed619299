use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::origin::Step::{self, Echo, Read, Send};
use super::*;

#[tokio::test]
async fn the_stream_behind_an_answer_101_can_be_had() {
    const SWITCH: Step = Send(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nearly",
    );
    let origin = Origin::start(&[&[Read, SWITCH, Echo]]).await;
    let mut request = get("/socket");
    let headers = request.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "websocket".parse().unwrap());
    let mut response = client(&origin).call(request, b"").await.unwrap();
    assert_eq!(response.status(), 101);
    let upgraded = hyper::upgrade::on(&mut response).await.unwrap();
    let mut stream = TokioIo::new(upgraded);
    let mut bytes = [0; 9];
    stream.read_exact(&mut bytes[..5]).await.unwrap();
    stream.write_all(b"ping").await.unwrap();
    stream.read_exact(&mut bytes[5..]).await.unwrap();
    assert_eq!(&bytes, b"earlyping");
}
