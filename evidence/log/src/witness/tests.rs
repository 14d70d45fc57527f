use super::*;
use crate::checkpoint::LogSigner;
use crate::cosignature::CosignerSigner;
use crate::testkit::{ed25519, mldsa44, signer};
use alloc::collections::BTreeMap;
use alloc::vec;
use proptest::prelude::*;
use zeugma_proof::tree::{Frontier, Node, consistency, leaf_hash};
use zeugma_types::UnixSeconds;

const ORIGIN: &str = "log.example/one";
const AT: UnixSeconds = UnixSeconds::new(1_795_000_000);

/// A log whose leaves are these bytes: its roots and its proofs.
struct Tree {
    nodes: BTreeMap<Node, Hash>,
    roots: Vec<Hash>,
}

impl Tree {
    fn of(leaves: &[u8]) -> Self {
        let mut frontier = Frontier::new(SUITE);
        let mut nodes = BTreeMap::new();
        let mut roots = vec![frontier.root()];
        for leaf in leaves {
            let hash = leaf_hash(SUITE, &[*leaf]);
            frontier
                .append(hash, |node, hash| {
                    nodes.insert(node, *hash);
                })
                .unwrap();
            roots.push(frontier.root());
        }
        Self { nodes, roots }
    }

    fn view(&self, size: usize) -> LogView {
        LogView { size: TreeSize::new(size as u64), root: self.roots[size] }
    }

    fn proof(&self, old: usize, new: usize) -> Vec<Hash> {
        if old == 0 {
            return Vec::new();
        }
        let size = |size: usize| TreeSize::new(size as u64);
        consistency(SUITE, size(old), size(new), &|node: Node| self.nodes.get(&node).copied()).unwrap()
    }
}

fn log() -> LogSigner {
    signer(ORIGIN, 1, true)
}

fn ask((old, proof): (usize, &[Hash]), note: &str, seen: Option<&LogView>) -> Result<Growth, (u16, Code)> {
    let body = request(TreeSize::new(old as u64), proof, note);
    let parsed = AddCheckpoint::parse(body.as_bytes()).map_err(|refusal| (400, refusal.code))?;
    judge(&parsed, &[log().key()], seen).map_err(|declined| (declined.status(), declined.refusal().code))
}

#[test]
fn a_tree_that_grew_is_taken_and_its_note_keeps_the_signature_that_was_checked() {
    let tree = Tree::of(b"abcdefghi");
    let mut seen = None;
    for (old, new) in [(0, 0), (0, 3), (3, 3), (3, 4), (4, 9)] {
        let note = log().sign(tree.view(new), AT);
        let grown = ask((old, &tree.proof(old, new)), &note, seen.as_ref()).unwrap();
        assert_eq!(grown.checkpoint().view, tree.view(new));
        let kept = SignedCheckpoint::parse(grown.note().as_bytes(), NoteBounds::USUAL).unwrap();
        kept.require(&log().key()).unwrap();
        assert_eq!(kept.note().signatures.len(), 1, "the line of a key that is not asked for is left out");
        seen = Some(grown.checkpoint().view);
    }
}

#[test]
fn each_rule_of_the_specification_has_its_status() {
    let (tree, other) = (Tree::of(b"abcdefghi"), Tree::of(b"abcXefghi"));
    let note = |tree: &Tree, size| log().sign(tree.view(size), AT);
    let seen = tree.view(5);
    let proof = tree.proof(5, 9);
    assert!(ask((5, &proof), &note(&tree, 9), Some(&seen)).is_ok());

    // 403: no key that is believed, a signature that does not hold.
    let stranger = signer(ORIGIN, 2, false).sign(tree.view(9), AT);
    assert_eq!(ask((5, &proof), &stranger, Some(&seen)), Err((403, Code::UnknownSigner)));
    let forged = note(&tree, 8).replace("\n8\n", "\n9\n");
    assert_eq!(ask((5, &proof), &forged, Some(&seen)), Err((403, Code::BadSignature)));
    // 400: an old size above the checkpoint's, whatever the witness has.
    assert_eq!(ask((9, &[]), &note(&tree, 5), Some(&seen)), Err((400, Code::OutOfRange)));
    // 409 with the size: a log that believes something else, and one that would go back.
    for (old, new) in [(0, 9), (4, 9), (6, 9), (0, 3), (3, 3)] {
        let asked = ask((old, &tree.proof(old, new)), &note(&tree, new), Some(&seen));
        assert_eq!(asked, Err((409, Code::WitnessElsewhere)), "{old} {new}");
    }
    assert_eq!(ask((3, &[]), &note(&tree, 5), None), Err((409, Code::WitnessElsewhere)));
    // 409: one size, two roots.
    let forked = AddCheckpoint::parse(request(seen.size, &[], &note(&other, 5)).as_bytes())
        .map(|asked| judge(&asked, &[log().key()], Some(&seen)).unwrap_err());
    assert!(matches!(forked, Ok(Declined::Forked { .. })));
    assert_eq!(ask((5, &[]), &note(&other, 5), Some(&seen)), Err((409, Code::NotConsistent)));
    // 422: a proof that does not hold, is of another length, or is there where none can be.
    assert_eq!(ask((5, &other.proof(5, 9)), &note(&other, 9), Some(&seen)), Err((422, Code::NotConsistent)));
    assert_eq!(ask((5, &proof[1..]), &note(&tree, 9), Some(&seen)), Err((422, Code::PathLength)));
    assert_eq!(ask((5, &proof[..1]), &note(&tree, 5), Some(&seen)), Err((422, Code::PathLength)));
    assert_eq!(ask((0, &proof[..1]), &note(&tree, 9), None), Err((422, Code::PathLength)));
    let empty = log().sign(LogView { size: TreeSize::ZERO, root: [1; 32] }, AT);
    assert_eq!(ask((0, &[]), &empty, None), Err((422, Code::NotConsistent)));
}

#[test]
fn a_request_that_is_not_of_the_form_is_refused() {
    let tree = Tree::of(b"abc");
    let note = log().sign(tree.view(3), AT);
    let good = request(TreeSize::new(2), &tree.proof(2, 3), &note);
    let code = |body: &str| AddCheckpoint::parse(body.as_bytes()).err().map(|refusal| refusal.code);
    assert_eq!(code(&good), None);
    for (from, to) in [
        ("old 2\n", "old 02\n"),
        ("old 2\n", "old -2\n"),
        ("old 2\n", "old  2\n"),
        ("old 2\n", "Old 2\n"),
        ("old 2\n", "old 2\r\n"),
        ("old 2\n", "old 18446744073709551616\n"),
        ("old 2\n", ""),
        ("old 2\n", "old 2\nAAAA\n"),
        ("\n\nlog.example", "\nlog.example"),
    ] {
        assert_eq!(code(&good.replacen(from, to, 1)), Some(Code::BadNote), "{to:?}");
    }
    let hash = tree.roots[1];
    assert_eq!(code(&request(TreeSize::new(2), &[hash; 63], &note)), None);
    assert_eq!(code(&request(TreeSize::new(2), &[hash; 64], &note)), Some(Code::TooMany));
    assert_eq!(code(&"x".repeat(MAX_REQUEST + 1)), Some(Code::TooLong));
    assert_eq!(code(""), Some(Code::BadNote));
}

#[test]
fn of_an_answer_the_lines_of_known_keys_are_kept_once_and_must_hold() {
    let tree = Tree::of(b"abc");
    let note = log().sign(tree.view(3), AT);
    let checkpoint = Checkpoint::new(ORIGIN, tree.view(3));
    let one = CosignerSigner::ed25519("witness.example/w", ed25519(7)).unwrap();
    let two = CosignerSigner::mldsa44("witness.example/w", mldsa44(7)).unwrap();
    let stranger = CosignerSigner::ed25519("witness.example/x", ed25519(8)).unwrap();
    let line = |witness: &CosignerSigner| witness.cosign(&checkpoint, AT).unwrap();
    let keys = [one.key(), two.key()];
    let read = |answer: &str| cosignatures(&note, answer.as_bytes(), &keys);

    let all = format!("{}{}{}{}", line(&stranger), line(&one), line(&two), line(&one));
    assert_eq!(read(&all).unwrap(), [line(&one), line(&two)]);
    let code = |answer: &str| read(answer).unwrap_err().code;
    assert_eq!(code(&line(&stranger)), Code::UnknownSigner);
    let elsewhere = Checkpoint::new(ORIGIN, tree.view(2));
    assert_eq!(code(&one.cosign(&elsewhere, AT).unwrap()), Code::BadSignature);
    for bad in ["", "\n", "no", &format!("\n{}", line(&one)), &format!("x\n\n{}", line(&one))] {
        assert_eq!(code(bad), Code::BadNote, "{bad:?}");
    }
    assert_eq!(code(&"x".repeat(MAX_ANSWER + 1)), Code::TooLong);
    // What the note had before is not the answer's.
    let cosigned = format!("{note}{}", line(&one));
    let none = cosignatures(&cosigned, line(&stranger).as_bytes(), &keys);
    assert_eq!(none.unwrap_err().code, Code::UnknownSigner);
}

/// Whether the first `old` leaves of two trees are the same, which is what consistency means.
fn beginning(one: &[u8], other: &[u8]) -> bool {
    let shorter = one.len().min(other.len());
    one[..shorter] == other[..shorter]
}

proptest! {
    /// Whatever is asked in whatever order, of a log that signs anything: what is cosigned is of one tree.
    #[test]
    fn no_two_checkpoints_that_a_witness_takes_are_inconsistent(
        histories in prop::collection::vec(prop::collection::vec(0_u8..2, 0..9), 1..4),
        asked in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..9, 0_usize..9, any::<bool>()), 1..16),
    ) {
        let trees: Vec<Tree> = histories.iter().map(|leaves| Tree::of(leaves)).collect();
        let mut seen: Option<LogView> = None;
        let mut taken: Vec<&[u8]> = Vec::new();
        for (which, old, new, known) in asked {
            let at = which.index(trees.len());
            let (tree, leaves) = (&trees[at], &histories[at]);
            let new = new.min(leaves.len());
            // Half the time the log asks from where the witness is, so that much is taken.
            let old = if known { seen.map_or(0, |seen| usize::try_from(seen.size.get()).unwrap()) } else { old };
            let proof = if old <= new { tree.proof(old, new) } else { Vec::new() };
            if let Ok(grown) = ask((old, &proof), &signer(ORIGIN, 1, false).sign(tree.view(new), AT), seen.as_ref()) {
                prop_assert!(seen.is_none_or(|seen| grown.checkpoint().view.size >= seen.size));
                for earlier in &taken {
                    prop_assert!(beginning(earlier, &leaves[..new]), "{earlier:?} {:?}", &leaves[..new]);
                }
                taken.push(&leaves[..new]);
                seen = Some(grown.checkpoint().view);
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "old [0-9]{1,3}\n([A-Za-z0-9+/=]{0,44}\n){0,3}\n\\PC{0,60}") {
        let _ = AddCheckpoint::parse(&bytes);
        let _ = AddCheckpoint::parse(text.as_bytes());
        let _ = cosignatures(&text, &bytes, &[]);
    }
}
