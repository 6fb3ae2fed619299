use http::Request;

use super::super::test_heads::{heads, lines};
use super::*;

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const HANDSHAKE: [&str; 4] = [
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    KEY,
];

fn upgrade(method: Method, version: Version, lines: &[&str]) -> Option<Upgrade> {
    let (mut parts, ()) = Request::new(()).into_parts();
    (parts.method, parts.version, parts.headers) = (method, version, heads(lines));
    Upgrade::of(&parts)
}

fn with(line: &str) -> Option<Upgrade> {
    let mut lines = HANDSHAKE.to_vec();
    lines.push(line);
    upgrade(Method::GET, Version::HTTP_11, &lines)
}

fn instead(index: usize, line: &str) -> Option<Upgrade> {
    let mut lines = HANDSHAKE;
    lines[index] = line;
    upgrade(Method::GET, Version::HTTP_11, &lines)
}

#[test]
fn an_incomplete_handshake_is_an_ordinary_request() {
    for (missing, line) in HANDSHAKE.iter().enumerate() {
        assert_eq!(instead(missing, "X: y"), None, "without {line}");
    }
    for (index, line) in [
        (0, "Connection: close"),
        (0, "Connection: upgraded"),
        (1, "Upgrade: h2c"),
        (1, "Upgrade: websocket2"),
        (2, "Sec-WebSocket-Version: 8"),
        (2, "Sec-WebSocket-Version: 13, 8"),
        (3, "Sec-WebSocket-Key: "),
        (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"),
        (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="),
        (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ==="),
        (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQQQ"),
        (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZZZQ=="),
        (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub-5jZQ=="),
    ] {
        assert_eq!(instead(index, line), None, "{line}");
    }
    for line in [
        KEY,
        "Sec-WebSocket-Version: 13",
        "Content-Length: 1",
        "Transfer-Encoding: chunked",
    ] {
        assert_eq!(with(line), None, "{line}");
    }
    assert_eq!(upgrade(Method::POST, Version::HTTP_11, &HANDSHAKE), None);
    assert_eq!(upgrade(Method::GET, Version::HTTP_10, &HANDSHAKE), None);
    assert_eq!(upgrade(Method::GET, Version::HTTP_2, &HANDSHAKE), None);
}

#[test]
fn a_complete_handshake_counts() {
    assert!(upgrade(Method::GET, Version::HTTP_11, &HANDSHAKE).is_some());
    assert!(with("Content-Length: 0").is_some());
    assert!(instead(0, "Connection: UPGRADE").is_some());
    assert!(instead(1, "Upgrade: h2c, WebSocket").is_some());
}

const SWITCH: [&str; 3] = [
    "Connection: upgrade",
    "Upgrade: WebSocket",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
];

#[test]
fn only_a_whole_101_opens_the_tunnel() {
    let upgrade = Upgrade(Form::Connection);
    let check = |status, lines: &[&str]| upgrade.check_switching(status, &heads(lines));
    let switching = StatusCode::SWITCHING_PROTOCOLS;
    assert_eq!(check(switching, &SWITCH), Ok(()));
    for status in [StatusCode::OK, StatusCode::FORBIDDEN] {
        assert_eq!(check(status, &SWITCH), Err(SwitchRefusal::Status));
    }
    for (index, line, refusal) in [
        (0, "Connection: close", SwitchRefusal::Protocol),
        (1, "Upgrade: h2c", SwitchRefusal::Protocol),
        (1, "Upgrade: h2c, websocket", SwitchRefusal::Protocol),
        (2, "X: y", SwitchRefusal::Accept),
        (
            2,
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
            SwitchRefusal::Accept,
        ),
        (
            2,
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=",
            SwitchRefusal::Accept,
        ),
        (
            2,
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOoo=",
            SwitchRefusal::Accept,
        ),
        (
            2,
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK=",
            SwitchRefusal::Accept,
        ),
    ] {
        let mut lines = SWITCH;
        lines[index] = line;
        assert_eq!(check(switching, &lines), Err(refusal), "{line}");
    }
}

#[test]
fn the_handshake_is_made_again() {
    let mut headers = heads(&["Sec-WebSocket-Version: 13"]);
    Upgrade(Form::Connection).write(&mut headers);
    let expect = [
        "connection: Upgrade",
        "sec-websocket-version: 13",
        "upgrade: websocket",
    ];
    assert_eq!(lines(&headers), expect);
}

fn connect(protocol: Option<&str>, version: Version, lines: &[&str]) -> Result<Upgrade, Refusal> {
    let (mut parts, ()) = Request::new(()).into_parts();
    (parts.method, parts.version, parts.headers) = (Method::CONNECT, version, heads(lines));
    if let Some(protocol) = protocol {
        parts.extensions.insert(ConnectProtocol(protocol.into()));
    }
    Upgrade::of_connect(&parts)
}

#[test]
fn an_extended_connect_is_a_whole_handshake_or_refused() {
    let h2 = Version::HTTP_2;
    let whole = ["Sec-WebSocket-Version: 13"];
    let upgrade = connect(Some("websocket"), h2, &whole).unwrap();
    assert!(upgrade.is_of_stream());
    let with_more = [whole[0], "Content-Length: 0", KEY];
    assert_eq!(connect(Some("websocket"), h2, &with_more), Ok(upgrade));
    assert_eq!(connect(None, h2, &whole), Err(Refusal::Connect));
    for protocol in ["", "connect-udp", "WebSocket", "websocket2"] {
        assert_eq!(
            connect(Some(protocol), h2, &whole),
            Err(Refusal::Protocol),
            "{protocol}"
        );
    }
    let old = connect(Some("websocket"), Version::HTTP_11, &whole);
    assert_eq!(old, Err(Refusal::Protocol));
    for lines in [
        &[][..],
        &["Sec-WebSocket-Version: 8"],
        &["Sec-WebSocket-Version: 13, 8"],
        &[whole[0], whole[0]],
        &[whole[0], "Content-Length: 1"],
        &[whole[0], "Transfer-Encoding: chunked"],
    ] {
        let refused = connect(Some("websocket"), h2, lines);
        assert_eq!(refused, Err(Refusal::Handshake), "{lines:?}");
    }
}
