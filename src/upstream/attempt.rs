//! What becomes of a request that the first connection at hand did not settle.

use std::pin::Pin;

use http::{Request, Response};

use super::balance::Balance;
use super::body::UpstreamBody;
use super::client::Failure;
use super::error::UpstreamError;
use super::group::Group;
use super::line::is_upgrade;
use super::replay::Replay;
use super::request_body::RequestBody;
use super::turn::{Choice, Turn};

/// A request that the first connection at hand did not settle.
pub(super) struct Attempt<'g> {
    turn: Turn<'g>,
    request: Request<RequestBody>,
    choice: Choice,
    /// An idempotent request may go out twice, and none three times.
    was_sent_again: bool,
}

/// Connections that others left behind, and that may be dead all of them.
const ROUNDS_MAX: usize = 8;

pub(super) type Answered = Result<Response<UpstreamBody>, UpstreamError>;
type Boxed<'g> = Pin<Box<dyn Future<Output = Answered> + Send + 'g>>;

impl Group {
    /// What to do after a failure on a connection that was pooled.
    pub(super) fn recover<'g>(
        &'g self,
        failure: Failure,
        replay: Option<Replay>,
        turn: Turn<'g>,
        choice: Choice,
    ) -> Result<Attempt<'g>, UpstreamError> {
        match (failure, replay.and_then(Replay::restore)) {
            (Failure::Unsent(request, _), _) => Ok(Attempt::new(turn, *request, choice)),
            // The origin closed the connection while the request was on its way to it, which is
            // nothing to blame it for.
            (Failure::Unanswered(_), Some(request)) if self.budget.allows_retry() => Ok(Attempt {
                was_sent_again: true,
                ..Attempt::new(self.elsewhere(turn, choice), request, choice)
            }),
            (Failure::Unanswered(error), _) => Err(error),
            (Failure::Final(error), _) => {
                turn.fail(&error);
                Err(error)
            }
        }
    }

    /// Boxed, because the state of a TLS handshake would else be part of the state of every
    /// exchange, and be moved with it.
    pub(super) fn go_on<'g>(&'g self, attempt: Attempt<'g>) -> Boxed<'g> {
        Box::pin(self.attempt(attempt))
    }

    /// Each round either ends, or leaves a connection or an origin behind.
    async fn attempt<'g>(&'g self, attempt: Attempt<'g>) -> Answered {
        let Attempt {
            mut turn,
            mut request,
            mut choice,
            mut was_sent_again,
        } = attempt;
        let is_upgrade = is_upgrade(&request);
        let mut round = 0;
        loop {
            round += 1;
            let (line, is_new) = match turn.origin.connect(is_upgrade).await {
                Ok(opened) => {
                    turn.in_flight.reached();
                    opened
                }
                Err(error) => {
                    choice.tried.add(turn.index);
                    turn.fail(&error);
                    // Nothing was sent: any request may go elsewhere.
                    match self.choose(choice) {
                        Ok(next) => turn = next,
                        Err(_) => return Err(error),
                    }
                    continue;
                }
            };
            let may_be_repeated = !was_sent_again && (!is_new || self.clients.len() > 1);
            let replay = may_be_repeated.then(|| Replay::of(&request)).flatten();
            let failure = match turn.origin.exchange(line, request).await {
                Ok(response) => return Ok(turn.settle(response)),
                Err(failure) => failure,
            };
            if !is_new && round < ROUNDS_MAX {
                let again = self.recover(failure, replay, turn, choice)?;
                (turn, request) = (again.turn, again.request);
                was_sent_again |= again.was_sent_again;
                continue;
            }
            choice.tried.add(turn.index);
            turn.fail(failure.error());
            let replay = replay.and_then(Replay::restore);
            (request, turn) = match (failure, replay, self.choose(choice)) {
                (Failure::Unsent(request, _), _, Ok(next)) => (*request, next),
                (Failure::Unanswered(_), Some(request), Ok(next)) if self.budget.allows_retry() => {
                    was_sent_again = true;
                    (request, next)
                }
                (failure, _, _) => return Err(failure.into_error()),
            };
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
}

impl<'g> Attempt<'g> {
    pub(super) fn new(turn: Turn<'g>, request: Request<RequestBody>, choice: Choice) -> Self {
        Self {
            turn,
            request,
            choice,
            was_sent_again: false,
        }
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
