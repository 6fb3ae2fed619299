use std::time::Duration;

/// What one exchange may take. Changes need a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeLimits {
    /// Bytes in a request's body, where its site says nothing else. Default: 1 GiB.
    pub body_bytes_max: u64,
    /// How long a request's body may be waited for: from the start, and again as soon as as much
    /// came as `body_bytes_per_second_min` wants in that time. Default: one minute.
    pub body_timeout: Duration,
    /// The least that must come of a request's body in a second, on an average over `body_timeout`;
    /// only the time counts in which the client is waited for. 0: any byte will do. Default: 240.
    pub body_bytes_per_second_min: u64,
    /// From a request's head to the last byte of its answer; not for tunnels and event streams.
    /// Default: no limit, since downloads may be large and networks slow.
    pub exchange_timeout: Option<Duration>,
}

/// A legacy site takes scans and films by form; what is larger is a mistake.
const DEFAULT_BODY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// As long as an origin waits for an upload to go on.
const DEFAULT_BODY_TIMEOUT: Duration = Duration::from_mins(1);
/// A modem of 2400 bit/s, as the one floor that no network of today goes below.
const DEFAULT_BODY_BYTES_PER_SECOND_MIN: u64 = 240;

impl Default for ExchangeLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: DEFAULT_BODY_BYTES_MAX,
            body_timeout: DEFAULT_BODY_TIMEOUT,
            body_bytes_per_second_min: DEFAULT_BODY_BYTES_PER_SECOND_MIN,
            exchange_timeout: None,
        }
    }
}

impl ExchangeLimits {
    /// The same, as far as the site says nothing else.
    pub fn for_site(&self, body_bytes_max: Option<u64>) -> Self {
        Self {
            body_bytes_max: body_bytes_max.unwrap_or(self.body_bytes_max),
            ..self.clone()
        }
    }
}
