//! The file of tokens, `tokens.json` in the service's folder: what each opens, until when, and its digest. A token itself
//! is shown once, when it is made, and stands nowhere.
//!
//! It is written in place, whole and synced, by whoever holds the lock beside it: the service, or
//! `zeugma evidence token` while the service runs.

use super::Role;
use crate::files::{self, Readers};
use crate::keys::random;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use zeugma_crypto::hash::sha256;
use zeugma_types::BlockTime;

const FORMAT: &str = "zeugma-evidence-tokens-1";
/// Most tokens of one service: every one is compared with each that is shown.
const MOST: usize = 4_096;
/// Longest name of a tenant and longest pseudonym, in bytes.
const LONGEST_NAME: usize = 128;
/// Longest file, in bytes: the most tokens, each with the longest names, escaped.
const LONGEST: u64 = 16 * 1024 * 1024;
/// Bytes of a token's name, of its digest's first.
const ID: usize = 6;

/// Why the tokens cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// The file cannot be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// It is no file of tokens.
    #[error("{} is not a file of tokens: {why}", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// No token has this name.
    #[error("there is no token {0}")]
    Unknown(String),
    /// It cannot be added.
    #[error("{0}")]
    Refused(String),
    /// No randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// One token, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRow {
    /// Its name, which is no secret.
    pub id: String,
    /// The tenant that it opens.
    pub tenant: String,
    /// What entries deposited with it call their submitter.
    pub pseudonym: String,
    /// In which role.
    pub role: Role,
    /// SHA-256 of the token, in hex.
    pub sha256: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub made_at: u64,
    /// From when on it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<u64>,
}

impl TokenRow {
    /// The token as it is shown: without its digest.
    #[must_use]
    pub fn shown(&self) -> serde_json::Value {
        serde_json::json!({
            "id": self.id,
            "tenant": self.tenant,
            "pseudonym": self.pseudonym,
            "role": self.role.name(),
            "made_at": self.made_at,
            "expires_at": self.expires_at,
            "revoked_at": self.revoked_at,
        })
    }
}

/// What a new token is to open.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its tenant.
    pub tenant: String,
    /// What entries call it.
    pub pseudonym: String,
    /// Its role.
    pub role: Role,
    /// When it is made.
    pub made_at: BlockTime,
    /// From when on it opens nothing; `None`: it does until it is revoked.
    pub expires_at: Option<BlockTime>,
}

/// A token that was just made.
#[derive(Clone, Debug)]
pub struct Issued {
    /// As it is kept.
    pub row: TokenRow,
    /// The token: 32 random bytes in hex, told this once.
    pub token: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    tokens: Vec<TokenRow>,
}

/// By what a changed file is told from the one that was read: a replacement has another inode or another time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp(Option<[u64; 6]>);

/// The file of tokens of one service.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    /// In the service's folder. It need not be there: then there are no tokens.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("tokens.json") }
    }

    fn failed(&self, why: io::Error) -> TokensError {
        TokensError::File { path: self.path.clone(), why }
    }

    pub(super) fn stamp(&self) -> Stamp {
        let of = |file: std::fs::Metadata| {
            let times =
                [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()].map(i64::cast_unsigned);
            [file.ino(), file.len(), times[0], times[1], times[2], times[3]]
        };
        Stamp(std::fs::metadata(&self.path).ok().map(of))
    }

    /// All of them, in the order in which they were made.
    ///
    /// # Errors
    /// [`TokensError::File`], [`TokensError::Broken`].
    pub fn rows(&self) -> Result<Vec<TokenRow>, TokensError> {
        let bytes = files::read(&self.path, LONGEST).map_err(|why| self.failed(why))?;
        let Some(bytes) = bytes else { return Ok(Vec::new()) };
        let broken = |why: String| TokensError::Broken { path: self.path.clone(), why };
        let written: Written = serde_json::from_slice(&bytes).map_err(|why| broken(why.to_string()))?;
        if written.format != FORMAT {
            return Err(broken(format!("format {FORMAT} is asked, found {}", written.format)));
        }
        if written.tokens.len() > MOST {
            return Err(broken(format!("at most {MOST} tokens are asked, found {}", written.tokens.len())));
        }
        for row in &written.tokens {
            let mut digest = [0; 32];
            if hex::decode_to_slice(&row.sha256, &mut digest).is_err() {
                return Err(broken(format!(
                    "token {}: sha256 is 64 hex digits, found {:?}",
                    row.id, row.sha256
                )));
            }
        }
        Ok(written.tokens)
    }

    /// Makes a token. It counts when this returns.
    ///
    /// # Errors
    /// [`TokensError`]; then there is no new token.
    pub fn add(&self, grant: Grant) -> Result<Issued, TokensError> {
        for (what, name) in [("tenant", &grant.tenant), ("pseudonym", &grant.pseudonym)] {
            if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
                let rule = format!("a {what} has 1 to {LONGEST_NAME} bytes and no control characters");
                return Err(TokensError::Refused(format!("{rule}, found {name:?}")));
            }
        }
        let token = hex::encode(random().map_err(TokensError::Random)?);
        let digest = sha256(&[token.as_bytes()]);
        let row = TokenRow {
            id: hex::encode(&digest[..ID]),
            tenant: grant.tenant,
            pseudonym: grant.pseudonym,
            role: grant.role,
            sha256: hex::encode(digest),
            made_at: grant.made_at.get(),
            expires_at: grant.expires_at.map(BlockTime::get),
            revoked_at: None,
        };
        self.change(|rows| {
            if rows.len() >= MOST {
                let now = row.made_at;
                let ended = |row: &TokenRow| {
                    row.revoked_at.is_some() || row.expires_at.is_some_and(|expires_at| expires_at <= now)
                };
                // The one that ended and was made first says least; without one there is no room.
                let first = rows.iter().position(ended);
                let full = || {
                    TokensError::Refused(format!("there are {MOST} tokens that open something: revoke one"))
                };
                rows.remove(first.ok_or_else(full)?);
            }
            rows.push(row.clone());
            Ok(())
        })?;
        Ok(Issued { row, token })
    }

    /// Revokes a token by its name; one that is revoked stays as it was. It counts when this returns.
    ///
    /// # Errors
    /// [`TokensError`].
    pub fn revoke(&self, id: &str, at: BlockTime) -> Result<TokenRow, TokensError> {
        self.change(|rows| {
            let row = rows.iter_mut().find(|row| row.id == id);
            let row = row.ok_or_else(|| TokensError::Unknown(id.to_owned()))?;
            row.revoked_at.get_or_insert(at.get());
            Ok(row.clone())
        })
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<TokenRow>) -> Result<T, TokensError>,
    ) -> Result<T, TokensError> {
        // Held until it is dropped: of two who change it at once the second reads what the first wrote.
        let _lock = self.lock().map_err(|why| self.failed(why))?;
        let mut rows = self.rows()?;
        let result = change(&mut rows)?;
        let written = Written { format: FORMAT.to_owned(), tokens: rows };
        let bytes = serde_json::to_vec_pretty(&written).map_err(|why| self.failed(why.into()))?;
        files::replace(&self.path, &bytes, Readers::Owner).map_err(|why| self.failed(why))?;
        Ok(result)
    }

    fn lock(&self) -> io::Result<File> {
        let path = self.path.with_extension("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(tenant: &str) -> Grant {
        Grant {
            tenant: tenant.to_owned(),
            pseudonym: "p".to_owned(),
            role: Role::Clerk,
            made_at: BlockTime::new(5),
            expires_at: None,
        }
    }

    #[test]
    fn the_file_holds_the_digest_and_never_the_token_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::in_folder(folder.path());
        assert_eq!(file.rows().unwrap(), []);
        let Issued { row, token } = file.add(grant("a")).unwrap();
        let text = std::fs::read_to_string(folder.path().join("tokens.json")).unwrap();
        assert!(!text.contains(&token) && text.contains(&hex::encode(sha256(&[token.as_bytes()]))), "{text}");
        assert_eq!(std::fs::metadata(folder.path().join("tokens.json")).unwrap().mode() & 0o777, 0o600);
        assert_eq!(file.rows().unwrap(), std::slice::from_ref(&row));
        let revoked = file.revoke(&row.id, BlockTime::new(9)).unwrap();
        assert_eq!(file.revoke(&row.id, BlockTime::new(99)).unwrap(), revoked, "the first time stays");
        assert!(matches!(file.revoke("none", BlockTime::new(9)), Err(TokensError::Unknown(_))));
        for name in ["", "a\nb", &"x".repeat(129)] {
            assert!(matches!(file.add(grant(name)), Err(TokensError::Refused(_))), "{name:?}");
        }
    }

    #[test]
    fn of_many_who_change_it_at_once_nobody_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let file = TokenFile::in_folder(folder.path());
                std::thread::spawn(move || file.add(grant(&format!("t{n}"))).unwrap())
            })
            .collect();
        let made: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap().row.id).collect();
        let rows = TokenFile::in_folder(folder.path()).rows().unwrap();
        assert_eq!(rows.len(), 8);
        assert!(made.iter().all(|id| rows.iter().any(|row| row.id == *id)));
    }
}
