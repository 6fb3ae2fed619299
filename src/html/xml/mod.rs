//! XHTML that is served as XML. There every name counts as it is written, every element is ended,
//! a script is an element like all others, and whatever is not well-formed ends the page: none of what
//! the HTML parser is needed for, and none of what it forgives.
//!
//! Read strictly, and only as far as it is certain: a page that declares entities of its own, or is
//! transformed by a style sheet, is left alone.

mod element;
mod markup;
mod open_elements;
mod selector;

use std::sync::{Arc, LazyLock};

pub(super) use selector::XmlSelector;

use self::element::StartTag;
use self::markup::{Markup, Token, Tokenizer};
use self::open_elements::OpenElements;
use super::end_probe::PageEnd;
use super::locator::{Enclosure, Finding, Found, Locate, LocatorStop};
use super::{ExistingTag, MaskScope, Plan};

/// The locator of XHTML; it is fed UTF-8.
pub(super) struct XmlLocator {
    plan: Arc<Plan>,
    tokenizer: Tokenizer,
    open: OpenElements,
    seen: Seen,
    /// How deep the cobrowse tag lies that is being enclosed.
    enclosed: Option<usize>,
}

/// How much of a document was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    /// Something that no XML declaration may stand behind.
    Prologue,
    Root,
}

impl XmlLocator {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        Self {
            plan,
            tokenizer: Tokenizer::default(),
            open: OpenElements::default(),
            seen: Seen::Nothing,
            enclosed: None,
        }
    }

    fn read(&mut self, token: &Token, found: &mut Vec<Finding>) -> Result<(), LocatorStop> {
        match token.markup {
            Markup::Text if self.open.is_empty() => only_space(&token.bytes)?,
            Markup::Cdata if self.open.is_empty() => return Err(LocatorStop::Xml),
            Markup::Doctype if self.seen == Seen::Root => return Err(LocatorStop::Xml),
            Markup::Instruction => check_instruction(&token.bytes, self.seen)?,
            Markup::StartTag => self.enter(token, found)?,
            Markup::EndTag => return self.leave(token, found),
            Markup::Cdata | Markup::Comment | Markup::Doctype | Markup::Text => {}
        }
        if self.seen == Seen::Nothing && token.bytes != BYTE_ORDER_MARK {
            self.seen = Seen::Prologue;
        }
        Ok(())
    }

    fn enter(&mut self, token: &Token, found: &mut Vec<Finding>) -> Result<(), LocatorStop> {
        let tag = StartTag::parse(&token.bytes).ok_or(LocatorStop::Xml)?;
        let is_root = self.seen != Seen::Root;
        self.seen = Seen::Root;
        let is_empty = tag.is_empty;
        self.open.enter(tag)?;
        if is_root && !self.open.is_html_root() {
            return Err(LocatorStop::NotADocument);
        }
        self.look(token.at, found)?;
        if is_empty {
            self.end_enclosure(token, found);
            self.open.leave();
        }
        // Behind the root no tag can stand, and this one has no end to stand in front of.
        if self.open.is_empty() {
            return Err(LocatorStop::TagNotLive);
        }
        Ok(())
    }

    /// Looks at the element that was entered last. Where a second attribute of one name would have
    /// to be written, which ends an XML page, nothing is written any more.
    fn look(&mut self, at: u64, found: &mut Vec<Finding>) -> Result<(), LocatorStop> {
        if self.enclosed.is_some() {
            return Ok(());
        }
        if self.open.last_may_be_cobrowse_tag() {
            if self.plan.existing_tag() == ExistingTag::Replace {
                self.enclose(at, found);
                return Ok(());
            }
            found.push(Finding {
                at,
                what: Found::ExistingTag,
            });
        }
        if self.open.matches(&POLICY)? {
            found.push(Finding {
                at,
                what: Found::PolicyInXml,
            });
        }
        let mut matching = Vec::new();
        for (index, mask) in self.plan.masks().iter().enumerate() {
            if self.open.matches(mask.selector.in_xml())? {
                matching.push(index);
            }
        }
        if self.is_masked_already(&matching)? {
            return Ok(());
        }
        found.extend(matching.into_iter().map(|index| Finding {
            at,
            what: Found::Mask(index),
        }));
        Ok(())
    }

    /// Nothing more is looked for within: a stop there would leave the enclosure open, and the page not
    /// well-formed.
    fn enclose(&mut self, at: u64, found: &mut Vec<Finding>) {
        self.enclosed = Some(self.open.depth());
        found.push(Finding {
            at,
            what: Found::Enclosure(Enclosure::Begin),
        });
    }

    /// The element that was entered last ends with this tag.
    fn end_enclosure(&mut self, token: &Token, found: &mut Vec<Finding>) {
        if self.enclosed == Some(self.open.depth()) {
            self.enclosed = None;
            found.push(Finding {
                at: token.at + token.bytes.len() as u64,
                what: Found::Enclosure(Enclosure::End),
            });
        }
    }

    fn is_masked_already(&self, matching: &[usize]) -> Result<bool, LocatorStop> {
        let for_everyone = |index: &usize| self.plan.masks()[*index].scope == MaskScope::Everyone;
        let name = match matching {
            [] => return Ok(false),
            masks if masks.iter().any(for_everyone) => "glance_masked",
            _ => "data-cobrowse-mask-groups",
        };
        match self.open.last_attribute(name) {
            None => Ok(false),
            Some("true") if name == "glance_masked" => Ok(true),
            Some(_) => Err(LocatorStop::XmlAttribute),
        }
    }

    fn leave(&mut self, token: &Token, found: &mut Vec<Finding>) -> Result<(), LocatorStop> {
        let name = token.bytes.strip_prefix(b"</").unwrap_or_default();
        let name = name.strip_suffix(b">").unwrap_or_default().trim_ascii_end();
        if !self.open.last_is_named(name) {
            return Err(LocatorStop::Xml);
        }
        if self.open.is_root() {
            let by_prefix = !self.open.is_html_by_default();
            let what = Found::RootEnd { by_prefix };
            found.push(Finding { at: token.at, what });
            return Err(LocatorStop::Complete);
        }
        self.end_enclosure(token, found);
        self.open.leave();
        Ok(())
    }
}

impl Locate for XmlLocator {
    fn feed(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<u64, LocatorStop> {
        self.tokenizer.push(bytes);
        while let Some(token) = self.tokenizer.next()? {
            self.read(&token, found)?;
        }
        Ok(self.tokenizer.settled())
    }

    /// A page that has come to its root's end is not read to its own.
    fn finish(self: Box<Self>) -> Result<PageEnd, LocatorStop> {
        Ok(PageEnd::Inert)
    }
}

fn only_space(text: &[u8]) -> Result<(), LocatorStop> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    match text.iter().all(space) {
        true => Ok(()),
        false => Err(LocatorStop::Xml),
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An XML declaration stands first; a style sheet in XSLT makes another page of this one.
fn check_instruction(instruction: &[u8], seen: Seen) -> Result<(), LocatorStop> {
    let instruction = instruction.strip_prefix(b"<?").unwrap_or_default();
    let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'?';
    let end = instruction.iter().position(ends).unwrap_or_default();
    let (target, rest) = instruction.split_at(end);
    let is_declaration = target.eq_ignore_ascii_case(b"xml");
    let transforms =
        target == b"xml-stylesheet" && !rest.windows(8).any(|part| part == b"text/css");
    if target.is_empty() || transforms || is_declaration && seen != Seen::Nothing {
        return Err(LocatorStop::Xml);
    }
    Ok(())
}

static POLICY: LazyLock<XmlSelector> =
    LazyLock::new(|| fixed(r#"meta[http-equiv="content-security-policy" i][content]"#));

#[expect(
    clippy::expect_used,
    reason = "the selectors are constants, parsed by every test"
)]
fn fixed(selector: &str) -> XmlSelector {
    XmlSelector::parse(selector).expect("invariant: a constant selector parses")
}

#[cfg(test)]
mod tests;
