//! The list of sessions.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::account::account;
use super::line::{Close, Heard, Line};
use super::protocol::{DeskMessage, SessionView, ToDesk};
use crate::backend::access::{Action, allowed};

/// Until it is to be closed.
pub(super) async fn serve(line: &mut Line) -> Close {
    match tell(line).await {
        Ok(never) => match never {},
        Err(why) => why,
    }
}

/// What was told last.
#[derive(Default)]
struct Told {
    account: String,
    sessions: String,
}

async fn tell(line: &mut Line) -> Result<std::convert::Infallible, Close> {
    let mut changes = line.shared.roster.changes();
    let mut told = Told::default();
    let mut due = Some(Instant::now());
    loop {
        let soon = due.unwrap_or_else(|| Instant::now() + LONG);
        tokio::select! {
            heard = line.next() => match heard? {
                Heard::Agents => due = due.or_else(|| Some(Instant::now())),
                Heard::Text(text) => hear(line, &text)?,
                Heard::Tick if line.is_beat_due() => line.beat(&ToDesk::Beat).await?,
                Heard::Tick => {}
            },
            // The roster lives as long as the edge.
            _ = changes.changed(), if due.is_none() => due = Some(Instant::now() + INTERVAL),
            () = sleep_until(soon), if due.is_some() => {
                due = None;
                changes.borrow_and_update();
                told.tell_news(line).await?;
            }
        }
    }
}

fn hear(line: &Line, text: &str) -> Result<(), Close> {
    let DeskMessage::Active {} = DeskMessage::parse(text).map_err(|_| Close::Unreadable)?;
    line.touch();
    Ok(())
}

impl Told {
    /// The account first, so that the console knows what the list is of.
    async fn tell_news(&mut self, line: &mut Line) -> Result<(), Close> {
        let agent = line.agent()?;
        let account = account(&agent, &line.shared.surroundings);
        say_if_new(line, &mut self.account, &ToDesk::Account { account }).await?;
        say_if_new(line, &mut self.sessions, &sessions(line)).await
    }
}

async fn say_if_new(line: &mut Line, last: &mut String, message: &ToDesk) -> Result<(), Close> {
    let text = serde_json::to_string(message).map_err(|_| Close::Away)?;
    if *last != text {
        last.clone_from(&text);
        line.say_text(text).await?;
    }
    Ok(())
}

fn sessions(line: &Line) -> ToDesk {
    let mut more = 0;
    let mut sessions = Vec::new();
    for facts in line.shared.roster.views() {
        let rights = line.rights(facts.group);
        if !allowed(rights, Action::List) {
            continue;
        }
        if sessions.len() == SESSIONS_MAX {
            more += 1;
            continue;
        }
        let name = line.shared.surroundings.group_name(facts.group);
        sessions.push(SessionView::new(&facts, name, rights));
    }
    ToDesk::Sessions { sessions, more }
}

/// More are no list that anybody reads.
const SESSIONS_MAX: usize = 500;
/// Not more than four lists a second.
const INTERVAL: Duration = Duration::from_millis(250);
const LONG: Duration = Duration::from_hours(1);
