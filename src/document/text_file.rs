use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::problem::SourceFile;

/// Why a file cannot be used as text.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the file is not UTF-8 text: line {line} has other bytes")]
    NotText { line: usize },
    #[error("the file is larger than {max} bytes")]
    TooLarge { max: u64 },
}

/// Reads a file of at most `max` bytes.
pub fn read_file(path: &Path, max: u64) -> Result<SourceFile, Unreadable> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(Unreadable::TooLarge { max });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        Unreadable::NotText { line }
    })?;
    Ok(SourceFile {
        path: path.to_owned(),
        text,
    })
}
