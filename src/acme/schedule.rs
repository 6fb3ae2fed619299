//! When what is done. Dice are numbers from 0 up to 1: edges that were started together must not all
//! ask the authority at once.

use std::time::{Duration, SystemTime};

use super::config::Pace;
use crate::server::CertificateInfo;

/// The parts of a certificate's life between which it is renewed: in any case before a third is left.
const EARLIEST: f64 = 0.60;
const LATEST: f64 = 0.66;

/// What there is to do for a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    At(SystemTime),
    /// Somebody else sees to it.
    Never,
}

/// `directory` is who certified what the edge has ordered for the host itself, `wanted` who should.
pub(super) fn due(
    host: &str,
    certificates: &[CertificateInfo],
    directory: Option<&str>,
    wanted: &str,
    dice: f64,
) -> Due {
    let mut of_host = certificates.iter().filter(|info| covers(info, host));
    if of_host.clone().any(|info| !info.is_ordered()) {
        return Due::Never;
    }
    match of_host.next() {
        Some(info) if directory == Some(wanted) => {
            Due::At(renewal(info.not_before, info.not_after, dice))
        }
        Some(_) | None => Due::Now,
    }
}

fn covers(info: &CertificateInfo, host: &str) -> bool {
    info.names.iter().any(|name| match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => name == host,
    })
}

fn renewal(not_before: SystemTime, not_after: SystemTime, dice: f64) -> SystemTime {
    let life = not_after.duration_since(not_before).unwrap_or_default();
    not_before + life.mul_f64(EARLIEST + (LATEST - EARLIEST) * dice)
}

/// How long a host waits after so many failures in a row.
pub(super) fn pause(pace: &Pace, failures: u32, dice: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let pause = pace.pause_min.saturating_mul(1 << doublings);
    pause.min(pace.pause_max).mul_f64(0.75 + 0.5 * dice)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn day(number: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + DAY * number
    }

    /// Valid from day 100 to day 200.
    fn certificate(file: &str, name: &str) -> CertificateInfo {
        CertificateInfo {
            file: Some(PathBuf::from(file)),
            names: vec![name.to_owned()],
            not_before: day(100),
            not_after: day(200),
        }
    }

    #[test]
    fn what_is_due_and_when() {
        let renewed = Due::At(day(160));
        for (file, name, directory, expected) in [
            ("certs/acme-a.example.pem", "a.example", "here", renewed),
            ("certs/acme-a.example.pem", "a.example", "staging", Due::Now),
            ("certs/acme-b.example.pem", "b.example", "here", Due::Now),
            ("certs/bank.pem", "a.example", "here", Due::Never),
            ("certs/bank.pem", "*.example", "here", Due::Never),
            ("certs/bank.pem", "*.a.example", "here", Due::Now),
            ("certs/bank.pem", "b.example", "here", Due::Now),
        ] {
            let held = [certificate(file, name)];
            let due = due("a.example", &held, Some(directory), "here", 0.0);
            assert_eq!(due, expected, "{file} {name} {directory}");
        }
        assert_eq!(due("a.example", &[], None, "here", 0.0), Due::Now);
        let both = [
            certificate("certs/acme-a.example.pem", "a.example"),
            certificate("certs/bank.pem", "a.example"),
        ];
        assert_eq!(
            due("a.example", &both, Some("here"), "here", 0.0),
            Due::Never
        );
    }

    #[test]
    fn a_renewal_comes_before_a_third_is_left_and_not_long_before() {
        for (dice, earliest, latest) in [(0.0, 160, 160), (0.5, 162, 164), (0.999, 165, 166)] {
            let at = renewal(day(100), day(200), dice);
            assert!((day(earliest)..=day(latest)).contains(&at), "{dice}");
        }
        // Ends before it begins: it is due from the beginning.
        assert_eq!(renewal(day(200), day(100), 0.9), day(200));
    }

    #[test]
    fn pauses_double_up_to_their_limit() {
        let pace = Pace::default();
        let minutes = |failures| pause(&pace, failures, 0.5).as_secs() / 60;
        let seen: Vec<_> = (0..10).map(minutes).collect();
        assert_eq!(seen, [10, 10, 20, 40, 80, 160, 320, 640, 720, 720]);
        assert_eq!(minutes(u32::MAX), 720);
        assert_eq!(pause(&pace, 1, 0.0), Duration::from_secs(450));
        assert!(pause(&pace, 1, 0.999) < Duration::from_secs(750));
    }
}
