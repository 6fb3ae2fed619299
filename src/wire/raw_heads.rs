use memchr::memchr;

/// Follows the raw bytes of an HTTP/1.x connection from head to head, because hyper shows heads
/// only after it has put them in order: of two equal lengths it keeps one, and a length beside
/// chunks it forgets. A server in front of this one may have gone by what is no longer there.
///
/// It judges nothing else, and needs not: what it cannot follow, hyper refuses.
#[derive(Debug)]
pub struct RawHeads {
    state: State,
    head: Head,
    line: Part,
    /// How many heads have come whole.
    heads: u64,
    fault: Option<(u64, RawFault)>,
}

/// What hyper hides of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawFault {
    /// More than one `Content-Length`.
    LengthTwice,
    /// A `Content-Length` beside a `Transfer-Encoding`.
    LengthAndChunks,
    /// The bytes in front of it are not followed any more: they may be a tunnel's.
    Lost,
}

/// What has come of a line that has not come whole.
#[derive(Debug, Default)]
struct Part {
    /// At most [`LINE_MAX`] bytes.
    start: Vec<u8>,
    bytes: usize,
    last: Option<u8>,
}

/// A line as far as it is looked at.
#[derive(Clone, Copy)]
struct Line<'l> {
    /// Its first [`LINE_MAX`] bytes, without the line end.
    text: &'l [u8],
    /// There are more.
    is_cut: bool,
    has_cr: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between two requests.
    Start,
    /// In the lines of a head.
    Head,
    /// So many bytes of a body are to come.
    Body(u64),
    ChunkSize,
    /// So many bytes of a chunk, its line end among them, are to come.
    Chunk(u64),
    Trailers,
}

/// The framing that the lines of a head have told so far.
#[derive(Debug, Default)]
struct Head {
    bytes: usize,
    length: Option<u64>,
    lengths: usize,
    codings: usize,
    is_chunked: bool,
}

/// As much of a line as is needed of one that says something about framing.
const LINE_MAX: usize = 128;

/// More than hyper reads of a head, or of trailers.
const HEAD_MAX: usize = 1024 * 1024;

impl RawHeads {
    pub fn new() -> Self {
        Self {
            state: State::Start,
            head: Head::default(),
            line: Part::default(),
            heads: 0,
            fault: None,
        }
    }

    /// Which request of the connection, from 1 on, is the first that may not be served, and why.
    pub fn fault(&self) -> Option<(u64, RawFault)> {
        self.fault
    }

    /// The request whose bytes come now is as far as hyper takes it; none behind it is served.
    fn lose(&mut self) {
        self.fault = Some((self.heads + 1, RawFault::Lost));
    }

    /// Reads what came next on the connection.
    pub fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.fault.is_none() {
            bytes = match self.state {
                State::Body(left) => self.skip(bytes, left, State::Body, State::Start),
                State::Chunk(left) => self.skip(bytes, left, State::Chunk, State::ChunkSize),
                State::Start | State::Head | State::ChunkSize | State::Trailers => {
                    self.read_line(bytes)
                }
            };
        }
    }

    fn skip<'b>(
        &mut self,
        bytes: &'b [u8],
        left: u64,
        within: fn(u64) -> State,
        then: State,
    ) -> &'b [u8] {
        let skipped = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let left = left - skipped as u64;
        self.state = if left == 0 { then } else { within(left) };
        &bytes[skipped..]
    }

    fn read_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(end) = memchr(b'\n', bytes) else {
            self.keep(bytes);
            return &[];
        };
        let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
        if self.line.bytes == 0 {
            self.note_bytes(line.len());
            self.end_line(Line::new(line, line.len(), line.last()));
        } else {
            self.keep(line);
            let Part { start, bytes, last } = std::mem::take(&mut self.line);
            self.end_line(Line::new(&start, bytes, last.as_ref()));
        }
        rest
    }

    /// Keeps the beginning of a line, as far as it may be needed.
    fn keep(&mut self, part: &[u8]) {
        self.note_bytes(part.len());
        let line = &mut self.line;
        let room = LINE_MAX.saturating_sub(line.start.len());
        line.start.extend_from_slice(&part[..part.len().min(room)]);
        line.bytes = line.bytes.saturating_add(part.len());
        line.last = part.last().copied().or(line.last);
    }

    fn note_bytes(&mut self, count: usize) {
        self.head.bytes = self.head.bytes.saturating_add(count);
        if self.head.bytes > HEAD_MAX {
            self.lose();
        }
    }

    fn end_line(&mut self, line: Line<'_>) {
        let text = line.text;
        match self.state {
            // hyper skips empty lines in front of a request (RFC 9112 2.2).
            State::Start if text.is_empty() => {}
            State::Start if text[0].is_ascii_graphic() => self.state = State::Head,
            State::Head if text.is_empty() => self.end_head(),
            State::Head => self.head.note(line),
            // hyper knows no other line end there.
            State::ChunkSize | State::Trailers if !line.has_cr => self.lose(),
            State::ChunkSize => self.begin_chunk(text),
            State::Trailers if text.is_empty() => self.begin_anew(State::Start),
            State::Trailers => {}
            State::Start | State::Body(_) | State::Chunk(_) => self.lose(),
        }
    }

    fn end_head(&mut self) {
        self.heads += 1;
        let head = &self.head;
        let fault = match (head.lengths, head.codings) {
            (0, _) | (1, 0) => None,
            (_, 0) => Some(RawFault::LengthTwice),
            _ => Some(RawFault::LengthAndChunks),
        };
        let next = match (head.codings, head.lengths, head.length) {
            (0, 0, _) | (0, _, Some(0)) => State::Start,
            (0, _, Some(length)) => State::Body(length),
            (0, _, None) => State::Start,
            _ => State::ChunkSize,
        };
        // hyper or the gate refuse most such lengths and codings; nobody knows where the body ends.
        let is_unclear = match head.codings {
            0 => head.lengths > 0 && head.length.is_none(),
            _ => !head.is_chunked,
        };
        if is_unclear {
            self.lose();
        }
        if let Some(fault) = fault {
            self.fault = Some((self.heads, fault));
        }
        self.begin_anew(next);
    }

    fn begin_chunk(&mut self, line: &[u8]) {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit());
        let digits = &line[..digits.count()];
        let size = str::from_utf8(digits).ok();
        let size = size.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        match size.map(|size| (size, size.checked_add(2))) {
            Some((0, _)) => self.begin_anew(State::Trailers),
            Some((_, Some(with_end))) => self.begin_anew(State::Chunk(with_end)),
            Some((_, None)) | None => self.lose(),
        }
    }

    fn begin_anew(&mut self, state: State) {
        self.state = state;
        self.head = Head::default();
    }
}

impl Default for RawHeads {
    fn default() -> Self {
        Self::new()
    }
}

impl<'l> Line<'l> {
    fn new(start: &'l [u8], bytes: usize, last: Option<&u8>) -> Self {
        let has_cr = last == Some(&b'\r');
        let bytes = bytes - usize::from(has_cr);
        Self {
            text: &start[..start.len().min(LINE_MAX).min(bytes)],
            is_cut: bytes > LINE_MAX,
            has_cr,
        }
    }
}

impl Head {
    /// Of a value that is not there as a whole nothing is believed.
    fn note(&mut self, line: Line<'_>) {
        let Line { text, is_cut, .. } = line;
        if let Some(value) = value_of(text, b"content-length") {
            self.lengths += 1;
            let value = str::from_utf8(value).ok().filter(|_| !is_cut);
            self.length = value.and_then(|digits| digits.parse().ok());
        } else if let Some(value) = value_of(text, b"transfer-encoding") {
            self.codings += 1;
            self.is_chunked = !is_cut && value.eq_ignore_ascii_case(b"chunked");
        }
    }
}

/// The value of a line of this name, written in lower case here. hyper refuses a space in front of
/// the colon.
fn value_of<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    let is_named = start.eq_ignore_ascii_case(name);
    is_named
        .then_some(rest)?
        .strip_prefix(b":")
        .map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests;
