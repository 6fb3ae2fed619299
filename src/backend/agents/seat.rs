//! An agent's place in a session.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::join;
use super::line::{Close, Heard, Line};
use super::protocol::{ConsoleMessage, SessionView, ToConsole};
use crate::backend::access::{Access, Action, Bucket, Quota, allowed};
use crate::backend::roster::{Joined, Orders};
use crate::backend::session::{AgentEvent, Guest, SessionFacts};
use crate::backend::store::{AgentRecord, Rights};

/// From `join` to the end.
pub(super) async fn serve(line: &mut Line) -> Close {
    match come_in(line).await {
        Ok(why) | Err(why) => why,
    }
}

struct Seat {
    facts: Arc<SessionFacts>,
    orders: Orders,
    /// As they were told to the console and to the session.
    rights: Rights,
    /// The session was too busy to hear of them.
    untold: bool,
    ending: bool,
    greeted: bool,
    pointers: Bucket,
    snapshots: Bucket,
    denials: Bucket,
}

async fn come_in(line: &mut Line) -> Result<Close, Close> {
    let Some(facts) = join::find(line).await? else {
        return Ok(Close::Forbidden);
    };
    let agent = line.agent()?;
    let rights = line.rights(facts.group);
    let of = Some((facts.id, facts.group));
    let access = line.shared.access.clone();
    // What cannot be written down does not happen.
    let audited = access.audit_agent(&agent, "join", of, None).await;
    audited.map_err(|_| Close::Away)?;
    let guest = Guest {
        name: agent.name.to_string(),
        display_name: agent.display_name.clone(),
        role: agent.role.clone(),
        views: rights.view,
    };
    let Some(joined) = line.shared.roster.join(facts.id, guest).await else {
        join::refuse_unknown(line).await?;
        return Ok(Close::Forbidden);
    };
    let why = stay(line, facts, joined, rights).await;
    // The seat is free already; that it was left is told after the fact.
    let _ = access.audit_agent(&agent, "leave", of, None).await;
    why
}

async fn stay(
    line: &mut Line,
    facts: Arc<SessionFacts>,
    joined: Joined,
    rights: Rights,
) -> Result<Close, Close> {
    let Joined { mut feed, orders } = joined;
    let now = Instant::now();
    let mut seat = Seat {
        facts,
        orders,
        rights,
        untold: false,
        ending: false,
        greeted: false,
        pointers: Bucket::full(now),
        snapshots: Bucket::full(now),
        denials: Bucket::full(now),
    };
    loop {
        tokio::select! {
            biased;
            heard = line.next() => match heard? {
                Heard::Agents => seat.look_at_rights(line).await?,
                Heard::Text(text) => seat.obey(line, &text).await?,
                Heard::Tick => seat.tick(line).await?,
            },
            event = feed.next() => match event {
                Some(AgentEvent::Ended { by, error }) => {
                    let error = error.map(|error| error.msg);
                    line.say(&ToConsole::Ended { by, error }).await?;
                    return Ok(Close::Ended);
                }
                Some(event) => seat.pass_on(line, event).await?,
                None => return Ok(Close::Away),
            },
        }
    }
}

impl Seat {
    /// Frames are for those who may view at this moment.
    async fn pass_on(&mut self, line: &mut Line, event: AgentEvent) -> Result<(), Close> {
        let rights = line.rights(self.facts.group);
        match event {
            AgentEvent::Frame(frame) if allowed(rights, Action::View) => line.show(frame).await,
            AgentEvent::Frame(_) => Ok(()),
            AgentEvent::Session(facts) => {
                self.facts = facts;
                self.tell_session(line).await
            }
            AgentEvent::Paused { paused, message } => {
                line.say(&ToConsole::Paused { paused, message }).await
            }
            AgentEvent::Reset => line.say(&ToConsole::Reset).await,
            AgentEvent::Message { name, data } => {
                line.say(&ToConsole::Message { name, data }).await
            }
            AgentEvent::Ended { .. } => Ok(()),
        }
    }

    async fn tell_session(&mut self, line: &mut Line) -> Result<(), Close> {
        let name = line.shared.surroundings.group_name(self.facts.group);
        let session = SessionView::new(&self.facts, name, self.rights);
        let greeted = std::mem::replace(&mut self.greeted, true);
        match greeted {
            true => line.say(&ToConsole::Session { session }).await,
            false => line.say(&ToConsole::Joined { session }).await,
        }
    }

    /// Another process may have given or taken some.
    async fn look_at_rights(&mut self, line: &mut Line) -> Result<(), Close> {
        line.agent()?;
        let rights = line.rights(self.facts.group);
        if !allowed(rights, Action::Join) {
            return Err(Close::Forbidden);
        }
        let before = std::mem::replace(&mut self.rights, rights);
        if before == rights {
            return Ok(());
        }
        if before.view != rights.view {
            self.untold = !self.orders.set_views(rights.view);
        }
        if before.view && !rights.view {
            line.say(&ToConsole::Reset).await?;
        }
        match self.greeted {
            true => self.tell_session(line).await,
            false => Ok(()),
        }
    }

    /// What a busy session did not hear is said again.
    async fn tick(&mut self, line: &mut Line) -> Result<(), Close> {
        line.touch();
        if self.untold {
            self.untold = !self.orders.set_views(self.rights.view);
        }
        if self.ending {
            self.ending = !self.orders.end();
        }
        match line.is_beat_due() {
            true => line.beat(&ToConsole::Beat).await,
            false => Ok(()),
        }
    }

    async fn obey(&mut self, line: &mut Line, text: &str) -> Result<(), Close> {
        let message = ConsoleMessage::parse(text).map_err(|_| Close::Unreadable)?;
        line.touch();
        if !self.greeted {
            return Err(Close::Unreadable);
        }
        let Some(action) = action(&message)? else {
            return Ok(());
        };
        if !allowed(line.rights(self.facts.group), action) {
            return self.deny(line, action).await;
        }
        if action == Action::End {
            let (access, agent) = (line.shared.access.clone(), line.agent()?);
            self.audit(&access, &agent, None).await?;
        }
        self.order(message);
        Ok(())
    }

    fn order(&mut self, message: ConsoleMessage) {
        let now = Instant::now();
        match message {
            ConsoleMessage::Pointer { page, node, x, y } => {
                // That it went away is never too much.
                if self.pointers.try_take(POINTERS, now) || node == 0 {
                    self.orders.pointer(page, node, x, y);
                }
            }
            ConsoleMessage::Highlight { page, node } => {
                if self.pointers.try_take(POINTERS, now) || node == 0 {
                    self.orders.highlight(page, node);
                }
            }
            ConsoleMessage::Message { name, data } => self.orders.message(name, data),
            ConsoleMessage::Snapshot {} => {
                if self.snapshots.try_take(SNAPSHOTS, now) {
                    self.orders.snapshot();
                }
            }
            ConsoleMessage::End {} => self.ending = !self.orders.end(),
            ConsoleMessage::Active {} | ConsoleMessage::Join { .. } => {}
        }
    }

    /// Who goes on asking for what he may not have is no person.
    async fn deny(&mut self, line: &mut Line, action: Action) -> Result<(), Close> {
        if !self.denials.try_take(DENIALS, Instant::now()) {
            return Err(Close::Limit);
        }
        let (access, agent) = (line.shared.access.clone(), line.agent()?);
        self.audit(&access, &agent, Some(action)).await?;
        let action = action.right();
        line.say(&ToConsole::Denied { action }).await
    }

    /// What cannot be written down does not happen.
    async fn audit(
        &self,
        access: &Access,
        agent: &AgentRecord,
        denied: Option<Action>,
    ) -> Result<(), Close> {
        let of = Some((self.facts.id, self.facts.group));
        let right = denied.map(Action::right);
        let action = right.unwrap_or("end");
        let audited = access.audit_agent(agent, action, of, right.map(|_| "no right"));
        audited.await.map_err(|_| Close::Away)
    }
}

/// What a message is for. `None`: nothing that needs a right.
fn action(message: &ConsoleMessage) -> Result<Option<Action>, Close> {
    Ok(Some(match message {
        ConsoleMessage::Active {} => return Ok(None),
        ConsoleMessage::End {} => Action::End,
        ConsoleMessage::Highlight { .. } | ConsoleMessage::Pointer { .. } => Action::Point,
        // Once is enough.
        ConsoleMessage::Join { .. } => return Err(Close::Unreadable),
        ConsoleMessage::Message { .. } => Action::Say,
        ConsoleMessage::Snapshot {} => Action::Snapshot,
    }))
}

/// As fast as an eye follows.
const POINTERS: Quota = Quota::new(30, Duration::from_millis(33));
const SNAPSHOTS: Quota = Quota::new(1, Duration::from_secs(1));
/// A console that has not heard yet of what was taken away says a few more.
const DENIALS: Quota = Quota::new(60, Duration::from_secs(6));
