use crate::document::{Endpoint, Fault, THIS_KEY};
use crate::upstream::{Target, TlsSettings};
use crate::wire::{Authority, CanonicalPath, Scheme};

/// Reads the URL of a cobrowse backend: scheme, host and port, such as `https://www.glance.net`.
pub fn parse_backend(text: &str) -> Result<Target, Fault> {
    let Endpoint { https, host, port } = Endpoint::parse(text)?;
    Ok(Target {
        scheme: match https {
            true => Scheme::Https,
            false => Scheme::Http,
        },
        // An IPv6 address stands in brackets in a URL only.
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
        socket: None,
        tls: TlsSettings::default(),
    })
}

/// A path below which the backend is mounted: canonical, so that requests meet it as it is written.
pub(super) fn parse_mount(text: &str) -> Result<String, Fault> {
    let canonical = CanonicalPath::parse(text).map_err(|error| {
        let remedy = "write a plain absolute path, such as \"/_cobrowse\"";
        Fault::new(format!("{THIS_KEY} cannot be {text:?}: {error}"), remedy)
    })?;
    if canonical.as_str() == "/" {
        let remedy = "write a path of its own, such as \"/_cobrowse\", or name a `host` instead";
        return Err(Fault::new(
            format!("{THIS_KEY} would take over every page"),
            remedy,
        ));
    }
    let plain = canonical.as_str().trim_end_matches('/');
    if plain.contains([';', '%']) {
        let message =
            format!("{THIS_KEY} cannot be {text:?}: it has `;` or characters to be encoded");
        return Err(Fault::new(
            message,
            "write letters, digits, '-', '_' and '/' only",
        ));
    }
    if plain == text {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        format!("{text:?} is not how the path is compared"),
        format!("write \"{plain}\""),
    ))
}

/// A host name without a port.
pub(super) fn parse_host(text: &str) -> Result<String, Fault> {
    let authority = Authority::parse(text.as_bytes()).map_err(|_| {
        let remedy = "write a host name alone, such as \"cobrowse.bank.example\"";
        Fault::new(format!("{text:?} is not a host name"), remedy)
    })?;
    if authority.port().is_some() {
        return Err(Fault::new(
            format!("{text:?} names a port"),
            format!("write \"{}\", without it", authority.host()),
        ));
    }
    Ok(authority.host().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_backends_without_a_path() {
        for (text, shown) in [
            ("https://www.glance.net", "https://www.glance.net:443"),
            ("https://WWW.Glance.net/", "https://www.glance.net:443"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("HTTPS://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(parse_backend(text).unwrap().to_string(), shown, "{text}");
        }
        assert_eq!(parse_backend("http://[::1]").unwrap().host, "::1");
    }

    #[test]
    fn refuses_what_is_no_backend() {
        for (text, words) in [
            ("www.glance.net", "not an http or https URL"),
            ("ftp://www.glance.net", "not an http or https URL"),
            ("https://www.glance.net/cobrowse", "has a path"),
            ("https://www.glance.net?x", "has a path"),
            ("https://", "not a host name"),
            ("https://user@a", "a user name"),
            ("https://a:0", "not a port"),
        ] {
            let fault = parse_backend(text).unwrap_err();
            assert!(fault.message.contains(words), "{text}: {fault}");
        }
    }

    #[test]
    fn a_mount_is_written_as_it_is_compared() {
        for good in ["/_cobrowse", "/a/b-c", "/A"] {
            assert_eq!(parse_mount(good).as_deref(), Ok(good));
        }
        for (bad, words) in [
            ("/", "every page"),
            ("//", "every page"),
            ("_cobrowse", "cannot be"),
            ("/a/", "write \"/a\""),
            ("/a//b", "write \"/a/b\""),
            ("/a/../b", "write \"/b\""),
            ("/%61", "write \"/a\""),
            ("/a;b", "has `;`"),
            ("/ä", "to be encoded"),
            ("/a?b", "cannot be"),
        ] {
            let fault = parse_mount(bad).unwrap_err();
            assert!(fault.to_string().contains(words), "{bad}: {fault}");
        }
    }

    #[test]
    fn a_host_is_a_name_without_port() {
        assert_eq!(
            parse_host("Cobrowse.Bank.example.").as_deref(),
            Ok("cobrowse.bank.example")
        );
        assert!(parse_host("cobrowse.bank.example:8443").is_err());
        assert!(parse_host("https://cobrowse.bank.example").is_err());
    }
}
