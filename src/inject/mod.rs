//! The HTML engine applied to an HTTP response: whether a response is a page to be edited, what
//! that does to its head, and its body as a stream. Knows no rules and no sockets.

mod body;
mod coverage;
mod csp;
mod expectation;
mod head;
mod verdict;

pub use body::{PageBody, PageEnd, RewriteBody};
pub use coverage::Coverage;
pub use csp::{PagePolicies, settle_policies};
pub use expectation::Expectation;
pub use head::{describe_page, vary_by_expectation};
pub use verdict::{Asked, SkipReason, Verdict, judge};
