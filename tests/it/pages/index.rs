//! The pages of the corpus, each with its line of `tests/pages/INDEX.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde::Deserialize;

use super::generated::generated;

pub(super) struct Page {
    pub(super) name: String,
    pub(super) bytes: Bytes,
    pub(super) line: Line,
}

/// What the index says of a page; its head explains the columns.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) outcome: String,
    #[serde(default)]
    pub(super) masks: usize,
    #[serde(default)]
    pub(super) existing: usize,
    /// How many of them run nowhere, so that none of them is kept.
    #[serde(default)]
    pub(super) dormant: usize,
    #[serde(default)]
    pub(super) frameset: bool,
    #[serde(default)]
    generated: bool,
    charset: Option<String>,
    header: Option<String>,
    head: Option<String>,
    #[serde(default)]
    pub(super) head_existing: usize,
    pub(super) again: Option<String>,
    #[serde(default)]
    pub(super) missed: usize,
    #[serde(default)]
    pub(super) extra: usize,
    tree: Option<Difference>,
    without_scripting: Option<Difference>,
    pub(super) trap: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Difference {
    Differs,
}

impl Page {
    /// The same page, as it has become.
    pub(super) fn with_bytes(&self, bytes: &[u8]) -> Self {
        Self {
            name: self.name.clone(),
            bytes: Bytes::copy_from_slice(bytes),
            line: self.line.clone(),
        }
    }

    /// The charset that the response's head names.
    pub(super) fn declared(&self) -> Option<&'static Encoding> {
        self.line.header.as_deref().map(labelled)
    }

    /// The charset that a browser reads the page in.
    pub(super) fn charset(&self) -> &'static Encoding {
        let named = self.line.charset.as_deref().map(labelled);
        named.or_else(|| self.declared()).unwrap_or(UTF_8)
    }

    /// ASCII text as it stands in the page.
    pub(super) fn spelled(&self, text: &str) -> Vec<u8> {
        let units = text.encode_utf16();
        match self.charset() {
            charset if charset == UTF_16LE => units.flat_map(u16::to_le_bytes).collect(),
            charset if charset == UTF_16BE => units.flat_map(u16::to_be_bytes).collect(),
            _ => text.into(),
        }
    }
}

impl Line {
    pub(super) fn outcome_in_head(&self) -> &str {
        self.head.as_deref().unwrap_or("tagged")
    }

    pub(super) fn tree_differs(&self) -> bool {
        self.tree.is_some()
    }

    /// Whether browsers with and without scripting read the same page.
    pub(super) fn is_one_page(&self) -> bool {
        self.without_scripting.is_none()
    }
}

fn labelled(label: &str) -> &'static Encoding {
    Encoding::for_label(label.as_bytes()).unwrap()
}

pub(super) fn directory() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "pages"]
        .iter()
        .collect()
}

pub(super) fn pages() -> Vec<Page> {
    let index = fs::read_to_string(directory().join("INDEX.toml")).unwrap();
    let lines: Result<BTreeMap<String, Line>, _> = toml::from_str(&index);
    let lines = lines.unwrap_or_else(|error| panic!("INDEX.toml: {}", error.message()));
    lines
        .into_iter()
        .map(|(name, line)| page(name, line))
        .collect()
}

fn page(name: String, line: Line) -> Page {
    let bytes = if line.generated {
        generated(&name)
    } else {
        let path = directory().join(format!("{name}.html"));
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    Page {
        name,
        bytes: bytes.into(),
        line,
    }
}
