//! Names of origins, and what becomes of connections when they change.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use tokio::sync::watch;
use tokio::time::timeout;

use super::origin::Step::{self, AwaitClose, AwaitGo, Read, Send};
use super::*;
use crate::upstream::resolver::Lookup;

const OLD: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nold");
const NEW: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnew");

/// What names say, and how often they were asked.
#[derive(Clone, Default)]
struct Names {
    addresses: Arc<Mutex<Vec<SocketAddr>>>,
    asked: watch::Sender<usize>,
    /// Whether they do not answer.
    silent: watch::Sender<bool>,
}

impl Names {
    fn of(ports: &[u16]) -> Self {
        let names = Self::default();
        names.say(ports);
        names
    }

    fn say(&self, ports: &[u16]) {
        let address = |port: &u16| SocketAddr::from(([127, 0, 0, 1], *port));
        *self.addresses.lock().unwrap() = ports.iter().map(address).collect();
    }

    fn asked(&self) -> usize {
        *self.asked.borrow()
    }

    /// Waits until they were asked so many times more, and that was heeded.
    async fn asked_again(&self, count: usize) {
        let mut asked = self.asked.subscribe();
        let until = *asked.borrow() + count;
        let reached = timeout(PATIENCE, asked.wait_for(|asked| *asked >= until));
        reached.await.expect("they are asked in time").unwrap();
        let_tasks_run().await;
    }

    fn lookup(&self) -> Lookup {
        let names = self.clone();
        Box::new(move |host, _| {
            assert_eq!(host, "origin.bank.example");
            names.asked.send_modify(|asked| *asked += 1);
            let names = names.clone();
            Box::pin(async move {
                let mut silent = names.silent.subscribe();
                silent.wait_for(|is_silent| !is_silent).await.unwrap();
                let found = names.addresses.lock().unwrap().clone();
                Ok(found)
            })
        })
    }

    fn origins(&self, resolve_interval: Duration) -> Origins {
        let mut target = target(1);
        target.host = "origin.bank.example".to_owned();
        let config = Config {
            resolve_interval,
            ..config()
        };
        let client = Client::with_lookup(&target, config, self.lookup());
        client.unwrap().into()
    }
}

const OFTEN: Duration = Duration::from_millis(5);

fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn the_addresses_of_a_name_are_tried_in_turn() {
    let origin = Origin::start(&[&[Read, NEW]]).await;
    let names = Names::of(&[closed_port(), closed_port(), origin.port]);
    let origins = names.origins(PATIENCE);
    assert_eq!(fetch(&origins, post("/")).await.unwrap(), "new");
    assert_eq!(origins.status()[0].state, "up");
}

#[tokio::test]
async fn a_name_is_not_asked_for_every_connection() {
    let origin = Origin::start(&[&[Read, NEW]]).await;
    let names = Names::of(&[origin.port]);
    let origins = names.origins(PATIENCE / 2);
    for _ in 0..5 {
        fetch(&origins, get("/")).await.unwrap();
    }
    assert_eq!(names.asked(), 1);
    let_pass(PATIENCE / 2).await;
    fetch(&origins, get("/")).await.unwrap();
    assert_eq!(names.asked(), 2);
}

#[tokio::test]
async fn a_name_none_of_whose_addresses_answers_is_asked_at_once() {
    let origin = Origin::start(&[&[Read, NEW]]).await;
    let names = Names::of(&[closed_port()]);
    let origins = names.origins(PATIENCE);
    assert_eq!(failure(&origins, get("/")).await, "refused");
    names.say(&[origin.port]);
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "new");
}

#[tokio::test]
async fn connections_to_addresses_of_the_past_are_let_go() {
    let mut old = Origin::start(&[&[Read, OLD, AwaitClose]]).await;
    let new = Origin::start(&[&[Read, NEW, Read, NEW]]).await;
    let names = Names::of(&[old.port]);
    let origins = names.origins(OFTEN);
    origins.watch();
    assert_eq!(fetch_and_settle(&origins, get("/")).await, "old");
    names.asked_again(2).await;
    assert_eq!(origins_kept(&origins), 1, "the name says the same");
    names.say(&[new.port]);
    old.done().await;
    assert_eq!(fetch_and_settle(&origins, get("/")).await, "new");
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "new");
    assert_eq!((old.connections(), new.connections()), (1, 1));
}

#[tokio::test]
async fn an_exchange_with_an_address_of_the_past_ends_as_it_would() {
    const HALF: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf");
    let old = Origin::start(&[&[Read, HALF, AwaitGo, Send("half"), AwaitGo]]).await;
    let new = Origin::start(&[&[Read, NEW]]).await;
    let names = Names::of(&[old.port]);
    let origins = names.origins(OFTEN);
    origins.watch();
    let mut body = origins.call(get("/"), b"").await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    names.say(&[new.port]);
    names.asked_again(2).await;
    old.go().await;
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "half"
    );
    let_tasks_run().await;
    assert_eq!(origins_kept(&origins), 0, "it is not kept");
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "new");
}

#[tokio::test]
async fn names_that_say_nothing_change_nothing() {
    let origin = Origin::start(&[&[Read, OLD, Read, OLD]]).await;
    let names = Names::of(&[origin.port]);
    let origins = names.origins(OFTEN);
    origins.watch();
    fetch_and_settle(&origins, get("/")).await;
    names.say(&[]);
    names.asked_again(2).await;
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "old");
    assert_eq!(origin.connections(), 1);
    let nowhere = Names::default().origins(OFTEN);
    assert_eq!(failure(&nowhere, get("/")).await, "dns");
}

#[tokio::test]
async fn names_that_do_not_answer_hold_nobody_up() {
    let origin = Origin::start(&[&[Read, OLD]]).await;
    let names = Names::of(&[origin.port]);
    let origins = names.origins(PATIENCE / 2);
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "old");
    names.silent.send_replace(true);
    let_pass(PATIENCE / 2).await;
    for _ in 0..6 {
        assert_eq!(fetch(&origins, post("/")).await.unwrap(), "old");
        let_tasks_run().await;
    }
    assert_eq!(names.asked(), 2, "once more, not for each connection");
    assert_eq!(origins.status()[0].state, "up");
}

#[tokio::test]
async fn what_names_say_too_late_for_one_is_known_to_the_next() {
    let origin = Origin::start(&[&[Read, NEW]]).await;
    let names = Names::of(&[origin.port]);
    names.silent.send_replace(true);
    let origins = names.origins(PATIENCE * 3);
    let asking = tokio::spawn({
        let origins = origins.clone();
        async move { failure(&origins, get("/1")).await }
    });
    while names.asked() == 0 {
        tokio::task::yield_now().await;
    }
    let_pass(PATIENCE).await;
    assert_eq!(asking.await.unwrap(), "connect_timeout");
    names.silent.send_replace(false);
    assert_eq!(fetch(&origins, get("/2")).await.unwrap(), "new");
    assert_eq!(names.asked(), 1);
}

/// Where nobody was, somebody may be again.
#[tokio::test]
async fn names_in_doubt_have_some_of_the_time_that_a_connection_has() {
    let names = Names::of(&[closed_port()]);
    let origins = names.origins(PATIENCE * 3);
    assert_eq!(failure(&origins, get("/")).await, "refused");
    names.silent.send_replace(true);
    let asking = tokio::spawn({
        let origins = origins.clone();
        async move { failure(&origins, get("/")).await }
    });
    while names.asked() < 2 {
        tokio::task::yield_now().await;
    }
    let_tasks_run().await;
    assert!(!asking.is_finished(), "they are waited for");
    let_pass(PATIENCE / 2).await;
    assert_eq!(asking.await.unwrap(), "refused");
}

#[tokio::test]
async fn names_that_fail_are_not_asked_for_every_connection() {
    let origin = Origin::start(&[&[Read, OLD]]).await;
    let names = Names::of(&[origin.port]);
    let origins = names.origins(PATIENCE / 2);
    fetch(&origins, get("/")).await.unwrap();
    names.say(&[]);
    let_pass(PATIENCE / 2).await;
    for _ in 0..5 {
        assert_eq!(fetch(&origins, post("/")).await.unwrap(), "old");
        let_tasks_run().await;
    }
    assert_eq!(names.asked(), 2);
}

/// The pool may have heard of the addresses before that.
#[tokio::test]
async fn connections_to_where_a_name_leads_by_now_are_kept_at_once() {
    let origin = Origin::start(&[&[Read, NEW, AwaitClose]]).await;
    let names = Names::of(&[closed_port()]);
    let origins = names.origins(PATIENCE);
    origins.watch();
    let_tasks_run().await;
    let_pass(PATIENCE).await;
    while names.asked() == 0 {
        tokio::task::yield_now().await;
    }
    let_tasks_run().await;
    assert_eq!(failure(&origins, get("/")).await, "refused");
    names.say(&[origin.port]);
    assert_eq!(fetch_and_settle(&origins, get("/")).await, "new");
    assert_eq!(origins_kept(&origins), 1);
}

fn origins_kept(origins: &Origins) -> usize {
    origins.status()[0].kept
}
