//! Identifiers that are not digests of ours.

use crate::codec::{Decode, Encode, Reader, put_bytes};
use crate::refusal::{Code, Refusal};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Identifier of a light client, as ICS-24 writes it: 4 to 64 characters of
/// `a-z A-Z 0-9 . _ + - # [ ] < >`.
///
/// Source: ICS-24, "Paths, Identifiers, Separators".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Longest identifier, in bytes.
    pub const MAX: usize = 64;

    /// # Errors
    /// [`Code::BadIdentifier`] for another length or another character.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let fits = (4..=Self::MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-#[]<>".contains(&byte));
        if !fits {
            return Err(Refusal::new(Code::BadIdentifier).needed("4 to 64 of [a-zA-Z0-9._+-#<>] or brackets"));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Encode for ClientId {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.0.as_bytes());
    }
}

impl Decode for ClientId {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let bytes = reader.bytes(Self::MAX)?;
        Self::new(core::str::from_utf8(bytes).map_err(|_| Refusal::new(Code::BadText))?)
    }
}

/// Names an account: the digest of its public key under [`crate::Purpose::Account`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 32]);

impl AccountId {
    /// Wraps the digest of a public key.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

impl Encode for AccountId {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for AccountId {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.array().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_identifier_keeps_the_rules_of_ics_24() {
        assert!(ClientId::new("07-tendermint-0").is_ok());
        for bad in ["abc", "with space", "slash/ed", &"x".repeat(65), "umlaut-ä"] {
            assert_eq!(ClientId::new(bad).unwrap_err().code, Code::BadIdentifier, "{bad}");
        }
    }
}
