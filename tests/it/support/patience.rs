use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// Longer than anything takes that works, even on a machine that is busy with other things;
/// `PATIENCE_SECONDS` in the environment says otherwise.
const PATIENCE_SECONDS: u64 = 60;

pub(crate) fn patience() -> Duration {
    let told = std::env::var("PATIENCE_SECONDS").ok();
    let seconds = told.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(PATIENCE_SECONDS))
}

/// Ends a test that would otherwise wait for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(patience(), future)
        .await
        .expect("this takes too long")
}

/// Asks again and again until the answer is yes.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let mut ticks = interval(Duration::from_millis(10));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asking = async {
        while !holds().await {
            ticks.tick().await;
        }
    };
    let in_time = timeout(patience(), asking).await;
    assert!(in_time.is_ok(), "in vain: {what}");
}

/// How often something is tried: as a rule, or with `COBROWSE_TEST_FULL` in the environment.
pub(crate) fn tries(usual: usize, in_full: usize) -> usize {
    match std::env::var_os("COBROWSE_TEST_FULL") {
        Some(_) => in_full,
        None => usual,
    }
}
