use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH};
use http::{HeaderMap, Method, StatusCode, response};

use super::body::PageBody;
use super::expectation::{Expectation, Expected};
use crate::html::{Frames, PageKind, Plan, Transform, charset};
use crate::wire::{AcceptEncoding, Coding, CodingRefusal, MediaType};

/// What becomes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on as it came.
    Pass(SkipReason),
    /// It is a page: its body and head are edited.
    Rewrite(PageBody),
    /// It is the head of a page without its body (HEAD): its fields are those that the page
    /// would have (RFC 9110 9.3.2).
    Describe(PageBody),
}

/// Why a response is left alone; each is a label in the metrics and in the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// Content-Disposition: the visitor's browser stores it rather than show it.
    Attachment,
    /// The status has no body (1xx, 204, 205, 304).
    BodyAbsent,
    /// The head names a charset in which markup cannot be found (ISO-2022-JP), or that browsers
    /// refuse to read (ISO-2022-KR, HZ).
    Charset,
    /// Several content codings on top of each other.
    CodingStacked,
    /// A content coding that the edge cannot read.
    CodingUnknown,
    /// A content security policy does not let the tag run, and may not or cannot be helped.
    Csp,
    /// Content-Length is 0.
    Empty,
    /// A script of the page asked for it, not a person (Sec-Fetch-Dest, X-Requested-With).
    Fragment,
    /// It is for a frame, and the rule says `frames = "skip"`.
    FrameSkipped,
    /// The rule says `inject = false`.
    InjectOff,
    /// Cache-Control: no-transform, in the response.
    NoTransform,
    /// Cache-Control: no-transform, in the request.
    NoTransformAsked,
    /// The media type is neither text/html nor application/xhtml+xml; or there is none, and browsers
    /// are told not to guess.
    NotHtml,
    /// A part of a body (206).
    PartialContent,
    /// The path can be read in two ways to which different rules apply.
    PathAmbiguous,
    /// A redirect, whose body nobody sees.
    Redirect,
    /// More rules, groups or masks meet on the page than a page may have.
    RuleLimits,
    /// XML that is not named as XHTML (text/xml, application/xml). Its root may be XHTML all the same,
    /// which only its bytes would tell; most often it is data.
    Xml,
}

impl SkipReason {
    pub const ALL: [Self; 18] = [
        Self::Attachment,
        Self::BodyAbsent,
        Self::Charset,
        Self::CodingStacked,
        Self::CodingUnknown,
        Self::Csp,
        Self::Empty,
        Self::Fragment,
        Self::FrameSkipped,
        Self::InjectOff,
        Self::NoTransform,
        Self::NoTransformAsked,
        Self::NotHtml,
        Self::PartialContent,
        Self::PathAmbiguous,
        Self::Redirect,
        Self::RuleLimits,
        Self::Xml,
    ];

    /// The label in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attachment => "attachment",
            Self::BodyAbsent => "body_absent",
            Self::Charset => "charset",
            Self::CodingStacked => "coding_stacked",
            Self::CodingUnknown => "coding_unknown",
            Self::Csp => "csp",
            Self::Empty => "empty",
            Self::Fragment => "fragment",
            Self::FrameSkipped => "frame_skipped",
            Self::InjectOff => "inject_off",
            Self::NoTransform => "no_transform",
            Self::NoTransformAsked => "no_transform_asked",
            Self::NotHtml => "not_html",
            Self::PartialContent => "partial_content",
            Self::PathAmbiguous => "path_ambiguous",
            Self::Redirect => "redirect",
            Self::RuleLimits => "rule_limits",
            Self::Xml => "xml",
        }
    }
}

/// What the request says that the verdict needs.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub expected: Expected,
    pub accept: AcceptEncoding,
    pub alteration: Alteration,
}

/// Whether the client lets intermediaries change what it gets (RFC 9111 5.2.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alteration {
    Allowed,
    Refused,
}

/// What may come of a request, as far as it tells before its answer is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// Whatever comes goes on as it is.
    Passed,
    /// If a page comes, it is edited.
    Page,
    /// If a page comes, it is edited; it may as well be part of one.
    Unknown,
}

impl Asked {
    pub fn of(method: Method, headers: &HeaderMap) -> Self {
        Self {
            method,
            expected: Expected::of(headers),
            accept: AcceptEncoding::parse(headers),
            alteration: match forbids_transforming(headers) {
                true => Alteration::Refused,
                false => Alteration::Allowed,
            },
        }
    }

    /// What may come of it under this plan.
    pub fn prospect(&self, plan: &Plan) -> Prospect {
        match (self.skip_reason(plan), self.expected.expectation) {
            (Some(_), _) => Prospect::Passed,
            (None, Expectation::Page | Expectation::Frame) => Prospect::Page,
            (None, Expectation::Fragment | Expectation::Unknown) => Prospect::Unknown,
        }
    }

    /// The request fields by which an answer varies that has this verdict.
    ///
    /// Of a page, caches need not know that a client may refuse all changes: such a client gets
    /// from a cache what the cache has (the other way round would be worse).
    pub fn varies_by(&self, verdict: &Verdict) -> &'static [&'static str] {
        match verdict {
            Verdict::Rewrite(_) | Verdict::Describe(_) => self.expected.looked_at,
            Verdict::Pass(SkipReason::Empty | SkipReason::Fragment | SkipReason::FrameSkipped) => {
                self.expected.looked_at
            }
            Verdict::Pass(SkipReason::NoTransformAsked) => &["Cache-Control"],
            Verdict::Pass(_) => &[],
        }
    }

    /// Why the request alone forbids to edit a page that it gets.
    pub fn skip_reason(&self, plan: &Plan) -> Option<SkipReason> {
        let refused = self.alteration == Alteration::Refused;
        if refused && plan.transform() == Transform::UnlessForbidden {
            return Some(SkipReason::NoTransformAsked);
        }
        match self.expected.expectation {
            Expectation::Fragment => Some(SkipReason::Fragment),
            Expectation::Frame if plan.frames() == Frames::Skip => Some(SkipReason::FrameSkipped),
            Expectation::Frame | Expectation::Page | Expectation::Unknown => None,
        }
    }
}

/// Decides about a response by its head alone. `plan` is what the rules want done to the page, or
/// why they want nothing.
pub fn judge(asked: &Asked, head: &response::Parts, plan: Result<&Plan, SkipReason>) -> Verdict {
    match page_body(asked, head, plan) {
        Err(reason) => Verdict::Pass(reason),
        Ok(codings) if asked.method == Method::HEAD => Verdict::Describe(codings),
        Ok(codings) => Verdict::Rewrite(codings),
    }
}

/// What the answer alone forbids comes first: it holds for everybody, so that nothing varies by it.
fn page_body(
    asked: &Asked,
    head: &response::Parts,
    plan: Result<&Plan, SkipReason>,
) -> Result<PageBody, SkipReason> {
    judge_status(head.status)?;
    let media_type = MediaType::of(&head.headers);
    let kind = judge_media_type(media_type.as_ref(), asked, &head.headers)?;
    let plan = plan?;
    judge_fields(&head.headers, plan)?;
    let label = media_type.as_ref().and_then(MediaType::charset);
    let encoding = label.and_then(charset::labelled);
    if encoding.is_some_and(|encoding| !charset::is_readable(encoding)) {
        return Err(SkipReason::Charset);
    }
    let from = Coding::of(&head.headers).map_err(|refusal| match refusal {
        CodingRefusal::Unknown => SkipReason::CodingUnknown,
        CodingRefusal::Stacked => SkipReason::CodingStacked,
    })?;
    asked.skip_reason(plan).map_or(Ok(()), Err)?;
    judge_length(&head.headers, &asked.method)?;
    Ok(PageBody {
        from,
        to: asked.accept.choose(from),
        charset: encoding,
        kind,
    })
}

fn judge_media_type(
    media_type: Option<&MediaType>,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<PageKind, SkipReason> {
    match media_type.map(MediaType::essence) {
        Some("text/html") => Ok(match asked.expected.expectation {
            Expectation::Page | Expectation::Frame => PageKind::Document,
            Expectation::Fragment | Expectation::Unknown => PageKind::Unknown,
        }),
        Some("application/xhtml+xml") => Ok(PageKind::Xhtml),
        Some("text/xml" | "application/xml") => Err(SkipReason::Xml),
        _ if MediaType::is_guessed(headers) => Ok(PageKind::Untyped),
        _ => Err(SkipReason::NotHtml),
    }
}

fn judge_status(status: StatusCode) -> Result<(), SkipReason> {
    match status {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED => {
            Err(SkipReason::BodyAbsent)
        }
        StatusCode::PARTIAL_CONTENT => Err(SkipReason::PartialContent),
        status if status.is_informational() => Err(SkipReason::BodyAbsent),
        status if status.is_redirection() => Err(SkipReason::Redirect),
        _ => Ok(()),
    }
}

fn judge_fields(headers: &HeaderMap, plan: &Plan) -> Result<(), SkipReason> {
    if is_attachment(headers) {
        return Err(SkipReason::Attachment);
    }
    if plan.transform() == Transform::UnlessForbidden && forbids_transforming(headers) {
        return Err(SkipReason::NoTransform);
    }
    Ok(())
}

/// Some origins answer HEAD with the length of what they send then, which is nothing.
fn judge_length(headers: &HeaderMap, method: &Method) -> Result<(), SkipReason> {
    let length = headers.get(CONTENT_LENGTH);
    if length.is_some_and(|length| length == "0") && method != Method::HEAD {
        Err(SkipReason::Empty)
    } else {
        Ok(())
    }
}

/// Every disposition but `inline` means a download (RFC 6266 4.2).
fn is_attachment(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_DISPOSITION).iter().any(|value| {
        let kind = value
            .as_bytes()
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        !kind.trim_ascii().eq_ignore_ascii_case(b"inline")
    })
}

/// RFC 9111 5.2.1.6 and 5.2.2.6: an intermediary must not change the content.
fn forbids_transforming(headers: &HeaderMap) -> bool {
    headers.get_all(CACHE_CONTROL).iter().any(|value| {
        let mut directives = value.as_bytes().split(|byte| *byte == b',');
        directives.any(|directive| directive.trim_ascii().eq_ignore_ascii_case(b"no-transform"))
    })
}

#[cfg(test)]
mod tests;
