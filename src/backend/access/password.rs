use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Passwords, checked at a cost that does not tell whether there is such an agent.
#[derive(Clone, Debug)]
pub(super) struct Passwords {
    /// Each takes a core and 19 MiB for a while.
    turns: Arc<Semaphore>,
    /// Of no password: what is compared where there is no agent.
    nobody: Arc<str>,
}

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
    pub(super) fn new() -> Result<Self, PasswordError> {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            turns: Arc::new(Semaphore::new(cores)),
            nobody: hash(b"")?.into(),
        })
    }

    /// Whether it is the one; `None`: there is no such agent.
    pub(super) async fn is_right(&self, password: String, kept: Option<String>) -> bool {
        let Ok(_turn) = self.turns.acquire().await else {
            return false;
        };
        let somebody = kept.is_some() && password.len() <= BYTES_MAX;
        let kept = kept.unwrap_or_else(|| self.nobody.to_string());
        let compared = spawn_blocking(move || {
            let password = &password.as_bytes()[..password.len().min(BYTES_MAX)];
            PasswordHash::new(&kept)
                .is_ok_and(|kept| Argon2::default().verify_password(password, &kept).is_ok())
        });
        compared.await.unwrap_or(false) && somebody
    }
}
