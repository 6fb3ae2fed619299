use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// Runs a future to its end; a panic in it ends it, and nothing else.
///
/// What the future holds is never seen again, so that nothing half-changed is left behind.
///
/// It is pinned by the caller: pinned here, it would be moved once more and take twice the room.
pub(super) async fn catch_panic<T>(
    mut future: Pin<&mut impl Future<Output = T>>,
) -> Result<T, Panicked> {
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}

/// The future panicked; the panic's own message went to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Panicked;

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_and_an_answer_is_not() {
        assert_eq!(catch_panic(pin!(async { 7 })).await, Ok(7));
        let panicking = async {
            tokio::task::yield_now().await;
            assert_eq!(1, 2, "a panic that must be caught");
        };
        assert_eq!(catch_panic(pin!(panicking)).await, Err(Panicked));
    }
}
