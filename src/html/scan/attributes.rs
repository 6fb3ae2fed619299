//! The attributes of a start tag.

use std::borrow::Cow;

use memchr::memchr;

use super::tokens::{ends_name, is_space};

/// The attributes of a whole start tag, in order, as they are written.
pub(super) struct Attributes<'t> {
    /// In small letters or not; what has no value has an empty one.
    all: Vec<(&'t [u8], &'t [u8])>,
}

impl<'t> Attributes<'t> {
    /// `start_tag` begins with `<` and ends with `>`.
    pub(super) fn of(start_tag: &'t [u8]) -> Self {
        let name_end = start_tag.iter().position(|byte| ends_name(*byte));
        let mut rest = Rest(&start_tag[name_end.unwrap_or(start_tag.len())..]);
        let all = std::iter::from_fn(|| rest.next()).collect();
        Self { all }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The first attribute of this name.
    pub(super) fn raw(&self, name: &str) -> Option<&'t [u8]> {
        let found = self
            .all
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| *value)
    }

    pub(super) fn text(&self, name: &str) -> Option<Cow<'t, str>> {
        self.raw(name).map(String::from_utf8_lossy)
    }
}

struct Rest<'t>(&'t [u8]);

impl<'t> Rest<'t> {
    fn next(&mut self) -> Option<(&'t [u8], &'t [u8])> {
        self.take(|byte| is_space(byte) || byte == b'/');
        if matches!(self.0, [] | [b'>', ..]) {
            return None;
        }
        // A `=` in front belongs to the name.
        let tail = &self.0[1..];
        let ends = |byte: &u8| ends_name(*byte) || *byte == b'=';
        let length = 1 + tail.iter().position(ends).unwrap_or(tail.len());
        let name = self.split(length);
        self.take(is_space);
        let Some(value) = self.0.strip_prefix(b"=") else {
            return Some((name, b""));
        };
        self.0 = value;
        self.take(is_space);
        Some((name, self.value()))
    }

    fn value(&mut self) -> &'t [u8] {
        match self.0 {
            [quote @ (b'"' | b'\''), inside @ ..] => {
                let end = memchr(*quote, inside).unwrap_or(inside.len());
                self.0 = inside.get(end + 1..).unwrap_or_default();
                &inside[..end]
            }
            _ => self.take(|byte| !is_space(byte) && byte != b'>'),
        }
    }

    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> &'t [u8] {
        let end = self.0.iter().position(|byte| !wanted(*byte));
        self.split(end.unwrap_or(self.0.len()))
    }

    fn split(&mut self, length: usize) -> &'t [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}
