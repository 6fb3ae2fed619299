use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::cases::{Case, Step, cases};
use crate::support::{Conversation, RawOrigin, soon};

/// Answers `/marked/...` with what was asked and on which connection, and `/case/<number>` as the
/// case says.
pub(super) struct Origin {
    origin: RawOrigin,
    shared: Arc<Shared>,
}

struct Shared {
    cases: Vec<Case>,
    connections: AtomicUsize,
    /// The connection that the last case was asked for on.
    last: AtomicUsize,
    go: Notify,
    is_sent: Notify,
}

impl Origin {
    pub(super) async fn start() -> Self {
        let shared = Arc::new(Shared {
            cases: cases(),
            connections: AtomicUsize::new(0),
            last: AtomicUsize::new(0),
            go: Notify::new(),
            is_sent: Notify::new(),
        });
        let told = Arc::clone(&shared);
        let origin = RawOrigin::start(move |conversation| {
            let shared = Arc::clone(&told);
            async move { converse(conversation, &shared).await }
        })
        .await;
        Self { origin, shared }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.origin.address
    }

    pub(super) fn connection_of_last_case(&self) -> usize {
        self.shared.last.load(Ordering::Acquire)
    }

    /// Has the last case send what comes late, and waits until it has.
    pub(super) async fn send_late(&self) {
        self.shared.go.notify_one();
        soon(self.shared.is_sent.notified()).await;
    }
}

async fn converse(mut conversation: Conversation, shared: &Shared) {
    let connection = shared.connections.fetch_add(1, Ordering::AcqRel);
    while let Some(head) = conversation.head().await {
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let Some(number) = target.strip_prefix("/case/") else {
            let body = format!("{target} over {connection}");
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n");
            let answer = format!("{head}Content-Type: text/plain\r\n\r\n{body}");
            conversation.send(answer).await;
            continue;
        };
        shared.last.store(connection, Ordering::Release);
        let case = &shared.cases[number.parse::<usize>().unwrap()];
        if !play(&mut conversation, case, shared).await {
            return;
        }
    }
}

/// Whether the connection goes on.
async fn play(conversation: &mut Conversation, case: &Case, shared: &Shared) -> bool {
    if case.method == http::Method::POST && !case.is_early {
        conversation.read_exactly("a form".len()).await;
    }
    for step in &case.steps {
        match step {
            Step::Send(bytes) => conversation.send(bytes).await,
            Step::Flood(piece) => while conversation.try_send(piece).await.is_ok() {},
            Step::Late(bytes) => {
                shared.go.notified().await;
                conversation.send(bytes).await;
                shared.is_sent.notify_one();
            }
            Step::Close => return false,
        }
    }
    if case.is_early {
        conversation.read_exactly("a form".len()).await;
    }
    true
}
