use http::HeaderMap;
use http::header::ACCEPT;

/// What the visitor's browser will do with the answer, as far as the request tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It will show it as a document, in a window or in a frame.
    Page,
    /// The request does not tell (an old client, a tool).
    Unknown,
    /// A script of the page or the page's resources asked for it.
    Fragment,
}

impl Expectation {
    /// Reads Sec-Fetch-Dest (Fetch Metadata 2.1), else X-Requested-With, else Accept.
    pub fn of(headers: &HeaderMap) -> Self {
        if asked_by_script(headers) {
            return Self::Fragment;
        }
        match headers.get("sec-fetch-dest").map(|dest| dest.as_bytes()) {
            Some(b"document" | b"iframe" | b"frame" | b"object" | b"embed") => Self::Page,
            Some(_) => Self::Fragment,
            None if accepts_html(headers) => Self::Page,
            None => Self::Unknown,
        }
    }

    /// The request fields that this looks at, and that Vary must name where it mattered.
    pub const FIELDS: [&str; 2] = ["Sec-Fetch-Dest", "X-Requested-With"];
}

/// The value counts: Android's web views put their package's name there on every request.
fn asked_by_script(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all("x-requested-with").iter();
    values.any(|value| value.as_bytes().eq_ignore_ascii_case(b"XMLHttpRequest"))
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| {
        let mut types = value.as_bytes().split(|byte| matches!(byte, b',' | b';'));
        types.any(|media_type| media_type.trim_ascii().eq_ignore_ascii_case(b"text/html"))
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn tells_documents_from_what_scripts_ask_for() {
        use Expectation::{Fragment, Page, Unknown};
        for (fields, expectation) in [
            (&[][..], Unknown),
            (&[("accept", "*/*")], Unknown),
            (
                &[("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")],
                Page,
            ),
            (&[("accept", "application/json, TEXT/HTML;q=0.5")], Page),
            (&[("sec-fetch-dest", "document")], Page),
            (&[("sec-fetch-dest", "iframe")], Page),
            (
                &[("sec-fetch-dest", "empty"), ("accept", "text/html")],
                Fragment,
            ),
            (&[("sec-fetch-dest", "script")], Fragment),
            (
                &[
                    ("x-requested-with", "XMLHttpRequest"),
                    ("accept", "text/html"),
                ],
                Fragment,
            ),
            (
                &[
                    ("x-requested-with", "com.example.app"),
                    ("sec-fetch-dest", "document"),
                ],
                Page,
            ),
        ] {
            let headers = fields.iter().map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            });
            assert_eq!(
                Expectation::of(&headers.collect()),
                expectation,
                "{fields:?}"
            );
        }
    }
}
