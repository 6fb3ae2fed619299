use super::super::existing_tag::may_be_cobrowse_tag;
use super::super::locator::LocatorStop;
use super::element::{Attribute, StartTag};
use super::selector::XmlSelector;

/// The elements that are open, from the root inwards.
#[derive(Debug, Default)]
pub(super) struct OpenElements {
    open: Vec<StartTag>,
    size: usize,
}

/// Browsers read no deeper: libxml2 ends a page at 256 or 2048.
const MAX_DEPTH: usize = 512;

/// What may be kept of open elements, to compare selectors with.
const MAX_SIZE: usize = 2 * 1024 * 1024;

const XHTML: &str = "http://www.w3.org/1999/xhtml";

impl OpenElements {
    pub(super) fn enter(&mut self, tag: StartTag) -> Result<(), LocatorStop> {
        self.size += tag.size();
        self.open.push(tag);
        match self.open.len() > MAX_DEPTH || self.size > MAX_SIZE {
            true => Err(LocatorStop::MemoryLimit),
            false => Ok(()),
        }
    }

    pub(super) fn leave(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.size -= tag.size();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_root(&self) -> bool {
        self.open.len() == 1
    }

    pub(super) fn last_is_named(&self, name: &[u8]) -> bool {
        self.open
            .last()
            .is_some_and(|tag| tag.name.as_bytes() == name)
    }

    /// An attribute of the element that was entered last.
    pub(super) fn last_attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.open.last()?.attribute(name)?;
        Some(attribute.value.as_deref().unwrap_or_default())
    }

    pub(super) fn last_may_be_cobrowse_tag(&self) -> bool {
        let last = self.open.last().map(|tag| split(&tag.name).1);
        matches!(last, Some("meta" | "script"))
            && may_be_cobrowse_tag(|name| self.last_attribute(name))
    }

    /// Whether the root is XHTML's `html`, under whatever prefix.
    pub(super) fn is_html_root(&self) -> bool {
        let Some(root) = self.open.first() else {
            return false;
        };
        let (prefix, name) = split(&root.name);
        name == "html" && declares(root, prefix, XHTML)
    }

    /// Whether an element without a prefix is XHTML where only the root is open.
    pub(super) fn is_html_by_default(&self) -> bool {
        let mut root = self.open.first().into_iter();
        root.any(|root| declares(root, None, XHTML))
    }

    /// Whether a selector matches the element that was entered last.
    pub(super) fn matches(&self, selector: &XmlSelector) -> Result<bool, LocatorStop> {
        // What an entity that is declared elsewhere stands for is not known.
        let last = self.open.last().into_iter();
        let mut unknown = last
            .flat_map(|tag| &tag.attributes)
            .filter(|attribute| attribute.value.is_none());
        if unknown.any(|attribute| selector.names(&attribute.name)) {
            return Err(LocatorStop::Xml);
        }
        Ok(selector.matches(&self.open))
    }
}

/// Prefix and name.
pub(super) fn split(name: &str) -> (Option<&str>, &str) {
    match name.split_once(':') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, name),
    }
}

fn declares(tag: &StartTag, prefix: Option<&str>, namespace: &str) -> bool {
    let declares = |attribute: &&Attribute| match (prefix, split(&attribute.name)) {
        (None, (None, name)) => name == "xmlns",
        (Some(prefix), (Some("xmlns"), name)) => name == prefix,
        _ => false,
    };
    let mut declaration = tag.attributes.iter().filter(declares);
    declaration.any(|attribute| attribute.value.as_deref() == Some(namespace))
}
