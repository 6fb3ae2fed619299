//! The domain's own words: group IDs, sets of them, what is kept per group, and the grants that say
//! which of them a page allows. Knows neither HTTP nor HTML, nor what time it is.

mod grant;
mod group_id;
mod group_set;
mod settings;
mod site_env;

pub use grant::{
    GRANT_BYTES_MAX, GrantEpoch, GrantFields, GrantKeyError, GrantKeys, GrantRefusal, PageGrant,
    UnwritableGrant,
};
pub use group_id::{GroupId, GroupIdError};
pub use group_set::GroupSet;
pub use settings::{ButtonSettings, GroupSettings, KeySettings, TrustedDomains};
pub use site_env::SiteEnv;
