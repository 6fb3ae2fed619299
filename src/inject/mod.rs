//! The HTML engine applied to an HTTP response: whether a response is a page to be edited, what
//! that does to its head, and its body as a stream. Knows no rules and no sockets.

mod body;
mod coverage;
mod csp;
mod expectation;
mod head;
mod verdict;
mod watch;

pub use body::{PageBody, PageEnd, RewriteBody};
pub use coverage::Coverage;
pub use csp::{PagePolicies, settle_policies};
pub use expectation::{Expectation, Expected};
pub use head::{describe_not_modified, describe_page, describe_validators, vary_by};
pub use verdict::{Alteration, Asked, Prospect, SkipReason, Verdict, judge};
pub use watch::{PolicyWatch, SeenPolicies, SeenPolicy};
