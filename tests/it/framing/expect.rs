/// What must come of a request. `Passed` and `Last` name what the origin sees.
#[derive(Debug, Clone)]
pub(super) enum Expect {
    /// It and the second request are answered.
    Passed(String),
    /// It is answered, and the connection closes.
    Last(String),
    /// It is refused with this status; the second request is answered.
    Refused(u16),
    /// It is refused with this status, nothing goes up, and the connection closes.
    Closed(u16),
    /// Its body is refused while it is on its way: the origin never sees its end.
    Broken(u16),
}

pub(super) struct Row {
    pub(super) request: Vec<u8>,
    pub(super) expect: Expect,
}

pub(super) fn passed(seen: &str) -> Expect {
    Expect::Passed(seen.to_owned())
}

pub(super) fn last(seen: &str) -> Expect {
    Expect::Last(seen.to_owned())
}

/// `GET /x` with these lines as its whole head.
pub(super) fn with_lines(lines: &str, expect: Expect) -> Row {
    raw(format!("GET /x HTTP/1.1\r\n{lines}\r\n\r\n"), expect)
}

/// `GET` of a target.
pub(super) fn target(target: impl AsRef<[u8]>, expect: Expect) -> Row {
    let head: [&[u8]; 3] = [b"GET ", target.as_ref(), b" HTTP/1.1\r\nHost: a\r\n\r\n"];
    raw(head.concat(), expect)
}

/// `POST /x` with one line or more besides, and what follows the head.
pub(super) fn post(lines: &str, body: &str, expect: Expect) -> Row {
    raw(
        format!("POST /x HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{body}"),
        expect,
    )
}

pub(super) fn raw(request: impl Into<Vec<u8>>, expect: Expect) -> Row {
    Row {
        request: request.into(),
        expect,
    }
}
