use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::Request;

use super::attempt::{Answered, Attempt};
use super::balance::{Balance, HashOn};
use super::budget::RetryConfig;
use super::client::{Client, prepared};
use super::group::{Group, Without, hash};
#[cfg(test)]
use super::health::{Fault, Standing};
use super::line::is_upgrade;
use super::queue::QueueConfig;
use super::replay::Replay;
use super::turn::{Choice, Tried};
use crate::wire::EdgeBody;

/// The origins of a site, which are all the same to it. Clones share everything.
#[derive(Clone, Debug)]
pub struct Origins {
    group: Arc<Group>,
}

/// How the origins of a site are chosen among.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub balance: Balance,
    /// With a smaller share of them up than this (in percent), those that do not serve are asked as
    /// well, since the rest would not carry the load. Default: 50.
    pub panic_threshold: u32,
    pub queue: QueueConfig,
    pub retry: RetryConfig,
}

/// How an origin does, for people and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginStatus {
    pub name: String,
    /// `up`, `starting`, `to be tried`, `left alone` or `down`.
    pub state: &'static str,
    pub is_up: bool,
    pub in_flight: u32,
    /// Connections that wait for their next request.
    pub kept: usize,
    /// How often it was left alone.
    pub ejections: u64,
}

const DEFAULT_PANIC_THRESHOLD: u32 = 50;

impl Default for Policy {
    fn default() -> Self {
        Self {
            balance: Balance::default(),
            panic_threshold: DEFAULT_PANIC_THRESHOLD,
            queue: QueueConfig::default(),
            retry: RetryConfig::default(),
        }
    }
}

impl From<Client> for Origins {
    /// One origin.
    fn from(client: Client) -> Self {
        Self::new(vec![client], Policy::default())
    }
}

impl Origins {
    /// Those beyond the 64th are never asked.
    pub fn new(clients: Vec<Client>, policy: Policy) -> Self {
        Self {
            group: Arc::new(Group::new(clients, policy)),
        }
    }

    /// Whether they are these clients, chosen among in this way.
    pub fn are(&self, clients: &[Client], policy: &Policy) -> bool {
        let same = |(one, other): (&Client, &Client)| Arc::ptr_eq(&one.shared, &other.shared);
        let own = &self.group.clients;
        own.len() == clients.len()
            && own.iter().zip(clients).all(same)
            && self.group.policy == *policy
    }

    /// Looks after the origins from now on, as long as they are used. Must be called on a runtime.
    pub fn watch(&self) {
        self.group.clients.iter().for_each(Client::watch);
    }

    /// By what visitors are known, where that decides which origin they get.
    pub fn hash_on(&self) -> Option<&HashOn> {
        match &self.group.policy.balance {
            Balance::Hash(hash_on) if self.group.clients.len() > 1 => Some(hash_on),
            Balance::Hash(_) | Balance::LeastRequests | Balance::RoundRobin => None,
        }
    }

    pub fn status(&self) -> Vec<OriginStatus> {
        let status = |client: &Client| client.shared.status();
        self.group.clients.iter().map(status).collect()
    }

    #[cfg(test)]
    pub(super) fn fail_for_test(&self, index: usize) {
        let pulse = &self.group.clients[index].shared.pulse;
        if let Ok(mut in_flight) = pulse.enter(Standing::Up) {
            in_flight.failed(Fault::Unreachable);
        }
    }

    /// Requests that were sent a second time.
    pub fn retries(&self) -> u64 {
        self.group.budget.retries()
    }

    /// Requests that wait for an origin.
    pub fn waiting(&self) -> usize {
        self.group.waiting.load(Ordering::Relaxed)
    }

    /// Sends a request (its URI in origin-form, its Host set) to one of the origins and waits for
    /// the answer's head. The answer's version is always HTTP/1.1, whatever the origin spoke: its
    /// framing is hyper's matter, and with HTTP/1.0 the edge's server would end a broken body like
    /// a whole one.
    ///
    /// `visitor` is what [`Origins::hash_on`] asks for, and is empty where nothing is asked for.
    ///
    /// A request that never reached an origin goes to the next one. One that did, and had not a
    /// byte of an answer, is sent again once if that cannot do anything twice, as far as the budget
    /// goes.
    ///
    /// What goes over HTTP/2 cannot switch protocols: such a request gets a connection of HTTP/1.1.
    /// An answer of status 101 has hyper's `OnUpgrade` among its extensions.
    ///
    /// Cancel safety: dropping the future closes the connection that it used.
    pub async fn call(&self, request: Request<EdgeBody>, visitor: &[u8]) -> Answered {
        let group = &*self.group;
        let choice = Choice {
            number: group.budget.note_request(),
            key: if visitor.is_empty() { 0 } else { hash(visitor) },
            tried: Tried::default(),
        };
        let turn = match group.choose(choice) {
            Ok(turn) => turn,
            // Boxed, since it is seldom needed.
            Err(Without::Place) => Box::pin(group.wait(choice)).await?,
            Err(without) => return Err(without.into_error()),
        };
        let request = prepared(request, turn.origin.config.first_byte_timeout);
        let Some(line) = turn.origin.take(is_upgrade(&request)) else {
            return group.go_on(Attempt::new(turn, request, choice)).await;
        };
        turn.in_flight.reached();
        let replay = Replay::of(&request);
        match turn.origin.exchange(line, request).await {
            Ok(response) => Ok(turn.settle(response)),
            Err(failure) => {
                let attempt = group.recover(failure, replay, turn, choice)?;
                group.go_on(attempt).await
            }
        }
    }
}
