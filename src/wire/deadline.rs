use std::time::Instant;

/// When an answer must have gone. It stands among the answer's extensions for the server, which alone
/// is awake while a visitor takes nothing, or little.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Instant);
