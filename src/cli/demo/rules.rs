use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::problem::SourceFile;

/// The demo's rules, with the address at which the bank is played just now.
pub fn rules(origin: SocketAddr) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: PathBuf::from("src/cli/demo/rules.toml"),
        text: RULES.replace(ORIGIN_PLACE, &origin.to_string()),
    })
}

const RULES: &str = include_str!("rules.toml");
/// What stands in the file for the address, which is known only at run time.
const ORIGIN_PLACE: &str = "bank.invalid";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_name_the_address_of_the_bank() {
        let rules = rules(SocketAddr::from(([127, 0, 0, 1], 4711)));
        assert!(rules.text.contains("origin = \"http://127.0.0.1:4711\""));
        assert!(!rules.text.contains(ORIGIN_PLACE));
        rules.text.parse::<toml::Table>().unwrap();
    }
}
