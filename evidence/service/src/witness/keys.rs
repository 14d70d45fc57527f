//! The keys of a witness: one of Ed25519 and one of ML-DSA-44, for nothing else. Made once, together with the state; a file
//! that only its owner may read.

use crate::files::{self, Readers};
use crate::keys::{KeysError, random};
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use zeugma_crypto::hash::sha256;
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_evidence_log::{CosignerSigner, VerifierKey};
use zeugma_types::Refusal;

const FORMAT: &str = "zeugma-witness-keys-1";
/// Longest key file, in bytes: twice what is written.
const LONGEST: u64 = 1_024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    ed25519: String,
    mldsa44: String,
}

/// The keys.
#[derive(Clone, Debug)]
pub struct WitnessKeys([CosignerSigner; 2]);

impl WitnessKeys {
    /// From two seeds, under the witness's name.
    ///
    /// # Errors
    /// The refusals of a name.
    pub fn of(name: &str, seeds: &[[u8; 32]; 2]) -> Result<Self, Refusal> {
        Ok(Self([
            CosignerSigner::ed25519(name, ed25519::SecretKey::from_seed(&seeds[0]))?,
            CosignerSigner::mldsa44(name, mldsa44::SecretKey::from_seed(&seeds[1]))?,
        ]))
    }

    /// Makes a file with new keys; one that exists is not written over.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn make(path: &Path, name: &str) -> Result<Self, KeysError> {
        let file = |why| KeysError::File { path: path.into(), why };
        let broken = |why: String| KeysError::Broken { path: path.into(), why };
        if files::read(path, LONGEST).map_err(file)?.is_some() {
            return Err(file(std::io::ErrorKind::AlreadyExists.into()));
        }
        let seeds = [random().map_err(KeysError::Random)?, random().map_err(KeysError::Random)?];
        let keys = Self::of(name, &seeds).map_err(|refusal| broken(refusal.to_string()))?;
        let [ed25519, mldsa44] = seeds.map(hex::encode);
        let written = Written { format: FORMAT.to_owned(), ed25519, mldsa44 };
        let bytes = serde_json::to_vec_pretty(&written).map_err(|why| broken(why.to_string()))?;
        files::replace(path, &bytes, Readers::Owner).map_err(file)?;
        Ok(keys)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn read(path: &Path, name: &str) -> Result<Self, KeysError> {
        let file = |why| KeysError::File { path: path.into(), why };
        let broken = |why: String| KeysError::Broken { path: path.into(), why };
        let bytes = files::read(path, LONGEST).map_err(file)?;
        let bytes = bytes.ok_or_else(|| file(std::io::ErrorKind::NotFound.into()))?;
        let mode = std::fs::metadata(path).map_err(file)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeysError::Open { path: path.into(), mode });
        }
        // Not the parser's words: they may hold the secret.
        let written: Written = serde_json::from_slice(&bytes)
            .map_err(|_| broken("JSON of format, ed25519, mldsa44 is asked".to_owned()))?;
        if written.format != FORMAT {
            return Err(broken(format!("format {FORMAT} is asked, found {}", written.format)));
        }
        let mut seeds = [[0; 32]; 2];
        for (seed, text) in seeds.iter_mut().zip([&written.ed25519, &written.mldsa44]) {
            hex::decode_to_slice(text, seed)
                .map_err(|_| broken("64 hexadecimal digits are asked".to_owned()))?;
        }
        Self::of(name, &seeds).map_err(|refusal| broken(refusal.to_string()))
    }

    pub(super) const fn signers(&self) -> &[CosignerSigner; 2] {
        &self.0
    }

    /// The public keys, as logs and policies are configured with them.
    #[must_use]
    pub fn public(&self) -> [VerifierKey; 2] {
        [self.0[0].key(), self.0[1].key()]
    }

    /// What a state remembers its keys by. The name is part of them.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let [first, second] = self.public().map(|key| key.to_text());
        sha256(&[first.as_bytes(), b"\n", second.as_bytes()])
    }
}
