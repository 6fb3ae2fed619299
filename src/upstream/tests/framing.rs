//! Where an answer ends: what is whole must be known from what was cut off (traps 1.5).

use http::Version;

use super::origin::Step::{self, AwaitClose, Read, Reset, Send};
use super::*;

const LENGTH: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf");
const CHUNKED: Step = Send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n");
const WITHIN_CHUNK: Step = Send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\nhalf");
const TO_CLOSE: Step = Send("HTTP/1.1 200 OK\r\n\r\nhalf");
const TO_CLOSE_10: Step = Send("HTTP/1.0 200 OK\r\n\r\nhalf");

#[tokio::test]
async fn an_answer_that_is_cut_off_is_an_error() {
    let table: [&'static [&'static [Step]]; 9] = [
        &[&[Read, LENGTH]],
        &[&[Read, LENGTH, Reset]],
        &[&[Read, CHUNKED]],
        &[&[Read, CHUNKED, Reset]],
        &[&[Read, WITHIN_CHUNK]],
        &[&[Read, WITHIN_CHUNK, Reset]],
        &[&[Read, CHUNKED, Send("0\r\n")]],
        &[&[Read, CHUNKED, Send("nonsense\r\n"), AwaitClose]],
        &[&[Read, CHUNKED, Send("ffffffffffffffffff\r\n"), AwaitClose]],
    ];
    for script in table {
        let origin = Origin::start(script).await;
        let kind = failure(&client(&origin), get("/")).await;
        assert_eq!(kind, "body_broken", "{script:?}");
    }
}

#[tokio::test]
async fn a_reset_of_an_answer_that_only_the_close_ends_is_an_error() {
    let table: [&'static [&'static [Step]]; 2] = [
        &[&[Read, TO_CLOSE, Step::AwaitGo, Reset]],
        &[&[Read, TO_CLOSE_10, Step::AwaitGo, Reset]],
    ];
    for script in table {
        let origin = Origin::start(script).await;
        let client = client(&origin);
        let mut body = client.call(get("/"), b"").await.unwrap().into_body();
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "half");
        origin.go().await;
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), "body_broken", "{script:?}");
    }
}

/// An orderly close without TLS cannot be told from an end: nobody can.
#[tokio::test]
async fn an_orderly_close_ends_an_answer_that_only_the_close_ends() {
    let table: [&'static [&'static [Step]]; 2] = [&[&[Read, TO_CLOSE]], &[&[Read, TO_CLOSE_10]]];
    for script in table {
        let origin = Origin::start(script).await;
        let body = fetch(&client(&origin), get("/")).await.unwrap();
        assert_eq!(body, "half");
    }
}

#[tokio::test]
async fn the_version_of_an_answer_is_always_http_1_1() {
    let origin = Origin::start(&[&[Read, TO_CLOSE_10]]).await;
    let response = client(&origin).call(get("/"), b"").await.unwrap();
    assert_eq!(response.version(), Version::HTTP_11);
}

#[tokio::test]
async fn a_request_goes_out_as_http_1_1_in_origin_form_with_its_host() {
    let origin = Origin::start(&[&[Read, Send("HTTP/1.1 204 No Content\r\n\r\n")]]).await;
    let mut request = get("http://elsewhere.example/a?b=1");
    *request.version_mut() = Version::HTTP_2;
    fetch(&client(&origin), request).await.unwrap();
    let expected = "GET /a?b=1 HTTP/1.1\r\nhost: www.bank.example\r\n\r\n";
    assert_eq!(origin.seen(), [expected]);
}

#[tokio::test]
async fn several_fields_of_one_name_stay_in_order() {
    let origin = Origin::start(&[&[
        Read,
        Send("HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Odd_name: 1\r\nSet-Cookie: b=2\r\nset-cookie: a=1\r\ncontent-length: 0\r\n\r\n"),
    ]])
    .await;
    let response = client(&origin).call(get("/"), b"").await.unwrap();
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2", "a=1"]);
    assert_eq!(response.headers()["x-odd_name"], "1");
}

#[tokio::test]
async fn a_length_that_is_said_twice_is_passed_on_once() {
    let table: [&'static [&'static [Step]]; 3] = [
        &[&[
            Read,
            Send("HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok"),
        ]],
        &[&[
            Read,
            Send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok"),
        ]],
        &[&[
            Read,
            Send("HTTP/1.1 200 OK\r\ncontent-length: 02\r\n\r\nok"),
        ]],
    ];
    for script in table {
        let origin = Origin::start(script).await;
        let response = client(&origin).call(get("/"), b"").await.unwrap();
        let lengths: Vec<_> = response
            .headers()
            .get_all("content-length")
            .iter()
            .collect();
        assert_eq!(lengths, ["2"], "{script:?}");
        assert_eq!(text(response).await.unwrap(), "ok");
    }
}

#[tokio::test]
async fn a_length_that_is_no_number_is_refused_where_there_is_no_body_too() {
    const HEAD: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n");
    let origin = Origin::start(&[&[Read, HEAD, AwaitClose]]).await;
    let head = request(Method::HEAD, "/", empty_body());
    assert_eq!(failure(&client(&origin), head).await, "framing");
}

#[tokio::test]
async fn a_field_in_several_lines_is_read_as_one() {
    const FOLDED: Step =
        Send("HTTP/1.1 200 OK\r\nx-policy: a;\r\n\tb\r\ncontent-length: 2\r\n\r\nok");
    let origin = Origin::start(&[&[Read, FOLDED]]).await;
    let response = client(&origin).call(get("/"), b"").await.unwrap();
    let value = response.headers()["x-policy"].to_str().unwrap();
    let words: Vec<_> = value.split_whitespace().collect();
    assert_eq!(words, ["a;", "b"]);
    assert!(!value.contains(['\r', '\n']));
}
