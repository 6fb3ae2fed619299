//! Several origins: who is asked, who is left alone, what goes to another.

use super::origin::Step::{self, AwaitClose, Read, Send};
use super::*;

const FIRST: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst");
const SECOND: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecond");
const UNAVAILABLE: Step = Send("HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno");
const SECOND_ALWAYS: &[&[Step]] = &[&[Read, SECOND]];

/// Left alone after 2 failures, for a second.
fn quick_to_judge() -> Config {
    Config {
        ejection: Ejection {
            after: 2,
            time: Duration::from_secs(1),
            time_max: Duration::from_secs(1),
        },
        ..config()
    }
}

fn clients(ports: &[u16], config: &Config) -> Vec<Client> {
    let client = |port: &u16| Client::new(&target(*port), config.clone()).unwrap();
    ports.iter().map(client).collect()
}

fn in_turn(ports: &[u16]) -> Origins {
    let policy = Policy {
        balance: Balance::RoundRobin,
        ..Policy::default()
    };
    Origins::new(clients(ports, &quick_to_judge()), policy)
}

/// A port that nobody listens on.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn states(origins: &Origins) -> Vec<&'static str> {
    let status = origins.status();
    status.iter().map(|origin| origin.state).collect()
}

async fn fetch_all(origins: &Origins, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(fetch_and_settle(origins, get("/")).await);
    }
    texts
}

#[tokio::test]
async fn each_is_asked_in_turn() {
    let one = Origin::start(&[&[Read, FIRST, Read, FIRST, Read, FIRST]]).await;
    let other = Origin::start(&[&[Read, SECOND, Read, SECOND, Read, SECOND]]).await;
    let origins = in_turn(&[one.port, other.port]);
    let texts = fetch_all(&origins, 6).await;
    assert_eq!(
        texts,
        ["first", "second", "first", "second", "first", "second"]
    );
}

#[tokio::test]
async fn of_two_the_one_with_less_to_do_is_asked() {
    let one = Origin::start(&[&[Read, AwaitClose], &[Read, FIRST]]).await;
    let other = Origin::start(&[&[Read, AwaitClose], &[Read, SECOND]]).await;
    let origins = Origins::new(
        clients(&[one.port, other.port], &config()),
        Policy::default(),
    );
    let waiting = tokio::spawn({
        let origins = origins.clone();
        async move { fetch(&origins, get("/slow")).await }
    });
    while origins.status().iter().all(|origin| origin.in_flight == 0) {
        tokio::task::yield_now().await;
    }
    let busy = origins
        .status()
        .iter()
        .position(|origin| origin.in_flight > 0);
    let idle = [&other, &one][busy.unwrap()];
    let call = tokio::time::timeout(BRIEFLY * 5, origins.call(get("/next"), b""));
    assert!(call.await.is_err(), "nobody answers");
    assert_eq!(idle.lines(), ["GET /next"]);
    waiting.abort();
}

#[tokio::test]
async fn a_visitor_always_gets_the_same_one() {
    let one = Origin::start(&[&[Read, FIRST]]).await;
    let other = Origin::start(&[&[Read, SECOND]]).await;
    let policy = Policy {
        balance: Balance::Hash(HashOn::Address),
        ..Policy::default()
    };
    let origins = Origins::new(clients(&[one.port, other.port], &config()), policy);
    let ask = async |visitor: &[u8]| text(origins.call(get("/"), visitor).await.unwrap()).await;
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..20 {
        let visitor = format!("192.0.2.{number}");
        let first = ask(visitor.as_bytes()).await.unwrap();
        for _ in 0..3 {
            assert_eq!(ask(visitor.as_bytes()).await.unwrap(), first);
        }
        seen.insert(first);
    }
    assert_eq!(seen.len(), 2, "all visitors share one origin");
}

#[tokio::test]
async fn what_nobody_took_goes_to_another_whatever_it_is() {
    let other = Origin::start(SECOND_ALWAYS).await;
    let origins = in_turn(&[closed_port(), other.port]);
    assert_eq!(fetch(&origins, post("/1")).await.unwrap(), "second");
    assert_eq!(fetch(&origins, get("/2")).await.unwrap(), "second");
    assert_eq!(fetch(&origins, post("/3")).await.unwrap(), "second");
    assert_eq!(states(&origins), ["down", "up"]);
    assert_eq!(origins.retries(), 0, "nothing was sent twice");
}

#[tokio::test]
async fn what_one_closed_on_is_sent_to_another_if_it_changes_nothing() {
    let one = Origin::start(&[&[Read]]).await;
    let other = Origin::start(SECOND_ALWAYS).await;
    let origins = in_turn(&[one.port, other.port]);
    assert_eq!(fetch(&origins, get("/1")).await.unwrap(), "second");
    assert_eq!(origins.retries(), 1);
    fetch(&origins, get("/2")).await.unwrap();
    // The first one's turn.
    assert_eq!(failure(&origins, post("/3")).await, "closed");
    assert_eq!(one.lines(), ["GET /1", "POST /3"]);
    assert_eq!(other.lines(), ["GET /1", "GET /2"]);
}

#[tokio::test]
async fn nothing_is_sent_three_times() {
    let first = Origin::start(&[&[Read]]).await;
    let second = Origin::start(&[&[Read]]).await;
    let third = Origin::start(&[&[Read]]).await;
    let origins = in_turn(&[first.port, second.port, third.port]);
    assert_eq!(failure(&origins, get("/1")).await, "closed");
    let asked = [&first, &second, &third].map(|origin| origin.lines().len());
    assert_eq!(asked.iter().sum::<usize>(), 2, "{asked:?}");
}

#[tokio::test]
async fn without_a_budget_nothing_is_sent_again() {
    let one = Origin::start(&[&[Read]]).await;
    let other = Origin::start(SECOND_ALWAYS).await;
    let policy = Policy {
        balance: Balance::RoundRobin,
        retry: RetryConfig {
            percent: 0,
            floor: 0,
        },
        ..Policy::default()
    };
    let origins = Origins::new(clients(&[one.port, other.port], &config()), policy);
    assert_eq!(failure(&origins, get("/1")).await, "closed");
    assert!(other.lines().is_empty());
}

#[tokio::test]
async fn one_that_does_not_serve_is_left_alone_and_comes_back() {
    let one = Origin::start(&[&[Read, UNAVAILABLE], &[Read, UNAVAILABLE], &[Read, FIRST]]).await;
    let other = Origin::start(SECOND_ALWAYS).await;
    let origins = in_turn(&[one.port, other.port]);
    assert_eq!(
        fetch_all(&origins, 4).await,
        ["no", "second", "no", "second"]
    );
    assert_eq!(states(&origins), ["left alone", "up"]);
    assert_eq!(fetch_all(&origins, 4).await, ["second"; 4]);
    let_pass(Duration::from_secs(1)).await;
    assert_eq!(fetch_all(&origins, 2).await, ["first", "second"]);
    assert_eq!(states(&origins), ["up", "up"]);
    assert_eq!(origins.status()[0].ejections, 1);
}

#[tokio::test]
async fn when_none_serves_all_are_asked() {
    let one = Origin::start(&[&[Read, UNAVAILABLE]]).await;
    let other = Origin::start(&[&[Read, UNAVAILABLE]]).await;
    let origins = in_turn(&[one.port, other.port]);
    assert_eq!(fetch_all(&origins, 8).await, ["no"; 8]);
    assert_eq!(states(&origins), ["left alone"; 2]);
    assert!(one.lines().len() > 2 && other.lines().len() > 2);
}

#[tokio::test]
async fn one_origin_that_is_down_costs_no_time_until_it_may_be_back() {
    let port = closed_port();
    let origins = origins_at(&target(port), quick_to_judge());
    for kind in ["refused", "refused", "origin_down", "origin_down"] {
        assert_eq!(failure(&origins, get("/")).await, kind);
    }
    let error = fetch(&origins, get("/")).await.unwrap_err();
    assert!(error.retry_after().unwrap() <= Duration::from_secs(1));
    let_pass(Duration::from_secs(1)).await;
    assert_eq!(failure(&origins, get("/")).await, "refused", "it is tried");
    assert_eq!(failure(&origins, get("/")).await, "origin_down");
    let_pass(Duration::from_secs(1)).await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .unwrap();
    let (answer, _) = tokio::join!(fetch(&origins, get("/")), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await
    });
    assert_eq!(answer.unwrap(), "ok");
    assert_eq!(states(&origins), ["up"]);
}

/// Whatever a sole origin answers is the site's own answer.
#[tokio::test]
async fn one_origin_that_answers_503_is_asked_all_the_same() {
    let one = Origin::start(&[&[Read, UNAVAILABLE]]).await;
    let origins = origins_at(&target(one.port), quick_to_judge());
    assert_eq!(fetch_all(&origins, 6).await, ["no"; 6]);
    assert_eq!(one.lines().len(), 6);
    assert_eq!(states(&origins), ["up"]);
}

#[tokio::test]
async fn a_visitor_who_leaves_during_a_trial_leaves_it_to_the_next() {
    let one = Origin::start(&[&[Read, AwaitClose], &[Read, FIRST]]).await;
    let origins = origins_at(&target(one.port), quick_to_judge());
    // Nobody was there; by the time of the trial somebody is.
    for _ in 0..2 {
        origins.fail_for_test(0);
    }
    assert_eq!(states(&origins), ["down"]);
    let_pass(Duration::from_secs(1)).await;
    let call = tokio::time::timeout(BRIEFLY, origins.call(get("/1"), b""));
    assert!(call.await.is_err());
    assert_eq!(fetch(&origins, get("/2")).await.unwrap(), "first");
}

/// Asks a page that does not come, until the origin has had so many requests.
async fn ask_slow_page(
    origins: &Origins,
    one: &Origin,
    requests: usize,
) -> tokio::task::JoinHandle<Result<String, UpstreamError>> {
    let asking = tokio::spawn({
        let origins = origins.clone();
        async move { fetch(&origins, get("/slow")).await }
    });
    while one.lines().len() < requests {
        tokio::task::yield_now().await;
    }
    asking
}

/// Somebody is there again: what remains to be seen is how well it answers, and how long that takes
/// is up to one visitor.
#[tokio::test]
async fn a_slow_page_that_is_the_trial_keeps_nobody_out() {
    let one = Origin::start(&[&[Read, AwaitClose], &[Read, FIRST]]).await;
    let origins = origins_at(&target(one.port), quick_to_judge());
    for _ in 0..2 {
        origins.fail_for_test(0);
    }
    let_pass(Duration::from_secs(1)).await;
    let slow = ask_slow_page(&origins, &one, 1).await;
    assert_eq!(fetch(&origins, get("/1")).await.unwrap(), "first");
    assert_eq!(states(&origins), ["up"]);
    slow.abort();
}

#[tokio::test]
async fn a_slow_page_on_a_connection_that_was_kept_keeps_nobody_out() {
    let one = Origin::start(&[&[Read, FIRST, Read, AwaitClose], &[Read, FIRST]]).await;
    let origins = origins_at(&target(one.port), quick_to_judge());
    fetch_and_settle(&origins, get("/0")).await;
    for _ in 0..2 {
        origins.fail_for_test(0);
    }
    let_pass(Duration::from_secs(1)).await;
    let slow = ask_slow_page(&origins, &one, 2).await;
    assert_eq!(fetch(&origins, get("/1")).await.unwrap(), "first");
    slow.abort();
}
