use std::collections::HashMap;
use std::fmt;

use crate::document::{Fault, canonical_host, check_host};

/// The hosts that a site answers for, as one entry of its `hosts`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// Exactly this host, in lower case.
    Exact(Box<str>),
    /// `*.suffix`: every host below the suffix, at any depth, but not the suffix itself.
    Below(Box<str>),
    /// `*`: whatever host no other site answers for.
    Any,
}

impl HostPattern {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let host = canonical_host(text);
        let suffix = host.strip_prefix("*.");
        let name = suffix.unwrap_or(&host);
        if name.contains('*') {
            return Err(Fault::new(
                format!("\"{text}\" has a `*` where none can be"),
                "write \"*.suffix\" for all hosts below a suffix, or \"*\" for every host",
            ));
        }
        check_host(text, name)?;
        Ok(match suffix {
            Some(suffix) => Self::Below(suffix.into()),
            None => Self::Exact(host.into()),
        })
    }

    /// Whether every host that this matches ends with `domain`, at a dot.
    pub(super) fn lies_within(&self, domain: &str) -> bool {
        let domain = domain.trim_start_matches('.');
        match self {
            Self::Exact(host) | Self::Below(host) => {
                let before = host.strip_suffix(domain);
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            Self::Any => true,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => f.write_str(host),
            Self::Below(suffix) => write!(f, "*.{suffix}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// Finds the entry for a host: exact before the longest suffix before any.
#[derive(Debug, Default)]
pub(super) struct HostIndex {
    exact: HashMap<Box<str>, usize>,
    below: HashMap<Box<str>, usize>,
    any: Option<usize>,
}

impl HostIndex {
    /// The later one of two equal patterns stands; the compiler has refused them before.
    pub(super) fn insert(&mut self, pattern: &HostPattern, site: usize) {
        match pattern {
            HostPattern::Exact(host) => {
                self.exact.insert(host.clone(), site);
            }
            HostPattern::Below(suffix) => {
                self.below.insert(suffix.clone(), site);
            }
            HostPattern::Any => self.any = Some(site),
        }
    }

    pub(super) fn find(&self, host: &str) -> Option<usize> {
        if let Some(site) = self.exact.get(host) {
            return Some(*site);
        }
        let mut rest = host;
        while let Some((_, suffix)) = rest.split_once('.') {
            if let Some(site) = self.below.get(suffix) {
                return Some(*site);
            }
            rest = suffix;
        }
        self.any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_exact_hosts_then_the_longest_suffix_then_any() {
        let mut index = HostIndex::default();
        let patterns = [
            "www.bank.example",
            "*.bank.example",
            "*.a.bank.example",
            "*",
        ];
        for (site, pattern) in patterns.iter().enumerate() {
            index.insert(&HostPattern::parse(pattern).unwrap(), site);
        }
        for (host, site) in [
            ("www.bank.example", 0),
            ("x.bank.example", 1),
            ("x.y.bank.example", 1),
            ("x.a.bank.example", 2),
            ("a.bank.example", 1),
            ("bank.example", 3),
            ("evilbank.example", 3),
            ("[::1]", 3),
        ] {
            assert_eq!(index.find(host), Some(site), "{host}");
        }
        assert_eq!(HostIndex::default().find("a"), None);
    }

    #[test]
    fn reads_hosts_in_lower_case_and_refuses_what_is_none() {
        assert_eq!(
            HostPattern::parse("WWW.Bank.Example").unwrap().to_string(),
            "www.bank.example"
        );
        for good in [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "*.bank.example",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(HostPattern::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "a b",
            "bank.example:8080",
            "https://bank.example",
            "bank.example/",
            "bücher.example",
            "*bank.example",
            "www.*.example",
            "*.",
            "bank.example.",
            ".bank",
            "[::g]",
            "::1",
            "**",
        ] {
            assert!(HostPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spells_an_ipv6_address_in_one_way() {
        for (written, canonical) in [
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("[2001:DB8::00a]", "[2001:db8::a]"),
            ("[::ffff:c000:201]", "[::ffff:192.0.2.1]"),
        ] {
            let host = HostPattern::parse(written).unwrap();
            assert_eq!(host, HostPattern::Exact(canonical.into()), "{written}");
        }
    }

    #[test]
    fn knows_which_hosts_lie_within_a_cookie_domain() {
        let host = |text: &str| HostPattern::parse(text).unwrap();
        for (pattern, domain, within) in [
            ("www.bank.example", "bank.example", true),
            ("www.bank.example", ".bank.example", true),
            ("bank.example", "bank.example", true),
            ("evilbank.example", "bank.example", false),
            ("*.bank.example", "bank.example", true),
            ("bank.example", "www.bank.example", false),
        ] {
            assert_eq!(
                host(pattern).lies_within(domain),
                within,
                "{pattern} {domain}"
            );
        }
    }
}
