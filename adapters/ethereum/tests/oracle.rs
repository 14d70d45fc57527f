//! Judged by published libraries, which share no code with ours.

use alloy_primitives::{B256, Bytes};
use alloy_trie::Nibbles;
use eth_trie::{EthTrie, MemoryDB, Trie as _};
use proptest::prelude::*;
use ssz::{Decode as _, Encode as _};
use ssz_derive::{Decode, Encode};
use ssz_types::typenum::{U4, U6, U7, U11, U20, U32, U48, U96, U256};
use ssz_types::{BitVector, FixedVector, VariableList};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use tree_hash::TreeHash as _;
use tree_hash_derive::TreeHash;
use zeugma_adapter_ethereum::committee::Keys;
use zeugma_adapter_ethereum::container::{Kind, LightUpdate};
use zeugma_adapter_ethereum::fork::Fork;
use zeugma_adapter_ethereum::header::Execution;
use zeugma_adapter_ethereum::testnet::{Draft, Testnet, Trie, wire};
use zeugma_adapter_ethereum::trie::{Found, walk};
use zeugma_crypto::hash::keccak256;

type Hash = FixedVector<u8, U32>;
type Key = FixedVector<u8, U48>;

#[derive(Clone, Debug, PartialEq, Encode, Decode, TreeHash)]
struct Beacon {
    slot: u64,
    proposer_index: u64,
    parent_root: Hash,
    state_root: Hash,
    body_root: Hash,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode, TreeHash)]
struct Committee {
    pubkeys: FixedVector<Key, U32>,
    aggregate_pubkey: Key,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode, TreeHash)]
struct CapellaPayload {
    parent_hash: Hash,
    fee_recipient: FixedVector<u8, U20>,
    state_root: Hash,
    receipts_root: Hash,
    logs_bloom: FixedVector<u8, U256>,
    prev_randao: Hash,
    block_number: u64,
    gas_limit: u64,
    gas_used: u64,
    timestamp: u64,
    extra_data: VariableList<u8, U32>,
    base_fee_per_gas: Hash,
    block_hash: Hash,
    transactions_root: Hash,
    withdrawals_root: Hash,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode, TreeHash)]
struct DenebPayload {
    parent_hash: Hash,
    fee_recipient: FixedVector<u8, U20>,
    state_root: Hash,
    receipts_root: Hash,
    logs_bloom: FixedVector<u8, U256>,
    prev_randao: Hash,
    block_number: u64,
    gas_limit: u64,
    gas_used: u64,
    timestamp: u64,
    extra_data: VariableList<u8, U32>,
    base_fee_per_gas: Hash,
    block_hash: Hash,
    transactions_root: Hash,
    withdrawals_root: Hash,
    blob_gas_used: u64,
    excess_blob_gas: u64,
}

macro_rules! light {
    ($header:ident, $update:ident, $payload:ty, $next:ty, $finalized:ty) => {
        #[derive(Clone, Debug, PartialEq, Encode, Decode)]
        struct $header {
            beacon: Beacon,
            execution: $payload,
            execution_branch: FixedVector<Hash, U4>,
        }

        #[derive(Clone, Debug, PartialEq, Encode, Decode)]
        struct $update {
            attested_header: $header,
            next_sync_committee: Committee,
            next_sync_committee_branch: FixedVector<Hash, $next>,
            finalized_header: $header,
            finality_branch: FixedVector<Hash, $finalized>,
            sync_committee_bits: BitVector<U32>,
            sync_committee_signature: FixedVector<u8, U96>,
            signature_slot: u64,
        }
    };
}

type U5 = ssz_types::typenum::U5;
light!(CapellaHeader, CapellaUpdate, CapellaPayload, U5, U6);
light!(ElectraHeader, ElectraUpdate, DenebPayload, U6, U7);

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct GloasHeader {
    beacon: Beacon,
    execution_block_hash: Hash,
    execution_branch: FixedVector<Hash, U11>,
}

#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct GloasUpdate {
    attested_header: GloasHeader,
    next_sync_committee: Committee,
    next_sync_committee_branch: FixedVector<Hash, U11>,
    finalized_header: GloasHeader,
    finality_branch: FixedVector<Hash, ssz_types::typenum::U9>,
    sync_committee_bits: BitVector<U32>,
    sync_committee_signature: FixedVector<u8, U96>,
    signature_slot: u64,
}

static NET: LazyLock<Testnet> =
    LazyLock::new(|| Testnet::new(&[(Fork::Capella, 0), (Fork::Electra, 8), (Fork::Gloas, 16)]));

/// A message of each layout: Capella, Electra, Gloas.
static MESSAGES: LazyLock<Vec<(Fork, LightUpdate, Vec<u8>)>> = LazyLock::new(|| {
    [(Fork::Capella, 40), (Fork::Electra, 88), (Fork::Gloas, 152)]
        .into_iter()
        .map(|(fork, attested)| {
            let draft = Draft::new(8, attested - 16, attested, Kind::Full);
            let update = NET.update(&draft).message().clone();
            let bytes = wire::update(&update, Kind::Full, fork);
            (fork, update, bytes)
        })
        .collect()
});

/// What the judge reads and writes again, if it reads it.
fn judged(fork: Fork, bytes: &[u8]) -> Option<Vec<u8>> {
    match fork {
        Fork::Capella => CapellaUpdate::from_ssz_bytes(bytes).ok().map(|update| update.as_ssz_bytes()),
        Fork::Electra => ElectraUpdate::from_ssz_bytes(bytes).ok().map(|update| update.as_ssz_bytes()),
        _ => GloasUpdate::from_ssz_bytes(bytes).ok().map(|update| update.as_ssz_bytes()),
    }
}

#[test]
fn our_messages_are_read_by_the_judge_and_written_the_same() {
    for (fork, update, bytes) in MESSAGES.iter() {
        assert_eq!(judged(*fork, bytes).as_ref(), Some(bytes), "{fork:?}");
        assert_eq!(LightUpdate::read(bytes, Kind::Full, *fork, 32).unwrap(), *update, "{fork:?}");
    }
}

#[test]
fn our_roots_are_those_of_the_judge() {
    let (_, ours, bytes) = &MESSAGES[0];
    let theirs = CapellaUpdate::from_ssz_bytes(bytes).unwrap();
    assert_eq!(theirs.attested_header.beacon.tree_hash_root().0, ours.attested.beacon.root());
    let (committee, _) = ours.next.as_ref().unwrap();
    assert_eq!(theirs.next_sync_committee.tree_hash_root().0, committee.root());
    let Execution::Payload { payload, .. } = &ours.attested.execution else { panic!("of Capella") };
    assert_eq!(theirs.attested_header.execution.tree_hash_root().0, payload.root(Fork::Capella));

    let (_, ours, bytes) = &MESSAGES[1];
    let theirs = ElectraUpdate::from_ssz_bytes(bytes).unwrap();
    let Execution::Payload { payload, .. } = &ours.attested.execution else { panic!("of Electra") };
    assert_eq!(theirs.attested_header.execution.tree_hash_root().0, payload.root(Fork::Electra));
    for length in 0..=32 {
        let mut theirs = theirs.attested_header.execution.clone();
        theirs.extra_data = VariableList::new(vec![0xab; length]).unwrap();
        theirs.blob_gas_used = 7;
        theirs.excess_blob_gas = u64::MAX;
        let mut ours = payload.clone();
        ours.extra_data = vec![0xab; length];
        (ours.blob_gas_used, ours.excess_blob_gas) = (7, u64::MAX);
        assert_eq!(theirs.tree_hash_root().0, ours.root(Fork::Electra), "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens to a message, we read it exactly when the judge does.
    #[test]
    fn we_read_what_the_judge_reads(
        which in 0..3_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        offsets in prop::option::of((0..3_usize, any::<u8>())),
        end in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (fork, _, good) = &MESSAGES[which];
        let mut bytes = good.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some((offset, value)) = offsets {
            // The offset of the attested header, of its payload, of the payload's extra data.
            let at = [0, u32::from_le_bytes(good[..4].try_into().unwrap()) as usize + 112, 500][offset];
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        let ours = LightUpdate::read(&bytes, Kind::Full, *fork, 32);
        let theirs = judged(*fork, &bytes);
        prop_assert_eq!(ours.is_ok(), theirs.is_some(), "{:?}", ours.err());
        if let (Ok(ours), Some(theirs)) = (ours, theirs) {
            prop_assert_eq!(&wire::update(&ours, Kind::Full, *fork), &theirs);
            prop_assert_eq!(&theirs, &bytes);
        }
    }

    /// The verdict on a signature is that of `blst` itself, whoever signed and whoever is said to have.
    #[test]
    fn a_signature_is_judged_as_blst_judges_it(
        signers in prop::collection::vec(0..32_usize, 1..40),
        flip in prop::option::of(0..32_usize),
    ) {
        let members = NET.members(0);
        let message = [5; 32];
        let mut unique = signers;
        unique.sort_unstable();
        unique.dedup();
        let signature = members.sign(&unique, &message);
        let mut signed = vec![false; 32];
        unique.iter().for_each(|seat| signed[*seat] = true);
        if let Some(seat) = flip {
            signed[seat] = !signed[seat];
        }
        let ours = Keys::read(&members.committee).unwrap().verify(&signed, &message, &signature).is_ok();
        let keys: Vec<_> = members.committee.as_bytes().chunks_exact(48).take(32)
            .map(|key| blst::min_pk::PublicKey::key_validate(key).unwrap()).collect();
        let present: Vec<_> = keys.iter().zip(&signed).filter(|(_, signed)| **signed).map(|(key, _)| key).collect();
        let point = blst::min_pk::Signature::from_bytes(&signature).unwrap();
        let domain = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
        let theirs = point.fast_aggregate_verify(true, &message, domain, &present) == blst::BLST_ERROR::BLST_SUCCESS;
        prop_assert_eq!(ours, theirs);
    }

    /// Roots and proofs of hashed keys: ours are accepted by both judges, and what we accept, they accept.
    #[test]
    fn state_proofs_are_judged_as_the_judges_judge_them(
        entries in prop::collection::btree_map(any::<u16>(), prop::collection::vec(1..=255_u8, 1..60), 1..80),
        asked in any::<u16>(),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..=255_u8)),
        drop in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let hashed: BTreeMap<Vec<u8>, Vec<u8>> = entries.iter()
            .map(|(key, value)| (keccak256(&[&key.to_be_bytes()]).to_vec(), value.clone())).collect();
        let ours = Trie::new(hashed.clone());
        let mut theirs = EthTrie::new(Arc::new(MemoryDB::new(true)));
        hashed.iter().for_each(|(key, value)| theirs.insert(key, value).unwrap());
        let root = theirs.root_hash().unwrap();
        prop_assert_eq!(root.0, ours.root());
        let asked = entries.keys().nth(usize::from(asked) % (entries.len() + 1)).copied().unwrap_or(asked);
        let key = keccak256(&[&asked.to_be_bytes()]);
        let mut proof = ours.proof(&key);
        // Its own proofs are not compared: they write a value of one small byte in a second form.
        let mut whole = true;
        if let Some((node, byte, by)) = damage {
            let node = node.index(proof.len());
            let byte = byte.index(proof[node].len());
            proof[node][byte] ^= by;
            whole = false;
        }
        if let Some(node) = drop {
            proof.remove(node.index(proof.len()));
            whole = false;
        }
        let found = walk(&root.0, &key, &proof);
        let value = hashed.get(&key[..]).cloned();
        if whole {
            prop_assert_eq!(found.clone(), Ok(value.as_deref().map_or(Found::Absent, Found::Value)));
            // It gives back a value of one byte that is not a digit of its own with the byte that says so.
            if value.as_ref().is_none_or(|value| value.len() > 1 || value[0] < 0x80) {
                prop_assert_eq!(theirs.verify_proof(root, &key, proof.clone()).unwrap(), value);
            }
        } else {
            prop_assert!(found.is_err());
        }
        if let Ok(found) = found {
            let claimed = match found { Found::Value(value) => Some(value.to_vec()), Found::Absent => None };
            let nodes: Vec<Bytes> = proof.iter().cloned().map(Bytes::from).collect();
            let judged = alloy_trie::proof::verify_proof(B256::from(root.0), Nibbles::unpack(key), claimed, &nodes);
            prop_assert!(judged.is_ok(), "{:?}", judged);
        }
    }

    /// Keys of any length, so that branches hold values and short nodes stand inside their parents.
    #[test]
    fn tries_of_short_keys_have_the_root_of_the_judge_and_their_proofs_hold(
        entries in prop::collection::btree_map(
            prop::collection::vec(0..4_u8, 1..4),
            prop::collection::vec(1..=255_u8, 1..40),
            1..40,
        ),
        asked in prop::collection::vec(0..4_u8, 1..4),
    ) {
        let ours = Trie::new(entries.clone());
        let mut theirs = EthTrie::new(Arc::new(MemoryDB::new(true)));
        entries.iter().for_each(|(key, value)| theirs.insert(key, value).unwrap());
        prop_assert_eq!(theirs.root_hash().unwrap().0, ours.root());
        for key in entries.keys().chain([&asked]) {
            let proof = ours.proof(key);
            let expected = entries.get(key).map_or(Found::Absent, |value| Found::Value(value));
            prop_assert_eq!(walk(&ours.root(), key, &proof), Ok(expected));
            let cut = &proof[..proof.len() - 1];
            prop_assert!(walk(&ours.root(), key, cut).is_err());
        }
    }
}
