use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memmem};

use super::super::locator::LocatorStop;

/// What a piece of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    Cdata,
    Comment,
    Doctype,
    EndTag,
    /// Or an XML declaration.
    Instruction,
    /// Or that of an element without content.
    StartTag,
    Text,
}

/// A piece of a document; of comments and CDATA sections only the end.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) at: u64,
    pub(super) markup: Markup,
    pub(super) bytes: Bytes,
}

/// Takes a document apart, in whatever pieces it comes.
#[derive(Debug, Default)]
pub(super) struct Tokenizer {
    held: BytesMut,
    /// Where the first byte that is held stands.
    at: u64,
    inside: Option<Markup>,
    /// How much of an unfinished tag was looked at, and the quote that is open there.
    scanned: usize,
    quote: Option<u8>,
}

/// The longest tag, doctype or processing instruction.
const MAX_MARKUP: usize = 2 * 1024 * 1024;

impl Tokenizer {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Up to here, nothing will be found any more.
    pub(super) fn settled(&self) -> u64 {
        self.at
    }

    /// The next whole piece; text comes in any pieces.
    pub(super) fn next(&mut self) -> Result<Option<Token>, LocatorStop> {
        if self.held.is_empty() {
            return Ok(None);
        }
        let token = match self.inside {
            Some(markup) => self.leave(markup),
            None => self.begin(),
        }?;
        if token.is_none() && self.held.len() > MAX_MARKUP {
            return Err(LocatorStop::MemoryLimit);
        }
        Ok(token)
    }

    fn begin(&mut self) -> Result<Option<Token>, LocatorStop> {
        match *self.held {
            [b'<'] => Ok(None),
            [b'<', b'!', ..] => self.declaration(),
            [b'<', b'?', ..] => Ok(self.instruction()),
            [b'<', b'/', ..] => self.tag(Markup::EndTag),
            [b'<', ..] => self.tag(Markup::StartTag),
            _ => {
                let end = memchr(b'<', &self.held).unwrap_or(self.held.len());
                Ok(Some(self.take(Markup::Text, end)))
            }
        }
    }

    fn take(&mut self, markup: Markup, length: usize) -> Token {
        let at = self.at;
        let bytes = self.held.split_to(length).freeze();
        self.at += length as u64;
        (self.scanned, self.quote, self.inside) = (0, None, None);
        Token { at, markup, bytes }
    }

    fn skip(&mut self, length: usize) {
        self.held.advance(length);
        self.at += length as u64;
    }

    fn declaration(&mut self) -> Result<Option<Token>, LocatorStop> {
        for (opening, markup) in [
            (&b"<!--"[..], Markup::Comment),
            (b"<![CDATA[", Markup::Cdata),
            (b"<!DOCTYPE", Markup::Doctype),
        ] {
            if opening.len() > self.held.len() && opening.starts_with(&self.held) {
                return Ok(None);
            }
            if self.held.starts_with(opening) {
                if markup == Markup::Doctype {
                    return self.tag(markup);
                }
                self.skip(opening.len());
                self.inside = Some(markup);
                return self.leave(markup);
            }
        }
        Err(LocatorStop::Xml)
    }

    /// Looks for the end of a comment or a CDATA section. Two dashes in a comment are its end, or
    /// an error.
    fn leave(&mut self, markup: Markup) -> Result<Option<Token>, LocatorStop> {
        let end: &[u8] = match markup {
            Markup::Comment => b"--",
            _ => b"]]>",
        };
        let Some(found) = memmem::find(&self.held, end) else {
            let keep = self.held.len().min(end.len() - 1);
            self.skip(self.held.len() - keep);
            return Ok(None);
        };
        if markup != Markup::Comment {
            return Ok(Some(self.take(markup, found + end.len())));
        }
        match self.held.get(found + 2) {
            None => {
                self.skip(found);
                Ok(None)
            }
            Some(b'>') => Ok(Some(self.take(markup, found + 3))),
            Some(_) => Err(LocatorStop::Xml),
        }
    }

    fn instruction(&mut self) -> Option<Token> {
        let from = self.scanned.max(2);
        let Some(found) = self
            .held
            .get(from..)
            .and_then(|rest| memmem::find(rest, b"?>"))
        else {
            self.scanned = self.held.len() - 1;
            return None;
        };
        Some(self.take(Markup::Instruction, from + found + 2))
    }

    /// Reads to the `>` that stands in no quotes. A doctype with declarations of its own is not
    /// read: they may bring attributes, and entities that hold markup.
    fn tag(&mut self, markup: Markup) -> Result<Option<Token>, LocatorStop> {
        for at in self.scanned.max(1)..self.held.len() {
            match (self.quote, self.held[at]) {
                (Some(quote), byte) if byte == quote => self.quote = None,
                (Some(_), b'<') if markup != Markup::Doctype => return Err(LocatorStop::Xml),
                (Some(_), _) => {}
                (None, quote @ (b'"' | b'\'')) => self.quote = Some(quote),
                (None, b'>') => return Ok(Some(self.take(markup, at + 1))),
                (None, b'<') => return Err(LocatorStop::Xml),
                (None, b'[') if markup == Markup::Doctype => return Err(LocatorStop::Xml),
                (None, _) => {}
            }
        }
        self.scanned = self.held.len();
        Ok(None)
    }
}
