use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::document::{Fault, Stated, THIS_KEY, TableReader, flag, text, wrong_type};

use super::attribute::{TagKey, TagValue};
use super::input_events;

/// What one level says about the optional attributes.
///
/// `None` for a key takes the attribute away that a less specific level set (`termsurl = false`).
#[derive(Clone, Debug, Default)]
pub(in crate::rules) struct TagSettings {
    stated: BTreeMap<TagKey, Stated<Option<Box<str>>>>,
}

impl TagSettings {
    pub(in crate::rules) fn read(mut table: TableReader<'_>) -> Self {
        refuse_settings_of_the_level(&mut table);
        let mut stated = BTreeMap::new();
        for key in TagKey::ALL {
            let value = table.take(key.as_str(), |value| parse(key.value(), value));
            stated.extend(value.map(|value| (key, value)));
        }
        table.finish();
        Self { stated }
    }

    pub(in crate::rules) fn is_empty(&self) -> bool {
        self.stated.is_empty()
    }

    pub(in crate::rules) fn find(&self, key: TagKey) -> Option<&Stated<Option<Box<str>>>> {
        self.stated.get(&key)
    }
}

/// `ui` becomes an attribute too, but is a setting of its own, and the group IDs are never free text.
fn refuse_settings_of_the_level(table: &mut TableReader<'_>) {
    table.refuse("ui", "write ui = \"custom\" beside `tag`, not in it");
    table.refuse("groupid", "write group = 15687 beside `tag`");
    table.refuse(
        "additionalgroupids",
        "write additional_groups = [...] beside `tag`",
    );
    table.refuse("site", "remove it: the environment of the process decides");
    table.refuse("id", "remove it: the tag's id is always glance-cobrowse");
    table.refuse("src", "write url = \"...\" in [script]");
}

fn parse(kind: TagValue, value: &DeValue<'_>) -> Result<Option<Box<str>>, Fault> {
    match (kind, value) {
        (TagValue::OneOrZero, _) => flag(value).map(|on| Some(if on { "1" } else { "0" }.into())),
        (TagValue::Bare, _) => flag(value).map(|on| on.then(|| "".into())),
        (_, DeValue::Boolean(false)) => Ok(None),
        (_, DeValue::Boolean(true)) => Err(wrong_type(
            value,
            "text",
            "the value in quotes, or false to leave the attribute out",
        )),
        (TagValue::InputEvents, DeValue::Table(table)) => input_events::from_table(table).map(some),
        (TagValue::InputEvents, _) => text(input_events::from_json)(value).map(some),
        (TagValue::Word(words), _) => text(|given| parse_word(words, given))(value),
        (TagValue::Text(check), _) => {
            text(|given| check(given).map(|()| Some(given.into())))(value)
        }
    }
}

fn parse_word(words: &[&str], given: &str) -> Result<Option<Box<str>>, Fault> {
    if words.contains(&given) {
        return Ok(Some(given.into()));
    }
    let known: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    Err(Fault::new(
        format!("{THIS_KEY} cannot be \"{given}\""),
        format!(
            "write one of {}, or false to leave the attribute out",
            known.join(", ")
        ),
    ))
}

fn some(text: String) -> Option<Box<str>> {
    Some(text.into())
}
