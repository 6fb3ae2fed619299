//! Readers of single TOML values. A fault leaves the name of the key open, because a value does not
//! know it: [`Fault::named`] fills it in.

use toml::de::DeValue;

use super::fault::{Fault, THIS_KEY};

/// Bytes of any text value: what is longer is a mistake.
const MAX_TEXT_BYTES: usize = 4_096;

/// Text, read further by `parse`.
pub fn text<T>(
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    text_written("it in double quotes", parse)
}

/// The same for text that cannot be empty.
pub fn filled_text<T>(
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    text(move |text| match text {
        "" => Err(empty()),
        text => parse(text),
    })
}

/// Text; who wrote something else is told to write `how`.
pub(super) fn text_written<T>(
    how: &'static str,
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    move |value| match value {
        DeValue::String(text) if text.len() > MAX_TEXT_BYTES => Err(Fault::new(
            format!("{THIS_KEY} is {} bytes long", text.len()),
            format!("keep to {MAX_TEXT_BYTES} bytes"),
        )),
        DeValue::String(text) => parse(text),
        other => Err(wrong_type(other, "text", how)),
    }
}

/// Text that a person will read: not empty, in one line.
pub fn plain_text(text: &str) -> Result<String, Fault> {
    if text.trim().is_empty() {
        return Err(empty());
    }
    if text.chars().any(char::is_control) {
        let message = format!("{THIS_KEY} contains a control character or a line break");
        return Err(Fault::new(message, "write it in one line"));
    }
    Ok(text.to_owned())
}

/// One of a few words.
pub fn one_of<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    text(move |given| {
        let found = words.iter().find(|(word, _)| *word == given);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<_> = words
                .iter()
                .map(|(word, _)| format!("\"{word}\""))
                .collect();
            Fault::new(
                format!("{THIS_KEY} cannot be {given:?}"),
                format!("write one of {}", known.join(", ")),
            )
        })
    })
}

/// `true` or `false`.
pub fn flag(value: &DeValue<'_>) -> Result<bool, Fault> {
    match value {
        DeValue::Boolean(flag) => Ok(*flag),
        other => Err(wrong_type(
            other,
            "true or false",
            "true or false, without quotes",
        )),
    }
}

/// A whole number; one that does not fit 64 bits is `i64::MAX`, which no setting allows.
pub fn whole_number(value: &DeValue<'_>) -> Result<i64, Fault> {
    match value {
        DeValue::Integer(number) => {
            Ok(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or(i64::MAX))
        }
        other => Err(no_whole_number(other)),
    }
}

pub(super) fn no_whole_number(value: &DeValue<'_>) -> Fault {
    match value {
        DeValue::String(text) if text.parse::<i64>().is_ok() => {
            wrong_type(value, "a whole number", &format!("{text}, without quotes"))
        }
        other => wrong_type(other, "a whole number", "digits, without quotes"),
    }
}

/// The value has another TOML type than it must have.
pub fn wrong_type(found: &DeValue<'_>, wanted: &str, write: &str) -> Fault {
    let found = match found {
        DeValue::Array(_) => "a list",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Integer(_) => "a number",
        DeValue::String(_) => "text",
        DeValue::Table(_) => "a table",
    };
    Fault::new(
        format!("{THIS_KEY} must be {wanted}, not {found}"),
        format!("write {write}"),
    )
}

fn empty() -> Fault {
    Fault::new(
        format!("{THIS_KEY} is empty"),
        "write something, or remove the key",
    )
}
