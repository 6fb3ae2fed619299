use super::needs::{Terms, Treatment};
use super::obstacle::{Obstacle, Verdict};
use super::policy::{Directive, Policy};
use super::self_origin::SelfOrigin;
use super::tag::{Delivery, Tag, forbidding, script_list, strict_list};

/// Whether the tag runs under these policies, each a list as a header carries it, or the content
/// of a `<meta>`. Those that only report count for nothing, and are not given.
pub fn will_run<'p>(
    policies: impl IntoIterator<Item = (&'p [u8], Delivery)>,
    tag: &Tag<'_>,
) -> Verdict {
    for (text, delivery) in policies {
        let obstacle = match delivery {
            Delivery::Header => split(text).find_map(|policy| tag.obstacle(policy, delivery)),
            Delivery::Meta => obstacle_in_meta(tag, text),
        };
        if let Some(obstacle) = obstacle {
            return Verdict::Blocked(obstacle);
        }
    }
    Verdict::Runs
}

/// Grows the policies of one page so that its tag runs, and by nothing else.
///
/// Hosts are added where a list goes by hosts. Under `'strict-dynamic'` the tag takes the nonce of
/// the policy; where there is none that all such policies share, the hashes of the tag's integrity
/// are added; where it has none, a nonce is made for this answer alone.
#[derive(Clone, Debug)]
pub struct Adjuster {
    terms: Terms,
    page: SelfOrigin,
    nonce: Option<TagNonce>,
    /// What keeps the tag from running under policies of the head that are left as they are.
    left: Option<Obstacle>,
}

#[derive(Clone, Debug)]
struct TagNonce {
    value: String,
    standing: Standing,
}

/// Why the tag carries a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// A policy has it, but no policy demands one.
    Courtesy,
    /// A policy demands it.
    Demanded,
    /// It was made for this answer.
    Own,
}

/// The longest policy that is read from a `<meta>`.
pub const MAX_META_POLICY: usize = 16 * 1024;

impl Adjuster {
    /// Reads the policy lines of a head. `fresh` makes a nonce, and is asked at most once, only
    /// where a policy demands one that it has not.
    pub fn new(
        (enforced, reported): (&[&[u8]], &[&[u8]]),
        terms: &Terms,
        page: SelfOrigin,
        fresh: impl FnOnce() -> Option<String>,
    ) -> Result<Self, Obstacle> {
        let mut adjuster = Self {
            terms: terms.clone(),
            page,
            nonce: None,
            left: None,
        };
        let policies: Vec<_> = enforced.iter().flat_map(|line| split(line)).collect();
        adjuster.nonce = adjuster.reusable_nonce(&policies, reported);
        match terms.treatment {
            Treatment::Leave => adjuster.left = adjuster.obstacle(&policies),
            Treatment::Patch => adjuster.prepare(&policies, fresh)?,
            Treatment::Refuse => adjuster.obstacle(&policies).map_or(Ok(()), Err)?,
        }
        Ok(adjuster)
    }

    fn obstacle(&self, policies: &[Policy<'_>]) -> Option<Obstacle> {
        let tag = self.tag();
        let mut policies = policies.iter();
        policies.find_map(|policy| tag.obstacle(*policy, Delivery::Header))
    }

    /// What keeps the tag from running under the policies of the head, as they go on.
    pub fn obstacle_left(&self) -> Option<&Obstacle> {
        self.left.as_ref()
    }

    /// A line of `Content-Security-Policy`, or of the field that only reports; `None`: as it is.
    pub fn line(&self, line: &[u8]) -> Option<Vec<u8>> {
        if self.terms.treatment != Treatment::Patch {
            return None;
        }
        let (tag, own) = (self.tag(), self.has_own_nonce());
        let mut grown = false;
        let parts = line.split(|byte| *byte == b',').map(|policy| {
            let new = tag.grow(policy, own);
            grown |= new.is_some();
            new.unwrap_or_else(|| policy.to_vec())
        });
        let parts: Vec<_> = parts.collect();
        grown.then(|| parts.join(&b','))
    }

    /// The policy of a `<meta>`, which comes after the head was sent; `None`: as it is.
    pub fn meta(&mut self, policy: &str) -> Result<Option<String>, Obstacle> {
        if policy.len() > MAX_META_POLICY {
            let leave = self.terms.treatment == Treatment::Leave;
            return leave
                .then_some(None)
                .ok_or(Obstacle::TooLong(MAX_META_POLICY));
        }
        self.take_nonce_of(Policy::new(policy.as_bytes()));
        let obstacle = || obstacle_in_meta(&self.tag(), policy.as_bytes());
        match self.terms.treatment {
            Treatment::Leave => Ok(None),
            Treatment::Patch if policy.contains(',') => {
                obstacle().map_or(Ok(None), |_| Err(Obstacle::Comma))
            }
            Treatment::Patch => self.grow_meta(policy),
            Treatment::Refuse => obstacle().map_or(Ok(None), Err),
        }
    }

    /// What the tag is to carry.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_ref().map(|nonce| &*nonce.value)
    }

    /// The tag's nonce was made for this answer, which so is for one visitor only.
    pub fn has_own_nonce(&self) -> bool {
        self.nonce
            .as_ref()
            .is_some_and(|nonce| nonce.standing == Standing::Own)
    }

    fn tag(&self) -> Tag<'_> {
        Tag {
            needs: &self.terms.needs,
            page: &self.page,
            nonce: self.nonce(),
        }
    }

    /// The nonce that all policies share which demand one; else, since it does no harm, any.
    fn reusable_nonce(&self, enforced: &[Policy<'_>], reported: &[&[u8]]) -> Option<TagNonce> {
        let strict: Vec<_> = enforced
            .iter()
            .filter_map(|one| strict_list(*one))
            .collect();
        let shared = |nonce: &&str| {
            let tag = Tag {
                nonce: Some(nonce),
                ..self.tag()
            };
            strict.iter().all(|list| tag.is_trusted_by(list))
        };
        let demanded = strict.iter().flat_map(Directive::nonces).find(shared);
        let reported = reported.iter().flat_map(|line| split(line));
        let mut lists = enforced
            .iter()
            .copied()
            .chain(reported)
            .filter_map(script_list);
        let mut any = || lists.find_map(|list| list.nonces().next());
        let (nonce, standing) = match demanded {
            Some(nonce) => (nonce, Standing::Demanded),
            None => (any()?, Standing::Courtesy),
        };
        Some(TagNonce {
            value: nonce.to_owned(),
            standing,
        })
    }

    /// Sees to it that every policy can be grown.
    fn prepare(
        &mut self,
        policies: &[Policy<'_>],
        fresh: impl FnOnce() -> Option<String>,
    ) -> Result<(), Obstacle> {
        let mut all = policies.iter();
        if let Some(obstacle) = all.find_map(|one| forbidding(*one, Delivery::Header)) {
            return Err(obstacle);
        }
        let tag = self.tag();
        let mut strict = policies.iter().filter_map(|policy| strict_list(*policy));
        let trusted = strict.all(|list| tag.is_trusted_by(&list));
        if !trusted && self.terms.needs.integrity.is_empty() {
            self.nonce = Some(TagNonce {
                value: fresh().ok_or(Obstacle::Randomness)?,
                standing: Standing::Own,
            });
        }
        Ok(())
    }

    /// A nonce that the head's policies did not demand gives way to one that this policy demands.
    fn take_nonce_of(&mut self, policy: Policy<'_>) {
        let fixed = self
            .nonce
            .as_ref()
            .is_some_and(|nonce| nonce.standing != Standing::Courtesy);
        let Some(list) =
            strict_list(policy).filter(|list| !fixed && !self.tag().is_trusted_by(list))
        else {
            return;
        };
        if let Some(nonce) = list.nonces().next() {
            self.nonce = Some(TagNonce {
                value: nonce.to_owned(),
                standing: Standing::Demanded,
            });
        }
    }

    fn grow_meta(&self, policy: &str) -> Result<Option<String>, Obstacle> {
        if let Some(obstacle) = forbidding(Policy::new(policy.as_bytes()), Delivery::Meta) {
            return Err(obstacle);
        }
        let grown = self.tag().grow(policy.as_bytes(), self.has_own_nonce());
        let grown = grown.map(String::from_utf8).transpose();
        let grown = grown.map_err(|_| Obstacle::Unreadable)?;
        let after = grown.as_deref().unwrap_or(policy).as_bytes();
        match self.tag().obstacle(Policy::new(after), Delivery::Meta) {
            Some(obstacle) => Err(obstacle),
            None => Ok(grown),
        }
    }
}

/// The policies of one header line (CSP3 2.2.2).
fn split(line: &[u8]) -> impl Iterator<Item = Policy<'_>> {
    line.split(|byte| *byte == b',').map(Policy::new)
}

/// By the letter of HTML a `<meta>` carries one policy; browsers take it for a list, as in a header.
/// Both readings count.
fn obstacle_in_meta(tag: &Tag<'_>, text: &[u8]) -> Option<Obstacle> {
    let whole = tag.obstacle(Policy::new(text), Delivery::Meta);
    whole.or_else(|| split(text).find_map(|policy| tag.obstacle(policy, Delivery::Meta)))
}
