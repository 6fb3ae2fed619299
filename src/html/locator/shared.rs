use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lol_html::OutputSink;

use super::{Finding, Found};

/// What handlers and sink leave behind for their owner.
#[derive(Default)]
pub(in crate::html) struct Shared {
    found: Mutex<Vec<Finding>>,
    /// How many bytes the parser is done with.
    settled: AtomicU64,
    /// Whether svg or math stood in the page, in which there are CDATA sections.
    pub(super) foreign: AtomicBool,
    /// The part of the page that was left last by the end tag of the svg, math or template that it
    /// began with: where it begins, and where it ends.
    left: Mutex<Option<(u64, u64)>>,
    /// Behind this, it depends on more than open elements how tags are read.
    pub(super) is_entangled: AtomicBool,
}

impl Shared {
    /// How many bytes the parser is done with.
    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    /// What was found already is not found again.
    pub(in crate::html) fn note_once(&self, at: u64, what: Found) {
        if !self.has(at, what) {
            self.found().push(Finding { at, what });
        }
    }

    /// Whether this was found at the tag that is looked at.
    pub(in crate::html) fn has(&self, at: u64, what: Found) -> bool {
        let found = self.found();
        let mut of_tag = found.iter().rev().take_while(|one| one.at == at);
        of_tag.any(|one| one.what == what)
    }

    /// Whether a mask was found at the tag that is looked at.
    pub(in crate::html) fn is_masked(&self, at: u64) -> bool {
        let found = self.found();
        let mut of_tag = found.iter().rev().take_while(|one| one.at == at);
        of_tag.any(|one| matches!(one.what, Found::Mask(_)))
    }

    fn found(&self) -> MutexGuard<'_, Vec<Finding>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, at: usize, what: Found) {
        let finding = Finding {
            at: at as u64,
            what,
        };
        self.found().push(finding);
    }

    pub(in crate::html) fn note_left(&self, start: usize, end: usize) {
        *self.left() = Some((start as u64, end as u64));
    }

    pub(super) fn left(&self) -> MutexGuard<'_, Option<(u64, u64)>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self, into: &mut Vec<Finding>) {
        into.append(&mut self.found());
    }
}

pub(super) struct CountedOutput(pub(super) Arc<Shared>);

impl OutputSink for CountedOutput {
    fn handle_chunk(&mut self, chunk: &[u8]) {
        self.0
            .settled
            .fetch_add(chunk.len() as u64, Ordering::Relaxed);
    }
}
