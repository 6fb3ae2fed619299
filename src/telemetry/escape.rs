//! Text from outside, made fit for one line of a log: it can neither end the line nor leave the
//! quotes it stands in, nor send control sequences to a terminal.

use std::fmt::{self, Write};

/// Displays text between double quotes, as a JSON string (which the human form uses too).
pub(super) struct Quoted<'a>(pub(super) &'a str);

/// Displays text bare when it is a plain word, else quoted.
pub(super) struct Word<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            write_escaped(f, c)?;
        }
        f.write_char('"')
    }
}

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '=');
        if !self.0.is_empty() && self.0.chars().all(plain) {
            f.write_str(self.0)
        } else {
            Quoted(self.0).fmt(f)
        }
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '"' => f.write_str("\\\""),
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        c if must_not_show(c) => write!(f, "\\u{:04x}", u32::from(c)),
        c => f.write_char(c),
    }
}

/// Controls, and what reorders or breaks the line it is shown in (all below U+10000).
fn must_not_show(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotes() {
        let table = [
            ("plain", r#""plain""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\r\nGET / 200", r#""a\r\nGET / 200""#),
            ("\u{1b}[2J\u{7f}\u{9b}", r#""\u001b[2J\u007f\u009b""#),
            ("\u{202e}\u{2028}", r#""\u202e\u2028""#),
            ("straße 中", r#""straße 中""#),
        ];
        for (text, expected) in table {
            assert_eq!(Quoted(text).to_string(), expected);
        }
    }

    #[test]
    fn only_plain_words_stand_bare() {
        let table = [
            ("/mortgage/apply", "/mortgage/apply"),
            ("", r#""""#),
            ("mortgage desk", r#""mortgage desk""#),
            ("x\nsite=evil", r#""x\nsite=evil""#),
            ("a=b", r#""a=b""#),
        ];
        for (text, expected) in table {
            assert_eq!(Word(text).to_string(), expected);
        }
    }
}
