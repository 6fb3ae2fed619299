use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::time::Instant;

use super::balance::{Candidate, Dice, mix};
use super::budget::Budget;
use super::client::Client;
use super::error::UpstreamError;
use super::health::Standing;
use super::origins::Policy;
use super::pulse::{InFlight, Refused};
use super::turn::{Choice, Tried, Turn};

/// The origins of a site, and what is known of all of them together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) clients: Box<[Client]>,
    /// What their names hash to.
    ids: Box<[u64]>,
    pub(super) policy: Policy,
    pub(super) budget: Budget,
    chance: AtomicU64,
    /// Exchanges that wait for a place.
    pub(super) waiting: AtomicUsize,
}

/// Why no origin can be asked now.
#[derive(Clone, Copy, Debug)]
pub(super) enum Without {
    /// Those that could be have all they may have at once.
    Place,
    /// None is up; one may be asked again then.
    Origin(Instant),
}

/// More would be a directory, not a site.
const ORIGINS_MAX: usize = 64;

impl Group {
    pub(super) fn new(clients: Vec<Client>, policy: Policy) -> Self {
        let ids = clients.iter().map(|client| hash(client.name().as_bytes()));
        Self {
            ids: ids.take(ORIGINS_MAX).collect(),
            budget: Budget::new(policy.retry),
            chance: AtomicU64::new(RandomState::new().hash_one(0)),
            waiting: AtomicUsize::new(0),
            clients: clients.into(),
            policy,
        }
    }

    /// Takes a place at one of the origins that may be asked.
    pub(super) fn choose(&self, choice: Choice) -> Result<Turn<'_>, Without> {
        match &*self.clients {
            [only] if !choice.tried.has(0) => take_only(only),
            _ => self.take_one_of(choice),
        }
    }

    fn take_one_of(&self, choice: Choice) -> Result<Turn<'_>, Without> {
        let mut full = Tried::default();
        loop {
            let standings = self.standings();
            let candidates = self.candidates(&standings, choice.tried.with(full));
            let dice = Dice {
                turn: choice.number as usize,
                chance: mix(self.chance.fetch_add(1, Ordering::Relaxed)),
                key: choice.key,
            };
            let Some(index) = self.policy.balance.choose(&candidates, dice) else {
                return Err(match full.is_empty() {
                    true => Without::Origin(first_due(&standings)),
                    false => Without::Place,
                });
            };
            let pulse = &self.clients[index].shared.pulse;
            match pulse.enter(standings[index].0) {
                Ok(in_flight) => return Ok(self.turn(index, in_flight)),
                Err(Refused::Full) => full.add(index),
                // Somebody else finds out about it by now.
                Err(Refused::OnTrial) => {}
            }
        }
    }

    fn standings(&self) -> Vec<(Standing, f32)> {
        let clients = self.clients.iter().take(ORIGINS_MAX);
        let standings = clients.map(|client| client.shared.pulse.standing());
        standings.collect()
    }

    /// The places of the origins that may be asked.
    pub(super) fn fit(&self, choice: Choice) -> Vec<usize> {
        let candidates = self.candidates(&self.standings(), choice.tried);
        candidates.iter().map(|candidate| candidate.index).collect()
    }

    pub(super) fn turn(&self, index: usize, in_flight: InFlight) -> Turn<'_> {
        Turn {
            index,
            origin: &self.clients[index].shared,
            in_flight,
            is_alone: self.clients.len() == 1,
        }
    }

    fn candidates(&self, standings: &[(Standing, f32)], tried: Tried) -> Vec<Candidate> {
        let is_panic = is_panic(standings, self.policy.panic_threshold);
        let may_be_asked = |(index, (standing, _)): &(usize, &(Standing, f32))| {
            let is_fit = match standing {
                Standing::Up | Standing::Due => true,
                Standing::Spared => is_panic,
                Standing::Down(_) => false,
            };
            is_fit && !tried.has(*index)
        };
        let fit = standings.iter().enumerate().filter(may_be_asked);
        let candidate = |(index, (_, weight)): (usize, &(Standing, f32))| Candidate {
            index,
            id: self.ids[index],
            in_flight: self.clients[index].shared.pulse.in_flight(),
            weight: *weight,
        };
        fit.map(candidate).collect()
    }
}

/// It is asked whenever somebody is there: whatever it answers is better than nothing.
fn take_only(only: &Client) -> Result<Turn<'_>, Without> {
    let origin = &*only.shared;
    loop {
        let standing = match origin.pulse.standing() {
            (Standing::Down(until), _) => return Err(Without::Origin(until)),
            (standing, _) => standing,
        };
        match origin.pulse.enter(standing) {
            Ok(in_flight) => {
                return Ok(Turn {
                    index: 0,
                    origin,
                    in_flight,
                    is_alone: true,
                });
            }
            Err(Refused::Full) => return Err(Without::Place),
            Err(Refused::OnTrial) => {}
        }
    }
}

/// Whether too few are up for all the load.
fn is_panic(standings: &[(Standing, f32)], threshold: u32) -> bool {
    let is_up = |(standing, _): &&(Standing, f32)| matches!(standing, Standing::Up | Standing::Due);
    let up = standings.iter().filter(is_up).count();
    up == 0 || up * 100 < threshold as usize * standings.len()
}

fn first_due(standings: &[(Standing, f32)]) -> Instant {
    let until = standings.iter().filter_map(|(standing, _)| match standing {
        Standing::Down(until) => Some(*until),
        Standing::Due | Standing::Spared | Standing::Up => None,
    });
    until.min().unwrap_or_else(Instant::now)
}

impl Without {
    pub(super) fn into_error(self) -> UpstreamError {
        match self {
            Self::Place => UpstreamError::QueueFull,
            Self::Origin(until) => UpstreamError::OriginDown {
                retry_after: until.saturating_duration_since(Instant::now()),
            },
        }
    }
}

/// The same in every process (FNV-1a), so that all edges send a visitor to the same origin.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
