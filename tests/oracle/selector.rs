//! Selectors as browsers match them, in a whole tree: type, IDs, classes, ` ` and `>`.

use super::tree::Place;

/// A selector and what it means, the last compound selector first.
pub(crate) struct Selector {
    pub(crate) text: &'static str,
    subject: Compound,
    above: Vec<(Combinator, Compound)>,
}

#[derive(Clone, Copy)]
enum Combinator {
    Child,
    Descendant,
}

#[derive(Default)]
struct Compound {
    name: Option<&'static str>,
    id: Option<&'static str>,
    classes: Vec<&'static str>,
}

impl Selector {
    pub(crate) fn new(text: &'static str) -> Self {
        let mut above = Vec::new();
        let mut combinator = Combinator::Descendant;
        for word in text.split_whitespace() {
            if word == ">" {
                combinator = Combinator::Child;
            } else {
                above.insert(0, (combinator, Compound::new(word)));
                combinator = Combinator::Descendant;
            }
        }
        // Each stands with the combinator in front of it; it belongs to the one above.
        let combinators: Vec<_> = above.iter().map(|(combinator, _)| *combinator).collect();
        let mut compounds = above.into_iter().map(|(_, compound)| compound);
        let subject = compounds.next().expect("a selector is not empty");
        Self {
            text,
            subject,
            above: combinators.into_iter().zip(compounds).collect(),
        }
    }

    /// IDs and classes count in any case, as they do in quirks mode.
    pub(crate) fn matches(&self, place: Place<'_>) -> bool {
        self.subject.matches(place) && matches_above(&self.above, place)
    }
}

fn matches_above(above: &[(Combinator, Compound)], place: Place<'_>) -> bool {
    let Some(((combinator, compound), rest)) = above.split_first() else {
        return true;
    };
    let reach = match combinator {
        Combinator::Child => 1,
        Combinator::Descendant => usize::MAX,
    };
    let mut ancestors = place.ancestors().take(reach);
    ancestors.any(|ancestor| compound.matches(ancestor) && matches_above(rest, ancestor))
}

impl Compound {
    fn new(word: &'static str) -> Self {
        let mut compound = Self::default();
        let marks: Vec<_> = word.match_indices(['#', '.']).collect();
        let ends = marks.iter().skip(1).map(|(at, _)| *at);
        for ((at, mark), end) in marks.iter().zip(ends.chain([word.len()])) {
            let name = &word[at + 1..end];
            match *mark {
                "#" => compound.id = Some(name),
                _ => compound.classes.push(name),
            }
        }
        let name = &word[..marks.first().map_or(word.len(), |(at, _)| *at)];
        compound.name = (!name.is_empty() && name != "*").then_some(name);
        compound
    }

    fn matches(&self, place: Place<'_>) -> bool {
        let has_id = |id: &str| {
            place
                .attribute("id")
                .is_some_and(|own| own.eq_ignore_ascii_case(id))
        };
        self.name.is_none_or(|name| name == place.name())
            && self.id.is_none_or(has_id)
            && self.classes.iter().all(|class| place.has_class(class))
    }
}
