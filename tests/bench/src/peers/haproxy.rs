//! HAProxy with one thread. Stock builds rewrite no bodies, so it only passes pages on. Its
//! buffers of 16 KB are left: its manual advises against other sizes. `http-reuse always` shares
//! connections to the origin, as nginx's `keepalive` does.

use anyhow::Result;

use super::Setting;

pub fn arguments(setting: &Setting<'_>) -> Result<Vec<String>> {
    let secure = match setting.certificate {
        None => String::new(),
        Some(certificate) => format!(
            "ssl crt {} alpn h2,http/1.1 ssl-min-ver TLSv1.2",
            certificate.both.display()
        ),
    };
    let file = setting.write(
        "haproxy.cfg",
        &format!(
            "global\n  nbthread 1\n  maxconn 4000\n  tune.ssl.default-dh-param 2048\n\
             defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  timeout tunnel 60s\n\
             \x20 option http-keep-alive\n  option forwardfor\n  http-reuse always\n\
             frontend edge\n  bind {} {secure}\n  default_backend origin\n\
             backend origin\n  server origin {}\n",
            setting.listen, setting.origin
        ),
    )?;
    Ok(vec!["-db".to_owned(), "-f".to_owned(), file])
}
