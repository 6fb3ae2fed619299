use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::quota::{Bucket, Quota};

/// Lines about what an agent was refused: nobody fills the audit log by asking again and again. There are as
/// many entries as agents.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<HashMap<i64, Run>>);

/// Of one agent.
#[derive(Debug)]
struct Run {
    bucket: Bucket,
    /// Counted, and not written yet.
    held: u32,
}

const LINES: Quota = Quota::new(30, Duration::from_secs(20));

impl Refusals {
    /// What is to be written of one more; `None`: it is counted, and told with the next line.
    pub(super) fn note(&self, agent: i64, reason: &str, now: Instant) -> Option<String> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let run = runs.entry(agent).or_insert_with(|| Run {
            bucket: Bucket::full(now),
            held: 0,
        });
        if !run.bucket.try_take(LINES, now) {
            run.held = run.held.saturating_add(1);
            return None;
        }
        Some(match std::mem::take(&mut run.held) {
            0 => reason.to_owned(),
            held => format!("{reason} (and {held} refusals before)"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_refused_without_end_is_counted() {
        let refusals = Refusals::default();
        let now = Instant::now();
        let mut written = 0;
        for _ in 0..100 {
            written += u32::from(refusals.note(1, "unknown", now).is_some());
        }
        assert_eq!(written, LINES.burst);
        assert_eq!(refusals.note(2, "unknown", now).as_deref(), Some("unknown"));
        let later = now + LINES.interval;
        let told = refusals.note(1, "rate", later);
        assert_eq!(told.as_deref(), Some("rate (and 70 refusals before)"));
        assert_eq!(refusals.note(1, "rate", later), None);
    }
}
