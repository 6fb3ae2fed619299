use std::borrow::Cow;

/// How `;x` in a segment of a path is read. Servers disagree: to some it is part of the name, others
/// take it off before they look for the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PathParameters {
    /// Either way may be the server's: the stricter of both readings holds.
    #[default]
    Both,
    /// It is part of the name.
    Keep,
    /// It is not part of the name.
    Strip,
}

impl PathParameters {
    /// The readings of a path, in which `%3B` is `;` already: the one that counts, and another that counts as well.
    pub(super) fn readings(self, path: &str) -> (Cow<'_, str>, Option<String>) {
        if !path.contains(';') {
            return (Cow::Borrowed(path), None);
        }
        match self {
            Self::Both => (Cow::Borrowed(path), Some(stripped(path))),
            Self::Keep => (Cow::Borrowed(path), None),
            Self::Strip => (Cow::Owned(stripped(path)), None),
        }
    }
}

/// The path without parameters. What is left may be a dot segment (`/a/..;/b`) or empty (`/a/;x/b`):
/// servers that take parameters off then follow it, and so is it read here.
fn stripped(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let name = segment.split(';').next().unwrap_or_default();
        let last = segments.peek().is_none();
        match name {
            ".." => {
                kept.pop();
            }
            "" | "." => {}
            name => kept.push(name),
        }
        if last && matches!(name, "" | "." | "..") {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_parameters_off_as_servers_do() {
        for (path, read) in [
            ("/a;v=1/b;x", "/a/b"),
            ("/a;v=1/", "/a/"),
            ("/a/;x", "/a/"),
            ("/a/;x/b", "/a/b"),
            ("/a/..;/b", "/b"),
            ("/a/b/..;x=1", "/a/"),
            ("/..;/..;/a", "/a"),
            ("/a/.;/b", "/a/b"),
            ("/;", "/"),
        ] {
            assert_eq!(stripped(path), read, "{path}");
        }
    }

    #[test]
    fn reads_a_path_both_ways_unless_told_otherwise() {
        let read = |how: PathParameters, path| {
            let (one, other) = how.readings(path);
            (one.into_owned(), other)
        };
        let path = "/a;x".to_owned();
        assert_eq!(
            read(PathParameters::Both, "/a;x"),
            (path.clone(), Some("/a".to_owned()))
        );
        assert_eq!(read(PathParameters::Keep, "/a;x"), (path, None));
        assert_eq!(read(PathParameters::Strip, "/a;x"), ("/a".to_owned(), None));
        assert_eq!(read(PathParameters::Both, "/a"), ("/a".to_owned(), None));
    }
}
