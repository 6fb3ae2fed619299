//! Apache with the event MPM, one child of 64 threads, and mod_substitute: `n` takes the pattern
//! as a fixed string, `q` leaves the pieces as they fall, both for speed. (mod_proxy_html is no peer:
//! it writes the whole document anew.) gzip: the documented chain INFLATE, SUBSTITUTE, DEFLATE.

use anyhow::Result;

use super::{Packing, Setting, Work};

pub fn arguments(setting: &Setting<'_>) -> Result<Vec<String>> {
    let directory = setting.directory();
    let filters = match (setting.work, setting.packing) {
        (Work::Pass, _) => String::new(),
        (_, Packing::Kept) => substitute(setting, "SUBSTITUTE", ""),
        (_, Packing::Pack) => substitute(setting, "SUBSTITUTE;DEFLATE", ""),
        (_, Packing::Repack) => substitute(setting, "INFLATE;SUBSTITUTE;DEFLATE", ""),
    };
    let modules: String = [
        ("mpm_event", "mpm_event"),
        ("authz_core", "authz_core"),
        ("proxy", "proxy"),
        ("proxy_http", "proxy_http"),
        ("filter", "filter"),
        ("substitute", "substitute"),
        ("deflate", "deflate"),
    ]
    .iter()
    .map(|(name, file)| {
        format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{file}.so\n")
    })
    .collect();
    let file = setting.write(
        "apache.conf",
        &format!(
            "ServerRoot {directory}\nServerName localhost\nDefaultRuntimeDir {directory}\nPidFile {directory}/apache.pid\n\
             {modules}User www-data\nGroup www-data\nErrorLog {directory}/error.log\nLogLevel crit\nListen {}\n\
             StartServers 1\nServerLimit 1\nThreadLimit 64\nThreadsPerChild 64\nMaxRequestWorkers 64\nMinSpareThreads 1\nMaxSpareThreads 64\n\
             KeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 60\nProxyPreserveHost On\n\
             <Location />\nProxyPass http://{}/ keepalive=On\n{filters}</Location>\n",
            setting.listen, setting.origin
        ),
    )?;
    Ok(vec![
        "-D".to_owned(),
        "FOREGROUND".to_owned(),
        "-f".to_owned(),
        file,
    ])
}

fn substitute(setting: &Setting<'_>, chain: &str, more: &str) -> String {
    format!(
        "SetOutputFilter {chain}\nDeflateCompressionLevel 1\nSubstituteMaxLineLength 20m\n\
         Substitute 's|<head>|<head>{}|nq'\n{more}",
        setting.tag.replace('&', "\\&")
    )
}
