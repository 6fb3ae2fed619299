//! What becomes of policies: a table for people, and properties against an independent library.

mod lists;
mod metas;
mod oracle;
mod properties;

use std::sync::Arc;

use super::*;
use crate::wire::Scheme;

const FRESH: &str = "ZnJlc2ggYW5kIHJhbmRvbQ==";
const HASH: &str = "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC";

fn sources(texts: &[&str]) -> Vec<Source> {
    texts
        .iter()
        .map(|text| Source::parse(text).unwrap())
        .collect()
}

/// A script elsewhere, which talks to one more host.
fn elsewhere() -> Needs {
    Needs {
        script: sources(&["https://cdn.example/cobrowse/"]),
        connect: sources(&["https://ws.example", "wss://ws.example"]),
        style: sources(&["https://cdn.example"]),
        img: sources(&["https://cdn.example"]),
        frame: sources(&["https://ws.example"]),
        integrity: Vec::new(),
    }
}

/// The same, and the tag says what the script's bytes are.
fn hashed() -> Needs {
    Needs {
        integrity: vec![HASH.into()],
        ..elsewhere()
    }
}

/// A script on the page's own origin.
fn own() -> Needs {
    Needs {
        script: vec![Source::folder_of("/_cobrowse/visitor.js").unwrap()],
        connect: vec![Source::OWN, Source::OWN_SOCKET],
        style: vec![Source::surroundings_of("/_cobrowse/js/v.js").unwrap()],
        img: vec![Source::surroundings_of("/_cobrowse/js/v.js").unwrap()],
        frame: vec![Source::OWN],
        integrity: Vec::new(),
    }
}

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
