use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::document::{At, Fault, Reports, Stated};
use crate::rules::limits::MAX_ORIGINS;
use crate::rules::origin::{
    HostHeader, OriginAddress, OriginBalance, OriginScheme, OriginSettings,
};
use crate::rules::tables::{BalanceName, SiteTable, UpstreamTable};

/// Where the site's pages come from, and the files that this names.
pub(super) fn compile(
    table: &SiteTable,
    reports: &Reports,
) -> (OriginSettings, Vec<Stated<PathBuf>>) {
    let upstream = &table.upstream;
    check_origins(table, reports);
    check_identity(upstream, reports);
    check_plain(table, reports);
    check_times(upstream, reports);
    check_queue(upstream, reports);
    if let [_] = &table.origins[..] {
        check_alone(upstream, reports);
    }
    let dir = table.at.file().path.parent();
    let dir = dir.unwrap_or_else(|| Path::new(""));
    let beside = |file: &Option<Stated<PathBuf>>| {
        let file = file.clone()?;
        Some(file.map(|path| dir.join(path)))
    };
    let files = [
        &upstream.ca,
        &upstream.client_certificate,
        &upstream.client_key,
        &upstream.error_page,
    ]
    .map(beside);
    let [ca, client_certificate, client_key, error_page] = files.each_ref().map(value);
    let settings = OriginSettings {
        addresses: table
            .origins
            .iter()
            .map(|origin| origin.value.clone())
            .collect(),
        ca,
        server_name: value(&upstream.server_name),
        client_certificate,
        client_key,
        connect_timeout: upstream.connect_timeout,
        first_byte_timeout: upstream.first_byte_timeout,
        idle_timeout: upstream.idle_timeout,
        balance: balance(upstream, reports),
        eject_after: upstream.eject_after,
        eject_time: value(&upstream.eject_time),
        eject_time_max: value(&upstream.eject_time_max),
        panic_threshold: value(&upstream.panic_threshold),
        slow_start: value(&upstream.slow_start),
        retry_percent: upstream.retry_percent,
        retry_floor: upstream.retry_floor,
        in_flight_max: upstream.in_flight_max,
        connections_max: upstream.connections_max,
        queue_max: value(&upstream.queue_max),
        queue_timeout: value(&upstream.queue_timeout),
        health: upstream.health.clone(),
        http2: value(&upstream.http2).unwrap_or_default(),
        error_page,
    };
    (settings, files.into_iter().flatten().collect())
}

fn value<T: Clone>(stated: &Option<Stated<T>>) -> Option<T> {
    stated.as_ref().map(|stated| stated.value.clone())
}

fn at<T>(stated: &Option<Stated<T>>) -> Option<&At> {
    stated.as_ref().map(|stated| &stated.at)
}

fn check_origins(table: &SiteTable, reports: &Reports) {
    let Some(first) = table.origins.first() else {
        return;
    };
    if table.origins.len() > MAX_ORIGINS {
        reports.error(
            &first.at,
            format!("this site has {} origins", table.origins.len()),
            format!("keep to {MAX_ORIGINS} at most"),
        );
    }
    let mut known: HashMap<&OriginAddress, &At> = HashMap::new();
    for origin in &table.origins {
        if let Some(other) = known.insert(&origin.value, &origin.at) {
            let fault = Fault::new("this origin is named twice", "name each once");
            reports.conflict(&origin.at, (other, "the other one"), fault);
        }
        if origin.value.scheme != first.value.scheme {
            let fault = Fault::new(
                "some origins of this site are https and some are http",
                "write all of them as https://, or all as http://",
            );
            reports.conflict(&origin.at, (&first.at, "another scheme"), fault);
        }
    }
    if let (true, HostHeader::Origin) = (table.origins.len() > 1, table.host_header) {
        reports.error(
            &table.origins[1].at,
            "with host = \"origin\" a site has one origin, since its pages know one host",
            "leave host = \"origin\" out: each origin is asked with the visitor's host",
        );
    }
}

fn check_identity(upstream: &UpstreamTable, reports: &Reports) {
    match (at(&upstream.client_certificate), at(&upstream.client_key)) {
        (Some(at), None) => reports.error(
            at,
            "a client certificate without its key",
            "write client_key = \"...\" beside it",
        ),
        (None, Some(at)) => reports.error(
            at,
            "a client key without its certificate",
            "write client_certificate = \"...\" beside it",
        ),
        (Some(_), Some(_)) | (None, None) => {}
    }
}

fn check_plain(table: &SiteTable, reports: &Reports) {
    let upstream = &table.upstream;
    let is_plain = table
        .origins
        .first()
        .is_some_and(|origin| origin.value.scheme == OriginScheme::Http);
    let tls = [
        at(&upstream.ca),
        at(&upstream.server_name),
        at(&upstream.client_certificate),
        at(&upstream.client_key),
        upstream
            .http2
            .as_ref()
            .filter(|http2| http2.value)
            .map(|http2| &http2.at),
    ];
    if let (true, Some(at)) = (is_plain, tls.into_iter().flatten().next()) {
        reports.error(
            at,
            "the origin is spoken to in plain http, so this has no use",
            "write origin = \"https://...\", or remove the settings for TLS",
        );
    }
}

fn check_times(upstream: &UpstreamTable, reports: &Reports) {
    if let (Some(first), Some(longest)) = (&upstream.eject_time, &upstream.eject_time_max)
        && first.value > longest.value
    {
        let fault = Fault::new(
            "`eject_time_max` is shorter than `eject_time`",
            "write the longest time, to which the first one grows",
        );
        reports.conflict(&longest.at, (&first.at, "the first time"), fault);
    }
}

fn check_queue(upstream: &UpstreamTable, reports: &Reports) {
    if upstream.in_flight_max.is_some() || upstream.connections_max.is_some() {
        return;
    }
    let of_queue = [
        ("queue_max", at(&upstream.queue_max)),
        ("queue_timeout", at(&upstream.queue_timeout)),
    ];
    for (key, at) in of_queue {
        if let Some(at) = at {
            reports.error(
                at,
                format!("`{key}` has no meaning where origins take as much as comes"),
                format!("write in_flight_max = 100, or connections_max, too, or remove {key}"),
            );
        }
    }
}

/// What tells several origins apart has no meaning with one.
fn check_alone(upstream: &UpstreamTable, reports: &Reports) {
    let of_several = [
        ("balance", at(&upstream.balance)),
        ("panic_threshold", at(&upstream.panic_threshold)),
        ("slow_start", at(&upstream.slow_start)),
    ];
    for (key, at) in of_several {
        if let Some(at) = at {
            reports.error(
                at,
                format!("`{key}` has no meaning with one origin"),
                format!("write origins = [...] with all of them, or remove {key}"),
            );
        }
    }
}

fn balance(upstream: &UpstreamTable, reports: &Reports) -> Option<OriginBalance> {
    let cookie = &upstream.balance_cookie;
    let name = value(&upstream.balance);
    if let (Some(cookie), false) = (cookie, name == Some(BalanceName::Cookie)) {
        reports.error(
            &cookie.at,
            "`balance_cookie` has no meaning without balance = \"cookie\"",
            "write balance = \"cookie\", or remove it",
        );
    }
    Some(match name? {
        BalanceName::Address => OriginBalance::Address,
        BalanceName::LeastRequests => OriginBalance::LeastRequests,
        BalanceName::RoundRobin => OriginBalance::RoundRobin,
        BalanceName::Cookie => match cookie {
            Some(cookie) => OriginBalance::Cookie(cookie.value.clone()),
            None => {
                if let Some(at) = at(&upstream.balance) {
                    let remedy = "write balance_cookie = \"...\", the cookie by which visitors are told apart";
                    reports.error(at, "no cookie is named to balance by", remedy);
                }
                return None;
            }
        },
    })
}
