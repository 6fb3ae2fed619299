use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::book::Shared;
use super::feed::{FeedWriter, Pushed};
use super::secret::TokenHash;
use crate::backend::protocol::{BackendMessage, CloseCode};
use crate::backend::session::{
    AgentEvent, Effect, Guest, Happening, Line, Moment, OpenedPage, SeatNo, Session, SessionFacts,
    SocketNo, Standing,
};
use crate::backend::store::{Actor, AuditEntry, Outcome, SessionRecord};
use crate::backend::unix_now;

/// What a session's task is told.
#[derive(Debug)]
pub(super) enum Letter {
    Happened(Happening),
    Opened {
        socket: SocketNo,
        page: OpenedPage,
        sender: mpsc::Sender<ToVisitor>,
    },
    Joined {
        seat: SeatNo,
        guest: Guest,
        writer: FeedWriter,
    },
    /// The process ends, and the session with it goes on in the next.
    Drain,
}

/// What a visitor's socket is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum ToVisitor {
    Say(BackendMessage),
    Close(CloseCode),
}

/// What is to be said to a visitor. It ends without a close when the visitor did not listen.
#[derive(Debug)]
pub struct Outbox(mpsc::Receiver<ToVisitor>);

/// Messages that wait for a visitor: pointers of agents, mostly.
const OUTBOX_MAX: usize = 128;

impl Outbox {
    pub(super) fn new() -> (mpsc::Sender<ToVisitor>, Self) {
        let (sender, receiver) = mpsc::channel(OUTBOX_MAX);
        (sender, Self(receiver))
    }

    /// Cancel safety: nothing is lost.
    pub async fn next(&mut self) -> Option<ToVisitor> {
        self.0.recv().await
    }
}

/// Runs one session to its end.
#[derive(Debug)]
pub(super) struct Runner {
    session: Session,
    token: TokenHash,
    shared: Arc<Shared>,
    inbox: mpsc::Receiver<Letter>,
    sockets: HashMap<SocketNo, mpsc::Sender<ToVisitor>>,
    seats: HashMap<SeatNo, FeedWriter>,
    /// What followed from carrying something out.
    more: VecDeque<Happening>,
    /// Not all that is to outlive the process is on its way to the disk.
    unsaved: bool,
    /// When it was last sent there.
    saved: Option<Moment>,
    /// Lines that the disk did not take, however much visitors say meanwhile.
    unwritten: (mpsc::Sender<Line>, mpsc::Receiver<Line>),
}

/// Between two times that a session is kept: a visitor may pause and go on as fast as it likes.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);
/// More lines than a session writes in one window of its ledger.
const UNWRITTEN_MAX: usize = 512;

impl Runner {
    pub(super) fn new(
        session: Session,
        token: TokenHash,
        shared: Arc<Shared>,
        inbox: mpsc::Receiver<Letter>,
    ) -> Self {
        Self {
            session,
            token,
            shared,
            inbox,
            sockets: HashMap::new(),
            seats: HashMap::new(),
            more: VecDeque::new(),
            unsaved: false,
            saved: None,
            unwritten: mpsc::channel(UNWRITTEN_MAX),
        }
    }

    pub(super) fn facts(&self) -> Arc<SessionFacts> {
        Arc::new(self.session.facts())
    }

    pub(super) async fn run(mut self) {
        loop {
            let Some(happening) = self.next().await else {
                self.save_before_the_end();
                return self.let_go();
            };
            self.more.push_back(happening);
            while let Some(happening) = self.more.pop_front() {
                let effects = self.session.apply(self.shared.now(), happening);
                for effect in effects {
                    self.perform(effect).await;
                }
            }
            if self.session.is_over() {
                return;
            }
            self.save_when_due();
        }
    }

    /// What happens next. `None`: the process ends.
    async fn next(&mut self) -> Option<Happening> {
        let deadline = self.session.deadline()?;
        let deadline = self.save_due().map_or(deadline, |due| due.min(deadline));
        let letter = tokio::select! {
            letter = self.inbox.recv() => letter?,
            Some(line) = self.unwritten.1.recv() => return Some(Happening::Unwritten(line)),
            () = sleep_until(self.shared.instant(deadline)) => return Some(Happening::Passed),
        };
        match letter {
            Letter::Happened(happening) => {
                self.forget_gone(&happening);
                Some(happening)
            }
            Letter::Opened {
                socket,
                page,
                sender,
            } => {
                self.sockets.insert(socket, sender);
                Some(Happening::Opened { socket, page })
            }
            Letter::Joined {
                seat,
                guest,
                writer,
            } => {
                self.seats.insert(seat, writer);
                Some(Happening::Joined { seat, guest })
            }
            Letter::Drain => None,
        }
    }

    fn forget_gone(&mut self, happening: &Happening) {
        match happening {
            Happening::Closed { socket } => drop(self.sockets.remove(socket)),
            Happening::Left { seat } => drop(self.seats.remove(seat)),
            _ => {}
        }
    }

    async fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Say { socket, message } => self.say(socket, message),
            Effect::Close { socket, code } => {
                if let Some(sender) = self.sockets.remove(&socket) {
                    // Full: it ends all the same, since nobody else can send.
                    let _ = sender.try_send(ToVisitor::Close(code));
                }
            }
            Effect::Tell { seat, event } => self.tell(seat, event),
            Effect::Show { seat, picture } => {
                if let Some(writer) = self.seats.get(&seat) {
                    writer.show(picture);
                }
            }
            Effect::Publish(facts) => self.shared.publish(facts),
            Effect::Save => self.unsaved = true,
            Effect::Audit(line) => self.audit(line),
            Effect::End { why, .. } => self.end(why).await,
        }
    }

    /// Whoever does not listen for so long has lost the connection.
    fn say(&mut self, socket: SocketNo, message: BackendMessage) {
        let may_be_lost = matches!(message, BackendMessage::Pointer { .. });
        let Some(sender) = self.sockets.get(&socket) else {
            return;
        };
        if sender.try_send(ToVisitor::Say(message)).is_err() && !may_be_lost {
            self.sockets.remove(&socket);
            self.more.push_back(Happening::Closed { socket });
        }
    }

    fn tell(&mut self, seat: SeatNo, event: AgentEvent) {
        let Some(writer) = self.seats.get(&seat) else {
            return;
        };
        match writer.push(event) {
            Pushed::Waiting => {}
            Pushed::Lagged => self.more.push_back(Happening::Lagged { seat }),
            Pushed::Closed => {
                self.seats.remove(&seat);
                self.more.push_back(Happening::Left { seat });
            }
        }
    }

    fn save_due(&self) -> Option<Moment> {
        let due = self
            .saved
            .map_or(Moment::ZERO, |saved| saved + SAVE_INTERVAL);
        self.unsaved.then_some(due)
    }

    fn save_when_due(&mut self) {
        if self.save_due().is_some_and(|due| due <= self.shared.now()) {
            self.save();
        }
    }

    fn save_before_the_end(&mut self) {
        if self.unsaved {
            self.save();
        }
    }

    /// Nobody waits for the disk: what cannot be kept now is tried again a second later.
    fn save(&mut self) {
        self.saved = Some(self.shared.now());
        let record = record(&self.session, self.token);
        self.unsaved = self.shared.store.leave_session(record).is_err();
    }

    fn audit(&mut self, line: Line) {
        let unwritten = self.unwritten.0.clone();
        let tell_back = move || {
            let _ = unwritten.try_send(line);
        };
        if let Err(error) = self.shared.store.note(self.entry(line), tell_back) {
            tracing::error!(%error, action = line.action, "the audit log cannot be written");
            self.more.push_back(Happening::Unwritten(line));
        }
    }

    fn entry(&self, line: Line) -> AuditEntry {
        let identity = self.session.identity();
        AuditEntry {
            at: unix_now(),
            actor: Actor::Visitor,
            action: line.action,
            group: Some(identity.group),
            session: Some(identity.id),
            outcome: match line.allowed {
                true => Outcome::Allowed,
                false => Outcome::Refused,
            },
            reason: match line.times {
                1 => line.reason.to_owned(),
                times => format!("{} ({times} times more)", line.reason)
                    .trim_start()
                    .to_owned(),
            },
        }
    }

    /// Whoever was in it does not wait for this.
    async fn end(&self, why: &'static str) {
        let id = self.session.identity().id;
        self.shared.remove(id);
        let store = &self.shared.store;
        if let Err(error) = store.audit(self.entry(Line::new("end", true, why))).await {
            tracing::error!(%error, "the end of a session is not in the audit log");
        }
        if let Err(error) = store.end_session(id, unix_now(), why).await {
            tracing::error!(%error, "a session that has ended cannot be struck out");
        }
    }

    /// Sockets are to connect again; feeds end.
    fn let_go(self) {
        for sender in self.sockets.into_values() {
            let _ = sender.try_send(ToVisitor::Close(CloseCode::Restart));
        }
    }
}

/// What is kept of a session over a restart.
pub(super) fn record(session: &Session, token: TokenHash) -> SessionRecord {
    let identity = session.identity();
    let state = match session.standing() {
        Standing::Starting => "starting",
        Standing::Waiting | Standing::Live | Standing::Suspended(_) => "open",
    };
    SessionRecord {
        id: identity.id,
        group: identity.group,
        key: identity.key.clone(),
        token_hash: token,
        state: state.to_owned(),
        paused: session.is_paused(),
        started: identity.started,
        details: serde_json::to_string(&identity.visitor).unwrap_or_default(),
    }
}
