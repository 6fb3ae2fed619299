use std::collections::BTreeMap;
use std::time::Duration;

use super::Moment;
use super::effect::Line;

/// What of a session is written into the audit log. What happens again and again is counted, so that nobody
/// fills the log by reloading a page, or by a script of his own.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<Kind, Run>);

/// Constant words: there are few of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    action: &'static str,
    allowed: bool,
    reason: &'static str,
}

/// Lines of one kind, in one window of time.
#[derive(Debug)]
struct Run {
    since: Moment,
    written: u32,
    /// Counted, and not written yet.
    held: u32,
}

/// Nobody loads so many pages in earnest without reading them.
pub(super) const LINES_MAX: u32 = 30;
/// What was only counted is written when so much time has passed.
pub(super) const WINDOW: Duration = Duration::from_mins(10);

impl Ledger {
    /// The line, if it is to be written now.
    pub(super) fn note(&mut self, now: Moment, line: Line) -> Option<Line> {
        let run = self.run(now, &line);
        if run.written < LINES_MAX {
            run.written += 1;
            return Some(line);
        }
        run.held = run.held.saturating_add(line.times);
        None
    }

    /// A line that could not be written, and is to be written later.
    pub(super) fn hold(&mut self, now: Moment, line: Line) {
        let run = self.run(now, &line);
        run.held = run.held.saturating_add(line.times);
    }

    /// When something that was counted is to be written.
    pub(super) fn due(&self) -> Option<Moment> {
        let held = self.0.values().filter(|run| run.held > 0);
        held.map(|run| run.since + WINDOW).min()
    }

    /// What is to be written by now of what was counted.
    pub(super) fn take_due(&mut self, now: Moment) -> Vec<Line> {
        let mut due = Vec::new();
        self.0.retain(|kind, run| {
            let is_over = run.since + WINDOW <= now;
            due.extend((is_over && run.held > 0).then(|| kind.times(run.held)));
            !is_over
        });
        due
    }

    /// All that was counted: the session is over.
    pub(super) fn take_all(&mut self) -> Vec<Line> {
        let runs = std::mem::take(&mut self.0).into_iter();
        let held = runs.filter(|(_, run)| run.held > 0);
        held.map(|(kind, run)| kind.times(run.held)).collect()
    }

    fn run(&mut self, now: Moment, line: &Line) -> &mut Run {
        let kind = Kind {
            action: line.action,
            allowed: line.allowed,
            reason: line.reason,
        };
        self.0.entry(kind).or_insert(Run {
            since: now,
            written: 0,
            held: 0,
        })
    }
}

impl Kind {
    fn times(self, times: u32) -> Line {
        Line {
            times,
            ..Line::new(self.action, self.allowed, self.reason)
        }
    }
}
