use std::any::Any;
use std::panic::{self, PanicHookInfo};
use std::thread;

use super::terminal::complain;

/// Makes every panic one line of the log, caught or not. A message that was put together while the
/// program ran is left out: it may quote a page or a request.
pub fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let line = describe(panic);
        match tracing::dispatcher::has_been_set() {
            true => tracing::error!("{line}"),
            false => complain(line),
        }
    }));
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let current = thread::current();
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_else(|| "an unknown place".to_owned());
    let name = current.name().unwrap_or("without a name");
    format!(
        "panic at {place} in thread {name}: {}",
        message(panic.payload())
    )
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let constant = payload.downcast_ref::<&'static str>();
    constant.map_or("its message may quote a page, and is left out", |text| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_constant_messages_only() {
        assert_eq!(message(&"the lock is poisoned"), "the lock is poisoned");
        let quoting = format!("byte index 1 is not a char boundary of {:?}", "078-05-1120");
        assert!(!message(&quoting).contains("078-05-1120"));
    }
}
