//! The small peer of tests/bench/pingora: Pingora with one thread and lol_html over the whole
//! document, which sets the attributes itself. What one gets by joining the two libraries.

use super::{Packing, Setting, Work};

pub fn arguments(setting: &Setting<'_>) -> Vec<String> {
    let masks = match setting.work {
        Work::Pass => "pass".to_owned(),
        Work::Tag => "0".to_owned(),
        Work::Masks(count) => count.to_string(),
    };
    let packing = match setting.packing {
        Packing::Kept => "kept",
        Packing::Pack => "pack",
        Packing::Repack => "repack",
    };
    vec![
        setting.listen.to_string(),
        setting.origin.to_string(),
        masks,
        packing.to_owned(),
        setting.tag.to_owned(),
        crate::pages::SELECTORS.join("\n"),
    ]
}
