//! Random stores and proofs, good and forged, get the verdict of the `ics23` crate.
//!
//! We refuse more on one point: the key that an absence carries must be the one asked for.

use ::ics23::{HostFunctionsManager, ProofSpec};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use prost_013::Message as _;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use zeugma_adapter_cometbft::ics23::{
    Absence, CommitmentProof, Existence, Hash, InnerOp, Spec, verify_absence, verify_existence,
};
use zeugma_adapter_cometbft::testnet::store::{Map, Tree};

/// What was done to a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    None,
    OtherValue,
    OtherKey,
    OtherRoot,
    LeafByte,
    NodeByte,
    NodesSwapped,
    NodeLeftOut,
    NodeRepeated,
    SidesSwapped,
    HashOfNode,
    LeftLeftOut,
    RightLeftOut,
    NeighboursSwapped,
    LeftFurtherAway,
    RightFurtherAway,
}

const CHANGES: [Change; 15] = [
    Change::OtherValue,
    Change::OtherKey,
    Change::OtherRoot,
    Change::LeafByte,
    Change::NodeByte,
    Change::NodesSwapped,
    Change::NodeLeftOut,
    Change::NodeRepeated,
    Change::SidesSwapped,
    Change::HashOfNode,
    Change::LeftLeftOut,
    Change::RightLeftOut,
    Change::NeighboursSwapped,
    Change::LeftFurtherAway,
    Change::RightFurtherAway,
];

#[derive(Clone, Debug)]
struct Plan {
    tree: Tree,
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    /// A key that is there when it happens to be.
    key: Vec<u8>,
    /// Or one that certainly is.
    there: Option<prop::sample::Index>,
    change: Change,
    at: prop::sample::Index,
}

fn plans() -> impl Strategy<Value = Plan> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..4);
    (
        prop::sample::select(&[Tree::Iavl, Tree::Simple][..]),
        prop::collection::btree_map(bytes(), bytes(), 1..20),
        bytes(),
        prop::option::of(any::<prop::sample::Index>()),
        prop_oneof![1 => Just(Change::None), 3 => prop::sample::select(&CHANGES[..])],
        any::<prop::sample::Index>(),
    )
        .prop_map(|(tree, entries, key, there, change, at)| Plan {
            tree,
            entries,
            key,
            there,
            change,
            at,
        })
}

fn specs(tree: Tree) -> (Spec, ProofSpec) {
    match tree {
        Tree::Iavl => (Spec::IAVL, ::ics23::iavl_spec()),
        Tree::Simple => (Spec::TENDERMINT, ::ics23::tendermint_spec()),
    }
}

fn change_path(
    path: &mut Vec<InnerOp>,
    leaf: Option<&mut Vec<u8>>,
    change: Change,
    at: &prop::sample::Index,
) {
    if let (Change::LeafByte, Some(prefix)) = (change, leaf) {
        let index = at.index(prefix.len());
        prefix[index] ^= 2;
    }
    if path.is_empty() {
        return;
    }
    let index = at.index(path.len());
    match change {
        Change::NodeByte => {
            let index_in_prefix = at.index(path[index].prefix.len());
            path[index].prefix[index_in_prefix] ^= 2;
        }
        Change::NodesSwapped => path.swap(0, index),
        Change::NodeLeftOut => {
            path.remove(index);
        }
        Change::NodeRepeated => path.insert(index, path[index].clone()),
        Change::SidesSwapped => {
            let InnerOp { prefix, suffix, .. } = &mut path[index];
            std::mem::swap(prefix, suffix);
        }
        Change::HashOfNode => path[index].hash = Hash::NONE,
        _ => {}
    }
}

fn change_existence(proof: &mut Existence, change: Change, at: &prop::sample::Index) {
    let leaf = proof.leaf.as_mut().map(|leaf| &mut leaf.prefix);
    change_path(&mut proof.path, leaf, change, at);
}

fn change_absence(
    proof: &mut Absence,
    map: &Map,
    keys: &[&Vec<u8>],
    change: Change,
    at: &prop::sample::Index,
) {
    let further = |key: Option<&Vec<u8>>| key.and_then(|key| map.existence(key));
    match change {
        Change::LeftLeftOut => proof.left = None,
        Change::RightLeftOut => proof.right = None,
        Change::NeighboursSwapped => std::mem::swap(&mut proof.left, &mut proof.right),
        Change::LeftFurtherAway => {
            let before = proof.left.as_ref().map(|left| left.key.clone());
            let key = before.and_then(|before| keys.iter().rev().find(|key| ***key < before).copied());
            proof.left = further(key).or(proof.left.take());
        }
        Change::RightFurtherAway => {
            let after = proof.right.as_ref().map(|right| right.key.clone());
            let key = after.and_then(|after| keys.iter().find(|key| ***key > after).copied());
            proof.right = further(key).or(proof.right.take());
        }
        _ => {
            let side = proof.left.as_mut().or(proof.right.as_mut()).expect("a map has a leaf");
            change_existence(side, change, at);
        }
    }
}

fn theirs(proof: CommitmentProof) -> ::ics23::CommitmentProof {
    let mut bytes = vec![];
    proof.encode(&mut bytes);
    let theirs = ::ics23::CommitmentProof::decode(&bytes[..]).expect("they read what we write");
    assert_eq!(theirs.encode_to_vec(), bytes, "they write what we write");
    assert_eq!(CommitmentProof::decode(&bytes), Ok(proof), "we read what we write");
    theirs
}

#[test]
fn random_store_proofs_get_the_verdict_of_the_published_crate() {
    let seen = RefCell::new(BTreeSet::new());
    let mut runner = TestRunner::new(Config { cases: 4_000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&plans(), |plan| {
        let map = Map::new(plan.tree, &plan.entries);
        let (ours, their_spec) = specs(plan.tree);
        let keys: Vec<_> = plan.entries.keys().collect();
        let key = plan.there.map_or(plan.key, |index| keys[index.index(keys.len())].clone());
        let mut root = map.root().to_vec();
        if plan.change == Change::OtherRoot {
            root[0] ^= 1;
        }
        let (found, judged, is_there) = match plan.entries.get(&key) {
            Some(value) => {
                let mut proof = map.existence(&key).expect("the key is there");
                change_existence(&mut proof, plan.change, &plan.at);
                let value = if plan.change == Change::OtherValue {
                    [value, &b"x"[..]].concat()
                } else {
                    value.clone()
                };
                let asked = if plan.change == Change::OtherKey { [&key, &b"x"[..]].concat() } else { key };
                let found = verify_existence(&ours, &root, &asked, &value, &proof).is_ok();
                let proof = theirs(CommitmentProof::Existence(proof));
                let judged = ::ics23::verify_membership::<HostFunctionsManager>(
                    &proof,
                    &their_spec,
                    &root,
                    &asked,
                    &value,
                );
                (found, judged, true)
            }
            None => {
                let mut proof = map.absence(&key);
                change_absence(&mut proof, &map, &keys, plan.change, &plan.at);
                let asked = if plan.change == Change::OtherKey { [&key, &b"x"[..]].concat() } else { key };
                let found = verify_absence(&ours, &root, &asked, &proof).is_ok();
                let both_sides_parted =
                    proof.left.as_ref().zip(proof.right.as_ref()).is_none_or(|(left, right)| {
                        // They panic when one path is the end of the other.
                        let shared = left
                            .path
                            .iter()
                            .rev()
                            .zip(right.path.iter().rev())
                            .take_while(|(a, b)| a == b)
                            .count();
                        shared < left.path.len() && shared < right.path.len()
                    });
                let proof = theirs(CommitmentProof::Absence(proof));
                let judged = both_sides_parted
                    && ::ics23::verify_non_membership::<HostFunctionsManager>(
                        &proof,
                        &their_spec,
                        &root,
                        &asked,
                    );
                if plan.change == Change::OtherKey && judged {
                    prop_assert!(!found, "an absence of another key");
                    return Ok(());
                }
                (found, judged, false)
            }
        };
        prop_assert_eq!(found, judged, "there: {}", is_there);
        seen.borrow_mut().insert((plan.change, is_there, judged));
        Ok(())
    });
    result.unwrap();
    let seen = seen.into_inner();
    for is_there in [true, false] {
        assert!(seen.contains(&(Change::None, is_there, true)), "there: {is_there}");
        for change in [Change::NodeByte, Change::NodeLeftOut, Change::SidesSwapped, Change::OtherRoot] {
            assert!(seen.contains(&(change, is_there, false)), "{change:?}, there: {is_there}");
        }
    }
}

#[test]
fn a_compressed_batch_gives_the_proofs_it_was_made_of() {
    let entries = (0..50_u8).map(|n| (vec![n * 5 + 1], vec![n])).collect();
    let map = Map::new(Tree::Iavl, &entries);
    let proofs: Vec<_> = (0..=255_u8)
        .map(|key| match map.existence(&[key]) {
            Some(proof) => CommitmentProof::Existence(proof),
            None => CommitmentProof::Absence(map.absence(&[key])),
        })
        .collect();
    let entry = |proof: &CommitmentProof| ::ics23::BatchEntry {
        proof: theirs(proof.clone()).proof.map(|proof| match proof {
            ::ics23::commitment_proof::Proof::Exist(exist) => ::ics23::batch_entry::Proof::Exist(exist),
            ::ics23::commitment_proof::Proof::Nonexist(non) => ::ics23::batch_entry::Proof::Nonexist(non),
            other => panic!("{other:?}"),
        }),
    };
    let batch = ::ics23::BatchProof { entries: proofs.iter().map(entry).collect() };
    let plain = ::ics23::CommitmentProof { proof: Some(::ics23::commitment_proof::Proof::Batch(batch)) };
    let compressed = ::ics23::compress(&plain).unwrap();
    assert!(compressed.encoded_len() < plain.encoded_len());
    for batch in [plain, compressed] {
        assert_eq!(CommitmentProof::decode_batch(&batch.encode_to_vec()).unwrap(), proofs);
        assert!(CommitmentProof::decode(&batch.encode_to_vec()).is_err(), "a client takes one proof");
    }
}
