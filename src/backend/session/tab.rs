use std::collections::BTreeMap;

use super::happening::{Admission, OpenedPage, SocketNo};
use crate::backend::protocol::{Agents, State, SuspendReason};

/// A page of the visitor's with an open socket.
#[derive(Debug)]
pub(super) struct Tab {
    pub(super) page: OpenedPage,
    pub(super) number: u32,
    /// When it last got the focus, in turns; 0: never.
    pub(super) focused: u64,
    /// By the script's own check; holds as long as the socket.
    pub(super) refused: Option<SuspendReason>,
    /// `None`: not welcomed yet.
    pub(super) told: Option<Told>,
}

/// What a visitor's page believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) state: State,
    pub(super) shown: bool,
    pub(super) watched: bool,
    pub(super) agents: Agents,
}

impl Tab {
    /// Why agents may not see this page.
    pub(super) fn barrier(&self) -> Option<SuspendReason> {
        let group = match self.page.admission {
            Admission::Allowed => None,
            Admission::Refused(_) | Admission::Unknown => Some(SuspendReason::Group),
        };
        self.refused.or(group)
    }
}

/// The tab that is shown: the one that last got the focus, else the first.
pub(super) fn elect(tabs: &BTreeMap<SocketNo, Tab>) -> Option<SocketNo> {
    let by_focus = |(_, tab): &(&SocketNo, &Tab)| (tab.focused, std::cmp::Reverse(tab.number));
    tabs.iter().max_by_key(by_focus).map(|(socket, _)| *socket)
}
