//! Many exchanges on one connection: who waits for whom.

use tokio::task::JoinHandle;

use super::http2::{Bilingual, LARGE, http2};
use super::*;

#[tokio::test]
async fn visitors_who_read_slowly_keep_nobody_else_waiting() {
    let origin = Bilingual::both().await;
    let config = Config {
        body_idle_timeout: Some(PATIENCE / 2),
        ..http2()
    };
    let origins = origin.origins(config);
    let mut slow = Vec::new();
    for _ in 0..20 {
        slow.push(origins.call(get("/large"), b"").await.unwrap());
    }
    assert_eq!(fetch(&origins, get("/")).await.unwrap(), "half");
    assert_eq!(origin.connections(), 1);
    for answer in slow {
        assert_eq!(text(answer).await.unwrap().len(), LARGE);
    }
}

/// As behind a balancer some of whose origins were not brought up to date yet.
#[tokio::test]
async fn one_that_speaks_http_2_after_all_is_believed() {
    let alone: &[&[u8]] = &[b"http/1.1"];
    let origin = Bilingual::learning(&[alone, &[b"h2", b"http/1.1"]], None).await;
    let origins = origin.origins(http2());
    assert_eq!(fetch_and_settle(&origins, get("/")).await, "alone");
    let_pass(config().pool_idle_timeout * 2).await;
    for _ in 0..3 {
        assert_eq!(fetch_and_settle(&origins, get("/")).await, "half");
    }
    assert_eq!((origin.connections(), origins.status()[0].kept), (2, 1));
}

/// What waits within a connection waits for all before it.
#[tokio::test]
async fn no_more_is_asked_for_at_once_than_the_origin_allows() {
    for is_known in [true, false] {
        let origin = Bilingual::learning(&[&[b"h2"]], Some(1)).await;
        let config = Config {
            first_byte_timeout: PATIENCE / 2,
            ..http2()
        };
        let origins = origin.origins(config);
        if is_known {
            assert_eq!(fetch_and_settle(&origins, get("/")).await, "half");
        }
        let asking = [(); 2].map(|()| ask(&origins, "/together"));
        for asking in asking {
            assert_eq!(asking.await.unwrap().unwrap(), "both");
        }
        assert_eq!(origin.connections(), 2);
        assert_eq!(fetch_and_settle(&origins, get("/")).await, "half");
        assert_eq!(origins.status()[0].kept, 2);
    }
}

fn one_connection() -> Config {
    Config {
        connections_max: Some(1),
        ..http2()
    }
}

#[tokio::test]
async fn who_may_open_no_connection_gets_the_place_that_is_free_first() {
    let origin = Bilingual::learning(&[&[b"h2"]], Some(1)).await;
    let origins = origin.origins(one_connection());
    let first = ask(&origins, "/held");
    while origin.multiplexed().is_empty() {
        tokio::task::yield_now().await;
    }
    let others = [(); 3].map(|()| ask(&origins, "/"));
    let_tasks_run().await;
    assert_eq!(origin.multiplexed().len(), 1);
    origin.heard.go.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), "half");
    for other in others {
        assert_eq!(other.await.unwrap().unwrap(), "half");
    }
    assert_eq!(origin.connections(), 1);
}

#[tokio::test]
async fn who_waits_for_a_place_in_vain_speaks_against_nobody() {
    let origin = Bilingual::learning(&[&[b"h2"]], Some(1)).await;
    let config = Config {
        connect_timeout: PATIENCE / 2,
        ..one_connection()
    };
    let origins = origin.origins(config);
    let first = ask(&origins, "/held");
    while origin.multiplexed().is_empty() {
        tokio::task::yield_now().await;
    }
    let others = [(); 6].map(|()| ask(&origins, "/"));
    let_tasks_run().await;
    let_pass(PATIENCE / 2).await;
    for other in others {
        assert_eq!(other.await.unwrap().unwrap_err().kind(), "queue_timeout");
    }
    assert_eq!(origins.status()[0].state, "up");
    origin.heard.go.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), "half");
}

fn ask(origins: &Origins, path: &'static str) -> JoinHandle<Result<String, UpstreamError>> {
    let origins = origins.clone();
    tokio::spawn(async move { fetch(&origins, get(path)).await })
}
