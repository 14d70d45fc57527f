//! Key files: one Ed25519 key of an account or of a node.
//!
//! The file is JSON of mode 0600: format, kind, public key, secret seed. One that others may read is
//! refused, and so is one whose public key is not that of its secret. The secret is never shown.

use crate::failure::{Failure, Rule};
use crate::files::{self, Readers};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};
use zeugma_crypto::ed25519::SecretKey;
use zeugma_crypto::hash::framed;
use zeugma_types::{AccountId, Purpose};

const FORMAT: &str = "zeugma-key-1";
/// Longest key file, in bytes: twice what is written.
const MAX: usize = 512;

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// An account: signs transactions.
    Account,
    /// A node: its name in the network, and its vote.
    Node,
}

impl Kind {
    /// The name in words and JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Node => "node",
        }
    }
}

/// A key that was made or read.
#[derive(Debug)]
pub(crate) struct Key {
    /// Whose key it is.
    pub(crate) kind: Kind,
    secret: SecretKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    kind: Kind,
    public: String,
    secret: String,
}

impl Drop for Written {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// Thirty-two secret bytes from the system.
pub(crate) fn random() -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|why| {
        let what = format!("the system gives no randomness: {why}");
        Failure::usage(what, "try again once the system has started; see man 4 random")
    })?;
    Ok(bytes)
}

impl Key {
    /// A new key from the system's randomness.
    pub(crate) fn generate(kind: Kind) -> Result<Self, Failure> {
        Ok(Self { kind, secret: SecretKey::from_seed(&*random()?) })
    }

    /// The public key.
    pub(crate) fn public(&self) -> [u8; 32] {
        *self.secret.public().as_bytes()
    }

    /// The key itself, to sign with.
    pub(crate) const fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// The account that this key signs for.
    pub(crate) fn account(&self) -> AccountId {
        AccountId::new(framed(Purpose::Account, &[&self.public()]))
    }

    /// Writes the key to a file that was not there.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let written = Written {
            format: FORMAT.to_owned(),
            kind: self.kind,
            public: hex::encode(self.public()),
            secret: hex::encode(self.secret.expose().as_slice()),
        };
        let mut text = serde_json::to_vec_pretty(&written).expect("a key file has only text");
        text.push(b'\n');
        files::write_new(path, &Zeroizing::new(text), Readers::Owner)
    }

    /// Reads a key file that only its owner may read.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let meta = std::fs::metadata(path).map_err(|why| Failure::unreadable(path, &why))?;
        let mode = meta.mode() & 0o777;
        if mode & 0o077 != 0 {
            let what = format!("its mode is {mode:o}, needed 600");
            return Err(Failure::own(Rule::OpenToOthers, &shown, what, format!("chmod 600 {shown}")));
        }
        let bytes = Zeroizing::new(files::read(path, MAX)?);
        let refuse = |what: &str| {
            let todo = "make one: zeugma keys new account --out FILE";
            Failure::own(Rule::NotKeyFile, path.display(), what, todo)
        };
        // Neither the bytes nor the parser's words go into an error: they may hold the secret.
        let written: Written = match serde_json::from_slice(&bytes) {
            Ok(written) if bytes.len() <= MAX => written,
            _ => return Err(refuse("it is not JSON of the form format, kind, public, secret")),
        };
        if written.format != FORMAT {
            return Err(refuse("its format is not zeugma-key-1"));
        }
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(&written.secret, &mut *seed)
            .map_err(|_| refuse("its secret is not 64 hexadecimal digits"))?;
        let key = Self { kind: written.kind, secret: SecretKey::from_seed(&seed) };
        if written.public != hex::encode(key.public()) {
            return Err(refuse("its public key is not that of its secret"));
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_read_back_and_does_not_print() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        let key = Key::generate(Kind::Account).unwrap();
        key.write(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let read = Key::read(&path).unwrap();
        assert_eq!((read.kind, read.public()), (Kind::Account, key.public()));
        assert!(!format!("{read:?}").contains(&hex::encode(key.secret.expose().as_slice())));
        key.write(&path).unwrap_err();
    }

    #[test]
    fn a_key_that_others_may_read_or_whose_halves_differ_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        Key::generate(Kind::Node).unwrap().write(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let Failure::Refused(_) = Key::read(&path).unwrap_err() else { panic!("not refused") };
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let other = hex::encode(Key::generate(Kind::Node).unwrap().public());
        let mine = hex::encode(Key::read(&path).unwrap().public());
        std::fs::write(&path, text.replace(&mine, &other)).unwrap();
        Key::read(&path).unwrap_err();
    }
}
