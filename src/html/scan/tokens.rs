//! Where tags begin and end, by the tokenizer of WHATWG HTML 13.2.5. Most bytes are only searched
//! for the next one that can matter.

use memchr::{memchr, memchr2};

use super::name::Name;
use super::script::{Script, ScriptStep};

/// A tokenizer that can stop behind any byte, and knows only HTML: what svg and math need is not
/// in it.
#[derive(Debug)]
pub(super) struct Tokens {
    state: State,
    name: Name,
    /// Where the tag begins that is being read.
    tag_at: u64,
    is_end: bool,
    /// The end tag is that of an element with nothing but text in it.
    ends_text: bool,
    /// How what follows the tag is read.
    next_text: Text,
}

/// How text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// With tags in it.
    Data,
    /// To the page's end.
    Plain,
    /// To the end tag of this name.
    Raw(&'static [u8]),
    Script,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A tag has begun, and its name is known.
    Named,
    /// The tag is whole.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Data,
    Plain,
    Raw(&'static [u8]),
    RawLess(&'static [u8]),
    /// Behind `</` and so many letters of the name.
    RawEnd(&'static [u8], usize),
    Script(Script),
    TagOpen,
    EndTagOpen,
    MarkupOpen,
    MarkupDash,
    Bogus,
    CommentStart,
    CommentStartDash,
    Comment,
    CommentEndDash,
    CommentEnd,
    CommentEndBang,
    TagName,
    BeforeAttribute,
    AttributeName,
    AfterAttributeName,
    BeforeValue,
    Quoted(u8),
    Unquoted,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            state: State::Data,
            name: Name::default(),
            tag_at: 0,
            is_end: false,
            ends_text: false,
            next_text: Text::Data,
        }
    }
}

impl Tokens {
    /// Reads on from `at`, up to what is worth telling or the end of the bytes; `base` is the offset
    /// of the first of them.
    pub(super) fn step(&mut self, bytes: &[u8], at: &mut usize, base: u64) -> Option<Step> {
        while *at < bytes.len() {
            let told = match self.state {
                State::Data => self.find_tag(bytes, at, base),
                State::TagName => self.read_name(bytes, at),
                State::BeforeAttribute
                | State::AttributeName
                | State::AfterAttributeName
                | State::BeforeValue
                | State::Quoted(_)
                | State::Unquoted => self.read_attributes(bytes, at),
                State::Plain => {
                    *at = bytes.len();
                    None
                }
                State::Raw(_) | State::RawLess(_) | State::RawEnd(..) => {
                    self.read_raw(bytes, at, base)
                }
                State::Script(script) => self.read_script(script, bytes, at, base),
                _ => {
                    self.read_markup(bytes, at);
                    None
                }
            };
            if told.is_some() {
                return told;
            }
        }
        None
    }

    /// Whether the tag that was just named has nothing but a name: then it is whole.
    #[inline]
    pub(super) fn has_only_a_name(&mut self, bytes: &[u8], at: &mut usize) -> bool {
        let is_whole = bytes.get(*at) == Some(&b'>');
        if is_whole {
            *at += 1;
            self.state = self.after_tag();
        }
        is_whole
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn is_end_tag(&self) -> bool {
        self.is_end
    }

    /// Whether the end tag is that of an element with nothing but text in it, which is the last that
    /// was opened.
    pub(super) fn ends_text(&self) -> bool {
        self.ends_text
    }

    /// Where the last tag begins.
    pub(super) fn tag_at(&self) -> u64 {
        self.tag_at
    }

    /// What follows the tag that was named is text of this kind.
    pub(super) fn expect(&mut self, text: Text) {
        self.next_text = text;
    }

    /// Whether a tag is being read, or may be.
    pub(super) fn is_in_tag(&self) -> bool {
        self.is_in_name() || self.is_in_attributes()
    }

    /// Whether a tag is being read whose name is not known yet.
    pub(super) fn is_in_name(&self) -> bool {
        matches!(
            self.state,
            State::TagOpen | State::EndTagOpen | State::TagName
        )
    }

    fn is_in_attributes(&self) -> bool {
        matches!(
            self.state,
            State::BeforeAttribute
                | State::AttributeName
                | State::AfterAttributeName
                | State::BeforeValue
                | State::Quoted(_)
                | State::Unquoted
        )
    }

    /// Whether a tag would begin behind the last byte, if one were written there.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Data | State::TagOpen)
    }

    /// The tag that was begun is read by somebody else, and what follows it is data.
    pub(super) fn leave(&mut self) {
        self.state = State::Data;
    }

    fn find_tag(&mut self, bytes: &[u8], at: &mut usize, base: u64) -> Option<Step> {
        let found = match bytes[*at] {
            b'<' => Some(0),
            _ => memchr(b'<', &bytes[*at..]),
        };
        let Some(found) = found else {
            *at = bytes.len();
            return None;
        };
        self.begin_tag(base + (*at + found) as u64);
        *at += found + 1;
        self.state = State::TagOpen;
        // Nearly always a tag follows: its name is read without another turn.
        match bytes.get(*at..) {
            Some([b'/', letter, ..]) if letter.is_ascii_alphabetic() => {
                self.is_end = true;
                *at += 1;
            }
            Some([letter, ..]) if letter.is_ascii_alphabetic() => {}
            _ => return None,
        }
        self.state = State::TagName;
        self.read_name(bytes, at)
    }

    fn begin_tag(&mut self, at: u64) {
        self.tag_at = at;
        self.is_end = false;
        self.ends_text = false;
        self.name.clear();
        self.next_text = Text::Data;
    }

    fn read_name(&mut self, bytes: &[u8], at: &mut usize) -> Option<Step> {
        let rest = &bytes[*at..];
        if self.name.is_empty()
            && let Some(length) = self.name.read(rest)
        {
            *at += length;
            self.state = State::BeforeAttribute;
            return Some(Step::Named);
        }
        let end = rest.iter().position(|byte| ends_name(*byte));
        self.name.push(&rest[..end.unwrap_or(rest.len())]);
        *at += end.unwrap_or(rest.len());
        end?;
        // What ends the name is looked at with the attributes.
        self.state = State::BeforeAttribute;
        Some(Step::Named)
    }

    fn read_attributes(&mut self, bytes: &[u8], at: &mut usize) -> Option<Step> {
        // Nearly always all of the tag is there.
        if self.state == State::BeforeAttribute
            && let Some(end) = tag_end(&bytes[*at..])
        {
            *at += end;
            self.state = self.after_tag();
            return Some(Step::Ended);
        }
        self.read_attribute_parts(bytes, at)
    }

    fn read_attribute_parts(&mut self, bytes: &[u8], at: &mut usize) -> Option<Step> {
        while *at < bytes.len() {
            let rest = &bytes[*at..];
            let Some(end) = self.attribute_part(rest) else {
                *at = bytes.len();
                return None;
            };
            *at += end + 1;
            self.state = match (self.state, rest[end]) {
                (State::Quoted(_), _) => State::BeforeAttribute,
                (_, b'>') => {
                    self.state = self.after_tag();
                    return Some(Step::Ended);
                }
                (State::BeforeValue, quote @ (b'"' | b'\'')) => State::Quoted(quote),
                (State::BeforeValue, _) => State::Unquoted,
                (State::AttributeName | State::AfterAttributeName, b'=') => State::BeforeValue,
                (State::AttributeName, space) if is_space(space) => State::AfterAttributeName,
                (State::Unquoted, _) | (_, b'/') => State::BeforeAttribute,
                _ => State::AttributeName,
            };
        }
        None
    }

    /// How far it is to the next byte that means something in an attribute's part.
    fn attribute_part(&self, rest: &[u8]) -> Option<usize> {
        let mut bytes = rest.iter();
        match self.state {
            State::Quoted(quote) => memchr(quote, rest),
            State::AttributeName => bytes.position(|byte| ends_name(*byte) || *byte == b'='),
            State::Unquoted => bytes.position(|byte| is_space(*byte) || *byte == b'>'),
            State::BeforeAttribute => bytes.position(|byte| !is_space(*byte) && *byte != b'/'),
            _ => bytes.position(|byte| !is_space(*byte)),
        }
    }

    fn after_tag(&self) -> State {
        match self.next_text {
            Text::Data => State::Data,
            Text::Plain => State::Plain,
            Text::Raw(name) => State::Raw(name),
            Text::Script => State::Script(Script::default()),
        }
    }

    fn read_raw(&mut self, bytes: &[u8], at: &mut usize, base: u64) -> Option<Step> {
        let byte = bytes[*at];
        match self.state {
            State::RawLess(name) if byte == b'/' => {
                self.state = State::RawEnd(name, 0);
                *at += 1;
            }
            State::RawEnd(name, read) if read == name.len() && ends_name(byte) => {
                return self.end_text(name);
            }
            State::RawEnd(name, read) if name.get(read) == Some(&byte.to_ascii_lowercase()) => {
                self.state = State::RawEnd(name, read + 1);
                *at += 1;
            }
            State::Raw(name) => match memchr(b'<', &bytes[*at..]) {
                None => *at = bytes.len(),
                Some(found) => {
                    self.begin_tag(base + (*at + found) as u64);
                    *at += found + 1;
                    self.state = State::RawLess(name);
                }
            },
            State::RawLess(name) | State::RawEnd(name, _) => self.state = State::Raw(name),
            _ => {}
        }
        None
    }

    /// Behind `</` and the name of the element that the text is in.
    fn end_text(&mut self, name: &[u8]) -> Option<Step> {
        self.state = State::BeforeAttribute;
        self.is_end = true;
        self.ends_text = true;
        self.next_text = Text::Data;
        self.name.set(name);
        Some(Step::Named)
    }

    fn read_script(
        &mut self,
        mut script: Script,
        bytes: &[u8],
        at: &mut usize,
        base: u64,
    ) -> Option<Step> {
        let step = script.read(bytes, at);
        self.state = State::Script(script);
        match step {
            ScriptStep::More => None,
            ScriptStep::MayEnd => {
                self.begin_tag(base + *at as u64 - 1);
                None
            }
            ScriptStep::Ends => self.end_text(SCRIPT),
        }
    }

    /// What stands behind a `<` that no letter follows.
    fn read_markup(&mut self, bytes: &[u8], at: &mut usize) {
        let rest = &bytes[*at..];
        // The byte is read again in the next state, unless it is taken here.
        let (state, taken) = match (self.state, rest[0]) {
            (State::Comment, _) => match memchr(b'-', rest) {
                None => (State::Comment, rest.len()),
                Some(found) => (State::CommentEndDash, found + 1),
            },
            (State::Bogus, _) => match memchr(b'>', rest) {
                None => (State::Bogus, rest.len()),
                Some(found) => (State::Data, found + 1),
            },
            (State::TagOpen, b'/') => (State::EndTagOpen, 1),
            (State::TagOpen, b'!') => (State::MarkupOpen, 1),
            (State::TagOpen, b'?') => (State::Bogus, 1),
            (State::TagOpen, letter) if letter.is_ascii_alphabetic() => (State::TagName, 0),
            (State::TagOpen, _) => (State::Data, 0),
            (State::EndTagOpen, b'>') => (State::Data, 1),
            (State::EndTagOpen, letter) if letter.is_ascii_alphabetic() => {
                self.is_end = true;
                (State::TagName, 0)
            }
            (State::MarkupOpen, b'-') => (State::MarkupDash, 1),
            (State::MarkupDash, b'-') => (State::CommentStart, 1),
            (State::EndTagOpen | State::MarkupOpen | State::MarkupDash, _) => (State::Bogus, 0),
            (comment, byte) => in_comment(comment, byte),
        };
        self.state = state;
        *at += taken;
    }
}

/// How long the rest of a tag is behind its name, if its end is there.
fn tag_end(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *rest.get(at)? {
            b'>' => return Some(at + 1),
            byte if is_space(byte) || byte == b'/' => at += 1,
            _ => at = attribute_end(rest, at + 1)?,
        }
    }
}

/// Where an attribute ends whose name begins in front of `at`; a `>` behind it is left.
fn attribute_end(rest: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *rest.get(at)? {
            b'=' => break,
            b'/' | b'>' => return Some(at),
            byte if is_space(byte) => {
                at = skip_spaces(rest, at)?;
                match rest[at] {
                    b'=' => break,
                    _ => return Some(at),
                }
            }
            _ => at += 1,
        }
    }
    at = skip_spaces(rest, at + 1)?;
    match rest[at] {
        quote @ (b'"' | b'\'') => {
            let value = rest[at + 1..].iter().position(|byte| *byte == quote)?;
            Some(at + value + 2)
        }
        _ => {
            let value = &rest[at..];
            let end = value
                .iter()
                .position(|byte| *byte == b'>' || is_space(*byte))?;
            Some(at + end)
        }
    }
}

fn skip_spaces(rest: &[u8], at: usize) -> Option<usize> {
    let spaces = rest.get(at..)?.iter().position(|byte| !is_space(*byte))?;
    Some(at + spaces)
}

/// Whether a byte stands behind the name of a tag.
pub(super) fn ends_name(byte: u8) -> bool {
    is_space(byte) || byte == b'/' || byte == b'>'
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

pub(super) const SCRIPT: &[u8] = b"script";

/// The parts of a comment in which each byte counts; how many bytes are taken with it.
fn in_comment(state: State, byte: u8) -> (State, usize) {
    match (state, byte) {
        (State::CommentStart, b'-') => (State::CommentStartDash, 1),
        (State::CommentStart | State::CommentStartDash, b'>')
        | (State::CommentEnd | State::CommentEndBang, b'>') => (State::Data, 1),
        (State::CommentStartDash | State::CommentEndDash | State::CommentEnd, b'-') => {
            (State::CommentEnd, 1)
        }
        (State::CommentEnd, b'!') => (State::CommentEndBang, 1),
        (State::CommentEndBang, b'-') => (State::CommentEndDash, 1),
        _ => (State::Comment, 0),
    }
}

/// The first of two bytes, and how far it is.
pub(super) fn first_of(one: u8, other: u8, bytes: &[u8]) -> Option<(usize, u8)> {
    let found = memchr2(one, other, bytes)?;
    Some((found, bytes[found]))
}
