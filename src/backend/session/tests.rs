use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::backend::protocol::{
    BackendMessage, CloseCode, EndReason, FinishReason, FrameHead, FrameKind, RefuseCode, State,
    SuspendReason, VisitorMessage, Welcome,
};
use crate::backend::store::SessionId;
use crate::groups::GroupId;

/// A session, and what it said.
struct Play {
    session: Session,
    now: Moment,
    effects: Vec<Effect>,
}

fn play() -> Play {
    Play {
        session: Session::start(identity(), Terms::default(), Moment::ZERO),
        now: Moment::ZERO,
        effects: Vec::new(),
    }
}

fn identity() -> Identity {
    Identity {
        id: SessionId::new(7),
        group: GroupId::new(15687).unwrap(),
        key: "05213".into(),
        visitor: VisitorData::default(),
        started: 0,
    }
}

fn page(tab: &str) -> OpenedPage {
    OpenedPage {
        tab: tab.into(),
        url: format!("https://bank.example/{tab}"),
        admission: Admission::Allowed,
        masks: vec!["#ssn".into()],
        ..OpenedPage::default()
    }
}

fn guest(name: &str) -> Guest {
    Guest {
        name: name.into(),
        display_name: name.to_uppercase(),
        role: None,
        views: true,
    }
}

impl Play {
    /// What follows from it.
    fn then(&mut self, happening: Happening) -> Vec<Effect> {
        self.effects = self.session.apply(self.now, happening);
        self.effects.clone()
    }

    fn open(&mut self, socket: SocketNo, tab: &str) -> Vec<Effect> {
        let page = page(tab);
        self.then(Happening::Opened { socket, page })
    }

    fn open_focused(&mut self, socket: SocketNo, tab: &str) -> Vec<Effect> {
        let page = OpenedPage {
            focused: true,
            ..page(tab)
        };
        self.then(Happening::Opened { socket, page })
    }

    fn open_refused(&mut self, socket: SocketNo, tab: &str) -> Vec<Effect> {
        let page = OpenedPage {
            focused: true,
            admission: Admission::Refused("groupid"),
            ..page(tab)
        };
        self.then(Happening::Opened { socket, page })
    }

    fn close(&mut self, socket: SocketNo) -> Vec<Effect> {
        self.then(Happening::Closed { socket })
    }

    fn join(&mut self, seat: SeatNo) -> Vec<Effect> {
        let guest = guest(&format!("agent{seat}"));
        self.then(Happening::Joined { seat, guest })
    }

    fn said(&mut self, socket: SocketNo, message: VisitorMessage) -> Vec<Effect> {
        self.then(Happening::Said { socket, message })
    }

    fn pause(&mut self, socket: SocketNo, paused: bool) -> Vec<Effect> {
        let message = None;
        self.said(socket, VisitorMessage::Pause { paused, message })
    }

    fn focus(&mut self, socket: SocketNo) -> Vec<Effect> {
        let admission = Admission::Allowed;
        self.then(Happening::Focused {
            socket,
            admission,
            allowed: Vec::new(),
        })
    }

    fn frame(&mut self, socket: SocketNo, page: u32, text: &str) -> Vec<Effect> {
        let (kind, sequence) = match text.split_at(1) {
            ("S", number) => (FrameKind::Snapshot, number),
            (_, number) => (FrameKind::Events, number),
        };
        let head = FrameHead {
            kind,
            page,
            sequence: sequence.parse().unwrap(),
        };
        let bytes = Bytes::from(text.to_owned());
        self.then(Happening::Frame {
            socket,
            head,
            bytes,
        })
    }

    fn wait(&mut self, time: Duration) -> Vec<Effect> {
        self.now += time;
        self.then(Happening::Passed)
    }

    /// Of the last step: what this socket was told, in short.
    fn heard(&self, socket: SocketNo) -> Vec<String> {
        let mut heard = Vec::new();
        for effect in &self.effects {
            match effect {
                Effect::Say {
                    socket: to,
                    message,
                } if *to == socket => heard.push(short(message)),
                Effect::Close { socket: to, code } if *to == socket => {
                    heard.push(format!("close {}", code.as_u16()));
                }
                _ => {}
            }
        }
        heard
    }

    /// Of the last step: what this agent got to see.
    fn saw(&self, seat: SeatNo) -> Vec<String> {
        let mut saw = Vec::new();
        for effect in &self.effects {
            match effect {
                Effect::Tell {
                    seat: to,
                    event: AgentEvent::Frame(bytes),
                } if *to == seat => saw.push(text(bytes)),
                Effect::Tell {
                    seat: to,
                    event: AgentEvent::Reset,
                } if *to == seat => saw.push("reset".into()),
                Effect::Show { seat: to, picture } if *to == seat => {
                    saw.extend(picture.iter().map(text));
                }
                _ => {}
            }
        }
        saw
    }

    fn audited(&self) -> Vec<(&'static str, bool, &'static str)> {
        let lines = self.effects.iter().filter_map(|effect| match effect {
            Effect::Audit(line) => Some((line.action, line.allowed, line.reason)),
            _ => None,
        });
        lines.collect()
    }

    fn ended(&self) -> Option<(EndReason, &'static str)> {
        self.effects.iter().find_map(|effect| match effect {
            Effect::End { reason, why } => Some((*reason, *why)),
            _ => None,
        })
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn short(message: &BackendMessage) -> String {
    let state = |state: &State| match state {
        State::Suspended(reason) => reason.as_str(),
        State::Waiting => "waiting",
        State::Live => "live",
    };
    match message {
        BackendMessage::Welcome(Welcome {
            page,
            state: stands,
            shown,
            watched,
            paused,
            agents,
            ..
        }) => {
            let mut words = vec![format!("welcome {page} {}", state(stands))];
            let flags = [(shown, "shown"), (watched, "watched"), (paused, "paused")];
            words.extend(
                flags
                    .into_iter()
                    .filter(|(flag, _)| **flag)
                    .map(|(_, word)| word.to_owned()),
            );
            words.push(format!("{}", agents.count));
            words.join(" ")
        }
        BackendMessage::State(stands) => state(stands).to_owned(),
        BackendMessage::Shown { shown } => format!("shown {shown}"),
        BackendMessage::Watch { watched } => format!("watch {watched}"),
        BackendMessage::Snapshot => "snapshot".into(),
        BackendMessage::Frame { frame, .. } => format!("frame {frame}"),
        BackendMessage::Agents(agents) => format!("agents {}", agents.count),
        BackendMessage::Message { name, .. } => format!("message {name}"),
        BackendMessage::Pointer { page, node, .. } => format!("pointer {page} {node}"),
        BackendMessage::Highlight { page, node, .. } => format!("highlight {page} {node}"),
        BackendMessage::ControlRequested { .. } => "control?".into(),
        BackendMessage::Control { enabled } => format!("control {enabled}"),
        BackendMessage::Refused { error } => format!("refused {}", error.code.as_str()),
        BackendMessage::Beat => "beat".into(),
        BackendMessage::Ended { reason, error } => {
            let code = error.as_ref().map_or("", |error| error.code.as_str());
            format!("ended {} {code}", reason.as_str())
        }
    }
}

mod agents;
mod course;
mod ledger;
mod recording;
mod tabs;
