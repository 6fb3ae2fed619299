use crate::document::{AbsoluteUrl, Fault, refuse_odd_characters};

/// A URL from which browsers will load something into pages: https, or a path on the site's own
/// origin; plain http only from this machine, for trying things out.
pub(super) fn check_loadable_url(text: &str) -> Result<(), Fault> {
    refuse_odd_characters(text)?;
    if text.starts_with('/') {
        return if text.starts_with("//") {
            let remedy = "write it in full with https://, or a path with a single slash";
            Err(Fault::new(
                format!("\"{text}\" leaves the scheme open"),
                remedy,
            ))
        } else {
            Ok(())
        };
    }
    let url = AbsoluteUrl::parse(text)?;
    if url.https || url.is_loopback() {
        return Ok(());
    }
    Err(Fault::new(
        format!("\"{text}\" is plain http, which anyone on the way can change"),
        "write https://, or a path on the site's own origin, such as \"/_cobrowse/visitor.js\"",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_scripts_over_https_from_the_own_origin_or_from_this_machine_only() {
        for good in [
            "https://cdn.example/x?y={group}",
            "/_cobrowse/v.js",
            "http://127.0.0.1:9/x",
            "http://[::1]/",
            "http://localhost/x",
        ] {
            assert_eq!(check_loadable_url(good), Ok(()), "{good}");
        }
        for bad in [
            "http://cdn.example/x",
            "//cdn.example/x",
            "javascript:alert(1)",
            "x.js",
            "http://localhost.evil.example/",
        ] {
            assert!(check_loadable_url(bad).is_err(), "{bad}");
        }
    }
}
