use super::expression::Expression;
use super::needs::{Fetch, Needs};
use super::obstacle::Obstacle;
use super::policy::{Directive, Edits, Policy};
use super::self_origin::SelfOrigin;
use super::source::Wanted;

/// The tag as a page's policies see it.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    pub needs: &'a Needs,
    /// The origin of the page.
    pub page: &'a SelfOrigin,
    /// The nonce that the tag carries.
    pub nonce: Option<&'a str>,
}

/// How a policy comes to a browser: in a `<meta>` some directives mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Header,
    Meta,
}

impl Tag<'_> {
    /// What in this policy keeps the tag from running, or its script from doing its work.
    pub(super) fn obstacle(&self, policy: Policy<'_>, delivery: Delivery) -> Option<Obstacle> {
        forbidding(policy, delivery).or_else(|| {
            let mut kinds = Fetch::ALL.into_iter();
            kinds.find_map(|fetch| self.obstacle_to(fetch, effective(policy, fetch)?))
        })
    }

    fn obstacle_to(&self, fetch: Fetch, directive: Directive<'_>) -> Option<Obstacle> {
        if is_strict(fetch, &directive) {
            let blocked = !self.is_trusted_by(&directive);
            return blocked.then(|| Obstacle::StrictDynamic(directive.name().into()));
        }
        let allowed = |wanted: &Wanted<'_>| {
            let by_self = wanted.is_own_socket && directive.has(Expression::SelfOrigin);
            by_self || self.covers(&directive, wanted)
        };
        let missing = self.wanted(fetch).find(|wanted| !allowed(wanted))?;
        Some(Obstacle::NotAllowed {
            directive: directive.name().into(),
            missing: missing.written.into(),
        })
    }

    /// Grows a policy by what is missing in it, and by nothing else. `own_nonce`: the tag's nonce
    /// was made for this answer, and may be added to lists.
    pub(super) fn grow(&self, policy: &[u8], own_nonce: bool) -> Option<Vec<u8>> {
        let policy = Policy::new(policy);
        let mut edits = Edits::new(policy);
        for fetch in Fetch::ALL {
            let Some(directive) = effective(policy, fetch) else {
                continue;
            };
            let words = self.missing(fetch, &directive, own_nonce);
            if words.is_empty() {
                continue;
            }
            match directive.name() {
                shared if is_shared(shared) => {
                    edits.copy(&directive, taking_over(fetch, &directive), &words);
                }
                _ => edits.grow(&directive, &words),
            }
        }
        edits.write()
    }

    fn missing(&self, fetch: Fetch, directive: &Directive<'_>, own_nonce: bool) -> Vec<String> {
        if is_strict(fetch, directive) {
            return self.missing_trust(directive, own_nonce);
        }
        let mut words: Vec<String> = Vec::new();
        for wanted in self.wanted(fetch) {
            let known = words.iter().any(|word| **word == *wanted.written);
            if !known && !self.covers(directive, &wanted) {
                words.push(wanted.written.into());
            }
        }
        words
    }

    /// Under `'strict-dynamic'` hosts are ignored: a script that the parser meets needs a nonce or
    /// a hash, and what it loads itself is trusted with it.
    fn missing_trust(&self, directive: &Directive<'_>, own_nonce: bool) -> Vec<String> {
        if self.is_trusted_by(directive) {
            return Vec::new();
        }
        match self.nonce {
            Some(nonce) if own_nonce => vec![format!("'nonce-{nonce}'")],
            _ => {
                let integrity = self.needs.integrity.iter();
                let absent = integrity.filter(|hash| !has_hash(directive, hash));
                absent.map(|hash| format!("'{hash}'")).collect()
            }
        }
    }

    /// CSP3 6.7.1.1, steps 2 and 3: by its nonce, or because every hash of its integrity is listed.
    pub(super) fn is_trusted_by(&self, directive: &Directive<'_>) -> bool {
        let integrity = &self.needs.integrity;
        let by_hash = || integrity.iter().all(|hash| has_hash(directive, hash));
        directive.nonces().any(|nonce| Some(nonce) == self.nonce)
            || (!integrity.is_empty() && by_hash())
    }

    fn covers(&self, directive: &Directive<'_>, wanted: &Wanted<'_>) -> bool {
        directive
            .expressions()
            .any(|one| one.covers(&wanted.pattern, self.page))
    }

    fn wanted(&self, fetch: Fetch) -> impl Iterator<Item = Wanted<'_>> {
        let needed = fetch.needed(self.needs).iter();
        needed.filter_map(|source| source.on(self.page))
    }
}

/// What no source could mend.
pub(super) fn forbidding(policy: Policy<'_>, delivery: Delivery) -> Option<Obstacle> {
    let sandbox = policy.find("sandbox").is_some_and(|sandbox| {
        let mut flags = sandbox.words();
        !flags.any(|flag| flag.eq_ignore_ascii_case("allow-scripts"))
    });
    let typed = policy
        .find("require-trusted-types-for")
        .is_some_and(|sinks| {
            let mut sinks = sinks.words();
            sinks.any(|sink| sink.eq_ignore_ascii_case("'script'"))
        });
    match delivery {
        Delivery::Header if sandbox => Some(Obstacle::Sandbox),
        _ => typed.then_some(Obstacle::TrustedTypes),
    }
}

/// The list that decides about scripts, if it trusts nonces and hashes only.
pub(super) fn strict_list(policy: Policy<'_>) -> Option<Directive<'_>> {
    effective(policy, Fetch::Script).filter(|directive| is_strict(Fetch::Script, directive))
}

/// The list that decides about scripts.
pub(super) fn script_list(policy: Policy<'_>) -> Option<Directive<'_>> {
    effective(policy, Fetch::Script)
}

fn effective(policy: Policy<'_>, fetch: Fetch) -> Option<Directive<'_>> {
    fetch.fallbacks().iter().find_map(|name| policy.find(name))
}

fn is_strict(fetch: Fetch, directive: &Directive<'_>) -> bool {
    fetch == Fetch::Script && directive.has(Expression::StrictDynamic)
}

/// These decide about other requests, too, and so are copied before they grow.
fn is_shared(name: &str) -> bool {
    ["child-src", "default-src"]
        .iter()
        .any(|shared| shared.eq_ignore_ascii_case(name))
}

/// `script-src` decides about workers, too, and trusts them by nonce, by hash and under
/// `'strict-dynamic'`; `default-src` looks at their URL alone (CSP3 6.1.11 and 6.1.17).
fn taking_over(fetch: Fetch, model: &Directive<'_>) -> &'static str {
    let trusts = |one| {
        use Expression::{Hash, Nonce, StrictDynamic};
        matches!(one, Hash(_) | Nonce(_) | StrictDynamic)
    };
    match fetch {
        Fetch::Script if model.expressions().any(trusts) => "script-src-elem",
        _ => fetch.own_directive(),
    }
}

fn has_hash(directive: &Directive<'_>, hash: &str) -> bool {
    let same = |listed: &str| {
        let (name, value) = listed.split_once('-').unwrap_or_default();
        hash.split_once('-')
            .is_some_and(|(known, digest)| known.eq_ignore_ascii_case(name) && digest == value)
    };
    directive
        .expressions()
        .any(|one| matches!(one, Expression::Hash(listed) if same(listed)))
}
