/// Why a grant is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum GrantRefusal {
    #[error("the grant has expired; the page must be loaded again")]
    Expired,
    #[error("the grant was not signed by this key, or was changed")]
    Forged,
    #[error("the grant is for a page of another host or environment")]
    ForeignPage,
    #[error("the grant holds for longer than any grant does")]
    LivesTooLong,
    #[error("the grant is not written as grants are")]
    Malformed,
    #[error("the grant is longer than any grant is")]
    TooLong,
    #[error("the grant was signed by a key that is not known here")]
    UnknownKey,
    #[error("the grant is of a version that is not known here")]
    UnknownVersion,
}

impl GrantRefusal {
    pub const ALL: [Self; 8] = [
        Self::Expired,
        Self::Forged,
        Self::ForeignPage,
        Self::LivesTooLong,
        Self::Malformed,
        Self::TooLong,
        Self::UnknownKey,
        Self::UnknownVersion,
    ];

    /// A constant word for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "grant_expired",
            Self::Forged => "grant_forged",
            Self::ForeignPage => "grant_foreign_page",
            Self::LivesTooLong => "grant_lives_too_long",
            Self::Malformed => "grant_malformed",
            Self::TooLong => "grant_too_long",
            Self::UnknownKey => "grant_unknown_key",
            Self::UnknownVersion => "grant_unknown_version",
        }
    }
}
