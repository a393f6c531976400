//! Passwords: argon2id with 19 MiB, one lane, and two passes (the OWASP password storage cheat sheet's first choice) or more.

use super::AccountError;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How many passwords are hashed at once: each takes 19 MiB and one core.
const AT_ONCE: usize = 2;
/// How long anybody waits for their turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// In KiB.
const MEMORY: u32 = 19 * 1024;
/// The fewest passes, and the most that a fast machine is given.
const PASSES: u32 = 2;
const MOST_PASSES: u32 = 24;
/// How long hashing one password should take.
const LONG_ENOUGH: Duration = Duration::from_millis(100);

/// What is checked when there is no such account, so that it takes as long as if there were.
type Nobody = LazyLock<
    Result<String, AccountError>,
    Box<dyn FnOnce() -> Result<String, AccountError> + Send>,
>;

/// Hashes passwords, a few at once.
#[derive(Clone)]
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    passes: u32,
    nobody: Arc<Nobody>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::with(PASSES)
    }
}

impl Passwords {
    fn with(passes: u32) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            passes,
            nobody: Arc::new(LazyLock::new(Box::new(move || {
                hash("nobody's password", passes)
            }))),
        }
    }

    /// With so many passes that a password takes about 100 ms on this machine, and never fewer than the least.
    pub fn calibrated() -> Self {
        let begun = Instant::now();
        let measured = hash("how fast is this machine?", PASSES);
        let took = begun.elapsed();
        let passes = measured.map_or(PASSES, |_| passes(took));
        Self::with(passes)
    }

    /// Whether a stored hash cost less to make than it would today.
    pub fn is_weak(&self, stored: &str) -> bool {
        let Ok(hash) = PasswordHash::new(stored) else {
            return false;
        };
        let Ok(params) = Params::try_from(&hash) else {
            return false;
        };
        params.m_cost() < MEMORY || params.t_cost() < self.passes
    }

    /// A password's hash, to be stored.
    pub async fn hash(&self, password: String) -> Result<String, AccountError> {
        let passes = self.passes;
        self.in_turn(move || hash(&password, passes)).await
    }

    /// Whether this is the password; without a stored hash it never is, but takes as long.
    pub async fn verify(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, AccountError> {
        let nobody = self.nobody.clone();
        self.in_turn(move || match (&stored, &**nobody) {
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

/// How many passes take long enough, if the fewest took so long.
fn passes(took: Duration) -> u32 {
    let each = took.as_micros().max(1) / u128::from(PASSES);
    let passes = LONG_ENOUGH.as_micros() / each.max(1);
    u32::try_from(passes)
        .unwrap_or(MOST_PASSES)
        .clamp(PASSES, MOST_PASSES)
}

fn argon2(passes: u32) -> Result<Argon2<'static>, AccountError> {
    let params = Params::new(MEMORY, passes, 1, None);
    let params = params.map_err(|error| AccountError::Hashing(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str, passes: u32) -> Result<String, AccountError> {
    let hashed = argon2(passes)?.hash_password(password.as_bytes());
    hashed
        .map(|hash| hash.to_string())
        .map_err(|error| AccountError::Hashing(error.to_string()))
}

fn verify(password: &str, stored: &str) -> Result<bool, AccountError> {
    let stored = PasswordHash::new(stored);
    let stored = stored.map_err(|error| AccountError::Hashing(error.to_string()))?;
    // What the hash was made with stands in it.
    Ok(argon2(PASSES)?
        .verify_password(password.as_bytes(), &stored)
        .is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_fast_machine_makes_more_passes_and_a_slow_one_never_fewer() {
        let took = |millis| passes(Duration::from_millis(millis));
        assert_eq!(
            [took(0), took(20), took(50), took(100), took(900)],
            [24, 10, 4, 2, 2]
        );
    }

    #[tokio::test]
    async fn a_hash_made_with_less_is_weak_and_still_checked() {
        let (old, new) = (Passwords::with(2), Passwords::with(3));
        let stored = old.hash("correct horse".into()).await.unwrap();
        assert!(!old.is_weak(&stored) && new.is_weak(&stored));
        assert!(
            new.verify("correct horse".into(), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !new.verify("another horse".into(), Some(stored))
                .await
                .unwrap()
        );
        assert!(!new.verify("nobody's password".into(), None).await.unwrap());
        let stored = new.hash("correct horse".into()).await.unwrap();
        assert!(!new.is_weak(&stored) && !old.is_weak(&stored));
    }
}
