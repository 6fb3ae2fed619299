//! The HTML engine applied to an HTTP response: whether a response is a page to be edited, what
//! that does to its head, and its body as a stream. Knows no rules and no sockets.

mod body;

pub use body::{BodyCodings, PageEnd, RewriteBody};
