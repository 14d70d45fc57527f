//! Inclusion and consistency hold exactly when RFC 9162's recursive definition, read backwards, gives
//! the root; and what the prover makes of a small tree holds.
//!
//! Input: two numbers, a choice, the number of hashes too many or too few, and one byte for each hash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeugma_fuzz::{Seed, seed, start};
use zeugma_proof::tree::{Hash, Node, consistency, inclusion, leaf_hash, node_hash, root};
use zeugma_proof::tree::{verify_consistency, verify_inclusion};
use zeugma_types::{HashSuite, LeafIndex, TreeSize};

const SUITE: HashSuite = HashSuite::Sha256;
const LEAVES: u64 = 70;

static SMALL: LazyLock<Vec<Hash>> =
    LazyLock::new(|| (0..LEAVES).map(|number| leaf_hash(SUITE, &number.to_be_bytes())).collect());

/// RFC 9162, section 2.1.1, over the leaves of a stored node.
fn stored(node: Node) -> Option<Hash> {
    fn of(leaves: &[Hash]) -> Hash {
        match leaves {
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(leaves.len() / 2);
                node_hash(SUITE, &of(left), &of(right))
            }
        }
    }
    let begin = usize::try_from(node.index << node.level).ok()?;
    SMALL.get(begin..begin + (1 << node.level)).map(of)
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    let mut power = 1;
    while power < size - power {
        power *= 2;
    }
    power
}

/// The root that a path gives, or nothing for a path of another length. Section 2.1.3.1, backwards.
fn included(index: u64, size: u64, leaf: &Hash, path: &[Hash]) -> Option<Hash> {
    if size <= 1 {
        return (size == 1 && path.is_empty()).then_some(*leaf);
    }
    let (top, below) = path.split_last()?;
    let middle = split(size);
    if index < middle {
        Some(node_hash(SUITE, &included(index, middle, leaf, below)?, top))
    } else {
        Some(node_hash(SUITE, top, &included(index - middle, size - middle, leaf, below)?))
    }
}

/// Both roots that a path gives, where `whole` means that the old tree's root is known. Section 2.1.4.1.
fn extended(old: u64, new: u64, whole: Option<&Hash>, path: &[Hash]) -> Option<[Hash; 2]> {
    if old == new {
        return match (whole, path) {
            (Some(root), []) => Some([*root; 2]),
            (None, [one]) => Some([*one; 2]),
            _ => None,
        };
    }
    let (top, below) = path.split_last()?;
    let middle = split(new);
    if old <= middle {
        let [before, after] = extended(old, middle, whole, below)?;
        Some([before, node_hash(SUITE, &after, top)])
    } else {
        let [before, after] = extended(old - middle, new - middle, None, below)?;
        Some([node_hash(SUITE, top, &before), node_hash(SUITE, top, &after)])
    }
}

fn inclusion_length(index: u64, size: u64) -> usize {
    if size <= 1 {
        return 0;
    }
    let middle = split(size);
    1 + if index < middle {
        inclusion_length(index, middle)
    } else {
        inclusion_length(index - middle, size - middle)
    }
}

fn consistency_length(old: u64, new: u64, whole: bool) -> usize {
    if old == new {
        return usize::from(!whole);
    }
    let middle = split(new);
    1 + if old <= middle {
        consistency_length(old, middle, whole)
    } else {
        consistency_length(old - middle, new - middle, false)
    }
}

fn seeds() -> Vec<Seed> {
    let input = |first: u64, second: u64, choice: u8| {
        [&first.to_be_bytes()[..], &second.to_be_bytes(), &[choice, 0], &[1, 2, 3, 4, 5, 6]].concat()
    };
    let mut seeds = Vec::new();
    let numbers =
        [(0, 1), (3, 7), (6, 7), (4, 8), (64, 65), (1 << 40, (1 << 40) + 3), (u64::MAX - 1, u64::MAX)];
    for (at, (first, second)) in numbers.into_iter().enumerate() {
        for choice in 0..4 {
            seeds.push(seed(format!("numbers-{at}-{choice}"), input(first, second, choice)));
        }
    }
    seeds
}

fn check_inclusion(index: u64, size: u64, path: &[Hash], change: u8) {
    let leaf = [0xaa; 32];
    let made = if index < size { included(index, size, &leaf, path) } else { None };
    let mut claimed = made.unwrap_or([0; 32]);
    claimed[0] ^= change;
    let verdict =
        verify_inclusion(SUITE, &leaf, LeafIndex::new(index), TreeSize::new(size), path, &claimed).is_ok();
    assert_eq!(verdict, made == Some(claimed), "inclusion of {index} in {size}");
}

fn check_consistency(old: u64, new: u64, path: &[Hash], change: [u8; 2]) {
    let given = [0xaa; 32];
    let made = if 0 < old && old <= new { extended(old, new, Some(&given), path) } else { None };
    let [mut before, mut after] = made.unwrap_or([given; 2]);
    before[0] ^= change[0];
    after[0] ^= change[1];
    // The old root takes part in what the new one must be, where the old tree is perfect.
    let made = if 0 < old && old <= new { extended(old, new, Some(&before), path) } else { None };
    let (old_size, new_size) = (TreeSize::new(old), TreeSize::new(new));
    let verdict = verify_consistency(SUITE, (old_size, &before), (new_size, &after), path).is_ok();
    assert_eq!(verdict, made == Some([before, after]), "consistency of {old} with {new}");
}

fn check_prover(index: u64, size: u64) {
    let (index, size) = (index % LEAVES, size % LEAVES);
    if index >= size {
        return;
    }
    let (at, of) = (LeafIndex::new(index), TreeSize::new(size));
    let whole = root(SUITE, of, &stored).expect("every node is there");
    let path = inclusion(SUITE, at, of, &stored).expect("every node is there");
    let leaf = stored(Node { level: 0, index }).expect("a leaf");
    assert_eq!(included(index, size, &leaf, &path), Some(whole));
    verify_inclusion(SUITE, &leaf, at, of, &path, &whole).expect("an honest inclusion");
    let old = TreeSize::new(index + 1);
    let before = root(SUITE, old, &stored).expect("every node is there");
    let path = consistency(SUITE, old, of, &stored).expect("every node is there");
    assert_eq!(extended(index + 1, size, Some(&before), &path), Some([before, whole]));
    verify_consistency(SUITE, (old, &before), (of, &whole), &path).expect("an honest consistency");
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((first, rest)) = data.split_first_chunk() else { return };
    let Some((second, rest)) = rest.split_first_chunk() else { return };
    let Some(([choice, off], rest)) = rest.split_first_chunk::<2>() else { return };
    let (first, second) = (u64::from_be_bytes(*first), u64::from_be_bytes(*second));
    let needed = match choice % 4 {
        0 if first < second => inclusion_length(first, second),
        1 if 0 < first && first <= second => consistency_length(first, second, true),
        _ => 3,
    };
    // Most inputs have the right length; then one too few, one too many, and any number.
    let count = match off {
        0..=127 => needed,
        128..=159 => needed.saturating_sub(1),
        160..=191 => needed + 1,
        any => usize::from(*any) - 192,
    };
    let path: Vec<Hash> = (0..count).map(|at| [rest.get(at).copied().unwrap_or(0x55); 32]).collect();
    let changes = [rest.get(count).copied().unwrap_or(0), rest.get(count + 1).copied().unwrap_or(0)];
    match choice % 4 {
        0 => check_inclusion(first, second, &path, changes[0]),
        1 => check_consistency(first, second, &path, changes),
        2 => check_inclusion(first % 16, second % 16, &path, changes[0]),
        _ => {
            check_consistency(first % 16, second % 16, &path, changes);
            check_prover(first, second);
        }
    }
});
