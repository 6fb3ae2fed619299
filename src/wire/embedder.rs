use http::header::{HeaderMap, HeaderName};

/// What a page demands of what it embeds from other origins (HTML 7.1.4, Cross-Origin-Embedder-Policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedderPolicy {
    /// Nothing.
    Unsafe,
    /// It is fetched without cookies, unless it is fetched with CORS.
    Credentialless,
    /// Its server says that it may be embedded, by CORS or by Cross-Origin-Resource-Policy.
    RequireCorp,
}

const FIELD: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");

impl EmbedderPolicy {
    /// Browsers read one token with parameters; of anything else they take no notice.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(FIELD).into_iter();
        let line = lines.next().filter(|_| lines.next().is_none());
        let text = line.and_then(|line| line.to_str().ok()).unwrap_or_default();
        let token = text.split(';').next().unwrap_or_default();
        match token.trim_matches(' ') {
            "credentialless" => Self::Credentialless,
            "require-corp" => Self::RequireCorp,
            _ => Self::Unsafe,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_heads::heads;
    use super::*;

    #[test]
    fn reads_one_token() {
        use EmbedderPolicy::{Credentialless, RequireCorp, Unsafe};
        let field = "Cross-Origin-Embedder-Policy: ";
        for (value, policy) in [
            ("require-corp", RequireCorp),
            (" require-corp ; report-to=\"a\"", RequireCorp),
            ("credentialless", Credentialless),
            ("unsafe-none", Unsafe),
            ("Require-Corp", Unsafe),
            ("\"require-corp\"", Unsafe),
            ("require-corp, require-corp", Unsafe),
            ("", Unsafe),
        ] {
            let line = format!("{field}{value}");
            assert_eq!(EmbedderPolicy::of(&heads(&[&line])), policy, "{value}");
        }
        let line = format!("{field}require-corp");
        assert_eq!(EmbedderPolicy::of(&heads(&[&line, &line])), Unsafe);
        assert_eq!(EmbedderPolicy::of(&HeaderMap::new()), Unsafe);
        let only = "Cross-Origin-Embedder-Policy-Report-Only: require-corp";
        assert_eq!(EmbedderPolicy::of(&heads(&[only])), Unsafe);
    }
}
