use std::fmt::Write;

/// One setting of `edge.toml`, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The table's name; empty at the top of the file.
    pub table: &'static str,
    pub key: &'static str,
    /// As it would be written in the file; empty: there is none.
    pub default: &'static str,
    pub meaning: &'static str,
}

/// Every setting, in the order of the README.
pub fn settings_table() -> &'static [Setting] {
    SETTINGS
}

/// The settings as a Markdown table, as they stand in the README.
pub fn settings_markdown() -> String {
    let mut markdown = String::from("| setting | default | meaning |\n|---|---|---|\n");
    for setting in SETTINGS {
        let default = match setting.default {
            "" => "-".to_owned(),
            text => format!("`{text}`"),
        };
        let written = writeln!(
            markdown,
            "| `{}` | {default} | {} |",
            setting.name(),
            setting.meaning
        );
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }
    markdown
}

impl Setting {
    /// `table.key`
    pub fn name(&self) -> String {
        match self.table {
            "" => self.key.to_owned(),
            table => format!("{table}.{}", self.key),
        }
    }
}

const fn setting(
    table: &'static str,
    key: &'static str,
    default: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting {
        table,
        key,
        default,
        meaning,
    }
}

const SETTINGS: &[Setting] = &[
    setting(
        "",
        "env",
        "\"production\"",
        "`production` or `staging`: the tag's `data-site`, and which `[env.*]` of the rules holds",
    ),
    setting(
        "",
        "rules",
        "\"rules\"",
        "directory of rule files; read again when they change. Paths start from the settings file's directory",
    ),
    setting(
        "",
        "certs",
        "",
        "directory of certificates and keys in PEM files with any names; read again when they change",
    ),
    setting(
        "",
        "via",
        "\"cobrowse-edge\"",
        "how the edge calls itself in `Via`",
    ),
    setting(
        "acme",
        "terms_agreed",
        "",
        "`true`: the authority's terms of service are agreed to. `[acme]` orders certificates, for `server.https` and into `certs` (by default `certs/` beside the settings file), and renews them",
    ),
    setting(
        "acme",
        "directory",
        "",
        "the authority: `letsencrypt` (by default), `letsencrypt-staging` (to try things out) or the https:// address of another one's ACME directory",
    ),
    setting(
        "acme",
        "contact",
        "",
        "mail addresses that the authority may write to",
    ),
    setting(
        "acme",
        "hosts",
        "",
        "the hosts; else those of all sites, but for wildcards, names that are not in the public DNS, and hosts with a certificate that somebody put into `certs`",
    ),
    setting(
        "acme",
        "challenge",
        "",
        "how the authority sees that a host is ours: `http-01` (the edge answers on port 80) or `tls-alpn-01` (on port 443); by default `http-01` where `server.http` is given",
    ),
    setting(
        "acme",
        "stand_in",
        "",
        "`true`: until there is a certificate, visitors get one that nobody trusts; else the handshake is refused",
    ),
    setting(
        "acme",
        "ca",
        "",
        "PEM file with the authorities that vouch for the directory's own address, instead of the system's",
    ),
    setting(
        "acme",
        "account_id",
        "",
        "an account elsewhere that the authority asks for (external account binding)",
    ),
    setting("acme", "account_key", "", "file with its key, in base64url"),
    setting(
        "server",
        "http",
        "[\"127.0.0.1:8080\"]",
        "addresses for HTTP; port 0 takes a free one. No default when `https` or `unix` is given",
    ),
    setting(
        "server",
        "https",
        "[]",
        "addresses for HTTPS, with HTTP/2; needs `certs`",
    ),
    setting(
        "server",
        "unix",
        "[]",
        "paths of Unix sockets for HTTP, for proxies on this machine; a file that was left behind there is replaced. No default for `http` then",
    ),
    setting(
        "server",
        "unix_mode",
        "\"660\"",
        "who may connect to them: the mode of their files",
    ),
    setting(
        "server",
        "redirect_http",
        "false",
        "requests over HTTP are sent to HTTPS",
    ),
    setting(
        "server",
        "https_port",
        "",
        "the port they are sent to; else that of the first `https` address",
    ),
    setting(
        "server",
        "reuse_port",
        "false",
        "a second edge with the same addresses takes over from this one as soon as it listens (`SO_REUSEPORT`); otherwise an address in use is an error",
    ),
    setting(
        "server",
        "proxy_protocol",
        "[]",
        "networks of load balancers that say for whom they connect: their connections must begin with a PROXY header (version 1 or 2), all others must not; those to the agents' listener, too. `unix`: who comes through a Unix socket",
    ),
    setting(
        "server",
        "drain_timeout",
        "\"30s\"",
        "how long exchanges and tunnels may still take after SIGTERM; WebSockets are then told 1001, and have a second more",
    ),
    setting(
        "limits",
        "connections_max",
        "10000",
        "open connections, tunnels among them; more wait",
    ),
    setting(
        "limits",
        "connections_per_address_max",
        "",
        "those from one IPv4 address or IPv6 /64, beyond which they are closed at once; proxies of `forwarded.trusted_peers` are not counted",
    ),
    setting(
        "limits",
        "handshake_timeout",
        "\"10s\"",
        "from the connection to the end of the TLS handshake",
    ),
    setting(
        "limits",
        "head_timeout",
        "\"30s\"",
        "for a request's head to arrive, on HTTP/2 also for the preface, and how long an HTTP/1.1 connection may be idle",
    ),
    setting(
        "limits",
        "write_stall_timeout",
        "\"1m\"",
        "how long a client may take no byte of what is sent to it; on HTTP/2 a stream of which it takes nothing is ended alone",
    ),
    setting("limits", "headers_max", "100", "header fields in a request"),
    setting(
        "limits",
        "head_bytes_max",
        "\"32KiB\"",
        "bytes in a request's head",
    ),
    setting(
        "limits",
        "connection_buffer_bytes_max",
        "\"64KiB\"",
        "bytes that an HTTP/1.1 connection buffers in each direction",
    ),
    setting(
        "limits",
        "h2_streams_max",
        "100",
        "exchanges at once on one HTTP/2 connection",
    ),
    setting(
        "limits",
        "h2_pending_resets_max",
        "20",
        "streams that a client may reset before the edge looked at them",
    ),
    setting(
        "limits",
        "h2_error_resets_max",
        "128",
        "streams that the edge may have to reset before it closes the connection",
    ),
    setting(
        "limits",
        "h2_spare_frames_max",
        "1000",
        "frames that an HTTP/2 client may send beside those that its requests call for (pings, settings, window updates; a reset counts fourfold, a request earns two); a twentieth of it is forgiven each second",
    ),
    setting(
        "limits",
        "h2_stream_window",
        "\"256KiB\"",
        "bytes of one request's body that a client may send ahead",
    ),
    setting(
        "limits",
        "h2_connection_window",
        "\"1MiB\"",
        "bytes of all bodies together that a client may send ahead",
    ),
    setting(
        "limits",
        "h2_send_buffer_bytes_max",
        "\"64KiB\"",
        "bytes of one answer that are held while the client's window is shut",
    ),
    setting(
        "limits",
        "h2_ping_interval",
        "\"20s\"",
        "how often an HTTP/2 client must show that it is there",
    ),
    setting(
        "limits",
        "h2_ping_timeout",
        "\"20s\"",
        "how long it may take to",
    ),
    setting(
        "limits",
        "h2_idle_timeout",
        "\"2m\"",
        "how long an HTTP/2 connection may be without an exchange",
    ),
    setting(
        "limits",
        "body_bytes_max",
        "\"1GiB\"",
        "bytes in a request's body, beyond which the answer is 413; `body_bytes_max` on a `[[site]]` says otherwise for its pages",
    ),
    setting(
        "limits",
        "body_timeout",
        "\"1m\"",
        "how long a request's body may be waited for, from the start and again once enough has come; then the answer is 408",
    ),
    setting(
        "limits",
        "body_bytes_per_second_min",
        "240",
        "how much is enough: bytes for each second of `body_timeout`; 0: any byte is",
    ),
    setting(
        "limits",
        "exchange_timeout",
        "\"never\"",
        "from a request's head to the last byte of its answer, such as `\"10m\"`: before the answer's head 504, behind it the answer breaks off; never for tunnels and event streams",
    ),
    setting(
        "coding",
        "gzip_level",
        "2",
        "1 to 9: how much work is put into writing pages in gzip and deflate; gzip that the origin wrote goes on as it is where only a tag is put in the head",
    ),
    setting("coding", "br_level", "4", "0 to 11, for br"),
    setting("coding", "zstd_level", "3", "1 to 19, for zstd"),
    setting(
        "admin",
        "listen",
        "\"127.0.0.1:9090\"",
        "address for health, metrics and explanations; it takes no password",
    ),
    setting(
        "admin",
        "enabled",
        "true",
        "`false`: there is no admin listener",
    ),
    setting(
        "upstream",
        "connect_timeout",
        "\"5s\"",
        "for name resolution, connection and TLS handshake with an origin",
    ),
    setting(
        "upstream",
        "first_byte_timeout",
        "\"1m\"",
        "from the request to the head of the answer; also how long an upload may stand still",
    ),
    setting(
        "upstream",
        "body_idle_timeout",
        "\"5m\"",
        "how long an answer's body may stand still; `\"never\"` for event streams without heartbeats",
    ),
    setting(
        "upstream",
        "pool_idle_timeout",
        "\"30s\"",
        "how long a connection is kept; keep it below the origin's own keep-alive time",
    ),
    setting(
        "upstream",
        "pool_idle_max",
        "128",
        "connections to one origin that are kept",
    ),
    setting(
        "upstream",
        "resolve_interval",
        "\"30s\"",
        "how often an origin's name is looked up; connections to addresses that it no longer has are let go",
    ),
    setting(
        "upstream",
        "headers_max",
        "100",
        "header fields in an answer; more than 100 cost each answer some time",
    ),
    setting(
        "upstream",
        "head_bytes_max",
        "\"64KiB\"",
        "bytes in an answer's head",
    ),
    setting(
        "upstream",
        "error_page",
        "",
        "file with the HTML page that visitors read where a site's origin gives no answer (502, 503, 504), instead of the built-in one; read again with the rules; up to 256 KiB",
    ),
    setting(
        "session",
        "backend",
        "",
        "URL of the cobrowse backend, such as `https://www.glance.net`, or `embedded`: this program runs the sessions; without `[session]` there are none",
    ),
    setting(
        "session",
        "database",
        "",
        "with the embedded backend: file of agents, sessions' names and the audit log; else `cobrowse.db` beside the settings file",
    ),
    setting(
        "session",
        "audit_keep_days",
        "",
        "with the embedded backend: how long lines of the audit log are kept, else 400 days; those before are pruned, which the log itself says",
    ),
    setting(
        "session",
        "audit_keep_lines",
        "",
        "with the embedded backend: how many lines of the audit log are kept at most, else 2000000",
    ),
    setting(
        "session",
        "mount",
        "",
        "path on every site at which visitors find the backend, such as `/_cobrowse` (which the embedded one has by default)",
    ),
    setting(
        "session",
        "host",
        "",
        "host of its own for the backend, instead of `mount`",
    ),
    setting(
        "session",
        "strip_mount",
        "true",
        "the backend is asked for paths without the mount",
    ),
    setting(
        "session",
        "cookies",
        "[]",
        "the site's cookies that the backend gets",
    ),
    setting(
        "session",
        "ca",
        "",
        "PEM file with the authorities that vouch for the backend, instead of the system's",
    ),
    setting(
        "session",
        "server_name",
        "",
        "the name that the backend's certificate must carry, if not its host",
    ),
    setting(
        "session",
        "client_certificate",
        "",
        "PEM file with the certificate that the edge shows to the backend",
    ),
    setting("session", "client_key", "", "PEM file with its private key"),
    setting(
        "session.enforce",
        "group_query",
        "[\"group\", \"groupid\"]",
        "query parameters and form fields that name a group; `[session.enforce]` holds requests to the groups of their page",
    ),
    setting(
        "session.enforce",
        "group_json",
        "[\"group\", \"groupid\"]",
        "members of JSON objects that do, at any depth",
    ),
    setting(
        "session.enforce",
        "group_headers",
        "[]",
        "header fields that do",
    ),
    setting(
        "session.enforce",
        "grant_query",
        "[]",
        "query parameters and form fields that carry the page's grant",
    ),
    setting(
        "session.enforce",
        "grant_json",
        "[]",
        "members of JSON objects that do",
    ),
    setting(
        "session.enforce",
        "grant_headers",
        "[]",
        "header fields that do",
    ),
    setting(
        "session.enforce",
        "referer",
        "true",
        "a page that sends no grant is known by `Referer`, if that is of the origin that is asked",
    ),
    setting(
        "session.enforce",
        "unread_types",
        "[]",
        "media types whose bodies go on unread, since the backend looks for no group in them; bodies that cannot be read are refused",
    ),
    setting(
        "session.enforce",
        "body_bytes_max",
        "\"64KiB\"",
        "bytes of a body that is held and read",
    ),
    setting(
        "agents",
        "listen",
        "",
        "address of the agents' console of the embedded backend, else 127.0.0.1:8090; without [agents] there is none",
    ),
    setting(
        "agents",
        "tls",
        "",
        "`true`: the console is served over HTTPS, with the certificates of `certs`",
    ),
    setting(
        "agents",
        "origin",
        "",
        "scheme and host as agents' browsers show them; needed unless `listen` is on loopback",
    ),
    setting(
        "agents",
        "assets",
        "",
        "further origins from which the site's pages load images, fonts and styles, so that agents see them: without, the sites' own origins, as `server` has their ports",
    ),
    setting(
        "grants",
        "enabled",
        "",
        "whether tags carry a page grant; by default with the embedded backend, or where `keys` or `session.enforce` are set, since nothing else reads it",
    ),
    setting(
        "grants",
        "keys",
        "",
        "file with one or two keys, the one that signs first; read again with the rules. Without, the edge makes a key of its own at start",
    ),
    setting(
        "grants",
        "epoch",
        "\"12h\"",
        "how long all grants of a page are the same; each holds to the end of the next epoch, and pages are sent anew at its turn",
    ),
    setting(
        "forwarded",
        "trusted_peers",
        "[]",
        "networks of the proxies that are believed when they say for whom they ask, visitors and agents; `unix`: who comes through a Unix socket",
    ),
    setting(
        "markers",
        "request",
        "",
        "a request field that tells the origin `will-tag`, such as `cobrowse-edge`; without a name it is not told",
    ),
    setting(
        "markers",
        "response",
        "",
        "a field in every answer from an origin that tells verdict, rule and version, for debugging, such as `cobrowse-edge-verdict`",
    ),
    setting(
        "log",
        "format",
        "\"human\"",
        "`human` or `json`; on standard error",
    ),
    setting(
        "log",
        "filter",
        "\"info\"",
        "a level, or levels by module: `info,cobrowse_edge::upstream=debug`",
    ),
    setting(
        "log",
        "access",
        "\"human\"",
        "`human`, `json` or `off`: one line per exchange, on standard output",
    ),
];
