use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy,
};
use std::time::Duration;

use super::config::ChallengeKind;
use super::error::OrderError;
use crate::server::{Challenges, Offered};

/// Orders a certificate for one host: its key and its chain, in PEM.
pub(super) async fn order(
    account: &Account,
    host: &str,
    kind: ChallengeKind,
    challenges: &Challenges,
) -> Result<String, OrderError> {
    let identifiers = [Identifier::Dns(host.to_owned())];
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    // Answered until the authority has made up its mind.
    let offered = prove(&mut order, host, kind, challenges).await?;
    let ready = order.poll_ready(&PATIENCE).await;
    drop(offered);
    match ready {
        Ok(OrderStatus::Ready | OrderStatus::Valid) => {}
        Ok(_) => return Err(OrderError::Refused(reason(&mut order).await)),
        Err(instant_acme::Error::Api(problem)) => {
            let reason = reason(&mut order).await;
            return Err(OrderError::Refused(format!("{problem}; {reason}")));
        }
        Err(error) => return Err(error.into()),
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(format!("{key}{chain}"))
}

/// The whole order has a limit of its own, below this one.
const PATIENCE: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(250))
    .backoff(1.5)
    .timeout(Duration::from_mins(10));

/// Shows the authority that the host is ours, where it has not seen it lately.
async fn prove(
    order: &mut Order,
    host: &str,
    kind: ChallengeKind,
    challenges: &Challenges,
) -> Result<Vec<Offered>, OrderError> {
    let mut offered = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let (kind, name) = match kind {
            ChallengeKind::Http => (ChallengeType::Http01, "http-01"),
            ChallengeKind::TlsAlpn => (ChallengeType::TlsAlpn01, "tls-alpn-01"),
        };
        let challenge = authorization.challenge(kind);
        let mut challenge = challenge.ok_or(OrderError::NoChallenge(name))?;
        let answer = challenge.key_authorization();
        let what = "the answer to a challenge";
        let keep = challenges.offer(host, answer.as_str());
        offered.push(keep.map_err(|source| OrderError::Keep { what, source })?);
        challenge.set_ready().await?;
    }
    Ok(offered)
}

/// What the authority met when it looked.
async fn reason(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else {
            continue;
        };
        let mut problems = state
            .challenges
            .iter()
            .filter_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = problems.next() {
            return problem.to_string();
        }
    }
    "without a reason".to_owned()
}
