//! Content security policies that a page carries in `<meta>` elements: the browser obeys them, so
//! that the tag may need them changed. A `content` said right behind the tag name wins over the
//! page's own.

use std::borrow::Cow;
use std::cell::RefCell;

use lol_html::html_content::Element;
use lol_html::{ElementContentHandlers, HtmlRewriter, Settings};

use super::locator::{LocatorStop, META};
use super::script_tag::escape_into;

/// Decides about the policies of a page, and about the nonce of its tag.
pub trait PagePolicies: Send {
    /// What is to stand in place of a policy; `None`: it may stay.
    fn adjust(&mut self, policy: &str) -> Result<Option<String>, PolicyRefused>;

    /// The nonce that the tag is to carry, in the alphabet of base64.
    fn nonce(&self) -> Option<&str>;
}

/// Under a policy of the page the tag would not run, and nothing may or can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyRefused;

/// What is said behind the tag name of the `<meta>` that `start_tag` begins with, if anything is.
pub(super) fn attribute(
    policies: &mut dyn PagePolicies,
    start_tag: &[u8],
) -> Result<Option<String>, PolicyRefused> {
    let written = content(start_tag).ok_or(PolicyRefused)?;
    let policy = decoded(&written).ok_or(PolicyRefused)?;
    let adjusted = policies.adjust(&policy)?;
    Ok(adjusted.map(|policy| {
        let mut text = String::from(" content=\"");
        escape_into(&mut text, &policy);
        text.push('"');
        text
    }))
}

/// The `content` of a `<meta>`, as it is written.
fn content(start_tag: &[u8]) -> Option<String> {
    let found = RefCell::new(None);
    let take = |element: &mut Element<'_, '_>| {
        *found.borrow_mut() = element.get_attribute("content");
        Err(LocatorStop::Complete.into())
    };
    let settings = Settings::new().append_element_content_handler((
        Cow::Borrowed(&*META),
        ElementContentHandlers::default().element(take),
    ));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // It ends in the error with which the handler stops it.
    let _ = rewriter.write(start_tag);
    found.take()
}

/// The value that a browser reads, where that is sure: plain ASCII, with character references in
/// their full form only.
pub(super) fn decoded(written: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_graphic() || c.is_ascii_whitespace();
    if !written.chars().all(plain) {
        return None;
    }
    let mut parts = written.split('&');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(';') {
            Some((name, rest)) if is_reference(name) => {
                text.push(referred(name)?);
                text.push_str(rest);
            }
            _ if part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '#') => return None,
            _ => {
                text.push('&');
                text.push_str(part);
            }
        }
    }
    Some(text)
}

fn is_reference(name: &str) -> bool {
    let name = name.strip_prefix('#').unwrap_or(name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn referred(name: &str) -> Option<char> {
    let code = match name {
        "amp" => return Some('&'),
        "apos" => return Some('\''),
        "quot" => return Some('"'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        _ => name.strip_prefix('#')?,
    };
    let number = match code.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => code.parse().ok()?,
    };
    char::from_u32(number).filter(|c| c.is_ascii_graphic() || *c == ' ')
}

#[cfg(test)]
mod tests;
