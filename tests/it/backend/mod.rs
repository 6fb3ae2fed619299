//! The embedded backend, as visitors' browsers meet it: over sockets, on the site's own origin.

mod calls;
mod files;
mod house;
mod sessions;
mod sockets;
