use std::net::SocketAddr;

use cobrowse_edge::backend::access::hash_password;
use cobrowse_edge::backend::store::{AgentName, AuditLine, Database, Rights};
use cobrowse_edge::config::{AgentsConfig, EdgeConfig};
use cobrowse_edge::groups::GroupId;
use http::Request;
use serde_json::{Value, json};

use crate::backend::house::{House, frame, hear};
use crate::support::{Answer, Socket, Told, Visitor, eventually, soon};

pub(super) const PASSWORD: &str = "correct horse battery";

pub(super) const ALL: Rights = Rights::ALL;
pub(super) const VIEW: Rights = rights(true, false, false);
pub(super) const POINT: Rights = rights(false, true, false);
pub(super) const END: Rights = rights(false, false, true);

pub(super) const fn rights(view: bool, point: bool, end: bool) -> Rights {
    Rights { view, point, end }
}

/// A bank with a backend, agents, and their listener.
pub(super) struct Office {
    pub(super) house: House,
    pub(super) address: SocketAddr,
}

/// An agent's browser, logged in.
#[derive(Clone)]
pub(super) struct Browser {
    pub(super) address: SocketAddr,
    pub(super) cookie: String,
}

/// A visitor's page with a session.
pub(super) struct Page {
    pub(super) socket: Socket,
    pub(super) page: u32,
    pub(super) cookie: String,
}

impl Office {
    /// With agents and their rights in groups 1 and 2.
    pub(super) async fn open(agents: &[(&str, Rights, Rights)]) -> Self {
        Self::open_with(agents, |_| {}).await
    }

    pub(super) async fn open_with(
        agents: &[(&str, Rights, Rights)],
        change: impl FnOnce(&mut EdgeConfig),
    ) -> Self {
        let house = House::open_with(|config| {
            with_console(config);
            change(config);
            let database = &config.embedded.as_ref().unwrap().database;
            add_agents(&mut Database::open(database).unwrap(), agents);
        });
        let house = house.await;
        let address = house.edge.agents.unwrap();
        Self { house, address }
    }

    /// As after a restart.
    pub(super) async fn reopen(self) -> Self {
        let house = self.house.reopen_with(with_console).await;
        let address = house.edge.agents.unwrap();
        Self { house, address }
    }

    /// As another process has it.
    pub(super) fn database(&self) -> Database {
        Database::open(&self.house.files.0.join("cobrowse.db")).unwrap()
    }

    pub(super) fn set_rights(&self, name: &str, number: i64, rights: Rights) {
        set_rights(&mut self.database(), &name.parse().unwrap(), number, rights);
    }

    pub(super) fn audited(&self) -> Vec<AuditLine> {
        self.database().audit_lines(10_000).unwrap()
    }

    pub(super) async fn login(&self, name: &str) -> Browser {
        let answer = login(self.address, name, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.header("set-cookie").split(';').next().unwrap();
        Browser {
            address: self.address,
            cookie: cookie.to_owned(),
        }
    }

    /// A session of a group, on a page that allows it, with its page shown.
    pub(super) async fn visitor(&self, number: u32) -> Page {
        let path = match number {
            1 => "/",
            _ => "/desk/x",
        };
        let grant = self.house.grant(path).await;
        let request = crate::backend::house::start_request(&grant, number);
        let answer = self.house.start_with(&request).await;
        let cookie = crate::backend::house::cookie_of(&answer);
        let (socket, welcome) = self.house.visit(&cookie, "tab", path).await;
        let page = u32::try_from(welcome["page"].as_u64().unwrap()).unwrap();
        Page {
            socket,
            page,
            cookie,
        }
    }

    /// Ends a session, if it goes on, and waits until it is gone: it might be taken for the next one.
    pub(super) async fn end(&self, page: Page, session: &str) {
        let body = json!({ "reason": "visitor" });
        let path = "/_cobrowse/session/end";
        self.house.post(path, &body, &page.cookie).await;
        let (id, roster) = (session.parse().unwrap(), self.house.backend().roster());
        eventually("the session ends", async || roster.find(id).is_none()).await;
    }

    /// The public name of the newest session of a group, and its key.
    pub(super) fn session(&self, number: i64) -> (String, String) {
        let views = self.house.backend().roster().views();
        let group = GroupId::new(number).unwrap();
        let facts = views.iter().find(|facts| facts.group == group).unwrap();
        (facts.id.to_string(), facts.key.clone())
    }
}

fn add_agents(database: &mut Database, agents: &[(&str, Rights, Rights)]) {
    let hash = hash_password(PASSWORD).unwrap();
    for (name, one, two) in agents {
        let name: AgentName = name.parse().unwrap();
        let display_name = name.to_string().to_uppercase();
        let added = database.add_agent(&name, &display_name, None, &hash, 1);
        added.unwrap();
        for (number, rights) in [(1, *one), (2, *two)] {
            set_rights(database, &name, number, rights);
        }
    }
}

fn with_console(config: &mut EdgeConfig) {
    config.agents = Some(AgentsConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..AgentsConfig::on_loopback()
    });
}

fn set_rights(database: &mut Database, name: &AgentName, number: i64, rights: Rights) {
    let group = GroupId::new(number).unwrap();
    database.change_rights(name, group, |_| rights).unwrap();
}

pub(super) async fn login(address: SocketAddr, name: &str, password: &str) -> Answer {
    login_for(address, "", name, password).await
}

/// By way of a proxy that says for whom it asks.
pub(super) async fn login_for(
    address: SocketAddr,
    agent: &str,
    name: &str,
    password: &str,
) -> Answer {
    let body = json!({ "name": name, "password": password }).to_string();
    let request = Request::post("/api/login")
        .header("x-forwarded-for", agent)
        .header("host", address.to_string())
        .header("origin", format!("http://{address}"))
        .header("content-type", "application/json");
    Visitor::http1(address)
        .await
        .send_with_body(request, body)
        .await
}

impl Browser {
    pub(super) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path)
            .header("host", self.address.to_string())
            .header("cookie", &self.cookie);
        Visitor::http1(self.address).await.send(request).await
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header("host", self.address.to_string())
            .header("origin", format!("http://{}", self.address))
            .header("content-type", "application/json")
            .header("cookie", &self.cookie);
        let body = body.to_owned();
        Visitor::http1(self.address)
            .await
            .send_with_body(request, body)
            .await
    }

    pub(super) async fn desk(&self) -> Socket {
        self.socket("/api/desk").await
    }

    pub(super) async fn socket(&self, path: &str) -> Socket {
        let lines = [
            &format!("Origin: http://{}", self.address)[..],
            "Sec-WebSocket-Protocol: cobrowse-agent.v1",
            &format!("Cookie: {}", self.cookie),
        ];
        let host = self.address.to_string();
        let opened = Socket::open(self.address, &host, path, &lines).await;
        opened.unwrap_or_else(|status| panic!("{status}"))
    }

    /// Asks for a session; what is answered.
    pub(super) async fn ask(&self, join: &Value) -> (Socket, Value) {
        let mut socket = self.socket("/api/session").await;
        let mut join = join.clone();
        join["type"] = json!("join");
        socket.say(&join.to_string()).await;
        let answer = hear(&mut socket).await;
        (socket, answer)
    }

    pub(super) async fn join(&self, session: &str) -> Socket {
        let (socket, answer) = self.ask(&json!({ "session": session })).await;
        assert_eq!(answer["type"], "joined", "{answer}");
        socket
    }
}

impl Page {
    /// Sends a snapshot as soon as somebody watches.
    pub(super) async fn show(&mut self, sequence: u64, picture: &[u8]) {
        let frame = frame(2, self.page, sequence, picture);
        self.socket.send_binary(&frame).await;
    }

    /// Hears until a message of this type comes.
    pub(super) async fn hears(&mut self, kind: &str) -> Value {
        hears(&mut self.socket, kind).await
    }
}

/// The next message of this type; whatever else comes before is left out.
pub(super) async fn hears(socket: &mut Socket, kind: &str) -> Value {
    let hearing = async {
        loop {
            match socket.next().await {
                Told::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == kind {
                        return message;
                    }
                }
                Told::Binary(_) => {}
                other => panic!("{kind} was waited for, and this came: {other:?}"),
            }
        }
    };
    soon(hearing).await
}

/// The next frame that is shown.
pub(super) async fn sees(socket: &mut Socket) -> Vec<u8> {
    let seeing = async {
        loop {
            match socket.next().await {
                Told::Binary(frame) => return frame[13..].to_vec(),
                Told::Text(_) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    soon(seeing).await
}
