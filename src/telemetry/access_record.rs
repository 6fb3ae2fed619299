use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::access_log::AccessLogFormat;
use super::blame::Blame;
use super::escape::{Quoted, Word};

/// One exchange, as it ended.
#[derive(Clone, Debug)]
pub struct AccessRecord {
    /// When the request's head was complete.
    pub time: SystemTime,
    pub peer: SocketAddr,
    pub method: String,
    /// "http" or "https".
    pub scheme: &'static str,
    /// The host that was asked for; `None` when the request named none that is valid.
    pub authority: Option<String>,
    /// The path alone. A query is cut off here too, should one come along, and so are parameters
    /// (`/login;jsessionid=1`), in which legacy sites carry what others keep in a cookie.
    pub path: String,
    pub status: u16,
    /// Bytes of the body that were sent to the client.
    pub bytes_down: u64,
    /// From the request's head to the last byte of the answer.
    pub duration: Duration,
    /// From the call to the origin to the head of its answer; `None` when it was not called, or
    /// did not answer.
    pub upstream: Option<Duration>,
    pub site: Option<Arc<str>>,
    pub rule: Option<Arc<str>>,
    /// What was done with the answer: "rewritten", "passed", "untagged", "refused" ...
    pub verdict: Option<&'static str>,
    /// Why that was done.
    pub reason: Option<&'static str>,
    /// Whose fault it is that the exchange failed or was cut; `None` when it was completed.
    pub blame: Option<Blame>,
}

impl AccessRecord {
    /// The line, without its end.
    pub(super) fn line(&self, format: AccessLogFormat) -> String {
        let mut line = String::with_capacity(256);
        let written = match format {
            AccessLogFormat::Human => self.write_human(&mut line),
            AccessLogFormat::Json => self.write_json(&mut line),
        };
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
        line
    }

    fn write_human(&self, line: &mut String) -> fmt::Result {
        let authority = self.authority.as_deref().unwrap_or("-");
        write!(line, "{} {}", Timestamp(self.time), self.peer)?;
        write!(line, " {} {}", Word(&self.method), self.scheme)?;
        write!(line, " {} {}", Word(authority), Word(&self.bare_path()))?;
        write!(line, " {} {}B", self.status, self.bytes_down)?;
        write!(line, " {:.1}ms", millis(self.duration))?;
        if let Some(upstream) = self.upstream {
            write!(line, " upstream={:.1}ms", millis(upstream))?;
        }
        for (key, value) in self.words() {
            write!(line, " {key}={}", Word(value))?;
        }
        Ok(())
    }

    fn write_json(&self, line: &mut String) -> fmt::Result {
        write!(line, "{{\"time\":\"{}\"", Timestamp(self.time))?;
        write!(line, ",\"peer\":\"{}\"", self.peer)?;
        write!(line, ",\"method\":{}", Quoted(&self.method))?;
        write!(line, ",\"scheme\":\"{}\"", self.scheme)?;
        if let Some(authority) = &self.authority {
            write!(line, ",\"authority\":{}", Quoted(authority))?;
        }
        write!(line, ",\"path\":{}", Quoted(&self.bare_path()))?;
        write!(line, ",\"status\":{}", self.status)?;
        write!(line, ",\"bytes_down\":{}", self.bytes_down)?;
        write!(line, ",\"duration_ms\":{:.3}", millis(self.duration))?;
        if let Some(upstream) = self.upstream {
            write!(line, ",\"upstream_ms\":{:.3}", millis(upstream))?;
        }
        for (key, value) in self.words() {
            write!(line, ",\"{key}\":{}", Quoted(value))?;
        }
        line.write_char('}')
    }

    fn words(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("site", self.site.as_deref()),
            ("rule", self.rule.as_deref()),
            ("verdict", self.verdict),
            ("reason", self.reason),
            ("blame", self.blame.map(Blame::as_str)),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key, value)))
    }

    fn bare_path(&self) -> Cow<'_, str> {
        let end = self.path.find(['?', '#']).unwrap_or(self.path.len());
        let path = &self.path[..end];
        if !path.contains(';') {
            return Cow::Borrowed(path);
        }
        let segments = path
            .split('/')
            .map(|segment| match segment.split_once(';') {
                Some((name, _)) => Cow::Owned(format!("{name};")),
                None => Cow::Borrowed(segment),
            });
        Cow::Owned(segments.collect::<Vec<_>>().join("/"))
    }
}

/// RFC 3339, in UTC, to the millisecond.
struct Timestamp(SystemTime);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let millis = since.subsec_millis();
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        write!(f, "T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Year, month and day of the Gregorian calendar for a count of days since 1970-01-01, by counting
/// from the 1st of March, so that the leap day is the last of its year.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 0000-03-01 to 1970-01-01
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::telemetry) fn record() -> AccessRecord {
        AccessRecord {
            time: UNIX_EPOCH + Duration::from_millis(1_762_078_332_345),
            peer: SocketAddr::from(([192, 0, 2, 7], 50_000)),
            method: "GET".to_owned(),
            scheme: "https",
            authority: Some("www.bank.example".to_owned()),
            path: "/mortgage/apply".to_owned(),
            status: 200,
            bytes_down: 5123,
            duration: Duration::from_micros(12_345),
            upstream: Some(Duration::from_micros(8_100)),
            site: Some("www.bank.example".into()),
            rule: Some("mortgage desk".into()),
            verdict: Some("rewritten"),
            reason: None,
            blame: None,
        }
    }

    #[test]
    fn human_line() {
        assert_eq!(
            record().line(AccessLogFormat::Human),
            "2025-11-02T10:12:12.345Z 192.0.2.7:50000 GET https www.bank.example /mortgage/apply \
             200 5123B 12.3ms upstream=8.1ms site=www.bank.example rule=\"mortgage desk\" \
             verdict=rewritten"
        );
    }

    #[test]
    fn json_line_parses() {
        let line = record().line(AccessLogFormat::Json);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["time"], "2025-11-02T10:12:12.345Z");
        assert_eq!(value["rule"], "mortgage desk");
        assert_eq!(value["status"], 200);
        assert_eq!(value["upstream_ms"], 8.1);
        assert_eq!(value.get("reason"), None);
    }

    #[test]
    fn a_query_is_never_written() {
        let mut record = record();
        record.path = "/find?ssn=078-05-1120".to_owned();
        for format in [AccessLogFormat::Human, AccessLogFormat::Json] {
            let line = record.line(format);
            assert!(!line.contains("ssn") && line.contains("/find"), "{line}");
        }
    }

    #[test]
    fn what_a_path_carries_besides_its_names_is_never_written() {
        let mut record = record();
        for (path, written) in [
            ("/a;v=1/b;jsessionid=2?c", "/a;/b;"),
            ("/;x", "/;"),
            ("/a;/b", "/a;/b"),
            ("/a%3Bb", "/a%3Bb"),
        ] {
            record.path = path.to_owned();
            assert_eq!(record.bare_path(), written);
        }
    }

    #[test]
    fn hostile_text_stays_in_its_field() {
        let mut record = record();
        record.path = "/a\r\n\"} forged\u{1b}[2J".to_owned();
        record.authority = Some("x y\nz".to_owned());
        for format in [AccessLogFormat::Human, AccessLogFormat::Json] {
            let line = record.line(format);
            assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
        }
        let line = record.line(AccessLogFormat::Json);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["path"], record.path);
    }

    #[test]
    fn dates_of_leap_years() {
        let table = [
            (0, (1970, 1, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (19_782, (2024, 2, 29)),
            (20_088, (2024, 12, 31)),
            (47_541, (2100, 3, 1)),
        ];
        for (days, date) in table {
            assert_eq!(civil_from_days(days), date, "{days}");
        }
    }
}
