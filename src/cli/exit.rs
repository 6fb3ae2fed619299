use std::process::ExitCode;

/// How a command ended. The numbers are those of `sysexits.h`, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    /// All was done that was asked for.
    Success,
    /// What was looked at has faults, or is not there.
    Refused,
    /// The command line cannot be understood.
    Usage,
    /// An address cannot be listened on, or an origin cannot be reached.
    Unavailable,
    /// Settings, rules or certificates have faults.
    Config,
    /// A second Ctrl-C cut what was still open.
    Interrupted,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Refused => 1,
            Self::Usage => 64,
            Self::Unavailable => 69,
            Self::Config => 78,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
