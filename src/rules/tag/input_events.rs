use toml::de::{DeTable, DeValue};

use crate::document::Fault;

/// What a hot key may start; the vendor documents no others.
const FUNCTIONS: [&str; 4] = ["startSession", "showButton", "toggleButton", "showTerms"];

/// Hot keys as `data-inputevents` takes them: `{"ctrl-13":"startSession"}`.
///
/// Written in a rule file as a table, or as that JSON text itself; JSON of this shape differs from a
/// TOML inline table only in its colons, but is read by a reader of its own.
pub(super) fn from_table(table: &DeTable<'_>) -> Result<String, Fault> {
    let mut pairs = Vec::new();
    for (key, value) in table {
        let DeValue::String(function) = value.get_ref() else {
            return Err(wrong_shape());
        };
        let key: &str = key.get_ref();
        pairs.push((key.to_owned(), function.clone().into_owned()));
    }
    to_json(pairs)
}

pub(super) fn from_json(text: &str) -> Result<String, Fault> {
    let body = text
        .trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let body = body.ok_or_else(wrong_shape)?;
    let pairs = body.split(',').map(|pair| {
        let (key, function) = pair.split_once(':')?;
        Some((quoted(key)?, quoted(function)?))
    });
    to_json(pairs.collect::<Option<Vec<_>>>().ok_or_else(wrong_shape)?)
}

/// Neither keys nor functions contain anything that JSON would have to escape.
fn quoted(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.to_owned())
}

fn to_json(mut pairs: Vec<(String, String)>) -> Result<String, Fault> {
    if pairs.is_empty() {
        return Err(wrong_shape());
    }
    pairs.sort();
    for (key, function) in &pairs {
        check_pair(key, function)?;
    }
    if pairs.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Fault::new(
            "a hot key is given twice",
            "keep one of the two",
        ));
    }
    let members: Vec<_> = pairs
        .iter()
        .map(|(key, function)| format!("\"{key}\":\"{function}\""))
        .collect();
    Ok(format!("{{{}}}", members.join(",")))
}

fn check_pair(key: &str, function: &str) -> Result<(), Fault> {
    let code = key
        .split_once('-')
        .filter(|(modifier, _)| ["ctrl", "alt", "shift"].contains(modifier));
    let code =
        code.and_then(|(_, code)| code.parse::<u8>().ok().filter(|_| !code.starts_with('+')));
    if code.is_none() {
        return Err(Fault::new(
            format!("\"{key}\" is not a hot key"),
            "write ctrl, alt or shift, a hyphen and a key code: \"ctrl-13\" is Ctrl-Enter",
        ));
    }
    if !FUNCTIONS.contains(&function) {
        return Err(Fault::new(
            format!("a hot key cannot start \"{function}\""),
            format!("write one of {}", FUNCTIONS.join(", ")),
        ));
    }
    Ok(())
}

fn wrong_shape() -> Fault {
    Fault::new(
        "these are not hot keys",
        "write inputevents = { \"ctrl-13\" = \"startSession\" }, or the same as JSON text",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_json_text_into_one_spelling() {
        for (text, json) in [
            (
                r#"{"ctrl-13":"startSession"}"#,
                Some(r#"{"ctrl-13":"startSession"}"#),
            ),
            (
                r#" { "shift-8" : "showTerms" , "ctrl-9":"toggleButton" } "#,
                Some(r#"{"ctrl-9":"toggleButton","shift-8":"showTerms"}"#),
            ),
            (r#"{}"#, None),
            (r#"{"ctrl-13":"stopSession"}"#, None),
            (r#"{"meta-13":"startSession"}"#, None),
            (r#"{"ctrl-x":"startSession"}"#, None),
            (r#"{"ctrl-+9":"startSession"}"#, None),
            (r#"{"ctrl-13":"startSession","ctrl-13":"showTerms"}"#, None),
            (r#"{'ctrl-13':'startSession'}"#, None),
            (r#"[]"#, None),
        ] {
            assert_eq!(from_json(text).ok().as_deref(), json, "{text}");
        }
    }
}
