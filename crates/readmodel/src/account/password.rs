//! Passwords: argon2id with 19 MiB, two passes, one lane (the OWASP password storage cheat sheet's first choice).

use super::AccountError;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many passwords are hashed at once: each takes 19 MiB and one core.
const AT_ONCE: usize = 2;
/// How long anybody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// In KiB.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// What is checked when there is no such account, so that it takes as long as if there were.
static NOBODY: LazyLock<Result<String, AccountError>> = LazyLock::new(|| hash("nobody's password"));

/// Hashes passwords, a few at once.
#[derive(Clone)]
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { turns }
    }
}

impl Passwords {
    /// A password's hash, to be stored.
    pub async fn hash(&self, password: String) -> Result<String, AccountError> {
        self.in_turn(move || hash(&password)).await
    }

    /// Whether this is the password; without a stored hash it never is, but takes as long.
    pub async fn verify(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, AccountError> {
        self.in_turn(move || match (&stored, &*NOBODY) {
            (Some(stored), _) => verify(&password, stored),
            (None, Ok(nobody)) => verify(&password, nobody).map(|_| false),
            (None, Err(error)) => Err(AccountError::Hashing(error.to_string())),
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AccountError> + Send + 'static,
    ) -> Result<T, AccountError> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned());
        let turn = turn.await.map_err(|_| AccountError::Busy)?;
        // The turn goes with the work: a caller who leaves does not let the next one in early.
        let worked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        worked
            .await
            .map_err(|error| AccountError::Hashing(error.to_string()))?
    }
}

fn argon2() -> Result<Argon2<'static>, AccountError> {
    let params = Params::new(MEMORY, PASSES, 1, None);
    let params = params.map_err(|error| AccountError::Hashing(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, AccountError> {
    let hashed = argon2()?.hash_password(password.as_bytes());
    hashed
        .map(|hash| hash.to_string())
        .map_err(|error| AccountError::Hashing(error.to_string()))
}

fn verify(password: &str, stored: &str) -> Result<bool, AccountError> {
    let stored = PasswordHash::new(stored);
    let stored = stored.map_err(|error| AccountError::Hashing(error.to_string()))?;
    Ok(argon2()?
        .verify_password(password.as_bytes(), &stored)
        .is_ok())
}
