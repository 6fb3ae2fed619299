//! Readers of numbers within bounds, with or without a unit.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::de::DeValue;

use super::fault::{Fault, THIS_KEY};
use super::value::{no_whole_number, text_written};

/// A whole number within bounds.
pub fn count<T: TryFrom<u64>>(
    bounds: RangeInclusive<u64>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    move |value| match value {
        DeValue::Integer(number) => {
            let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok();
            within(parsed, &bounds, number.as_str(), |number| number)
        }
        other => Err(no_whole_number(other)),
    }
}

/// A number of bytes with its unit, within bounds: `512B`, `64KiB`, `1MiB`.
pub fn size<T: TryFrom<u64>>(
    bounds: RangeInclusive<u64>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Fault> {
    text_written(
        "it with its unit, in double quotes: \"64KiB\"",
        move |text| {
            let remedy = "write a whole number and its unit: \"512B\", \"64KiB\" or \"1MiB\"";
            let bytes = with_unit(text, &SIZES)
                .ok_or_else(|| Fault::new(format!("{text:?} is not a size"), remedy))?;
            within(Some(bytes), &bounds, &quoted(text), |bytes| {
                quoted(&show(bytes, &SIZES))
            })
        },
    )
}

/// A time with its unit, within bounds: `500ms`, `10s`, `5m`, `1h`.
pub fn duration(
    bounds: RangeInclusive<Duration>,
) -> impl Fn(&DeValue<'_>) -> Result<Duration, Fault> {
    text_written("it with its unit, in double quotes: \"10s\"", move |text| {
        let remedy = "write a whole number and its unit: \"500ms\", \"10s\", \"5m\" or \"1h\"";
        let duration = with_unit(text, &TIMES)
            .map(Duration::from_millis)
            .ok_or_else(|| Fault::new(format!("{text:?} is not a duration"), remedy))?;
        if bounds.contains(&duration) {
            return Ok(duration);
        }
        let [least, most] = [bounds.start(), bounds.end()].map(|bound| show_duration(*bound));
        Err(out_of_bounds(&quoted(text), least, most))
    })
}

/// Smallest first.
type Units = [(&'static str, u64)];

/// In bytes.
const SIZES: [(&str, u64); 4] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];
/// In milliseconds.
const TIMES: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

fn with_unit(text: &str, units: &Units) -> Option<u64> {
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
        format!("{THIS_KEY} cannot be {written}"),
        format!("write a value from {least} to {most}"),
    )
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quoted(&show(millis, &TIMES))
}

/// In the largest unit of which it is a whole number.
fn show(number: u64, units: &Units) -> String {
    let fits = |factor: u64| factor == 1 || number > 0 && number.is_multiple_of(factor);
    let unit = units.iter().rfind(|(_, factor)| fits(*factor));
    let (name, factor) = unit.copied().unwrap_or(("", 1));
    format!("{}{name}", number / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> DeValue<'_> {
        DeValue::String(text.into())
    }

    #[test]
    fn reads_durations_with_their_unit() {
        let read = duration(Duration::from_millis(1)..=Duration::from_hours(24));
        for (written, millis) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("5m", 300_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(
                read(&text(written)),
                Ok(Duration::from_millis(millis)),
                "{written}"
            );
        }
        for bad in [
            "",
            "10",
            "s",
            "0s",
            "1.5s",
            "-1s",
            "10 s",
            "25h",
            "99999999999999999999s",
            "10S",
        ] {
            assert!(read(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_sizes_within_their_bounds() {
        let read = size::<u32>(1024..=1 << 20);
        assert_eq!(read(&text("1KiB")), Ok(1024));
        assert_eq!(read(&text("1MiB")), Ok(1 << 20));
        for bad in ["1023B", "1025KiB", "1kib", "1", "KiB"] {
            assert!(read(&text(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn bounds_are_shown_as_they_would_be_written() {
        for (millis, shown) in [
            (0, "0ms"),
            (1, "1ms"),
            (1_500, "1500ms"),
            (60_000, "1m"),
            (86_400_000, "24h"),
        ] {
            assert_eq!(show(millis, &TIMES), shown);
        }
        assert_eq!(show(3 << 20, &SIZES), "3MiB");
        assert_eq!(show(2 << 30, &SIZES), "2GiB");
        assert_eq!(show(1_000, &SIZES), "1000B");
    }
}
