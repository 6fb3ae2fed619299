#[cfg(test)]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};
use std::{io, thread};

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::{mpsc, oneshot};

/// Passwords, checked at a cost that does not tell whether there is such an agent. One thread checks all of them,
/// one after the other, in the same 19 MiB: what is given back to the allocator is not given back to the system.
#[derive(Debug)]
pub(super) struct Passwords {
    checks: mpsc::Sender<Check>,
    /// Hashes, for tests.
    #[cfg(test)]
    computed: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Check {
    password: String,
    /// The hash to compare with; `None`: there is no such agent.
    kept: Option<String>,
    asked: Instant,
    answer: oneshot::Sender<bool>,
}

/// So many others wait already, or so long, that the password was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked")]
pub(super) struct PasswordsBusy;

/// Some seconds' worth; what is asked for at once by people is far less.
const WAITING_MAX: usize = 32;
/// Who has waited so long for his turn has tried again meanwhile.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Why there is no hash of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("the password has more than {} bytes", BYTES_MAX)]
    Long,
    #[error("the password has fewer than {} characters", PASSWORD_CHARACTERS_MIN)]
    Short,
    #[error("the password cannot be hashed")]
    Unhashed,
}

/// Length is what makes guessing hopeless; other rules only make passwords worse (NIST SP 800-63B).
pub const PASSWORD_CHARACTERS_MIN: usize = 12;
const BYTES_MAX: usize = 1024;

/// Argon2id with 19 MiB, two passes and one lane (the crate's defaults, OWASP's first choice), as a PHC
/// string with a salt of its own. Takes a tenth of a second.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < PASSWORD_CHARACTERS_MIN {
        return Err(PasswordError::Short);
    }
    if password.len() > BYTES_MAX {
        return Err(PasswordError::Long);
    }
    hash(password.as_bytes())
}

fn hash(password: &[u8]) -> Result<String, PasswordError> {
    let hash = Argon2::default().hash_password(password);
    hash.map(|hash: PasswordHash| hash.to_string())
        .map_err(|_| PasswordError::Unhashed)
}

impl Passwords {
    /// Makes the thread; it ends when this is dropped.
    pub(super) fn new() -> io::Result<Self> {
        // Of no password: what is compared where there is no agent.
        let nobody = hash(b"").map_err(io::Error::other)?;
        let (checks, mut asked) = mpsc::channel::<Check>(WAITING_MAX);
        #[cfg(test)]
        let (computed, counter) = {
            let computed = Arc::new(AtomicU64::new(0));
            (Arc::clone(&computed), computed)
        };
        let thread = thread::Builder::new().name("passwords".to_owned());
        thread.spawn(move || {
            let mut memory = Vec::new();
            while let Some(check) = asked.blocking_recv() {
                // Who asked may be gone, or has waited too long: that costs nothing more.
                if check.asked.elapsed() < WAIT_MAX && !check.answer.is_closed() {
                    #[cfg(test)]
                    counter.fetch_add(1, Ordering::Relaxed);
                    check.carry_out(&nobody, &mut memory);
                }
            }
        })?;
        Ok(Self {
            checks,
            #[cfg(test)]
            computed,
        })
    }

    /// Whether it is the one; `None`: there is no such agent.
    pub(super) async fn is_right(
        &self,
        password: String,
        kept: Option<String>,
    ) -> Result<bool, PasswordsBusy> {
        let (answer, answered) = oneshot::channel();
        let check = Check {
            password,
            kept,
            asked: Instant::now(),
            answer,
        };
        self.checks.try_send(check).map_err(|_| PasswordsBusy)?;
        answered.await.map_err(|_| PasswordsBusy)
    }

    /// How many hashes were computed.
    #[cfg(test)]
    pub(super) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }
}

impl Check {
    /// The same work, whether or not there is such an agent.
    fn carry_out(self, nobody: &str, memory: &mut Vec<Block>) {
        let Self {
            password,
            kept,
            answer,
            ..
        } = self;
        let somebody = kept.is_some() && password.len() <= BYTES_MAX;
        let kept = kept.as_deref().unwrap_or(nobody);
        let password = &password.as_bytes()[..password.len().min(BYTES_MAX)];
        let is_same = is_same(password, kept, memory).unwrap_or(false);
        // Nobody may be waiting any more.
        let _ = answer.send(is_same && somebody);
    }
}

/// As the crate's own `verify_password`, in memory that is used again. `None`: what is kept is no hash.
fn is_same(password: &[u8], kept: &str, memory: &mut Vec<Block>) -> Option<bool> {
    let kept = PasswordHash::new(kept).ok()?;
    let (salt, expected) = (kept.salt.as_ref()?, kept.hash.as_ref()?);
    let algorithm = Algorithm::try_from(kept.algorithm.as_str()).ok()?;
    let version = Version::try_from(kept.version?).ok()?;
    let params = Params::try_from(&kept).ok()?;
    memory.resize(params.block_count(), Block::default());
    let mut computed = [0; Output::MAX_LENGTH];
    let computed = computed.get_mut(..expected.len())?;
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password, salt, computed, memory)
        .ok()?;
    // In constant time.
    Some(verify_slices_are_equal(computed, expected.as_bytes()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_compared_as_the_crate_does_it() {
        use argon2::password_hash::PasswordVerifier;

        let small = Params::new(64, 1, 1, None).unwrap();
        let other = Argon2::new(Algorithm::Argon2i, Version::V0x13, small);
        let kept = [
            hash(b"a right password").unwrap(),
            other
                .hash_password(b"a right password")
                .unwrap()
                .to_string(),
            hash(b"").unwrap(),
        ];
        // What another hash left in the memory changes nothing.
        let mut memory = Vec::new();
        for kept in &kept {
            for password in [&b"a right password"[..], b"a wrong password", b""] {
                let theirs = Argon2::default().verify_password(password, &**kept);
                let ours = is_same(password, kept, &mut memory);
                assert_eq!(ours, Some(theirs.is_ok()), "{kept}");
            }
        }
        for no_hash in ["", "x", "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ"] {
            assert_ne!(is_same(b"", no_hash, &mut memory), Some(true), "{no_hash}");
        }
    }

    #[tokio::test]
    async fn who_comes_when_many_wait_is_sent_away_at_once() {
        let passwords = Passwords::new().unwrap();
        let mut asking = Vec::new();
        // The first one may be at work already.
        for _ in 0..WAITING_MAX + 8 {
            asking.push(Box::pin(passwords.is_right("x".to_owned(), None)));
        }
        let mut busy = 0;
        for one in &mut asking {
            let answer = at_once(one.as_mut()).await;
            busy += usize::from(answer == Some(Err(PasswordsBusy)));
        }
        assert!((1..=8).contains(&busy), "{busy}");
        // Those who have gone are not worked for.
        drop(asking);
        while passwords.is_right("x".to_owned(), None).await.is_err() {
            tokio::task::yield_now().await;
        }
        assert!(passwords.computed() < 8, "{}", passwords.computed());
    }

    /// What a future says without being waited for.
    async fn at_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            let polled = std::pin::Pin::new(&mut future).poll(context);
            std::task::Poll::Ready(match polled {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
