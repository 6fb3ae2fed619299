//! Bytes that somebody made up, as choices.

pub(crate) struct Choices<'c>(&'c [u8]);

impl<'c> Choices<'c> {
    pub(crate) fn new(bytes: &'c [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn are_made(&self) -> bool {
        self.0.is_empty()
    }

    /// 0 when there is nothing left to choose.
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    /// Two bytes.
    pub(crate) fn number(&mut self) -> usize {
        usize::from(self.byte()) << 8 | usize::from(self.byte())
    }

    /// One of sixteen.
    pub(crate) fn rarely(&mut self) -> bool {
        self.byte() & 0xf0 == 0xf0
    }

    pub(crate) fn rest(&mut self) -> &'c [u8] {
        std::mem::take(&mut self.0)
    }
}
