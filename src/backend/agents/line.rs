//! A socket of an agent's: how it is opened, kept alive, watched over and closed, whatever is said on it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use bytes::Bytes;
use http::Response;
use http::request::Parts;
use http_body_util::BodyExt;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::answers::{Code, Refusal};
use super::api::who;
use super::listener::Shared;
use super::protocol::SUBPROTOCOL;
use super::{desk, seat};
use crate::backend::access::{Agents, Bucket, LoginSocket, Quota, SocketKind};
use crate::backend::store::{AgentRecord, Rights};
use crate::backend::unix_now;
use crate::groups::GroupId;
use crate::wire::{EdgeBody, Hold};

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Desk {
    List,
    Session,
}

/// Why a socket is closed by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The edge goes, or the session's task has.
    Away,
    Ended,
    Forbidden,
    /// It is closed already, or cannot be written to.
    Gone,
    Limit,
    NoLogin,
    Unreadable,
}

/// What happened on a socket.
#[derive(Debug)]
pub(super) enum Heard {
    /// Rights, names or the login changed, or may have.
    Agents,
    Text(String),
    /// A second has passed.
    Tick,
}

/// A socket whose agent is logged in.
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: IpAddr,
    socket: WebSocket,
    /// Told whether the agent takes what it is given; `None`: nobody asks.
    hold: Option<Hold>,
    place: LoginSocket,
    agents: watch::Receiver<Arc<Agents>>,
    leaving: watch::Receiver<bool>,
    said: Bucket,
    heard_at: Instant,
    said_at: Instant,
    ticks: tokio::time::Interval,
}

/// Answers the handshake; what comes then runs in a task of its own, which ends with the socket.
pub(super) async fn open(
    shared: Arc<Shared>,
    mut parts: Parts,
    desk: Desk,
    peer: IpAddr,
) -> Result<Response<EdgeBody>, Refusal> {
    let malformed = || Refusal::new(Code::Malformed);
    let hold = parts.extensions.remove::<Hold>();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|_| malformed())?;
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return Err(malformed());
    }
    let login = who(&shared, &parts.headers);
    let upgrade = upgrade
        .max_message_size(TEXT_BYTES_MAX)
        .max_frame_size(TEXT_BYTES_MAX)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX);
    let response = upgrade.on_upgrade(async move |socket| {
        let kind = match desk {
            Desk::List => SocketKind::Desk,
            Desk::Session => SocketKind::Session,
        };
        match login.map(|login| login.open_socket(kind)) {
            None => close(socket, Close::NoLogin).await,
            Some(None) => close(socket, Close::Limit).await,
            Some(Some(place)) => {
                let mut line = Line::new(shared, (socket, hold), place, peer);
                let why = match desk {
                    Desk::List => desk::serve(&mut line).await,
                    Desk::Session => seat::serve(&mut line).await,
                };
                close(line.socket, why).await;
            }
        }
    });
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}

impl Line {
    fn new(
        shared: Arc<Shared>,
        (socket, hold): (WebSocket, Option<Hold>),
        place: LoginSocket,
        peer: IpAddr,
    ) -> Self {
        let now = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Self {
            agents: shared.access.agents(),
            leaving: shared.leaving.subscribe(),
            shared,
            peer,
            socket,
            hold,
            place,
            said: Bucket::full(now),
            heard_at: now,
            said_at: now,
            ticks,
        }
    }

    /// Who is at the other end; gone with the login.
    pub(super) fn agent(&self) -> Result<Arc<AgentRecord>, Close> {
        let agent = self.shared.access.agent(&self.place.login);
        agent.ok_or(Close::NoLogin)
    }

    /// What that agent may do in a group, now.
    pub(super) fn rights(&self, group: GroupId) -> Rights {
        self.shared.access.rights(&self.place.login, group)
    }

    /// A sign of life of the agent's.
    pub(super) fn touch(&self) {
        self.place.login.touch(unix_now());
    }

    /// What happens next. An error: the socket is to be closed.
    ///
    /// Cancel safety: safe, no message is lost.
    pub(super) async fn next(&mut self) -> Result<Heard, Close> {
        loop {
            let heard = tokio::select! {
                biased;
                () = self.place.login.gone() => return Err(Close::NoLogin),
                () = left(&mut self.leaving) => return Err(Close::Away),
                _ = self.agents.changed() => return Ok(Heard::Agents),
                message = self.socket.recv() => message,
                _ = self.ticks.tick() => {
                    self.keep_alive()?;
                    return Ok(Heard::Tick);
                }
            };
            if let Some(text) = self.hear(heard)? {
                return Ok(Heard::Text(text));
            }
        }
    }

    /// Whether it is time to say that we are there.
    pub(super) fn is_beat_due(&self) -> bool {
        self.said_at.elapsed() >= BEAT_INTERVAL
    }

    /// With a ping, which tells us whether anybody is there.
    pub(super) async fn beat(&mut self, message: &impl Serialize) -> Result<(), Close> {
        self.say(message).await?;
        self.send(Message::Ping(Bytes::new())).await
    }

    pub(super) async fn say(&mut self, message: &impl Serialize) -> Result<(), Close> {
        let text = serde_json::to_string(message).map_err(|_| Close::Away)?;
        self.say_text(text).await
    }

    pub(super) async fn say_text(&mut self, text: String) -> Result<(), Close> {
        self.send(Message::Text(text.into())).await
    }

    pub(super) async fn show(&mut self, frame: Bytes) -> Result<(), Close> {
        self.send(Message::Binary(frame)).await
    }

    /// Waits for a slow console, but not past the end of its login.
    async fn send(&mut self, message: Message) -> Result<(), Close> {
        self.said_at = Instant::now();
        let _standing = self.hold.as_ref().map(Hold::stand);
        let sending = timeout(SEND_TIMEOUT, self.socket.send(message));
        tokio::select! {
            sent = sending => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) | Err(_) => Err(Close::Gone),
            },
            () = self.place.login.gone() => Err(Close::NoLogin),
        }
    }

    fn hear(
        &mut self,
        heard: Option<Result<Message, axum::Error>>,
    ) -> Result<Option<String>, Close> {
        let now = Instant::now();
        self.heard_at = now;
        match heard {
            None | Some(Ok(Message::Close(_))) => Err(Close::Gone),
            // Too long, not UTF-8, not a frame: what follows cannot be read either.
            Some(Err(_)) | Some(Ok(Message::Binary(_))) => Err(Close::Unreadable),
            Some(Ok(_)) if !self.said.try_take(MESSAGES, now) => Err(Close::Limit),
            Some(Ok(Message::Text(text))) => Ok(Some(text.to_string())),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        }
    }

    fn keep_alive(&self) -> Result<(), Close> {
        match self.heard_at.elapsed() < SILENCE_MAX {
            true => Ok(()),
            false => Err(Close::Gone),
        }
    }
}

impl Close {
    fn code(self) -> Option<u16> {
        Some(match self {
            Self::Away => 1012,
            Self::Ended => 4410,
            Self::Forbidden => 4403,
            Self::Gone => return None,
            Self::Limit => 4429,
            Self::NoLogin => 4401,
            Self::Unreadable => 4400,
        })
    }
}

async fn left(leaving: &mut watch::Receiver<bool>) {
    let _ = leaving.wait_for(|leaving| *leaving).await;
}

/// Says why, and waits a moment for the other end to have heard it.
async fn close(mut socket: WebSocket, why: Close) {
    let Some(code) = why.code() else {
        return;
    };
    let reason = "".into();
    let farewell = async {
        let frame = CloseFrame { code, reason };
        socket.send(Message::Close(Some(frame))).await?;
        while socket.recv().await.is_some_and(|heard| heard.is_ok()) {}
        Ok::<_, axum::Error>(())
    };
    // Deaf ears are no reason to stay.
    let _ = timeout(FAREWELL_TIMEOUT, farewell).await;
}

/// No message of a console's is longer.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Consoles say little.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// A frame of a visitor's is at most 8 MiB, and one is sent at a time.
const WRITE_BUFFER_BYTES_MAX: usize = 9 * 1024 * 1024;
/// A pointer moves 30 times a second.
const MESSAGES: Quota = Quota::new(200, Duration::from_millis(5));
const BEAT_INTERVAL: Duration = Duration::from_secs(18);
/// Three pings without an answer.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// For one frame, over a slow line.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);
