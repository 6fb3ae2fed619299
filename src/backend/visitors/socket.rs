use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout};

use super::brake::Bucket;
use super::pace::{FRAME_BYTES, FRAMES, MESSAGES};
use super::{VisitorPlace, cookie, plain};
use crate::backend::Backend;
use crate::backend::protocol::{
    BackendMessage, CloseCode, FRAME_BYTES_MAX, FrameHead, Hello, PROTOCOL_VERSION, SUBPROTOCOL,
    TEXT_BYTES_MAX, VisitorMessage,
};
use crate::backend::realm::{AskingPage, Look};
use crate::backend::roster::{Attached, ResumeToken, ToVisitor};
use crate::backend::session::OpenedPage;
use crate::groups::GroupId;
use crate::wire::{EdgeBody, Hold};

/// For the first message to come.
const HELLO_PATIENCE: Duration = Duration::from_secs(10);
/// A visitor hears something at least this often, and is asked for a sign of life.
const BEAT: Duration = Duration::from_secs(20);
/// A connection on which nothing came for so long is dead: two pings were not answered.
const SILENCE: Duration = Duration::from_secs(55);
/// For a visitor to take what it is sent.
const SEND_PATIENCE: Duration = Duration::from_secs(20);
/// For a visitor to answer a close.
const CLOSE_PATIENCE: Duration = Duration::from_secs(3);

/// Of a page whose token came in its `hello` (storage `ls`): some 20 MB of a page, deflated.
const STRANGERS_FRAME_BYTES_MAX: usize = 1024 * 1024;

const TAB_CHARS_MAX: usize = 64;
const PAUSE_CHARS_MAX: usize = 256;

/// Opens the socket of a visitor's page, whose origin was looked at.
pub(super) async fn open(
    backend: &Backend,
    place: VisitorPlace,
    request: Request<EdgeBody>,
) -> Response<EdgeBody> {
    if !backend.paces().sockets.allows(place.address) {
        return plain(StatusCode::TOO_MANY_REQUESTS);
    }
    let Some(permit) = backend.socket_permit() else {
        return plain(StatusCode::SERVICE_UNAVAILABLE);
    };
    let tokens = cookie::tokens(request.headers());
    let (mut parts, _) = request.into_parts();
    let hold = parts.extensions.remove::<Hold>();
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        return plain(StatusCode::UPGRADE_REQUIRED);
    };
    // Who shows no token that is known may still say one, but must not fill the memory before.
    let is_known = backend.session_of(&tokens).is_some();
    let stranger = match is_known {
        true => None,
        false => match backend.stranger_permit() {
            Some(permit) => Some(permit),
            None => return plain(StatusCode::SERVICE_UNAVAILABLE),
        },
    };
    let bytes_max = if is_known {
        FRAME_BYTES_MAX
    } else {
        STRANGERS_FRAME_BYTES_MAX
    };
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max);
    if upgrade.selected_protocol().is_none() {
        return plain(StatusCode::BAD_REQUEST);
    }
    let visit = Visit {
        backend: backend.clone(),
        place,
        tokens,
    };
    let response = upgrade.on_upgrade(move |socket| async move {
        Line::new(socket, hold).serve(&visit, stranger).await;
        drop(permit);
    });
    response.map(|body| body.map_err(Into::into).boxed_unsync())
}

/// Who opened a socket, from where.
#[derive(Debug)]
struct Visit {
    backend: Backend,
    place: VisitorPlace,
    tokens: Vec<ResumeToken>,
}

/// What a page said of itself that is needed again when its tab gets the focus.
#[derive(Debug)]
struct Credentials {
    grant: String,
    path: String,
    group: GroupId,
}

/// A socket, and what may still be said on it.
struct Line {
    socket: WebSocket,
    /// Told whether the visitor takes what it is given; `None`: nobody asks.
    hold: Option<Hold>,
    messages: Bucket,
    frames: Bucket,
    bytes: Bucket,
    /// Nothing is read before: who says too much is read slowly, so that it waits.
    rested: Instant,
    heard: Instant,
    spoke: Instant,
    pinged: Instant,
}

/// What came on a socket.
enum Heard {
    Message(VisitorMessage),
    Frame(FrameHead, Bytes),
    /// A sign of life.
    Nothing,
}

impl Line {
    fn new(socket: WebSocket, hold: Option<Hold>) -> Self {
        let now = Instant::now();
        Self {
            socket,
            hold,
            messages: Bucket::new(MESSAGES, now),
            frames: Bucket::new(FRAMES, now),
            bytes: Bucket::new(FRAME_BYTES, now),
            rested: now,
            heard: now,
            spoke: now,
            pinged: now,
        }
    }

    /// From `hello` to the end.
    async fn serve(mut self, visit: &Visit, stranger: Option<OwnedSemaphorePermit>) {
        let greeted = self.greet(visit).await;
        drop(stranger);
        let code = match greeted {
            Ok((mut attached, credentials)) => {
                let code = self.converse(visit, &mut attached, &credentials).await;
                attached.close().await;
                code
            }
            Err(code) => code,
        };
        if let Some(code) = code {
            self.close(code).await;
        }
    }

    /// `Err(None)`: the visitor has gone.
    async fn greet(&mut self, visit: &Visit) -> Result<(Attached, Credentials), Option<CloseCode>> {
        let hello = timeout(HELLO_PATIENCE, self.hello()).await;
        let hello = hello.map_err(|_| Some(CloseCode::Protocol))??;
        let mut tokens = visit.tokens.clone();
        tokens.extend(hello.resume.as_deref().and_then(ResumeToken::parse));
        let session = visit.backend.session_of(&tokens);
        let session = session.ok_or_else(|| visit.backend.not_there())?;
        let url = visit.place.plain_url(&hello.page.url);
        let credentials = Credentials {
            path: visit.place.path_of(&url),
            grant: hello.grant,
            group: session.group,
        };
        let look = visit.look(&credentials);
        let page = OpenedPage {
            tab: hello.tab,
            url,
            focused: hello.focused,
            paused: hello.paused,
            masks_by_agent: hello.masks_by_agent,
            admission: look.admission,
            allowed: look.allowed,
            masks: look.masks,
        };
        let attached = visit.backend.roster().attach(session.id, page).await;
        let attached = attached.ok_or_else(|| visit.backend.not_there())?;
        Ok((attached, credentials))
    }

    async fn hello(&mut self) -> Result<Hello, Option<CloseCode>> {
        loop {
            match self.hear().await? {
                Heard::Message(VisitorMessage::Hello(hello)) if is_readable(&hello) => {
                    return Ok(hello);
                }
                Heard::Nothing => {}
                Heard::Message(_) | Heard::Frame(..) => return Err(Some(CloseCode::Protocol)),
            }
        }
    }

    /// Until one of both has enough. `None`: the visitor has gone.
    async fn converse(
        &mut self,
        visit: &Visit,
        attached: &mut Attached,
        credentials: &Credentials,
    ) -> Option<CloseCode> {
        loop {
            let due = self.due();
            tokio::select! {
                heard = self.hear() => {
                    let heard = match heard {
                        Ok(heard) => heard,
                        Err(code) => return code,
                    };
                    match visit.tell(attached, credentials, heard).await {
                        Ok(None) => {}
                        Ok(Some(answer)) => self.say(&answer).await?,
                        Err(code) => return Some(code),
                    }
                },
                told = attached.outbox.next() => match told {
                    Some(ToVisitor::Say(message)) => self.say(&message).await?,
                    Some(ToVisitor::Close(code)) => return Some(code),
                    // It was not taken for long: whoever listens may come again.
                    None => return Some(CloseCode::Limit),
                },
                () = sleep_until(due) => self.keep_alive().await?,
            }
        }
    }

    /// When something is to be said, or asked.
    fn due(&self) -> Instant {
        let beat = self.spoke + BEAT;
        let ping = self.heard.max(self.pinged) + BEAT;
        beat.min(ping).min(self.heard + SILENCE)
    }

    /// `None`: the visitor has gone.
    async fn keep_alive(&mut self) -> Option<()> {
        if self.heard.elapsed() >= SILENCE {
            return None;
        }
        if self.heard.max(self.pinged).elapsed() >= BEAT {
            self.pinged = Instant::now();
            self.send(Message::Ping(Bytes::new())).await?;
        }
        match self.spoke.elapsed() >= BEAT {
            true => self.say(&BackendMessage::Beat).await,
            false => Some(()),
        }
    }

    /// Cancel safety: nothing is lost.
    async fn hear(&mut self) -> Result<Heard, Option<CloseCode>> {
        sleep_until(self.rested).await;
        let message = match self.socket.recv().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(too_large(&error)),
            None => return Err(None),
        };
        let now = Instant::now();
        self.heard = now;
        self.rested = now + self.pay(&message, now);
        match message {
            Message::Text(text) if text.len() > TEXT_BYTES_MAX => Err(Some(CloseCode::Limit)),
            Message::Text(text) => {
                let message = serde_json::from_str(text.as_str());
                message
                    .map(Heard::Message)
                    .map_err(|_| Some(CloseCode::Protocol))
            }
            Message::Binary(bytes) => {
                let head = FrameHead::read(&bytes).ok_or(Some(CloseCode::Protocol))?;
                Ok(Heard::Frame(head, bytes))
            }
            Message::Ping(_) | Message::Pong(_) => Ok(Heard::Nothing),
            Message::Close(_) => Err(None),
        }
    }

    /// How long to rest after the message.
    fn pay(&mut self, message: &Message, now: Instant) -> Duration {
        let Message::Binary(bytes) = message else {
            return self.messages.spend(1.0, now);
        };
        #[allow(
            clippy::cast_precision_loss,
            reason = "a frame has some megabytes at most"
        )]
        let amount = bytes.len() as f64;
        let frames = self.frames.spend(1.0, now);
        frames.max(self.bytes.spend(amount, now))
    }

    async fn say(&mut self, message: &BackendMessage) -> Option<()> {
        self.spoke = Instant::now();
        let text = serde_json::to_string(message).ok()?;
        self.send(Message::text(text)).await
    }

    /// `None`: the visitor takes nothing any more.
    async fn send(&mut self, message: Message) -> Option<()> {
        let _standing = self.hold.as_ref().map(Hold::stand);
        let sent = timeout(SEND_PATIENCE, self.socket.send(message)).await;
        sent.ok()?.ok()
    }

    /// What the visitor still has under way is read, so that it hears the code.
    async fn close(mut self, code: CloseCode) {
        let frame = CloseFrame {
            code: code.as_u16(),
            reason: "".into(),
        };
        let _ = timeout(CLOSE_PATIENCE, async {
            self.socket.send(Message::Close(Some(frame))).await.ok()?;
            while let Some(Ok(_)) = self.socket.recv().await {}
            Some(())
        })
        .await;
    }
}

impl Visit {
    fn look(&self, credentials: &Credentials) -> Look {
        let page = AskingPage {
            grant: &credentials.grant,
            host: self.place.authority.host(),
            path: &credentials.path,
        };
        self.backend.realm().look(page, credentials.group)
    }

    /// Passes on what was heard, or answers it. A session that is over says so by itself.
    async fn tell(
        &self,
        attached: &Attached,
        credentials: &Credentials,
        heard: Heard,
    ) -> Result<Option<BackendMessage>, CloseCode> {
        match heard {
            Heard::Nothing => true,
            Heard::Message(VisitorMessage::Frame { frame, grant, url }) => {
                let look = self.look_at_frame(grant, &url, credentials.group);
                let allowed = look.admission.is_allowed();
                if !allowed {
                    attached.frame_refused(look.admission).await;
                }
                return Ok(Some(BackendMessage::Frame {
                    frame,
                    allowed,
                    masks: look.masks,
                }));
            }
            Heard::Frame(head, bytes) => attached.frame(head, bytes).await,
            Heard::Message(VisitorMessage::Focus) => {
                let look = self.look(credentials);
                attached.focus(look.admission, look.allowed).await
            }
            Heard::Message(VisitorMessage::Hello(_)) => return Err(CloseCode::Protocol),
            Heard::Message(VisitorMessage::Location { url }) => {
                let url = self.place.plain_url(&url);
                attached.say(VisitorMessage::Location { url }).await
            }
            Heard::Message(VisitorMessage::Pause { paused, message }) => {
                let message = message.map(|text| text.chars().take(PAUSE_CHARS_MAX).collect());
                attached
                    .say(VisitorMessage::Pause { paused, message })
                    .await
            }
            Heard::Message(message) => attached.say(message).await,
        };
        Ok(None)
    }

    /// A document in a frame is a page of its own: its grant says whether it may be seen.
    fn look_at_frame(&self, grant: String, url: &str, group: GroupId) -> Look {
        let path = self.place.path_of(&self.place.plain_url(url));
        self.look(&Credentials { grant, path, group })
    }
}

fn is_readable(hello: &Hello) -> bool {
    let tab = hello.tab.chars().count();
    hello.version == PROTOCOL_VERSION && (1..=TAB_CHARS_MAX).contains(&tab)
}

/// What the library refuses as too large is said to be; anything else is a broken connection.
fn too_large(error: &axum::Error) -> Option<CloseCode> {
    let text = error.to_string();
    text.contains("too long").then_some(CloseCode::Limit)
}
