//! How much an origin has to do at once, and who waits for it.

use http_body_util::BodyExt;

use super::origin::Step::{self, AwaitClose, AwaitGo, Echo, Read, Send};
use super::*;

const OK: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
const SLOW: &[Step] = &[Read, AwaitGo, OK, Read, OK, Read, OK];
const SWITCH: Step =
    Send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");

/// One exchange at once, and so many that wait.
fn one_at_once(origin: &Origin, length_max: usize, timeout: Duration) -> Origins {
    let config = Config {
        in_flight_max: Some(1),
        ..config()
    };
    limited(origin, config, length_max, timeout)
}

fn limited(origin: &Origin, config: Config, length_max: usize, timeout: Duration) -> Origins {
    let client = Client::new(&target(origin.port), config).unwrap();
    let queue = QueueConfig {
        length_max,
        timeout,
    };
    let policy = Policy {
        queue,
        ..Policy::default()
    };
    Origins::new(vec![client], policy)
}

type Asking = tokio::task::JoinHandle<Result<String, UpstreamError>>;

/// Asks, and waits until that is known.
async fn ask(origins: &Origins, path: &'static str) -> Asking {
    let (before, asking) = (origins.waiting(), origins.clone());
    let idle = origins.status()[0].in_flight == 0;
    let asking = tokio::spawn(async move { fetch(&asking, get(path)).await });
    while match idle {
        true => origins.status()[0].in_flight == 0,
        false => origins.waiting() == before,
    } {
        tokio::task::yield_now().await;
    }
    asking
}

#[tokio::test]
async fn who_comes_first_is_served_first() {
    let origin = Origin::start(&[SLOW]).await;
    let origins = one_at_once(&origin, 2, PATIENCE);
    let first = ask(&origins, "/1").await;
    let second = ask(&origins, "/2").await;
    let third = ask(&origins, "/3").await;
    assert_eq!(failure(&origins, get("/4")).await, "queue_full");
    origin.go().await;
    for asking in [first, second, third] {
        assert_eq!(asking.await.unwrap().unwrap(), "ok");
    }
    assert_eq!(origin.lines(), ["GET /1", "GET /2", "GET /3"]);
    assert_eq!((origins.waiting(), origins.status()[0].in_flight), (0, 0));
}

#[tokio::test]
async fn who_waits_too_long_is_told_to_come_again() {
    let origin = Origin::start(&[SLOW]).await;
    let origins = one_at_once(&origin, 5, PATIENCE / 2);
    let first = ask(&origins, "/1").await;
    let second = ask(&origins, "/2").await;
    let_pass(PATIENCE / 2).await;
    let error = second.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), "queue_timeout");
    assert!(error.retry_after().is_some());
    assert_eq!(origins.waiting(), 0);
    origin.go().await;
    assert_eq!(first.await.unwrap().unwrap(), "ok");
}

#[tokio::test]
async fn who_leaves_the_queue_holds_nobody_up() {
    let origin = Origin::start(&[SLOW]).await;
    let origins = one_at_once(&origin, 5, PATIENCE);
    let first = ask(&origins, "/1").await;
    let second = ask(&origins, "/2").await;
    let third = ask(&origins, "/3").await;
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    origin.go().await;
    assert_eq!(first.await.unwrap().unwrap(), "ok");
    assert_eq!(third.await.unwrap().unwrap(), "ok");
    assert_eq!(origin.lines(), ["GET /1", "GET /3"]);
}

/// The exchange lasts until its answer was read.
#[tokio::test]
async fn an_answer_that_is_read_slowly_is_in_flight() {
    const HALF: Step = Send("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf");
    let origin = Origin::start(&[&[Read, HALF, AwaitGo, Send("half"), Read, OK]]).await;
    let origins = one_at_once(&origin, 0, PATIENCE);
    let mut body = origins.call(get("/1"), b"").await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(failure(&origins, get("/2")).await, "queue_full");
    origin.go().await;
    body.frame().await.unwrap().unwrap();
    let_tasks_run().await;
    assert_eq!(fetch(&origins, get("/3")).await.unwrap(), "ok");
}

#[tokio::test]
async fn a_tunnel_is_in_flight_until_it_ends() {
    let origin = Origin::start(&[&[Read, SWITCH, Echo], &[Read, OK]]).await;
    let config = Config {
        connections_max: Some(1),
        ..config()
    };
    let origins = limited(&origin, config, 1, PATIENCE);
    let mut upgrade = get("/socket");
    let headers = upgrade.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", "websocket".parse().unwrap());
    let mut response = origins.call(upgrade, b"").await.unwrap();
    let tunnel = hyper::upgrade::on(&mut response).await.unwrap();
    drop(response);
    let_tasks_run().await;
    assert_eq!(origins.status()[0].in_flight, 1);
    let waiting = ask(&origins, "/1").await;
    drop(tunnel);
    assert_eq!(waiting.await.unwrap().unwrap(), "ok");
}

#[tokio::test]
async fn no_more_connections_are_open_than_may_be() {
    let origin = Origin::start(&[&[Read, OK, Read, OK, AwaitClose]]).await;
    let config = Config {
        connections_max: Some(1),
        ..config()
    };
    let origins = limited(&origin, config, 9, PATIENCE);
    let asking = (0..2).map(|_| {
        let origins = origins.clone();
        tokio::spawn(async move { fetch(&origins, get("/")).await })
    });
    for asking in asking.collect::<Vec<_>>() {
        assert_eq!(asking.await.unwrap().unwrap(), "ok");
    }
    assert_eq!(origin.connections(), 1);
}

/// Which must not be waited for by asking again and again.
#[tokio::test]
async fn who_waits_for_one_origin_does_not_spin_on_another_that_is_down() {
    let origin = Origin::start(&[SLOW]).await;
    let config = Config {
        in_flight_max: Some(1),
        ..config()
    };
    let client = |port| Client::new(&target(port), config.clone()).unwrap();
    let policy = Policy {
        balance: Balance::RoundRobin,
        ..Policy::default()
    };
    let origins = Origins::new(vec![client(origin.port), client(1)], policy);
    for _ in 0..5 {
        origins.fail_for_test(1);
    }
    assert_eq!(origins.status()[1].state, "down");
    let first = ask(&origins, "/1").await;
    let waiting = origins.clone();
    let mut second = Box::pin(waiting.call(get("/2"), b""));
    let mut polls = 0;
    let polled = std::future::poll_fn(|cx| {
        polls += 1;
        assert!(polls < 20, "it asks again and again");
        second.as_mut().poll(cx).map(|answer| answer.map(drop))
    });
    let polled = tokio::time::timeout(BRIEFLY, polled).await;
    assert!(polled.is_err(), "the other origin has no place");
    origin.go().await;
    assert_eq!(first.await.unwrap().unwrap(), "ok");
    let answer = second.await.unwrap();
    assert_eq!(text(answer).await.unwrap(), "ok");
}
