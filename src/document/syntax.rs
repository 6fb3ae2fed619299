use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;

use crate::problem::SourceFile;

use super::at::At;
use super::reports::Reports;

/// Syntax errors reported per file: later ones follow from the first.
const MAX_SYNTAX_ERRORS: usize = 20;

/// The tree of a file. `None` if it is not TOML: what a broken file seems to say is not worth
/// reporting on.
pub fn parse_toml<'a>(
    file: &'a Arc<SourceFile>,
    reports: &Reports,
) -> Option<Spanned<DeTable<'a>>> {
    let (tree, errors) = DeTable::parse_recoverable(&file.text);
    for error in errors.iter().take(MAX_SYNTAX_ERRORS) {
        report(error, file, reports);
    }
    errors.is_empty().then_some(tree)
}

fn report(error: &toml::de::Error, file: &Arc<SourceFile>, reports: &Reports) {
    let at = At::new(file, error.span().unwrap_or(0..0));
    let message = error.message().replace('\n', ", ");
    let remedy = remedy(&message);
    reports.error(&at, format!("this is not TOML: {message}"), remedy);
}

fn remedy(message: &str) -> &'static str {
    let known = REMEDIES.iter().find(|(words, _)| message.contains(words));
    known.map_or("mend the TOML at this place (https://toml.io)", |known| {
        known.1
    })
}

/// By words of the parser's message; the first that are found decide.
const REMEDIES: &[(&str, &str)] = &[
    (
        "duplicate key",
        "keep one of the two; a table that may come again has its name in double brackets: [[...]]",
    ),
    ("must be quoted", "put the text in double quotes"),
    ("key with no value", "write key = value"),
    ("boolean", "write true or false, in lower case"),
    (
        "escape",
        "write a backslash twice, or put the text in single quotes",
    ),
    (
        "basic string",
        "close the text with a double quote, in the same line",
    ),
    ("unclosed", "close the bracket"),
];
