//! Envoy with one worker thread and its defaults. It rewrites bodies only by filters that hold
//! the whole page (Lua, WebAssembly), so it only passes pages on.

use anyhow::Result;
use serde_json::{Value, json};

use super::Setting;

pub fn arguments(setting: &Setting<'_>) -> Result<Vec<String>> {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "generate_request_id": false,
        "upgrade_configs": [{ "upgrade_type": "websocket" }],
        "route_config": { "virtual_hosts": [{
            "name": "bench", "domains": ["*"],
            "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "origin" } }],
        }] },
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }],
    });
    let mut chain = json!({ "filters": [{
        "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
    }] });
    if let Some(secure) = transport(setting) {
        chain["transport_socket"] = secure;
    }
    let config = json!({ "static_resources": {
        "listeners": [{
            "address": address(setting.listen),
            "filter_chains": [chain],
        }],
        "clusters": [{
            "name": "origin", "type": "STATIC", "connect_timeout": "5s",
            "circuit_breakers": { "thresholds": [{ "max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096 }] },
            "load_assignment": { "cluster_name": "origin", "endpoints": [{ "lb_endpoints": [{
                "endpoint": { "address": address(setting.origin) },
            }] }] },
        }],
    } });
    let file = setting.write("envoy.json", &config.to_string())?;
    let arguments = [
        "-c",
        &file,
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "-l",
        "error",
    ];
    Ok(arguments.map(str::to_owned).to_vec())
}

fn address(address: std::net::SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}

fn transport(setting: &Setting<'_>) -> Option<Value> {
    let certificate = setting.certificate?;
    let file = |path: &std::path::Path| json!({ "filename": path.display().to_string() });
    Some(json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [{
                    "certificate_chain": file(&certificate.chain),
                    "private_key": file(&certificate.key),
                }],
            },
        },
    }))
}
