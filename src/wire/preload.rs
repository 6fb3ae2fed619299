use std::fmt;

use http::HeaderValue;

/// The `Link` that lets a browser fetch the tag's script before it meets the tag (RFC 8288 3,
/// HTML 4.6.7.17). It says of the fetch what the tag will say, because a browser that sees a
/// difference fetches twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptPreload {
    link: Box<str>,
    /// The nonce that the tag has where no policy brings one.
    nonce: Option<Box<str>>,
}

/// What a tag says of the fetch of its script. No value has a `"`, a `>` or a character that is
/// not visible ASCII, but for spaces between hashes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScriptFetch<'a> {
    pub src: &'a str,
    pub crossorigin: Option<&'a str>,
    pub integrity: Option<&'a str>,
    pub nonce: Option<&'a str>,
}

impl ScriptPreload {
    pub fn of(fetch: &ScriptFetch<'_>) -> Self {
        let mut link = format!("<{}>; rel=preload; as=script", fetch.src);
        for (name, value) in [
            ("crossorigin", fetch.crossorigin),
            ("integrity", fetch.integrity),
        ] {
            if let Some(value) = value {
                link.push_str(&format!("; {name}=\"{value}\""));
            }
        }
        Self {
            link: link.into(),
            nonce: fetch.nonce.map(Into::into),
        }
    }

    /// The field's value for one page. `nonce` is the one that its tag takes from its policies.
    pub fn field(&self, nonce: Option<&str>) -> Option<HeaderValue> {
        let value = match nonce.or(self.nonce.as_deref()) {
            Some(nonce) => HeaderValue::try_from(format!("{}; nonce=\"{nonce}\"", self.link)),
            None => HeaderValue::from_str(&self.link),
        };
        value.ok()
    }
}

/// Without a nonce that a page may bring.
impl fmt::Display for ScriptPreload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.link)?;
        match &self.nonce {
            Some(nonce) => write!(f, "; nonce=\"{nonce}\""),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_of_the_fetch_what_the_tag_says() {
        let plain = ScriptFetch {
            src: "https://cdn.example/l.js?group=1&site=production",
            ..ScriptFetch::default()
        };
        let full = ScriptFetch {
            crossorigin: Some("anonymous"),
            integrity: Some("sha256-AA= sha384-BB+/"),
            nonce: Some("fixed"),
            ..plain
        };
        let start = "<https://cdn.example/l.js?group=1&site=production>; rel=preload; as=script";
        let attributes = "; crossorigin=\"anonymous\"; integrity=\"sha256-AA= sha384-BB+/\"";
        for (fetch, nonce, rest) in [
            (plain, None, String::new()),
            (plain, Some("a+/="), "; nonce=\"a+/=\"".to_owned()),
            (full, None, format!("{attributes}; nonce=\"fixed\"")),
            (full, Some("x"), format!("{attributes}; nonce=\"x\"")),
        ] {
            let field = ScriptPreload::of(&fetch).field(nonce).unwrap();
            assert_eq!(field.to_str().unwrap(), format!("{start}{rest}"));
        }
        let shown = ScriptPreload::of(&full).to_string();
        assert_eq!(shown, format!("{start}{attributes}; nonce=\"fixed\""));
    }
}
