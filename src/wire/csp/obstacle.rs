/// Why a page's policies keep the tag from running, or its script from doing its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("a <meta> policy has a comma in it, which browsers read in two ways")]
    Comma,
    #[error("the page demands integrity of scripts, and the tag has none")]
    Integrity,
    /// A directive does not allow a source that the script needs.
    #[error("{directive} does not allow {missing}")]
    NotAllowed {
        directive: Box<str>,
        missing: Box<str>,
    },
    #[error("no random nonce could be made")]
    Randomness,
    #[error("the page is sandboxed without allow-scripts")]
    Sandbox,
    /// The directive trusts nonces and hashes only, and none that the tag has or may have.
    #[error("{0} has 'strict-dynamic', and the tag has no nonce and no hash that it lists")]
    StrictDynamic(Box<str>),
    #[error("a <meta> policy is longer than {0} bytes")]
    TooLong(usize),
    /// The script sets the URLs of scripts that it loads, which the page forbids to plain text.
    #[error("the page requires trusted types, which the script does not make")]
    TrustedTypes,
    #[error("a <meta> policy cannot be read with certainty")]
    Unreadable,
}

/// Whether the tag runs under a page's policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Blocked(Obstacle),
    Runs,
}
