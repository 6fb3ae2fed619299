use std::net::SocketAddr;

use cobrowse_edge::app::Edge;
use cobrowse_edge::backend::roster::Joined;
use cobrowse_edge::backend::session::{AgentEvent, Guest};
use cobrowse_edge::backend::{Backend, Realm};
use cobrowse_edge::config::{EdgeConfig, EmbeddedConfig, GrantsConfig, KeysSource, LogConfig};
use cobrowse_edge::groups::{GrantEpoch, SiteEnv};
use cobrowse_edge::rules::RuleSet;
use cobrowse_edge::telemetry::AccessLogFormat;
use http::Request;
use serde_json::{Value, json};

use crate::support::{
    Answer, Directory, ScriptedOrigin, Socket, TestEdge, Told, Visitor, config, soon,
};

pub(crate) const HOST: &str = "www.bank.example";
pub(crate) const ORIGIN: &str = "http://www.bank.example";
pub(crate) const SOCKET: &str = "/_cobrowse/session/socket";

/// A bank behind an edge with a backend.
pub(crate) struct House {
    pub(crate) edge: TestEdge,
    pub(crate) files: Directory,
    pub(crate) origin: ScriptedOrigin,
}

pub(crate) fn rules(origin: SocketAddr) -> String {
    format!(
        r##"
        version = 1
        [script]
        kind = "edge"
        url = "/_cobrowse/CobrowseJS.ashx?group={{group}}&site={{site}}"
        [[group]]
        id = 1
        masks = [".of-one"]
        button = {{ label = "Get help", color = "#0a5c36" }}
        [[group]]
        id = 2
        masks = [".of-two"]
        key = {{ digits = 6, allow_duplicates = true }}
        [[site]]
        hosts = ["www.bank.example", "shop.example"]
        origin = "http://{origin}"
        group = 1
        masks = ["#ssn"]
        [[site.rule]]
        name = "desk"
        path = "/desk/**"
        additional_groups = [2]
        masks = [".income"]
        [[site.rule]]
        name = "other"
        path = "/other"
        group = 2
        "##
    )
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut EdgeConfig)) -> Self {
        let origin = ScriptedOrigin::serving("<p>a page").await;
        let files = Directory::new();
        let mut config = settings(&files, &origin);
        change(&mut config);
        let edge = TestEdge::spawn_logging_to(files.log(), config).await;
        Self {
            edge,
            files,
            origin,
        }
    }

    /// As after a restart.
    pub(crate) async fn reopen(self) -> Self {
        self.reopen_with(|_| {}).await
    }

    pub(crate) async fn reopen_with(self, change: impl FnOnce(&mut EdgeConfig)) -> Self {
        let Self {
            edge,
            files,
            origin,
        } = self;
        edge.end().await;
        let mut settings = settings(&files, &origin);
        change(&mut settings);
        // The thread of the database of before may not have ended yet.
        let edge = loop {
            match Edge::start_logging_to(files.log(), settings.clone()).await {
                Ok(edge) => break TestEdge::run(edge),
                Err(error) => assert!(format!("{error:?}").contains("in use"), "{error:?}"),
            }
            // Whoever still holds it must get a turn to let go.
            tokio::task::yield_now().await;
        };
        Self {
            edge,
            files,
            origin,
        }
    }

    /// Other rules come into force.
    pub(crate) fn renew(&self, rules: &str) {
        let file = cobrowse_edge::problem::SourceFile {
            path: "rules.toml".into(),
            text: rules.to_owned(),
        };
        let loaded = RuleSet::compile(vec![file.into()], SiteEnv::Production).unwrap();
        self.backend().renew(Realm {
            rules: loaded.rules.into(),
            ..(*self.backend().realm()).clone()
        });
    }

    pub(crate) fn backend(&self) -> &Backend {
        self.edge.backend.as_ref().unwrap()
    }

    /// What the edge wrote onto the page.
    pub(crate) async fn grant(&self, path: &str) -> String {
        let request = Request::get(path)
            .header("host", HOST)
            .header("accept", "text/html");
        let page = self.ask(request, "").await.text();
        let (_, rest) = page
            .split_once("data-grant=\"")
            .unwrap_or_else(|| panic!("no grant: {page}"));
        rest.split('"').next().unwrap().to_owned()
    }

    pub(crate) async fn ask(&self, request: http::request::Builder, body: &str) -> Answer {
        let mut visitor = Visitor::http1(self.edge.http).await;
        visitor.send_with_body(request, body.to_owned()).await
    }

    /// A POST as the script makes it, from the site's own page.
    pub(crate) async fn post(&self, path: &str, body: &Value, cookie: &str) -> Answer {
        let request = Request::post(path)
            .header("host", HOST)
            .header("origin", ORIGIN)
            .header("cookie", cookie)
            .header("content-type", "application/json");
        self.ask(request, &body.to_string()).await
    }

    pub(crate) async fn start_with(&self, body: &Value) -> Answer {
        self.post("/_cobrowse/session/start", body, "").await
    }

    /// A session of group 1 on the page at `/`; its cookie.
    pub(crate) async fn start(&self) -> String {
        let grant = self.grant("/").await;
        let answer = self.start_with(&start_request(&grant, 1)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        cookie_of(&answer)
    }

    pub(crate) async fn connect(&self, cookie: &str) -> Socket {
        let lines = [
            &format!("Origin: {ORIGIN}")[..],
            "Sec-WebSocket-Protocol: cobrowse.v1",
            &format!("Cookie: {cookie}"),
        ];
        Socket::open(self.edge.http, HOST, SOCKET, &lines)
            .await
            .unwrap()
    }

    /// A page of the site that says hello; what it is told.
    pub(crate) async fn visit(&self, cookie: &str, tab: &str, path: &str) -> (Socket, Value) {
        let hello = self.hello(tab, path).await;
        let mut socket = self.connect(cookie).await;
        socket.say(&hello.to_string()).await;
        let welcome = hear(&mut socket).await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        (socket, welcome)
    }

    pub(crate) async fn hello(&self, tab: &str, path: &str) -> Value {
        let grant = self.grant(path).await;
        json!({
            "type": "hello", "version": 1, "grant": grant, "tab": tab,
            "page": { "url": format!("{ORIGIN}{path}?canary-in-query=1"), "width": 800, "height": 600 },
            "focused": true, "paused": false, "masksByAgent": false,
        })
    }

    /// An agent comes into the only session that there is.
    pub(crate) async fn join(&self, name: &str) -> Joined {
        let sessions = self.backend().roster().views();
        assert_eq!(sessions.len(), 1);
        let guest = Guest {
            name: name.to_owned(),
            display_name: name.to_uppercase(),
            role: None,
            views: true,
        };
        let joined = self.backend().roster().join(sessions[0].id, guest).await;
        joined.unwrap()
    }
}

fn settings(files: &Directory, origin: &ScriptedOrigin) -> EdgeConfig {
    let config = config(&rules(origin.address));
    let embedded = EmbeddedConfig::at(files.0.join("cobrowse.db"));
    EdgeConfig {
        grants: Some(GrantsConfig {
            keys: KeysSource::Kept(embedded.grant_keys()),
            epoch: GrantEpoch::default(),
        }),
        embedded: Some(embedded),
        log: LogConfig {
            access: Some(AccessLogFormat::Json),
            ..config.log
        },
        ..config
    }
}

pub(crate) fn start_request(grant: &str, group: u32) -> Value {
    json!({
        "version": 1, "grant": grant, "group": group, "site": "production",
        "url": format!("{ORIGIN}/"), "visitor": { "name": "Zoë" }, "storage": { "kind": "normal" },
    })
}

/// A grant with another last letter, which still spells bytes as Base64 has to.
pub(crate) fn forged(grant: &str) -> String {
    let (signed, last) = grant.split_at(grant.len() - 1);
    format!("{signed}{}", if last == "A" { "Q" } else { "A" })
}

/// The token that was set, as the browser sends it back.
pub(crate) fn cookie_of(answer: &Answer) -> String {
    let lines = answer.headers.get_all("set-cookie").into_iter();
    let lines = lines.map(|line| line.to_str().unwrap());
    let mut kept = lines.filter(|line| !line.contains("Max-Age=0"));
    kept.next_back()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned()
}

/// The next message.
pub(crate) async fn hear(socket: &mut Socket) -> Value {
    match socket.next().await {
        Told::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Everything up to the first message of this type, that one included.
pub(crate) async fn hear_until(socket: &mut Socket, kind: &str) -> Vec<Value> {
    let mut heard = Vec::new();
    loop {
        let message = hear(socket).await;
        let found = message["type"] == kind;
        heard.push(message);
        if found {
            return heard;
        }
    }
}

/// With which code the socket is closed.
pub(crate) async fn closed(socket: &mut Socket) -> Option<u16> {
    loop {
        match socket.next().await {
            Told::Close(code) => {
                if let Some(code) = code {
                    socket.close(code).await;
                }
                return code;
            }
            Told::Gone => return None,
            Told::Text(_) | Told::Binary(_) => {}
        }
    }
}

/// A frame as the recorder's side of the script packs it.
pub(crate) fn frame(kind: u8, page: u32, sequence: u64, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind];
    frame.extend(page.to_be_bytes());
    frame.extend(sequence.to_be_bytes());
    frame.extend(body);
    frame
}

/// The next frame that an agent gets.
pub(crate) async fn seen(agent: &mut Joined) -> Vec<u8> {
    loop {
        match soon(agent.feed.next()).await.unwrap() {
            AgentEvent::Frame(frame) => return frame.to_vec(),
            AgentEvent::Reset => return b"reset".to_vec(),
            _ => {}
        }
    }
}
