//! Pages over which the engine gives up, anywhere in them: they arrive whole, and without a tag.

use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use cobrowse_edge::wire::{Coding, CodingLevels, Encoder};
use http::Request;

use crate::support::{Script, ScriptedOrigin, TestEdge, Visitor, config, rules_for, undo_coding};

const CODINGS: [(&str, Coding); 5] = [
    ("identity", Coding::Identity),
    ("gzip", Coding::Gzip),
    ("deflate", Coding::Deflate),
    ("br", Coding::Br),
    ("zstd", Coding::Zstd),
];

/// What a streaming parser cannot be sure of, and what it cannot hold.
const AMBIGUOUS: [&str; 4] = [
    "<select><xmp></xmp></select>",
    "<svg/><style><p></style>",
    "<template><col></template>",
    "<svg><foreignObject><p></foreignObject></svg>",
];
const ROWS: usize = 40;

/// The `nth` page, with its fault anywhere in it.
fn page(nth: usize) -> String {
    let row = "<div><p id=ssn>078-05-1120</p> a &amp; b</div>\n";
    let fault = match nth % 20 {
        0 => format!("<p a='{}'>", "x".repeat(5 * 1024 * 1024)),
        _ => AMBIGUOUS[nth % AMBIGUOUS.len()].to_owned(),
    };
    let before = nth * 7 % ROWS;
    format!(
        "<!DOCTYPE html>{}{fault}{}</html>",
        row.repeat(before),
        row.repeat(ROWS - before)
    )
}

fn answer(page: &str, label: &str, coding: Coding) -> Vec<u8> {
    let mut body = BytesMut::new();
    match Encoder::new(coding, CodingLevels::default()) {
        None => body.extend_from_slice(page.as_bytes()),
        Some(mut encoder) => {
            encoder.encode(page.as_bytes(), &mut body).unwrap();
            encoder.finish(&mut body).unwrap();
        }
    }
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {label}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), &body].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_faults_over_sockets_leave_two_hundred_pages_whole_and_untagged() {
    let current: Arc<Mutex<Vec<Script>>> = Arc::default();
    let script = Arc::clone(&current);
    let origin = ScriptedOrigin::start(move |_| script.lock().unwrap().clone()).await;
    let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
    let http1 = Visitor::http1(edge.http).await;
    let http2 = Visitor::http2(edge.https.unwrap()).await;
    let mut visitors = [http1, http2];
    for nth in 0..200 {
        let (label, coding) = CODINGS[nth % CODINGS.len()];
        let (accepted, _) = CODINGS[nth / CODINGS.len() % CODINGS.len()];
        let page = page(nth);
        *current.lock().unwrap() = vec![Script::Send(answer(&page, label, coding))];
        let request = Request::get("/page").header("accept-encoding", accepted);
        let answer = visitors[nth % 2].send(request).await;
        let case = format!("fault {nth}, from {label} to {accepted}");
        let arrived = String::from_utf8(undo_coding(&answer)).unwrap();
        assert!(!arrived.contains("glance-cobrowse"), "{case}");
        let origins = arrived.replace(" glance_masked=\"true\"", "");
        assert!(origins == page, "{case} is another page");
    }
}
