//! Selectors taken apart, and made to match at least what they match in a browser's tree.

use std::collections::BTreeSet;
use std::mem;

use cssparser::{ParseError, Parser, ParserInput, Token, serialize_identifier, serialize_string};
use lol_html::Selector;
use lol_html::errors::SelectorError;

use super::locator::fixed;

/// One alternative of a selector: `a b c` matches a `c` that stands within a `b` that stands
/// within an `a`.
pub(super) struct Lineage {
    /// What must stand around the element, the outermost first.
    pub(super) above: Vec<Compound>,
    pub(super) subject: Compound,
    /// The outermost ancestor, and all within it.
    pub(super) region: Option<Selector>,
}

pub(super) struct Compound {
    pub(super) selector: Selector,
    /// The name that an element must have.
    name: Option<String>,
}

impl Compound {
    pub(super) fn may_be(&self, name: &str) -> bool {
        self.name.as_deref().is_none_or(|own| own == name)
    }
}

/// What is read of a selector.
#[derive(Default)]
pub(super) struct Reading {
    alternatives: Vec<Vec<Part>>,
    /// The attributes that it asks for.
    attributes: Vec<String>,
}

/// A compound selector.
#[derive(Clone, Default)]
struct Part {
    written: String,
    /// How it reads widened.
    wide: String,
    name: Option<String>,
}

/// Elements that a browser makes where no tag is written, so that asking for them as ancestors
/// misses pages that leave their tags out.
const IMPLIED: [&str; 6] = ["html", "head", "body", "tbody", "tr", "colgroup"];

/// What says the same of the element itself: what stands in one that has no tag, and another
/// spelling.
const SUBJECTS: [(&str, &[&str]); 3] = [
    ("img", &["image"]),
    ("tbody", &["tr", "td", "th"]),
    ("tr", &["td", "th"]),
];

impl Reading {
    /// - IDs and classes are compared in any case, as browsers do on pages in quirks mode
    ///   (Selectors 4, 6.6 and 6.7); the edge does not know the mode when it compares.
    /// - `a > b` is read as `a b`: with `<li>1<li>2` the second is within the first as the tags
    ///   stream by, and beside it in the tree.
    /// - Ancestors that may have no tag (`body`, `tbody`) are not asked for, and what must stand
    ///   in an element without a tag stands for it.
    ///
    /// What stands in `:not()`, where matching more would mask less, stays as it is.
    pub(super) fn of(selector: &str) -> Self {
        let mut reading = Self::default();
        let mut input = ParserInput::new(selector);
        reading.read(&mut Parser::new(&mut input));
        reading.add_spellings();
        reading
    }

    fn read(&mut self, parser: &mut Parser<'_, '_>) {
        let (mut parts, mut part) = (Vec::new(), Part::default());
        let mut after_dot = false;
        loop {
            let start = parser.position();
            let token = parser.next_including_whitespace_and_comments().cloned();
            match token {
                Err(_) | Ok(Token::Comma) => {
                    parts.push(mem::take(&mut part));
                    self.alternatives.push(mem::take(&mut parts));
                    if token.is_err() {
                        return;
                    }
                    continue;
                }
                Ok(Token::WhiteSpace(_) | Token::Delim('>')) => {
                    parts.extend(mem::take(&mut part).ancestor());
                    continue;
                }
                Ok(Token::IDHash(ref id)) => self.push_attribute(&mut part, "id", "=", id),
                Ok(Token::Ident(ref class)) if after_dot => {
                    self.push_attribute(&mut part, "class", "~=", class);
                }
                Ok(Token::Delim('.')) => {}
                Ok(ref token) => {
                    if let Token::Ident(name) = token {
                        part.name = Some(name.to_ascii_lowercase());
                    }
                    self.read_block(parser, token);
                    part.wide.push_str(parser.slice_from(start));
                }
            }
            part.written.push_str(parser.slice_from(start));
            after_dot = token == Ok(Token::Delim('.'));
        }
    }

    /// Reads past a block, which stays as it stands, and takes notice of its attributes.
    fn read_block(&mut self, parser: &mut Parser<'_, '_>, token: &Token<'_>) {
        if !matches!(
            token,
            Token::Function(_) | Token::SquareBracketBlock | Token::ParenthesisBlock
        ) {
            return;
        }
        let _ = parser.parse_nested_block(|block| {
            while let Ok(token) = block.next().cloned() {
                match &token {
                    Token::Ident(name) => self.attributes.push(name.to_ascii_lowercase()),
                    Token::IDHash(_) => self.attributes.push("id".to_owned()),
                    Token::Delim('.') => self.attributes.push("class".to_owned()),
                    block_or_other => self.read_block(block, block_or_other),
                }
            }
            Ok::<(), ParseError<'_, ()>>(())
        });
    }

    fn push_attribute(&mut self, part: &mut Part, name: &str, operator: &str, value: &str) {
        self.attributes.push(name.to_owned());
        part.wide.push('[');
        part.wide.push_str(name);
        part.wide.push_str(operator);
        // Writing to a String cannot fail.
        let _ = serialize_string(value, &mut part.wide);
        part.wide.push_str(" i]");
    }

    fn add_spellings(&mut self) {
        for at in 0..self.alternatives.len() {
            let Some(subject) = self.alternatives[at].last() else {
                continue;
            };
            // Only what is nothing but a name can be an element without a tag.
            let implied = |name: &str| name == "img" || subject.written.eq_ignore_ascii_case(name);
            let spellings = SUBJECTS
                .iter()
                .find(|(name, _)| subject.name.as_deref() == Some(name) && implied(name));
            for spelling in spellings.map_or(&[][..], |(_, spellings)| spellings) {
                let mut alternative = self.alternatives[at].clone();
                if let Some(subject) = alternative.last_mut() {
                    subject.rename(spelling);
                }
                self.alternatives.push(alternative);
            }
        }
    }

    /// The whole selector, as it reads widened.
    pub(super) fn widened(&self) -> String {
        let wide = |parts: &Vec<Part>| {
            let parts = parts.iter().map(|part| part.wide.as_str());
            parts.collect::<Vec<_>>().join(" ")
        };
        let alternatives: Vec<_> = self.alternatives.iter().map(wide).collect();
        alternatives.join(",")
    }

    pub(super) fn lineages(&self) -> Result<Vec<Lineage>, SelectorError> {
        self.alternatives
            .iter()
            .map(|parts| lineage(parts))
            .collect()
    }

    pub(super) fn attributes(&self) -> &[String] {
        &self.attributes
    }
}

/// Elements in which one of the attributes may be spelled with a character reference.
pub(super) fn with_references<'a>(
    attributes: impl Iterator<Item = &'a String>,
) -> Option<Selector> {
    let spelled = |name: &String| {
        let mut selector = String::from("[");
        // Writing to a String cannot fail.
        let _ = serialize_identifier(name, &mut selector);
        selector + "*='&']"
    };
    let attributes: BTreeSet<_> = attributes.map(spelled).collect();
    let selector = attributes.into_iter().collect::<Vec<_>>().join(",");
    (!selector.is_empty()).then(|| selector.parse().unwrap_or_else(|_| fixed("*")))
}

impl Part {
    /// The part of an ancestor, if it is asked for.
    fn ancestor(self) -> Option<Self> {
        let implied = IMPLIED
            .iter()
            .any(|name| self.written.eq_ignore_ascii_case(name));
        (!self.written.is_empty() && !implied).then_some(self)
    }

    /// Asks for another name; names stand first.
    fn rename(&mut self, name: &str) {
        let rest = self.name.as_ref().map_or(0, String::len);
        self.wide.replace_range(..rest, name);
        self.name = Some(name.to_owned());
    }
}

fn lineage(parts: &[Part]) -> Result<Lineage, SelectorError> {
    let compound = |part: &Part| -> Result<Compound, SelectorError> {
        let selector = part.wide.parse()?;
        let name = part.name.clone().filter(|name| name != "*");
        Ok(Compound { selector, name })
    };
    let (subject, above) = parts.split_last().ok_or(SelectorError::EmptySelector)?;
    let region = above.first().map(|outermost| {
        let wide = &outermost.wide;
        format!("{wide},{wide} *").parse()
    });
    Ok(Lineage {
        above: above.iter().map(compound).collect::<Result<_, _>>()?,
        subject: compound(subject)?,
        region: region.transpose()?,
    })
}
