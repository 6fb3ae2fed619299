/// A pattern for one segment with `*` among other characters, such as `*.asp` or `report-*.html`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::rules) struct Glob {
    head: Box<str>,
    middles: Box<[Box<str>]>,
    tail: Box<str>,
}

impl Glob {
    /// `None` if the text has no `*`, or nothing else.
    pub(in crate::rules) fn parse(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once('*')?;
        let (between, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        let parts = between.split('*').filter(|part| !part.is_empty());
        let glob = Self {
            head: head.into(),
            middles: parts.map(Into::into).collect(),
            tail: tail.into(),
        };
        let only_stars = glob.head.is_empty() && glob.middles.is_empty() && glob.tail.is_empty();
        (!only_stars).then_some(glob)
    }

    pub(in crate::rules) fn matches(&self, segment: &str) -> bool {
        let Some(rest) = segment.strip_prefix(&*self.head) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(&*self.tail) else {
            return false;
        };
        for middle in &self.middles {
            let Some((_, after)) = rest.split_once(&**middle) else {
                return false;
            };
            rest = after;
        }
        true
    }

    /// A segment that this glob matches.
    pub(in crate::rules) fn example(&self) -> String {
        self.example_with("x")
    }

    /// A segment that this glob matches, with this text at one of its stars.
    pub(in crate::rules) fn example_with(&self, text: &str) -> String {
        format!("{}{text}{}{}", self.head, self.middles.join(""), self.tail)
    }

    /// A segment that both match, if there is one: the stars give way, so only the fixed ends decide.
    pub(in crate::rules) fn meet(&self, other: &Self) -> Option<String> {
        let head = longer(&self.head, &other.head, |long, short| {
            long.starts_with(short)
        })?;
        let tail = longer(&self.tail, &other.tail, |long, short| long.ends_with(short))?;
        let (mine, theirs) = (self.middles.join(""), other.middles.join(""));
        Some(format!("{head}x{mine}{theirs}{tail}"))
    }
}

fn longer<'a>(
    left: &'a str,
    right: &'a str,
    agree: impl Fn(&str, &str) -> bool,
) -> Option<&'a str> {
    let (long, short) = if left.len() < right.len() {
        (right, left)
    } else {
        (left, right)
    };
    agree(long, short).then_some(long)
}
