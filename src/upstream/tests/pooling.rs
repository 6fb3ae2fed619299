//! Which connection carries a request, and when a request may be sent twice.

use super::origin::Step::{self, AwaitClose, AwaitGo, Read, ReadHead, Send};
use super::*;

const OK: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
const CHUNKED_OK: Step =
    Send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");

#[tokio::test]
async fn a_connection_carries_one_request_after_the_other() {
    let origin = Origin::start(&[&[
        Read,
        OK,
        Read,
        CHUNKED_OK,
        Read,
        Send("HTTP/1.1 204 No Content\r\n\r\n"),
        Read,
        Send("HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"),
        Read,
        Send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        Read,
        OK,
    ]])
    .await;
    let client = client(&origin);
    assert_eq!(fetch_and_settle(&client, get("/1")).await, "ok");
    assert_eq!(fetch_and_settle(&client, post("/2")).await, "ok");
    assert_eq!(fetch_and_settle(&client, get("/3")).await, "");
    assert_eq!(fetch_and_settle(&client, get("/3")).await, "");
    let head = request(Method::HEAD, "/4", empty_body());
    assert_eq!(fetch_and_settle(&client, head).await, "");
    assert_eq!(fetch_and_settle(&client, get("/5")).await, "ok");
    assert_eq!(origin.connections(), 1);
}

/// The origin takes the second request on the old connection and closes it without a word.
const IDLE_CLOSE_RACE: &[&[Step]] = &[&[Read, OK, Read], &[Read, OK]];

#[tokio::test]
async fn a_request_that_changes_nothing_is_sent_again() {
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::DELETE] {
        let origin = Origin::start(IDLE_CLOSE_RACE).await;
        let client = client(&origin);
        fetch_and_settle(&client, get("/1")).await;
        let second = request(method.clone(), "/2", empty_body());
        client.call(second, b"").await.unwrap();
        let again = format!("{method} /2");
        assert_eq!(origin.lines(), ["GET /1", &again, &again]);
    }
}

#[tokio::test]
async fn a_request_that_may_change_something_is_never_sent_again() {
    let patch = request(Method::PATCH, "/2", empty_body());
    let bare_post = request(Method::POST, "/2", empty_body());
    let put = request(Method::PUT, "/2", full_body("document"));
    for second in [post("/2"), bare_post, patch, put] {
        let line = format!("{} /2", second.method());
        let origin = Origin::start(IDLE_CLOSE_RACE).await;
        let client = client(&origin);
        fetch_and_settle(&client, get("/1")).await;
        assert_eq!(failure(&client, second).await, "closed");
        assert_eq!(origin.lines(), ["GET /1", &line]);
    }
}

#[tokio::test]
async fn nothing_is_sent_again_once_an_answer_has_begun() {
    let origin = Origin::start(&[&[Read, OK, Read, Send("HTTP/1.1 2")], &[Read, OK]]).await;
    let client = client(&origin);
    fetch_and_settle(&client, get("/1")).await;
    assert_eq!(failure(&client, get("/2")).await, "closed");
    assert_eq!(origin.lines(), ["GET /1", "GET /2"]);
}

#[tokio::test]
async fn nothing_is_sent_again_that_failed_on_a_new_connection() {
    let origin = Origin::start(&[&[Read]]).await;
    assert_eq!(failure(&client(&origin), get("/1")).await, "closed");
    assert_eq!(origin.lines(), ["GET /1"]);
}

#[tokio::test]
async fn a_request_is_sent_again_once_and_no_more() {
    let origin = Origin::start(&[&[Read, OK, Read], &[Read]]).await;
    let client = client(&origin);
    fetch_and_settle(&client, get("/1")).await;
    assert_eq!(failure(&client, get("/2")).await, "closed");
    assert_eq!(origin.lines(), ["GET /1", "GET /2", "GET /2"]);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_carries_nothing() {
    let mut origin = Origin::start(&[&[Read, OK], &[Read, OK]]).await;
    let client = client(&origin);
    fetch(&client, get("/1")).await.unwrap();
    origin.done().await;
    // Not even a form is lost: the pool looks at the socket before it is used.
    assert_eq!(fetch(&client, post("/2")).await.unwrap(), "ok");
    assert_eq!(origin.lines(), ["GET /1", "POST /2"]);
}

#[tokio::test]
async fn bytes_that_nobody_asked_for_answer_nobody() {
    const STRAY: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen");
    let table: [&'static [&'static [Step]]; 2] = [
        &[&[Read, OK, AwaitGo, STRAY, AwaitGo], &[Read, OK]],
        &[&[Read, OK, STRAY, AwaitGo, AwaitGo], &[Read, OK]],
    ];
    for script in table {
        for _ in 0..20 {
            let origin = Origin::start(script).await;
            let client = client(&origin);
            fetch_and_settle(&client, get("/1")).await;
            // The stray answer is written in the origin's task before this one goes on.
            origin.go().await;
            origin.go().await;
            let_tasks_run().await;
            assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
        }
    }
}

#[tokio::test]
async fn an_origin_that_wants_to_close_is_not_asked_again() {
    const LAST: Step = Send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
    let origin = Origin::start(&[&[Read, LAST, AwaitClose], &[Read, OK]]).await;
    let client = client(&origin);
    fetch_and_settle(&client, get("/1")).await;
    assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
    assert_eq!(origin.connections(), 2);
}

/// The next visitor must not be taken for the one who has logged in.
#[tokio::test]
async fn a_connection_that_is_logged_in_carries_no_other_request() {
    for credentials in ["NTLM TlRMTVNTUAAD", "negotiate YII=", "nTlM"] {
        let origin = Origin::start(&[&[Read, OK, AwaitClose], &[Read, OK]]).await;
        let client = client(&origin);
        let mut login = get("/1");
        let headers = login.headers_mut();
        headers.append("authorization", "Basic YTpi".parse().unwrap());
        headers.append("authorization", credentials.parse().unwrap());
        fetch_and_settle(&client, login).await;
        assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
        assert_eq!(origin.connections(), 2, "{credentials}");
    }
}

#[tokio::test]
async fn a_connection_on_which_a_login_may_begin_carries_no_other_request() {
    const TWO_LINES: Step = Send(
        "HTTP/1.1 401 No\r\nwww-authenticate: Basic realm=\"a\"\r\nwww-authenticate: Negotiate\r\ncontent-length: 2\r\n\r\nno",
    );
    const ONE_LINE: Step = Send(
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"a, b\",ntlm TlRM\r\ncontent-length: 2\r\n\r\nno",
    );
    let table: [&'static [&'static [Step]]; 2] = [
        &[&[Read, TWO_LINES, AwaitClose], &[Read, OK]],
        &[&[Read, ONE_LINE, AwaitClose], &[Read, OK]],
    ];
    for script in table {
        let origin = Origin::start(script).await;
        let client = client(&origin);
        assert_eq!(fetch_and_settle(&client, get("/1")).await, "no");
        assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
        assert_eq!(origin.connections(), 2, "{script:?}");
    }
}

/// To `HEAD` it may, and some origins send the body along.
#[tokio::test]
async fn a_head_that_announces_a_body_uses_the_connection_up() {
    const LENGTH: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n");
    let origin = Origin::start(&[&[Read, LENGTH, AwaitClose], &[Read, OK]]).await;
    let client = client(&origin);
    let head = request(Method::HEAD, "/1", empty_body());
    fetch_and_settle(&client, head).await;
    assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn a_login_by_request_leaves_its_connection_as_it_was() {
    const CHALLENGE: Step = Send(
        "HTTP/1.1 401 No\r\nwww-authenticate: Digest realm=\"a\", Basic\r\ncontent-length: 2\r\n\r\nno",
    );
    let origin = Origin::start(&[&[Read, CHALLENGE, Read, OK]]).await;
    let client = client(&origin);
    fetch_and_settle(&client, get("/1")).await;
    let mut login = get("/2");
    let credentials = "Basic YTpi".parse().unwrap();
    login.headers_mut().insert("authorization", credentials);
    assert_eq!(fetch(&client, login).await.unwrap(), "ok");
    assert_eq!(origin.connections(), 1);
}

/// An origin that sends a body where none may be leaves it for whoever comes next.
#[tokio::test]
async fn an_answer_that_has_no_body_but_says_it_has_uses_the_connection_up() {
    const LENGTH: Step = Send("HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n");
    const CHUNKED: Step = Send("HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n");
    const RESET: Step = Send("HTTP/1.1 205 Reset Content\r\ncontent-length: 2\r\n\r\nok");
    const STORED: Step = Send("HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n");
    let table: [&'static [&'static [Step]]; 4] = [
        &[&[Read, STORED, AwaitClose], &[Read, OK]],
        &[&[Read, LENGTH, AwaitClose], &[Read, OK]],
        &[&[Read, CHUNKED, AwaitClose], &[Read, OK]],
        &[&[Read, RESET, AwaitClose], &[Read, OK]],
    ];
    for script in table {
        let origin = Origin::start(script).await;
        let client = client(&origin);
        fetch_and_settle(&client, get("/1")).await;
        assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
        assert_eq!(origin.connections(), 2, "{script:?}");
    }
}

/// Whether the origin has begun to speak another protocol after all, nobody can tell.
#[tokio::test]
async fn an_upgrade_that_was_asked_for_uses_the_connection_up() {
    let origin = Origin::start(&[&[Read, OK, AwaitClose], &[Read, OK]]).await;
    let client = client(&origin);
    let mut upgrade = get("/1");
    let headers = upgrade.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "websocket".parse().unwrap());
    fetch_and_settle(&client, upgrade).await;
    assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
    assert_eq!(origin.connections(), 2);
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_uses_the_connection_up() {
    const EARLY: Step = Send("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno");
    let origin = Origin::start(&[&[ReadHead, EARLY, AwaitClose], &[Read, OK]]).await;
    let client = client(&origin);
    let (frames, body) = streamed();
    frames.send(Ok("the beginning")).await.unwrap();
    let upload = request(Method::POST, "/1", body);
    assert_eq!(fetch_and_settle(&client, upload).await, "no");
    frames.send(Ok("the end")).await.unwrap();
    drop(frames);
    let_tasks_run().await;
    assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
    assert_eq!(origin.connections(), 2);
}

/// As hyper's server reads it: a body whose length was said is not asked for its end.
#[tokio::test]
async fn an_answer_that_was_read_to_its_length_frees_its_connection() {
    let origin = Origin::start(&[&[Read, OK, Read, OK]]).await;
    let client = client(&origin);
    let mut body = client.call(get("/1"), b"").await.unwrap().into_body();
    while !body.is_end_stream() {
        body.frame().await.unwrap().unwrap();
    }
    drop(body);
    let_tasks_run().await;
    assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn an_answer_that_nobody_reads_on_closes_its_connection() {
    const HALF: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf");
    let mut origin = Origin::start(&[&[Read, HALF, AwaitClose], &[Read, OK]]).await;
    let client = client(&origin);
    let mut body = client.call(get("/1"), b"").await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    origin.done().await;
    assert_eq!(fetch(&client, get("/2")).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_call_that_is_given_up_closes_its_connection() {
    let mut origin = Origin::start(&[&[Read, AwaitClose]]).await;
    let client = client(&origin);
    let call = tokio::time::timeout(BRIEFLY, client.call(get("/1"), b""));
    assert!(call.await.is_err());
    origin.done().await;
}

#[tokio::test]
async fn connections_are_closed_when_they_were_idle_for_too_long() {
    let mut origin = Origin::start(&[&[Read, OK, AwaitClose]]).await;
    let client = client(&origin);
    fetch_and_settle(&client, get("/1")).await;
    let_pass(config().pool_idle_timeout + BRIEFLY).await;
    origin.done().await;
}

#[tokio::test]
async fn no_more_connections_are_kept_than_asked_for() {
    let mut origin = Origin::start(&[&[Read, OK, AwaitClose]]).await;
    let config = Config {
        pool_idle_max: 0,
        ..config()
    };
    let client = client_with(&origin, config);
    fetch_and_settle(&client, get("/1")).await;
    origin.done().await;
}
