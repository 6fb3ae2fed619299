use bytes::Bytes;

use crate::backend::protocol::{FrameHead, FrameKind};

/// What was recorded of the page that is shown, for agents who come late: its last snapshot and all
/// that came behind it. In memory, and bounded.
#[derive(Debug)]
pub(super) struct Recording {
    kept: Vec<Bytes>,
    size: usize,
    size_max: usize,
    next: Next,
    /// What is kept begins with a snapshot and lacks nothing.
    whole: bool,
}

/// Which frame fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Only the first snapshot of a recording.
    Start,
    /// Any snapshot.
    Snapshot,
    /// This one, or a snapshot.
    Events(u64),
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It begins a stream.
    Begun,
    /// It goes on.
    GoneOn,
    /// It goes on, but it was too much to keep: a snapshot is needed for those who come late.
    Full,
    /// It fits to nothing, which is known already.
    Dropped,
    /// Something is missing in front of it: a snapshot is needed.
    Gap,
}

impl Recording {
    pub(super) fn new(size_max: usize) -> Self {
        Self {
            kept: Vec::new(),
            size: 0,
            size_max,
            next: Next::Start,
            whole: false,
        }
    }

    /// Another recording begins, or none.
    pub(super) fn forget(&mut self) {
        self.drop_kept();
        self.next = Next::Start;
    }

    /// Whether the recording that is expected has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.next != Next::Start
    }

    /// All that is needed for the whole picture; nothing unless there is a whole one.
    pub(super) fn picture(&self) -> Option<&[Bytes]> {
        self.whole.then_some(&*self.kept)
    }

    pub(super) fn take(&mut self, head: FrameHead, bytes: &Bytes) -> Taken {
        match (head.kind, self.next) {
            (FrameKind::Snapshot, Next::Start) if head.sequence != 0 => Taken::Dropped,
            (FrameKind::Snapshot, _) => {
                self.drop_kept();
                self.whole = true;
                self.keep(head.sequence, bytes, Taken::Begun)
            }
            (FrameKind::Events, Next::Events(expected)) if expected == head.sequence => {
                self.keep(head.sequence, bytes, Taken::GoneOn)
            }
            (FrameKind::Events, Next::Events(_)) => {
                self.drop_kept();
                self.next = Next::Snapshot;
                Taken::Gap
            }
            (FrameKind::Events, Next::Start | Next::Snapshot) => Taken::Dropped,
        }
    }

    fn keep(&mut self, sequence: u64, bytes: &Bytes, taken: Taken) -> Taken {
        self.next = Next::Events(sequence.saturating_add(1));
        if !self.whole {
            return taken;
        }
        self.size += bytes.len();
        if self.size > self.size_max {
            self.drop_kept();
            // A snapshot that is too large by itself is asked for when somebody needs it.
            return match taken {
                Taken::GoneOn => Taken::Full,
                other => other,
            };
        }
        self.kept.push(bytes.clone());
        taken
    }

    fn drop_kept(&mut self) {
        self.kept = Vec::new();
        self.size = 0;
        self.whole = false;
    }
}
