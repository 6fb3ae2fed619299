//! nginx with one worker, `sub_filter` for the tag, and gunzip and gzip around it.
//!
//! - *plain*: the buffers that it comes with (8 of 4 KB).
//! - *tuned*: 16 KB for the head and 8 x 32 KB, which suits pages of 64 KB: the honest bar. No
//!   temporary files: a slow reader of a long page would fill the disk with it.
//! - *unbuffered*: `proxy_buffering off`, which holds least memory per slow reader.
//!
//! `sub_filter` looks for `<head>`, so that it finds its place early and then stops looking
//! (`sub_filter_once`, the default). nginx unpacks gzip only for clients that do not take it,
//! hence the usual two hops: an inner server that unpacks and edits, an outer one that packs. They
//! share the worker and a Unix socket. Level 1 is nginx's default, and its fastest.

use anyhow::Result;

use super::{Kind, Packing, Setting, Work};

pub fn arguments(kind: Kind, setting: &Setting<'_>) -> Result<Vec<String>> {
    let directory = setting.directory();
    let servers = match setting.packing {
        Packing::Repack => two_hops(setting),
        Packing::Pack => one_hop(setting, GZIP),
        Packing::Kept => one_hop(setting, ""),
    };
    let buffers = match kind {
        Kind::NginxTuned => {
            "proxy_max_temp_file_size 0; proxy_buffer_size 16k; proxy_buffers 8 32k; proxy_busy_buffers_size 64k;\n\
             gunzip_buffers 8 32k; gzip_buffers 8 32k; output_buffers 2 64k;"
        }
        Kind::NginxUnbuffered => "proxy_buffering off;",
        _ => "",
    };
    let file = setting.write(
        "nginx.conf",
        &format!(
            "daemon off; master_process off; worker_processes 1;\n\
             error_log {directory}/error.log crit; pid {directory}/nginx.pid;\n\
             events {{ worker_connections 8192; }}\n\
             http {{\n\
             access_log off; tcp_nodelay on; types {{ }} default_type text/html;\n\
             keepalive_requests 100000000; keepalive_timeout 60s; client_header_timeout 60s;\n\
             client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;\n\
             fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;\n\
             proxy_http_version 1.1;\n{buffers}\n\
             map $http_upgrade $connection_up {{ default upgrade; '' ''; }}\n\
             upstream origin {{ server {}; keepalive 256; keepalive_requests 100000000; }}\n{servers}}}\n",
            setting.origin
        ),
    )?;
    Ok(vec![
        "-p".to_owned(),
        directory,
        "-c".to_owned(),
        file,
        "-e".to_owned(),
        "stderr".to_owned(),
    ])
}

const GZIP: &str = "gzip on; gzip_comp_level 1; gzip_min_length 0; gzip_proxied any;";

fn one_hop(setting: &Setting<'_>, gzip: &str) -> String {
    let accepted = match setting.work {
        Work::Pass => "",
        Work::Tag | Work::Masks(_) => "proxy_set_header Accept-Encoding \"\";",
    };
    format!(
        "server {{ {} {gzip}\nlocation / {{ {} {} {accepted} {} }} }}\n",
        listen(setting),
        proxy("origin"),
        forwarded(),
        edit(setting)
    )
}

fn two_hops(setting: &Setting<'_>) -> String {
    let socket = format!("unix:{}/inner.sock", setting.directory());
    format!(
        "upstream inner {{ server {socket}; keepalive 256; keepalive_requests 100000000; }}\n\
         server {{ {} {GZIP}\nlocation / {{ {} {} proxy_set_header Accept-Encoding \"\"; }} }}\n\
         server {{ listen {socket}; gunzip on;\nlocation / {{ {} {} proxy_set_header Accept-Encoding gzip; {} }} }}\n",
        listen(setting),
        proxy("inner"),
        forwarded(),
        proxy("origin"),
        forwarded(),
        edit(setting)
    )
}

fn listen(setting: &Setting<'_>) -> String {
    match setting.certificate {
        None => format!("listen {};", setting.listen),
        Some(certificate) => format!(
            "listen {} ssl http2; ssl_certificate {}; ssl_certificate_key {};\n\
             ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m; ssl_session_tickets on;",
            setting.listen,
            certificate.chain.display(),
            certificate.key.display()
        ),
    }
}

fn proxy(upstream: &str) -> String {
    format!("proxy_pass http://{upstream};")
}

/// A location's own `proxy_set_header` replaces all from above: they stand together. Host and the
/// client's address are what every peer sends on.
fn forwarded() -> &'static str {
    "proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
     proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_up;"
}

fn edit(setting: &Setting<'_>) -> String {
    match setting.work {
        Work::Pass => String::new(),
        Work::Tag | Work::Masks(_) => format!("sub_filter '<head>' '<head>{}';", setting.tag),
    }
}
