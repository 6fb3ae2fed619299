use std::fmt;
use std::sync::Arc;

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

/// What a site lets be done to its policies, and for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    pub treatment: Treatment,
    pub needs: Arc<Needs>,
}

/// All of it, in a form that is the same on every machine.
impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.treatment.as_str())?;
        for fetch in Fetch::ALL {
            write!(f, "; {}", fetch.own_directive())?;
            for source in fetch.needed(&self.needs) {
                write!(f, " {source}")?;
            }
        }
        Ok(())
    }
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

impl Treatment {
    /// As a rule file writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leave => "leave",
            Self::Patch => "patch",
            Self::Refuse => "refuse",
        }
    }
}

impl Needs {
    /// The directives that are grown, each with what it must allow; empty lists are left out.
    pub fn by_directive(&self) -> impl Iterator<Item = (&'static str, &[Source])> {
        let lists = Fetch::ALL.map(|fetch| (fetch.own_directive(), fetch.needed(self)));
        lists.into_iter().filter(|(_, list)| !list.is_empty())
    }
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
