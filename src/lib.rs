//! `cobrowse-edge`: a streaming reverse proxy that writes the cobrowse tag, the group IDs each
//! path allows, and masks into a legacy site's pages, and carries the session traffic.
//!
//! This file is the floor map. A room uses only rooms on lower floors; rooms on one floor are
//! strangers. `tests/it/tidy.rs` holds the same table and fails when a `use crate::` breaks it.
//! `src/ARCHITECTURE.md` is the bird's eye view.

// F5: the commands, and the assembly of everything below.
pub mod app;
pub mod cli;

// F4: process settings: text in, the rooms' own `Config` structs out.
pub mod config;

// F3: the journey of a page or a forwarded request to an upstream and back; the embedded cobrowse
// backend.
#[cfg(feature = "backend")]
pub mod backend;
pub mod proxy;

// F2: the HTML engine applied to an HTTP response; certificates that the edge orders itself.
pub mod acme;
pub mod inject;

// F1: rules; sockets out; sockets in; two upgraded streams joined.
pub mod rules;
pub mod server;
pub mod tunnel;
pub mod upstream;

// F0: the domain's words; bytes of a page; HTTP grammar; what is observed; faults in files, and the
// reading of files key by key.
pub mod document;
pub mod groups;
pub mod html;
pub mod problem;
pub mod telemetry;
pub mod wire;

#[cfg(test)]
mod test_directory;
#[cfg(test)]
mod test_tls;
