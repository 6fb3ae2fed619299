use crate::document::{At, Fault, Stated, TableReader, count, flag, plain_text, text};
use crate::groups::{ButtonSettings, GroupId, GroupSettings, KeySettings, TrustedDomains};
use crate::rules::level::{group_id, read_masks};
use crate::rules::loadable_url::check_loadable_url;
use crate::rules::mask::MaskSetting;

/// `[[group]]`
#[derive(Debug)]
pub(in crate::rules) struct GroupTable {
    pub(in crate::rules) at: At,
    pub(in crate::rules) id: Option<Stated<GroupId>>,
    pub(in crate::rules) masks: Vec<MaskSetting>,
    pub(in crate::rules) settings: GroupSettings,
}

impl GroupTable {
    pub(super) fn read(mut table: TableReader<'_>) -> Self {
        table.require("id", "write id = 15687, the number that pages carry");
        let read = Self {
            at: table.at().clone(),
            id: table.take("id", group_id),
            masks: read_masks(&mut table),
            settings: GroupSettings {
                name: table.take("name", text(plain_text)).map(|name| name.value),
                trusted_domains: table
                    .take_table("trusted_domains", "trusted_domains")
                    .map(read_trusted_domains)
                    .unwrap_or_default(),
                button: table
                    .take_table("button", "button")
                    .map(read_button)
                    .unwrap_or_default(),
                key: table
                    .take_table("key", "key")
                    .map(read_key)
                    .unwrap_or_default(),
            },
        };
        table.finish();
        read
    }
}

fn read_trusted_domains(mut table: TableReader<'_>) -> TrustedDomains {
    let url = |given: &str| check_loadable_url(given).map(|()| given.to_owned());
    let mut urls = |key| {
        let urls = table.take_list(key, text(url));
        urls.into_iter().map(|url| url.value).collect()
    };
    let domains = TrustedDomains {
        cross_domain: urls("cross_domain"),
        chat: urls("chat"),
    };
    table.finish();
    domains
}

fn read_button(mut table: TableReader<'_>) -> ButtonSettings {
    let button = ButtonSettings {
        label: table
            .take("label", text(plain_text))
            .map(|label| label.value),
        color: table.take("color", text(color)).map(|color| color.value),
        css: table.take("css", text(css)).and_then(|css| css.value),
    };
    table.finish();
    button
}

fn color(given: &str) -> Result<String, Fault> {
    let digits = given.strip_prefix('#').unwrap_or_default();
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal && matches!(digits.len(), 3 | 6) {
        return Ok(given.to_ascii_lowercase());
    }
    Err(Fault::new(
        format!("\"{given}\" is not a colour"),
        "write it as \"#0a5c36\"",
    ))
}

/// Goes into a `<style>` element some day: it must not be able to end it.
fn css(given: &str) -> Result<Option<String>, Fault> {
    if given.contains('<') {
        return Err(Fault::new("`<` in css", "remove it: CSS needs none"));
    }
    let given = given.trim();
    Ok((!given.is_empty()).then(|| given.to_owned()))
}

fn read_key(mut table: TableReader<'_>) -> KeySettings {
    let usual = KeySettings::default();
    let key = KeySettings {
        digits: table.take_or("digits", usual.digits, count(4..=12)),
        allow_duplicates: table.take_or("allow_duplicates", usual.allow_duplicates, flag),
    };
    table.finish();
    key
}
