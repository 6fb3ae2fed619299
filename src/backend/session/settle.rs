use std::sync::Arc;

use super::Moment;
use super::effect::{AgentEvent, Effect};
use super::facts::{SessionFacts, Standing};
use super::happening::{Admission, SocketNo};
use super::machine::{Restart, Session};
use super::seat::{Sight, agents};
use super::tab::{Told, elect};
use crate::backend::protocol::{
    Agents, BackendMessage, CloseCode, SessionError, SessionName, State, SuspendReason, Welcome,
};

/// What follows from the facts: worked out anew, compared with what was told, and told.
impl Session {
    pub(super) fn settle(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        self.change_stream(effects);
        self.publish(effects);
        self.tell_tabs(effects);
        self.feed(effects);
        self.ask_for_snapshot(now, effects);
        self.look_at_time(now, effects);
    }

    /// How the session stands.
    pub fn standing(&self) -> Standing {
        if !self.opened {
            return Standing::Starting;
        }
        let shown = elect(&self.tabs).and_then(|socket| self.tabs.get(&socket));
        match shown.map(|tab| tab.barrier()) {
            None => Standing::Suspended(SuspendReason::Navigating),
            Some(Some(reason)) => Standing::Suspended(reason),
            Some(None) if self.seats.is_empty() => Standing::Waiting,
            Some(None) => Standing::Live,
        }
    }

    /// When time alone changes something.
    pub fn deadline(&self) -> Option<Moment> {
        if self.ended {
            return None;
        }
        let due = [self.snapshot_due(), self.ledger.due()];
        Some(due.into_iter().flatten().fold(self.ends_at(), Moment::min))
    }

    /// What everybody may know of it.
    pub fn facts(&self) -> SessionFacts {
        let identity = &self.identity;
        let shown = elect(&self.tabs).and_then(|socket| self.tabs.get(&socket));
        let url = match shown {
            Some(tab) => tab.barrier().is_none().then(|| tab.page.url.clone()),
            // While there is no page, the last one was the one to name.
            None => self.told.as_ref().and_then(|told| told.url.clone()),
        };
        let names = self.seats.values().map(|seat| &seat.guest.display_name);
        SessionFacts {
            id: identity.id,
            group: identity.group,
            key: identity.key.clone(),
            standing: self.standing(),
            url,
            visitor: identity.visitor.clone(),
            started: identity.started,
            agents: names.cloned().collect(),
            paused: self.paused.clone(),
        }
    }

    fn is_watched(&self) -> bool {
        self.seats.values().any(|seat| seat.guest.views)
    }

    /// Whose frames are passed on: those of the tab that is shown, while an agent may see it.
    fn change_stream(&mut self, effects: &mut Vec<Effect>) {
        let wanted =
            self.standing() == Standing::Live && self.is_watched() && self.paused.is_none();
        let stream = elect(&self.tabs).filter(|_| wanted);
        let restart = std::mem::take(&mut self.restart);
        if stream != self.stream {
            self.stream = stream;
            self.forget_recording();
        } else if let (Some(socket), true) = (stream, restart != Restart::No) {
            self.forget_recording();
            self.tell_all(&AgentEvent::Reset, effects);
            if restart == Restart::Anew {
                self.close(socket, CloseCode::Restart, effects);
                self.change_stream(effects);
            }
        }
    }

    fn forget_recording(&mut self) {
        self.recording.forget();
        self.snapshot_wanted = false;
        let seats = self.seats.values_mut();
        seats.for_each(|seat| seat.sight = Sight::Hungry);
    }

    fn publish(&mut self, effects: &mut Vec<Effect>) {
        let facts = self.facts();
        let known = self.told.as_deref() == Some(&facts);
        if !known {
            let facts = Arc::new(facts);
            effects.push(Effect::Publish(Arc::clone(&facts)));
            self.told = Some(facts);
        }
        let Some(facts) = &self.told else { return };
        let paused = self.paused.clone();
        for (seat, agent) in &mut self.seats {
            let tell = |event| Effect::Tell { seat: *seat, event };
            if !known || !agent.greeted {
                effects.push(tell(AgentEvent::Session(Arc::clone(facts))));
            }
            if let (false, Some(pause)) = (agent.greeted, &paused) {
                let message = pause.message.clone();
                effects.push(tell(AgentEvent::Paused {
                    paused: true,
                    message,
                }));
            }
            agent.greeted = true;
        }
    }

    /// The loser of the focus hears it first.
    fn tell_tabs(&mut self, effects: &mut Vec<Effect>) {
        let shown = elect(&self.tabs);
        let agents = agents(self.identity.group, self.seats.values());
        let mut sockets: Vec<_> = self.tabs.keys().copied().collect();
        sockets.sort_by_key(|socket| Some(*socket) == shown);
        for socket in sockets {
            let is_shown = Some(socket) == shown;
            self.tell_tab(socket, is_shown, &agents, effects);
        }
    }

    fn tell_tab(
        &mut self,
        socket: SocketNo,
        shown: bool,
        agents: &Agents,
        effects: &mut Vec<Effect>,
    ) {
        let standing = self.standing();
        let watched = shown && self.is_watched();
        let Some(tab) = self.tabs.get_mut(&socket) else {
            return;
        };
        let state = match (tab.barrier(), standing) {
            (Some(reason), _) | (None, Standing::Suspended(reason)) => State::Suspended(reason),
            (None, Standing::Live) => State::Live,
            (None, Standing::Starting | Standing::Waiting) => State::Waiting,
        };
        let refused = tab.page.admission != Admission::Allowed;
        let refusal = refused.then(|| {
            let group = self.identity.group.as_u32();
            SessionError::of_group(group, &tab.page.allowed)
        });
        let now = Told {
            state,
            shown,
            watched,
            agents: agents.clone(),
        };
        let before = tab.told.replace(now.clone());
        let messages = match before {
            None => vec![BackendMessage::Welcome(Welcome {
                page: tab.number,
                session: SessionName {
                    group: self.identity.group.as_u32(),
                    key: self.identity.key.clone(),
                },
                state,
                shown,
                watched,
                paused: self.paused.is_some(),
                masks: std::mem::take(&mut tab.page.masks),
                agents: now.agents,
                refusal,
            })],
            Some(before) => now.since(&before),
        };
        let say = |message| Effect::Say { socket, message };
        effects.extend(messages.into_iter().map(say));
    }

    /// Agents who lack the picture get it, where there is one.
    fn feed(&mut self, effects: &mut Vec<Effect>) {
        let Some(picture) = self.recording.picture().filter(|_| self.stream.is_some()) else {
            return;
        };
        for (seat, agent) in &mut self.seats {
            if agent.guest.views && agent.sight == Sight::Hungry {
                agent.sight = Sight::Fed;
                effects.push(Effect::Show {
                    seat: *seat,
                    picture: picture.to_vec(),
                });
            }
        }
    }

    fn ask_for_snapshot(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let Some(socket) = self.stream else { return };
        if self.snapshot_due().is_some_and(|due| due <= now) {
            self.snapshot_wanted = false;
            self.snapshot_asked = Some(now);
            let message = BackendMessage::Snapshot;
            effects.push(Effect::Say { socket, message });
        }
    }

    /// A recording that has not begun begins with a snapshot by itself.
    fn snapshot_due(&self) -> Option<Moment> {
        let wanted = self.snapshot_wanted && self.stream.is_some() && self.recording.has_begun();
        let asked = self.snapshot_asked;
        let due = asked.map_or(Moment::ZERO, |asked| asked + self.terms.snapshots);
        wanted.then_some(due)
    }

    fn look_at_time(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        match self.standing() {
            Standing::Suspended(_) => {
                self.suspended_since.get_or_insert(now);
            }
            Standing::Starting | Standing::Waiting | Standing::Live => self.suspended_since = None,
        }
        if self.ends_at() <= now {
            self.time_out(effects);
        }
    }

    fn ends_at(&self) -> Moment {
        let age = self.began + self.terms.age;
        let start = (!self.opened).then_some(self.began + self.terms.start);
        let suspended = self
            .suspended_since
            .map(|since| since + self.terms.suspended);
        [start, suspended]
            .into_iter()
            .flatten()
            .fold(age, Moment::min)
    }
}

impl Told {
    /// What a page must hear that believes something else. That it is watched comes last: it may record
    /// from then on.
    fn since(&self, before: &Self) -> Vec<BackendMessage> {
        let mut messages = Vec::new();
        let Self {
            state,
            shown,
            watched,
            agents,
        } = self;
        if *shown != before.shown {
            messages.push(BackendMessage::Shown { shown: *shown });
        }
        if *agents != before.agents {
            messages.push(BackendMessage::Agents(agents.clone()));
        }
        if *state != before.state {
            messages.push(BackendMessage::State(*state));
        }
        // To the tab that is shown only.
        if *shown && (*watched != before.watched || !before.shown) {
            messages.push(BackendMessage::Watch { watched: *watched });
        }
        messages
    }
}
