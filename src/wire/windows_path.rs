use super::path::{CanonicalPath, PathRefusal};

impl CanonicalPath {
    /// Refuses what Windows reads as another name: it cuts dots and spaces off the end of a name,
    /// and finds the contents of a file also as `name::$DATA`, those of a directory as
    /// `name:$I30:$INDEX_ALLOCATION`.
    pub fn check_windows_names(&self) -> Result<(), PathRefusal> {
        // No other encodings of these are left in a canonical path.
        let plain = self.as_str().replace("%3A", ":").replace("%24", "$");
        match plain.split('/').any(is_alias) {
            true => Err(PathRefusal::WindowsName),
            false => Ok(()),
        }
    }
}

fn is_alias(name: &str) -> bool {
    name.ends_with('.') || name.ends_with("%20") || name.contains(":$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_windows_reads_as_others_are_refused() {
        for (path, refused) in [
            ("/", false),
            ("/a.b/.c/d", false),
            ("/a%20b/%20c", false),
            ("/a:b/c$d/e::f", false),
            ("/a%2520", false),
            ("/a.", true),
            ("/a./b", true),
            ("/a%2e", true),
            ("/...", true),
            ("/a%20", true),
            ("/a /b", true),
            ("/a. /b", true),
            ("/a.aspx::$DATA", true),
            ("/a.aspx%3a%3A%24data", true),
            ("/a:$i30:$INDEX_ALLOCATION/b", true),
        ] {
            let found = CanonicalPath::parse(path).unwrap().check_windows_names();
            let expected = refused.then_some(PathRefusal::WindowsName);
            assert_eq!(found.err(), expected, "{path}");
        }
    }
}
