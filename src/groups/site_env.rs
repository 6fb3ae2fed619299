/// Which of a group's two sets of settings pages use: the tag's `data-site`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SiteEnv {
    #[default]
    Production,
    Staging,
}

impl SiteEnv {
    /// As [`Self::as_str`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Production, Self::Staging]
            .into_iter()
            .find(|env| env.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
        }
    }
}
