use http::Request;

use super::house::{HOST, House};
use crate::support::undo_coding;

async fn get(house: &House, path: &str, fields: &[(&str, &str)]) -> crate::support::Answer {
    let mut request = Request::get(path).header("host", HOST);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    house.ask(request, "").await
}

/// The name of the core, as the loader asks for it.
fn core_of(loader: &str) -> String {
    let at = loader.find("core.").unwrap();
    loader[at..].split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_loader_is_where_the_vendors_is() {
    let house = House::open().await;
    let paths = [
        "/_cobrowse/CobrowseJS.ashx?group=1&site=production",
        "/_cobrowse/cobrowsejs.ASHX?GroupId=1&SITE=staging",
    ];
    let mut texts = Vec::new();
    for path in paths {
        let loader = get(&house, path, &[]).await;
        assert_eq!(loader.status, 200, "{path}");
        assert_eq!(
            loader.header("content-type"),
            "text/javascript; charset=utf-8"
        );
        assert_eq!(loader.header("cache-control"), "public, max-age=600");
        assert_eq!(loader.header("vary"), "accept-encoding");
        assert_eq!(loader.header("content-encoding"), "");
        texts.push(loader.text());
    }
    assert!(texts[0].contains("GLANCE") && texts.iter().all(|text| *text == texts[0]));
    for path in [
        "/_cobrowse",
        "/_cobrowse/",
        "/_cobrowse/core.js",
        "/_cobrowse/../x",
    ] {
        let answer = get(&house, path, &[]).await;
        assert!(
            answer.status == 404 || path.ends_with("x"),
            "{path} {}",
            answer.status
        );
    }
    let page = get(&house, "/_cobrowser", &[("accept", "text/html")]).await;
    assert_eq!(page.status, 200, "beside the mount is the site");
}

#[tokio::test]
async fn the_core_has_its_hash_in_its_name() {
    let house = House::open().await;
    let loader = get(&house, "/_cobrowse/CobrowseJS.ashx", &[]).await.text();
    let core = get(&house, &format!("/_cobrowse/{}", core_of(&loader)), &[]).await;
    assert_eq!(core.status, 200);
    assert_eq!(
        core.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(core.header("access-control-allow-origin"), "*");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA384, core.bytes());
    let integrity =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest.as_ref());
    assert!(loader.contains(&format!("sha384-{integrity}")));
    let licenses = get(&house, "/_cobrowse/licenses.txt", &[]).await;
    assert!(licenses.text().contains("MIT"));
}

#[tokio::test]
async fn files_come_as_small_as_the_browser_reads_them() {
    let house = House::open().await;
    let path = "/_cobrowse/CobrowseJS.ashx";
    let plain = get(&house, path, &[]).await;
    for (accepted, coding) in [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, br;q=0", "gzip"),
        ("gzip", "gzip"),
        ("br", "br"),
        ("zstd", ""),
        ("identity", ""),
        ("", ""),
    ] {
        let answer = get(&house, path, &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.header("content-encoding"), coding, "{accepted}");
        assert_eq!(answer.header("etag"), plain.header("etag"));
        assert_eq!(undo_coding(&answer), plain.bytes(), "{accepted}");
    }
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    let house = House::open().await;
    let path = "/_cobrowse/CobrowseJS.ashx";
    let tag = get(&house, path, &[]).await.header("etag").to_owned();
    for (given, status) in [
        (&*tag, 304),
        (&*format!("\"x\", {tag}"), 304),
        ("\"x\"", 200),
    ] {
        let answer = get(&house, path, &[("if-none-match", given)]).await;
        assert_eq!(answer.status, status, "{given}");
        assert_eq!(answer.bytes().is_empty(), status == 304);
        assert_eq!(answer.header("etag"), tag);
    }
}
