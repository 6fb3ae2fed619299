use std::fmt;

/// The longest path that is read, before and after canonicalisation; what Apache and nginx allow
/// by default is about the same.
pub const MAX_PATH_BYTES: usize = 8 * 1024;

/// A path in its one canonical spelling. Rules see this text, and the origin is sent this text.
///
/// * Percent-encoded unreserved characters (RFC 3986 2.3) are decoded, all other percent-encodings
///   have upper-case digits.
/// * Bytes that a path cannot carry raw (non-ASCII UTF-8, space, `|`, `"`, ...) are encoded.
/// * `//` is merged, then `.` and `..` (also spelt `%2e`) are resolved.
/// * Octets that are not UTF-8 (`%E9` on a windows-1252 site) stay what they are: opaque octets.
///   There is one reading of them only, because nothing is decoded but ASCII; except for those in
///   which a lenient decoder sees ASCII (`%C0%AF`), which are refused.
/// * Decoding happens once: `%252e` stays `%252e`, the three characters `%2e` in the file's name.
///   For the same reason `%3B`, `%3F` and `%23` are plain text, and never cut the path.
///
/// What could be read in two ways is refused: see [`PathRefusal`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalPath(String);

impl CanonicalPath {
    /// Reads the path of a request target: without query, without fragment.
    pub fn parse(raw: &str) -> Result<Self, PathRefusal> {
        if raw.len() > MAX_PATH_BYTES {
            return Err(PathRefusal::TooLong);
        }
        let inner = raw.strip_prefix('/').ok_or(PathRefusal::NotAbsolute)?;
        if is_plain(raw) {
            return Ok(Self(raw.to_owned()));
        }
        let path = resolve(&normalise(inner.as_bytes())?)?;
        if path.len() > MAX_PATH_BYTES {
            return Err(PathRefusal::TooLong);
        }
        Ok(Self(path))
    }

    /// The path `/`.
    pub fn root() -> Self {
        Self(String::from("/"))
    }

    /// What is sent to the origin.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CanonicalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CanonicalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalPath({})", self.0)
    }
}

/// Why a path is refused: it is malformed, or two readers could read it in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PathRefusal {
    #[error("the path climbs above its root")]
    AboveRoot,
    #[error("the path has a backslash")]
    Backslash,
    #[error("the path has a control character")]
    Control,
    #[error("the path has a '?' or '#'")]
    Delimiter,
    #[error("the path has a dot segment with parameters")]
    DotSegmentParameters,
    #[error("the path has an encoded slash")]
    EncodedSlash,
    #[error("the path does not start with '/'")]
    NotAbsolute,
    #[error("the path has a NUL")]
    Nul,
    #[error("the path has a character in more bytes than it needs")]
    Overlong,
    #[error("the path has a '%' without two hexadecimal digits")]
    PercentEncoding,
    #[error("the path is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    #[error("the path has a name that stands for another name")]
    WindowsName,
}

impl PathRefusal {
    /// The reason as a metric's label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AboveRoot => "path_above_root",
            Self::Backslash => "path_backslash",
            Self::Control => "path_control",
            Self::Delimiter => "path_delimiter",
            Self::DotSegmentParameters => "path_dot_segment_parameters",
            Self::EncodedSlash => "path_encoded_slash",
            Self::NotAbsolute => "path_not_absolute",
            Self::Nul => "path_nul",
            Self::Overlong => "path_overlong",
            Self::PercentEncoding => "path_percent_encoding",
            Self::TooLong => "path_too_long",
            Self::WindowsName => "path_windows_name",
        }
    }
}

/// Whether an absolute path is in its canonical spelling, as nearly all are: nothing in it is encoded
/// or would be, and no segment is empty or begins with a dot.
fn is_plain(path: &str) -> bool {
    let mut before = 0;
    path.bytes().all(|byte| {
        let begins = before == b'/' && matches!(byte, b'/' | b'.');
        before = byte;
        !begins && (byte == b'/' || is_unreserved(byte) || is_delimiter(byte))
    })
}

/// One spelling for every octet; slashes keep their meaning, so segments can be told apart after.
fn normalise(raw: &[u8]) -> Result<String, PathRefusal> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'%' => {
                let octet = decode(rest)?;
                rest = &rest[2..];
                refuse_overlong(octet, rest)?;
                push_encoded(&mut out, octet)?;
            }
            b'/' => out.push('/'),
            _ => push_raw(&mut out, byte)?,
        }
    }
    Ok(out)
}

fn decode(digits: &[u8]) -> Result<u8, PathRefusal> {
    let digit = |at: usize| {
        let byte = digits.get(at).copied().map(char::from);
        byte.and_then(|digit| digit.to_digit(16))
    };
    let (Some(high), Some(low)) = (digit(0), digit(1)) else {
        return Err(PathRefusal::PercentEncoding);
    };
    u8::try_from(high * 16 + low).map_err(|_| PathRefusal::PercentEncoding)
}

fn push_encoded(out: &mut String, octet: u8) -> Result<(), PathRefusal> {
    match octet {
        b'/' => return Err(PathRefusal::EncodedSlash),
        octet if is_unreserved(octet) => out.push(char::from(octet)),
        octet => {
            refuse_unclear(octet)?;
            push_percent(out, octet);
        }
    }
    Ok(())
}

fn push_raw(out: &mut String, byte: u8) -> Result<(), PathRefusal> {
    match byte {
        b'?' | b'#' => return Err(PathRefusal::Delimiter),
        byte if is_unreserved(byte) || is_delimiter(byte) => out.push(char::from(byte)),
        byte => {
            refuse_unclear(byte)?;
            push_percent(out, byte);
        }
    }
    Ok(())
}

fn refuse_unclear(octet: u8) -> Result<(), PathRefusal> {
    match octet {
        0 => Err(PathRefusal::Nul),
        1..=0x1F | 0x7F => Err(PathRefusal::Control),
        b'\\' => Err(PathRefusal::Backslash),
        _ => Ok(()),
    }
}

/// A lenient decoder makes `/` of `%C0%AF`; no UTF-8 has such octets (RFC 3629 3, 10). The first of
/// them alone may be a letter of a one-byte charset (`/%C0propos`).
fn refuse_overlong(octet: u8, behind: &[u8]) -> Result<(), PathRefusal> {
    let next = behind.strip_prefix(b"%").map(decode).transpose()?;
    let is_overlong = matches!(
        (octet, next),
        (0xC0 | 0xC1, Some(0x80..=0xBF)) | (0xE0, Some(0x80..=0x9F)) | (0xF0, Some(0x80..=0x8F))
    );
    match is_overlong {
        true => Err(PathRefusal::Overlong),
        false => Ok(()),
    }
}

fn push_percent(out: &mut String, octet: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    for digit in [octet >> 4, octet & 0xF] {
        out.push(char::from(DIGITS[usize::from(digit)]));
    }
}

/// RFC 3986 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What a segment may carry raw beside unreserved characters (`pchar`, RFC 3986 3.3).
fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@'
    )
}

/// Merges slashes and resolves dot segments (RFC 3986 5.2.4) of a path without its first slash.
fn resolve(normal: &str) -> Result<String, PathRefusal> {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_open = true;
    for segment in normal.split('/') {
        ends_open = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop().ok_or(PathRefusal::AboveRoot)?),
            segment if is_dot_with_parameters(segment) => {
                return Err(PathRefusal::DotSegmentParameters);
            }
            segment => kept.push(segment),
        }
    }
    let mut path = String::with_capacity(normal.len() + 1);
    for segment in &kept {
        path.push('/');
        path.push_str(segment);
    }
    if ends_open {
        path.push('/');
    }
    Ok(path)
}

/// A servlet container cuts the parameters before it resolves dots, others do it after.
fn is_dot_with_parameters(segment: &str) -> bool {
    let name = segment.trim_start_matches('.');
    let dots = segment.len() - name.len();
    matches!(dots, 1 | 2) && (name.starts_with(';') || name.starts_with("%3B"))
}

#[cfg(test)]
mod tests;
