use super::origin::Step::{AwaitClose, Read, ReadHead, Reset, Send};
use super::*;
use crate::telemetry::Blame;

#[tokio::test]
async fn refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let client = origins_at(&target(port), config());
    let error = fetch(&client, get("/")).await.unwrap_err();
    assert_eq!(error.kind(), "refused");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    assert_eq!(
        (error.blame(), error.is_timeout()),
        (Blame::Upstream, false)
    );
}

#[tokio::test]
async fn unknown_name() {
    let mut target = target(80);
    target.host = "no-such-origin.invalid".to_owned();
    let client = origins_at(&target, config());
    assert_eq!(failure(&client, get("/")).await, "dns");
}

#[tokio::test]
async fn closed_without_an_answer() {
    let origin = Origin::start(&[&[Read]]).await;
    assert_eq!(failure(&client(&origin), get("/")).await, "closed");
}

#[tokio::test]
async fn closed_within_the_head() {
    let origin = Origin::start(&[&[Read, Send("HTTP/1.1 200 OK\r\ncontent-le")]]).await;
    assert_eq!(failure(&client(&origin), get("/")).await, "closed");
}

#[tokio::test]
async fn reset_without_an_answer() {
    let origin = Origin::start(&[&[Read, Reset]]).await;
    assert_eq!(failure(&client(&origin), get("/")).await, "reset");
}

#[tokio::test]
async fn nonsense() {
    let table: [&'static [&'static [origin::Step]]; 5] = [
        &[&[Read, Send("SSH-2.0-OpenSSH_9.2\r\n"), AwaitClose]],
        &[&[Read, Send("HTTP/1.1 2000 OK\r\n\r\n"), AwaitClose]],
        &[&[
            Read,
            Send("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"),
            AwaitClose,
        ]],
        &[&[
            Read,
            Send("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"),
            AwaitClose,
        ]],
        &[&[
            Read,
            Send("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
            AwaitClose,
        ]],
    ];
    for script in table {
        let origin = Origin::start(script).await;
        let outcome = fetch(&client(&origin), get("/")).await;
        let kind = outcome.map_err(|error| error.kind());
        assert_eq!(kind, Err("malformed"), "{script:?}");
    }
}

#[tokio::test]
async fn an_end_that_can_be_read_in_two_ways() {
    let table: [&'static [&'static [origin::Step]]; 4] = [
        &[&[
            Read,
            Send(
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            ),
            AwaitClose,
        ]],
        &[&[
            Read,
            Send(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            ),
            AwaitClose,
        ]],
        &[&[
            Read,
            Send("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            AwaitClose,
        ]],
        &[&[
            Read,
            Send("HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\n"),
        ]],
    ];
    for script in table {
        let origin = Origin::start(script).await;
        let outcome = fetch(&client(&origin), get("/")).await;
        let kind = outcome.map_err(|error| error.kind());
        assert_eq!(kind, Err("framing"), "{script:?}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large() {
    let origin = Origin::start(&[&[
        Read,
        Send("HTTP/1.1 200 OK\r\nx: 0123456789012345678901234567890123456789\r\n\r\n"),
        AwaitClose,
    ]])
    .await;
    let config = Config {
        head_bytes_max: 32,
        ..config()
    };
    let client = client_with(&origin, config);
    assert_eq!(failure(&client, get("/")).await, "head_too_large");
}

/// hyper has room for as many by itself.
#[tokio::test]
async fn as_many_headers_as_by_default() {
    for (count, expected) in [(99, Ok(String::new())), (100, Err("head_too_large"))] {
        let fields = "set-cookie: a=b\r\n".repeat(count);
        let answer = format!("HTTP/1.1 200 OK\r\n{fields}content-length: 0\r\n\r\n");
        let answer: &'static str = answer.leak();
        let steps = vec![Read, Send(answer), AwaitClose].leak();
        let origin = Origin::start(vec![&*steps].leak()).await;
        let client = client_with(&origin, config());
        let outcome = fetch(&client, get("/")).await.map_err(|e| e.kind());
        assert_eq!(outcome, expected, "{count}");
    }
}

#[tokio::test]
async fn too_many_headers() {
    const ANSWER: &str = "HTTP/1.1 200 OK\r\na: 1\r\nb: 2\r\ncontent-length: 0\r\n\r\n";
    for (headers_max, expected) in [(3, Ok(String::new())), (2, Err("head_too_large"))] {
        let origin = Origin::start(&[&[Read, Send(ANSWER), AwaitClose]]).await;
        let config = Config {
            headers_max,
            ..config()
        };
        let client = client_with(&origin, config);
        let outcome = fetch(&client, get("/")).await.map_err(|e| e.kind());
        assert_eq!(outcome, expected, "{headers_max}");
    }
}

#[tokio::test]
async fn a_request_that_breaks_off_is_the_clients_fault() {
    let origin = Origin::start(&[&[ReadHead, AwaitClose]]).await;
    let (frames, body) = streamed();
    frames.send(Ok("half")).await.unwrap();
    frames.send(Err("the client is gone".into())).await.unwrap();
    let request = request(Method::POST, "/", body);
    let error = fetch(&client(&origin), request).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.blame()),
        ("request_broken", Blame::Downstream)
    );
}

/// hyper ends the body of an HTTP/2 request that was reset without an error like a whole one.
#[tokio::test]
async fn an_http_2_request_that_ends_before_its_end_has_broken_off() {
    let origin = Origin::start(&[&[ReadHead, AwaitClose]]).await;
    let (frames, body) = streamed();
    frames.send(Ok("half")).await.unwrap();
    drop(frames);
    let mut request = request(Method::POST, "/", body);
    *request.version_mut() = http::Version::HTTP_2;
    let error = fetch(&client(&origin), request).await.unwrap_err();
    assert_eq!(error.kind(), "request_broken");
}
