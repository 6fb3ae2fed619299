use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, SERVER, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;

use super::coding::{self, Encoded};
use crate::wire::{BoxError, CodecError, Coding, EdgeBody, empty_body, full_body};

/// An answer of the bank before it is fitted to the request: conditions, coding, HEAD.
pub(super) struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    validator: Validator,
    content: Content,
}

pub(super) enum Content {
    Whole(Bytes),
    /// Sent without a length.
    Chunks(Box<dyn Iterator<Item = Bytes> + Send>),
    /// Sent as it comes, never in a coding.
    Live(EdgeBody),
}

enum Validator {
    Nothing,
    /// The inside of a strong entity tag.
    Strong(&'static str),
    /// An HTTP date.
    Date(&'static str),
}

impl Reply {
    pub(super) fn new(content_type: &'static str, content: Content) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(SERVER, HeaderValue::from_static("Example-IIS/5.0"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status: StatusCode::OK,
            headers,
            validator: Validator::Nothing,
            content,
        }
    }

    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// One more field line; a name may come several times.
    pub(super) fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.append(name, HeaderValue::from_static(value));
        self
    }

    pub(super) fn strong_tag(mut self, tag: &'static str) -> Self {
        self.validator = Validator::Strong(tag);
        self
    }

    pub(super) fn last_modified(mut self, date: &'static str) -> Self {
        self.validator = Validator::Date(date);
        self
    }

    /// The same content without a length, in pieces of `size` bytes.
    pub(super) fn in_chunks_of(mut self, size: usize) -> Self {
        if let Content::Whole(mut bytes) = self.content {
            self.content = Content::Chunks(Box::new(std::iter::from_fn(move || {
                let chunk = bytes.split_to(size.min(bytes.len()));
                (!chunk.is_empty()).then_some(chunk)
            })));
        }
        self
    }

    /// Fits the answer to what was asked.
    pub(super) fn fit(mut self, request: &Parts) -> Response<EdgeBody> {
        let coding = self.coding(request);
        self.write_validator(coding);
        if self.is_unchanged(&request.headers) {
            return self.not_modified();
        }
        let body = self.body(coding);
        let mut response = Response::new(body);
        if let Some(length) = response.body().size_hint().exact() {
            self.headers.insert(CONTENT_LENGTH, length.into());
        }
        if request.method == Method::HEAD {
            *response.body_mut() = empty_body();
        }
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }

    /// The coding to be used, written into the head. `?plain` asks for none.
    fn coding(&mut self, request: &Parts) -> Option<Coding> {
        if !self.is_text() {
            return None;
        }
        self.headers
            .insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        let query = request.uri.query().unwrap_or_default();
        if query.split('&').any(|part| part == "plain") {
            return None;
        }
        let coding = coding::accepted(&request.headers)?;
        let name = HeaderValue::from_static(coding.as_str());
        self.headers.insert(CONTENT_ENCODING, name);
        Some(coding)
    }

    fn is_text(&self) -> bool {
        let content_type = self.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let text = content_type.is_some_and(|value| value.starts_with(b"text/"));
        text && !matches!(self.content, Content::Live(_))
    }

    /// A strong tag names one representation, so each coding has its own (RFC 9110 8.8.3.3).
    fn write_validator(&mut self, coding: Option<Coding>) {
        match self.validator {
            Validator::Nothing => {}
            Validator::Strong(tag) => {
                let suffix =
                    coding.map_or_else(String::new, |coding| format!("-{}", coding.as_str()));
                if let Ok(value) = format!("\"{tag}{suffix}\"").parse() {
                    self.headers.insert(ETAG, value);
                }
            }
            Validator::Date(date) => {
                let date = HeaderValue::from_static(date);
                self.headers.insert(LAST_MODIFIED, date);
            }
        }
    }

    /// RFC 9110 13.2.2: the date counts only where no tag is given.
    fn is_unchanged(&self, request: &HeaderMap) -> bool {
        if request.contains_key(IF_NONE_MATCH) {
            return self
                .headers
                .get(ETAG)
                .is_some_and(|tag| names(request, tag));
        }
        let ours = self.headers.get(LAST_MODIFIED).and_then(date);
        let theirs = request.get(IF_MODIFIED_SINCE).and_then(date);
        ours.zip(theirs)
            .is_some_and(|(ours, theirs)| ours <= theirs)
    }

    fn not_modified(mut self) -> Response<EdgeBody> {
        self.headers.remove(CONTENT_TYPE);
        self.headers.remove(CONTENT_ENCODING);
        let mut response = Response::new(empty_body());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.headers_mut() = self.headers;
        response
    }

    fn body(&mut self, coding: Option<Coding>) -> EdgeBody {
        let content = std::mem::replace(&mut self.content, Content::Whole(Bytes::new()));
        match (content, coding) {
            (Content::Live(body), _) => body,
            (Content::Whole(bytes), None) => full_body(bytes),
            (Content::Whole(bytes), Some(coding)) => {
                let chunks = Encoded::new(coding, std::iter::once(bytes));
                match chunks.collect::<Result<Vec<_>, CodecError>>() {
                    Ok(chunks) => full_body(chunks.concat()),
                    Err(error) => Chunked(std::iter::once(Err(error))).boxed_unsync(),
                }
            }
            (Content::Chunks(chunks), None) => Chunked(chunks.map(Ok)).boxed_unsync(),
            (Content::Chunks(chunks), Some(coding)) => {
                Chunked(Encoded::new(coding, chunks)).boxed_unsync()
            }
        }
    }
}

/// Whether `If-None-Match` names this tag, by the weak comparison that it asks for.
fn names(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let lines = request.get_all(IF_NONE_MATCH).into_iter();
    let mut members = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    members.any(|member| {
        let member = member.trim();
        member == "*" || member.strip_prefix("W/").unwrap_or(member) == tag
    })
}

fn date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}

/// A body whose length is not known before its end.
struct Chunked<I>(I);

impl<I: Iterator<Item = Result<Bytes, CodecError>> + Unpin> Body for Chunked<I> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let chunk = self.0.next();
        Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data).map_err(Into::into)))
    }
}
