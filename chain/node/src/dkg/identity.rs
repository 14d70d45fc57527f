//! A node's identity, from its file: what `zeugma keys new node` writes, or the bare seed.
//!
//! ```text
//! {"format": "zeugma-key-1", "kind": "node", "public": 64 hex digits, "secret": 64 hex digits}
//! 64 hex digits
//! ```
//!
//! Neither the bytes nor a parser's words go into an error: they may hold the secret.

use super::keyfile::read_secret;
use bytes::Bytes;
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_cryptography::{Signer as _, ed25519};
use serde::Deserialize;
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// The form of a key file.
const FORMAT: &str = "zeugma-key-1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    kind: String,
    public: String,
    secret: String,
}

impl Drop for Written {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// Reads a node's identity: the key file of a node, or its Ed25519 seed of 32 bytes in 64 hexadecimal digits.
///
/// # Errors
/// In words, with what to do; when others than the owner may read the file, too.
pub fn read_identity(path: &Path) -> Result<ed25519::PrivateKey, String> {
    let bytes = read_secret(path)?;
    parse(&bytes).map_err(|why| format!("{}: {why}", path.display()))
}

fn parse(bytes: &[u8]) -> Result<ed25519::PrivateKey, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text")?;
    if !text.trim_start().starts_with('{') {
        return key(text.trim()).ok_or_else(|| {
            "it is neither a key file nor 64 hexadecimal digits; make one: zeugma keys new node --out FILE".into()
        });
    }
    let written: Written = serde_json::from_str(text).map_err(
        |_| "it is JSON, not of the form format, kind, public, secret; zeugma keys new node makes one",
    )?;
    if written.format != FORMAT {
        return Err(format!("its format is not {FORMAT}; zeugma keys new node makes one"));
    }
    if written.kind != "node" {
        return Err(
            "it is the key of an account, needed is that of a node: zeugma keys new node --out FILE".into()
        );
    }
    let key = key(&written.secret).ok_or("its secret is not 64 hexadecimal digits")?;
    if written.public != hex::encode(key.public_key().encode()) {
        return Err("its public key is not that of its secret; restore it from a backup".into());
    }
    Ok(key)
}

fn key(digits: &str) -> Option<ed25519::PrivateKey> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(digits, seed.as_mut_slice()).ok()?;
    ed25519::PrivateKey::decode(Bytes::copy_from_slice(seed.as_slice())).ok()
}

#[cfg(test)]
mod tests {
    use super::super::write_secret;
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    // RFC 8032, section 7.1, test 1.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    fn file(kind: &str, public: &str) -> String {
        format!(r#"{{"format": "zeugma-key-1", "kind": "{kind}", "public": "{public}", "secret": "{SEED}"}}"#)
    }

    #[test]
    fn a_key_file_and_a_bare_seed_are_one_identity() {
        for text in [SEED.to_owned(), format!("{SEED}\n"), file("node", PUBLIC)] {
            assert_eq!(hex::encode(parse(text.as_bytes()).unwrap().public_key().encode()), PUBLIC);
        }
    }

    #[test]
    fn another_kind_another_key_and_another_form_are_refused_without_the_secret() {
        let other = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        let told = |text: &str| parse(text.as_bytes()).unwrap_err();
        for (text, words) in [
            (file("account", PUBLIC), "the key of an account"),
            (file("node", other), "not that of its secret"),
            (file("node", PUBLIC).replace("key-1", "key-2"), "its format"),
            (format!("{{\"secret\": \"{SEED}\"}}"), "not of the form"),
            (SEED[1..].to_owned(), "neither a key file"),
        ] {
            let why = told(&text);
            assert!(why.contains(words) && !why.contains(&SEED[1..9]), "{why}");
        }
    }

    #[test]
    fn a_secret_is_written_whole_once_for_its_owner_and_refused_when_others_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.key");
        write_secret(&path, SEED.as_bytes()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        read_identity(&path).unwrap();
        write_secret(&path, b"other").unwrap_err();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), SEED, "it was replaced");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file stayed");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read_identity(&path).unwrap_err().contains("chmod 600"));
    }
}
