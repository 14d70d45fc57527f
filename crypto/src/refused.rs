//! Algorithms by name or object identifier: which this crate accepts, and which are refused by name.
//!
//! SHA-1 and MD5 no longer show that a document is the one that was signed, so nothing that names them
//! is believed, however it is spelled. A name this table does not hold is not accepted either.
//!
//! Source: the registered object identifiers (RFC 3279, RFC 5480, RFC 5754, RFC 8410, RFC 9881,
//! GM/T 0006); refusal of SHA-1 and MD5: RFC 9155, NIST SP 800-131A.

use alloc::string::String;
use zeugma_types::{Code, Refusal};

/// A hash or a signature this crate computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SM3.
    Sm3,
    /// Keccak-256.
    Keccak256,
    /// Ed25519.
    Ed25519,
    /// ECDSA over secp256k1.
    Secp256k1,
    /// ECDSA over P-256.
    P256,
    /// SM2 with SM3.
    Sm2,
    /// BLS12-381.
    Bls12381,
    /// ML-DSA-44.
    MlDsa44,
}

/// Folded names: letters and digits only, lower case. Object identifiers keep their dots.
const ACCEPTED: &[(&str, Algorithm)] = &[
    ("sha256", Algorithm::Sha256),
    ("2.16.840.1.101.3.4.2.1", Algorithm::Sha256),
    ("sm3", Algorithm::Sm3),
    ("1.2.156.10197.1.401", Algorithm::Sm3),
    ("keccak256", Algorithm::Keccak256),
    ("ed25519", Algorithm::Ed25519),
    ("1.3.101.112", Algorithm::Ed25519),
    ("secp256k1", Algorithm::Secp256k1),
    ("1.3.132.0.10", Algorithm::Secp256k1),
    ("p256", Algorithm::P256),
    ("secp256r1", Algorithm::P256),
    ("prime256v1", Algorithm::P256),
    ("1.2.840.10045.3.1.7", Algorithm::P256),
    ("sm2", Algorithm::Sm2),
    ("1.2.156.10197.1.301", Algorithm::Sm2),
    ("sm2withsm3", Algorithm::Sm2),
    ("1.2.156.10197.1.501", Algorithm::Sm2),
    ("bls12381", Algorithm::Bls12381),
    ("mldsa44", Algorithm::MlDsa44),
    ("2.16.840.1.101.3.4.3.17", Algorithm::MlDsa44),
];

/// Object identifiers of SHA-1, MD5, and the signatures over them.
const REFUSED: &[&str] = &[
    "1.3.14.3.2.26",
    "1.3.14.3.2.29",
    "1.3.14.3.2.27",
    "1.2.840.113549.2.5",
    "1.2.840.113549.1.1.4",
    "1.2.840.113549.1.1.5",
    "1.2.840.10040.4.3",
    "1.2.840.10045.4.1",
    "1.2.840.113549.2.7",
    "1.2.840.113549.2.6",
];

/// The algorithm of a name, in any spelling of case and separators, or of a dotted object identifier.
///
/// # Errors
/// [`Code::RefusedAlgorithm`] for whatever names SHA-1 or MD5, [`Code::UnknownTag`] for a name that is
/// not in the table.
pub fn algorithm(name: &str) -> Result<Algorithm, Refusal> {
    // No name of the table is longer; a longer one is not worth folding.
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return Err(Refusal::new(Code::TooLong).needed(LONGEST).found(name.len()));
    }
    let is_identifier = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let folded: String = name
        .chars()
        .filter(|letter| letter.is_alphanumeric() || (is_identifier && *letter == '.'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let weak = if is_identifier {
        REFUSED.contains(&folded.as_str())
    } else {
        folded.contains("sha1") || folded.contains("md5")
    };
    if weak {
        return Err(Refusal::new(Code::RefusedAlgorithm).found(String::from(name)));
    }
    let known = ACCEPTED.iter().find(|(accepted, _)| *accepted == folded);
    known
        .map(|(_, algorithm)| *algorithm)
        .ok_or_else(|| Refusal::new(Code::UnknownTag).found(String::from(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_names_sha1_or_md5_is_refused_by_name() {
        for name in
            ["SHA-1", "sha1", "SHA_1", "MD5", "md-5", "sha1WithRSAEncryption", "HMAC-SHA1", "1.3.14.3.2.26"]
        {
            let refusal = algorithm(name).unwrap_err();
            assert_eq!(refusal, Refusal::new(Code::RefusedAlgorithm).found(String::from(name)));
        }
        for identifier in REFUSED {
            assert_eq!(algorithm(identifier).unwrap_err().code, Code::RefusedAlgorithm);
        }
    }

    #[test]
    fn accepted_names_are_found_in_any_spelling_and_others_are_unknown() {
        for (name, expected) in ACCEPTED {
            assert_eq!(algorithm(name).unwrap(), *expected);
            assert_eq!(algorithm(&name.to_ascii_uppercase()).unwrap(), *expected);
        }
        assert_eq!(algorithm("ML-DSA-44").unwrap(), Algorithm::MlDsa44);
        // SHA-128 does not exist, SHA-512 is not computed here, and "sha" alone says nothing.
        for name in ["", "sha", "sha512", "2.16.840.1.101.3.4.2.3", "1.3.14.3.2.2.6", "sha256\u{301}x"] {
            assert_eq!(algorithm(name).unwrap_err().code, Code::UnknownTag, "{name}");
        }
        assert_eq!(algorithm(&"x".repeat(65)).unwrap_err().code, Code::TooLong);
    }
}
