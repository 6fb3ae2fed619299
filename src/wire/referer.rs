use http::header::{HeaderMap, HeaderValue, REFERER};

use super::authority::Authority;
use super::scheme::Scheme;

/// The origin of the page that a request comes from, as far as `Referer` tells (RFC 9110 10.1.3).
/// `None` also for what can be read in two ways.
pub fn referer_origin(headers: &HeaderMap) -> Option<(Scheme, Authority)> {
    let mut lines = headers.get_all(REFERER).into_iter();
    let line = lines.next().filter(|_| lines.next().is_none())?;
    let (scheme, rest) = line.to_str().ok()?.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some((Scheme::parse(scheme)?, authority.parse().ok()?))
}

/// Leaves of `Referer` what browsers tell other sites by default: whose page it was, and not which
/// one. What names no page on the web goes.
pub fn cut_referer(headers: &mut HeaderMap) {
    let origin = referer_origin(headers);
    headers.remove(REFERER);
    let line = origin.map(|(scheme, authority)| format!("{scheme}://{authority}/"));
    if let Some(value) = line.and_then(|line| HeaderValue::try_from(line).ok()) {
        headers.insert(REFERER, value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_heads::{heads, lines};
    use super::*;

    #[test]
    fn the_page_is_cut_off_its_origin() {
        for (sent, kept) in [
            (
                "https://www.bank.example/a?b#c",
                "referer: https://www.bank.example/",
            ),
            (
                "https://www.bank.example?b",
                "referer: https://www.bank.example/",
            ),
            (
                "https://www.bank.example#b",
                "referer: https://www.bank.example/",
            ),
            (
                "HTTP://WWW.Bank.Example:8080/",
                "referer: http://www.bank.example:8080/",
            ),
        ] {
            let mut headers = heads(&[&format!("Referer: {sent}")]);
            cut_referer(&mut headers);
            assert_eq!(lines(&headers), [kept], "{sent}");
        }
    }

    #[test]
    fn what_names_no_page_on_the_web_goes() {
        for sent in [
            &["Referer: https://secret@www.bank.example/"][..],
            &["Referer: android-app://com.example/a"],
            &["Referer: about:blank"],
            &["Referer: /a"],
            &["Referer: "],
            &["Referer: https://b\u{e4}nk.example/"],
            &["Referer: https://a/", "Referer: https://a/"],
        ] {
            let mut headers = heads(sent);
            cut_referer(&mut headers);
            assert!(headers.is_empty(), "{sent:?}");
        }
    }
}
