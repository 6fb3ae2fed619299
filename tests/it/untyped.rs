//! What is no page though it is called one, and what is one though nobody says so: decided by the
//! first bytes, as browsers do.

use http::Request;

use crate::support::{Answer, Script, ScriptedOrigin, TestEdge, Visitor, undo_coding};

/// An edge before an origin that answers with these fields and this body, a byte at a time.
async fn answer(fields: &str, body: &'static str, dest: &str) -> (Answer, TestEdge) {
    let head = format!("HTTP/1.1 200 OK\r\nETag: \"1\"\r\n{fields}Connection: close\r\n\r\n");
    let origin = ScriptedOrigin::start(move |_| {
        let bytes = body.bytes().map(|byte| Script::Send(vec![byte]));
        let head = Script::Send(head.clone().into_bytes());
        [head]
            .into_iter()
            .chain(bytes)
            .chain([Script::Close])
            .collect()
    })
    .await;
    let rules = format!(
        "version = 1\nscript = {{ url = \"/c.js\" }}\n[[site]]\nhosts = [\"*\"]\norigin = \"http://{}\"\n\
         group = 15687\nmasks = [\"#ssn\"]\n",
        origin.address
    );
    let edge = TestEdge::with_rules(&rules).await;
    let request = Request::get("/").header("sec-fetch-dest", dest);
    (Visitor::http1(edge.http).await.send(request).await, edge)
}

fn untagged(reason: &str) -> String {
    format!("edge_pages_untagged_total{{site=\"*\",rule=\"site\",reason=\"{reason}\"}}")
}

const HTML: &str = "Content-Type: text/html\r\n";

#[tokio::test]
async fn a_page_without_a_media_type_is_tagged_and_masked_where_browsers_show_it() {
    let page = "\n<!DOCTYPE html><meta charset=utf-8><p id=ssn>a";
    for fields in [
        "",
        "Content-Type: \r\n",
        "Content-Type: unknown/unknown\r\n",
    ] {
        let (answer, edge) = answer(fields, page, "document").await;
        let text = answer.text();
        let (masked, tag) = text
            .split_once("<script id=\"glance-cobrowse\"")
            .expect(&text);
        assert_eq!(masked, page.replace("<p", "<p glance_masked=\"true\""));
        assert!(tag.ends_with("></script>"), "{tag}");
        assert_ne!(answer.header("etag"), "\"1\"");
        let vary = answer.headers.get_all("vary").iter();
        assert_eq!(vary.filter(|field| *field == "Sec-Fetch-Dest").count(), 1);
        let tagged = "edge_pages_rewritten_total{site=\"*\",rule=\"site\"}";
        assert_eq!(edge.metric(tagged).await, 1.0, "{fields}");
    }
}

#[tokio::test]
async fn what_is_no_page_goes_on_as_it_came_and_is_counted() {
    let passed =
        |reason: &str| format!("edge_pages_passed_total{{site=\"*\",reason=\"{reason}\"}}");
    for (fields, body, dest, counted) in [
        ("", "<br><p id=ssn>", "document", untagged("untyped")),
        ("", "GIF89a<p id=ssn>", "iframe", untagged("untyped")),
        ("", "", "document", untagged("untyped")),
        ("", "<p id=ssn>", "image", passed("fragment")),
        (
            "X-Content-Type-Options: nosniff\r\n",
            "<p id=ssn>",
            "document",
            passed("not_html"),
        ),
        (
            "Content-Type: text/\r\n",
            "<p id=ssn>",
            "document",
            passed("not_html"),
        ),
        (
            "Content-Type: text/xml\r\n",
            "<html xmlns=\"http://www.w3.org/1999/xhtml\"><p id=\"ssn\"/></html>",
            "document",
            passed("xml"),
        ),
        (
            HTML,
            "{\"a\": \"<p id=ssn>\"}",
            "document",
            untagged("data"),
        ),
        (HTML, "[\"<p id=ssn>\"]", "iframe", untagged("data")),
        (HTML, "var a = '<p id=ssn>';", "document", untagged("data")),
        (
            HTML,
            "<?xml version=\"1.0\"?><feed><p id=\"ssn\"/></feed>",
            "document",
            untagged("data"),
        ),
        (
            HTML,
            "<rss><p id=\"ssn\"/></rss>",
            "document",
            untagged("data"),
        ),
    ] {
        let (answer, edge) = answer(fields, body, dest).await;
        assert_eq!(undo_coding(&answer), body.as_bytes());
        assert_eq!(
            edge.metric(&counted).await,
            1.0,
            "{fields} {body}: {counted}"
        );
    }
}

/// A piece of a page that somebody opens in a window is shown as one.
#[tokio::test]
async fn a_fragment_that_is_visited_is_a_page() {
    for (body, dest) in [("<li id=ssn>a", "document"), ("text <b id=ssn>", "iframe")] {
        let (answer, _edge) = answer(HTML, body, dest).await;
        let text = answer.text();
        assert!(text.contains(" glance_masked=\"true\" id=ssn>"), "{text}");
        assert!(text.ends_with("></script>"), "{text}");
    }
}
