//! The domain's own words: group IDs and sets of them. Knows neither HTTP nor HTML.

mod group_id;
mod group_set;

pub use group_id::{GroupId, GroupIdError};
pub use group_set::GroupSet;
