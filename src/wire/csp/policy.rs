use std::ops::Range;

use super::expression::Expression;

/// One serialized policy as it is written (CSP3 2.2.1): what is changed in it is changed at its
/// place, and every other byte stays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy<'a> {
    text: &'a [u8],
}

/// A directive of a policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directive<'a> {
    name: &'a str,
    value: &'a str,
    /// Where the name stands in the policy.
    at: usize,
}

impl<'a> Policy<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text }
    }

    /// The first directive of that name; browsers drop the others.
    pub(super) fn find(&self, name: &str) -> Option<Directive<'a>> {
        self.directives()
            .find(|directive| directive.name.eq_ignore_ascii_case(name))
    }

    fn directives(&self) -> impl Iterator<Item = Directive<'a>> + use<'a> {
        let mut start = 0;
        self.text
            .split(|byte| *byte == b';')
            .filter_map(move |token| {
                let at = start;
                start += token.len() + 1;
                Directive::parse(at, token)
            })
    }

    /// Whether a directive can be added behind the last byte without a `;` of its own.
    fn ends_open(&self) -> bool {
        let end = self.text.trim_ascii_end();
        end.is_empty() || end.ends_with(b";")
    }
}

impl<'a> Directive<'a> {
    /// What is not ASCII is no directive.
    fn parse(at: usize, token: &'a [u8]) -> Option<Self> {
        let token = std::str::from_utf8(token)
            .ok()
            .filter(|token| token.is_ascii())?;
        let trimmed = token.trim_ascii_start();
        let at = at + token.len() - trimmed.len();
        let trimmed = trimmed.trim_ascii_end();
        let name_end = trimmed
            .find(|c: char| c.is_ascii_whitespace())
            .unwrap_or(trimmed.len());
        let (name, value) = trimmed.split_at(name_end);
        (!name.is_empty()).then_some(Self { name, value, at })
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.value.split_ascii_whitespace()
    }

    pub(super) fn expressions(&self) -> impl Iterator<Item = Expression<'a>> + use<'a> {
        self.words().map(Expression::parse)
    }

    pub(super) fn has(&self, expression: Expression<'_>) -> bool {
        self.expressions().any(|one| one == expression)
    }

    pub(super) fn nonces(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.expressions().filter_map(|one| match one {
            Expression::Nonce(nonce) => Some(nonce),
            _ => None,
        })
    }

    /// The words that a longer list keeps: `'none'` means what it says only while it is alone.
    fn kept(&self) -> &'a str {
        let value = self.value.trim_ascii();
        match Expression::parse(value) {
            Expression::Nothing => "",
            _ => value,
        }
    }

    fn end(&self) -> usize {
        self.at + self.name.len() + self.value.len()
    }
}

/// Changes to one policy, collected and then written at once.
#[derive(Debug)]
pub(super) struct Edits<'a> {
    policy: Policy<'a>,
    replaced: Vec<(Range<usize>, String)>,
    added: Vec<String>,
}

impl<'a> Edits<'a> {
    pub(super) fn new(policy: Policy<'a>) -> Self {
        Self {
            policy,
            replaced: Vec::new(),
            added: Vec::new(),
        }
    }

    /// Grows a directive's list at its place. Each directive is grown once at most.
    pub(super) fn grow(&mut self, directive: &Directive<'_>, words: &[String]) {
        let words = words.join(" ");
        let end = directive.end();
        let start = match directive.kept() {
            "" => directive.at + directive.name.len(),
            _ => end,
        };
        self.replaced.push((start..end, format!(" {words}")));
    }

    /// Adds a directive of another name with the list of `model`, grown.
    pub(super) fn copy(&mut self, model: &Directive<'_>, name: &str, words: &[String]) {
        let kept = model.kept().split_ascii_whitespace();
        let all: Vec<&str> = kept.chain(words.iter().map(String::as_str)).collect();
        self.added.push(format!("{name} {}", all.join(" ")));
    }

    /// The policy as it is now; `None` if nothing has changed.
    pub(super) fn write(mut self) -> Option<Vec<u8>> {
        if self.replaced.is_empty() && self.added.is_empty() {
            return None;
        }
        self.replaced.sort_by_key(|(range, _)| range.start);
        let text = self.policy.text;
        let mut out = Vec::with_capacity(text.len() + ROOM);
        let mut done = 0;
        for (range, words) in &self.replaced {
            out.extend_from_slice(&text[done..range.start]);
            out.extend_from_slice(words.as_bytes());
            done = range.end;
        }
        out.extend_from_slice(&text[done..]);
        if !self.added.is_empty() {
            out.truncate(out.trim_ascii_end().len());
            let joint: &[u8] = if self.policy.ends_open() { b" " } else { b"; " };
            out.extend_from_slice(joint);
            out.extend_from_slice(self.added.join("; ").as_bytes());
        }
        Some(out)
    }
}

/// What a policy grows by, more or less: room to reserve, not a limit.
const ROOM: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn finds_the_first_directive_of_a_name_in_any_case() {
        let policy = Policy::new(b" ;; IMG-src\ta ; img-src b; \xe9-src c; x-src \xc3\xa9;y;");
        let found = policy.find("img-src").unwrap();
        assert_eq!(
            (found.name(), found.words().collect::<Vec<_>>()),
            ("IMG-src", vec!["a"])
        );
        assert!(policy.find("x-src").is_none(), "not ASCII");
        assert_eq!(policy.find("y").unwrap().words().count(), 0);
        assert!(policy.find("").is_none());
    }

    #[test]
    fn grows_a_list_where_it_stands() {
        for (text, grown) in [
            (&b"img-src a"[..], &b"img-src a X Y"[..]),
            (b"img-src  a \t; b", b"img-src  a X Y \t; b"),
            (b"img-src", b"img-src X Y"),
            (b" img-src ;b c", b" img-src X Y ;b c"),
            (b"img-src 'none';b", b"img-src X Y;b"),
            (b"img-src\n'NONE' ;", b"img-src X Y ;"),
            (b"img-src 'none' a", b"img-src 'none' a X Y"),
            (b"\xe9; img-src a; \xe9", b"\xe9; img-src a X Y; \xe9"),
        ] {
            let policy = Policy::new(text);
            let mut edits = Edits::new(policy);
            edits.grow(&policy.find("img-src").unwrap(), &words("X Y"));
            assert_eq!(edits.write().unwrap(), grown, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn copies_a_list_into_a_directive_of_its_own() {
        for (text, grown) in [
            (
                &b"default-src a b"[..],
                &b"default-src a b; img-src a b X"[..],
            ),
            (b"default-src a ; ", b"default-src a ; img-src a X"),
            (
                b"default-src\ta\n b;x",
                b"default-src\ta\n b;x; img-src a b X",
            ),
            (b"default-src 'none'", b"default-src 'none'; img-src X"),
            (b"default-src", b"default-src; img-src X"),
        ] {
            let policy = Policy::new(text);
            let mut edits = Edits::new(policy);
            edits.copy(&policy.find("default-src").unwrap(), "img-src", &words("X"));
            assert_eq!(edits.write().unwrap(), grown, "{}", text.escape_ascii());
        }
    }
}
