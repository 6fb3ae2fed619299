//! The optional attributes of the tag: which there are, what may stand in them, and how the whole
//! tag is put together. Knows no file and no path.

mod attribute;
mod input_events;
mod render;
mod settings;

pub(super) use attribute::{TagKey, UI, accepts};
pub(super) use render::{TagParts, render};
pub(super) use settings::TagSettings;
