use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Request, Response, StatusCode};
use tokio::time::Instant;

use super::balance::{Balance, Candidate, Dice, HashOn, mix};
use super::body::UpstreamBody;
use super::budget::{Budget, RetryConfig};
use super::client::{Client, Failure, Shared, prepared, replayable};
use super::error::UpstreamError;
use super::health::{Fault, Standing};
use super::pool::Connection;
use super::pulse::InFlight;
use super::request_body::RequestBody;
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
    /// How often it was left alone.
    pub ejections: u64,
}

#[derive(Debug)]
struct Group {
    clients: Box<[Client]>,
    /// What their names hash to.
    ids: Box<[u64]>,
    policy: Policy,
    budget: Budget,
    chance: AtomicU64,
}

/// An exchange's place at one of the origins.
struct Turn<'g> {
    index: usize,
    origin: &'g Shared,
    in_flight: InFlight,
    /// There is no other.
    is_alone: bool,
}

/// What origins are chosen by, for one exchange.
#[derive(Clone, Copy)]
struct Choice {
    /// The exchange's.
    number: u64,
    key: u64,
    tried: Tried,
}

/// The origins that failed in one exchange, by their places.
#[derive(Clone, Copy, Default)]
struct Tried(u64);

/// A request that the first connection at hand did not settle.
struct Attempt<'g> {
    turn: Turn<'g>,
    request: Request<RequestBody>,
    choice: Choice,
    /// An idempotent request may go out twice, and none three times.
    was_sent_again: bool,
    /// On a new connection.
    afresh: bool,
}

type Answered = Result<Response<UpstreamBody>, UpstreamError>;
type Boxed<'g> = Pin<Box<dyn Future<Output = Answered> + Send + 'g>>;

/// More would be a directory, not a site.
const ORIGINS_MAX: usize = 64;
const DEFAULT_PANIC_THRESHOLD: u32 = 50;

impl Default for Policy {
    fn default() -> Self {
        Self {
            balance: Balance::default(),
            panic_threshold: DEFAULT_PANIC_THRESHOLD,
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
        let ids = clients.iter().map(|client| hash(client.name().as_bytes()));
        let group = Group {
            ids: ids.take(ORIGINS_MAX).collect(),
            budget: Budget::new(policy.retry),
            chance: AtomicU64::new(anything()),
            clients: clients.into(),
            policy,
        };
        Self {
            group: Arc::new(group),
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
        if let Some(mut in_flight) = pulse.enter(Standing::Up) {
            in_flight.failed(Fault::Unreachable);
        }
    }

    /// Requests that were sent a second time.
    pub fn retries(&self) -> u64 {
        self.group.budget.retries()
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
        let turn = group.choose(choice)?;
        let request = prepared(request, turn.origin.config.first_byte_timeout);
        let Some(connection) = turn.origin.pool.take() else {
            return group.go_on(Attempt::new(turn, request, choice)).await;
        };
        let replay = replayable(&request);
        match turn.origin.exchange(connection, request).await {
            Ok(response) => Ok(turn.settle(response)),
            Err(failure) => {
                let attempt = group.recover(failure, replay, turn, choice)?;
                group.go_on(attempt).await
            }
        }
    }
}

impl Group {
    /// What to do after a failure on a connection that was pooled.
    fn recover<'g>(
        &'g self,
        failure: Failure,
        replay: Option<Request<RequestBody>>,
        turn: Turn<'g>,
        choice: Choice,
    ) -> Result<Attempt<'g>, UpstreamError> {
        let mut attempt = match (failure, replay) {
            (Failure::Unsent(request, _), _) => Attempt::new(turn, *request, choice),
            // The origin closed the connection while the request was on its way to it, which is
            // nothing to blame it for.
            (Failure::Unanswered(_), Some(request)) if self.budget.allows_retry() => Attempt {
                was_sent_again: true,
                ..Attempt::new(self.elsewhere(turn, choice), request, choice)
            },
            (Failure::Unanswered(error), _) => return Err(error),
            (Failure::Final(error), _) => {
                turn.fail(&error);
                return Err(error);
            }
        };
        // What else is pooled may be as dead.
        attempt.afresh = true;
        Ok(attempt)
    }

    /// Boxed, because the state of a TLS handshake would else be part of the state of every
    /// exchange, and be moved with it.
    fn go_on<'g>(&'g self, attempt: Attempt<'g>) -> Boxed<'g> {
        Box::pin(self.attempt(attempt))
    }

    /// Each round either ends, or leaves one origin behind.
    async fn attempt<'g>(&'g self, attempt: Attempt<'g>) -> Answered {
        let Attempt {
            mut turn,
            mut request,
            mut choice,
            mut was_sent_again,
            mut afresh,
        } = attempt;
        loop {
            let index = turn.index;
            choice.tried.add(index);
            let connection = match turn.connection(afresh).await {
                Ok(connection) => connection,
                Err(error) => {
                    turn.fail(&error);
                    // Nothing was sent: any request may go elsewhere.
                    match self.choose(choice) {
                        Ok(next) => (turn, afresh) = (next, false),
                        Err(_) => return Err(error),
                    }
                    continue;
                }
            };
            let may_go_elsewhere = !was_sent_again && self.clients.len() > 1;
            let replay = may_go_elsewhere.then(|| replayable(&request)).flatten();
            let failure = match turn.origin.exchange(connection, request).await {
                Ok(response) => return Ok(turn.settle(response)),
                Err(failure) => failure,
            };
            turn.fail(failure.error());
            (request, turn) = match (failure, replay, self.choose(choice)) {
                (Failure::Unsent(request, _), _, Ok(next)) => (*request, next),
                (Failure::Unanswered(_), Some(request), Ok(next)) if self.budget.allows_retry() => {
                    was_sent_again = true;
                    (request, next)
                }
                (failure, _, _) => return Err(failure.into_error()),
            };
            afresh = true;
        }
    }

    /// Another origin, where there is one and visitors are not tied to theirs.
    fn elsewhere<'g>(&'g self, turn: Turn<'g>, mut choice: Choice) -> Turn<'g> {
        if turn.is_alone || matches!(self.policy.balance, Balance::Hash(_)) {
            return turn;
        }
        choice.tried.add(turn.index);
        self.choose(choice).unwrap_or(turn)
    }

    /// Takes a place at one of the origins that may be asked.
    fn choose(&self, choice: Choice) -> Result<Turn<'_>, UpstreamError> {
        let taken = match &*self.clients {
            [only] if !choice.tried.has(0) => take_only(only),
            _ => self.take_one_of(choice),
        };
        taken.map_err(|until| UpstreamError::OriginDown {
            retry_after: until.saturating_duration_since(Instant::now()),
        })
    }

    fn take_one_of(&self, choice: Choice) -> Result<Turn<'_>, Instant> {
        loop {
            let standings = self
                .clients
                .iter()
                .map(|client| client.shared.pulse.standing());
            let standings: Vec<_> = standings.take(ORIGINS_MAX).collect();
            let candidates = self.candidates(&standings, choice.tried);
            let dice = Dice {
                turn: choice.number as usize,
                chance: mix(self.chance.fetch_add(1, Ordering::Relaxed)),
                key: choice.key,
            };
            let Some(index) = self.policy.balance.choose(&candidates, dice) else {
                return Err(first_due(&standings));
            };
            // One that is due may be found out about by somebody else by now.
            if let Some(turn) = self.take(index, standings[index].0) {
                return Ok(turn);
            }
        }
    }

    fn take(&self, index: usize, standing: Standing) -> Option<Turn<'_>> {
        let origin = &*self.clients.get(index)?.shared;
        Some(Turn {
            index,
            origin,
            in_flight: origin.pulse.enter(standing)?,
            is_alone: false,
        })
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
fn take_only(only: &Client) -> Result<Turn<'_>, Instant> {
    let origin = &*only.shared;
    loop {
        let standing = match origin.pulse.standing() {
            (Standing::Down(until), _) => return Err(until),
            (standing, _) => standing,
        };
        if let Some(in_flight) = origin.pulse.enter(standing) {
            return Ok(Turn {
                index: 0,
                origin,
                in_flight,
                is_alone: true,
            });
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

impl<'g> Turn<'g> {
    async fn connection(&self, afresh: bool) -> Result<Connection, UpstreamError> {
        let pooled = match afresh {
            true => None,
            false => self.origin.pool.take(),
        };
        match pooled {
            Some(connection) => Ok(connection),
            None => self.origin.connect().await,
        }
    }

    fn settle(mut self, mut response: Response<UpstreamBody>) -> Response<UpstreamBody> {
        match response.status() {
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
                if !self.is_alone =>
            {
                self.in_flight.failed(Fault::Unserving);
            }
            _ => self.in_flight.succeeded(),
        }
        response.body_mut().hold(self.in_flight);
        response
    }

    fn fail(mut self, error: &UpstreamError) {
        match error.fault() {
            Some(Fault::Unserving) if self.is_alone => self.in_flight.succeeded(),
            Some(fault) => self.in_flight.failed(fault),
            None => {}
        }
    }
}

impl<'g> Attempt<'g> {
    fn new(turn: Turn<'g>, request: Request<RequestBody>, choice: Choice) -> Self {
        Self {
            turn,
            request,
            choice,
            was_sent_again: false,
            afresh: false,
        }
    }
}

impl Tried {
    fn add(&mut self, index: usize) {
        self.0 |= 1u64.checked_shl(index as u32).unwrap_or_default();
    }

    fn has(self, index: usize) -> bool {
        self.0 & 1u64.checked_shl(index as u32).unwrap_or_default() != 0
    }
}

impl Failure {
    fn error(&self) -> &UpstreamError {
        match self {
            Self::Final(error) | Self::Unanswered(error) | Self::Unsent(_, error) => error,
        }
    }

    fn into_error(self) -> UpstreamError {
        match self {
            Self::Final(error) | Self::Unanswered(error) | Self::Unsent(_, error) => error,
        }
    }
}

/// The same in every process (FNV-1a), so that all edges send a visitor to the same origin.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn anything() -> u64 {
    RandomState::new().hash_one(0)
}
