use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use crate::problem::{Place, Problem};

/// A page of that size is on the way for as long as the visitor wonders what is wrong.
const MAX_BYTES: u64 = 256 * 1024;

/// Reads the page that an operator puts in place of ours.
pub(super) fn load(path: &Path) -> Result<Bytes, Problem> {
    let problem = |message: String, remedy: &str| {
        Problem::error(Place::Path(path.to_owned()), message, remedy)
    };
    let bytes = read(path).map_err(|error| {
        let message = format!("the error page cannot be read: {error}");
        problem(message, "name an HTML file that this process may read")
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("the error page is larger than {MAX_BYTES} bytes");
        return Err(problem(
            message,
            "leave pictures out, or link to them elsewhere",
        ));
    }
    if bytes.trim_ascii().is_empty() {
        return Err(problem(
            "the error page is empty".to_owned(),
            "write a page into it",
        ));
    }
    if str::from_utf8(&bytes).is_err() {
        return Err(problem(
            "the error page is not UTF-8".to_owned(),
            "save it as UTF-8",
        ));
    }
    Ok(bytes.into())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
