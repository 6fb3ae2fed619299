use crate::groups::GroupSet;
use crate::html::{AttributeError, ScriptTag};
use crate::rules::SiteEnv;

use super::attribute::{TagKey, TagValue};

/// All that goes into one tag.
#[derive(Debug)]
pub(in crate::rules) struct TagParts<'a> {
    pub(in crate::rules) src: &'a str,
    pub(in crate::rules) groups: &'a GroupSet,
    pub(in crate::rules) env: SiteEnv,
    pub(in crate::rules) custom_ui: bool,
    /// In ascending order of the keys.
    pub(in crate::rules) optional: &'a [(TagKey, &'a str)],
}

/// The tag in the vendor's form and order.
pub(in crate::rules) fn render(parts: &TagParts<'_>) -> Result<ScriptTag, AttributeError> {
    let primary = parts.groups.primary().to_string();
    let additional: Vec<_> = parts
        .groups
        .additional()
        .map(|group| group.to_string())
        .collect();
    let additional = additional.join(",");
    let mut attributes = vec![
        ("id", Some("glance-cobrowse")),
        ("type", Some("text/javascript")),
        ("src", Some(parts.src)),
        ("data-groupid", Some(&*primary)),
    ];
    if !additional.is_empty() {
        attributes.push(("data-additionalgroupids", Some(&*additional)));
    }
    attributes.push(("data-site", Some(parts.env.as_str())));
    let (before, after) = parts.optional.split_at(
        parts
            .optional
            .partition_point(|(key, _)| *key <= TagKey::CookieType),
    );
    attributes.extend(before.iter().map(attribute));
    if parts.custom_ui {
        attributes.push(("data-ui", Some("custom")));
    }
    let (data, script) =
        after.split_at(after.partition_point(|(key, _)| *key <= TagKey::AuthToken));
    attributes.extend(data.iter().map(attribute));
    attributes.push(("charset", Some("UTF-8")));
    attributes.extend(script.iter().map(attribute));
    ScriptTag::render(attributes)
}

fn attribute<'a>((key, value): &(TagKey, &'a str)) -> (&'static str, Option<&'a str>) {
    match key.value() {
        TagValue::Bare => (key.attribute(), None),
        _ => (key.attribute(), Some(*value)),
    }
}

#[cfg(test)]
mod tests {
    use crate::groups::GroupId;

    use super::*;

    fn group(number: i64) -> GroupId {
        GroupId::new(number).unwrap()
    }

    #[test]
    fn writes_the_attributes_in_the_vendors_order() {
        let every: Vec<_> = TagKey::ALL.iter().map(|key| (*key, key.as_str())).collect();
        let parts = TagParts {
            src: "/v.js",
            groups: &GroupSet::new(group(1), [group(3), group(2)]),
            env: SiteEnv::Staging,
            custom_ui: true,
            optional: &every,
        };
        assert_eq!(
            render(&parts).unwrap().as_str(),
            "<script id=\"glance-cobrowse\" type=\"text/javascript\" src=\"/v.js\" data-groupid=\"1\" \
             data-additionalgroupids=\"2,3\" data-site=\"staging\" data-inputevents=\"inputevents\" \
             data-presence=\"presence\" data-visitorid=\"visitorid\" data-ws=\"ws\" \
             data-presenceserver=\"presenceserver\" data-scriptserver=\"scriptserver\" \
             data-termsurl=\"termsurl\" data-cookiedomain=\"cookiedomain\" \
             data-cookietype=\"cookietype\" data-ui=\"custom\" data-video=\"video\" \
             data-startpaused=\"startpaused\" data-collection=\"collection\" \
             data-authtoken=\"authtoken\" charset=\"UTF-8\" integrity=\"integrity\" \
             crossorigin=\"crossorigin\" nonce=\"nonce\" defer></script>"
        );
    }

    #[test]
    fn leaves_out_what_is_not_set() {
        let parts = TagParts {
            src: "/v.js?a=1&b",
            groups: &GroupSet::new(group(1), []),
            env: SiteEnv::Production,
            custom_ui: false,
            optional: &[],
        };
        assert_eq!(
            render(&parts).unwrap().as_str(),
            "<script id=\"glance-cobrowse\" type=\"text/javascript\" src=\"/v.js?a=1&amp;b\" \
             data-groupid=\"1\" data-site=\"production\" charset=\"UTF-8\"></script>"
        );
    }
}
