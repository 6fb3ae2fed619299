use std::error::Error;
use std::fmt;

/// What is wrong with one value, before it is known where the value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Lower-case, no full stop, quotes the offending text.
    pub message: String,
    /// What would be right, as an instruction.
    pub remedy: String,
}

/// Stands for the key in the message of a fault that is made where the key is not known.
pub const THIS_KEY: &str = "\0";

impl Fault {
    pub fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// The fault, about `subject` where that was left open.
    pub fn named(self, subject: &str) -> Self {
        Self {
            message: self.message.replace(THIS_KEY, subject),
            remedy: self.remedy,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.remedy)
    }
}

impl Error for Fault {}
