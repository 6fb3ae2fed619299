use std::pin::pin;

use bytes::Bytes;
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::{BrotliDecoder, DecodeV2, GzipDecoder, ZlibDecoder, ZstdDecoder};
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, LOCATION, SET_COOKIE, VARY,
};
use http::{HeaderMap, Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};

use super::statement;
use super::{Expect, PAGES, PageInfo, respond};
use crate::wire::EdgeBody;

/// Asks with a method, a target and further fields.
async fn ask(method: Method, target: &str, headers: &[(&str, &str)]) -> Response<EdgeBody> {
    post(method, target, headers, "").await
}

async fn post(
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Response<EdgeBody> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    respond(
        request
            .body(Full::new(Bytes::from_static(body.as_bytes())))
            .unwrap(),
    )
    .await
}

async fn read(response: Response<EdgeBody>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

async fn get(target: &str) -> Bytes {
    read(ask(Method::GET, target, &[]).await).await
}

fn finite() -> impl Iterator<Item = &'static PageInfo> {
    PAGES.iter().filter(|page| page.path != "/events")
}

#[tokio::test]
async fn answers_every_address_as_the_catalogue_says() {
    for page in finite() {
        let response = ask(Method::GET, page.path, page.request_headers).await;
        assert_eq!(response.status(), page.status, "{}", page.path);
        let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap();
        if matches!(page.expect, Expect::Tagged { .. }) {
            assert_eq!(content_type, "text/html", "{}", page.path);
        }
        assert!(!read(response).await.is_empty(), "{}", page.path);
    }
}

#[tokio::test]
async fn every_link_and_image_of_every_page_leads_somewhere() {
    for page in finite() {
        let html = get(page.path).await;
        let html = String::from_utf8_lossy(&html).into_owned();
        for marker in [
            "HREF=",
            "SRC=",
            "ACTION=",
            "BACKGROUND=",
            "href=\"",
            "src=\"",
        ] {
            for found in html.split(marker).skip(1) {
                let end = found.find([' ', '>', '"', '#', '?']).unwrap();
                let target = &found[..end];
                let known = target.is_empty()
                    || !target.starts_with('/')
                    || PAGES
                        .iter()
                        .any(|page| page.path.split('?').next() == Some(target))
                    || MEANT_TO_BE_MISSING.contains(&target);
                assert!(known, "{target} on {}", page.path);
            }
        }
    }
}

/// Scripts and sheets for browsers that nobody has any more; no modern one asks for them.
const MEANT_TO_BE_MISSING: &[&str] = &["/ie6.css", "/js/netscape3.js"];

#[tokio::test]
async fn the_home_page_is_windows_1252_and_does_not_say_so() {
    let home = get("/").await;
    assert!(std::str::from_utf8(&home).is_err());
    for byte in [0x93, 0x94, 0x80, 0xe9] {
        assert!(home.contains(&byte), "{byte:#x}");
    }
    let shown = String::from_utf8_lossy(&home).to_lowercase();
    assert!(!shown.contains("charset"));
}

#[tokio::test]
async fn includes_are_carried_out_on_every_page() {
    for page in finite() {
        let html = get(page.path).await;
        let html = String::from_utf8_lossy(&html);
        for place in ["<!--#include", "<!-- movements -->", "<!-- query -->"] {
            assert!(!html.contains(place), "{place} on {}", page.path);
        }
    }
}

#[tokio::test]
async fn the_statement_is_large_and_comes_in_many_pieces() {
    let mut body = ask(Method::GET, "/account/statement", &[])
        .await
        .into_body();
    assert_eq!(body.size_hint().exact(), None);
    let (mut pieces, mut html) = (0, Vec::new());
    while let Some(frame) = body.frame().await {
        html.extend(frame.unwrap().into_data().unwrap());
        pieces += 1;
    }
    assert!(pieces > 100, "{pieces}");
    assert!(
        (1_300_000..1_700_000).contains(&html.len()),
        "{}",
        html.len()
    );
    let html = String::from_utf8_lossy(&html);
    assert_eq!(html.matches("account-number").count(), statement::ROWS + 1);
}

#[tokio::test]
async fn pages_hold_the_elements_that_the_catalogue_counts() {
    for page in PAGES {
        let Expect::Tagged { masks, .. } = page.expect else {
            continue;
        };
        let html = get(page.path).await;
        for (selector, expected) in masks {
            assert_eq!(
                count(&html, selector),
                *expected,
                "{selector} on {}",
                page.path
            );
        }
    }
}

/// Elements that match; the parser is as strict as the edge's, so it also shows that no page
/// stops it.
fn count(html: &[u8], selector: &str) -> usize {
    let mut found = 0;
    let settings = lol_html::Settings::new().append_element_content_handler(lol_html::element!(
        selector,
        |_| {
            found += 1;
            Ok(())
        }
    ));
    let mut rewriter = lol_html::HtmlRewriter::new(settings, |_: &[u8]| ());
    rewriter.write(html).unwrap();
    rewriter.end().unwrap();
    found
}

#[tokio::test]
async fn every_coding_decodes_back_to_the_page() {
    for path in [
        "/",
        "/account",
        "/account/statement",
        "/search?q=x",
        "/bank.css",
    ] {
        let plain = get(path).await;
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let accept = [(ACCEPT_ENCODING.as_str(), coding)];
            let response = ask(Method::GET, path, &accept).await;
            assert_eq!(response.headers()[CONTENT_ENCODING], coding, "{path}");
            assert_eq!(response.headers()[VARY], "Accept-Encoding", "{path}");
            let coded = read(response).await;
            assert!(coded.len() < plain.len(), "{path} {coding}");
            assert!(decode(coding, &coded) == plain, "{path} {coding}");
        }
    }
}

#[tokio::test]
async fn no_coding_holds_the_first_lines_back() {
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let accept = [(ACCEPT_ENCODING.as_str(), coding)];
        let response = ask(Method::GET, "/account/statement", &accept).await;
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let html = decode(coding, &first);
        assert!(html.ends_with(b"<B>Balance</B>\n"), "{coding}");
    }
}

/// What can be told from the bytes at hand, which may be the first of a stream.
fn decode(coding: &str, coded: &[u8]) -> Vec<u8> {
    let mut decoder: Box<dyn DecodeV2> = match coding {
        "gzip" => Box::new(GzipDecoder::new()),
        "deflate" => Box::new(ZlibDecoder::new()),
        "br" => Box::new(BrotliDecoder::new()),
        "zstd" => Box::new(ZstdDecoder::new()),
        other => panic!("{other}"),
    };
    let (mut input, mut decoded) = (PartialBuffer::new(coded), Vec::new());
    let mut space = vec![0; SPACE];
    loop {
        let mut room = WriteBuffer::new_initialized(&mut space);
        let ended = decoder.decode(&mut input, &mut room).unwrap();
        let written = room.written();
        decoded.extend_from_slice(written);
        let starved = written.len() < SPACE && input.unwritten().is_empty();
        if ended || starved {
            return decoded;
        }
    }
}

const SPACE: usize = 64 * 1024;

#[tokio::test]
async fn takes_the_coding_that_the_client_likes_best() {
    for (accept, coding) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip, deflate", Some("gzip")),
        ("gzip;q=0.5, deflate;q=0.9", Some("deflate")),
        ("br;q=0, GZIP", Some("gzip")),
        ("br;q=0", None),
        ("identity", None),
        ("", None),
        ("compress", None),
    ] {
        let headers = [(ACCEPT_ENCODING.as_str(), accept)];
        let response = ask(Method::GET, "/login", &headers).await;
        let taken = response.headers().get(CONTENT_ENCODING);
        assert_eq!(
            taken.map(|value| value.to_str().unwrap()),
            coding,
            "{accept}"
        );
    }
}

#[tokio::test]
async fn plain_asks_for_no_coding() {
    let headers = [(ACCEPT_ENCODING.as_str(), "gzip, br")];
    for target in ["/?plain", "/search?q=a&plain"] {
        let response = ask(Method::GET, target, &headers).await;
        assert!(
            !response.headers().contains_key(CONTENT_ENCODING),
            "{target}"
        );
    }
    let image = ask(Method::GET, "/images/house.gif", &headers).await;
    assert!(!image.headers().contains_key(CONTENT_ENCODING));
}

#[tokio::test]
async fn head_tells_what_get_would_and_sends_nothing() {
    for page in PAGES {
        let get = ask(Method::GET, page.path, &[]).await;
        let head = ask(Method::HEAD, page.path, &[]).await;
        assert_eq!(head.status(), get.status(), "{}", page.path);
        assert_eq!(head.headers(), get.headers(), "{}", page.path);
        assert!(read(head).await.is_empty(), "{}", page.path);
    }
}

#[tokio::test]
async fn most_pages_tell_their_length_and_it_is_right() {
    for page in finite() {
        let response = ask(Method::GET, page.path, &[]).await;
        let chunked = ["/account", "/account/statement"].contains(&page.path)
            || page.path.starts_with("/search");
        let length = response.headers().get(CONTENT_LENGTH).cloned();
        assert_eq!(length.is_none(), chunked, "{}", page.path);
        if let Some(length) = length {
            let body = read(response).await;
            assert_eq!(length, body.len().to_string(), "{}", page.path);
        }
    }
}

async fn status_of(target: &str, headers: &[(&str, &str)]) -> u16 {
    ask(Method::GET, target, headers).await.status().as_u16()
}

#[tokio::test]
async fn a_strong_tag_is_kept_for_each_coding_and_answered_by_304() {
    let coded = [("accept-encoding", "gzip")];
    let tag = |headers: &HeaderMap| headers[ETAG].to_str().unwrap().to_owned();
    let plain = tag(ask(Method::GET, "/mortgage/", &[]).await.headers());
    let gzip = tag(ask(Method::GET, "/mortgage/", &coded).await.headers());
    assert_eq!(
        (plain.as_str(), gzip.as_str()),
        ("\"mortgage-7\"", "\"mortgage-7-gzip\"")
    );
    let name = IF_NONE_MATCH.as_str();
    for (value, status) in [
        (plain.as_str(), 304),
        ("\"other\", W/\"mortgage-7\"", 304),
        ("*", 304),
        (gzip.as_str(), 200),
        ("mortgage-7", 200),
        ("", 200),
    ] {
        assert_eq!(
            status_of("/mortgage/", &[(name, value)]).await,
            status,
            "{value}"
        );
    }
    let unchanged = ask(Method::GET, "/mortgage/", &[(name, &plain)]).await;
    assert_eq!(unchanged.headers()[ETAG], plain);
    assert!(!unchanged.headers().contains_key(CONTENT_TYPE));
    assert!(read(unchanged).await.is_empty());
}

#[tokio::test]
async fn a_date_alone_is_compared_and_a_tag_outweighs_it() {
    let headers = ask(Method::GET, "/about/xhtml.html", &[]).await;
    let date = headers.headers()[LAST_MODIFIED]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(!headers.headers().contains_key(ETAG));
    let name = IF_MODIFIED_SINCE.as_str();
    for (value, status) in [
        (date.as_str(), 304),
        ("Fri, 03 Mar 2006 08:14:59 GMT", 200),
        ("Sat, 04 Mar 2006 08:15:00 GMT", 304),
        ("yesterday", 200),
    ] {
        assert_eq!(
            status_of("/about/xhtml.html", &[(name, value)]).await,
            status,
            "{value}"
        );
    }
    let both = [(name, date.as_str()), (IF_NONE_MATCH.as_str(), "\"x\"")];
    assert_eq!(status_of("/about/xhtml.html", &both).await, 200);
}

#[tokio::test]
async fn a_password_opens_the_account_with_three_cookies() {
    let response = post(Method::POST, "/login", &[], "userid=rene&password=x").await;
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()[LOCATION], "/account");
    assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 3);
}

#[tokio::test]
async fn without_a_password_the_form_is_shown_again() {
    for form in ["userid=rene&password=", "userid=rene", ""] {
        let response = post(Method::POST, "/login", &[], form).await;
        assert_eq!(response.status(), 200, "{form}");
        let html = read(response).await;
        assert!(String::from_utf8_lossy(&html).contains("type your password"));
    }
    assert_eq!(post(Method::POST, "/account", &[], "").await.status(), 405);
}

#[tokio::test]
async fn a_form_that_is_too_long_is_cut_and_not_kept() {
    let long = format!("a={}&password=x", "a".repeat(16 * 1024));
    let body = Full::new(Bytes::from(long));
    let request = Request::post("/login").body(body).unwrap();
    assert_eq!(respond(request).await.status(), 200);
}

#[tokio::test]
async fn search_shows_the_words_escaped() {
    for (query, shown) in [
        ("q=annual%20report", "<B>annual report</B>"),
        ("x=1&q=a+b", "<B>a b</B>"),
        ("q=%3Cscript%3E", "<B>&#60;script&#62;</B>"),
        ("q=%zz%4", "<B>&#37;zz&#37;4</B>"),
        ("q=%E9", "<B>&#233;</B>"),
        ("", "<B></B>"),
    ] {
        let html = get(&format!("/search?{query}")).await;
        let html = String::from_utf8_lossy(&html);
        assert!(html.contains(shown), "{query}");
    }
}

#[tokio::test]
async fn the_event_stream_ticks() {
    let response = ask(Method::GET, "/events", &[("accept-encoding", "gzip")]).await;
    assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
    assert!(!response.headers().contains_key(CONTENT_ENCODING));
    let mut body = pin!(response.into_body());
    for expected in ["id: 0\ndata: EX30 ", "id: 1\ndata: PORK "] {
        let event = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(event.starts_with(expected.as_bytes()) && event.ends_with(b"\n\n"));
    }
}

#[tokio::test]
async fn the_pdf_points_at_its_own_objects() {
    let pdf = get("/download/terms.pdf").await;
    let text = std::str::from_utf8(&pdf).unwrap();
    let start: usize = number_after(text, "startxref\n");
    assert!(text[start..].starts_with("xref\n0 6\n"));
    let offsets = text[start..].lines().filter(|line| line.ends_with(" n "));
    for (index, line) in offsets.enumerate() {
        let offset: usize = line[..10].parse().unwrap();
        assert!(text[offset..].starts_with(&format!("{} 0 obj", index + 1)));
    }
    let stream = text.split("stream\n").nth(1).unwrap();
    let content = stream.strip_suffix("\nend").unwrap();
    assert_eq!(content.len(), number_after(text, "/Length "));
}

fn number_after(text: &str, words: &str) -> usize {
    let (_, rest) = text.rsplit_once(words).unwrap();
    let end = rest.find(|character: char| !character.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().unwrap()
}
