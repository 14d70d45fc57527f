//! Consensus: the engine's generic parameters fixed once, our block in its traits, the clock, the epochs.

mod block;
mod clock;
mod epochs;
mod observed;

pub(crate) use block::body_root;
pub use block::{Block, MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS};
pub(crate) use clock::Clocked;
pub(crate) use epochs::Epochs;
use observed::Observed;
pub(crate) use observed::Tips;

use commonware_consensus::marshal;
use commonware_consensus::marshal::standard::Standard;
use commonware_consensus::simplex::{scheme::bls12381_threshold::standard, types};
use commonware_cryptography::bls12381::primitives::variant::MinSig;
use commonware_cryptography::{ed25519, sha256};
use std::time::Duration;
use zeugma_proof::Certificate;
use zeugma_types::{Epoch, View};

/// The engine's digest; of a block it is the header's digest.
pub type Digest = sha256::Digest;
/// A validator's key in the engine.
pub type PublicKey = ed25519::PublicKey;
/// Threshold signatures of the committee: 48 bytes whatever its size.
pub type Scheme = standard::Scheme<PublicKey, MinSig>;
/// Where in consensus a block was proposed.
pub type Context = types::Context<Digest, PublicKey>;
/// A certificate in the engine's words.
pub type Finalization = types::Finalization<Scheme, Digest>;
/// Where finalized blocks are asked for.
pub(crate) type MarshalMailbox = marshal::core::Mailbox<Scheme, Standard<Block>>;

/// An idle chain makes a block this long after its parent.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// The published bound on the error of clocks: a new proposal further behind a voter's clock gets no vote.
pub const CLOCK_ERROR: Duration = Duration::from_secs(5);
/// A leader that proposed nothing by then is skipped. Longer than the heartbeat, or an idle leader would be.
pub(crate) const LEADER_TIMEOUT: Duration = Duration::from_millis(2_500);
/// A view that certified nothing by then is skipped.
pub(crate) const CERTIFICATION_TIMEOUT: Duration = Duration::from_secs(4);

/// What the node asks of a runtime. The production runtime and the deterministic one both give it.
pub trait Runtime:
    commonware_runtime::Spawner
    + commonware_runtime::Clock
    + commonware_runtime::Metrics
    + commonware_runtime::Storage
    + rand_core::CryptoRng
    + Sync
{
}

impl<T> Runtime for T where
    T: commonware_runtime::Spawner
        + commonware_runtime::Clock
        + commonware_runtime::Metrics
        + commonware_runtime::Storage
        + rand_core::CryptoRng
        + Sync
{
}

/// The engine's finalization as the certificate that everyone else reads.
pub(crate) fn certificate(finalization: &Finalization) -> Option<Certificate> {
    use commonware_codec::Encode as _;
    let proposal = &finalization.proposal;
    let signature: [u8; 48] = finalization.certificate.encode().as_ref().try_into().ok()?;
    Some(Certificate {
        epoch: Epoch::new(proposal.round.epoch().get()),
        view: View::new(proposal.round.view().get()),
        parent_view: View::new(proposal.parent.get()),
        signature,
    })
}
