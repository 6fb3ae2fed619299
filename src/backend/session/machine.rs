use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Moment;
use super::effect::{AgentEvent, Effect, Line};
use super::facts::{Identity, Pause, SessionFacts, Standing};
use super::happening::{Admission, Guest, Happening, OpenedPage, Order, SeatNo, SocketNo};
use super::ledger::Ledger;
use super::recording::{Recording, Taken};
use super::seat::{Seat, Sight};
use super::tab::{Tab, elect};
use crate::backend::protocol::{
    BackendMessage, CloseCode, EndReason, ErrorCode, FinishReason, FrameHead, MESSAGE_NAME_MAX,
    RefuseCode, SessionError, SuspendReason, VisitorMessage,
};

/// The bounds of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a session may wait for its first page.
    pub start: Duration,
    /// How long it may be suspended.
    pub suspended: Duration,
    /// How long it may last.
    pub age: Duration,
    /// Between two snapshots that the visitor's page is asked for.
    pub snapshots: Duration,
    /// Of a page that is kept for agents who come late.
    pub kept_bytes_max: usize,
    pub tabs_max: usize,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(30),
            suspended: Duration::from_mins(15),
            age: Duration::from_hours(24),
            snapshots: Duration::from_secs(1),
            kept_bytes_max: 8 * 1024 * 1024,
            tabs_max: 16,
        }
    }
}

/// Whether what is recorded has to begin again, since it is masked by who watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Restart {
    #[default]
    No,
    /// The script stops when it hears of the agents, and begins again with a snapshot.
    ByItself,
    /// A first snapshot may be under way that was masked for the agents of before. It cannot be told
    /// from the next one, so the page must connect anew.
    Anew,
}

/// A session, in the process that runs it.
#[derive(Debug)]
pub struct Session {
    pub(super) identity: Identity,
    pub(super) terms: Terms,
    pub(super) began: Moment,
    /// A page of it was seen.
    pub(super) opened: bool,
    pub(super) ended: bool,
    pub(super) pages: u32,
    pub(super) turn: u64,
    pub(super) tabs: BTreeMap<SocketNo, Tab>,
    pub(super) seats: BTreeMap<SeatNo, Seat>,
    pub(super) paused: Option<Pause>,
    pub(super) recording: Recording,
    pub(super) restart: Restart,
    /// The socket whose frames are passed on.
    pub(super) stream: Option<SocketNo>,
    pub(super) snapshot_wanted: bool,
    pub(super) snapshot_asked: Option<Moment>,
    pub(super) suspended_since: Option<Moment>,
    /// What of it stands in the audit log.
    pub(super) ledger: Ledger,
    /// As it was published last.
    pub(super) told: Option<Arc<SessionFacts>>,
}

impl Session {
    /// A session that nobody has seen a page of.
    pub fn start(identity: Identity, terms: Terms, now: Moment) -> Self {
        Self {
            identity,
            terms,
            began: now,
            opened: false,
            ended: false,
            pages: 0,
            turn: 0,
            tabs: BTreeMap::new(),
            seats: BTreeMap::new(),
            paused: None,
            recording: Recording::new(terms.kept_bytes_max),
            restart: Restart::No,
            stream: None,
            snapshot_wanted: false,
            snapshot_asked: None,
            suspended_since: None,
            ledger: Ledger::default(),
            told: None,
        }
    }

    /// A session that a process before this one ran.
    pub fn resume(identity: Identity, terms: Terms, paused: bool, now: Moment) -> Self {
        Self {
            opened: true,
            paused: paused.then(Pause::default),
            suspended_since: Some(now),
            ..Self::start(identity, terms, now)
        }
    }

    /// What becomes of it, and what is to be done about it.
    pub fn apply(&mut self, now: Moment, happening: Happening) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.ended {
            return effects;
        }
        if let Happening::Unwritten(line) = &happening {
            self.ledger.hold(now, *line);
        }
        self.happen(happening, &mut effects);
        if !self.ended {
            self.settle(now, &mut effects);
        }
        self.write_down(now, effects)
    }

    /// Lines that repeat are counted; what was counted long enough is written.
    fn write_down(&mut self, now: Moment, effects: Vec<Effect>) -> Vec<Effect> {
        let counted = match self.ended {
            true => self.ledger.take_all(),
            false => self.ledger.take_due(now),
        };
        let mut written: Vec<_> = counted.into_iter().map(Effect::Audit).collect();
        for effect in effects {
            written.extend(match effect {
                Effect::Audit(line) => self.ledger.note(now, line).map(Effect::Audit),
                other => Some(other),
            });
        }
        written
    }

    pub fn is_over(&self) -> bool {
        self.ended
    }

    /// Whether the session is paused, for whoever keeps it.
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    fn happen(&mut self, happening: Happening, effects: &mut Vec<Effect>) {
        match happening {
            Happening::Opened { socket, page } => self.open(socket, page, effects),
            Happening::Focused {
                socket,
                admission,
                allowed,
            } => self.focus(socket, admission, &allowed, effects),
            Happening::Said { socket, message } => self.hear(socket, message, effects),
            Happening::Frame {
                socket,
                head,
                bytes,
            } => self.pass_on(socket, head, &bytes, effects),
            Happening::Closed { socket } => {
                self.tabs.remove(&socket);
            }
            Happening::Finished(FinishReason::Visitor) => {
                self.end(EndReason::Visitor, "visitor", None, effects);
            }
            Happening::Finished(FinishReason::MaskingError) => {
                self.end(EndReason::Error, "maskingerror", None, effects);
            }
            Happening::Joined { seat, guest } => self.join(seat, guest),
            Happening::Left { seat } => self.leave(seat, effects),
            Happening::Views { seat, views } => self.change_views(seat, views, effects),
            Happening::Ordered { seat, order } => self.obey(seat, order, effects),
            Happening::Lagged { seat } => {
                if let Some(seat) = self.seats.get_mut(&seat) {
                    seat.sight = Sight::Lost;
                    self.snapshot_wanted = true;
                }
            }
            Happening::Unwritten(line) => self.let_go_unless_refused(line, effects),
            Happening::FrameRefused(admission) => {
                let line = Line::new("frame", false, admission.reason());
                effects.push(Effect::Audit(line));
            }
            Happening::Passed => {}
        }
    }

    fn open(&mut self, socket: SocketNo, page: OpenedPage, effects: &mut Vec<Effect>) {
        let twin = self.tabs.iter().find(|(_, tab)| tab.page.tab == page.tab);
        if let Some(twin) = twin.map(|(socket, _)| *socket) {
            self.close(twin, CloseCode::Replaced, effects);
        }
        if self.tabs.len() >= self.terms.tabs_max {
            let code = CloseCode::Limit;
            return effects.push(Effect::Close { socket, code });
        }
        if page.paused && self.paused.is_none() {
            self.paused = Some(Pause::default());
            effects.push(Effect::Save);
        }
        if !self.opened {
            self.opened = true;
            effects.push(Effect::Save);
        }
        self.turn += 1;
        self.pages = self.pages.saturating_add(1);
        effects.push(Effect::Audit(Line::new(
            "continue",
            page.admission.is_allowed(),
            page.admission.reason(),
        )));
        let tab = Tab {
            focused: if page.focused { self.turn } else { 0 },
            number: self.pages,
            page,
            refused: None,
            told: None,
        };
        self.tabs.insert(socket, tab);
    }

    fn focus(
        &mut self,
        socket: SocketNo,
        admission: Admission,
        allowed: &[u32],
        effects: &mut Vec<Effect>,
    ) {
        let Some(tab) = self.tabs.get_mut(&socket) else {
            return;
        };
        self.turn += 1;
        tab.focused = self.turn;
        if admission.is_allowed() && !tab.page.admission.is_allowed() {
            // It was welcomed without masks, as a page that nobody is to see. It gets them with a new
            // welcome only.
            return self.close(socket, CloseCode::Restart, effects);
        }
        if tab.page.admission != admission && !admission.is_allowed() {
            effects.push(Effect::Audit(Line::new("focus", false, admission.reason())));
            let error = SessionError::of_group(self.identity.group.as_u32(), allowed);
            let message = BackendMessage::Refused { error };
            effects.push(Effect::Say { socket, message });
        }
        tab.page.admission = admission;
    }

    fn hear(&mut self, socket: SocketNo, message: VisitorMessage, effects: &mut Vec<Effect>) {
        if !self.tabs.contains_key(&socket) {
            return;
        }
        match message {
            VisitorMessage::Pause { paused, message } => {
                let message = message.filter(|_| self.is_open(socket));
                self.pause(paused.then_some(Pause { message }), effects);
            }
            VisitorMessage::Location { url } => {
                if let Some(tab) = self.tabs.get_mut(&socket) {
                    tab.page.url = url;
                }
            }
            VisitorMessage::Refuse { code, .. } => self.refuse(socket, code, effects),
            VisitorMessage::Message { name, .. } if name.chars().count() > MESSAGE_NAME_MAX => {
                let message = BackendMessage::Refused { error: long_name() };
                effects.push(Effect::Say { socket, message });
            }
            VisitorMessage::Message { name, data } => {
                if self.is_open(socket) {
                    self.tell_viewers(&AgentEvent::Message { name, data }, effects);
                }
            }
            VisitorMessage::Control { .. } => {
                let message = BackendMessage::Control { enabled: false };
                effects.push(Effect::Say { socket, message });
            }
            // One is said, and read, before a socket belongs to a session; focus comes with an admission;
            // frames are looked at by the socket.
            VisitorMessage::Hello(_) | VisitorMessage::Focus | VisitorMessage::Frame { .. } => {
                self.close(socket, CloseCode::Protocol, effects);
            }
        }
    }

    fn pause(&mut self, paused: Option<Pause>, effects: &mut Vec<Effect>) {
        if self.paused.is_some() != paused.is_some() {
            effects.push(Effect::Save);
        }
        if self.paused != paused {
            let message = paused.as_ref().and_then(|pause| pause.message.clone());
            let event = AgentEvent::Paused {
                paused: paused.is_some(),
                message,
            };
            self.tell_all(&event, effects);
        }
        self.paused = paused;
    }

    fn refuse(&mut self, socket: SocketNo, code: RefuseCode, effects: &mut Vec<Effect>) {
        let (reason, word) = match code {
            RefuseCode::GroupId => (SuspendReason::Group, "groupid"),
            RefuseCode::MaskingError => (SuspendReason::Masks, "maskingerror"),
        };
        let tab = self.tabs.get_mut(&socket);
        let before = tab.and_then(|tab| tab.refused.replace(reason));
        if before != Some(reason) {
            effects.push(Effect::Audit(Line::new("refuse", false, word)));
        }
    }

    /// What cannot be written down does not go on: the pages connect anew, and are looked at again.
    fn let_go_unless_refused(&mut self, line: Line, effects: &mut Vec<Effect>) {
        let sockets: Vec<_> = self.tabs.keys().copied().collect();
        let pages = sockets.into_iter().filter(|_| line.allowed);
        pages.for_each(|socket| self.close(socket, CloseCode::Restart, effects));
    }

    fn pass_on(
        &mut self,
        socket: SocketNo,
        head: FrameHead,
        bytes: &Bytes,
        effects: &mut Vec<Effect>,
    ) {
        let Some(tab) = self.tabs.get(&socket) else {
            return;
        };
        if tab.number != head.page {
            return self.close(socket, CloseCode::Protocol, effects);
        }
        if self.stream != Some(socket) {
            return;
        }
        match self.recording.take(head, bytes) {
            Taken::Begun => {
                self.snapshot_wanted = false;
                let viewers = self.seats.values_mut().filter(|seat| seat.guest.views);
                viewers.for_each(|seat| seat.sight = Sight::Fed);
            }
            Taken::GoneOn => {}
            Taken::Full => self.snapshot_wanted = true,
            Taken::Gap => {
                self.snapshot_wanted = true;
                return;
            }
            Taken::Dropped => return,
        }
        let fed = self.seats.iter();
        let fed = fed.filter(|(_, seat)| seat.sight == Sight::Fed);
        effects.extend(fed.map(|(seat, _)| Effect::Tell {
            seat: *seat,
            event: AgentEvent::Frame(bytes.clone()),
        }));
    }

    fn join(&mut self, seat: SeatNo, guest: Guest) {
        self.seats.insert(seat, Seat::new(guest));
        self.agents_changed();
    }

    fn leave(&mut self, seat: SeatNo, effects: &mut Vec<Effect>) {
        let Some(left) = self.seats.remove(&seat) else {
            return;
        };
        if let (Some(page), Some(socket)) = (left.pointing, elect(&self.tabs)) {
            let agent = left.guest.display_name;
            let (node, x, y) = (0, 0.0, 0.0);
            let message = BackendMessage::Pointer {
                agent,
                page,
                node,
                x,
                y,
            };
            effects.push(Effect::Say { socket, message });
        }
        self.agents_changed();
    }

    /// A page that masks by who watches shows nothing that it recorded for others.
    fn agents_changed(&mut self) {
        let by_agent = self.tabs.values().any(|tab| tab.page.masks_by_agent);
        if by_agent && self.stream.is_some() {
            self.restart = match self.recording.has_begun() {
                true => Restart::ByItself,
                false => Restart::Anew,
            };
        }
    }

    fn change_views(&mut self, seat: SeatNo, views: bool, effects: &mut Vec<Effect>) {
        let Some(changed) = self.seats.get_mut(&seat) else {
            return;
        };
        changed.guest.views = views;
        if !views {
            changed.sight = Sight::Hungry;
            let event = AgentEvent::Reset;
            effects.push(Effect::Tell { seat, event });
        }
    }

    fn obey(&mut self, seat: SeatNo, order: Order, effects: &mut Vec<Effect>) {
        let Some(agent) = self.seats.get_mut(&seat) else {
            return;
        };
        let shown = elect(&self.tabs).and_then(|socket| Some((socket, self.tabs.get(&socket)?)));
        let on_page = |page| shown.filter(|(_, tab)| tab.number == page && tab.barrier().is_none());
        let name = agent.guest.display_name.clone();
        let said = match order {
            Order::Pointer { page, node, x, y } => on_page(page).map(|(socket, _)| {
                agent.pointing = (node != 0).then_some(page);
                let agent = name;
                let message = BackendMessage::Pointer {
                    agent,
                    page,
                    node,
                    x: within_box(x),
                    y: within_box(y),
                };
                (socket, message)
            }),
            Order::Highlight { page, node } => on_page(page).map(|(socket, _)| {
                let agent = name;
                (socket, BackendMessage::Highlight { agent, page, node })
            }),
            Order::Message { name, data } => shown
                .filter(|(_, tab)| tab.barrier().is_none())
                .map(|(socket, _)| (socket, BackendMessage::Message { name, data })),
            Order::Snapshot => {
                agent.sight = Sight::Lost;
                self.snapshot_wanted = true;
                None
            }
            Order::End => return self.end(EndReason::Agent, "agent", None, effects),
        };
        effects.extend(said.map(|(socket, message)| Effect::Say { socket, message }));
    }

    pub(super) fn close(&mut self, socket: SocketNo, code: CloseCode, effects: &mut Vec<Effect>) {
        self.tabs.remove(&socket);
        effects.push(Effect::Close { socket, code });
    }

    /// Whether what the page says may be heard: nothing is while the session is suspended, nor from a
    /// page that does not allow it.
    fn is_open(&self, socket: SocketNo) -> bool {
        let tab = self.tabs.get(&socket);
        let suspended = matches!(self.standing(), Standing::Suspended(_));
        !suspended && tab.is_some_and(|tab| tab.barrier().is_none())
    }

    /// What a page says is part of what it shows.
    fn tell_viewers(&self, event: &AgentEvent, effects: &mut Vec<Effect>) {
        let viewers = self.seats.iter().filter(|(_, seat)| seat.guest.views);
        effects.extend(viewers.map(|(seat, _)| Effect::Tell {
            seat: *seat,
            event: event.clone(),
        }));
    }

    pub(super) fn tell_all(&self, event: &AgentEvent, effects: &mut Vec<Effect>) {
        effects.extend(self.seats.keys().map(|seat| Effect::Tell {
            seat: *seat,
            event: event.clone(),
        }));
    }

    pub(super) fn time_out(&mut self, effects: &mut Vec<Effect>) {
        let error = SessionError {
            code: ErrorCode::Service,
            msg: "the session timed out".to_owned(),
            params: None,
        };
        self.end(EndReason::Error, "timeout", Some(error), effects);
    }

    fn end(
        &mut self,
        reason: EndReason,
        why: &'static str,
        error: Option<SessionError>,
        effects: &mut Vec<Effect>,
    ) {
        self.ended = true;
        let sockets: Vec<_> = self.tabs.keys().copied().collect();
        for socket in sockets {
            let error = error.clone();
            let message = BackendMessage::Ended { reason, error };
            effects.push(Effect::Say { socket, message });
            self.close(socket, CloseCode::Ended, effects);
        }
        let by = reason.as_str();
        self.tell_all(&AgentEvent::Ended { by, error }, effects);
        self.recording.forget();
        effects.push(Effect::End { reason, why });
    }
}

fn long_name() -> SessionError {
    SessionError {
        code: ErrorCode::Service,
        msg: format!("the name of a message has at most {MESSAGE_NAME_MAX} characters"),
        params: None,
    }
}

/// A fraction of a node's box. What is no number is its corner.
fn within_box(part: f64) -> f64 {
    match part.is_finite() {
        true => part.clamp(0.0, 1.0),
        false => 0.0,
    }
}
