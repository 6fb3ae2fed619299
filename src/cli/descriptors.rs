use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::config::EdgeConfig;

/// Listeners, logs, the database and the like.
const OTHERS: u64 = 64;

/// Takes as many descriptors as the system allows: the usual soft limit, 1,024, is there for programs
/// that cannot count further. Says so where that is too few for the connections that may come.
pub(super) fn raise_descriptor_limit(config: &EdgeConfig) {
    let allowed = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft < hard {
            setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        }
        Ok(hard)
    });
    match allowed {
        Ok(allowed) => {
            let connections = config.server.limits.connections_max;
            if let Some(wanted) = missing(connections, allowed) {
                tracing::warn!(
                    allowed,
                    wanted,
                    connections,
                    "fewer descriptors than `connections_max` needs: raise the limit \
                     (LimitNOFILE= of a service, ulimit -n), or lower connections_max"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "the limit of open descriptors is not known"),
    }
}

/// How many are wanted, if so many are too few: an exchange has a visitor's connection and an origin's.
fn missing(connections_max: usize, allowed: u64) -> Option<u64> {
    let connections = u64::try_from(connections_max).unwrap_or(u64::MAX);
    let wanted = connections.saturating_mul(2).saturating_add(OTHERS);
    (wanted > allowed).then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_for_each_connection_and_some_more() {
        for (connections, allowed, expected) in [
            (10_000, 65_536, None),
            (10_000, 20_064, None),
            (10_000, 20_063, Some(20_064)),
            (10_000, 1_024, Some(20_064)),
            (usize::MAX, u64::MAX, None),
        ] {
            assert_eq!(
                missing(connections, allowed),
                expected,
                "{connections} in {allowed}"
            );
        }
    }
}
