//! Where the text of a script ends (WHATWG HTML 13.2.5.15 to 13.2.5.31): not at `</script>` in
//! something like `<!-- <script> -->`.

use super::tokens::{SCRIPT, ends_name, first_of};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Script {
    #[default]
    Data,
    Less {
        escaped: bool,
    },
    /// Behind `</` and so many letters of "script".
    End {
        escaped: bool,
        read: usize,
    },
    Bang,
    BangDash,
    Escaped,
    EscapedDash,
    EscapedDashes,
    /// Behind `<` and so many letters of "script".
    EscapedName(usize),
    Double,
    DoubleDash,
    DoubleDashes,
    DoubleLess,
    DoubleEnd(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScriptStep {
    More,
    /// A `<` was read that may begin the end tag.
    MayEnd,
    /// `</script` was read, and the next byte ends the name.
    Ends,
}

impl Script {
    /// Reads at least one byte, or changes its state.
    pub(super) fn read(&mut self, bytes: &[u8], at: &mut usize) -> ScriptStep {
        match *self {
            Self::Data => self.search(bytes, at, b'<'),
            Self::Escaped | Self::Double => self.search(bytes, at, b'-'),
            _ => self.take(bytes[*at], at),
        }
    }

    fn search(&mut self, bytes: &[u8], at: &mut usize, other: u8) -> ScriptStep {
        let Some((found, byte)) = first_of(b'<', other, &bytes[*at..]) else {
            *at = bytes.len();
            return ScriptStep::More;
        };
        *at += found + 1;
        *self = match (*self, byte) {
            (Self::Data, _) => Self::Less { escaped: false },
            (Self::Escaped, b'<') => Self::Less { escaped: true },
            (Self::Escaped, _) => Self::EscapedDash,
            (_, b'<') => Self::DoubleLess,
            _ => Self::DoubleDash,
        };
        match self {
            Self::Less { .. } => ScriptStep::MayEnd,
            _ => ScriptStep::More,
        }
    }

    fn take(&mut self, byte: u8, at: &mut usize) -> ScriptStep {
        if let Self::End { read, .. } = self
            && *read == SCRIPT.len()
            && ends_name(byte)
        {
            return ScriptStep::Ends;
        }
        // The byte is read again in the next state, unless it is taken here.
        let (next, taken) = self.next(byte);
        *self = next;
        *at += usize::from(taken);
        match (taken, byte, next) {
            (true, b'<', Self::Less { .. }) => ScriptStep::MayEnd,
            _ => ScriptStep::More,
        }
    }

    fn next(self, byte: u8) -> (Self, bool) {
        let is_letter = |read: usize| SCRIPT.get(read) == Some(&byte.to_ascii_lowercase());
        match (self, byte) {
            (Self::Less { escaped }, b'/') => (Self::End { escaped, read: 0 }, true),
            (Self::Less { escaped: false }, b'!') => (Self::Bang, true),
            (Self::Less { escaped: true }, _) if is_letter(0) => (Self::EscapedName(1), true),
            (Self::End { escaped, read }, _) if is_letter(read) => {
                let read = read + 1;
                (Self::End { escaped, read }, true)
            }
            (Self::Less { escaped: true } | Self::End { escaped: true, .. }, _) => {
                (Self::Escaped, false)
            }
            (Self::Bang, b'-') => (Self::BangDash, true),
            (Self::BangDash, b'-') => (Self::EscapedDashes, true),
            (Self::EscapedDash, b'-') => (Self::EscapedDashes, true),
            (Self::EscapedDashes, b'-') => (Self::EscapedDashes, true),
            (Self::EscapedDash | Self::EscapedDashes, b'<') => (Self::Less { escaped: true }, true),
            (Self::EscapedDashes | Self::DoubleDashes, b'>') => (Self::Data, true),
            (Self::EscapedName(read), _) if is_letter(read) => (Self::EscapedName(read + 1), true),
            (Self::EscapedName(6), _) if ends_name(byte) => (Self::Double, true),
            (Self::EscapedDash | Self::EscapedDashes | Self::EscapedName(_), _) => {
                (Self::Escaped, false)
            }
            (Self::DoubleDash | Self::DoubleDashes, b'-') => (Self::DoubleDashes, true),
            (Self::DoubleDash | Self::DoubleDashes, b'<') => (Self::DoubleLess, true),
            (Self::DoubleLess, b'/') => (Self::DoubleEnd(0), true),
            (Self::DoubleEnd(read), _) if is_letter(read) => (Self::DoubleEnd(read + 1), true),
            (Self::DoubleEnd(6), _) if ends_name(byte) => (Self::Escaped, true),
            (Self::DoubleDash | Self::DoubleDashes | Self::DoubleLess | Self::DoubleEnd(_), _) => {
                (Self::Double, false)
            }
            _ => (Self::Data, false),
        }
    }
}
