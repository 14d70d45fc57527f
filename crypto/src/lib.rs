//! Hashes, signatures and the one quorum tally: what everything else here trusts.
//!
//! Functions of bytes only. Nothing in this crate reads a clock, draws a random number or panics on
//! bytes from outside: what is not right is refused with a code of [`zeugma_types::refusal`]. A key is
//! parsed once, by the only function that can make its type, and then verifies as often as needed.
//!
//! | module | what | source |
//! |---|---|---|
//! | [`hash`] | SHA-256, SM3, Keccak-256, framed by a purpose | FIPS 180-4, GB/T 32905 |
//! | [`bls`] | BLS12-381, keys in G1 or G2 | draft-irtf-cfrg-bls-signature |
//! | [`ed25519`] | two named rules, and batches | RFC 8032, ZIP 215 |
//! | [`ecdsa`] | secp256k1 and P-256 | SEC 1, FIPS 186-5 |
//! | [`sm2`] | SM2 with SM3 | GB/T 32918.2 |
//! | [`mldsa44`] | ML-DSA-44 | FIPS 204 |
//! | [`seal`] | the second seal, whatever its suite | DESIGN, section 1 |
//! | [`refused`] | which algorithms are accepted, and which are refused by name | |
//! | [`tally`] | whether the signers are a quorum | the rule of each family |
//!
//! Whoever holds a secret key signs through a [`zeugma_types::Purpose`]: no function of the product
//! signs bare bytes. Secret keys are erased when dropped and do not print.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(test)]
extern crate std;

pub mod bls;
pub mod ecdsa;
pub mod ed25519;
pub mod hash;
pub mod mldsa44;
pub mod refused;
pub mod seal;
pub mod sm2;
pub mod tally;
