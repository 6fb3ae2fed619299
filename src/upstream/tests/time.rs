use super::origin::Step::{self, AwaitClose, AwaitGo, Read, ReadHead, Send};
use super::*;
use crate::telemetry::Blame;

const HALF: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf");

#[tokio::test]
async fn an_origin_that_says_nothing() {
    let origin = Origin::start(&[&[Read, AwaitClose]]).await;
    let config = Config {
        first_byte_timeout: BRIEFLY,
        ..config()
    };
    let error = fetch(&client_with(&origin, config), get("/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "first_byte_timeout");
    assert_eq!((error.is_timeout(), error.blame()), (true, Blame::Upstream));
}

#[tokio::test]
async fn a_silent_origin_is_not_asked_twice() {
    const OK: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let origin = Origin::start(&[&[Read, OK, Read, AwaitClose]]).await;
    let config = Config {
        first_byte_timeout: BRIEFLY,
        ..config()
    };
    let client = client_with(&origin, config);
    fetch_and_settle(&client, get("/1")).await;
    assert_eq!(failure(&client, get("/2")).await, "first_byte_timeout");
    assert_eq!(origin.lines(), ["GET /1", "GET /2"]);
}

#[tokio::test]
async fn a_client_that_sends_no_more_is_to_blame_itself() {
    let origin = Origin::start(&[&[ReadHead, AwaitClose]]).await;
    let config = Config {
        first_byte_timeout: BRIEFLY,
        ..config()
    };
    let (frames, body) = streamed();
    frames.send(Ok("the beginning")).await.unwrap();
    let upload = request(Method::POST, "/", body);
    let error = fetch(&client_with(&origin, config), upload)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "request_idle");
    assert_eq!(
        (error.is_timeout(), error.blame()),
        (true, Blame::Downstream)
    );
}

/// Otherwise the connections of both sides would stay for as long as the client likes.
#[tokio::test]
async fn the_rest_of_a_request_that_was_answered_early_does_not_stay_for_ever() {
    const EARLY: Step = Send("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno");
    let mut origin = Origin::start(&[&[ReadHead, EARLY, AwaitClose]]).await;
    let config = Config {
        first_byte_timeout: BRIEFLY,
        ..config()
    };
    let (frames, body) = streamed();
    frames.send(Ok("x")).await.unwrap();
    let upload = request(Method::POST, "/", body);
    let answer = fetch(&client_with(&origin, config), upload).await;
    assert_eq!(answer.unwrap(), "no");
    origin.done().await;
    assert!(frames.is_closed(), "the client's side is let go too");
}

#[tokio::test]
async fn an_origin_that_answered_early_and_takes_no_more_is_let_go_too() {
    const EARLY: Step = Send("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno");
    let origin = Origin::start(&[&[ReadHead, EARLY, AwaitGo]]).await;
    let config = Config {
        first_byte_timeout: BRIEFLY,
        ..config()
    };
    let (frames, body) = streamed();
    frames.send(Ok("x")).await.unwrap();
    let upload = request(Method::POST, "/", body);
    let answer = fetch(&client_with(&origin, config), upload).await;
    assert_eq!(answer.unwrap(), "no");
    let megabyte: &'static str = Box::leak("x".repeat(1024 * 1024).into_boxed_str());
    let sending = async { while frames.send(Ok(megabyte)).await.is_ok() {} };
    let ended = tokio::time::timeout(PATIENCE, sending).await;
    assert!(ended.is_ok(), "the client's side must be let go");
}

#[tokio::test]
async fn an_answer_that_ends_with_its_request_is_the_clients_fault() {
    let origin = Origin::start(&[&[ReadHead, HALF, AwaitClose]]).await;
    let config = Config {
        first_byte_timeout: BRIEFLY,
        ..config()
    };
    let client = client_with(&origin, config);
    let (frames, body) = streamed();
    frames.send(Ok("x")).await.unwrap();
    let error = fetch(&client, request(Method::POST, "/", body)).await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.kind(), error.blame()),
        ("request_idle", Blame::Downstream)
    );
}

#[tokio::test]
async fn an_upload_that_moves_may_take_longer_than_the_first_byte() {
    let origin = Origin::start(&[&[
        ReadHead,
        AwaitGo,
        Send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        AwaitGo,
    ]])
    .await;
    let (frames, body) = streamed();
    let client = client(&origin);
    let upload =
        tokio::spawn(async move { fetch(&client, request(Method::POST, "/", body)).await });
    for _ in 0..5 {
        let_pass(PATIENCE * 3 / 4).await;
        frames.send(Ok("piece")).await.unwrap();
        while frames.capacity() < frames.max_capacity() {
            tokio::task::yield_now().await;
        }
    }
    drop(frames);
    origin.go().await;
    let outcome = upload.await.unwrap();
    assert_eq!(outcome.unwrap(), "ok");
}

#[tokio::test]
async fn a_body_that_stands_still() {
    let origin = Origin::start(&[&[Read, HALF, AwaitClose]]).await;
    let config = Config {
        body_idle_timeout: Some(BRIEFLY),
        ..config()
    };
    let error = fetch(&client_with(&origin, config), get("/"))
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.is_timeout()), ("body_idle", true));
}

#[tokio::test]
async fn time_in_which_nobody_reads_is_not_the_origins() {
    const HEAD: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n");
    const PIECE: Step = Send("half");
    let origin = Origin::start(&[&[Read, HEAD, AwaitGo, PIECE, AwaitGo, PIECE]]).await;
    let client = client(&origin);
    let mut body = client.call(get("/"), b"").await.unwrap().into_body();
    for _ in 0..2 {
        // The body is asked first, and has to wait.
        let (frame, ()) = tokio::join!(body.frame(), origin.go());
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), "half");
        let_pass(PATIENCE * 10).await;
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_answered_is_a_connection_that_takes_too_long() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut target = target(listener.local_addr().unwrap().port());
    target.scheme = Scheme::Https;
    let config = Config {
        connect_timeout: BRIEFLY,
        ..config()
    };
    let client = origins_at(&target, config);
    let error = fetch(&client, get("/")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.is_timeout()),
        ("connect_timeout", true)
    );
}

/// A form that was sent without a session, and whose login page was answered before a byte of it.
#[tokio::test]
async fn of_an_upload_that_was_answered_early_nothing_stays_behind() {
    const EARLY: Step = Send("HTTP/1.1 302 Found\r\ncontent-length: 2\r\n\r\nno");
    let origin = Origin::start(&[&[ReadHead, EARLY]]).await;
    let_tasks_run().await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let (_frames, body) = streamed();
    let mut upload = request(Method::POST, "/", body);
    upload.headers_mut().insert("content-length", 10.into());
    assert_eq!(fetch(&client(&origin), upload).await.unwrap(), "no");
    for _ in 0..3 {
        let_tasks_run().await;
        let_pass(PATIENCE).await;
    }
    let_tasks_run().await;
    assert_eq!(tasks(), before);
}
