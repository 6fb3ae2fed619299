use std::fmt::Display;
use std::io::{self, Write};

/// Says one thing on standard output, at once. A reader that went away is no reason to end.
pub(super) fn say(text: impl Display) {
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "{text}").and_then(|()| output.flush());
}

/// Says one thing on standard error.
pub(super) fn complain(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
