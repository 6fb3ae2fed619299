use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::telemetry::Blame;

/// What is learnt about an exchange on its way, for the line in the access log that is written
/// when its last byte has left.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Observed>>);

#[derive(Clone, Debug, Default)]
pub struct Observed {
    pub site: Option<Arc<str>>,
    pub rule: Option<Arc<str>>,
    /// `rewritten`, `untagged`, `passed`, `session`, `tunnel`, `refused` or `failed`.
    pub verdict: Option<&'static str>,
    /// Why a page was passed, went untagged, or had no answer.
    pub reason: Option<&'static str>,
    pub blame: Option<Blame>,
    /// From the call to the head of the upstream's answer.
    pub upstream: Option<Duration>,
}

impl Notes {
    pub fn write(&self, write: impl FnOnce(&mut Observed)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn read(&self) -> Observed {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
