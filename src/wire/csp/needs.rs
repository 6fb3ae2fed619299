use super::Source;

/// What a page's policies must allow so that its tag runs, and that the script can do its work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Where the tag's script and the scripts that it loads come from.
    pub script: Vec<Source>,
    /// What they talk to.
    pub connect: Vec<Source>,
    pub style: Vec<Source>,
    pub img: Vec<Source>,
    pub frame: Vec<Source>,
    /// What the tag's `integrity` says, each as `sha384-...`.
    pub integrity: Vec<Box<str>>,
}

/// What may be done to the policies of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Treatment {
    /// Nothing, and the tag is written whatever they say.
    Leave,
    /// They are grown by what the script needs.
    #[default]
    Patch,
    /// Nothing; a page whose policies do not allow the script gets no tag.
    Refuse,
}

/// A kind of request that a policy judges (CSP3 6.8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetch {
    Connect,
    Frame,
    Img,
    Script,
    Style,
}

impl Fetch {
    pub(super) const ALL: [Self; 5] = [
        Self::Script,
        Self::Connect,
        Self::Style,
        Self::Img,
        Self::Frame,
    ];

    /// The directives that may decide, the first that is there does (CSP3 6.8.3).
    pub(super) fn fallbacks(self) -> &'static [&'static str] {
        match self {
            Self::Connect => &["connect-src", "default-src"],
            Self::Frame => &["frame-src", "child-src", "default-src"],
            Self::Img => &["img-src", "default-src"],
            Self::Script => &["script-src-elem", "script-src", "default-src"],
            Self::Style => &["style-src-elem", "style-src", "default-src"],
        }
    }

    /// The directive that takes over a list from one that decides about other requests, too.
    pub(super) fn own_directive(self) -> &'static str {
        match self {
            Self::Connect => "connect-src",
            Self::Frame => "frame-src",
            Self::Img => "img-src",
            Self::Script => "script-src",
            Self::Style => "style-src",
        }
    }

    pub(super) fn needed(self, needs: &Needs) -> &[Source] {
        match self {
            Self::Connect => &needs.connect,
            Self::Frame => &needs.frame,
            Self::Img => &needs.img,
            Self::Script => &needs.script,
            Self::Style => &needs.style,
        }
    }
}
