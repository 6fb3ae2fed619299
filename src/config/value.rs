//! Readers of single values: each says what is wrong and what would be right, and knows neither
//! the setting's name nor its place.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use toml::de::DeValue;

use super::fault::{Fault, THIS};

/// Bytes of any text value: what is longer is a mistake.
const MAX_TEXT_BYTES: usize = 4_096;

/// Text, read further by `parse`.
pub(super) fn text<T>(
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    text_such_as("...", parse)
}

fn text_such_as<T>(
    example: &'static str,
    parse: impl Fn(&str) -> Result<T, Fault>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    move |value| match value {
        DeValue::String(text) if text.len() > MAX_TEXT_BYTES => Err(Fault::new(
            format!("{THIS} is {} bytes long", text.len()),
            format!("keep to {MAX_TEXT_BYTES} bytes"),
        )),
        DeValue::String(text) if text.is_empty() => {
            Err(Fault::new(format!("{THIS} is empty"), EMPTY_REMEDY))
        }
        DeValue::String(text) => parse(text),
        other => {
            let write = format!("{THIS} = \"{example}\", in quotes");
            Err(wrong_type(other, "text", &write))
        }
    }
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    text(move |given| {
        let found = words.iter().find(|(word, _)| *word == given);
        let known = || words.iter().map(|(word, _)| format!("\"{word}\""));
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<_> = known().collect();
            Fault::new(
                format!("{THIS} cannot be {given:?}"),
                format!("write {}", known.join(" or ")),
            )
        })
    })
}

/// `true` or `false`.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, Fault> {
    match value {
        DeValue::Boolean(flag) => Ok(*flag),
        other => {
            let write = format!("{THIS} = true or {THIS} = false, without quotes");
            Err(wrong_type(other, "true or false", &write))
        }
    }
}

/// A whole number within bounds.
pub(super) fn count<T: TryFrom<u64>>(
    bounds: RangeInclusive<u64>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    move |value| match value {
        DeValue::Integer(number) => {
            let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok();
            within(parsed, &bounds, number.as_str(), |number| number)
        }
        other => {
            let write = format!("{THIS} = {}, without quotes", bounds.end());
            Err(wrong_type(other, "a whole number", &write))
        }
    }
}

/// A number of bytes with its unit, within bounds: `512B`, `64KiB`, `1MiB`.
pub(super) fn size<T: TryFrom<u64>>(
    bounds: RangeInclusive<u64>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    text_such_as("64KiB", move |text| {
        let units = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20)];
        let remedy = "write a whole number and its unit: \"512B\", \"64KiB\" or \"1MiB\"";
        let bytes = with_unit(text, &units)
            .ok_or_else(|| Fault::new(format!("{text:?} is not a size"), remedy))?;
        within(Some(bytes), &bounds, &quoted(text), |bytes| {
            quoted(&show_size(bytes))
        })
    })
}

/// A time with its unit, within bounds: `500ms`, `10s`, `5m`, `1h`.
pub(super) fn duration(
    bounds: RangeInclusive<Duration>,
) -> impl Fn(&DeValue<'_>) -> Result<Duration, Fault> {
    text_such_as("10s", move |text| {
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
        let remedy = "write a whole number and its unit: \"500ms\", \"10s\", \"5m\" or \"1h\"";
        let millis = with_unit(text, &units)
            .ok_or_else(|| Fault::new(format!("{text:?} is not a duration"), remedy))?;
        let duration = Duration::from_millis(millis);
        if bounds.contains(&duration) {
            return Ok(duration);
        }
        let (least, most) = (show_duration(*bounds.start()), show_duration(*bounds.end()));
        Err(out_of_bounds(&quoted(text), quoted(&least), quoted(&most)))
    })
}

/// The same; `None` is written `"never"`.
pub(super) fn duration_or_never(
    bounds: RangeInclusive<Duration>,
) -> impl Fn(&DeValue<'_>) -> Result<Option<Duration>, Fault> {
    let duration = duration(bounds);
    move |value| match value {
        DeValue::String(text) if text == "never" => Ok(None),
        other => duration(other).map(Some),
    }
}

/// A path, as it is meant from the settings file's directory.
pub(super) fn path(base: &Path) -> impl Fn(&DeValue<'_>) -> Result<PathBuf, Fault> {
    text(|text| Ok(base.join(text)))
}

/// An IP address and a port on which to listen. Port 0 takes a free one.
pub fn parse_listen_address(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| {
        let message = format!("{text:?} is not an address to listen on");
        let port = text.rsplit_once(':').map_or(text, |(_, port)| port);
        let remedy = match port.parse::<u16>() {
            Ok(port) if text.ends_with(&format!("localhost:{port}")) => {
                format!("write the address itself: \"127.0.0.1:{port}\"")
            }
            Ok(port) => {
                format!(
                    "write an IP address and a port: \"127.0.0.1:{port}\" or \"0.0.0.0:{port}\""
                )
            }
            Err(_) => "write an IP address and a port: \"127.0.0.1:8080\" or \"[::1]:8080\"".into(),
        };
        Fault::new(message, remedy)
    })
}

/// A network such as `10.0.0.0/8`, or a single address.
pub(super) fn network(text: &str) -> Result<IpNet, Fault> {
    let remedy = "write an IP address or a network: \"10.1.2.3\", \"10.0.0.0/8\" or \"fd00::/8\"";
    let refused = || Fault::new(format!("{text:?} is not a network"), remedy);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let network: IpNet = text.parse().map_err(|_| refused())?;
    if network.addr() == network.network() {
        return Ok(network);
    }
    Err(Fault::new(
        format!("{text:?} names one address and a whole network"),
        format!("write \"{}\" or \"{}\"", network.trunc(), network.addr()),
    ))
}

/// A token as RFC 9110 5.6.2 has it: a cookie's name, a pseudonym.
pub(super) fn token(text: &str) -> Result<Arc<str>, Fault> {
    match text.chars().find(|&c| !is_token_char(c)) {
        None => Ok(text.into()),
        Some(odd) => Err(Fault::new(
            format!("{text:?} contains {odd:?}, which a name in a header cannot"),
            "write letters, digits, '-', '_' and '.' only",
        )),
    }
}

/// What `tracing` reads: a level, or levels by module.
pub(super) fn log_filter(text: &str) -> Result<String, Fault> {
    let parsed = tracing_subscriber::EnvFilter::builder().parse(text);
    parsed.map(|_| text.to_owned()).map_err(|error| {
        Fault::new(
            format!("the log filter {text:?} cannot be read: {error}"),
            "write a level (error, warn, info, debug, trace), or levels by module: \
             \"info,cobrowse_edge::upstream=debug\"",
        )
    })
}

/// The value has another TOML type than it must have.
pub(super) fn wrong_type(found: &DeValue<'_>, wanted: &str, write: &str) -> Fault {
    let found = match found {
        DeValue::Array(_) => "a list",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Integer(_) => "a number",
        DeValue::String(_) => "text",
        DeValue::Table(_) => "a table",
    };
    Fault::new(
        format!("{THIS} must be {wanted}, not {found}"),
        format!("write {write}"),
    )
}

const EMPTY_REMEDY: &str = "write something, or remove the key";

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// `number` as a `T`. One that cannot be read is out of bounds, too: it was too large, or negative.
fn within<T: TryFrom<u64>, D: Display>(
    number: Option<u64>,
    bounds: &RangeInclusive<u64>,
    written: &str,
    show: impl Fn(u64) -> D,
) -> Result<T, Fault> {
    let number = number.filter(|number| bounds.contains(number));
    let number = number.and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| out_of_bounds(written, show(*bounds.start()), show(*bounds.end())))
}

fn out_of_bounds(written: &str, least: impl Display, most: impl Display) -> Fault {
    Fault::new(
        format!("{THIS} cannot be {written}"),
        format!("write a value from {least} to {most}"),
    )
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn show_size(bytes: u64) -> String {
    let units = [("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = units
        .iter()
        .find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(
        || format!("{bytes}B"),
        |(name, unit)| format!("{}{name}", bytes / unit),
    )
}

fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let units = [("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let unit = units.iter().find(|(_, unit)| millis.is_multiple_of(*unit));
    unit.filter(|_| millis > 0).map_or_else(
        || format!("{millis}ms"),
        |(name, unit)| format!("{}{name}", millis / unit),
    )
}
