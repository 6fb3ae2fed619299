use std::borrow::Cow;

use crate::document::Fault;

/// Spells a path the one way in which paths are compared with patterns: every byte that may stand in
/// a path for itself plain, also `+`, `:` and their like, all others as `%XX` with capitals. To nearly
/// every server `%2B` and `+` name one page, so rules must not tell them apart. What is sent is not
/// changed by it.
///
/// Only a slash is never decoded, and a star is always encoded: it is a character here, not a wildcard.
pub(in crate::rules) fn canonical_path(path: &str) -> Cow<'_, str> {
    spelled(path, |byte| is_literal(byte) || byte == b'/')
}

/// Spells a pattern the same way; a plain star stays the wildcard that it is, `%2A` is a character.
pub(super) fn canonical_pattern(pattern: &str) -> Cow<'_, str> {
    spelled(pattern, |byte| is_literal(byte) || b"/*".contains(&byte))
}

/// Plain bytes stay as they are if they `may_stay`.
fn spelled(path: &str, may_stay: impl Fn(u8) -> bool) -> Cow<'_, str> {
    if path.bytes().all(&may_stay) {
        return Cow::Borrowed(path);
    }
    let mut spelled = String::with_capacity(path.len() + 16);
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        match escaped_byte(rest) {
            Some(byte) if is_literal(byte) => spelled.push(char::from(byte)),
            Some(byte) => push_escape(&mut spelled, byte),
            None if may_stay(*first) || *first == b'%' => spelled.push(char::from(*first)),
            None => push_escape(&mut spelled, *first),
        }
        rest = if escaped_byte(rest).is_some() {
            &tail[2..]
        } else {
            tail
        };
    }
    Cow::Owned(spelled)
}

/// Refuses what no path has that comes through the request gate: with a rule or a test for it,
/// somebody would rely on what never happens.
pub(in crate::rules) fn check_canonical(text: &str) -> Result<(), Fault> {
    if text.contains('\\') {
        return Err(Fault::new(
            format!("\"{text}\" contains a backslash, which no canonical path does"),
            "write `/`",
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::new(
            format!("{text:?} contains a control character"),
            "remove it",
        ));
    }
    refuse_escapes(text)?;
    refuse_segments(text)
}

fn refuse_escapes(text: &str) -> Result<(), Fault> {
    for (start, _) in text.match_indices('%') {
        let escape: String = text[start..].chars().take(3).collect();
        let Some(byte) = escaped_byte(&text.as_bytes()[start..]) else {
            return Err(Fault::new(
                format!("\"{text}\" contains `{escape}`, which is not a percent-escape"),
                "write two hexadecimal digits after `%`; a percent sign itself is `%25`",
            ));
        };
        if matches!(byte, b'/' | b'\\') || byte.is_ascii_control() {
            return Err(refused_request(text, &format!("`{escape}`")));
        }
    }
    Ok(())
}

fn refuse_segments(text: &str) -> Result<(), Fault> {
    let spelled = canonical_pattern(text);
    let segments = spelled.strip_prefix('/').unwrap_or(&spelled).split('/');
    for segment in segments.clone() {
        let name = segment.split(';').next().unwrap_or_default();
        if matches!(segment, "." | "..") {
            return Err(Fault::new(
                format!(
                    "\"{text}\" contains the segment `{segment}`, which no canonical path does"
                ),
                "write the path that it leads to",
            ));
        }
        if matches!(name, "." | "..") {
            return Err(refused_request(text, &format!("the segment `{segment}`")));
        }
    }
    if segments.rev().skip(1).any(str::is_empty) {
        return Err(Fault::new(
            format!("\"{text}\" contains `//`, which no canonical path does"),
            "write a single slash",
        ));
    }
    Ok(())
}

fn refused_request(text: &str, part: &str) -> Fault {
    Fault::new(
        format!("\"{text}\" contains {part}; requests with it are refused, so rules never see it"),
        "remove it",
    )
}

/// The byte that `%XX` at the beginning of `text` stands for.
fn escaped_byte(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// A path as a server that ignores case sees it: letters in lower case, also those that are written
/// as percent-escapes of UTF-8 (`%C3%89` and `%C3%A9` are one letter to such a server).
pub(in crate::rules) fn fold_case(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(path.to_ascii_lowercase())
        } else {
            Cow::Borrowed(path)
        };
    }
    let mut folded = String::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = leading_escapes(rest);
        if escaped.is_empty() {
            folded.push(char::from(first.to_ascii_lowercase()));
            rest = tail;
        } else {
            fold_escapes(&mut folded, &escaped);
            rest = &rest[escaped.len() * 3..];
        }
    }
    Cow::Owned(folded)
}

/// The bytes of all percent-escapes at the beginning.
fn leading_escapes(text: &[u8]) -> Vec<u8> {
    text.chunks(3).map_while(escaped_byte).collect()
}

fn fold_escapes(folded: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut utf8 = [0; 4];
            for byte in fold_character(character).encode_utf8(&mut utf8).bytes() {
                if is_unreserved(byte) {
                    folded.push(char::from(byte.to_ascii_lowercase()));
                } else {
                    push_escape(folded, byte);
                }
            }
        }
        chunk
            .invalid()
            .iter()
            .for_each(|byte| push_escape(folded, *byte));
    }
}

/// One character to one character, as file systems that ignore case do: by way of the capital.
fn fold_character(character: char) -> char {
    let capital = only(character.to_uppercase()).unwrap_or(character);
    only(capital.to_lowercase()).unwrap_or(capital)
}

fn only(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next();
    if characters.next().is_none() {
        first
    } else {
        None
    }
}

fn push_escape(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// Bytes that name themselves in a segment (RFC 3986 3.3), without the star, which patterns need.
fn is_literal(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()+,;=:@".contains(&byte)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}
