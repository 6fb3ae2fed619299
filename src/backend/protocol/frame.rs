/// What a binary frame begins with: one byte kind, four bytes page, eight bytes sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    pub kind: FrameKind,
    pub page: u32,
    pub sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// Goes on from the frame before.
    Events,
    /// Begins a stream; what was kept before must be forgotten.
    Snapshot,
}

/// The longest frame, head and all.
pub const FRAME_BYTES_MAX: usize = 8 * 1024 * 1024 + HEAD_BYTES;

const HEAD_BYTES: usize = 13;

impl FrameHead {
    /// `None` for what is no frame. What stands behind the head is passed on unread.
    pub fn read(frame: &[u8]) -> Option<Self> {
        if !(HEAD_BYTES + 1..=FRAME_BYTES_MAX).contains(&frame.len()) {
            return None;
        }
        let kind = match frame.first()? {
            1 => FrameKind::Events,
            2 => FrameKind::Snapshot,
            _ => return None,
        };
        Some(Self {
            kind,
            page: u32::from_be_bytes(frame.get(1..5)?.try_into().ok()?),
            sequence: u64::from_be_bytes(frame.get(5..HEAD_BYTES)?.try_into().ok()?),
        })
    }
}
