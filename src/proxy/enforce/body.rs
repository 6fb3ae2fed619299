use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::claims::Reader;
use super::refusal::EnforceRefusal;
use crate::wire::{EdgeBody, MediaType, full_body};

/// How long a body may take that is held until it was read: as long as a head may.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    /// `application/x-www-form-urlencoded`
    Urlencoded,
    /// The settings say that no group is in it.
    Unread,
}

/// Reads what a body says of groups, and gives it back as it was.
pub(super) async fn read(
    headers: &HeaderMap,
    body: EdgeBody,
    reader: &mut Reader<'_>,
) -> Result<EdgeBody, EnforceRefusal> {
    if body.is_end_stream() {
        return Ok(body);
    }
    let form = form(headers, reader)?;
    if form == Form::Unread {
        return Ok(body);
    }
    let bytes = collect(body, reader.config.body_bytes_max).await?;
    match form {
        Form::Json if !bytes.is_empty() => reader.read_json(&bytes)?,
        Form::Urlencoded => read_form(&bytes, reader)?,
        Form::Json | Form::Unread => {}
    }
    Ok(full_body(bytes))
}

fn form(headers: &HeaderMap, reader: &Reader<'_>) -> Result<Form, EnforceRefusal> {
    let json = reader.config.reads_json();
    let media_type = only_type(headers);
    let essence = media_type.as_ref().map_or("", MediaType::essence);
    let form = match essence {
        "application/x-www-form-urlencoded" => Form::Urlencoded,
        "application/json" | "text/json" if json => Form::Json,
        suffixed if json && suffixed.ends_with("+json") => Form::Json,
        other
            if !json
                || reader
                    .config
                    .unread_types
                    .iter()
                    .any(|unread| unread == other) =>
        {
            return Ok(Form::Unread);
        }
        _ => return Err(EnforceRefusal::BodyType),
    };
    let charset = media_type.as_ref().and_then(MediaType::charset);
    let plain = charset.is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"));
    match plain && !is_coded(headers) {
        true => Ok(form),
        false => Err(EnforceRefusal::BodyType),
    }
}

/// `None` where two readers could take different ones.
fn only_type(headers: &HeaderMap) -> Option<MediaType> {
    let mut lines = headers.get_all(CONTENT_TYPE).into_iter();
    let line = lines.next().filter(|_| lines.next().is_none())?;
    let text = line.to_str().ok()?;
    let charsets = text.to_ascii_lowercase().matches("charset").count();
    MediaType::parse(text).filter(|_| charsets <= 1 && !text.contains(','))
}

fn is_coded(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).into_iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Holds a body until it has ended.
async fn collect(body: EdgeBody, max: usize) -> Result<Bytes, EnforceRefusal> {
    if body.size_hint().lower() > max as u64 {
        return Err(EnforceRefusal::BodyTooLarge);
    }
    let read = timeout(BODY_TIMEOUT, collect_frames(body, max)).await;
    read.unwrap_or(Err(EnforceRefusal::BodySlow))
}

async fn collect_frames(mut body: EdgeBody, max: usize) -> Result<Bytes, EnforceRefusal> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| EnforceRefusal::BodyBroken)?;
        let data = frame.into_data().unwrap_or_default();
        if bytes.len() + data.len() > max {
            return Err(EnforceRefusal::BodyTooLarge);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// A reader that looks at the body before it looks at its type would find JSON in it.
fn read_form(bytes: &[u8], reader: &mut Reader<'_>) -> Result<(), EnforceRefusal> {
    let text = std::str::from_utf8(bytes).map_err(|_| EnforceRefusal::BodyUnreadable)?;
    let could_be_json = text.trim_start().starts_with(['{', '[', '"', '\u{feff}']);
    if could_be_json && reader.config.reads_json() {
        return Err(EnforceRefusal::BodyUnreadable);
    }
    reader.read_query(text).map_err(|refusal| match refusal {
        EnforceRefusal::QueryUnreadable => EnforceRefusal::BodyUnreadable,
        other => other,
    })
}
