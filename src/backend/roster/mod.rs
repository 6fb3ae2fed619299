//! The sessions that are going on, each run by a task of its own: what it decides is in
//! [`session`](super::session), here it is carried out.

mod book;
mod feed;
mod runner;
mod secret;
#[cfg(test)]
mod tests;

pub use book::{NewSession, Roster, StartRefusal};
pub use feed::Feed;
pub use runner::{Outbox, ToVisitor};
pub use secret::{ResumeToken, TokenHash};

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc;

use super::protocol::{FrameHead, VisitorMessage};
use super::session::{Admission, Happening, Order, SeatNo, SocketNo};
use runner::Letter;

/// An agent's place in a session. The agent leaves when both parts are dropped.
#[derive(Debug)]
pub struct Joined {
    pub feed: Feed,
    pub orders: Orders,
}

/// What an agent wants of a session. Nothing here waits: of what is too much, the session knows
/// nothing.
#[derive(Clone, Debug)]
pub struct Orders(Arc<Presence>);

/// An agent is in as long as this is there.
#[derive(Debug)]
struct Presence {
    seat: SeatNo,
    inbox: mpsc::Sender<Letter>,
}

impl Orders {
    pub fn pointer(&self, page: u32, node: u64, x: f64, y: f64) {
        self.order(Order::Pointer { page, node, x, y });
    }

    pub fn highlight(&self, page: u32, node: u64) {
        self.order(Order::Highlight { page, node });
    }

    pub fn message(&self, name: String, data: Value) {
        self.order(Order::Message { name, data });
    }

    pub fn snapshot(&self) {
        self.order(Order::Snapshot);
    }

    /// Ends the session. `false`: the session is too busy to hear it; say it again.
    pub fn end(&self) -> bool {
        self.order(Order::End)
    }

    /// Whether the agent may see the page. `false`: the session is too busy to hear it.
    pub fn set_views(&self, views: bool) -> bool {
        let seat = self.0.seat;
        self.0.tell(Happening::Views { seat, views })
    }

    fn order(&self, order: Order) -> bool {
        let seat = self.0.seat;
        self.0.tell(Happening::Ordered { seat, order })
    }
}

impl Presence {
    fn tell(&self, happening: Happening) -> bool {
        self.inbox.try_send(Letter::Happened(happening)).is_ok()
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let left = Letter::Happened(Happening::Left { seat: self.seat });
        let Err(mpsc::error::TrySendError::Full(left)) = self.inbox.try_send(left) else {
            return;
        };
        // Busy, but it must hear of it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let inbox = self.inbox.clone();
            runtime.spawn(async move { inbox.send(left).await });
        }
    }
}

/// A visitor's socket in a session. It waits where the session is busy, so that the visitor is held
/// up, and nobody else.
#[derive(Debug)]
pub struct Attached {
    socket: SocketNo,
    inbox: mpsc::Sender<Letter>,
    /// What is to be said to the visitor.
    pub outbox: Outbox,
}

impl Attached {
    /// `false`: the session is over.
    pub async fn say(&self, message: VisitorMessage) -> bool {
        let socket = self.socket;
        self.tell(Happening::Said { socket, message }).await
    }

    pub async fn focus(&self, admission: Admission, allowed: Vec<u32>) -> bool {
        let happening = Happening::Focused {
            socket: self.socket,
            admission,
            allowed,
        };
        self.tell(happening).await
    }

    pub async fn frame(&self, head: FrameHead, bytes: Bytes) -> bool {
        let socket = self.socket;
        let happening = Happening::Frame {
            socket,
            head,
            bytes,
        };
        self.tell(happening).await
    }

    /// A frame of its page is not to be seen, and that is written down.
    pub async fn frame_refused(&self, admission: Admission) -> bool {
        self.tell(Happening::FrameRefused(admission)).await
    }

    pub async fn close(self) {
        let socket = self.socket;
        self.tell(Happening::Closed { socket }).await;
    }

    async fn tell(&self, happening: Happening) -> bool {
        self.inbox.send(Letter::Happened(happening)).await.is_ok()
    }
}
