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
    /// Several requests: what is answered, the second request's answer left out, and what the
    /// origin sees. Whether the second one is answered is the edge's choice.
    Exactly(Vec<u16>, Vec<String>),
}

/// One vector: what a client sends, and what must come of it.
pub(super) struct Row {
    /// The rule that it breaks or uses, or the published technique.
    pub(super) technique: &'static str,
    pub(super) request: Vec<u8>,
    /// What is sent once the first answer is there.
    pub(super) later: Vec<u8>,
    pub(super) expect: Expect,
    /// The values of fields as the origin sees them in the first request; `None`: it has none.
    pub(super) fields: Vec<(&'static str, Option<&'static str>)>,
}

impl Row {
    pub(super) fn later(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.later = bytes.into();
        self
    }

    pub(super) fn seen_with(mut self, name: &'static str, value: &'static str) -> Self {
        self.fields.push((name, Some(value)));
        self
    }

    pub(super) fn seen_without(mut self, name: &'static str) -> Self {
        self.fields.push((name, None));
        self
    }
}

/// Says of rows what they are about, where they do not say so themselves.
pub(super) fn about(technique: &'static str, rows: impl IntoIterator<Item = Row>) -> Vec<Row> {
    let mut rows: Vec<Row> = rows.into_iter().collect();
    for row in rows.iter_mut().filter(|row| row.technique.is_empty()) {
        row.technique = technique;
    }
    rows
}

pub(super) fn passed(seen: impl Into<String>) -> Expect {
    Expect::Passed(seen.into())
}

pub(super) fn last(seen: impl Into<String>) -> Expect {
    Expect::Last(seen.into())
}

pub(super) fn exactly(statuses: &[u16], seen: &[&str]) -> Expect {
    let seen = seen.iter().map(|&seen| seen.to_owned());
    Expect::Exactly(statuses.to_vec(), seen.collect())
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
        technique: "",
        request: request.into(),
        later: Vec::new(),
        expect,
        fields: Vec::new(),
    }
}
