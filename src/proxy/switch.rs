use std::sync::Arc;

use http::Response;

use super::error::ProxyError;
use super::exchange::Edge;
use super::heads;
use crate::tunnel;
use crate::upstream::UpstreamBody;
use crate::wire::{EdgeBody, SwitchRefusal, Upgrade, empty_body};

/// Opens a tunnel on an upstream's 101, once it is certain that both sides agreed to it; anything
/// else is an answer of nonsense.
pub(super) fn open(
    edge: &Edge,
    asked: Option<Upgrade>,
    visitor: Option<tunnel::Downstream>,
    mut answer: Response<UpstreamBody>,
) -> Result<Response<EdgeBody>, ProxyError> {
    let (Some(upgrade), Some(visitor)) = (asked, visitor) else {
        return Err(ProxyError::Switch(SwitchRefusal::Status));
    };
    upgrade
        .check_switching(answer.status(), answer.headers())
        .map_err(ProxyError::Switch)?;
    let upstream = hyper::upgrade::on(&mut answer);
    let (mut parts, _) = answer.into_parts();
    heads::go_down(&mut parts, edge);
    upgrade.write(&mut parts.headers);
    tunnel::spawn(visitor, upstream, Arc::clone(&edge.metrics));
    Ok(heads::response(parts, empty_body()))
}
