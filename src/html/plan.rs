use std::fmt;
use std::sync::Arc;

use lol_html::Selector;

use super::{AttributeError, Inheritance, Mask, MaskScope, ScriptTag, lineage};

/// Where the tag goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Placement {
    /// At the very end of the document, once every mask was applied to what stands before it.
    #[default]
    End,
    /// In the head; only for a plan without masks, and the rest of the page is then not parsed.
    Head,
}

/// What becomes of a cobrowse tag that the page already carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExistingTag {
    /// It is put out of action, and ours is written.
    #[default]
    Replace,
    /// It stays, and none is written. Masks are applied all the same.
    Keep,
}

/// What becomes of documents that are shown inside of other ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Frames {
    /// Nothing: the frame shows them as they come, without tag and masks.
    Skip,
    /// The same as of all others: each gets its own tag.
    #[default]
    Tag,
}

/// Whether a page is edited that is marked as not to be changed on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transform {
    /// Always, because the site's owner says so.
    Always,
    #[default]
    UnlessForbidden,
}

/// All that is to be done to a page: a pure function of configuration and path.
#[derive(Clone, Debug)]
pub struct Plan {
    tag: ScriptTag,
    placement: Placement,
    existing_tag: ExistingTag,
    frames: Frames,
    transform: Transform,
    inheritance: Option<Inheritance>,
    /// Shared by all that differ in their tag only.
    masks: Arc<[Mask]>,
    with_references: Option<Arc<Selector>>,
    version: PlanVersion,
}

impl Plan {
    /// `masks` in any order, no two with the same selector. A plan with masks always writes its
    /// tag at the end, whatever `placement` says: callers refuse the combination where a person
    /// can read the refusal.
    pub fn new(
        tag: ScriptTag,
        placement: Placement,
        existing_tag: ExistingTag,
        masks: Vec<Mask>,
    ) -> Self {
        let placement = if masks.is_empty() {
            placement
        } else {
            Placement::End
        };
        let version = PlanVersion::of(&tag, placement, existing_tag, &masks);
        let attributes = masks.iter().flat_map(|mask| mask.selector.attributes());
        Self {
            tag,
            placement,
            existing_tag,
            frames: Frames::default(),
            transform: Transform::default(),
            inheritance: None,
            with_references: lineage::with_references(attributes).map(Arc::new),
            masks: masks.into(),
            version,
        }
    }

    /// With another wish for documents in frames.
    pub fn with_frames(self, frames: Frames) -> Self {
        let setting = format!("frames {}", frames as u8);
        Self { frames, ..self }.versioned_by(&setting)
    }

    /// With another wish for pages that are not to be changed.
    pub fn with_transform(self, transform: Transform) -> Self {
        let setting = format!("transform {}", transform as u8);
        Self { transform, ..self }.versioned_by(&setting)
    }

    /// With attributes of an existing tag that ours takes over. The page's bytes then say something
    /// about the tag, too; as they are what the origin's own validator is of, its version need not.
    pub fn with_inheritance(self, inheritance: Inheritance) -> Self {
        let setting = format!("inherits {}", inheritance.attributes.join(","));
        let inheritance = Some(inheritance);
        Self {
            inheritance,
            ..self
        }
        .versioned_by(&setting)
    }

    /// With something else in its version that decides about what is delivered.
    pub fn versioned_by(mut self, setting: &str) -> Self {
        let mut hash = Fnv1a::new();
        hash.field(&self.version.hash.to_be_bytes());
        hash.field(setting.as_bytes());
        self.version = PlanVersion::new(hash.0);
        self
    }

    /// The same with one more attribute on the tag, and with that in its version.
    pub fn tagged_with(&self, name: &str, value: &str) -> Result<Self, AttributeError> {
        let plan = Self {
            tag: self.tag.with(name, value)?,
            ..self.clone()
        };
        Ok(plan.versioned_by(value))
    }

    pub fn tag(&self) -> &ScriptTag {
        &self.tag
    }

    pub fn placement(&self) -> Placement {
        self.placement
    }

    pub fn existing_tag(&self) -> ExistingTag {
        self.existing_tag
    }

    pub fn frames(&self) -> Frames {
        self.frames
    }

    pub fn transform(&self) -> Transform {
        self.transform
    }

    pub fn inheritance(&self) -> Option<&Inheritance> {
        self.inheritance.as_ref()
    }

    /// The rewriter's mask counts have the same order.
    pub fn masks(&self) -> &[Mask] {
        &self.masks
    }

    /// Elements that may match what they do not seem to.
    pub(super) fn with_references(&self) -> Option<&Selector> {
        self.with_references.as_deref()
    }

    pub fn version(&self) -> PlanVersion {
        self.version
    }
}

/// Identifies what a plan does to a page; part of the page's entity tag.
///
/// The same plan has the same version on every machine and after every restart.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanVersion {
    hash: u64,
    /// The same in hexadecimal digits, as every page's head says it.
    digits: [u8; 16],
}

/// Raised when the engine begins to write other bytes for the same plan.
const ENGINE_REVISION: u8 = 5;

impl PlanVersion {
    fn of(tag: &ScriptTag, placement: Placement, existing: ExistingTag, masks: &[Mask]) -> Self {
        let mut hash = Fnv1a::new();
        hash.field(&[ENGINE_REVISION, placement as u8, existing as u8]);
        hash.field(tag.html());
        for mask in masks {
            hash.mask(mask.selector.as_str(), &mask.scope);
        }
        Self::new(hash.0)
    }

    fn new(hash: u64) -> Self {
        let mut digits = [b'0'; 16];
        for (digit, place) in digits.iter_mut().rev().zip(0..) {
            *digit = b"0123456789abcdef"[(hash >> (4 * place)) as usize & 15];
        }
        Self { hash, digits }
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.digits).unwrap_or_default()
    }
}

impl fmt::Display for PlanVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PlanVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlanVersion({self})")
    }
}

/// Changes whenever other elements are masked, or for others: selectors with their scopes, in an order
/// that is the same each time.
pub fn mask_revision<'a>(masks: impl IntoIterator<Item = (&'a str, &'a MaskScope)>) -> u64 {
    let mut hash = Fnv1a::new();
    for (selector, scope) in masks {
        hash.mask(selector, scope);
    }
    hash.0
}

/// FNV-1a, 64 bits: stable over machines and releases, which std's hashers do not promise. It
/// guards against mistakes, not against attackers: whoever writes plans may write any page.
struct Fnv1a(u64);

impl Fnv1a {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn mask(&mut self, selector: &str, scope: &MaskScope) {
        self.field(selector.as_bytes());
        match scope {
            MaskScope::Everyone => self.field(b"*"),
            MaskScope::Groups(groups) => {
                groups
                    .iter()
                    .for_each(|group| self.field(&group.to_be_bytes()));
            }
        }
    }

    fn field(&mut self, bytes: &[u8]) {
        let length = bytes.len() as u64;
        for byte in length.to_be_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(tag: &str, placement: Placement, masks: &[&str]) -> Plan {
        let tag = ScriptTag::render([("id", Some(tag))]).unwrap();
        let mask = |text: &&str| Mask {
            selector: text.parse().unwrap(),
            scope: MaskScope::Everyone,
        };
        Plan::new(
            tag,
            placement,
            ExistingTag::Replace,
            masks.iter().map(mask).collect(),
        )
    }

    #[test]
    fn the_version_changes_with_whatever_changes_the_page() {
        let base = plan("a", Placement::End, &["#x"]);
        assert_eq!(base.version(), plan("a", Placement::End, &["#x"]).version());
        assert_ne!(base.version(), plan("b", Placement::End, &["#x"]).version());
        assert_ne!(base.version(), plan("a", Placement::End, &["#y"]).version());
        assert_ne!(base.version(), plan("a", Placement::End, &[]).version());
        let versioned = |by| base.clone().versioned_by(by).version();
        assert_eq!(versioned("x"), versioned("x"));
        assert_ne!(versioned("x"), versioned("y"));
        assert_ne!(versioned(""), base.version());
        assert_ne!(
            plan("a", Placement::Head, &[]).version(),
            plan("a", Placement::End, &[]).version()
        );
        let frames = |frames| base.clone().with_frames(frames).version();
        assert_ne!(frames(Frames::Skip), frames(Frames::Tag));
        let transform = |transform| base.clone().with_transform(transform).version();
        assert_ne!(
            transform(Transform::Always),
            transform(Transform::UnlessForbidden)
        );
    }

    #[test]
    fn a_version_is_written_in_sixteen_digits() {
        for (hash, digits) in [
            (0, "0000000000000000"),
            (0x0123_4567_89ab_cdef, "0123456789abcdef"),
            (u64::MAX, "ffffffffffffffff"),
        ] {
            assert_eq!(PlanVersion::new(hash).to_string(), digits);
        }
    }

    #[test]
    fn what_is_said_on_the_tag_is_in_the_version() {
        let base = plan("a", Placement::End, &["#x"]);
        let granted = |value| base.tagged_with("data-grant", value).unwrap();
        assert_eq!(
            granted("v1.a").tag().as_str(),
            "<script id=\"a\" data-grant=\"v1.a\"></script>"
        );
        assert_eq!(granted("v1.a").version(), granted("v1.a").version());
        assert_ne!(granted("v1.a").version(), granted("v1.b").version());
        assert_ne!(granted("v1.a").version(), base.version());
        assert_eq!(granted("v1.a").masks(), base.masks());
    }

    #[test]
    fn the_revision_of_masks_changes_with_selectors_and_scopes() {
        let (all, some) = (MaskScope::Everyone, MaskScope::Groups([7].into()));
        let revisions = [
            mask_revision([]),
            mask_revision([("#x", &all)]),
            mask_revision([("#x", &some)]),
            mask_revision([("#x", &all), ("#y", &all)]),
        ];
        for (at, one) in revisions.iter().enumerate() {
            assert!(!revisions[..at].contains(one), "{at}");
        }
        assert_eq!(mask_revision([("#x", &all)]), revisions[1]);
    }

    #[test]
    fn a_plan_with_masks_never_writes_its_tag_first() {
        assert_eq!(
            plan("a", Placement::Head, &["#x"]).placement(),
            Placement::End
        );
        assert_eq!(plan("a", Placement::Head, &[]).placement(), Placement::Head);
    }
}
