use http::header::{HeaderMap, HeaderName};

/// Whether a page of another site set this request off behind the visitor's back, as the browser
/// tells (W3C Fetch Metadata). Going there, by a link or a form, is not: the visitor sees it. In a
/// frame of that page it is.
pub fn is_set_off_elsewhere(headers: &HeaderMap) -> bool {
    let says = |name: &HeaderName, word: &str| {
        let mut lines = headers.get_all(name).into_iter();
        lines.any(|line| line.as_bytes() == word.as_bytes())
    };
    let in_a_frame = headers.contains_key(SEC_FETCH_DEST) && !says(&SEC_FETCH_DEST, "document");
    let is_visit = says(&SEC_FETCH_MODE, "navigate") && !in_a_frame;
    says(&SEC_FETCH_SITE, "cross-site") && !is_visit
}

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::super::test_heads::heads;
    use super::*;

    #[test]
    fn other_sites_may_send_visitors_and_nothing_else() {
        for (lines, elsewhere) in [
            (&["Sec-Fetch-Site: cross-site"][..], true),
            (
                &["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
                true,
            ),
            (
                &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"],
                true,
            ),
            (
                &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: websocket"],
                true,
            ),
            (
                &[
                    "Sec-Fetch-Site: cross-site",
                    "Sec-Fetch-Mode: navigate",
                    "Sec-Fetch-Dest: iframe",
                ],
                true,
            ),
            (
                &[
                    "Sec-Fetch-Site: cross-site",
                    "Sec-Fetch-Mode: navigate",
                    "Sec-Fetch-Dest: document",
                ],
                false,
            ),
            (
                &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"],
                false,
            ),
            (
                &["Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: no-cors"],
                false,
            ),
            (&["Sec-Fetch-Site: same-origin"], false),
            (&["Sec-Fetch-Site: none"], false),
            (&[], false),
        ] {
            assert_eq!(is_set_off_elsewhere(&heads(lines)), elsewhere, "{lines:?}");
        }
    }
}
