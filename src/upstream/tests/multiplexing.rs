//! Many exchanges on one connection: who waits for whom.

use super::http2::{Bilingual, LARGE, http2};
use super::*;

#[tokio::test]
async fn visitors_who_read_slowly_keep_nobody_else_waiting() {
    let origin = Bilingual::both().await;
    let config = Config {
        body_idle_timeout: Some(PATIENCE / 10),
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
