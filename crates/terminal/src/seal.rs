//! Keeps typed keys unreadable without their session's key.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;

const NONCE: usize = 24;

/// A session's own key, 256 bits. Destroying it makes everything sealed with it unreadable for ever.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey([u8; 32]);

/// Sealed bytes could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// There are too few bytes to hold even an empty text.
    #[error("these bytes were cut short and cannot be opened")]
    Short,
    /// Sealed with another key, or changed since.
    #[error("these bytes were sealed with another key or changed since")]
    WrongKey,
}

impl SealKey {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// A key that was stored.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key, to be stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain` with XChaCha20-Poly1305: a random nonce of 24 bytes, the ciphertext, and a tag of 16 bytes.
    #[must_use]
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::random();
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), plain);
        // Encryption fails only above 256 GiB.
        [nonce.to_vec(), sealed.unwrap_or_default()].concat()
    }

    /// The bytes that were sealed.
    ///
    /// # Errors
    /// Says whether the bytes are incomplete, or were changed or sealed with another key.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE>()
            .ok_or(OpenError::Short)?;
        self.cipher()
            .decrypt(&XNonce::from(*nonce), sealed)
            .map_err(|_| OpenError::WrongKey)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_that_sealed_opens() {
        let key = SealKey::generate();
        let sealed = key.seal(b"ls\n");
        assert_eq!(key.open(&sealed), Ok(b"ls\n".to_vec()));
        assert_eq!(
            SealKey::from_bytes(*key.as_bytes()).open(&sealed),
            Ok(b"ls\n".to_vec())
        );
        assert_eq!(SealKey::generate().open(&sealed), Err(OpenError::WrongKey));
        assert_eq!(key.open(&sealed[..20]), Err(OpenError::Short));
    }

    #[test]
    fn a_changed_byte_is_noticed_and_no_two_seals_are_alike() {
        let key = SealKey::generate();
        let sealed = key.seal(b"secret");
        assert_ne!(sealed, key.seal(b"secret"));
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(key.open(&changed), Err(OpenError::WrongKey));
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", SealKey::from_bytes([7; 32])), "SealKey(…)");
    }
}
