use std::error::Error;
use std::fmt;

/// What is wrong with one value, before it is known where the value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    /// What would be right, as an instruction.
    pub remedy: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// The fault, with the name of the setting where it was left open.
    pub(super) fn named(&self, name: &str) -> Self {
        Self {
            message: self.message.replace(THIS, &format!("`{name}`")),
            remedy: self.remedy.replace(THIS, name),
        }
    }
}

/// Stands for the setting's name in a fault that is made where the name is not known.
pub(super) const THIS: &str = "\0";

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.remedy)
    }
}

impl Error for Fault {}
