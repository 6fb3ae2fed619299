//! There are no agents in a program without a backend; settings that want sessions of its own are refused.

use std::sync::Arc;

use super::edge::StartError;
use super::embedded::Embedded;
use crate::config::EdgeConfig;
use crate::server::{BoundAddress, Certificates, Inherited};
use crate::telemetry::Metrics;

/// Never one.
#[derive(Debug)]
pub(super) enum AgentsServer {}

/// Never one.
#[derive(Debug)]
pub(super) enum AgentsTask {}

impl AgentsServer {
    pub(super) async fn bind(
        _: &EdgeConfig,
        _: &Embedded,
        _: &[BoundAddress],
        _: &mut Inherited,
        _: Option<&Arc<Certificates>>,
        _: Arc<Metrics>,
    ) -> Result<Option<Self>, StartError> {
        Ok(None)
    }

    pub(super) fn address(&self) -> Option<BoundAddress> {
        match *self {}
    }

    pub(super) fn start(self) -> AgentsTask {
        match self {}
    }
}

impl AgentsTask {
    pub(super) fn leave(&self) {
        match *self {}
    }

    pub(super) async fn end(self) {
        match self {}
    }
}
