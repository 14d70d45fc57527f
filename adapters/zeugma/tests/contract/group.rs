//! A group key that is really shared: the engine's own library deals it and signs with its shares.
//!
//! A verifier sees one signature and one key, never who signed. What a quorum means to it is that shares below the
//! threshold lead to another point; so the threshold is tried with shares, not with a list of signers.

use commonware_codec::Encode as _;
use commonware_cryptography::bls12381::dkg::feldman_desmedt::deal_anonymous;
use commonware_cryptography::bls12381::primitives::group::Share;
use commonware_cryptography::bls12381::primitives::ops::threshold::{recover, sign_message};
use commonware_cryptography::bls12381::primitives::sharing::{Mode, Sharing};
use commonware_cryptography::bls12381::primitives::variant::{MinSig, PartialSignature};
use commonware_parallel::Sequential;
use commonware_utils::{Faults, Participant};
use rand_core::SeedableRng as _;
use std::num::NonZeroU32;
use zeugma_proof::{Certificate, GroupKey, Header};

/// Shares that are enough, whatever the number of members.
struct Enough<const SHARES: u32>;

impl<const SHARES: u32> Faults for Enough<SHARES> {
    fn max_faults(members: impl num_traits::ToPrimitive) -> u32 {
        members.to_u32().expect("few members") - SHARES
    }
}

/// A key of `members`, any `shares` of whom can sign.
fn deal(members: u32, shares: u32) -> (Sharing<MinSig>, Vec<Share>) {
    macro_rules! by_number {
        ($($number:literal)*) => {
            match shares {
                $($number => deal_anonymous::<MinSig, Enough<$number>>,)*
                other => panic!("{other} shares"),
            }
        };
    }
    let rng = rand_chacha::ChaCha20Rng::seed_from_u64(u64::from(members) << 32 | u64::from(shares));
    let members = NonZeroU32::new(members).expect("a group has members");
    by_number!(1 2 3 4 5 6 7 8 9 10 11 12 13)(rng, Mode::NonZeroCounter, members)
}

/// A committee's key and shares.
pub(crate) struct Group {
    pub(crate) key: GroupKey,
    members: u32,
    shares: Vec<Share>,
}

impl Group {
    /// The key of a committee of `members`: `n - (n - 1) / 3` of them can sign, as many as the engine counts.
    pub(crate) fn of(members: usize) -> Self {
        let members = u32::try_from(members).expect("few members");
        let (sharing, shares) = deal(members, members - (members - 1) / 3);
        let key: [u8; 96] = sharing.public().encode().as_ref().try_into().expect("a compressed point of G2");
        Self { key: GroupKey::parse(&key).expect("a dealt key"), members, shares }
    }

    /// What the shares of these members lead to, each in the place of the member beside it: a signature of the group
    /// only when there are enough and each is in its own place.
    pub(crate) fn certify_in_places(&self, header: &Header, signers: &[(usize, usize)]) -> Certificate {
        let mut certificate = Certificate {
            epoch: header.epoch,
            view: header.context.view,
            parent_view: header.context.parent_view,
            signature: [0; 48],
        };
        // The point at infinity, which is what nobody signs.
        certificate.signature[0] = 0xc0;
        if signers.is_empty() {
            return certificate;
        }
        let signed = certificate.signed_bytes(&header.network, &header.digest());
        // The engine puts the length of the namespace first: one byte here.
        let (namespace, message) = signed[1..].split_at(usize::from(signed[0]));
        let partials: Vec<_> = signers
            .iter()
            .map(|(signer, place)| PartialSignature {
                index: Participant::new(u32::try_from(*place).expect("few members")),
                value: sign_message::<MinSig>(&self.shares[*signer], namespace, message).value,
            })
            .collect();
        // A sharing of another key that asks for no more shares than there are: interpolation is all it is used for.
        let (lenient, _) = deal(self.members, u32::try_from(signers.len()).expect("few members"));
        let found =
            recover::<MinSig, _>(&lenient, &partials, &Sequential).expect("as many shares as asked for");
        certificate.signature = found.encode().as_ref().try_into().expect("a compressed point of G1");
        certificate
    }

    /// What the shares of the first `signers` lead to.
    pub(crate) fn certify(&self, header: &Header, signers: usize) -> Certificate {
        let signers: Vec<_> = (0..signers).map(|signer| (signer, signer)).collect();
        self.certify_in_places(header, &signers)
    }
}
