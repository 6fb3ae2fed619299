use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::wire::TrustedPeers;

/// Where the server listens, and what it puts up with. Changes need a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Listeners for HTTP/1.1 in the clear. Port 0 takes a free one. An IPv6 listener takes IPv6
    /// only: for both, name both.
    pub http: Vec<SocketAddr>,
    /// Listeners for TLS, with HTTP/2 or HTTP/1.1 as the client likes.
    pub https: Vec<SocketAddr>,
    /// Unix sockets for HTTP/1.1 in the clear, for proxies on the same machine. Who connects there has
    /// no address.
    pub unix: Vec<PathBuf>,
    /// Who may connect to them, as the mode of their files. Default: 0660, owner and group.
    pub unix_mode: u32,
    /// Another edge may listen on the same addresses, and takes over as soon as it does: it gets the
    /// new connections, while those of this one go on until it is told to end. Default: an address
    /// that is in use is an error.
    pub reuse_port: bool,
    /// Load balancers that say for whom they connect: what they send begins with a PROXY header, of
    /// version 1 or 2, and what anybody else sends does not. Default: nobody.
    pub proxy_protocol: TrustedPeers,
    /// Proxies that connect for many visitors: `connections_per_address_max` is not for them. Default:
    /// nobody.
    pub proxies: TrustedPeers,
    pub limits: Limits,
    /// How long a drain waits for exchanges and tunnels before it cuts them. Default: 30 seconds.
    pub drain_timeout: Duration,
}

/// What one client, and all clients together, may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections, tunnels among them; more wait in the kernel's queue. Each listener may go
    /// one above it. Default: 10,000.
    pub connections_max: usize,
    /// Open connections from one IPv4 address or IPv6 /64; one more is closed at once. Default: no
    /// limit, since behind a load balancer that tells nothing all visitors have one address.
    pub connections_per_address_max: Option<usize>,
    /// From the TCP connection to the end of the TLS handshake. Default: 10 seconds.
    pub handshake_timeout: Duration,
    /// For a request's head to arrive whole; over HTTP/1.1 counted from when the connection is ready
    /// for it, so it is also how long a connection may be idle; over HTTP/2 also for the preface.
    /// Default: 30 seconds.
    pub head_timeout: Duration,
    /// How long a client may take no byte of what is being sent to it. Over HTTP/2 a stream is ended
    /// alone; it may wait for its turn four times as long while the client takes of others that
    /// waited. Default: 60 seconds.
    pub write_stall_timeout: Duration,
    /// Header fields in a request. Default: 100.
    pub headers_max: usize,
    /// Bytes in a request's head, on HTTP/1.1 and (counted as RFC 9113 6.5.2 does) on HTTP/2.
    /// Default: 32 KiB.
    pub head_bytes_max: usize,
    /// Bytes that an HTTP/1.1 connection buffers in each direction; at least 8 KiB. Default: 64 KiB.
    pub connection_buffer_bytes_max: usize,
    /// Exchanges at once on one HTTP/2 connection. Default: 100.
    pub h2_streams_max: u32,
    /// Streams that a client may have reset before the server has looked at them (rapid reset,
    /// CVE-2023-44487). Default: 20.
    pub h2_pending_resets_max: usize,
    /// Streams that the server may have had to reset because of the client's faults
    /// (CVE-2025-8671) before the connection is closed. Default: 128.
    pub h2_error_resets_max: usize,
    /// Frames that an HTTP/2 client may send at once beside those that its exchanges call for: pings,
    /// settings, resets, window updates, kinds that nobody knows. A twentieth of it is forgiven each
    /// second. Default: 1,000.
    pub h2_spare_frames_max: u32,
    /// Bytes of one request's body that a client may send ahead. Default: 256 KiB.
    pub h2_stream_window: u32,
    /// Bytes of all bodies together that a client may send ahead. Default: 1 MiB.
    pub h2_connection_window: u32,
    /// Bytes of one answer that are held while the client's window is shut. Default: 64 KiB.
    pub h2_send_buffer_bytes_max: usize,
    /// How often an HTTP/2 client must show that it is there. Default: 20 seconds.
    pub h2_ping_interval: Duration,
    /// How long it may take to. Default: 20 seconds.
    pub h2_ping_timeout: Duration,
    /// How long an HTTP/2 connection may be without an exchange; it is closed between once and
    /// twice that time. Default: 2 minutes.
    pub h2_idle_timeout: Duration,
}

/// The proxy in front is commonly put into the edge's group.
const DEFAULT_UNIX_MODE: u32 = 0o660;
/// What orchestrators give a process between SIGTERM and SIGKILL.
const DEFAULT_DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Within the descriptors that a service is commonly given, with two per exchange (client, origin).
const DEFAULT_CONNECTIONS_MAX: usize = 10_000;
/// Five round trips of two seconds: the worst mobile networks.
const DEFAULT_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// As hyper's own default.
const DEFAULT_HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// As nginx's `send_timeout`.
const DEFAULT_WRITE_STALL_TIMEOUT: Duration = Duration::from_mins(1);
/// As hyper's own default; browsers send some 20.
const DEFAULT_HEADERS_MAX: usize = 100;
/// The cookies of a legacy site can be large: as nginx's `large_client_header_buffers`.
const DEFAULT_HEAD_BYTES_MAX: usize = 32 * 1024;
/// Holds two heads of the largest size, and a page's chunk.
const DEFAULT_CONNECTION_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// RFC 9113 6.5.2 advises against fewer.
const DEFAULT_H2_STREAMS_MAX: u32 = 100;
/// As the h2 crate's own defaults, named here so that an upgrade cannot change them unseen.
const DEFAULT_H2_PENDING_RESETS_MAX: usize = 20;
/// An eighth of the h2 crate's default: a browser causes none at all.
const DEFAULT_H2_ERROR_RESETS_MAX: usize = 128;
/// Leaving a page with 300 pictures under way costs 600.
const DEFAULT_H2_SPARE_FRAMES_MAX: u32 = 1000;
/// Fills a link of 20 Mbit/s at 100 ms with one upload.
const DEFAULT_H2_STREAM_WINDOW: u32 = 256 * 1024;
/// Four such uploads at once.
const DEFAULT_H2_CONNECTION_WINDOW: u32 = 1024 * 1024;
/// One window's worth of a default client.
const DEFAULT_H2_SEND_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Below the 30 s after which mobile networks forget a connection.
const DEFAULT_H2_PING_INTERVAL: Duration = Duration::from_secs(20);
/// As hyper's own default.
const DEFAULT_H2_PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Between two pages that a visitor reads.
const DEFAULT_H2_IDLE_TIMEOUT: Duration = Duration::from_mins(2);

/// The least that hyper accepts as a connection's buffer; below it, it panics.
pub(super) const CONNECTION_BUFFER_BYTES_MIN: usize = 8 * 1024;

/// No listener yet, and every limit at its default.
impl Default for Config {
    fn default() -> Self {
        Self {
            http: Vec::new(),
            https: Vec::new(),
            unix: Vec::new(),
            unix_mode: DEFAULT_UNIX_MODE,
            reuse_port: false,
            proxy_protocol: TrustedPeers::default(),
            proxies: TrustedPeers::default(),
            limits: Limits::default(),
            drain_timeout: DEFAULT_DRAIN_TIMEOUT,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: DEFAULT_CONNECTIONS_MAX,
            connections_per_address_max: None,
            handshake_timeout: DEFAULT_HANDSHAKE_TIMEOUT,
            head_timeout: DEFAULT_HEAD_TIMEOUT,
            write_stall_timeout: DEFAULT_WRITE_STALL_TIMEOUT,
            headers_max: DEFAULT_HEADERS_MAX,
            head_bytes_max: DEFAULT_HEAD_BYTES_MAX,
            connection_buffer_bytes_max: DEFAULT_CONNECTION_BUFFER_BYTES_MAX,
            h2_streams_max: DEFAULT_H2_STREAMS_MAX,
            h2_pending_resets_max: DEFAULT_H2_PENDING_RESETS_MAX,
            h2_error_resets_max: DEFAULT_H2_ERROR_RESETS_MAX,
            h2_spare_frames_max: DEFAULT_H2_SPARE_FRAMES_MAX,
            h2_stream_window: DEFAULT_H2_STREAM_WINDOW,
            h2_connection_window: DEFAULT_H2_CONNECTION_WINDOW,
            h2_send_buffer_bytes_max: DEFAULT_H2_SEND_BUFFER_BYTES_MAX,
            h2_ping_interval: DEFAULT_H2_PING_INTERVAL,
            h2_ping_timeout: DEFAULT_H2_PING_TIMEOUT,
            h2_idle_timeout: DEFAULT_H2_IDLE_TIMEOUT,
        }
    }
}
