//! The key that signs an agent's transactions.

use crate::error::Error;
use serde::Deserialize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;
use zeugma_crypto::ed25519::SecretKey;

/// Longest key file, in bytes.
const MAX: u64 = 512;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    kind: String,
    public: String,
    secret: String,
}

/// Reads a key file as `zeugma keys` writes it: JSON, of an account, that only its owner may read.
///
/// # Errors
/// [`Error::System`] when the file cannot be read, is open to others, or is no key file of an account.
pub fn read(path: &Path) -> Result<SecretKey, Error> {
    let wrong = |why: &str| Error::system(path.display(), why);
    let meta = std::fs::metadata(path).map_err(|why| Error::system(path.display(), why))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(wrong("others may read it: its mode must be 600"));
    }
    if meta.len() > MAX {
        return Err(wrong("it is too long for a key file"));
    }
    let text = std::fs::read(path).map_err(|why| Error::system(path.display(), why))?;
    let text = Zeroizing::new(text);
    let written: Written =
        serde_json::from_slice(&text).map_err(|_| wrong("it is no key file: see `zeugma keys`"))?;
    if written.format != "zeugma-key-1" || written.kind != "account" {
        return Err(wrong("it is not the key of an account"));
    }
    let secret = Zeroizing::new(written.secret);
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(secret.as_bytes(), &mut *seed)
        .map_err(|_| wrong("its secret is not 32 bytes in hexadecimal"))?;
    let key = SecretKey::from_seed(&seed);
    if hex::encode(key.public().as_bytes()) != written.public {
        return Err(wrong("its public key is not that of its secret"));
    }
    Ok(key)
}
