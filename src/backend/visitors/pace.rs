use super::brake::{Brake, Pace};

/// What one address may do.
#[derive(Debug)]
pub(in crate::backend) struct Paces {
    pub(super) starts: Brake,
    pub(super) sockets: Brake,
    pub(super) ends: Brake,
}

impl Default for Paces {
    fn default() -> Self {
        Self {
            starts: Brake::new(STARTS),
            sockets: Brake::new(SOCKETS),
            ends: Brake::new(ENDS),
        }
    }
}

/// A company's visitors may all come from one address, and each starts one session.
const STARTS: Pace = Pace {
    burst: 60.0,
    per_second: 1.0,
};
/// Each page opens one; after a restart all do at once.
const SOCKETS: Pace = Pace {
    burst: 1_000.0,
    per_second: 20.0,
};
const ENDS: Pace = Pace {
    burst: 120.0,
    per_second: 2.0,
};
/// Text messages of one socket.
pub(super) const MESSAGES: Pace = Pace {
    burst: 200.0,
    per_second: 20.0,
};
/// Frames of one socket: a batch leaves the page each 75 ms.
pub(super) const FRAMES: Pace = Pace {
    burst: 600.0,
    per_second: 60.0,
};
/// Bytes of the frames of one socket.
pub(super) const FRAME_BYTES: Pace = Pace {
    burst: 64.0 * 1024.0 * 1024.0,
    per_second: 2.0 * 1024.0 * 1024.0,
};
