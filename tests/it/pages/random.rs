use std::time::SystemTime;

use bytes::Bytes;

/// Random numbers that a seed brings back (xorshift64).
pub(super) struct Random(u64);

impl Random {
    /// By the seed in CHUNK_SEED, else by the clock; printed, to be seen when a test fails.
    pub(super) fn seeded() -> Self {
        let given = std::env::var("CHUNK_SEED").ok();
        let given = given.map(|seed| seed.parse().expect("CHUNK_SEED is a number"));
        let clock = || {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.unwrap().as_nanos() as u64
        };
        let seed = given.unwrap_or_else(clock);
        println!("CHUNK_SEED={seed}");
        Self(seed.max(1))
    }

    /// The bytes in pieces of random lengths: a few or many of them, and some empty.
    pub(super) fn pieces(&mut self, bytes: &Bytes) -> Vec<Bytes> {
        let longest = 1 + self.below(bytes.len().max(32));
        let mut rest = bytes.clone();
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let length = self.below(longest + 1).min(rest.len());
            pieces.push(rest.split_to(length));
        }
        pieces
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}
