//! Hashes of the suites, over parts as if they were joined.
//!
//! Parts are not delimited: a caller whose parts could be cut elsewhere encodes them first. Digests of
//! our own begin with the frame of their [`Purpose`], so that bytes hashed for one never count for
//! another.
//!
//! Source: FIPS 180-4 (SHA-256), GB/T 32905-2016 (SM3), the Keccak submission as Ethereum uses it
//! (padding 0x01, not the 0x06 of SHA-3).

use sha2::Digest;
use zeugma_types::{HashSuite, Purpose};

/// SHA-256 of the parts, joined.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    joined::<sha2::Sha256>(parts)
}

/// SM3 of the parts, joined.
#[must_use]
pub fn sm3(parts: &[&[u8]]) -> [u8; 32] {
    joined::<sm3::Sm3>(parts)
}

/// Keccak-256 of the parts, joined.
#[must_use]
pub fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    joined::<sha3::Keccak256>(parts)
}

/// The hash of `suite` of the parts, joined.
#[must_use]
pub fn hash(suite: HashSuite, parts: &[&[u8]]) -> [u8; 32] {
    match suite {
        HashSuite::Sha256 => sha256(parts),
        HashSuite::Sm3 => sm3(parts),
    }
}

/// SHA-256 of the frame of `purpose`, then of the parts.
#[must_use]
pub fn framed(purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
    framed_with(HashSuite::Sha256, purpose, parts)
}

/// The hash of `suite` of the frame of `purpose`, then of the parts.
#[must_use]
pub fn framed_with(suite: HashSuite, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Hasher::new(suite);
    hasher.update(&purpose.frame());
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

/// A hash that takes its bytes as they come.
#[derive(Clone, Debug)]
pub struct Hasher(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Sha256(sha2::Sha256),
    Sm3(sm3::Sm3),
}

impl Hasher {
    /// Starts the hash of `suite`.
    #[must_use]
    pub fn new(suite: HashSuite) -> Self {
        Self(match suite {
            HashSuite::Sha256 => Inner::Sha256(sha2::Sha256::new()),
            HashSuite::Sm3 => Inner::Sm3(sm3::Sm3::new()),
        })
    }

    /// Adds `bytes` at the end.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Inner::Sha256(hasher) => hasher.update(bytes),
            Inner::Sm3(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of all bytes added.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        match self.0 {
            Inner::Sha256(hasher) => hasher.finalize().into(),
            Inner::Sm3(hasher) => hasher.finalize().into(),
        }
    }
}

/// SHA-512 of the parts, joined: the challenge of Ed25519 and the transcript of a batch.
pub(crate) fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hasher = sha2::Sha512::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn joined<D: Digest<OutputSize = sha2::digest::typenum::U32>>(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn each_hash_gives_the_published_digest_of_abc() {
        // FIPS 180-4 example, GB/T 32905 appendix A.1, the Keccak team's short message tests.
        assert_eq!(
            hex(&sha256(&[b"abc"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(hex(&sm3(&[b"abc"])), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
        assert_eq!(
            hex(&keccak256(&[b"abc"])),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
        );
    }

    #[test]
    fn parts_hash_as_their_concatenation_and_as_they_come() {
        for suite in HashSuite::ALL {
            let whole = hash(*suite, &[b"one two"]);
            assert_eq!(hash(*suite, &[b"one", b"", b" two"]), whole);
            let mut hasher = Hasher::new(*suite);
            hasher.update(b"one ");
            hasher.update(b"two");
            assert_eq!(hasher.finish(), whole);
        }
    }

    #[test]
    fn equal_parts_under_two_purposes_have_two_digests() {
        let header = framed(Purpose::Header, &[b"x"]);
        assert_ne!(header, framed(Purpose::Seal, &[b"x"]));
        assert_ne!(header, framed_with(HashSuite::Sm3, Purpose::Header, &[b"x"]));
        assert_eq!(header, sha256(&[&Purpose::Header.frame(), b"x"]));
    }
}
