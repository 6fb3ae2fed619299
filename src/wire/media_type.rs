use http::header::{CONTENT_TYPE, HeaderMap, X_CONTENT_TYPE_OPTIONS};

/// A media type as browsers read it (WHATWG MIME Sniffing 4.4, a superset of RFC 9110 8.3.1):
/// parameters that make no sense are passed over, a type that makes none is no type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(is_space);
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim_matches(is_space);
        let (kind, subtype) = essence.split_once('/')?;
        (is_token(kind) && is_token(subtype)).then(|| Self {
            essence: essence.to_ascii_lowercase(),
            parameters: parse_parameters(parameters),
        })
    }

    /// The type of a message. `None` without a `Content-Type`, and also when several disagree: then
    /// nobody knows what the body is. They may stand on lines of their own, or in one, where
    /// somebody on the way has joined them (Fetch 2.2.2). The last one's charset counts; where it has
    /// none, the first one's.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(sole) = sole_line(headers) {
            return Self::parse(sole);
        }
        let lines = headers.get_all(CONTENT_TYPE).into_iter();
        let lines: Option<Vec<_>> = lines.map(|line| line.to_str().ok()).collect();
        let joint = lines?.join(", ");
        let mut members = members(&joint).map(Self::parse);
        let first = members.next()??;
        let mut found = first.clone();
        for other in members {
            let other = other?;
            if other.essence != first.essence {
                return None;
            }
            found = match other.charset() {
                Some(_) => other,
                None => first.clone(),
            };
        }
        Some(found)
    }

    /// Whether browsers guess what a message is: nobody says, or what is said means nothing, and
    /// guessing is not forbidden (WHATWG MIME Sniffing 7, as browsers agree on it).
    pub fn is_guessed(headers: &HeaderMap) -> bool {
        let mut lines = headers.get_all(CONTENT_TYPE).iter();
        lines.all(|line| says_nothing(line.as_bytes())) && !forbids_guessing(headers)
    }

    /// `type/subtype` in lower case.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The charset's label as it is written.
    pub fn charset(&self) -> Option<&str> {
        self.parameter("charset")
    }

    /// `name` is in lower case. Of two parameters of one name the first counts.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The one line with one member that most messages have.
fn sole_line(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(CONTENT_TYPE).into_iter();
    let sole = lines.next()?.to_str().ok()?;
    (lines.next().is_none() && !sole.contains(',')).then_some(sole)
}

/// A charset beside it would be heard by some browsers only.
fn says_nothing(line: &[u8]) -> bool {
    let line = line.trim_ascii().to_ascii_lowercase();
    !line.contains(&b'/') || UNKNOWN.contains(&line.as_slice())
}

const UNKNOWN: [&[u8]; 3] = [b"*/*", b"application/unknown", b"unknown/unknown"];

/// Of several values browsers do not all obey the same.
fn forbids_guessing(headers: &HeaderMap) -> bool {
    headers.get_all(X_CONTENT_TYPE_OPTIONS).iter().any(|line| {
        let mut options = line.as_bytes().split(|byte| *byte == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"nosniff"))
    })
}

/// The members of a list: commas between quotes belong to the member.
fn members(list: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |char| {
        let parts = char == ',' && !quoted;
        quoted ^= char == '"' && !escaped;
        escaped = quoted && char == '\\' && !escaped;
        parts
    })
}

fn parse_parameters(mut rest: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    while !rest.is_empty() {
        rest = rest.trim_start_matches(is_space);
        let end = rest.find([';', '=']).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let Some(behind) = behind.strip_prefix('=') else {
            rest = behind.strip_prefix(';').unwrap_or_default();
            continue;
        };
        let (value, behind) = parse_value(behind);
        rest = behind;
        if let Some(value) = value.filter(|value| is_token(name) && value.chars().all(is_quotable))
        {
            parameters.push((name.to_ascii_lowercase(), value));
        }
    }
    parameters
}

/// The value, and what follows behind its `;`.
fn parse_value(text: &str) -> (Option<String>, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, behind) = unquote(quoted);
        let (_, behind) = behind.split_once(';').unwrap_or_default();
        return (Some(value), behind);
    }
    let (value, behind) = text.split_once(';').unwrap_or((text, ""));
    let value = value.trim_end_matches(is_space);
    ((!value.is_empty()).then(|| value.to_owned()), behind)
}

/// The text up to the closing quote, or to the end where there is none, and what follows.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(chars.next().map_or('\\', |(_, escaped)| escaped)),
            char => value.push(char),
        }
    }
    (value, "")
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\r' | '\n')
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// An "HTTP quoted-string token code point".
fn is_quotable(char: char) -> bool {
    matches!(char, '\t' | ' '..='~' | '\u{80}'..='\u{ff}')
}

/// `tchar`, RFC 9110 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
