/// An answer of HTTP/1.x as it came over the wire, read strictly and by nobody's library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) ending: Ending,
}

/// What the answer's own framing says about its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All that was announced is there.
    Whole,
    /// Something that was announced is missing.
    Short,
    /// Only the close of the connection ends it.
    ToClose,
}

impl RawAnswer {
    /// All answers in what a connection gave to requests other than HEAD; interim ones are left
    /// out.
    pub(crate) fn all(mut bytes: &[u8]) -> Vec<Self> {
        let mut answers = Vec::new();
        while !bytes.is_empty() {
            let (answer, length) = Self::first(bytes);
            bytes = &bytes[length..];
            if answer.status >= 200 {
                answers.push(answer);
            }
        }
        answers
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.ending == Ending::Whole
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines();
        lines
            .filter_map(|line| line.split_once(':'))
            .find_map(|(field, value)| (field == name).then_some(value.trim()))
    }

    /// The first answer, and how many bytes it takes up.
    fn first(bytes: &[u8]) -> (Self, usize) {
        let Some(end) = find(bytes, b"\r\n\r\n") else {
            let head = String::from_utf8_lossy(bytes).to_ascii_lowercase();
            let status = status_of(&head);
            return (
                Self::with(status, head, (Vec::new(), Ending::Short, 0)),
                bytes.len(),
            );
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let mut answer = Self::with(status_of(&head), head, (Vec::new(), Ending::Whole, 0));
        let rest = &bytes[end + 4..];
        let has_body = answer.status >= 200 && ![204, 304].contains(&answer.status);
        let read = match (
            answer.field("transfer-encoding"),
            answer.field("content-length"),
        ) {
            _ if !has_body => (Vec::new(), Ending::Whole, 0),
            (Some("chunked"), None) => chunks(rest),
            (None, Some(length)) => of_length(rest, length.parse().unwrap()),
            (None, None) => (rest.to_vec(), Ending::ToClose, rest.len()),
            _ => panic!("framing that can be read in two ways: {}", answer.head),
        };
        let length = end + 4 + read.2;
        answer = Self::with(answer.status, answer.head, read);
        (answer, length)
    }

    fn with(status: u16, head: String, (body, ending, _): Read) -> Self {
        Self {
            status,
            head,
            body,
            ending,
        }
    }
}

/// A body, how it ended, and how many bytes it took up.
type Read = (Vec<u8>, Ending, usize);

fn status_of(head: &str) -> u16 {
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("not an answer: {head:?}"))
}

fn of_length(bytes: &[u8], length: usize) -> Read {
    match bytes.get(..length) {
        Some(body) => (body.to_vec(), Ending::Whole, length),
        None => (bytes.to_vec(), Ending::Short, bytes.len()),
    }
}

fn chunks(bytes: &[u8]) -> Read {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let short = |body| (body, Ending::Short, bytes.len());
        let Some(end) = find(&bytes[at..], b"\r\n") else {
            return short(body);
        };
        let size = std::str::from_utf8(&bytes[at..at + end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let start = at + end + 2;
        let Some(data) = bytes.get(start..start + size + 2) else {
            body.extend_from_slice(&bytes[start..bytes.len().min(start + size)]);
            return short(body);
        };
        assert_eq!(
            &data[size..],
            b"\r\n",
            "a chunk ends, or there are trailers"
        );
        body.extend_from_slice(&data[..size]);
        at = start + size + 2;
        if size == 0 {
            return (body, Ending::Whole, at);
        }
    }
}

pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part == wanted)
}
