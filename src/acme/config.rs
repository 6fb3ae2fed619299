use std::path::PathBuf;
use std::time::Duration;

/// Who certifies, whom, and how it is proved that a host is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address of the authority's directory.
    pub directory: String,
    /// Whom the authority may write to, as `mailto:...`. Default: nobody.
    pub contact: Vec<String>,
    /// `None`: the hosts of all sites that have no certificate of somebody else's making.
    pub hosts: Option<Vec<String>>,
    pub challenge: ChallengeKind,
    /// PEM file with the authorities that vouch for the directory's own address. Default: the system's.
    pub ca: Option<PathBuf>,
    /// An account elsewhere that the one at the authority belongs to. Default: none.
    pub external_account: Option<ExternalAccount>,
    /// Until there is a certificate, visitors get one that nobody trusts. Default: they get none.
    pub has_stand_ins: bool,
    pub pace: Pace,
}

/// How the authority sees that a host is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeKind {
    /// It asks the host's port 80 for a page.
    Http,
    /// It asks the host's port 443 for a certificate.
    TlsAlpn,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAccount {
    pub id: String,
    /// The key, in base64url.
    pub key_file: PathBuf,
}

/// How long is waited before what failed is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// After the first failure; it doubles with each one. Default: 10 minutes.
    pub pause_min: Duration,
    /// Default: 12 hours.
    pub pause_max: Duration,
    /// How long one order may take. Default: 5 minutes.
    pub order_timeout: Duration,
    /// How often it is looked whether another edge is through with its order. Default: 30 seconds.
    pub turn: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            // Let's Encrypt refuses a host for an hour after five failures in one.
            pause_min: Duration::from_mins(10),
            pause_max: Duration::from_hours(12),
            order_timeout: Duration::from_mins(5),
            turn: Duration::from_secs(30),
        }
    }
}
