//! What becomes of policies: a table for people, and properties against an independent library.

mod lists;
mod metas;
/// The fuzz target asks it, too.
#[allow(dead_code, reason = "some of it is there for the fuzz target")]
#[path = "../../../../tests/oracle/policies.rs"]
mod policies;
mod properties;

use std::sync::Arc;

use super::*;
use crate::wire::Scheme;

use policies::{FRESH, HASH, elsewhere, hashed, own};

fn terms(needs: Needs, treatment: Treatment) -> Terms {
    Terms {
        treatment,
        needs: Arc::new(needs),
    }
}

fn page() -> SelfOrigin {
    SelfOrigin::new(Scheme::Https, "www.bank.example".parse().unwrap())
}

fn adjuster(enforced: &[&str], needs: Needs, treatment: Treatment) -> Result<Adjuster, Obstacle> {
    let lines: Vec<_> = enforced.iter().map(|line| line.as_bytes()).collect();
    let fresh = || Some(FRESH.to_owned());
    Adjuster::new((&lines, &[]), &terms(needs, treatment), page(), fresh)
}

fn grown(adjuster: &Adjuster, line: &str) -> String {
    let new = adjuster.line(line.as_bytes());
    new.map_or_else(|| line.to_owned(), |new| String::from_utf8(new).unwrap())
}

fn verdict<'p>(
    policies: impl IntoIterator<Item = &'p str>,
    needs: &Needs,
    nonce: Option<&str>,
) -> Verdict {
    let (page, lines) = (page(), policies.into_iter());
    let tag = Tag {
        needs,
        page: &page,
        nonce,
    };
    will_run(lines.map(|line| (line.as_bytes(), Delivery::Header)), &tag)
}
