//! Conditional requests and ranges: no visitor keeps a page as it was before the rules that are in
//! force, and nothing else is fetched anew because of it.

use http::Request;

use crate::support::{Answer, Directory, Script, ScriptedOrigin, TestEdge, Visitor, config};
use cobrowse_edge::config::RulesSource;

/// An origin that obeys conditions and ranges, in the way of a common server.
async fn origin(validator: &'static str) -> ScriptedOrigin {
    ScriptedOrigin::start(move |head| vec![Script::Send(answer(head, validator).into_bytes())])
        .await
}

const ETAG: &str = "ETag: \"v1\"";
const DATE: &str = "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT";

fn answer(head: &str, validator: &str) -> String {
    let asks = |line: &str| head.lines().any(|asked| asked.eq_ignore_ascii_case(line));
    let known = match validator {
        ETAG => asks("if-none-match: \"v1\""),
        _ => asks("if-modified-since: Wed, 21 Oct 2015 07:28:00 GMT"),
    };
    let media_type = match head.starts_with("GET /page") {
        true => "text/html",
        false => "application/octet-stream",
    };
    if known {
        return format!("HTTP/1.1 304 Not Modified\r\n{validator}\r\n\r\n");
    }
    let described = format!("Content-Type: {media_type}\r\n{validator}\r\nAccept-Ranges: bytes");
    match asks("range: bytes=2-3") {
        true => format!(
            "HTTP/1.1 206 Partial Content\r\n{described}\r\nContent-Range: bytes 2-3/9\r\n\
             Content-Length: 2\r\n\r\n>a"
        ),
        false => format!("HTTP/1.1 200 OK\r\n{described}\r\nContent-Length: 9\r\n\r\n<p>a text"),
    }
}

fn rules(origin: &ScriptedOrigin, site: &str) -> String {
    format!(
        r#"
        version = 1
        [script]
        url = "https://cdn.example.com/loader.js"
        [[site]]
        hosts = ["*"]
        origin = "http://{}"
        {site}
        "#,
        origin.address
    )
}

/// An edge whose rules a test can change.
struct House {
    origin: ScriptedOrigin,
    rules: Directory,
    edge: TestEdge,
}

impl House {
    async fn with(validator: &'static str) -> Self {
        let origin = origin(validator).await;
        let rules = Directory::with("rules.toml", &rules(&origin, "group = 1"));
        let mut config = config("");
        config.rules = RulesSource::Directory(rules.0.clone());
        let edge = TestEdge::spawn(config).await;
        Self {
            origin,
            rules,
            edge,
        }
    }

    async fn change_rules(&self, site: &str) {
        self.rules.write("rules.toml", &rules(&self.origin, site));
        self.edge.reloader.reload().await.unwrap();
    }

    /// As a browser loads a page, with one more field.
    async fn load(&self, path: &str, name: &str, value: &str) -> Answer {
        let request = Request::get(path).header("accept", "text/html,*/*;q=0.8");
        self.send(request.header(name, value)).await
    }

    async fn send(&self, request: http::request::Builder) -> Answer {
        Visitor::http1(self.edge.http).await.send(request).await
    }

    /// Whether the last request that the origin saw had this field.
    fn was_asked(&self, name: &str) -> bool {
        let head = self.origin.seen().pop().unwrap();
        head.contains(&format!("\r\n{name}: "))
    }

    /// The validator of a page that the visitor has just got.
    async fn first_visit(&self) -> String {
        let page = self.load("/page", "x-nothing", "").await;
        check_page(&page, 1);
        page.header("etag").to_owned()
    }
}

/// It is whole, and carries this group.
#[track_caller]
fn check_page(page: &Answer, group: u32) {
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(text.starts_with("<p>a text<script "), "{text}");
    assert!(
        text.contains(&format!(r#" data-groupid="{group}""#)),
        "{text}"
    );
}

#[tokio::test]
async fn a_page_under_the_same_rules_is_not_sent_again() {
    for validator in [ETAG, DATE] {
        let house = House::with(validator).await;
        let tag = house.first_visit().await;
        assert!(tag.starts_with("W/\""), "{tag}");
        let again = house.load("/page", "if-none-match", &tag).await;
        assert_eq!(again.status, 304, "{validator}");
        assert_eq!(again.header("etag"), tag, "{validator}");
        assert_eq!(again.bytes(), b"");
        assert_eq!(house.was_asked("if-none-match"), validator == ETAG);
        assert_eq!(house.was_asked("if-modified-since"), validator == DATE);
    }
}

#[tokio::test]
async fn a_page_under_older_rules_is_sent_anew() {
    for validator in [ETAG, DATE] {
        let house = House::with(validator).await;
        let old = house.first_visit().await;
        house.change_rules("group = 2").await;
        let page = house.load("/page", "if-none-match", &old).await;
        check_page(&page, 2);
        assert!(!house.was_asked("if-none-match") && !house.was_asked("if-modified-since"));
        let new = page.header("etag");
        assert_ne!(new, old);
        let again = house.load("/page", "if-none-match", new).await;
        assert_eq!((again.status.as_u16(), again.header("etag")), (304, new));
    }
}

#[tokio::test]
async fn a_page_announces_its_script_until_the_rules_say_otherwise() {
    let house = House::with(ETAG).await;
    let page = house.load("/page", "x-nothing", "").await;
    let link = "<https://cdn.example.com/loader.js>; rel=preload; as=script";
    assert_eq!(page.header("link"), link);
    let tag = page.header("etag");
    let again = house.load("/page", "if-none-match", tag).await;
    assert_eq!((again.status.as_u16(), again.header("link")), (304, ""));
    let image = house.load("/image", "x-nothing", "").await;
    assert_eq!(image.header("link"), "");

    house.change_rules("group = 1\npreload = false").await;
    let anew = house.load("/page", "if-none-match", tag).await;
    check_page(&anew, 1);
    assert_eq!(anew.header("link"), "");
}

/// A browser sends both conditions; the date alone would be met.
#[tokio::test]
async fn a_date_beside_an_older_tag_does_not_save_it() {
    let house = House::with(DATE).await;
    let old = house.first_visit().await;
    house.change_rules("group = 2").await;
    let request = Request::get("/page")
        .header("accept", "text/html")
        .header("if-none-match", old)
        .header("if-modified-since", "Wed, 21 Oct 2015 07:28:00 GMT");
    check_page(&house.send(request).await, 2);
}

#[tokio::test]
async fn a_page_from_before_the_edge_is_sent_anew() {
    let house = House::with(ETAG).await;
    for tag in ["\"v1\"", "W/\"v1\"", "*"] {
        let page = house.load("/page", "if-none-match", tag).await;
        check_page(&page, 1);
    }
    let house = House::with(DATE).await;
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    check_page(&house.load("/page", "if-modified-since", date).await, 1);
}

#[tokio::test]
async fn where_the_edge_stops_editing_the_page_is_sent_as_it_is() {
    let house = House::with(ETAG).await;
    let old = house.first_visit().await;
    house.change_rules("inject = false").await;
    let page = house.load("/page", "if-none-match", &old).await;
    assert_eq!(
        (page.status.as_u16(), page.text().as_str()),
        (200, "<p>a text")
    );
    assert_eq!(page.header("etag"), "\"v1\"");
    let again = house.load("/page", "if-none-match", "\"v1\"").await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn resources_keep_their_validators() {
    for (validator, name, value, condition) in [
        (ETAG, "etag", "\"v1\"", "if-none-match"),
        (
            DATE,
            "last-modified",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "if-modified-since",
        ),
    ] {
        let house = House::with(validator).await;
        let request = || {
            Request::get("/logo.png")
                .header("accept", "image/avif,*/*;q=0.8")
                .header("sec-fetch-dest", "image")
        };
        let first = house.send(request()).await;
        assert_eq!((first.status.as_u16(), first.header(name)), (200, value));
        let again = house.send(request().header(condition, value)).await;
        assert_eq!((again.status.as_u16(), again.header(name)), (304, value));
    }
}

#[tokio::test]
async fn a_part_of_a_page_is_never_asked_for() {
    let house = House::with(ETAG).await;
    let page = house.load("/page", "range", "bytes=2-3").await;
    check_page(&page, 1);
    assert_eq!(page.header("accept-ranges"), "");
    assert!(!house.was_asked("range"));
}

#[tokio::test]
async fn a_part_of_a_download_is_passed() {
    let house = House::with(ETAG).await;
    let request = Request::get("/statement.pdf")
        .header("accept", "*/*")
        .header("range", "bytes=2-3")
        .header("if-range", "\"v1\"");
    let part = house.send(request).await;
    assert_eq!(part.status, 206);
    assert_eq!(part.text(), ">a");
    assert_eq!(part.header("content-range"), "bytes 2-3/9");
    assert_eq!(part.header("content-length"), "2");
    assert_eq!(part.header("etag"), "\"v1\"");
    assert!(house.was_asked("range") && house.was_asked("if-range"));
}

/// What a script asks for is no page: its ranges and conditions are its own.
#[tokio::test]
async fn a_fragment_keeps_its_conditions() {
    let house = House::with(ETAG).await;
    let request = || Request::get("/page").header("sec-fetch-dest", "empty");
    let first = house.send(request()).await;
    assert_eq!(
        (first.text().as_str(), first.header("etag")),
        ("<p>a text", "\"v1\"")
    );
    let again = house
        .send(request().header("if-none-match", "\"v1\""))
        .await;
    assert_eq!(
        (again.status.as_u16(), again.header("etag")),
        (304, "\"v1\"")
    );
    let part = house.send(request().header("range", "bytes=2-3")).await;
    assert_eq!((part.status.as_u16(), part.text().as_str()), (206, ">a"));
}
