//! Which session an agent gets who asks for one.

use std::sync::Arc;
use std::time::Duration;

use super::account::group_view;
use super::api::seconds;
use super::line::{Close, Heard, Line};
use super::protocol::{ConsoleMessage, Refused, ToConsole, Wanted};
use crate::backend::access::{Action, RateLimited, allowed};
use crate::backend::session::SessionFacts;
use crate::groups::GroupId;

use tokio::time::{Instant, sleep_until};

/// What was found for a key.
#[derive(Debug, PartialEq)]
pub(super) enum Choice {
    /// Several groups of the agent have it.
    Groups(Vec<GroupId>),
    None,
    One(Arc<SessionFacts>),
}

/// Hears what is wanted, and finds it; `None`: he was told why not.
pub(super) async fn find(line: &mut Line) -> Result<Option<Arc<SessionFacts>>, Close> {
    match asked(line).await? {
        Wanted::Session(id) => {
            let facts = line.shared.roster.find(id);
            let facts = facts.filter(|facts| may_join(line, facts));
            match facts {
                Some(facts) => Ok(Some(facts)),
                None => refuse(line, unknown()).await,
            }
        }
        Wanted::Key { key, group, wait } => find_by_key(line, &key, group, wait).await,
    }
}

/// A session that is gone by now is one that never was.
pub(super) async fn refuse_unknown(line: &mut Line) -> Result<(), Close> {
    refuse::<()>(line, unknown()).await.map(|_| ())
}

async fn asked(line: &mut Line) -> Result<Wanted, Close> {
    let until = Instant::now() + JOIN_TIMEOUT;
    loop {
        let heard = tokio::select! {
            heard = line.next() => heard?,
            () = sleep_until(until) => return Err(Close::Unreadable),
        };
        if let Heard::Text(text) = heard {
            let message = ConsoleMessage::parse(&text).map_err(|_| Close::Unreadable)?;
            line.touch();
            return message.wanted().ok_or(Close::Unreadable);
        }
    }
}

/// Every look at a key that is none counts as a guess, also for who waits.
async fn find_by_key(
    line: &mut Line,
    key: &str,
    group: Option<GroupId>,
    wait: bool,
) -> Result<Option<Arc<SessionFacts>>, Close> {
    let agent = line.agent()?;
    if let Err(limited) = line.shared.access.guess_key(&agent, line.peer) {
        return refuse(line, rate(limited)).await;
    }
    match look(line, key, group) {
        Choice::None if wait => wait_for(line, key, group).await,
        Choice::None => refuse(line, unknown()).await,
        choice => {
            line.shared.access.key_was_right(&agent, line.peer);
            settle(line, choice).await
        }
    }
}

/// The session may start in a minute: the agent's link was faster than the visitor.
async fn wait_for(
    line: &mut Line,
    key: &str,
    group: Option<GroupId>,
) -> Result<Option<Arc<SessionFacts>>, Close> {
    let mut changes = line.shared.roster.changes();
    let until = Instant::now() + WAIT_TIMEOUT;
    line.say(&ToConsole::Waiting).await?;
    loop {
        changes.borrow_and_update();
        match look(line, key, group) {
            Choice::None => {}
            choice => return settle(line, choice).await,
        }
        tokio::select! {
            heard = line.next() => match heard? {
                Heard::Agents => {}
                Heard::Text(_) => return Err(Close::Unreadable),
                Heard::Tick if line.is_beat_due() => line.beat(&ToConsole::Beat).await?,
                Heard::Tick => {}
            },
            _ = changes.changed() => {}
            () = sleep_until(until) => return refuse(line, timed_out()).await,
        }
    }
}

fn look(line: &Line, key: &str, group: Option<GroupId>) -> Choice {
    let found = line.shared.roster.find_by_key(key);
    choose(found, group, |facts| may_join(line, facts))
}

async fn settle(line: &mut Line, choice: Choice) -> Result<Option<Arc<SessionFacts>>, Close> {
    match choice {
        Choice::One(facts) => Ok(Some(facts)),
        Choice::None => refuse(line, unknown()).await,
        Choice::Groups(groups) => {
            let views = groups
                .into_iter()
                .map(|group| group_view(group, &line.shared.surroundings));
            let refused = Refused {
                groups: Some(views.collect()),
                ..refused("groups", "the key runs in several of your groups")
            };
            refuse(line, refused).await
        }
    }
}

/// Of sessions with a key, newest first, the one that an agent means. Sessions that he may not join are as if they were
/// not.
pub(super) fn choose(
    found: Vec<Arc<SessionFacts>>,
    group: Option<GroupId>,
    may_join: impl Fn(&SessionFacts) -> bool,
) -> Choice {
    let is_meant = |facts: &Arc<SessionFacts>| group.is_none_or(|group| group == facts.group);
    let mut found: Vec<_> = found
        .into_iter()
        .filter(|facts| may_join(facts) && is_meant(facts))
        .collect();
    let mut groups: Vec<_> = found.iter().map(|facts| facts.group).collect();
    groups.sort_unstable();
    groups.dedup();
    match groups.len() {
        0 => Choice::None,
        // Where a group lets keys be used twice, the newest is the one on the phone.
        1 => Choice::One(found.swap_remove(0)),
        _ => Choice::Groups(groups),
    }
}

fn may_join(line: &Line, facts: &SessionFacts) -> bool {
    allowed(line.rights(facts.group), Action::Join)
}

/// Told to the agent, and written down.
async fn refuse<T>(line: &mut Line, refused: Refused) -> Result<Option<T>, Close> {
    let agent = line.agent()?;
    let access = &line.shared.access;
    let audited = access.audit_refused_join(&agent, refused.code);
    audited.await.map_err(|_| Close::Away)?;
    line.say(&ToConsole::Refused(refused)).await?;
    Ok(None)
}

fn unknown() -> Refused {
    refused("unknown", "there is no such session in your groups")
}

fn timed_out() -> Refused {
    refused("timeout", "no such session has started")
}

fn rate(limited: RateLimited) -> Refused {
    Refused {
        retry_after: Some(seconds(limited.retry_after)),
        ..refused("rate", "too many attempts: wait a while")
    }
}

fn refused(code: &'static str, text: &'static str) -> Refused {
    Refused {
        code,
        text,
        groups: None,
        retry_after: None,
    }
}

/// A console says what it wants at once.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);
/// An agent with a visitor on the phone gives up before.
const WAIT_TIMEOUT: Duration = Duration::from_mins(15);
