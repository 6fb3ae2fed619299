//! The vectors.

use super::frames::*;

/// What must come of a row.
#[derive(Debug)]
pub(in super::super) enum Fate {
    /// It is answered, and the origin sees this.
    Goes(String),
    /// It is answered with this status, and the origin sees nothing of it.
    Refused(u16),
    /// It is answered 400, its stream is reset, or the connection ends (RFC 9113 8.1.1); the origin
    /// never sees a whole request of it.
    Malformed,
    /// Its stream alone is reset, as what is malformed (RFC 9113 8.1.1); the origin never sees a whole
    /// request of it, and the connection goes on.
    Reset,
    /// The client gave it up itself, and nothing more is heard of it.
    Gone,
}

pub(in super::super) struct Row {
    pub(super) technique: &'static str,
    pub(super) shown: String,
    pub(super) frames: Vec<u8>,
    pub(super) fate: Fate,
}

const INNER: &str = "0\r\n\r\nGET /inner HTTP/1.1\r\nHost: a\r\n\r\n";

/// `GET /inner`, as the value of a field or of a path may carry it along.
const LINES: &str = " HTTP/1.1\r\nHost: a\r\n\r\nGET /inner";

pub(in super::super) fn rows() -> Vec<Row> {
    [
        clear(),
        framing(),
        fields(),
        request_lines(),
        pseudo_fields(),
        trailers(),
        out_of_order(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(super) fn get(path: &str) -> [(&str, &str); 4] {
    [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", path),
    ]
}

fn post() -> Vec<(&'static str, &'static str)> {
    let [_, scheme, authority, path] = get("/x");
    vec![(":method", "POST"), scheme, authority, path]
}

fn with(field: (&'static str, &'static str)) -> Vec<(&'static str, &'static str)> {
    [&post()[..], &[field]].concat()
}

fn goes(seen: &str) -> Fate {
    Fate::Goes(seen.to_owned())
}

fn row(technique: &'static str, shown: &impl std::fmt::Debug, frames: Vec<u8>, fate: Fate) -> Row {
    Row {
        technique,
        shown: format!("{shown:?}"),
        frames,
        fate,
    }
}

fn whole(technique: &'static str, fields: Fields<'_>, body: Option<&str>, fate: Fate) -> Row {
    row(technique, &fields, request(1, fields, body), fate)
}

pub(super) fn clear() -> Vec<Row> {
    let post = post();
    let fields = get("/x");
    let cut = |at: usize| {
        let block = block(&fields);
        [
            frame(HEADERS, END_STREAM, 1, &block[..at]),
            frame(CONTINUATION, END_HEADERS, 1, &block[at..]),
        ]
        .concat()
    };
    let padded = [&[3][..], &block(&fields), &[0; 3]].concat();
    let with_priority = [&[0, 0, 0, 0, 9][..], &block(&fields)].concat();
    let flags = END_HEADERS | END_STREAM;
    let hello = |parts: Vec<Vec<u8>>| [vec![open(1, &post)], parts].concat().concat();
    const CLEAR: &str = "one reading (RFC 9113 8.3)";
    vec![
        whole(CLEAR, &fields, None, goes("GET /x")),
        whole(CLEAR, &get("/a//../b"), None, goes("GET /b")),
        whole(
            CLEAR,
            &[&fields[..2], &[fields[3], ("host", "a")]].concat(),
            None,
            goes("GET /x"),
        ),
        whole(
            CLEAR,
            &[&fields[..], &[("host", "a")]].concat(),
            None,
            goes("GET /x"),
        ),
        whole(
            CLEAR,
            &[&fields[..], &[("host", "A:443")]].concat(),
            None,
            goes("GET /x"),
        ),
        whole(
            CLEAR,
            &[&fields[..], &[("te", "trailers")]].concat(),
            None,
            goes("GET /x"),
        ),
        whole(
            CLEAR,
            &[&fields[..], &[("cookie", "a=1"), ("cookie", "b=2")]].concat(),
            None,
            goes("GET /x"),
        ),
        whole(
            CLEAR,
            &with(("content-length", "5")),
            Some("hello"),
            goes("POST /x body=hello"),
        ),
        whole(CLEAR, &with(("content-length", "0")), None, goes("POST /x")),
        whole(
            CLEAR,
            &with(("content-length", "0")),
            Some(""),
            goes("POST /x"),
        ),
        whole(
            CLEAR,
            &with(("x", "y")),
            Some("hello"),
            goes("POST /x body=hello"),
        ),
        whole(CLEAR, &with(("x", "")), None, goes("POST /x")),
        whole(
            CLEAR,
            &with(("expect", "100-continue")),
            Some("hello"),
            goes("POST /x body=hello"),
        ),
        whole(CLEAR, &fields, Some("hello"), goes("GET /x body=hello")),
        // H2.0: what would be a request is a body, in its own frame.
        whole(
            "H2.0",
            &post,
            Some(INNER),
            Fate::Goes(format!("POST /x body={INNER}")),
        ),
        row(
            "CONTINUATION (RFC 9113 6.10)",
            &"cut in the first field",
            cut(3),
            goes("GET /x"),
        ),
        row(
            "CONTINUATION (RFC 9113 6.10)",
            &"empty at first",
            cut(0),
            goes("GET /x"),
        ),
        row(
            "padding (RFC 9113 6.2)",
            &"3 bytes",
            frame(HEADERS, flags | PADDED, 1, &padded),
            goes("GET /x"),
        ),
        row(
            "priority (RFC 9113 6.3)",
            &"of 9",
            frame(HEADERS, flags | PRIORITY, 1, &with_priority),
            goes("GET /x"),
        ),
        row(
            "DATA (RFC 9113 6.1)",
            &"in pieces",
            [
                open(1, &with(("content-length", "5"))),
                data(1, 0, "he"),
                data(1, 0, "llo"),
                data(1, END_STREAM, ""),
            ]
            .concat(),
            goes("POST /x body=hello"),
        ),
        row(
            "DATA (RFC 9113 6.1)",
            &"in pieces, without a length",
            hello(vec![
                data(1, 0, "he"),
                data(1, 0, ""),
                data(1, 0, "llo"),
                data(1, END_STREAM, ""),
            ]),
            goes("POST /x body=hello"),
        ),
        row(
            "DATA (RFC 9113 6.1)",
            &"padded",
            hello(vec![frame(DATA, PADDED | END_STREAM, 1, b"\x02hello\0\0")]),
            goes("POST /x body=hello"),
        ),
    ]
}

/// H2.CL and H2.TE: what the fields say of the body is not what its frames say.
pub(super) fn framing() -> Vec<Row> {
    const H2_CL: &str = "H2.CL (RFC 9113 8.1.1)";
    const H2_TE: &str = "H2.TE (RFC 9113 8.2.2)";
    let mut rows: Vec<_> = [
        "6",
        "4",
        "0",
        "+5",
        "-5",
        "05",
        "",
        "5, 5",
        "5,6",
        "0x5",
        "5 ",
        " 5",
        "5.0",
        "five",
        "18446744073709551621",
    ]
    .map(|length| {
        whole(
            H2_CL,
            &with(("content-length", length)),
            Some("hello"),
            Fate::Malformed,
        )
    })
    .into();
    rows.push(whole(
        H2_CL,
        &with(("content-length", "5")),
        None,
        Fate::Malformed,
    ));
    rows.push(whole(
        H2_CL,
        &with(("content-length", "0")),
        Some(INNER),
        Fate::Malformed,
    ));
    for second in ["5", "6", "0"] {
        let mut twice = with(("content-length", "5"));
        twice.push(("content-length", second));
        rows.push(whole(H2_CL, &twice, Some("hello"), Fate::Malformed));
    }
    rows.extend(["content_length", "content.length"].map(|name| {
        whole(
            "CGI names",
            &with((name, "5")),
            Some("hello"),
            Fate::Malformed,
        )
    }));
    for body in [INNER, "hello", "0\r\n\r\n"] {
        rows.push(whole(
            H2_TE,
            &with(("transfer-encoding", "chunked")),
            Some(body),
            Fate::Malformed,
        ));
    }
    rows.extend(
        [
            ("transfer-encoding", "identity"),
            ("transfer-encoding", ""),
            ("transfer_encoding", "chunked"),
            ("Transfer-Encoding", "chunked"),
            ("transfer-encoding:", "chunked"),
            ("transfer-encoding ", "chunked"),
            ("transfer-encoding\0", "chunked"),
            ("transfer-encoding: chunked\r\nx", "y"),
            ("connection", "transfer-encoding"),
            ("connection", "content-length"),
            ("connection", "close"),
            ("keep-alive", "1"),
            ("proxy-connection", "close"),
            ("upgrade", "h2c"),
            ("upgrade", "websocket"),
            ("te", "trailers, chunked"),
            ("te", "chunked"),
            ("te", "gzip"),
        ]
        .map(|field| whole(H2_TE, &with(field), Some(INNER), Fate::Malformed)),
    );
    rows
}

/// Header injection: what is one field here would be another line, or two, in HTTP/1.1.
pub(super) fn fields() -> Vec<Row> {
    const VALUE: &str = "field values (RFC 9113 8.2.1)";
    const NAME: &str = "field names (RFC 9113 8.2)";
    let mut rows: Vec<_> = [
        "y\r\ntransfer-encoding: chunked",
        "y\r\n\r\nGET /inner HTTP/1.1\r\nhost: a",
        "y\r\nz: 1",
        "y\nz: 1",
        "y\rz: 1",
        "y\0z",
        "\r\n",
        "\n",
        "\0",
        "y\u{7f}",
        "y\u{1}z",
    ]
    .map(|value| whole(VALUE, &with(("x", value)), Some("hello"), Fate::Malformed))
    .into();
    rows.extend(
        [" y", "y ", "\ty", "y\t", " "]
            .map(|value| whole(VALUE, &with(("x", value)), Some("hello"), Fate::Reset)),
    );
    rows.extend(
        [
            "x: y\r\nz",
            "x\r\nz",
            "x\nz",
            "x y",
            " x",
            "x ",
            "x:",
            ":",
            "X",
            "xY",
            "",
            "x\0",
            "x\t",
            "(x)",
            "x/y",
            "x@y",
            "x,y",
            "\u{e9}",
            "x\u{7f}",
            "GET /inner HTTP/1.1\r\nhost",
        ]
        .map(|name| whole(NAME, &with((name, "y")), Some("hello"), Fate::Malformed)),
    );
    for name in ["host", "cookie", "authorization", "x-forwarded-for"] {
        let field = (name, "a\r\ntransfer-encoding: chunked");
        rows.push(whole(VALUE, &with(field), Some(INNER), Fate::Malformed));
    }
    rows.push(whole(
        "Expect (RFC 9110 10.1.1)",
        &with(("expect", "y")),
        Some("hello"),
        Fate::Refused(417),
    ));
    rows
}

pub(super) fn request_lines() -> Vec<Row> {
    const LINE: &str = "request lines (RFC 9113 8.3.1)";
    [
        (0, "GET /inner HTTP/1.1\r\nX: ", Fate::Malformed),
        (0, "GET /inner", Fate::Malformed),
        (0, "GET\t/inner", Fate::Malformed),
        (0, "G\0T", Fate::Malformed),
        (0, "TRACE", Fate::Refused(405)),
        (0, "CONNECT", Fate::Malformed),
        (0, "", Fate::Malformed),
        (0, "PRI", Fate::Goes("PRI /x".to_owned())),
        (1, "http", Fate::Refused(400)),
        (1, "ftp", Fate::Refused(400)),
        (1, "https://b/x?", Fate::Malformed),
        (1, "http\r\nx: y", Fate::Malformed),
        (1, "", Fate::Refused(400)),
        (2, "b", Fate::Refused(421)),
        (2, "u@a", Fate::Refused(400)),
        (2, "u:p@a", Fate::Refused(400)),
        (2, "a b", Fate::Malformed),
        (2, "a/", Fate::Malformed),
        (2, "a?x", Fate::Malformed),
        (2, "a,b", Fate::Refused(400)),
        (2, "a\r\nX: y", Fate::Malformed),
        (2, "", Fate::Malformed),
        (3, "", Fate::Malformed),
        (3, "x", Fate::Malformed),
        (3, "*", Fate::Refused(400)),
        (3, "/x y", Fate::Malformed),
        (
            3,
            "/x HTTP/1.1\r\nHost: a\r\n\r\nGET /inner",
            Fate::Malformed,
        ),
        (3, LINES, Fate::Malformed),
        (3, "/x\r\nX: y", Fate::Malformed),
        (3, "/x\n", Fate::Malformed),
        (3, "/x\t", Fate::Malformed),
        (3, "/x\0", Fate::Malformed),
        (3, "https://b/x", Fate::Malformed),
        (3, "https://a/x", Fate::Malformed),
        (3, "@b/x", Fate::Malformed),
        (3, "//b/x", Fate::Goes("GET /b/x".to_owned())),
        (3, "/../x", Fate::Refused(400)),
        (3, "/a%2fx", Fate::Refused(400)),
        (3, "/a\\x", Fate::Refused(400)),
        (3, "/a%00", Fate::Refused(400)),
        (3, "/a%0d%0aX: y", Fate::Malformed),
        (3, "/x#y", Fate::Goes("GET /x".to_owned())),
    ]
    .map(|(at, value, fate)| {
        let mut fields = get("/x");
        fields[at].1 = value;
        whole(LINE, &fields, None, fate)
    })
    .into()
}

pub(super) fn pseudo_fields() -> Vec<Row> {
    const PSEUDO: &str = "pseudo-fields (RFC 9113 8.3)";
    let fields = get("/x");
    let mut rows = Vec::new();
    for missing in 0..fields.len() {
        let mut fields = fields.to_vec();
        fields.remove(missing);
        rows.push(whole(PSEUDO, &fields, None, Fate::Malformed));
    }
    for (at, extra, fate) in [
        (4, (":path", "/y"), Fate::Malformed),
        (4, (":path", "/x"), Fate::Malformed),
        (4, (":method", "POST"), Fate::Malformed),
        (4, (":authority", "b"), Fate::Malformed),
        (4, (":authority", "a"), Fate::Malformed),
        (4, (":scheme", "http"), Fate::Malformed),
        (4, (":status", "200"), Fate::Malformed),
        (4, (":x", "y"), Fate::Malformed),
        (4, (":", "y"), Fate::Malformed),
        (4, (":Method", "GET"), Fate::Malformed),
        (4, (":protocol", "websocket"), Fate::Malformed),
        (0, ("x", "y"), Fate::Malformed),
        (2, ("x", "y"), Fate::Malformed),
    ] {
        let mut fields = fields.to_vec();
        fields.insert(at, extra);
        rows.push(whole(PSEUDO, &fields, None, fate));
    }
    // Host and :authority differ, which is malformed (RFC 9113 8.3.1): to read two hosts in one
    // request is how one is believed and the other served.
    const HOST: &str = "Host and :authority (RFC 9113 8.3.1)";
    for (host, fate) in [
        ("b", Fate::Reset),
        ("a:81", Fate::Reset),
        ("a b", Fate::Refused(400)),
        ("", Fate::Refused(400)),
        ("u@a", Fate::Refused(400)),
        ("a, a", Fate::Refused(400)),
    ] {
        let fields = [&fields[..], &[("host", host)]].concat();
        rows.push(whole(HOST, &fields, None, fate));
    }
    rows.push(whole(
        "CONNECT (RFC 9113 8.5)",
        &[(":method", "CONNECT")],
        None,
        Fate::Reset,
    ));
    let twice = [&fields[..], &[("host", "a"), ("host", "a")]].concat();
    rows.push(whole(HOST, &twice, None, Fate::Refused(400)));
    rows
}

/// They are dropped; as pseudo-fields they are no trailers.
pub(super) fn trailers() -> Vec<Row> {
    const TRAILERS: &str = "trailers (RFC 9113 8.1)";
    let behind = |fields: Fields<'_>, flags: u8| {
        let trailers = frame(HEADERS, END_HEADERS | flags, 1, &block(fields));
        [open(1, &post()), data(1, 0, "hello"), trailers].concat()
    };
    let mut rows: Vec<_> = [
        &[("x", "y")][..],
        &[("content-length", "9")],
        &[("host", "b")],
        &[("cookie", "a=1"), ("authorization", "x")],
        &[("x-forwarded-for", "6.6.6.6")],
    ]
    .map(|fields| {
        row(
            TRAILERS,
            &fields,
            behind(fields, END_STREAM),
            goes("POST /x body=hello"),
        )
    })
    .into();
    rows.extend(
        [
            &[("transfer-encoding", "chunked")][..],
            &[("connection", "close")],
            &[("X", "y")],
            &[("x", "y\r\nz: 1")],
        ]
        .map(|fields| {
            row(
                TRAILERS,
                &fields,
                behind(fields, END_STREAM),
                Fate::Malformed,
            )
        }),
    );
    for fields in [
        &[(":method", "GET")][..],
        &[(":method", "POST"), (":path", "/x")],
        &[(":authority", "a")],
        &[(":scheme", "https")],
        &[(":protocol", "websocket")],
        &[(":status", "200")],
        &[("x", "y"), (":method", "GET")],
    ] {
        let reset = behind(fields, END_STREAM);
        rows.push(row(TRAILERS, &fields, reset, Fate::Reset));
    }
    // All that the head has announced is there, and still it is no whole request.
    let announced = [
        open(1, &with(("content-length", "5"))),
        data(1, 0, "hello"),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x82]),
    ];
    let shown = "behind the announced length";
    rows.push(row(TRAILERS, &shown, announced.concat(), Fate::Reset));
    rows.extend(pseudo_fields_in_odd_blocks(TRAILERS));
    rows.push(row(
        TRAILERS,
        &"not the end",
        behind(&[("x", "y")], 0),
        Fate::Malformed,
    ));
    rows
}

/// A pseudo-field behind a body, in every form that a block can have; and the same forms without one.
fn pseudo_fields_in_odd_blocks(technique: &'static str) -> Vec<Row> {
    let flags = END_HEADERS | END_STREAM;
    let mut rows = Vec::new();
    let mut both = |shown: &'static str, trailers: &dyn Fn(&[u8]) -> Vec<u8>| {
        let field = block(&[("x", "y")]);
        for (content, fate) in [
            // `:method: GET` from the static table.
            (&[0x82][..], Fate::Reset),
            (&field, goes("POST /x body=hello")),
        ] {
            let frames = [open(1, &post()), data(1, 0, "hello"), trailers(content)].concat();
            rows.push(row(technique, &(shown, content), frames, fate));
        }
    };
    both("whole", &|block| frame(HEADERS, flags, 1, block));
    both("padded", &|block| {
        let padded = [&[3], block, &[0; 3]].concat();
        frame(HEADERS, flags | PADDED, 1, &padded)
    });
    both("with a priority", &|block| {
        let with_priority = [&[0, 0, 0, 0, 9], block].concat();
        frame(HEADERS, flags | PRIORITY, 1, &with_priority)
    });
    both("padded, with a priority", &|block| {
        let padded = [&[1, 0, 0, 0, 0, 9], block, &[0]].concat();
        frame(HEADERS, flags | PADDED | PRIORITY, 1, &padded)
    });
    both("in a CONTINUATION", &|block| {
        let begun = frame(HEADERS, END_STREAM, 1, &[]);
        [begun, frame(CONTINUATION, END_HEADERS, 1, block)].concat()
    });
    // Changes of the table's size stand in front of all fields (RFC 7541 4.2).
    both("behind a table's size", &|block| {
        frame(HEADERS, flags, 1, &[&[0x20], block].concat())
    });
    both("behind two tables' sizes", &|block| {
        frame(
            HEADERS,
            flags,
            1,
            &[&[0x20, 0x3f, 0xe1, 0x1f], block].concat(),
        )
    });
    rows
}

pub(super) fn out_of_order() -> Vec<Row> {
    const ORDER: &str = "stream states (RFC 9113 5.1)";
    let fields = get("/x");
    let block_of = block(&fields);
    let half = block_of.len() / 2;
    vec![
        row(
            ORDER,
            &"DATA first",
            data(1, END_STREAM, "hello"),
            Fate::Malformed,
        ),
        row(
            ORDER,
            &"CONTINUATION first",
            frame(CONTINUATION, END_HEADERS, 1, &block_of),
            Fate::Malformed,
        ),
        row(
            ORDER,
            &"half a block, and another frame",
            [
                frame(HEADERS, END_STREAM, 1, &block_of[..half]),
                data(1, 0, "x"),
            ]
            .concat(),
            Fate::Malformed,
        ),
        row(
            ORDER,
            &"an even stream",
            request(2, &fields, None),
            Fate::Malformed,
        ),
        row(
            ORDER,
            &"stream 0",
            request(0, &fields, None),
            Fate::Malformed,
        ),
        row(
            ORDER,
            &"reset before the end",
            [
                open(1, &post()),
                data(1, 0, "hello"),
                frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]),
            ]
            .concat(),
            Fate::Gone,
        ),
        row(
            ORDER,
            &"reset behind the announced length, before the end",
            [
                open(1, &with(("content-length", "5"))),
                data(1, 0, "hello"),
                frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]),
            ]
            .concat(),
            Fate::Gone,
        ),
        row(
            "padding (RFC 9113 6.2)",
            &"longer than the frame",
            frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, &[200, 0, 0]),
            Fate::Malformed,
        ),
        row(
            "field blocks (RFC 7541 6)",
            &"an index that is not there",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff, 0xff, 0x7f]),
            Fate::Malformed,
        ),
        row(
            "field blocks (RFC 7541 6)",
            &"HTTP/1.1 instead of a block",
            frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                b"GET /inner HTTP/1.1\r\nHost: a\r\n\r\n",
            ),
            Fate::Malformed,
        ),
    ]
}
