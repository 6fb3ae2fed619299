use std::sync::Arc;

use crate::rules::{HostPattern, RuleSet, Site};

/// The site that is written down for this host; "whatever host is asked" says nothing of it.
pub fn named_site<'r>(rules: &'r RuleSet, host: &str) -> Option<&'r Arc<Site>> {
    let names = |pattern: &HostPattern| match pattern {
        HostPattern::Exact(exact) => host == &**exact,
        HostPattern::Below(suffix) => host
            .strip_suffix(&**suffix)
            .is_some_and(|below| below.ends_with('.')),
        HostPattern::Any => false,
    };
    // A site that names the host goes before the one for every host.
    rules.site(host).filter(|site| site.hosts().any(names))
}
