//! The embedded backend, as visitors' browsers meet it: over sockets, on the site's own origin.

mod calls;
mod files;
pub(crate) mod house;
mod sessions;
mod silence;
mod sockets;
