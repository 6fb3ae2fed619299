use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// Longer than anything takes that works, even on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends a test that would otherwise wait for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future)
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
    let in_time = timeout(PATIENCE, asking).await;
    assert!(in_time.is_ok(), "in vain: {what}");
}
