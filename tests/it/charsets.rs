//! Pages in any charset, and as XML, over sockets and compressed: edited where they can be read,
//! and as they came elsewhere.

use bytes::BytesMut;
use cobrowse_edge::wire::{Coding, CodingLevels, Encoder};
use encoding_rs::{EUC_KR, GBK, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

use crate::support::{Answer, Script, ScriptedOrigin, TestEdge, Visitor, undo_coding};

fn gzipped(page: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(Coding::Gzip, CodingLevels::default()).unwrap();
    let mut out = BytesMut::new();
    encoder.encode(page, &mut out).unwrap();
    encoder.finish(&mut out).unwrap();
    out.to_vec()
}

/// An edge before an origin that answers every request with this page, compressed.
async fn answer(content_type: &'static str, page: &[u8], masks: &str) -> (Answer, TestEdge) {
    let body = gzipped(page);
    let origin = ScriptedOrigin::start(move |_| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n"
        );
        vec![Script::Send([head.as_bytes(), &body].concat())]
    })
    .await;
    let rules = format!(
        "version = 1\nscript = {{ url = \"/c.js\" }}\n[[site]]\nhosts = [\"*\"]\norigin = \"http://{}\"\n\
         group = 15687\nmasks = {masks}\n",
        origin.address
    );
    let edge = TestEdge::with_rules(&rules).await;
    let request = http::Request::get("/").header("accept-encoding", "gzip");
    (Visitor::http1(edge.http).await.send(request).await, edge)
}

/// What came, without the tag, whose place is `[TAG]`.
fn with_tag_marked(text: &str) -> String {
    let Some((front, tag)) = text.split_once("<script id=\"glance-cobrowse\"") else {
        return text.to_owned();
    };
    let (_, behind) = tag.split_once("</script>").unwrap();
    format!("{front}[TAG]{behind}")
}

fn utf_16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes_of).collect()
}

fn from_utf_16(bytes: &[u8], unit_of: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit_of(*pair));
    String::from_utf16(&units.collect::<Vec<_>>()).unwrap()
}

#[tokio::test]
async fn a_page_in_utf_16_is_edited_in_utf_16() {
    let page = "<html><p class=\"\u{8868}\">\u{1f600}</p></html>";
    let masked = page.replace("<p", "<p glance_masked=\"true\"") + "[TAG]";
    for (content_type, mark, little) in [
        ("text/html", "\u{feff}", true),
        ("text/html; charset=utf-8", "\u{feff}", false),
        ("text/html; charset=UTF-16BE", "", false),
        ("text/html;charset=utf-16", "", true),
    ] {
        let bytes_of = if little {
            u16::to_le_bytes
        } else {
            u16::to_be_bytes
        };
        let unit_of = if little {
            u16::from_le_bytes
        } else {
            u16::from_be_bytes
        };
        let page = utf_16(&format!("{mark}{page}"), bytes_of);
        let (answer, _edge) = answer(content_type, &page, "[\".\u{8868}\"]").await;
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.header("content-encoding"), "gzip");
        let text = from_utf_16(&undo_coding(&answer), unit_of);
        assert_eq!(
            with_tag_marked(&text),
            format!("{mark}{masked}"),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a_mask_that_is_not_ascii_is_found_in_the_pages_charset() {
    for (encoding, letter, in_header) in [
        (SHIFT_JIS, "\u{8868}", "text/html; charset=Shift_JIS"),
        (EUC_KR, "\u{ac00}", "text/html; charset=euc-kr"),
        (GBK, "\u{8868}", "text/html; charset=gb2312"),
        (WINDOWS_1251, "\u{44f}", "text/html; charset=windows-1251"),
        (WINDOWS_1252, "\u{e9}", "text/html; charset=iso-8859-1"),
    ] {
        for content_type in [in_header, "text/html"] {
            let text = format!(
                "<meta charset={}><p class={letter}>{letter}</p><p id={letter}></p>",
                encoding.name()
            );
            let (page, _, _) = encoding.encode(&text);
            let masks = format!("[\".{letter}\", \"#{letter}\"]");
            let (answer, _edge) = answer(content_type, &page, &masks).await;
            let bytes = undo_coding(&answer);
            let (out, _) = encoding.decode_without_bom_handling(&bytes);
            let expected = text.replace("<p", "<p glance_masked=\"true\"") + "[TAG]";
            assert_eq!(with_tag_marked(&out), expected, "{content_type}");
        }
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_read_goes_on_as_it_came_and_is_counted() {
    let passed = "edge_pages_passed_total{site=\"*\",reason=\"charset\"}";
    let untagged = "edge_pages_untagged_total{site=\"*\",rule=\"site\",reason=\"charset\"}";
    for (content_type, page, series) in [
        ("text/html; charset=iso-2022-jp", "<p id=a>", passed),
        ("text/html; charset=iso-2022-kr", "<p id=a>", passed),
        ("text/html", "<meta charset=iso-2022-jp><p id=a>", untagged),
        ("text/html", "<meta charset=hz-gb-2312><p id=a>", untagged),
    ] {
        let (answer, edge) = answer(content_type, page.as_bytes(), "[\"#a\"]").await;
        assert_eq!(undo_coding(&answer), page.as_bytes(), "{page}");
        assert_eq!(edge.metric(series).await, 1.0, "{page}");
    }
    let (seven, _edge) = answer("text/html; charset=utf-7", b"<p id=a>", "[\"#a\"]").await;
    let text = String::from_utf8(undo_coding(&seven)).unwrap();
    assert_eq!(
        with_tag_marked(&text),
        "<p glance_masked=\"true\" id=a>[TAG]"
    );
}

const XHTML: &str = "<?xml version=\"1.0\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>a</title>\
                     </head><body><p id=\"a\"/></body></html>\n";

#[tokio::test]
async fn xhtml_stays_well_formed_with_its_tag_and_masks() {
    let (answer, _edge) = answer("application/xhtml+xml", XHTML.as_bytes(), "[\"#a\"]").await;
    assert_eq!(answer.header("content-type"), "application/xhtml+xml");
    let text = String::from_utf8(undo_coding(&answer)).unwrap();
    roxmltree::Document::parse(&text).unwrap();
    let expected = XHTML
        .replace("<p", "<p glance_masked=\"true\"")
        .replace("</html>", "[TAG]</html>");
    assert_eq!(with_tag_marked(&text), expected);
}

#[tokio::test]
async fn a_tag_that_xhtml_brings_along_is_put_into_a_template() {
    let page = XHTML.replace("<p", "<script id=\"glance-cobrowse\" src=\"/a\"/><p");
    let (answer, _edge) = answer("application/xhtml+xml", page.as_bytes(), "[\"#a\"]").await;
    let text = String::from_utf8(undo_coding(&answer)).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let mut tags = document
        .descendants()
        .filter(|node| node.attribute("id") == Some("glance-cobrowse"));
    let own = tags.next().unwrap();
    assert_eq!(own.attribute("src"), Some("/a"));
    assert!(
        own.parent()
            .unwrap()
            .has_tag_name(("http://www.w3.org/1999/xhtml", "template"))
    );
    let ours = tags.next().unwrap();
    assert_eq!(
        (ours.attribute("src"), ours.parent()),
        (Some("/c.js"), Some(document.root_element()))
    );
    assert_eq!(tags.next(), None);
}

#[tokio::test]
async fn xhtml_that_is_more_than_its_text_goes_on_as_it_came_and_is_counted() {
    let entity = XHTML.replace("\n<html", "<!DOCTYPE html [<!ENTITY e '<p/>'>]><html");
    let own_mask = XHTML.replace("<p", "<p glance_masked=\"false\"");
    for (page, reason) in [
        (entity, "xml_not_read"),
        (own_mask, "xml_attribute_twice"),
        (XHTML.replace("/1999/xhtml", "/2000/svg"), "not_a_document"),
    ] {
        let (answer, edge) = answer("application/xhtml+xml", page.as_bytes(), "[\"#a\"]").await;
        assert_eq!(undo_coding(&answer), page.as_bytes(), "{reason}");
        let series =
            format!("edge_pages_untagged_total{{site=\"*\",rule=\"site\",reason=\"{reason}\"}}");
        assert_eq!(edge.metric(&series).await, 1.0, "{reason}");
    }
}
