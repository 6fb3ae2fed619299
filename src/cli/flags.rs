//! What a flag's value is read as.

use std::net::SocketAddr;
use std::str::FromStr;

use clap::ValueEnum;

use crate::config::parse_listen_address;
use crate::document::Fault;
use crate::groups::GroupId;
use crate::rules::SiteEnv;
use crate::telemetry::{AccessLogFormat, LogFormat};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Env {
    Production,
    Staging,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Log {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Access {
    Human,
    Json,
    Off,
}

/// Where the admin listener is, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admin {
    At(SocketAddr),
    Off,
}

impl FromStr for Admin {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        match text {
            "off" => Ok(Self::Off),
            address => parse_listen_address(address).map(Self::At),
        }
    }
}

impl From<Admin> for Option<SocketAddr> {
    fn from(admin: Admin) -> Self {
        match admin {
            Admin::At(address) => Some(address),
            Admin::Off => None,
        }
    }
}

impl From<Env> for SiteEnv {
    fn from(env: Env) -> Self {
        match env {
            Env::Production => Self::Production,
            Env::Staging => Self::Staging,
        }
    }
}

impl From<Log> for LogFormat {
    fn from(log: Log) -> Self {
        match log {
            Log::Human => Self::Human,
            Log::Json => Self::Json,
        }
    }
}

impl From<Access> for Option<AccessLogFormat> {
    fn from(access: Access) -> Self {
        match access {
            Access::Human => Some(AccessLogFormat::Human),
            Access::Json => Some(AccessLogFormat::Json),
            Access::Off => None,
        }
    }
}

pub(super) fn parse_group(text: &str) -> Result<GroupId, String> {
    let group = text.trim().parse().ok().and_then(GroupId::new);
    group.ok_or_else(|| "a group ID is a positive whole number, such as 15687".to_owned())
}
