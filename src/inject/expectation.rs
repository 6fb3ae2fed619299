use http::header::{ACCEPT, HeaderMap, HeaderName};

/// What the visitor's browser will do with the answer, as far as the request tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It will show it as a document, in a window.
    Page,
    /// It will show it as a document inside of another one.
    Frame,
    /// The request does not tell (an old client, a tool), or a browser fetches ahead what may
    /// become a page.
    Unknown,
    /// A script of the page or the page's resources asked for it.
    Fragment,
}

/// An expectation, and the request fields that were looked at to come to it.
///
/// Each question is only asked where those before it left something open, so that an answer varies
/// by what decided about it and by nothing else: a cache that finds these fields unchanged would
/// have come to the same expectation (RFC 9111 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub expectation: Expectation,
    pub looked_at: &'static [&'static str],
}

impl Expected {
    /// Reads X-Requested-With, else Sec-Fetch-Dest, else Sec-Fetch-Mode, else Accept
    /// (Fetch Metadata 2.1 and 2.2).
    pub fn of(headers: &HeaderMap) -> Self {
        if asked_by_script(headers) {
            return Self::new(Expectation::Fragment, 1);
        }
        if let Some(dest) = headers.get(&SEC_FETCH_DEST) {
            return Self::of_destination(dest.as_bytes(), headers);
        }
        if let Some(mode) = headers.get(&SEC_FETCH_MODE) {
            return Self::new(of_mode(mode.as_bytes()), 3);
        }
        let expectation = match accepts_html(headers) {
            true => Expectation::Page,
            false => Expectation::Unknown,
        };
        Self::new(expectation, 4)
    }

    /// Browsers send the same words in lower case, always.
    fn of_destination(dest: &[u8], headers: &HeaderMap) -> Self {
        match dest {
            // A prerendered page asks like this, too, and becomes the visited page as it is; so
            // does a page that is fetched ahead by speculation rules.
            b"document" => Self::new(Expectation::Page, 2),
            b"iframe" | b"frame" | b"fencedframe" | b"object" | b"embed" => {
                Self::new(Expectation::Frame, 2)
            }
            b"empty" => Self {
                expectation: match is_fetched_ahead(headers) {
                    true => Expectation::Unknown,
                    false => Expectation::Fragment,
                },
                looked_at: &LOOKED_AT_FOR_EMPTY,
            },
            _ => Self::new(Expectation::Fragment, 2),
        }
    }

    fn new(expectation: Expectation, questions: usize) -> Self {
        Self {
            expectation,
            looked_at: &LOOKED_AT[..questions],
        }
    }
}

static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
static SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
static X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

const LOOKED_AT: [&str; 4] = [
    "X-Requested-With",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Accept",
];

const LOOKED_AT_FOR_EMPTY: [&str; 5] = [
    "X-Requested-With",
    "Sec-Fetch-Dest",
    "Sec-Purpose",
    "Purpose",
    "X-Moz",
];

/// The value counts: Android's web views put their package's name there on every request.
fn asked_by_script(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(&X_REQUESTED_WITH).iter();
    values.any(|value| value.as_bytes().eq_ignore_ascii_case(b"XMLHttpRequest"))
}

/// Chromium 76 to 79 sent the mode without the destination; `nested-navigate` was a frame's.
fn of_mode(mode: &[u8]) -> Expectation {
    match mode {
        b"navigate" => Expectation::Page,
        b"nested-navigate" => Expectation::Frame,
        _ => Expectation::Fragment,
    }
}

/// `<link rel=prefetch>` fetches without saying for what: for a visit, in most cases, which then
/// shows the stored answer. What does not begin like a document is left alone all the same. The
/// scripts of a prerendered page say that they are part of one, and fetch what scripts fetch.
fn is_fetched_ahead(headers: &HeaderMap) -> bool {
    let says = |wanted: &[u8]| {
        PURPOSES.iter().any(|field| {
            let lines = headers.get_all(*field).iter();
            let words = lines.flat_map(|line| line.as_bytes().split(|byte| b",;".contains(byte)));
            let mut words = words.map(<[u8]>::trim_ascii);
            words.any(|word| word.eq_ignore_ascii_case(wanted))
        })
    };
    says(b"prefetch") && !says(b"prerender")
}

/// Of the standard, of older Chromiums and Safaris, and of older Firefoxes.
const PURPOSES: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| {
        let mut types = value.as_bytes().split(|byte| matches!(byte, b',' | b';'));
        types.any(|media_type| media_type.trim_ascii().eq_ignore_ascii_case(b"text/html"))
    })
}

#[cfg(test)]
mod tests;
