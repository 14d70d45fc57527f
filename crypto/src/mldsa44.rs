//! ML-DSA-44, the signature that outlives elliptic curves.
//!
//! A key has 1,312 bytes and a signature 2,420, both of one encoding only. The context is a parameter of
//! at most 255 bytes; ours is empty, because every digest of ours is framed by its purpose already.
//! Signing is the deterministic variant.
//!
//! Source: FIPS 204, algorithms 2, 3, 22 and 27.

use core::fmt;
use ml_dsa::{EncodedSignature, EncodedVerifyingKey, MlDsa44, Signature, SigningKey, VerifyingKey};
use zeroize::Zeroizing;
use zeugma_types::{Code, Purpose, Refusal};

use crate::hash::framed;

/// Length of a public key.
pub const KEY_LENGTH: usize = 1_312;
/// Length of a signature.
pub const SIGNATURE_LENGTH: usize = 2_420;
/// What a C2SP cosigned message begins with (`tlog-cosignature`).
pub const COSIGNED_LABEL: &[u8; 12] = b"subtree/v1\n\0";
/// Longest context.
pub const MAX_CONTEXT: usize = 255;

/// A public key, with its matrix expanded.
#[derive(Clone)]
pub struct PublicKey(VerifyingKey<MlDsa44>);

impl PublicKey {
    /// Reads a key. Every string of this length is one.
    #[must_use]
    pub fn parse(bytes: &[u8; KEY_LENGTH]) -> Self {
        Self(VerifyingKey::decode(&EncodedVerifyingKey::<MlDsa44>::from(*bytes)))
    }

    /// The bytes of the key.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; KEY_LENGTH] {
        self.0.encode().into()
    }

    /// Checks that `signature` is this key's over `message` in `context`.
    ///
    /// # Errors
    /// [`Code::TooLong`] for a context above [`MAX_CONTEXT`], [`Code::BadSignature`].
    pub fn verify(
        &self,
        context: &[u8],
        message: &[u8],
        signature: &[u8; SIGNATURE_LENGTH],
    ) -> Result<(), Refusal> {
        if context.len() > MAX_CONTEXT {
            return Err(Refusal::new(Code::TooLong).needed(MAX_CONTEXT).found(context.len()));
        }
        let signature = Signature::decode(&EncodedSignature::<MlDsa44>::from(*signature));
        match signature {
            Some(signature) if self.0.verify_with_context(message, context, &signature) => Ok(()),
            _ => Err(Refusal::new(Code::BadSignature)),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mldsa44::PublicKey(")?;
        self.to_bytes().iter().take(16).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("..)")
    }
}

/// A secret key. Erased when dropped; does not print.
#[derive(Clone)]
pub struct SecretKey(SigningKey<MlDsa44>);

impl SecretKey {
    /// The key of a seed of 32 secret bytes (FIPS 204, algorithm 6).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_seed(&(*seed).into()))
    }

    /// The seed, to be stored.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new((*self.0.as_seed()).into())
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(AsRef::<VerifyingKey<MlDsa44>>::as_ref(&self.0).clone())
    }

    /// Signs the digest of `parts` framed by `purpose`, in the empty context.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; SIGNATURE_LENGTH] {
        self.0
            .expanded_key()
            .sign_deterministic(&framed(purpose, parts), &[])
            .expect("the empty context is not too long")
            .encode()
            .into()
    }

    /// Signs a C2SP cosigned message, which begins with a label of its own and is longer than any digest of ours.
    ///
    /// # Errors
    /// [`Code::BadNote`] for a message without the label.
    pub fn sign_cosigned(&self, message: &[u8]) -> Result<[u8; SIGNATURE_LENGTH], Refusal> {
        if message.len() <= 32 || !message.starts_with(COSIGNED_LABEL) {
            return Err(Refusal::new(Code::BadNote).needed("a cosigned message"));
        }
        let signature = self.0.expanded_key().sign_deterministic(message, &[]);
        Ok(signature.expect("the empty context is not too long").encode().into())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mldsa44::SecretKey(..)")
    }
}

#[cfg(test)]
mod tests;
