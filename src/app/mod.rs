//! Assembly: builds the rooms from the configuration, joins them in a ring of layers, and runs
//! them until they are told to end. What reloads while the edge runs is swapped here.

mod access_log;
mod admin;
#[cfg(feature = "backend")]
mod agents;
#[cfg(not(feature = "backend"))]
#[path = "no_agents.rs"]
mod agents;
mod catch_panic;
mod dispatch;
mod edge;
mod embedded;
mod error_page;
mod inspect;
mod orders;
mod reload;
mod routes;
mod service_manager;
mod stack;
mod upstream_settings;
mod visitors;
mod wishes;

pub use edge::{Edge, Ended, StartError};
pub use inspect::{InspectError, inspect};
pub use reload::{ReloadError, Reloader};
pub use routes::{Destination, Routes};
