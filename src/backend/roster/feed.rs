use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::Presence;
use crate::backend::session::AgentEvent;

/// What an agent hears of a session, in order. Bounded: an agent who does not listen loses the frames
/// that wait, and is told to forget what is shown.
#[derive(Debug)]
pub struct Feed {
    queue: Arc<Queue>,
    pub(super) _presence: Arc<Presence>,
}

/// The session's end of a feed. When it is gone, nothing more comes.
#[derive(Debug)]
pub(super) struct FeedWriter(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    items: VecDeque<Item>,
    frames: usize,
    bytes: usize,
    /// Items that are no frames.
    words: usize,
    closed: bool,
}

#[derive(Debug)]
enum Item {
    Event(AgentEvent),
    /// Frames of a picture that the session keeps anyway.
    Picture(VecDeque<Bytes>),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Waiting,
    /// It was too much: the frames were dropped.
    Lagged,
    /// It was too much even without frames: nothing more is told.
    Closed,
}

const FRAMES_MAX: usize = 256;
const BYTES_MAX: usize = 4 * 1024 * 1024;
const WORDS_MAX: usize = 256;

const SNAPSHOT: u8 = 2;

impl Feed {
    pub(super) fn new(presence: Arc<Presence>) -> (Self, FeedWriter) {
        let queue = Arc::<Queue>::default();
        let writer = FeedWriter(Arc::clone(&queue));
        let feed = Self {
            queue,
            _presence: presence,
        };
        (feed, writer)
    }

    /// The next event; `None`: there will be none.
    ///
    /// Cancel safety: nothing is lost.
    pub async fn next(&mut self) -> Option<AgentEvent> {
        loop {
            let changed = self.queue.changed.notified();
            {
                let mut waiting = self.queue.lock();
                if let Some(event) = waiting.pop() {
                    return Some(event);
                }
                if waiting.closed {
                    return None;
                }
            }
            changed.await;
        }
    }
}

impl FeedWriter {
    pub(super) fn push(&self, event: AgentEvent) -> Pushed {
        let pushed = self.0.lock().push(event);
        self.0.changed.notify_one();
        pushed
    }

    /// The whole picture, instead of what waits of an older one.
    pub(super) fn show(&self, picture: Vec<Bytes>) {
        let mut waiting = self.0.lock();
        waiting.drop_frames();
        waiting.items.push_back(Item::Picture(picture.into()));
        drop(waiting);
        self.0.changed.notify_one();
    }
}

impl Drop for FeedWriter {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.notify_one();
    }
}

impl Queue {
    /// A panic elsewhere cannot leave it half changed.
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, event: AgentEvent) -> Pushed {
        if self.closed {
            return Pushed::Closed;
        }
        match &event {
            AgentEvent::Frame(frame) => {
                // What was private in an older picture must not be shown any more.
                if frame.first() == Some(&SNAPSHOT) {
                    self.drop_frames();
                }
                let size = self.bytes + frame.len();
                if self.frames > 0 && (self.frames >= FRAMES_MAX || size > BYTES_MAX) {
                    return self.lag();
                }
                self.frames += 1;
                self.bytes = size;
            }
            AgentEvent::Session(_) if self.ends_with_session() => {
                self.items.pop_back();
            }
            _ if self.words >= WORDS_MAX => {
                *self = Self {
                    closed: true,
                    ..Self::default()
                };
                return Pushed::Closed;
            }
            _ => self.words += 1,
        }
        self.items.push_back(Item::Event(event));
        Pushed::Waiting
    }

    fn lag(&mut self) -> Pushed {
        self.drop_frames();
        match self.push(AgentEvent::Reset) {
            Pushed::Closed => Pushed::Closed,
            Pushed::Lagged | Pushed::Waiting => Pushed::Lagged,
        }
    }

    fn ends_with_session(&self) -> bool {
        matches!(self.items.back(), Some(Item::Event(AgentEvent::Session(_))))
    }

    fn drop_frames(&mut self) {
        self.items.retain(|item| match item {
            Item::Event(AgentEvent::Frame(_)) | Item::Picture(_) => false,
            Item::Event(_) => true,
        });
        (self.frames, self.bytes) = (0, 0);
    }

    fn pop(&mut self) -> Option<AgentEvent> {
        loop {
            match self.items.pop_front()? {
                Item::Picture(mut picture) => {
                    let Some(frame) = picture.pop_front() else {
                        continue;
                    };
                    self.items.push_front(Item::Picture(picture));
                    return Some(AgentEvent::Frame(frame));
                }
                Item::Event(event) => {
                    match &event {
                        AgentEvent::Frame(frame) => {
                            self.frames = self.frames.saturating_sub(1);
                            self.bytes = self.bytes.saturating_sub(frame.len());
                        }
                        _ => self.words = self.words.saturating_sub(1),
                    }
                    return Some(event);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, length: usize) -> AgentEvent {
        let mut bytes = vec![0; length];
        bytes[0] = kind;
        AgentEvent::Frame(bytes.into())
    }

    fn all(waiting: &mut Waiting) -> Vec<AgentEvent> {
        std::iter::from_fn(|| waiting.pop()).collect()
    }

    #[test]
    fn gives_what_was_put_in() {
        let mut waiting = Waiting::default();
        for event in [frame(2, 20), frame(1, 14), AgentEvent::Reset] {
            assert_eq!(waiting.push(event), Pushed::Waiting);
        }
        assert_eq!(
            all(&mut waiting),
            [frame(2, 20), frame(1, 14), AgentEvent::Reset]
        );
        assert_eq!((waiting.frames, waiting.bytes, waiting.words), (0, 0, 0));
    }

    #[test]
    fn too_many_frames_are_dropped_and_said_to_be() {
        let mut waiting = Waiting::default();
        let message = AgentEvent::Message {
            name: "a".into(),
            data: serde_json::Value::Null,
        };
        waiting.push(message.clone());
        for _ in 0..FRAMES_MAX {
            assert_eq!(waiting.push(frame(1, 14)), Pushed::Waiting);
        }
        assert_eq!(waiting.push(frame(1, 14)), Pushed::Lagged);
        assert_eq!(all(&mut waiting), [message, AgentEvent::Reset]);
    }

    #[test]
    fn too_many_bytes_are_dropped_but_one_frame_may_be_large() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.push(frame(2, BYTES_MAX + 1)), Pushed::Waiting);
        assert_eq!(waiting.push(frame(1, 14)), Pushed::Lagged);
        assert_eq!(all(&mut waiting), [AgentEvent::Reset]);
    }

    #[test]
    fn a_snapshot_pushes_out_what_it_replaces() {
        let mut waiting = Waiting::default();
        waiting.items.push_back(Item::Picture(
            [Bytes::from_static(b"old"), Bytes::from_static(b"older")].into(),
        ));
        waiting.push(frame(1, 14));
        waiting.push(AgentEvent::Reset);
        waiting.push(frame(2, 15));
        assert_eq!(all(&mut waiting), [AgentEvent::Reset, frame(2, 15)]);
    }

    #[test]
    fn an_agent_who_does_not_listen_at_all_hears_nothing_more() {
        let mut waiting = Waiting::default();
        let pushed: Vec<_> = (0..=WORDS_MAX)
            .map(|_| waiting.push(AgentEvent::Reset))
            .collect();
        assert_eq!(pushed.last(), Some(&Pushed::Closed));
        assert_eq!(waiting.pop(), None);
        assert_eq!(waiting.push(AgentEvent::Reset), Pushed::Closed);
    }
}
