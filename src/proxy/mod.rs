//! The journey of a request to an upstream and back: of a page to the site's origin, of session
//! traffic to a remote cobrowse backend. One linear function each; every decision between its two
//! awaits (the upstream's call, the body's frames) is a pure function over heads.

mod bridge;
mod call;
mod deadline;
mod enforce;
mod error;
mod exchange;
mod forward;
mod grants;
mod heads;
mod inspect;
mod last_piece;
mod limits;
mod named_site;
mod notes;
mod page;
mod pending;
mod rescue;
mod switch;
mod upload;

pub use bridge::Bridge;
pub use deadline::hurried;
pub use enforce::{EnforceConfig, EnforceRefusal, Enforcement, Places};
pub use error::ProxyError;
pub use exchange::{Edge, Exchange, Subject, Visitor};
pub use forward::{SessionRoute, forward};
pub use grants::Grants;
pub use inspect::{InspectedPolicy, Inspection, PolicyPlace, WhyNot, inspect};
pub use limits::ExchangeLimits;
pub use named_site::named_site;
pub use notes::{Notes, Observed};
pub use page::{PageRoute, page};
pub use rescue::rescue;
pub use upload::{UploadEnd, UploadRefusal, take_body};
