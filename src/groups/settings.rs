/// What is kept about a group beside its masks. The vendor keeps the same on its own servers; with the
/// embedded backend it stands in the rule files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSettings {
    /// For people; never on a page.
    pub name: Option<String>,
    pub trusted_domains: TrustedDomains,
    pub button: ButtonSettings,
    pub key: KeySettings,
}

/// URLs (origin, or origin and path) that the group trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedDomains {
    /// Pages through which a session may go on in another domain.
    pub cross_domain: Vec<String>,
    /// Chat windows that may start a session by a message.
    pub chat: Vec<String>,
}

/// The button that starts a session; `None` leaves it as the visitor script draws it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ButtonSettings {
    pub label: Option<String>,
    /// `#rrggbb`.
    pub color: Option<String>,
    pub css: Option<String>,
}

/// How session keys are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySettings {
    /// Digits of a random key, 4 to 12; 5 if nothing is said.
    pub digits: u8,
    /// Whether two sessions of the group may have the same key; false if nothing is said.
    pub allow_duplicates: bool,
}

impl Default for KeySettings {
    fn default() -> Self {
        Self {
            digits: 5,
            allow_duplicates: false,
        }
    }
}
