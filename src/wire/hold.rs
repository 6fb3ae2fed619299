use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

/// What a tunnel and the connection that carries it, or the one stream of it that does, tell each other:
/// else neither knows of the other once the head was answered. While a clone is held, the connection
/// carries a tunnel. The server puts it among the request's extensions.
#[derive(Clone)]
pub struct Hold(Arc<dyn Held>);

/// The connection's side of a [`Hold`].
pub trait Held: Send + Sync {
    /// The client was given bytes, and has not taken them yet.
    fn stand(&self);
    /// It has.
    fn go_on(&self);
    /// Resolves, once, when nothing can be sent on the stream any more.
    fn gone(&self) -> Pin<Box<dyn Future<Output = Gone> + Send + '_>>;
    /// Resolves when the server is about to cut what is still open.
    fn leaving(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Why nothing can be sent on a stream any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The client has reset it, or its connection has ended.
    Reset,
    /// The server ends it, as the client took nothing for too long.
    Overdue,
}

/// The client is waited for.
pub struct Standing<'h>(&'h Hold);

impl Hold {
    pub fn new(held: impl Held + 'static) -> Self {
        Self(Arc::new(held))
    }

    /// Until the guard is dropped the client is waited for.
    pub fn stand(&self) -> Standing<'_> {
        self.0.stand();
        Standing(self)
    }

    /// Resolves when nothing can be sent on the stream any more. A reset reads like an end in order.
    pub async fn gone(&self) -> Gone {
        self.0.gone().await
    }

    /// Resolves when the server is about to cut what is still open. Whoever has a last word says it now.
    pub async fn leaving(&self) {
        self.0.leaving().await;
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.0.0.go_on();
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

impl fmt::Debug for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Standing")
    }
}
