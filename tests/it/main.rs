//! The whole edge over real sockets, and the rules of the house.

mod demo_site;
mod framing;
mod streaming;
mod support;
mod tidy;
mod truncation;
