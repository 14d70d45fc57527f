//! A dealer, for trials only: it knows the whole key and could sign alone.

use super::KeyFile;
use crate::consensus::PublicKey;
use commonware_codec::Encode as _;
use commonware_cryptography::bls12381::dkg::feldman_desmedt::deal;
use commonware_cryptography::bls12381::primitives::{sharing::Mode, variant::MinSig};
use commonware_utils::N3f1;
use rand_core::SeedableRng as _;
use zeugma_ledger::Genesis;
use zeugma_proof::KeyOrigin;
use zeugma_types::Era;

/// Deals a group key to the validators of `genesis`, in their order. The key is marked so that every verifier
/// warns of it.
///
/// # Errors
/// In words, when the genesis names validators to whom no key can be dealt.
pub fn insecure_dealer(genesis: &Genesis, seed: [u8; 32]) -> Result<Vec<KeyFile>, String> {
    let members = crate::members(genesis)?;
    let rng = rand_chacha::ChaCha20Rng::from_seed(seed);
    let (output, shares) = deal::<MinSig, PublicKey, N3f1>(rng, Mode::NonZeroCounter, members.clone())
        .map_err(|error| format!("no key for these validators: {error}"))?;
    let network = genesis.network();
    members
        .iter()
        .map(|member| {
            let share = shares.get_value(member).ok_or("a validator got no share")?;
            Ok(KeyFile {
                network,
                era: Era::ZERO,
                origin: KeyOrigin::InsecureDealer,
                polynomial: output.public().encode().to_vec(),
                share: share.encode().to_vec(),
            })
        })
        .collect()
}
