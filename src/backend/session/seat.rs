use super::happening::Guest;
use crate::backend::protocol::{Agent, Agents};
use crate::groups::GroupId;

/// An agent who is in.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) guest: Guest,
    /// Was told how the session stands.
    pub(super) greeted: bool,
    pub(super) sight: Sight,
    /// The page on which its pointer was last seen.
    pub(super) pointing: Option<u32>,
}

/// What an agent has of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nothing: what is kept will do.
    Hungry,
    /// Something is missing: only a new snapshot will do.
    Lost,
    /// All of it, so that what comes next fits.
    Fed,
}

impl Seat {
    pub(super) fn new(guest: Guest) -> Self {
        Self {
            guest,
            greeted: false,
            sight: Sight::Hungry,
            pointing: None,
        }
    }
}

/// Who is in, as the visitor's page is told, which anybody may read: not by what names agents log in.
pub(super) fn agents<'a>(group: GroupId, seats: impl Iterator<Item = &'a Seat>) -> Agents {
    let agent = |seat: &Seat| Agent {
        username: seat.guest.display_name.clone(),
        partnerid: group.as_u32(),
        partneruserid: seat.guest.display_name.clone(),
        name: seat.guest.display_name.clone(),
        title: String::new(),
        agentrole: seat.guest.role.clone(),
    };
    let agentlist: Vec<_> = seats.map(agent).collect();
    Agents {
        count: agentlist.len(),
        agentlist,
    }
}
