use super::*;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Whole, byte by byte, and cut in two anywhere: what pieces bytes come in says nothing.
#[track_caller]
fn check(bytes: &str, expect: Option<(u64, RawFault)>) {
    let bytes = bytes.as_bytes();
    for cut in 0..bytes.len() {
        let mut heads = RawHeads::new();
        heads.read(&bytes[..cut]);
        heads.read(&bytes[cut..]);
        assert_eq!(
            heads.fault(),
            expect,
            "cut at {cut}: {}",
            bytes.escape_ascii()
        );
    }
    let mut heads = RawHeads::new();
    for byte in bytes {
        heads.read(&[*byte]);
    }
    assert_eq!(
        heads.fault(),
        expect,
        "byte by byte: {}",
        bytes.escape_ascii()
    );
}

fn post(lines: &str, body: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{body}")
}

#[test]
fn what_hyper_hides_is_seen() {
    use RawFault::*;
    for (lines, fault) in [
        ("Content-Length: 2\r\nContent-Length: 2", LengthTwice),
        (
            "Content-Length: 2\r\nX: y\r\nCONTENT-LENGTH:\t2 ",
            LengthTwice,
        ),
        ("Content-Length: 0\r\ncontent-length: 0", LengthTwice),
        (
            "Content-Length: 2\r\nTransfer-Encoding: chunked",
            LengthAndChunks,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 2",
            LengthAndChunks,
        ),
        ("transfer-encoding: x\r\ncontent-length: y", LengthAndChunks),
    ] {
        check(&post(lines, ""), Some((1, fault)));
        // Behind others, on the same connection.
        let second = [GET, &post("Content-Length: 2", "ok"), &post(lines, "")].concat();
        check(&second, Some((3, fault)));
        let second = [
            &post("Transfer-Encoding: chunked", "2\r\nok\r\n0\r\n\r\n"),
            &*post(lines, ""),
        ];
        check(&second.concat(), Some((2, fault)));
    }
}

#[test]
fn what_is_clear_is_followed() {
    const INNER: &str = "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n";
    let length = INNER.len();
    let chunked = "Transfer-Encoding: chunked";
    let long = format!("X-Long: {}", "Content-Length: 1".repeat(100));
    for request in [
        GET.to_owned(),
        format!("\r\n\r\n{GET}"),
        "GET / HTTP/1.0\nHost: a\n\n".to_owned(),
        post("Content-Length: 0", ""),
        post("Content-Length: 5", "hello"),
        post(
            "X-Content-Length: 5\r\nContent-Length-X: 5\r\nContent-Lengt: 5",
            "",
        ),
        post(&long, ""),
        post(&format!("Content-Length: {length}"), INNER),
        post(chunked, &format!("{length:x}\r\n{INNER}\r\n0\r\n\r\n")),
        post(chunked, "5;name=value\r\nhello\r\n3 \r\nyou\r\n000\r\n\r\n"),
        post(
            chunked,
            "0\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        ),
    ] {
        check(&[&*request, GET, &request].concat(), None);
    }
}

#[test]
fn what_cannot_be_followed_is_given_up() {
    let chunked = "Transfer-Encoding: chunked";
    for request in [
        "\u{1}\u{2}\n".to_owned(),
        post(chunked, "x\r\n"),
        post(chunked, "ffffffffffffffff\r\n"),
        post(chunked, "10000000000000000\r\n"),
        post("Content-Length: 1", "x\u{81}\r\n"),
        post("Transfer-Encoding: chunked, gzip", ""),
        post(&format!("Content-Length:{}2", " ".repeat(LINE_MAX)), "ok"),
        post("Content-Length: 2, 2", "ok"),
        post(
            &format!("Content-Length:{}5000", " ".repeat(LINE_MAX - 16)),
            "hello",
        ),
        post(
            &format!("Transfer-Encoding: chunked{}, x", " ".repeat(LINE_MAX)),
            "",
        ),
        post(chunked, "0\r\nX: a\n\n"),
        post(chunked, "0\r\nX: a\r\n\n"),
        post(chunked, "2\nok\r\n0\r\n\r\n"),
    ] {
        // The one request itself is left to hyper and the gate.
        let next = if request.starts_with("POST") { 2 } else { 1 };
        check(&request, Some((next, RawFault::Lost)));
    }
    let mut heads = RawHeads::new();
    (0..=HEAD_MAX / 1024).for_each(|_| heads.read(&[b'x'; 1024]));
    assert_eq!(heads.fault(), Some((1, RawFault::Lost)));
    assert!(heads.line.start.len() <= LINE_MAX, "nothing is hoarded");
}
