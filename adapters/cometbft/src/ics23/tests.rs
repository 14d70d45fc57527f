use super::*;
use alloc::string::ToString;
use alloc::vec;

/// A leaf and the parents above it, of the IAVL tree `(a, (b, c))`, put together by hand.
fn iavl(position: u8) -> Existence {
    let header = |height: u8, size: u8| vec![2 * height, 2 * size, 2];
    let leaf = LeafOp {
        hash: Hash::SHA256,
        prehash_key: Hash::NONE,
        prehash_value: Hash::SHA256,
        length: Length::VARINT,
        prefix: vec![0, 2, 2],
    };
    let value = |key: u8| vec![key, key];
    let hash = |key: u8| hash_leaf(&leaf, &[key], &value(key)).unwrap();
    let left = |height, size, right: &[u8]| InnerOp {
        hash: Hash::SHA256,
        prefix: [&header(height, size)[..], &[32]].concat(),
        suffix: [&[32], right].concat(),
    };
    let right = |height, size, left: &[u8]| InnerOp {
        hash: Hash::SHA256,
        prefix: [&header(height, size)[..], &[32], left, &[32]].concat(),
        suffix: vec![],
    };
    let below = hash_inner(&left(1, 2, &hash(b'c')), &hash(b'b')).unwrap();
    let path = match position {
        b'a' => vec![left(2, 3, &below)],
        b'b' => vec![left(1, 2, &hash(b'c')), right(2, 3, &hash(b'a'))],
        _ => vec![right(1, 2, &hash(b'b')), right(2, 3, &hash(b'a'))],
    };
    Existence { key: vec![position], value: value(position), leaf: Some(leaf), path }
}

fn root() -> Vec<u8> {
    calculate_root(&iavl(b'a')).unwrap()
}

#[test]
fn three_leaves_of_one_tree_lead_to_one_root() {
    for key in *b"abc" {
        assert_eq!(verify_existence(&Spec::IAVL, &root(), &[key], &[key, key], &iavl(key)), Ok(()));
    }
}

#[test]
fn an_inner_node_of_two_children_is_not_hashed_as_one() {
    // October 2022: a node with both children given, of which one was hashed. Here what stands beside the
    // node is exactly one child; one more is refused whatever it hashes to.
    for extra in [&[32; 33][..], &[0; 33]] {
        let mut proof = iavl(b'a');
        proof.path[0].suffix.extend(extra);
        let root = calculate_root(&proof).unwrap();
        let refusal = verify_existence(&Spec::IAVL, &root, b"a", b"aa", &proof).unwrap_err();
        assert_eq!(refusal.code, Code::ProofShape, "{refusal}");
    }
    let mut proof = iavl(b'a');
    proof.path[0].suffix.clear();
    let root = calculate_root(&proof).unwrap();
    assert_eq!(Spec::IAVL.admits(&proof), Ok(()), "the published check lets an only child pass");
    let refusal = verify_existence(&Spec::IAVL, &root, b"a", b"aa", &proof).unwrap_err();
    assert_eq!(refusal.code, Code::ProofShape);
}

#[test]
fn a_leaf_is_not_read_as_a_node_nor_a_node_as_a_leaf() {
    let mut proof = iavl(b'b');
    proof.path[0].prefix[0] = 0;
    let root = calculate_root(&proof).unwrap();
    assert_eq!(verify_existence(&Spec::IAVL, &root, b"b", b"bb", &proof).unwrap_err().code, Code::ProofShape);
    let mut proof = iavl(b'b');
    proof.leaf.as_mut().unwrap().prefix = vec![2, 4, 2];
    let root = calculate_root(&proof).unwrap();
    assert_eq!(verify_existence(&Spec::IAVL, &root, b"b", b"bb", &proof).unwrap_err().code, Code::ProofShape);
}

#[test]
fn a_node_is_not_lower_than_its_place_in_the_path() {
    let mut proof = iavl(b'b');
    proof.path[1].prefix[0] = 2;
    let root = calculate_root(&proof).unwrap();
    let refusal = verify_existence(&Spec::IAVL, &root, b"b", b"bb", &proof).unwrap_err();
    assert_eq!(refusal, Refusal::new(Code::ProofShape).needed(2_u64).found(1_u64));
}

#[test]
fn a_tree_of_another_hash_is_refused_by_name() {
    let mut proof = iavl(b'a');
    proof.path[0].hash = Hash(2);
    assert_eq!(calculate_root(&proof).unwrap_err().code, Code::RefusedAlgorithm);
    assert!(calculate_root(&proof).unwrap_err().to_string().contains("200"));
}

fn absence(key: &[u8], left: Option<u8>, right: Option<u8>) -> Absence {
    Absence { key: key.into(), left: left.map(iavl), right: right.map(iavl) }
}

#[test]
fn a_key_is_absent_between_neighbours_and_beyond_the_ends() {
    for (key, left, right) in [
        (&b"A"[..], None, Some(b'a')),
        (b"aa", Some(b'a'), Some(b'b')),
        (b"bb", Some(b'b'), Some(b'c')),
        (b"d", Some(b'c'), None),
    ] {
        assert_eq!(verify_absence(&Spec::IAVL, &root(), key, &absence(key, left, right)), Ok(()));
    }
}

#[test]
fn leaves_that_are_not_neighbours_show_no_absence() {
    for (key, left, right) in [
        (&b"aa"[..], Some(b'a'), Some(b'c')),
        (b"aa", Some(b'a'), None),
        (b"bb", None, Some(b'c')),
        (b"b", Some(b'a'), Some(b'c')),
        (b"a", None, Some(b'a')),
        (b"c", Some(b'c'), None),
        (b"aa", Some(b'b'), Some(b'a')),
        (b"aa", Some(b'a'), Some(b'a')),
    ] {
        let refusal = verify_absence(&Spec::IAVL, &root(), key, &absence(key, left, right)).unwrap_err();
        assert_eq!(refusal.code, Code::AbsenceNotProven, "{key:?} {left:?} {right:?}: {refusal}");
    }
}

#[test]
fn neighbours_of_two_trees_show_no_absence() {
    // The same leaves, under a version that differs at the top.
    let mut other = absence(b"aa", Some(b'a'), Some(b'b'));
    other.right.as_mut().unwrap().path[1].prefix[2] = 4;
    assert!(verify_absence(&Spec::IAVL, &root(), b"aa", &other).is_err());
}

#[test]
fn a_path_that_ends_inside_another_is_refused() {
    // The published crate panics here.
    let mut inside = absence(b"bb", Some(b'b'), Some(b'b'));
    let right = inside.right.as_mut().unwrap();
    right.path.remove(0);
    right.key = b"c".to_vec();
    assert!(verify_absence(&Spec::IAVL, &root(), b"bb", &inside).is_err());
}

#[test]
fn an_empty_root_or_one_of_another_length_proves_nothing() {
    let path = [b"ibc".to_vec(), b"a".to_vec()];
    for root in [&[][..], &[0; 8], &[0; 31], &[0; 33]] {
        let refusal =
            verify_membership(&[Spec::IAVL, Spec::TENDERMINT], root, &path, b"aa", &[1]).unwrap_err();
        assert_eq!(refusal.code, Code::ProofShape);
    }
}

#[test]
fn a_path_has_as_many_elements_as_there_are_trees() {
    let specs = [Spec::IAVL, Spec::TENDERMINT];
    for path in [&[][..], &[b"a".to_vec()], &[b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]] {
        assert_eq!(
            verify_membership(&specs, &[0; 32], path, b"aa", &[1]).unwrap_err().code,
            Code::ProofShape
        );
    }
}
