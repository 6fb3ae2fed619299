use std::fmt::Write;
use std::pin::{Pin, pin};

use bytes::{Buf, Bytes};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, LOCATION, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;

use super::page::{fill, page};
use super::reply::{Content, Reply};
use super::{statement, terms, ticker};
use crate::wire::EdgeBody;

/// Answers a request as the bank's web server does. Reads a body only where a form is expected.
pub async fn respond<B: Body>(request: Request<B>) -> Response<EdgeBody> {
    let (head, body) = request.into_parts();
    let reply = match (&head.method, head.uri.path()) {
        (&Method::POST, "/login") => sign_in(&read_form(pin!(body)).await),
        (&Method::GET | &Method::HEAD, path) => get(path, head.uri.query().unwrap_or_default()),
        _ => html(include_bytes!("pages/error.html"))
            .status(StatusCode::METHOD_NOT_ALLOWED)
            .header(ALLOW, "GET, HEAD, POST"),
    };
    reply.fit(&head)
}

fn get(path: &str, query: &str) -> Reply {
    if let Some(image) = path.strip_prefix("/images/") {
        return picture(image);
    }
    match path {
        "/" => html(include_bytes!("pages/home.html")),
        "/old-home" => redirect("/"),
        "/frames.html" => html(include_bytes!("pages/frames.html")),
        "/frames/menu.html" => html(include_bytes!("pages/frames/menu.html")),
        "/frames/main.html" => html(include_bytes!("pages/frames/main.html")),
        "/about/xhtml.html" => {
            html(include_bytes!("pages/about/xhtml.html")).last_modified(RENOVATION)
        }
        "/login" => html(include_bytes!("pages/login.html")),
        "/account" => html(include_bytes!("pages/account.html"))
            .header(CACHE_CONTROL, "private, no-cache")
            .in_chunks_of(1000),
        "/account/statement" => {
            Reply::new("text/html", Content::Chunks(Box::new(statement::html())))
        }
        "/mortgage/" => html(include_bytes!("pages/mortgage/index.html")).strong_tag("mortgage-7"),
        "/mortgage/apply" => html(include_bytes!("pages/mortgage/apply.html")),
        "/mortgage/calculators/payment" => html(include_bytes!("pages/mortgage/payment.html")),
        "/chat" => html(include_bytes!("pages/chat.html")),
        "/chat/room" => html(include_bytes!("pages/chat-room.html")),
        "/markets" => html(include_bytes!("pages/markets.html")),
        "/search" => search(query),
        "/error" => {
            html(include_bytes!("pages/error.html")).status(StatusCode::INTERNAL_SERVER_ERROR)
        }
        "/fragment/rates" => text(
            "text/html; charset=windows-1252",
            include_bytes!("pages/rates.html"),
        ),
        "/events" => Reply::new("text/event-stream", Content::Live(ticker::events()))
            .header(CACHE_CONTROL, "no-cache"),
        "/download/terms.pdf" => attachment(
            "application/pdf",
            "attachment; filename=terms.pdf",
            terms::pdf(),
        ),
        "/download/statement.csv" => attachment(
            "text/csv",
            "attachment; filename=\"statement.csv\"",
            statement::csv(),
        ),
        "/download/receipt.html" => html(include_bytes!("pages/receipt.html"))
            .header(CONTENT_DISPOSITION, "attachment; filename=receipt.html"),
        "/bank.css" => text("text/css", include_bytes!("pages/bank.css")).last_modified(RENOVATION),
        "/js/bank.js" => text("text/javascript", include_bytes!("pages/js/bank.js")),
        "/js/rates.js" => text("text/javascript", include_bytes!("pages/js/rates.js")),
        "/favicon.ico" => Reply::new(
            "image/x-icon",
            Content::Whole(Bytes::from_static(include_bytes!(
                "pages/images/favicon.ico"
            ))),
        ),
        _ => html(include_bytes!("pages/missing.html")).status(StatusCode::NOT_FOUND),
    }
}

/// A page that says nothing about its charset, at least not in the head.
fn html(file: &'static [u8]) -> Reply {
    text("text/html", file)
}

fn text(content_type: &'static str, file: &'static [u8]) -> Reply {
    Reply::new(content_type, Content::Whole(page(file)))
}

fn attachment(
    content_type: &'static str,
    disposition: &'static str,
    content: impl Into<Bytes>,
) -> Reply {
    Reply::new(content_type, Content::Whole(content.into()))
        .header(CONTENT_DISPOSITION, disposition)
}

fn redirect(to: &'static str) -> Reply {
    text("text/html", b"<BODY><H1>Object moved</H1></BODY>")
        .status(StatusCode::FOUND)
        .header(LOCATION, to)
}

fn picture(name: &str) -> Reply {
    let file: &'static [u8] = match name {
        "bullet.gif" => include_bytes!("pages/images/bullet.gif"),
        "calculator.gif" => include_bytes!("pages/images/calculator.gif"),
        "go.gif" => include_bytes!("pages/images/go.gif"),
        "house.gif" => include_bytes!("pages/images/house.gif"),
        "lock.gif" => include_bytes!("pages/images/lock.gif"),
        "logo.gif" => {
            return gif(include_bytes!("pages/images/logo.gif")).strong_tag("logo-1");
        }
        "masthead.gif" => include_bytes!("pages/images/masthead.gif"),
        "signin.gif" => include_bytes!("pages/images/signin.gif"),
        "small.gif" => include_bytes!("pages/images/small.gif"),
        "spacer.gif" => include_bytes!("pages/images/spacer.gif"),
        _ => return html(include_bytes!("pages/missing.html")).status(StatusCode::NOT_FOUND),
    };
    gif(file)
}

fn gif(file: &'static [u8]) -> Reply {
    Reply::new("image/gif", Content::Whole(Bytes::from_static(file)))
        .header(CACHE_CONTROL, "max-age=3600")
}

/// Any password opens the account; none at all shows the form again.
fn sign_in(form: &[u8]) -> Reply {
    let mut fields = form_urlencoded(form);
    let known = fields.any(|(name, value)| name == b"password" && !value.is_empty());
    if !known {
        let form = fill(
            &page(include_bytes!("pages/login.html")),
            b"<!-- message -->",
            b"<P><FONT FACE=\"Arial,Helvetica\" SIZE=2 COLOR=#CC0000><B>Please type your password.</B></FONT>",
        );
        return Reply::new("text/html", Content::Whole(form.into()));
    }
    redirect("/account")
        .header(SET_COOKIE, "BankSession=4F2A77; path=/; HttpOnly")
        .header(
            SET_COOKIE,
            "lastvisit=\"03/03/2006\"; path=/account; expires=Fri, 31-Dec-2038 23:59:59 GMT",
        )
        .header(SET_COOKIE, "ASPSESSIONIDQGGQ=; path=/")
}

/// Shows the words that were looked for, escaped: old, but not that careless.
fn search(query: &str) -> Reply {
    let words = form_urlencoded(query.as_bytes())
        .find(|(name, _)| *name == b"q")
        .map_or_else(String::new, |(_, value)| shown(value));
    let frame = page(include_bytes!("pages/search.html"));
    let results = fill(&frame, b"<!-- query -->", words.as_bytes());
    Reply::new("text/html", Content::Whole(results.into())).in_chunks_of(512)
}

fn form_urlencoded(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|byte| *byte == b'&').map(|field| {
        let middle = field.iter().position(|byte| *byte == b'=');
        let (name, value) = field.split_at(middle.unwrap_or(field.len()));
        (name, value.get(1..).unwrap_or_default())
    })
}

/// Form-encoded text as HTML; whatever is not a plain character is written as a reference.
fn shown(value: &[u8]) -> String {
    let mut html = String::new();
    for byte in decoded(value) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'.' | b'-' => {
                html.push(char::from(byte));
            }
            other => {
                let _ = write!(html, "&#{other};");
            }
        }
    }
    html
}

fn decoded(mut value: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (byte, rest) = match value {
            [b'%', high, low, rest @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high * 16 + low, rest),
                _ => (b'%', &value[1..]),
            },
            [b'+', rest @ ..] => (b' ', rest),
            [byte, rest @ ..] => (*byte, rest),
            [] => return None,
        };
        value = rest;
        Some(byte)
    })
}

fn hex(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// A form of at most [`FORM_LIMIT`] bytes; what is longer, or breaks off, is cut.
async fn read_form<B: Body>(mut body: Pin<&mut B>) -> Vec<u8> {
    let mut form = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(mut data) = frame.into_data() else {
            break;
        };
        let taken = data.remaining().min(FORM_LIMIT - form.len());
        form.extend_from_slice(&data.copy_to_bytes(taken));
        if form.len() == FORM_LIMIT {
            break;
        }
    }
    form
}

const FORM_LIMIT: usize = 16 * 1024;
/// When the site was last gone over.
const RENOVATION: &str = "Fri, 03 Mar 2006 08:15:00 GMT";
