use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::quota::{Bucket, Quota};
use crate::wire::subscriber_network;

/// What can be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    Password,
    SessionKey,
}

/// How often may be guessed wrong: per agent and network, per agent, per network, and by all together. A
/// right guess costs nothing. Per agent alone it is so often that a stranger, who has an address of his own,
/// does not lock the agent out.
#[derive(Debug, Default)]
pub struct Limits {
    passwords: Mutex<Table>,
    keys: Mutex<Table>,
}

/// Too many wrong guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct RateLimited {
    pub retry_after: Duration,
}

#[derive(Debug, Default)]
struct Table {
    pairs: HashMap<(String, IpAddr), Bucket>,
    agents: HashMap<String, Bucket>,
    networks: HashMap<IpAddr, Bucket>,
    all: Option<Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Quotas {
    /// Of an agent and a network.
    pair: Quota,
    agent: Quota,
    network: Quota,
    all: Quota,
}

impl Guess {
    fn quotas(self) -> Quotas {
        match self {
            Self::Password => PASSWORDS,
            Self::SessionKey => KEYS,
        }
    }
}

impl Limits {
    /// Before a guess is looked at, whether or not there is such an agent. Counts it as a wrong one.
    pub fn attempt(&self, guess: Guess, agent: &str, address: IpAddr) -> Result<(), RateLimited> {
        let now = Instant::now();
        let (quotas, network) = (guess.quotas(), subscriber_network(address));
        let mut table = self.table(guess);
        table.forget(now);
        let agent = agent.to_ascii_lowercase();
        if let Some(retry_after) = table.wait((&agent, network), quotas, now) {
            return Err(RateLimited { retry_after });
        }
        table.take(agent, network, quotas, now)
    }

    /// It was right after all.
    pub fn was_right(&self, guess: Guess, agent: &str, address: IpAddr) {
        let now = Instant::now();
        let (quotas, network) = (guess.quotas(), subscriber_network(address));
        let mut table = self.table(guess);
        let pair = (agent.to_ascii_lowercase(), network);
        if let Some(bucket) = table.pairs.get_mut(&pair) {
            bucket.give(quotas.pair, now);
        }
        if let Some(bucket) = table.agents.get_mut(&pair.0) {
            bucket.give(quotas.agent, now);
        }
        if let Some(bucket) = table.networks.get_mut(&network) {
            bucket.give(quotas.network, now);
        }
        if let Some(bucket) = &mut table.all {
            bucket.give(quotas.all, now);
        }
    }

    fn table(&self, guess: Guess) -> std::sync::MutexGuard<'_, Table> {
        let table = match guess {
            Guess::Password => &self.passwords,
            Guess::SessionKey => &self.keys,
        };
        table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn wait(&self, who: (&str, IpAddr), quotas: Quotas, now: Instant) -> Option<Duration> {
        let (agent, network) = who;
        let of = |bucket: Option<Bucket>, quota| bucket.and_then(|bucket| bucket.wait(quota, now));
        let pair = self.pairs.get(&(agent.to_owned(), network));
        let pair = of(pair.copied(), quotas.pair);
        let agent = of(self.agents.get(agent).copied(), quotas.agent);
        let network = of(self.networks.get(&network).copied(), quotas.network);
        pair.max(agent).max(network).max(of(self.all, quotas.all))
    }

    fn take(
        &mut self,
        agent: String,
        network: IpAddr,
        quotas: Quotas,
        now: Instant,
    ) -> Result<(), RateLimited> {
        let pair = (agent.clone(), network);
        let is_full = is_full(&self.pairs, &pair)
            || is_full(&self.agents, &agent)
            || is_full(&self.networks, &network);
        if is_full {
            let retry_after = quotas.pair.interval;
            return Err(RateLimited { retry_after });
        }
        let full = Bucket::full(now);
        self.pairs
            .entry(pair)
            .or_insert(full)
            .take(quotas.pair, now);
        let agent = self.agents.entry(agent).or_insert(full);
        agent.take(quotas.agent, now);
        let network = self.networks.entry(network).or_insert(full);
        network.take(quotas.network, now);
        self.all.get_or_insert(full).take(quotas.all, now);
        Ok(())
    }

    /// Who has guessed nothing for a while is as if never seen.
    fn forget(&mut self, now: Instant) {
        if self.pairs.len() >= ENTRIES_MAX / 2 {
            self.pairs.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.agents.len() >= ENTRIES_MAX / 2 {
            self.agents.retain(|_, bucket| !bucket.is_full(now));
        }
        if self.networks.len() >= ENTRIES_MAX / 2 {
            self.networks.retain(|_, bucket| !bucket.is_full(now));
        }
    }
}

fn is_full<K: Eq + Hash>(table: &HashMap<K, Bucket>, key: &K) -> bool {
    table.len() >= ENTRIES_MAX && !table.contains_key(key)
}

/// Far more than the limit for all lets in before the first are forgotten.
const ENTRIES_MAX: usize = 4096;

/// An agent who has forgotten his password gives up after five; a guesser has 2,880 a day, and with
/// however many addresses 8,640. Only from more than three at once can a name be locked.
const PASSWORDS: Quotas = Quotas {
    pair: Quota::new(5, Duration::from_secs(30)),
    agent: Quota::new(50, Duration::from_secs(10)),
    network: Quota::new(20, Duration::from_secs(6)),
    all: Quota::new(100, Duration::from_millis(500)),
};

/// Keys have few digits and are typed by people on the phone. Who guesses them is logged in, so that no
/// stranger uses up an agent's.
const KEYS: Quotas = Quotas {
    pair: Quota::new(5, Duration::from_secs(12)),
    agent: Quota::new(5, Duration::from_secs(12)),
    network: Quota::new(20, Duration::from_secs(3)),
    all: Quota::new(100, Duration::from_millis(500)),
};
