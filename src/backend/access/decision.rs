use crate::backend::store::Rights;

/// What an agent can want of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// End it for everybody.
    End,
    /// Come in, by whatever way.
    Join,
    /// Know that there is such a session.
    List,
    /// Show something on the visitor's page.
    Point,
    /// Say something to the page.
    Say,
    /// Have the whole page sent anew.
    Snapshot,
    /// See the page.
    View,
}

impl Action {
    pub const ALL: [Self; 7] = [
        Self::End,
        Self::Join,
        Self::List,
        Self::Point,
        Self::Say,
        Self::Snapshot,
        Self::View,
    ];

    /// The right that is missing, as agents are told.
    pub fn right(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Join | Self::List => "any",
            Self::Point | Self::Say => "point",
            Self::Snapshot | Self::View => "view",
        }
    }
}

/// Whether rights in a session's group are enough.
pub fn allowed(rights: Rights, action: Action) -> bool {
    match action {
        Action::End => rights.end,
        Action::Join | Action::List => rights.any(),
        Action::Point | Action::Say => rights.point,
        Action::Snapshot | Action::View => rights.view,
    }
}
