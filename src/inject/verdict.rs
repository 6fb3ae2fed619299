use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH};
use http::{HeaderMap, Method, StatusCode, response};

use super::body::PageBody;
use super::expectation::Expectation;
use crate::html::{PageKind, Plan, charset};
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
    /// The head names a charset in which markup cannot be found (UTF-16, ISO-2022-JP).
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
    /// The rule says `inject = false`.
    InjectOff,
    /// Cache-Control: no-transform.
    NoTransform,
    /// The media type is not text/html.
    NotHtml,
    /// A part of a body (206).
    PartialContent,
    /// The path can be read in two ways to which different rules apply.
    PathAmbiguous,
    /// A redirect, whose body nobody sees.
    Redirect,
    /// More rules, groups or masks meet on the page than a page may have.
    RuleLimits,
}

impl SkipReason {
    pub const ALL: [Self; 15] = [
        Self::Attachment,
        Self::BodyAbsent,
        Self::Charset,
        Self::CodingStacked,
        Self::CodingUnknown,
        Self::Csp,
        Self::Empty,
        Self::Fragment,
        Self::InjectOff,
        Self::NoTransform,
        Self::NotHtml,
        Self::PartialContent,
        Self::PathAmbiguous,
        Self::Redirect,
        Self::RuleLimits,
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
            Self::InjectOff => "inject_off",
            Self::NoTransform => "no_transform",
            Self::NotHtml => "not_html",
            Self::PartialContent => "partial_content",
            Self::PathAmbiguous => "path_ambiguous",
            Self::Redirect => "redirect",
            Self::RuleLimits => "rule_limits",
        }
    }
}

/// What the request says that the verdict needs.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub expectation: Expectation,
    pub accept: AcceptEncoding,
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

fn page_body(
    asked: &Asked,
    head: &response::Parts,
    plan: Result<&Plan, SkipReason>,
) -> Result<PageBody, SkipReason> {
    judge_status(head.status)?;
    let media_type = MediaType::of(&head.headers).filter(|media| media.essence() == "text/html");
    let media_type = media_type.ok_or(SkipReason::NotHtml)?;
    plan?;
    if asked.expectation == Expectation::Fragment {
        return Err(SkipReason::Fragment);
    }
    judge_fields(&head.headers, &asked.method)?;
    let encoding = media_type.charset().and_then(charset::labelled);
    if encoding.is_some_and(|encoding| !charset::is_ascii_compatible(encoding)) {
        return Err(SkipReason::Charset);
    }
    let from = Coding::of(&head.headers).map_err(|refusal| match refusal {
        CodingRefusal::Unknown => SkipReason::CodingUnknown,
        CodingRefusal::Stacked => SkipReason::CodingStacked,
    })?;
    Ok(PageBody {
        from,
        to: asked.accept.choose(from),
        charset: encoding,
        kind: match asked.expectation {
            Expectation::Page => PageKind::Document,
            Expectation::Fragment | Expectation::Unknown => PageKind::Unknown,
        },
    })
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

fn judge_fields(headers: &HeaderMap, method: &Method) -> Result<(), SkipReason> {
    if is_attachment(headers) {
        return Err(SkipReason::Attachment);
    }
    if forbids_transforming(headers) {
        return Err(SkipReason::NoTransform);
    }
    // Some origins answer HEAD with the length of what they send then, which is nothing.
    let empty = headers
        .get(CONTENT_LENGTH)
        .is_some_and(|length| length == "0");
    if empty && method != Method::HEAD {
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

/// RFC 9111 5.2.2.6: an intermediary must not change the content.
fn forbids_transforming(headers: &HeaderMap) -> bool {
    headers.get_all(CACHE_CONTROL).iter().any(|value| {
        let mut directives = value.as_bytes().split(|byte| *byte == b',');
        directives.any(|directive| directive.trim_ascii().eq_ignore_ascii_case(b"no-transform"))
    })
}

#[cfg(test)]
mod tests;
