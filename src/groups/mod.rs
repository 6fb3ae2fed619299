//! The domain's own words: group IDs, sets of them, and what is kept per group. Knows neither HTTP nor
//! HTML.

mod group_id;
mod group_set;
mod settings;

pub use group_id::{GroupId, GroupIdError};
pub use group_set::GroupSet;
pub use settings::{ButtonSettings, GroupSettings, KeySettings, TrustedDomains};
