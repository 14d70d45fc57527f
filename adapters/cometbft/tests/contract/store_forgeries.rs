//! Store proofs put together wrongly.

use crate::fixture::{Net, TRUSTED, path, store};
use crate::forgeries::{NEVER, adjacent, forgery};
use zeugma_adapter_cometbft::State;
use zeugma_adapter_cometbft::ics23::{Absence, CommitmentProof, Existence, LeafOp};
use zeugma_adapter_cometbft::testnet::store::encode;
use zeugma_adapter_core::testkit::{Forgery, ProofCase, Subject};
use zeugma_types::Encode;

pub(crate) fn there<F>(net: &Net<F>) -> ProofCase {
    let height = TRUSTED + 1;
    ProofCase {
        name: "",
        state: State::of(&adjacent(net).header).to_bytes(),
        path: path("ibc", "commitments/4"),
        value: Some(b"packet 4".to_vec()),
        proof: store(height).membership(b"ibc", b"commitments/4").expect("the key is there"),
    }
}

/// Items 3, 7, 8, 11.
pub(crate) fn proofs<F>(net: &Net<F>) -> Vec<Forgery> {
    let store = store(TRUSTED + 1);
    let (inner, outer) = store.trees(b"ibc").expect("the store is there");
    let good = inner.existence(b"commitments/4").expect("the key is there");
    let root = outer.existence(b"ibc").expect("the store is there");
    let pair = |inner: CommitmentProof| encode(&[inner, CommitmentProof::Existence(root.clone())]);
    let of = |item, name, proof: Vec<u8>| {
        forgery(item, name, Subject::Proof(ProofCase { proof, ..there(net) }), NEVER)
    };
    let existence = |item, name, change: &dyn Fn(&mut Existence)| {
        let mut changed = good.clone();
        change(&mut changed);
        of(item, name, pair(CommitmentProof::Existence(changed)))
    };
    let absence = |item, name, key: &str, change: &dyn Fn(&mut Absence)| {
        let mut changed = inner.absence(key.as_bytes());
        change(&mut changed);
        let case = ProofCase {
            path: path("ibc", key),
            value: None,
            proof: pair(CommitmentProof::Absence(changed)),
            ..there(net)
        };
        forgery(item, name, Subject::Proof(case), NEVER)
    };
    let at = |key: &str| inner.existence(key.as_bytes());
    let zero_root = {
        let mut state = State::of(&adjacent(net).header);
        state.app_hash = vec![0; 32];
        forgery(
            7,
            "a root of zeros",
            Subject::Proof(ProofCase { state: state.to_bytes(), ..there(net) }),
            NEVER,
        )
    };
    let no_root = {
        let mut state = State::of(&adjacent(net).header);
        state.app_hash.clear();
        forgery(7, "no root", Subject::Proof(ProofCase { state: state.to_bytes(), ..there(net) }), NEVER)
    };
    vec![
        zero_root,
        no_root,
        existence(3, "two nodes swapped", &|e| e.path.swap(0, 1)),
        existence(3, "a left child as a right one", &|e| {
            let parent = &mut e.path[0];
            (parent.prefix, parent.suffix) = (parent.suffix.clone(), parent.prefix.clone());
        }),
        existence(3, "a node left out", &|e| {
            e.path.remove(1);
        }),
        existence(3, "a node repeated", &|e| e.path.push(e.path[0].clone())),
        existence(3, "a node with two children beside it", &|e| {
            let parent = &mut e.path[0];
            parent.prefix.extend([0; 33]);
            parent.suffix.extend([0; 33]);
        }),
        existence(7, "no leaf", &|e| e.leaf = None),
        existence(7, "an empty leaf", &|e| {
            e.leaf = e.leaf.take().map(|leaf| LeafOp { prefix: vec![], ..leaf });
        }),
        existence(7, "no key", &|e| e.key.clear()),
        existence(7, "no value", &|e| e.value.clear()),
        existence(7, "no path", &|e| e.path.clear()),
        existence(8, "deeper than any tree", &|e| e.path.resize(129, e.path[0].clone())),
        of(7, "no proofs", vec![]),
        of(7, "an empty proof", vec![0x0a, 0]),
        of(8, "one proof of two", encode(&[CommitmentProof::Existence(good.clone())])),
        of(8, "a proof more", {
            let one = CommitmentProof::Existence(good.clone());
            encode(&[one.clone(), CommitmentProof::Existence(root.clone()), one])
        }),
        of(3, "the proofs swapped", {
            encode(&[CommitmentProof::Existence(root.clone()), CommitmentProof::Existence(good.clone())])
        }),
        of(11, "the proof of a neighbour", {
            store.membership(b"ibc", b"commitments/5").expect("the key is there")
        }),
        of(11, "the proof of another store", store.membership(b"bank", b"bob").expect("the key is there")),
        absence(3, "neighbours swapped", "commitments/45", &|a| std::mem::swap(&mut a.left, &mut a.right)),
        absence(7, "no neighbours", "commitments/45", &|a| (a.left, a.right) = (None, None)),
        absence(11, "no right neighbour", "commitments/45", &|a| a.right = None),
        absence(11, "no left neighbour", "commitments/45", &|a| a.left = None),
        absence(11, "neighbours with a leaf between them", "commitments/45", &|a| {
            a.left = at("commitments/3")
        }),
        absence(11, "neighbours two leaves apart", "commitments/45", &|a| a.right = at("height")),
        absence(11, "the key itself for a neighbour", "commitments/4", &|a| a.left = at("commitments/4")),
        absence(11, "an absence of another key", "commitments/45", &|a| a.key = b"commitments/46".to_vec()),
        absence(11, "an absence of no key", "commitments/45", &|a| a.key.clear()),
        absence(11, "a key that is there", "commitments/4", &|_| {}),
        forgery(
            11,
            "a key beside the absent one, by the same proof",
            Subject::Proof(ProofCase {
                path: path("ibc", "commitments/46"),
                value: None,
                proof: store.non_membership(b"ibc", b"commitments/45").expect("the store is there"),
                ..there(net)
            }),
            NEVER,
        ),
        forgery(
            11,
            "an absence where the outer tree has none",
            Subject::Proof(ProofCase {
                path: path("icq", "key"),
                value: None,
                proof: encode(&[
                    CommitmentProof::Absence(inner.absence(b"key")),
                    CommitmentProof::Absence(outer.absence(b"icq")),
                ]),
                ..there(net)
            }),
            NEVER,
        ),
    ]
}
