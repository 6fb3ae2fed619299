//! Where in a page the places are that a plan speaks of. This is a seam: beside the locator of
//! lol_html, the oracle of all, stand one for plans without masks (`html::scan`) and one for XML
//! (`html::xml`).

mod handlers;
mod lol_html;
mod shared;

pub(super) use handlers::{META, fixed, on};
pub(super) use lol_html::{LolHtmlLocator, MAX_PARSER_MEMORY};
pub(super) use shared::Shared;

use super::end_probe::PageEnd;

/// Finds the places of a page that a plan speaks of, while the page streams by.
///
/// This is a seam: a faster locator may stand beside the one of lol_html, which is then its
/// oracle.
pub(super) trait Locate: Send {
    /// Reads on; appends what was found, in the order of the page.
    ///
    /// Returns the offset up to which the page is settled: nothing in front of it will be found
    /// any more. After an error the locator is not used again; what it found stays true.
    fn feed(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<u64, LocatorStop>;

    /// The page has ended; nothing more is found.
    fn finish(self: Box<Self>) -> Result<PageEnd, LocatorStop>;
}

/// Something that a plan speaks of, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Offset of the `<` of the tag.
    pub(super) at: u64,
    pub(super) what: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A `<body>` start tag.
    Body,
    /// A cobrowse tag that runs nowhere.
    DormantTag,
    /// A cobrowse tag of an XML page begins or ends here, and is put out of action by what is laid
    /// around it.
    Enclosure(Enclosure),
    /// A cobrowse tag that the page already carries.
    ExistingTag,
    /// A `<frameset>` start tag.
    Frameset,
    /// The place in the head where the tag may stand: in front of this tag.
    HeadGap,
    /// A `<meta>` with a content security policy.
    Policy,
    /// The same in XML, where no second `content` can be said.
    PolicyInXml,
    /// The end tag of an XML document's root, in front of which our tag may stand; `by_prefix`:
    /// what has no prefix there is not XHTML.
    RootEnd { by_prefix: bool },
    /// An element that the plan's mask of this index matches.
    Mask(usize),
}

/// Where an element is put out of action that no attribute could tell so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enclosure {
    /// In front of its start tag.
    Begin,
    /// Behind its end.
    End,
}

/// Why a locator looks no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocatorStop {
    /// Markup whose reading depends on what a streaming parser cannot know.
    #[error("the markup is ambiguous to a streaming parser")]
    Ambiguity,
    /// The page declares a charset in which bytes below 0x80 do not mean themselves, or, late,
    /// another one than its selectors were compared in.
    #[error("the page declares a charset in which it cannot be read")]
    Charset,
    /// All that was looked for is found.
    #[error("all that was looked for is found")]
    Complete,
    /// It begins like JSON, a script, or XML that is no page.
    #[error("this begins like data, not like a page")]
    Data,
    /// A handler failed, or the parser reported what it should not.
    #[error("the parser failed")]
    Fault,
    #[error("the page needs more memory than a page may have")]
    MemoryLimit,
    /// Nobody said that this is a page, and it does not begin like one.
    #[error("this does not begin like a document")]
    NotADocument,
    /// The parser panicked.
    #[error("the parser panicked")]
    Panic,
    /// The page ends inside of something that is never closed, or throws its body away for frames:
    /// a tag behind it would be text, or nothing.
    #[error("a tag at the end of the page would not be run")]
    TagNotLive,
    /// Nobody says what it is, and not every browser would take it for HTML.
    #[error("this has no media type, and not every browser takes it for HTML")]
    Untyped,
    /// XML that is not well-formed, declares entities of its own, or is made another page of by a
    /// style sheet.
    #[error("the XML is not well-formed, or more than its text")]
    Xml,
    /// An element of an XML page would need an attribute that it has already, which no second one
    /// can overrule there.
    #[error("in XML an attribute cannot be given twice")]
    XmlAttribute,
}
