/// A name or value of a query as browsers write it: `+` for a blank, `%XX` for what is not plain. `None`
/// where readers differ: over what is no such triplet (`%u0067`, `%zz`), and over what is not ASCII.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'%', [high, low, after @ ..]) => (digit(*high)? << 4 | digit(*low)?, after),
            (b'%', _) => return None,
            (b'+', _) => (b' ', after),
            (plain, _) => (*plain, after),
        };
        if !byte.is_ascii() {
            return None;
        }
        decoded.push(char::from(byte));
        rest = after;
    }
    Some(decoded)
}

fn digit(character: u8) -> Option<u8> {
    let digit = char::from(character).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_all_read_alike_and_nothing_else() {
        for (text, read) in [
            ("", Some("")),
            ("group", Some("group")),
            ("%67rou%70", Some("group")),
            ("%67%52OUP+", Some("gROUP ")),
            ("%2567roup", Some("%67roup")),
            ("a%00b", Some("a\0b")),
            ("%u0067roup", None),
            ("gr%", None),
            ("gr%6", None),
            ("gr%6g", None),
            ("%+1", None),
            ("%E7roup", None),
            ("%EF%BD%87roup", None),
            ("\u{ff47}roup", None),
        ] {
            assert_eq!(decode(text).as_deref(), read, "{text}");
        }
    }
}
