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
