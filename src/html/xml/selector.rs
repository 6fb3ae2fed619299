use std::convert::Infallible;
use std::fmt::{self, Write};
use std::sync::Arc;

use cssparser::{Parser as CssParser, ParserInput, ToCss, serialize_identifier};
use precomputed_hash::PrecomputedHash;
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::context::{
    MatchingContext, MatchingForInvalidation, MatchingMode, NeedsSelectorFlags, QuirksMode,
    SelectorCaches,
};
use selectors::matching::{ElementSelectorFlags, matches_selector_list};
use selectors::parser::{
    NonTSPseudoClass, ParseRelative, Parser, PseudoElement, SelectorImpl, SelectorList,
    SelectorParseErrorKind,
};
use selectors::{Element, OpaqueElement};

use super::element::StartTag;
use super::open_elements::split;

/// A selector as it is matched in XML: names, IDs and classes count as they are written, and
/// elements are where their tags are.
#[derive(Clone)]
pub(in super::super) struct XmlSelector {
    list: Arc<SelectorList<Names>>,
    text: Arc<str>,
}

impl XmlSelector {
    /// `None` where the text is no selector. What only a browser could match is refused elsewhere.
    pub(in super::super) fn parse(text: &str) -> Option<Self> {
        let mut input = ParserInput::new(text);
        let mut parser = CssParser::new(&mut input);
        let list = SelectorList::parse(&Syntax, &mut parser, ParseRelative::No).ok()?;
        Some(Self {
            list: Arc::new(list),
            text: text.into(),
        })
    }

    /// Whether it may ask for an attribute.
    pub(super) fn names(&self, attribute: &str) -> bool {
        let spelled_out = !self.text.contains('\\');
        matches!(attribute, "class" | "id") || !spelled_out || self.text.contains(attribute)
    }

    /// Whether it matches the innermost of the open elements.
    pub(super) fn matches(&self, open: &[StartTag]) -> bool {
        let Some(index) = open.len().checked_sub(1) else {
            return false;
        };
        let mut caches = SelectorCaches::default();
        let mut context = MatchingContext::new(
            MatchingMode::Normal,
            None,
            &mut caches,
            QuirksMode::NoQuirks,
            NeedsSelectorFlags::No,
            MatchingForInvalidation::No,
        );
        matches_selector_list(&self.list, &OpenElement { open, index }, &mut context)
    }
}

/// An element, among those that it stands in.
#[derive(Clone, Debug)]
struct OpenElement<'d> {
    open: &'d [StartTag],
    index: usize,
}

impl OpenElement<'_> {
    fn tag(&self) -> &StartTag {
        &self.open[self.index]
    }

    fn value(&self, name: &str) -> Option<&str> {
        let attribute = self.tag().attribute(name)?;
        Some(attribute.value.as_deref().unwrap_or_default())
    }
}

impl Element for OpenElement<'_> {
    type Impl = Names;

    fn opaque(&self) -> OpaqueElement {
        OpaqueElement::new(self.tag())
    }

    fn parent_element(&self) -> Option<Self> {
        let index = self.index.checked_sub(1)?;
        Some(Self { index, ..*self })
    }

    fn has_local_name(&self, name: &Name) -> bool {
        split(&self.tag().name).1 == &*name.0
    }

    fn attr_matches(
        &self,
        namespace: &NamespaceConstraint<&Name>,
        name: &Name,
        operation: &AttrSelectorOperation<&Name>,
    ) -> bool {
        let in_none = match namespace {
            NamespaceConstraint::Any => true,
            NamespaceConstraint::Specific(namespace) => namespace.0.is_empty(),
        };
        let value = self
            .value(&name.0)
            .filter(|_| in_none && !name.0.contains(':'));
        value.is_some_and(|value| operation.eval_str(value))
    }

    fn has_id(&self, id: &Name, case: CaseSensitivity) -> bool {
        let own = self.value("id");
        own.is_some_and(|own| case.eq(own.as_bytes(), id.0.as_bytes()))
    }

    fn has_class(&self, class: &Name, case: CaseSensitivity) -> bool {
        let classes = self.value("class").unwrap_or_default();
        let mut classes = classes.split_ascii_whitespace();
        classes.any(|own| case.eq(own.as_bytes(), class.0.as_bytes()))
    }

    fn is_root(&self) -> bool {
        self.index == 0
    }

    fn is_same_type(&self, other: &Self) -> bool {
        self.tag().name == other.tag().name
    }

    fn is_html_element_in_html_document(&self) -> bool {
        false
    }

    // Nothing of this is asked for by a selector that a mask may have.

    fn has_namespace(&self, _: &Name) -> bool {
        false
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        false
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        false
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        None
    }

    fn next_sibling_element(&self) -> Option<Self> {
        None
    }

    fn first_element_child(&self) -> Option<Self> {
        None
    }

    fn match_non_ts_pseudo_class(&self, never: &Never, _: &mut MatchingContext<'_, Names>) -> bool {
        match never.0 {}
    }

    fn match_pseudo_element(&self, never: &Never, _: &mut MatchingContext<'_, Names>) -> bool {
        match never.0 {}
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        false
    }

    fn is_html_slot_element(&self) -> bool {
        false
    }

    fn has_custom_state(&self, _: &Name) -> bool {
        false
    }

    fn imported_part(&self, _: &Name) -> Option<Name> {
        None
    }

    fn is_part(&self, _: &Name) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        false
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}

/// What selectors are made of: text.
#[derive(Clone, Debug)]
struct Names;

impl SelectorImpl for Names {
    type ExtraMatchingData<'a> = ();
    type AttrValue = Name;
    type Identifier = Name;
    type LocalName = Name;
    type NamespaceUrl = Name;
    type NamespacePrefix = Name;
    type BorrowedNamespaceUrl = Name;
    type BorrowedLocalName = Name;
    type NonTSPseudoClass = Never;
    type PseudoElement = Never;
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Name(Box<str>);

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl ToCss for Name {
    fn to_css<W: Write>(&self, text: &mut W) -> fmt::Result {
        serialize_identifier(&self.0, text)
    }
}

impl PrecomputedHash for Name {
    /// Only filters ask for it, and there are none.
    fn precomputed_hash(&self) -> u32 {
        0
    }
}

/// There are no pseudo-classes and no pseudo-elements.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Never(Infallible);

impl ToCss for Never {
    fn to_css<W: Write>(&self, _: &mut W) -> fmt::Result {
        match self.0 {}
    }
}

impl NonTSPseudoClass for Never {
    type Impl = Names;

    fn is_active_or_hover(&self) -> bool {
        match self.0 {}
    }

    fn is_user_action_state(&self) -> bool {
        match self.0 {}
    }
}

impl PseudoElement for Never {
    type Impl = Names;
}

struct Syntax;

impl<'i> Parser<'i> for Syntax {
    type Impl = Names;
    type Error = SelectorParseErrorKind<'i>;
}

impl fmt::Debug for XmlSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "XmlSelector({})", self.text)
    }
}
