/// The parts between semicolons, spaces and all: first the cookie itself, then its attributes
/// (RFC 6265 5.2). A quoted value does not hide a semicolon.
pub(super) fn parts(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b';')
}

/// The value of an attribute, where it is of that name.
pub(super) fn attribute<'a>(part: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let sign = memchr::memchr(b'=', part).unwrap_or(part.len());
    let (found, value) = part.split_at(sign);
    let value = value.strip_prefix(b"=").unwrap_or(value).trim_ascii();
    let is_named = found.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
    is_named.then_some(value)
}
