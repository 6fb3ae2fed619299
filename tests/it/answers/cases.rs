//! The table.

use http::Method;

pub(super) struct Case {
    pub(super) name: String,
    pub(super) method: Method,
    /// Whether the visitor asks for a WebSocket, where his version of HTTP lets him.
    pub(super) upgrades: bool,
    /// Whether the origin answers before it has read the request's body.
    pub(super) is_early: bool,
    pub(super) steps: Vec<Step>,
    pub(super) comes: Comes,
    /// Whether nothing is wrong with the connection afterwards.
    pub(super) may_be_reused: bool,
    pub(super) late: Late,
}

pub(super) enum Step {
    Send(Vec<u8>),
    /// Again and again, until the edge has had enough.
    Flood(Vec<u8>),
    /// When the test says so.
    Late(Vec<u8>),
    Close,
}

/// What the visitor gets.
#[derive(Debug)]
pub(super) enum Comes {
    /// This answer.
    Right(u16, String),
    /// A 502.
    Refused,
    /// This, or the beginning of it, and then visibly no more.
    Cut(String),
}

/// When bytes come that belong to no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// With the answer, or never.
    No,
    /// Once the visitor has the answer; the others ask when they have come.
    BeforeOthers,
    /// Once the others were served: the connection must not have carried them, or it would carry
    /// theirs.
    BehindOthers,
}

/// What would be the answer to another exchange.
const LEAK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nleaked";

const PLAIN: &str = "Content-Type: text/plain";

impl Case {
    fn new(name: impl Into<String>, answer: impl AsRef<[u8]>, comes: Comes) -> Self {
        Self {
            name: name.into(),
            method: Method::GET,
            upgrades: false,
            is_early: false,
            steps: vec![Step::Send(answer.as_ref().to_vec())],
            comes,
            may_be_reused: false,
            late: Late::No,
        }
    }

    fn reusable(mut self) -> Self {
        self.may_be_reused = true;
        self
    }

    fn asked(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    fn closes(mut self) -> Self {
        self.steps.push(Step::Close);
        self
    }

    fn late(mut self, late: Late, bytes: &str) -> Self {
        self.steps.push(Step::Late(bytes.into()));
        self.late = late;
        self
    }
}

fn right(body: &str) -> Comes {
    Comes::Right(200, body.to_owned())
}

fn ok(lines: &str, body: &str) -> String {
    let colon = if lines.is_empty() { "" } else { "\r\n" };
    format!("HTTP/1.1 200 OK\r\n{PLAIN}\r\n{lines}{colon}\r\n{body}")
}

pub(super) fn cases() -> Vec<Case> {
    [
        lengths(),
        codings(),
        chunks(),
        extra_bytes(),
        bodies_that_may_not_be(),
        interim_answers(),
        status_lines(),
        heads(),
        upgrades(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn lengths() -> Vec<Case> {
    let two = |name: &str, lines: &str, comes| Case::new(name, ok(lines, "hello"), comes);
    let mut cases = vec![
        two("one length", "Content-Length: 5", right("hello")).reusable(),
        two(
            "equal lengths",
            "Content-Length: 5\r\nContent-Length: 5",
            right("hello"),
        )
        .reusable(),
        two(
            "equal lengths in a line",
            "Content-Length: 5, 5",
            right("hello"),
        )
        .reusable(),
        two("to close", "", right("hello")).closes(),
        two("to close, and told so", "Connection: close", right("hello")).closes(),
        two(
            "a length, and a close",
            "Connection: close\r\nContent-Length: 5",
            right("hello"),
        )
        .closes(),
        two("too short", "Content-Length: 9", Comes::Cut("hello".into())).closes(),
        two("none of it", "Content-Length: 5", Comes::Cut(String::new())).closes(),
    ];
    cases.last_mut().unwrap().steps[0] = Step::Send(ok("Content-Length: 5", "").into());
    let unclear = [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 6\r\nContent-Length: 5",
        "Content-Length: 5\r\nX: y\r\nContent-Length: 0",
        "Content-Length: 5, 6",
        "Content-Length: 5,",
        "Content-Length: -5",
        "Content-Length: +5",
        "Content-Length: 0x5",
        "Content-Length: 5.0",
        "Content-Length: 5 5",
        "Content-Length: five",
        "Content-Length:",
        "Content-Length: 18446744073709551621",
        "Content-Length : 5",
    ];
    cases.extend(unclear.map(|lines| two(lines, lines, Comes::Refused)));
    cases
}

fn codings() -> Vec<Case> {
    const CHUNKED: &str = "Transfer-Encoding: chunked";
    const BODY: &str = "5\r\nhello\r\n0\r\n\r\n";
    let mut cases = vec![
        Case::new("chunks", ok(CHUNKED, BODY), right("hello")).reusable(),
        Case::new(
            "chunks in capitals",
            ok("TRANSFER-ENCODING: CHUNKED", BODY),
            right("hello"),
        )
        .reusable(),
    ];
    let unclear = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nContent-Length: 15",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding:",
    ];
    cases.extend(unclear.map(|lines| Case::new(lines, ok(lines, BODY), Comes::Refused)));
    cases
}

/// Everything that is wrong in a chunked body is seen to be wrong: it has no end.
fn chunks() -> Vec<Case> {
    let with = |name: &str, body: &str| {
        Case::new(
            format!("chunks: {name}"),
            ok("Transfer-Encoding: chunked", body),
            Comes::Cut("hello".into()),
        )
    };
    let fine = |name: &str, body: &str| {
        let mut case = with(name, body);
        case.comes = right("hello");
        case.reusable()
    };
    vec![
        fine("with extensions", "5;a=\"b\"\r\nhello\r\n0;c\r\n\r\n"),
        fine(
            "with trailers",
            "5\r\nhello\r\n0\r\nX-Trailer: y\r\nContent-Length: 9\r\n\r\n",
        ),
        with("no size", "5\r\nhello\r\nx\r\n\r\n"),
        with("a sign", "5\r\nhello\r\n-1\r\n\r\n"),
        with("a plus", "5\r\nhello\r\n+1\r\nx\r\n0\r\n\r\n"),
        with("a prefix", "5\r\nhello\r\n0x1\r\nx\r\n0\r\n\r\n"),
        with("an underscore", "5\r\nhello\r\n1_0\r\nx\r\n0\r\n\r\n"),
        with("an empty size", "5\r\nhello\r\n\r\n0\r\n\r\n"),
        with(
            "too large a size",
            "5\r\nhello\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n",
        ),
        with("no line end behind a chunk", "5\r\nhello0\r\n\r\n"),
        with("one byte too many", "5\r\nhello!\r\n0\r\n\r\n"),
        with("two bytes too few", "9\r\nhello").closes(),
        with("LF behind a chunk", "5\r\nhello\n0\r\n\r\n"),
        with(
            "LF in an extension",
            "5\r\nhello\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
        ),
        with("no last chunk", "5\r\nhello\r\n").closes(),
        with("no line end behind the last", "5\r\nhello\r\n0\r\n").closes(),
        with("no size at the end", "5\r\nhello\r\n0").closes(),
        with("a trailer that is none", "5\r\nhello\r\n0\r\nx y\r\n\r\n"),
        with(
            "another answer instead of a size",
            &format!("5\r\nhello\r\n{LEAK}"),
        ),
    ]
}

/// Bytes beyond what the framing says: the next answer, as far as a careless reader can tell.
fn extra_bytes() -> Vec<Case> {
    let length = ok("Content-Length: 5", "hello");
    let chunked = ok("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n");
    let mut cases = Vec::new();
    for (framing, answer) in [("a length", &length), ("chunks", &chunked)] {
        for (what, extra) in [("an answer", LEAK), ("a byte", "x"), ("a line end", "\r\n")] {
            let name = format!("{what} behind {framing}");
            let both = format!("{answer}{extra}");
            cases.push(Case::new(&name, both, right("hello")));
            let late = Case::new(format!("{name}, late"), answer, right("hello"));
            cases.push(late.late(Late::BeforeOthers, extra));
        }
        let many = format!("{answer}{}", LEAK.repeat(5));
        cases.push(Case::new(
            format!("five answers behind {framing}"),
            many,
            right("hello"),
        ));
        let early = Case::new(format!("early, with {framing}"), answer, right("hello"));
        let mut early = early.asked(Method::POST).reusable();
        early.is_early = true;
        cases.push(early);
    }
    cases
}

fn bodies_that_may_not_be() -> Vec<Case> {
    let empty = |status| Comes::Right(status, String::new());
    let mut cases = Vec::new();
    for (what, lines, body) in [
        ("a length", "Content-Length: 90", LEAK),
        (
            "chunks",
            "Transfer-Encoding: chunked",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        ("nothing said", PLAIN, LEAK),
    ] {
        for (status, reason) in [(204, "No Content"), (304, "Not Modified")] {
            let head = format!("HTTP/1.1 {status} {reason}\r\n{lines}\r\n\r\n");
            let name = format!("{status}, {what}, with a body");
            cases.push(Case::new(&name, format!("{head}{body}"), empty(status)));
            let late = Case::new(format!("{name}, late"), &head, empty(status));
            cases.push(late.late(Late::BeforeOthers, body));
            if lines != PLAIN {
                let late = Case::new(format!("{name}, later"), &head, empty(status));
                cases.push(late.late(Late::BehindOthers, body));
            }
        }
        let head = ok(lines, "");
        let name = format!("HEAD, {what}, with a body");
        cases.push(Case::new(&name, format!("{head}{body}"), empty(200)).asked(Method::HEAD));
        let late = Case::new(format!("{name}, late"), &head, empty(200)).asked(Method::HEAD);
        cases.push(late.late(Late::BeforeOthers, body));
        if lines != PLAIN {
            let late = Case::new(format!("{name}, later"), &head, empty(200)).asked(Method::HEAD);
            cases.push(late.late(Late::BehindOthers, body));
        }
    }
    let none = "HTTP/1.1 204 No Content\r\n\r\n";
    cases.push(Case::new("204", none, empty(204)).reusable());
    cases.push(Case::new("304", "HTTP/1.1 304 Not Modified\r\n\r\n", empty(304)).reusable());
    cases
}

fn interim_answers() -> Vec<Case> {
    const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
    const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
    let answer = ok("Content-Length: 5", "hello");
    let before = |name: &str, interim: String| Case::new(name, interim + &answer, right("hello"));
    let mut flood = Case::new("a flood of 103", HINTS, Comes::Refused);
    flood.steps.push(Step::Flood(HINTS.repeat(200).into()));
    let mut one = Case::new(
        "100 without end",
        "HTTP/1.1 100 Continue\r\n",
        Comes::Refused,
    );
    one.steps.push(Step::Flood(
        b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(200),
    ));
    vec![
        before("100 that nobody asked for", CONTINUE.to_owned()).reusable(),
        before("103", HINTS.to_owned()).reusable(),
        before(
            "102, 103, 100",
            format!("HTTP/1.1 102 Processing\r\n\r\n{HINTS}{CONTINUE}"),
        )
        .reusable(),
        before("two hundred of 103", HINTS.repeat(200)).reusable(),
        flood,
        one,
        Case::new(
            "100 with a body",
            format!("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello{answer}"),
            Comes::Refused,
        ),
        Case::new("100 and no more", CONTINUE, Comes::Refused).closes(),
        Case::new(
            "101 that nobody asked for",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            Comes::Refused,
        ),
    ]
}

fn status_lines() -> Vec<Case> {
    let with = |line: &str, comes| {
        let head = format!("{line}\r\n{PLAIN}\r\nContent-Length: 5\r\n\r\nhello");
        Case::new(line, head, comes)
    };
    let mut cases = vec![
        with("HTTP/1.1 200", right("hello")).reusable(),
        with("HTTP/1.1 200 ", right("hello")).reusable(),
        with("HTTP/1.1 200 All is \u{e9}", right("hello")).reusable(),
        with("HTTP/1.1 299 Odd", Comes::Right(299, "hello".into())).reusable(),
        with("HTTP/1.0 200 OK", right("hello")).closes(),
        Case::new("HTTP/1.0 to close", format!("HTTP/1.0 200 OK\r\n{PLAIN}\r\n\r\nhello"), right("hello")).closes(),
        Case::new(
            "HTTP/1.0 that is kept",
            format!("HTTP/1.0 200 OK\r\n{PLAIN}\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"),
            right("hello"),
        )
        .reusable(),
        Case::new(
            "HTTP/1.0 with chunks",
            format!("HTTP/1.0 200 OK\r\n{PLAIN}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
            Comes::Refused,
        )
        .closes(),
    ];
    let malformed = [
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 abc OK",
        "HTTP/1.1 -200 OK",
        "HTTP/1.1 000 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1200 OK",
        "HTTP/1.2 200 OK",
        "HTTP/2 200 OK",
        "HTTP/0.9 200 OK",
        "http/1.1 200 OK",
        "ICY 200 OK",
        "200 OK",
        "hello",
        "GET / HTTP/1.1",
        "\u{16}\u{3}\u{1}",
    ];
    cases.extend(malformed.map(|line| with(line, Comes::Refused)));
    cases
}

fn heads() -> Vec<Case> {
    let with = |name: &str, lines: &str, comes| {
        Case::new(
            name,
            ok(&format!("Content-Length: 5\r\n{lines}"), "hello"),
            comes,
        )
    };
    let large = format!("X-Large: {}", "y".repeat(70 * 1024));
    let endless = format!("X-Large: {}", "y".repeat(1024 * 1024));
    let many = vec!["X-Many: 1"; 201].join("\r\n");
    let fits = format!("X-Large: {}", "y".repeat(12 * 1024));
    vec![
        with("a large field", &fits, right("hello")).reusable(),
        with(
            "a field that is folded",
            "X: y\r\n z\r\n\tx",
            right("hello"),
        )
        .reusable(),
        with("a field without a value", "X:", right("hello")).reusable(),
        with("bytes beyond ASCII", "X: \u{e9}", right("hello")).reusable(),
        with("too large a field", &large, Comes::Refused),
        with("a field without end", &endless, Comes::Refused),
        with("too many fields", &many, Comes::Refused),
        with("no colon", "X y", Comes::Refused),
        with("no name", ": y", Comes::Refused),
        with("a space in a name", "X Y: z", Comes::Refused),
        with("NUL in a value", "X: y\0z", Comes::Refused),
        with("CR in a value", "X: y\rz", Comes::Refused),
        with("NUL in a name", "X\0: y", Comes::Refused),
        with(
            "a second answer in a value",
            &format!("X: y\r\r\n\r\r\n{LEAK}"),
            Comes::Refused,
        ),
        Case::new("half a head", "HTTP/1.1 200 OK\r\nContent-", Comes::Refused).closes(),
        Case::new("half a line", "HTTP/1.1 2", Comes::Refused).closes(),
        Case::new("nothing", "", Comes::Refused).closes(),
    ]
}

fn upgrades() -> Vec<Case> {
    let asked = |mut case: Case| {
        case.upgrades = true;
        case
    };
    let answer = ok("Content-Length: 5", "hello");
    let switches = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade:";
    let mut refused = asked(Case::new(
        "an upgrade answered by 200",
        &answer,
        right("hello"),
    ));
    refused.steps.push(Step::Late(LEAK.into()));
    refused.late = Late::BehindOthers;
    vec![
        asked(Case::new(
            "an upgrade answered by 200 and more",
            format!("{answer}{LEAK}"),
            right("hello"),
        )),
        asked(Case::new(
            "101 without an accept",
            format!("{switches} websocket\r\n\r\n{LEAK}"),
            Comes::Refused,
        )),
        asked(Case::new(
            "101 to something else",
            format!("{switches} h2c\r\n\r\n{LEAK}"),
            Comes::Refused,
        )),
        asked(Case::new(
            "101 with two protocols",
            format!(
                "{switches} websocket, h2c\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n{LEAK}"
            ),
            Comes::Refused,
        )),
        refused,
    ]
}
