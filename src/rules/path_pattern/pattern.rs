use std::fmt;
use std::str::FromStr;

use crate::document::Fault;
use crate::rules::limits::MAX_PATTERN_BYTES;

use super::canonical::{canonical_pattern, check_canonical, fold_case};
use super::{Glob, Rank};

/// A pattern over whole paths.
///
/// Segments are literal text, `*` (exactly one segment, not empty), text with `*` inside it (any
/// characters of that one segment) or `**` (any number of whole segments, also none, so `/a/**`
/// matches `/a` and `/a/` too). The text is kept in canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) struct PathPattern {
    text: Box<str>,
    segments: Box<[Segment]>,
    rank: Rank,
}

/// No path and no pattern has control characters.
const NAMELESS: &str = "\0";
/// How many segments `**` stands for in examples.
const RESTS: [usize; 4] = [0, 1, 2, 16];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Segment {
    Literal(Box<str>),
    /// `*` among other characters.
    Partial(Glob),
    /// `*`
    One,
    /// `**`
    Rest,
}

impl PathPattern {
    pub(in crate::rules) fn as_str(&self) -> &str {
        &self.text
    }

    pub(in crate::rules) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(in crate::rules) fn rank(&self) -> Rank {
        self.rank
    }

    /// The same pattern for a site whose server ignores case.
    pub(in crate::rules) fn folded(&self) -> Self {
        Self::of_canonical(&fold_case(&self.text))
    }

    /// Paths that the pattern matches, with nothing at its wildcards that a pattern can name; `**` as none, one, two
    /// and many segments.
    pub(in crate::rules) fn examples(&self) -> impl Iterator<Item = String> + '_ {
        let has_rest = self.segments.contains(&Segment::Rest);
        let rests = if has_rest { &RESTS[..] } else { &RESTS[..1] };
        rests.iter().map(|rest| self.example(*rest))
    }

    fn example(&self, rest: usize) -> String {
        let mut path = String::new();
        for segment in &self.segments {
            let (segment, times) = match segment {
                Segment::Literal(text) => (text.to_string(), 1),
                Segment::Partial(glob) => (glob.example_with(NAMELESS), 1),
                Segment::One => (NAMELESS.to_owned(), 1),
                Segment::Rest => (NAMELESS.to_owned(), rest),
            };
            (0..times).for_each(|_| {
                path.push('/');
                path.push_str(&segment);
            });
        }
        match path.is_empty() {
            true => "/".to_owned(),
            false => path,
        }
    }

    /// Whether the pattern can match a path that has `;` in it.
    pub(in crate::rules) fn names_parameters(&self) -> bool {
        self.text.contains(';')
    }

    fn of_canonical(text: &str) -> Self {
        let path = text.strip_prefix('/').unwrap_or(text);
        let segments: Box<[_]> = path.split('/').map(Segment::of).collect();
        Self {
            text: text.into(),
            rank: Rank::of(&segments),
            segments,
        }
    }
}

impl FromStr for PathPattern {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        refuse_what_no_path_has(text)?;
        let spelled = canonical_pattern(text);
        let segments: Vec<&str> = spelled[1..].split('/').collect();
        segments
            .iter()
            .try_for_each(|segment| refuse_stars_inside(text, segment))?;
        if segments.windows(2).any(|pair| pair == ["**", "**"]) {
            return Err(Fault::new(
                format!("\"{text}\" has `**` twice in a row"),
                "write it once: it stands for any number of segments already",
            ));
        }
        Ok(Self::of_canonical(&spelled))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Segment {
    fn of(text: &str) -> Self {
        match text {
            "*" => Self::One,
            "**" => Self::Rest,
            _ => Glob::parse(text).map_or_else(|| Self::Literal(text.into()), Self::Partial),
        }
    }
}

/// Checks the whole text, before it is spelled canonically.
fn refuse_what_no_path_has(text: &str) -> Result<(), Fault> {
    let fault = |message: String, remedy: &str| Err(Fault::new(message, remedy));
    if text.len() > MAX_PATTERN_BYTES {
        let message = format!("a path of {} bytes", text.len());
        return fault(message, "write a shorter one, with wildcards");
    }
    if text.contains("://") {
        let message = format!("\"{text}\" is a URL, not a path");
        return fault(message, "write the path only; hosts belong to the site");
    }
    if !text.starts_with('/') {
        let message = format!("\"{text}\" does not begin with a slash");
        let remedy = format!("write \"/{text}\"");
        return fault(message, &remedy);
    }
    if text.contains('?') {
        let message = format!("\"{text}\" contains a query; rules see the path only");
        return fault(message, "remove `?` and what follows");
    }
    if text.contains('#') {
        let message = format!("\"{text}\" contains a fragment, which browsers never send");
        return fault(message, "remove `#` and what follows");
    }
    check_canonical(text)
}

fn refuse_stars_inside(text: &str, segment: &str) -> Result<(), Fault> {
    if segment.contains("**") && segment != "**" {
        return Err(Fault::new(
            format!("\"{text}\" has `**` inside the segment `{segment}`"),
            "write `*` inside a segment; `**` stands between two slashes, for any number of segments",
        ));
    }
    Ok(())
}
