use http::header::{HeaderMap, HeaderValue, REFERER};

use super::authority::Authority;
use super::scheme::Scheme;

/// The origin of the page that a request comes from, as far as `Referer` tells (RFC 9110 10.1.3).
/// `None` also for what can be read in two ways.
pub fn referer_origin(headers: &HeaderMap) -> Option<(Scheme, Authority)> {
    let (scheme, authority, _) = referer_page(headers)?;
    Some((scheme, authority))
}

/// The same with the page's path as it is written, which may be `/` only because the browser tells no
/// more.
pub fn referer_page(headers: &HeaderMap) -> Option<(Scheme, Authority, &str)> {
    let mut lines = headers.get_all(REFERER).into_iter();
    let line = lines.next().filter(|_| lines.next().is_none())?;
    let (scheme, rest) = line.to_str().ok()?.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let path = rest
        .split(['?', '#'])
        .next()
        .filter(|path| !path.is_empty());
    let page = (Scheme::parse(scheme)?, authority.parse().ok()?);
    Some((page.0, page.1, path.unwrap_or("/")))
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
    fn the_path_is_told_as_it_is_written() {
        for (sent, path) in [
            ("https://www.bank.example/a/%62?c=/d#e", "/a/%62"),
            ("https://www.bank.example/", "/"),
            ("https://www.bank.example", "/"),
            ("https://www.bank.example?a/b", "/"),
            ("https://www.bank.example//a/../b", "//a/../b"),
        ] {
            let headers = heads(&[&format!("Referer: {sent}")]);
            let (_, authority, found) = referer_page(&headers).unwrap();
            assert_eq!(
                (authority.host(), found),
                ("www.bank.example", path),
                "{sent}"
            );
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
