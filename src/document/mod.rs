//! Text files that a person wrote, read key by key, every fault with its place and its remedy.
//!
//! [`parse_toml`] makes a tree of a [`SourceFile`](crate::problem::SourceFile), a [`TableReader`] takes
//! the keys out of its tables one after another, and the readers of values say of each what is wrong
//! and what would be right ([`Fault`]), knowing neither the key nor its place. All of it is collected in
//! [`Reports`], because a person who mends a file wants to see every fault in it, not the first.

mod at;
mod did_you_mean;
mod fault;
mod quantity;
mod reports;
mod syntax;
mod table_reader;
mod text_file;
mod url;
mod value;

pub use at::{At, Stated};
pub use did_you_mean::did_you_mean;
pub use fault::{Fault, THIS_KEY};
pub use quantity::{count, duration, size};
pub use reports::Reports;
pub use syntax::parse_toml;
pub use table_reader::{MAX_LIST_ENTRIES, TableReader};
pub use text_file::{Unreadable, read_file};
pub use url::{
    AbsoluteUrl, Endpoint, canonical_host, check_host, check_host_port, refuse_odd_characters,
};
pub use value::{filled_text, flag, one_of, plain_text, text, whole_number, wrong_type};
