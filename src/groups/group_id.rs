use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// A cobrowse group (the vendor's tenant number): a positive integer that fits 32 bits.
///
/// The vendor's samples write it as a number and as a string; both mean the same group, so it is
/// always compared as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(NonZeroU32);

impl GroupId {
    /// A group from a number as settings files carry it; `None` unless 1 to 4,294,967,295.
    pub fn new(number: i64) -> Option<Self> {
        u32::try_from(number)
            .ok()
            .and_then(NonZeroU32::new)
            .map(Self)
    }

    pub fn as_u32(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupId({self})")
    }
}

/// The text is not a group ID: digits only, no sign, no zero in front, 1 to 4,294,967,295.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a group ID is a whole number from 1 to 4294967295")]
pub struct GroupIdError;

impl FromStr for GroupId {
    type Err = GroupIdError;

    fn from_str(text: &str) -> Result<Self, GroupIdError> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        if !plain {
            return Err(GroupIdError);
        }
        text.parse().map(Self).map_err(|_| GroupIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_plain_positive_numbers() {
        assert_eq!("15687".parse(), Ok(GroupId::new(15687).unwrap()));
        assert_eq!("4294967295".parse::<GroupId>().unwrap().as_u32(), u32::MAX);
        for refused in [
            "",
            "0",
            "-1",
            "+1",
            "01",
            "4294967296",
            "1 ",
            "x",
            "1.0",
            "１",
        ] {
            assert_eq!(refused.parse::<GroupId>(), Err(GroupIdError), "{refused:?}");
        }
    }

    #[test]
    fn refuses_numbers_out_of_range() {
        for refused in [0, -1, i64::from(u32::MAX) + 1] {
            assert_eq!(GroupId::new(refused), None, "{refused}");
        }
    }
}
