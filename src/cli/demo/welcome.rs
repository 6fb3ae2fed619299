use std::fmt;
use std::net::SocketAddr;

/// Where the demo can be reached; shown, it is what the terminal tells.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub http: SocketAddr,
    pub https: SocketAddr,
    pub admin: SocketAddr,
    /// The bank itself, without the edge.
    pub origin: SocketAddr,
}

/// The tests in `tests/browser` read the addresses from these lines.
impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            http,
            https,
            admin,
            origin,
        } = self;
        write!(
            f,
            "First Example Bank is open, and nobody changed a byte of it.

  through the edge   http://{http}   https://{https} (home-made certificate)
  without the edge   origin http://{origin}
  what the edge does admin http://{admin}/metrics

They look the same. View the source: the edge adds a tag at the end, and glance_masked on private fields.
  /                               group 15687; the password is masked
  /account                        group 15687; account numbers, SSN and card number are masked
  /mortgage/apply                 groups 15687, 15688, 15690; income and declaration are masked, too
  /mortgage/calculators/payment   no tag: its rule says inject = false
  /chat                           group 15691, with an interface of its own
Ctrl+Enter on a page of group 15687 starts a session; the bar tells its key. Ctrl-C ends the demo.
"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::bank::{Expect, PAGES};

    fn shown() -> String {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let addresses = Addresses {
            http: address(8080),
            https: address(8443),
            admin: address(9090),
            origin: address(4711),
        };
        addresses.to_string()
    }

    #[test]
    fn tells_every_address_in_a_dozen_lines() {
        let text = shown();
        for address in [
            "http://127.0.0.1:8080 ",
            "https://127.0.0.1:8443 ",
            "origin http://127.0.0.1:4711\n",
            "admin http://127.0.0.1:9090/metrics",
        ] {
            assert!(text.contains(address), "{address}\n{text}");
        }
        let lines = text.lines().filter(|line| !line.is_empty()).count();
        assert!(lines <= 13, "{lines}");
        assert!(text.lines().all(|line| line.len() <= 106), "{text}");
    }

    #[test]
    fn tells_of_each_page_what_the_rules_make_of_it() {
        let text = shown();
        let told = text.lines().filter_map(|line| {
            let (path, words) = line.strip_prefix("  /")?.split_once(' ')?;
            Some((format!("/{path}"), words))
        });
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), 5);
        for (path, words) in told {
            let page = PAGES.iter().find(|page| page.path == path).unwrap();
            match page.expect {
                Expect::Tagged {
                    group, additional, ..
                } => {
                    let groups = [&[group], additional].concat();
                    assert!(
                        groups
                            .iter()
                            .all(|group| words.contains(&group.to_string())),
                        "{path}"
                    );
                }
                Expect::Untouched(_) => assert!(words.contains("no tag"), "{path}"),
            }
        }
    }
}
