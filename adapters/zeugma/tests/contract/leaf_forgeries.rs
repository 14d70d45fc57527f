//! Proofs of leaves put together wrongly.

use crate::fixture::{Net, client, commitment, key, value};
use crate::forgeries::{NEVER, forgery};
use zeugma_adapter_core::testkit::{Expect, Forgery, ProofCase, Subject};
use zeugma_adapter_zeugma::LeafProof;
use zeugma_proof::{Inclusion, LeafFormat, Outbox};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{
    BlockTime, Code, Encode, HashSuite, Height, LeafIndex, LeafPath, NetworkId, OutboxRoot, Sequence,
    TreeSize,
};

/// Items 2, 3, 7, 8, 11: proofs of leaves.
pub(crate) fn leaves<F>(net: &Net<F>) -> Vec<Forgery> {
    let good = net.leaf(3, 2, HashSuite::Sha256);
    let proof = |item, name, expect, change: &dyn Fn(&mut LeafProof)| {
        let mut changed = good.clone();
        change(&mut changed);
        let case = ProofCase { name, proof: changed.to_bytes(), ..net.there() };
        forgery(item, name, Subject::Proof(case), expect)
    };
    let instead = |item, name, other: LeafProof, expect| {
        let case = ProofCase { name, proof: other.to_bytes(), ..net.there() };
        forgery(item, name, Subject::Proof(case), expect)
    };
    let asked = |name, path: LeafPath, value: Option<Vec<u8>>, expect| {
        forgery(11, name, Subject::Proof(ProofCase { name, path: key(&path), value, ..net.there() }), expect)
    };
    let code = Expect::Code;
    let of_three = Some(value(3).as_bytes().to_vec());
    vec![
        proof(2, "the leaf's network", code(Code::WrongNetwork), &|p| {
            p.leaf.network = NetworkId::new([8; 32])
        }),
        proof(2, "the leaf's height", code(Code::NotIncluded), &|p| p.leaf.height = Height::new(1)),
        proof(2, "the leaf's time", code(Code::NotIncluded), &|p| p.leaf.time = BlockTime::new(1)),
        proof(2, "the leaf's format", code(Code::NotIncluded), &|p| p.leaf.format = LeafFormat::Sm3),
        proof(2, "the leaf's value", NEVER, &|p| p.leaf.value = value(4)),
        proof(2, "a leaf of a later height than the header", code(Code::LeafAhead), &|p| {
            p.leaf.height = Height::new(4);
        }),
        proof(2, "a leaf of a later time than the header", code(Code::LeafAhead), &|p| {
            p.leaf.time = net.certified(4).header.time;
        }),
        proof(3, "two nodes swapped", code(Code::NotIncluded), &|p| p.inclusion.path.swap(0, 1)),
        proof(3, "the sibling's place", code(Code::NotIncluded), &|p| p.inclusion.index = LeafIndex::new(3)),
        proof(3, "a node left out", code(Code::PathLength), &|p| {
            p.inclusion.path.remove(1);
        }),
        proof(3, "a node repeated", code(Code::PathLength), &|p| p.inclusion.path.push(p.inclusion.path[0])),
        proof(3, "the other tree's root", code(Code::NotIncluded), &|p| p.inclusion.suite = HashSuite::Sm3),
        proof(7, "no nodes", code(Code::PathLength), &|p| p.inclusion.path.clear()),
        proof(8, "an index at the count", code(Code::IndexOutOfTree), &|p| {
            p.inclusion.index = LeafIndex::new(6)
        }),
        proof(8, "the largest index", code(Code::IndexOutOfTree), &|p| {
            p.inclusion.index = LeafIndex::new(u64::MAX)
        }),
        proof(8, "more nodes than any tree is deep", code(Code::TooMany), &|p| {
            p.inclusion.path.resize(65, [1; 32]);
        }),
        instead(11, "the proof of its neighbour", net.leaf(3, 1, HashSuite::Sha256), code(Code::NotProven)),
        instead(11, "the proof under another header", net.leaf(2, 2, HashSuite::Sha256), NEVER),
        instead(
            11,
            "the proof of an acknowledgement",
            net.leaf(3, 3, HashSuite::Sha256),
            code(Code::NotProven),
        ),
        asked("the key of the receipt", receipt(3), of_three.clone(), code(Code::NotProven)),
        asked("the receipt's absence by the commitment", receipt(3), None, code(Code::AbsenceNotProven)),
        asked("the commitment's absence by itself", commitment(3), None, code(Code::AbsenceNotProven)),
        asked("a shorter value", commitment(3), Some(vec![3; 31]), code(Code::NotProven)),
        closing(net, "the closing of another packet", receipt(8)),
        closing(net, "the closing, for the absence of the commitment", commitment(9)),
    ]
}

fn receipt(sequence: u64) -> LeafPath {
    LeafPath::packet(&client(), PacketPath::Receipt, Sequence::new(sequence))
}

/// The proof of packet 9's closing, asked about another key.
fn closing<F>(net: &Net<F>, name: &'static str, path: LeafPath) -> Forgery {
    let proof = net.leaf(3, 5, HashSuite::Sha256).to_bytes();
    let case = ProofCase { name, path: key(&path), value: None, proof, ..net.there() };
    forgery(11, name, Subject::Proof(case), Expect::Code(Code::AbsenceNotProven))
}

/// Items 7, 8: outboxes that no honest committee certifies.
pub(crate) fn trees<F>(net: &Net<F>) -> Vec<Forgery> {
    let state = |item, name, expect, size: u64, root: Option<[u8; 32]>, path: Vec<[u8; 32]>| {
        let mut state = net.state(3);
        let mut roots = state.outbox.roots().to_vec();
        if let Some(root) = root {
            roots[0].1 = OutboxRoot::new(root);
        }
        state.outbox = Outbox::new(TreeSize::new(size), roots).expect("the same suites");
        let mut said = net.leaf(3, 0, HashSuite::Sha256);
        said.inclusion = Inclusion { suite: HashSuite::Sha256, index: LeafIndex::new(0), path };
        let case = ProofCase {
            name,
            state: state.to_bytes(),
            path: key(&commitment(1)),
            value: Some(value(1).as_bytes().to_vec()),
            proof: said.to_bytes(),
        };
        forgery(item, name, Subject::Proof(case), expect)
    };
    let path = net.leaf(3, 0, HashSuite::Sha256).inclusion.path;
    let code = Expect::Code;
    vec![
        state(7, "a root of zeros", code(Code::NotIncluded), 6, Some([0; 32]), path.clone()),
        state(7, "an empty tree", code(Code::IndexOutOfTree), 0, None, vec![]),
        state(8, "a tree of fewer levels", code(Code::PathLength), 4, None, path.clone()),
        state(8, "the largest tree", NEVER, u64::MAX, None, path),
        state(7, "a tree of one leaf, and no nodes", code(Code::NotIncluded), 1, None, vec![]),
    ]
}
