//! What a `Content-Type` says, against a second reading of the standards: WHATWG MIME Sniffing 4.4
//! ("parse a MIME type") for a text, and Fetch 2.2.2 ("extract a MIME type") for the lines of a head.
#![no_main]

use cobrowse_edge::wire::MediaType;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use libfuzzer_sys::{Corpus, fuzz_target};

/// What texts are made of; a byte of the input takes one of them, or stands for itself.
const PIECES: &[&str] = &[
    "text/html",
    "TEXT/html",
    "text/plain",
    "application/xhtml+xml",
    "text",
    "/",
    "html",
    ";",
    "; ",
    ";charset=",
    "; Charset=",
    "charset",
    "x",
    "=",
    "\"",
    "\\",
    ",",
    " ",
    "\t",
    "utf-8",
    "windows-1252",
    "\"utf-8\"",
    "*/*",
    "\n",
    "\r\n",
    "\0",
    "\x7f",
    "é",
    "\u{3000}",
    "'",
    "boundary=\"a;b\"",
];

fuzz_target!(|input: &[u8]| -> Corpus {
    let lines: Vec<String> = input.split(|byte| *byte == 0xff).map(text).collect();
    if lines.len() > 4 || lines.iter().any(|line| line.len() > 1024) {
        return Corpus::Reject;
    }
    for line in &lines {
        check_text(line);
    }
    check_lines(&lines);
    Corpus::Keep
});

fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match PIECES.get(usize::from(*byte).wrapping_sub(0x80)) {
            Some(piece) => text.push_str(piece),
            None => text.push(char::from(*byte)),
        }
    }
    text
}

fn check_text(text: &str) {
    let found = MediaType::parse(text);
    let read = Read::parse(text);
    let essence = found.as_ref().map(MediaType::essence);
    assert_eq!(
        essence,
        read.as_ref().map(|read| &*read.essence),
        "{text:?}"
    );
    let Some((found, read)) = found.zip(read) else {
        return;
    };
    assert_eq!(found.charset(), read.parameter("charset"), "{text:?}");
    for (name, _) in &read.parameters {
        assert_eq!(found.parameter(name), read.parameter(name), "{text:?}");
    }
    for name in ["boundary", "x", "utf-8", ""] {
        assert_eq!(found.parameter(name), read.parameter(name), "{text:?}");
    }
}

/// The edge says less than a browser where lines or members disagree, never something else.
fn check_lines(lines: &[String]) {
    let values: Vec<_> = lines
        .iter()
        .filter_map(|line| HeaderValue::from_bytes(line.as_bytes()).ok())
        .collect();
    let texts: Vec<_> = values
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(CONTENT_TYPE, value);
    }
    let found = MediaType::of(&headers);
    let joint = texts.join(", ");
    // To a browser, `*/*` is none.
    if let Some(found) = found.as_ref().filter(|found| found.essence() != "*/*") {
        let read = Read::extracted(&joint).expect("a browser finds a type, too");
        assert_eq!(found.essence(), read.essence, "{texts:?}");
        assert_eq!(found.charset(), read.parameter("charset"), "{texts:?}");
        return;
    }
    let plain = |text: &String| text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    let members: Option<Vec<_>> = split(&joint).iter().map(|text| Read::parse(text)).collect();
    let agreed = members.is_some_and(|members| {
        let mut essences = members.iter().map(|one| &one.essence);
        let first = essences.next();
        essences.all(|essence| Some(essence) == first)
    });
    let agreed = agreed && found.is_none();
    assert!(!agreed || !texts.iter().all(plain), "no type: {texts:?}");
}

/// A MIME type record.
struct Read {
    essence: String,
    parameters: Vec<(String, String)>,
}

const SPACES: [char; 4] = ['\n', '\r', '\t', ' '];

impl Read {
    fn parse(text: &str) -> Option<Self> {
        let input: Vec<char> = text.trim_matches(SPACES).chars().collect();
        let mut at = 0;
        let kind = collect(&input, &mut at, |c| c != '/');
        if kind.is_empty() || !is_token(&kind) || at >= input.len() {
            return None;
        }
        at += 1;
        let subtype = collect(&input, &mut at, |c| c != ';');
        let subtype = subtype.trim_end_matches(SPACES);
        if subtype.is_empty() || !is_token(subtype) {
            return None;
        }
        let mut read = Self {
            essence: format!("{kind}/{subtype}").to_ascii_lowercase(),
            parameters: Vec::new(),
        };
        while at < input.len() {
            at += 1;
            collect(&input, &mut at, |c| SPACES.contains(&c));
            let name = collect(&input, &mut at, |c| c != ';' && c != '=').to_ascii_lowercase();
            match input.get(at) {
                None => break,
                Some(';') => continue,
                Some(_) => at += 1,
            }
            let value = match input.get(at) {
                None => break,
                Some('"') => {
                    let value = quoted(&input, &mut at);
                    collect(&input, &mut at, |c| c != ';');
                    value
                }
                Some(_) => {
                    let value = collect(&input, &mut at, |c| c != ';');
                    let value = value.trim_end_matches(SPACES);
                    if value.is_empty() {
                        continue;
                    }
                    value.to_owned()
                }
            };
            if !name.is_empty()
                && is_token(&name)
                && value.chars().all(is_quotable)
                && read.parameter(&name).is_none()
            {
                read.parameters.push((name, value));
            }
        }
        Some(read)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(known, _)| known == name);
        found.map(|(_, value)| &**value)
    }

    fn extracted(joint: &str) -> Option<Self> {
        let (mut charset, mut found) = (None, None::<Self>);
        for value in split(joint) {
            let Some(mut read) = Self::parse(&value).filter(|read| read.essence != "*/*") else {
                continue;
            };
            let own = read.parameter("charset").map(str::to_owned);
            if found.is_none_or(|found| found.essence != read.essence) {
                charset = own;
            } else if let (None, Some(charset)) = (&own, &charset) {
                read.parameters
                    .push(("charset".to_owned(), charset.clone()));
            }
            found = Some(read);
        }
        found
    }
}

/// "Get, decode, and split".
fn split(joint: &str) -> Vec<String> {
    let input: Vec<char> = joint.chars().collect();
    let (mut values, mut value, mut at) = (Vec::new(), String::new(), 0);
    loop {
        value += &collect(&input, &mut at, |c| c != '"' && c != ',');
        if input.get(at) == Some(&'"') {
            let from = at;
            quoted(&input, &mut at);
            value.extend(&input[from..at]);
            if at < input.len() {
                continue;
            }
        }
        values.push(value.trim_matches(['\t', ' ']).to_owned());
        value.clear();
        if at >= input.len() {
            return values;
        }
        at += 1;
    }
}

fn collect(input: &[char], at: &mut usize, wanted: impl Fn(char) -> bool) -> String {
    let rest = input.get(*at..).unwrap_or_default();
    let found: String = rest.iter().copied().take_while(|c| wanted(*c)).collect();
    *at += found.chars().count();
    found
}

/// "Collect an HTTP quoted string": its value, from the quote on.
fn quoted(input: &[char], at: &mut usize) -> String {
    let mut value = String::new();
    *at += 1;
    loop {
        value += &collect(input, at, |c| c != '"' && c != '\\');
        let Some(mark) = input.get(*at) else {
            return value;
        };
        *at += 1;
        if *mark == '"' {
            return value;
        }
        let Some(escaped) = input.get(*at) else {
            value.push('\\');
            return value;
        };
        value.push(*escaped);
        *at += 1;
    }
}

fn is_token(text: &str) -> bool {
    let tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.chars().all(tchar)
}

fn is_quotable(c: char) -> bool {
    matches!(c, '\t' | ' '..='~' | '\u{80}'..='\u{ff}')
}
