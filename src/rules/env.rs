/// Which of a group's two sets of settings pages use: the tag's `data-site`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SiteEnv {
    #[default]
    Production,
    Staging,
}

impl SiteEnv {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
        }
    }
}
