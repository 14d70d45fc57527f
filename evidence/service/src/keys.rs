//! The keys of a service, in one file that only its owner may read; made at the first start.
//!
//! The log signs checkpoints, the desk signs receipts and verdicts, the account sends to the relay chain: three
//! purposes, three keys. Losing the file ends the log: another key is another log.

use crate::files::{self, Readers};
use crate::store::Signers;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_evidence_log::{LogSigner, second_origin};
use zeugma_types::Refusal;

const FORMAT: &str = "zeugma-evidence-keys-1";
/// Longest key file, in bytes: twice what is written.
const LONGEST: u64 = 2_048;

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// Others may read it.
    #[error("{} holds secrets and its mode is {mode:o}: chmod 600 {}", path.display(), path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not a key file.
    #[error("{} is not a key file of the evidence service: {why}", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// No randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    log: String,
    log_mldsa44: String,
    second: String,
    second_mldsa44: String,
    desk: String,
    account: String,
}

/// The keys.
#[derive(Clone, Debug)]
pub struct Keys {
    log: [ed25519::SecretKey; 2],
    log_mldsa44: [mldsa44::SecretKey; 2],
    /// Signs receipts and verdicts.
    pub desk: ed25519::SecretKey,
    /// Signs transactions.
    pub account: ed25519::SecretKey,
}

impl Keys {
    /// Reads the file, or makes it with new keys.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn open(path: &Path) -> Result<Self, KeysError> {
        let file = |why| KeysError::File { path: path.into(), why };
        let broken = |why: String| KeysError::Broken { path: path.into(), why };
        if let Some(bytes) = files::read(path, LONGEST).map_err(file)? {
            let mode = fs::metadata(path).map_err(file)?.mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(KeysError::Open { path: path.into(), mode });
            }
            let written: Written = serde_json::from_slice(&bytes).map_err(|why| broken(why.to_string()))?;
            return Self::of(&written).map_err(broken);
        }
        let written = Written {
            format: FORMAT.to_owned(),
            log: seed()?,
            log_mldsa44: seed()?,
            second: seed()?,
            second_mldsa44: seed()?,
            desk: seed()?,
            account: seed()?,
        };
        let bytes = serde_json::to_vec_pretty(&written).map_err(|why| broken(why.to_string()))?;
        files::replace(path, &bytes, Readers::Owner).map_err(file)?;
        Self::of(&written).map_err(broken)
    }

    fn of(written: &Written) -> Result<Self, String> {
        if written.format != FORMAT {
            return Err(format!("format {FORMAT} is asked, found {}", written.format));
        }
        let seed = |name: &str, text: &str| {
            let mut seed = [0; 32];
            hex::decode_to_slice(text, &mut seed).map_err(|why| format!("{name}: {why}"))?;
            Ok::<_, String>(seed)
        };
        Ok(Self {
            log: [
                ed25519::SecretKey::from_seed(&seed("log", &written.log)?),
                ed25519::SecretKey::from_seed(&seed("second", &written.second)?),
            ],
            log_mldsa44: [
                mldsa44::SecretKey::from_seed(&seed("log_mldsa44", &written.log_mldsa44)?),
                mldsa44::SecretKey::from_seed(&seed("second_mldsa44", &written.second_mldsa44)?),
            ],
            desk: ed25519::SecretKey::from_seed(&seed("desk", &written.desk)?),
            account: ed25519::SecretKey::from_seed(&seed("account", &written.account)?),
        })
    }

    /// The signers of a log's trees.
    ///
    /// # Errors
    /// The refusals of an origin that is no name.
    pub fn signers(&self, origin: &str, second: bool) -> Result<Signers, Refusal> {
        let [first_key, second_key] = self.log.clone();
        let [first_mldsa, second_mldsa] = self.log_mldsa44.clone();
        let first = LogSigner::new(origin, first_key, Some(first_mldsa))?;
        let second = match second {
            true => Some(LogSigner::new(&second_origin(origin), second_key, Some(second_mldsa))?),
            false => None,
        };
        Ok(Signers { first, second })
    }

    /// The Ed25519 keys under which the relay chain registers the two trees.
    #[must_use]
    pub fn log_keys(&self) -> [[u8; 32]; 2] {
        [*self.log[0].public().as_bytes(), *self.log[1].public().as_bytes()]
    }
}

/// 32 random bytes in hex.
fn seed() -> Result<String, KeysError> {
    random().map(hex::encode).map_err(KeysError::Random)
}

/// 32 random bytes.
pub(crate) fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// So many times 32 bytes, asked for together: each asking is a call of the system.
pub(crate) fn random_each(count: usize) -> Result<Vec<[u8; 32]>, getrandom::Error> {
    let mut bytes = vec![[0; 32]; count];
    getrandom::fill(bytes.as_flattened_mut())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn keys_are_made_once_and_read_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let made = Keys::open(&path).unwrap();
        let read = Keys::open(&path).unwrap();
        assert_eq!(made.log_keys(), read.log_keys());
        assert_eq!(made.desk.public().as_bytes(), read.desk.public().as_bytes());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_file_that_others_may_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        Keys::open(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Keys::open(&path).unwrap_err().to_string().contains("chmod 600"));
        fs::remove_file(&path).unwrap();
        files::replace(&path, b"{}", Readers::Owner).unwrap();
        assert!(matches!(Keys::open(&path), Err(KeysError::Broken { .. })));
    }
}
