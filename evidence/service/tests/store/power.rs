//! Power is cut at any operation: nothing that was acknowledged is lost. Without syncs, it is.

use crate::world::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::{NoteBounds, TileNodes};
use zeugma_evidence_service::store::sim::{Loss, SimDisk, Syncs};
use zeugma_evidence_service::store::{Config, Disk, Log, MemoryIndex, Position, Tree};
use zeugma_proof::tree::root;
use zeugma_types::Code;

/// What was acknowledged.
#[derive(Default)]
struct Known {
    positions: BTreeMap<u64, Position>,
    erased: Vec<u64>,
    /// Orders of erasure that were not acknowledged: either may be.
    asked: Vec<u64>,
    requests: BTreeMap<String, (Vec<u64>, Vec<Position>)>,
    next: u64,
}

/// One life of a disk with a few power cuts. `Err` tells what was lost.
fn round(seed: u64, syncs: Syncs, loss: Loss) -> Result<(), String> {
    let mut chance = Chance::new(seed);
    let disk = SimDisk::new(syncs);
    let twin = seed.is_multiple_of(3).then(|| TWIN.into());
    let config = || Config { segment_bytes: 6_000, twin: twin.clone(), ..Config::new(ROOT, ORIGIN) };
    let mut known = Known::default();
    let mut index = Arc::new(MemoryIndex::default());
    for _ in 0..4 {
        disk.die_in(20 + chance.below(400));
        if let Ok(log) = Log::open(config(), Arc::new(disk.clone()), index.clone()) {
            while !disk.is_dead() {
                work(&log, &disk, &mut known, &mut chance);
            }
        } else if !disk.is_dead() {
            return Err("the log does not open".into());
        }
        let kept: Vec<bool> = (0..4_096).map(|_| chance.flip()).collect();
        let mut kept = kept.iter().cycle();
        disk.cut_power(loss, || *kept.next().unwrap());
        // The index comes back as it was at some time since it was synced, or not at all.
        index = Arc::new(match chance.below(3) {
            0 => MemoryIndex::default(),
            1 => index.copy(),
            _ => index.copy_synced(),
        });
        check(&disk, &index, &config(), &mut known)?;
    }
    Ok(())
}

fn work(log: &Log, disk: &SimDisk, known: &mut Known, chance: &mut Chance) {
    while !log.wait_ready(std::time::Duration::from_millis(1)) {
        if disk.is_dead() {
            return;
        }
    }
    for _ in 0..6 {
        match chance.below(12) {
            0 | 1 => drop(log.publish(&[fast_signers(ORIGIN)], NOW)),
            2 => {
                let Some((number, position)) = pick(known, chance) else { continue };
                known.asked.push(number);
                if log.erase(position, 1).is_ok() {
                    known.positions.remove(&number);
                    known.erased.push(number);
                }
            }
            3 => {
                let key = format!("key {}", chance.below(20));
                if known.requests.contains_key(&key) {
                    continue;
                }
                let numbers: Vec<u64> = (0..1 + chance.below(5)).map(|at| known.next + at).collect();
                known.next += numbers.len() as u64;
                // A request that was refused may have been written: its key is not used again.
                let outcome = keyed(log, &key, &numbers, chance);
                let positions = outcome.map(|all| all.iter().map(|item| item.position).collect::<Vec<_>>());
                if let Ok(positions) = &positions {
                    known.positions.extend(numbers.iter().copied().zip(positions.iter().copied()));
                }
                known.requests.insert(key, (numbers, positions.unwrap_or_default()));
            }
            _ => {
                let fresh = 1 + chance.below(12);
                let mut numbers: Vec<u64> = (0..fresh).map(|at| known.next + at).collect();
                known.next += fresh;
                numbers.extend(pick(known, chance).map(|(number, _)| number));
                if let Ok(outcomes) = append(log, &numbers, chance) {
                    known
                        .positions
                        .extend(numbers.iter().copied().zip(outcomes.iter().map(|item| item.position)));
                }
            }
        }
        if disk.is_dead() {
            return;
        }
    }
}

fn pick(known: &Known, chance: &mut Chance) -> Option<(u64, Position)> {
    let count = known.positions.len() as u64;
    if count == 0 {
        return None;
    }
    let at = usize::try_from(chance.below(count)).unwrap();
    known.positions.iter().nth(at).map(|(number, position)| (*number, *position))
}

fn check(disk: &SimDisk, index: &Arc<MemoryIndex>, config: &Config, known: &mut Known) -> Result<(), String> {
    let log =
        open(disk, index.clone(), config.clone()).map_err(|refusal| format!("does not open: {refusal}"))?;
    if !log.wait_ready(std::time::Duration::from_secs(10)) {
        return Err("never ready".into());
    }
    for (number, position) in known.positions.clone() {
        match log.stored(position) {
            Ok(stored) if stored.record == record(number) => {}
            // An erasure that was asked for and not answered may have been done.
            Err(refusal) if refusal.code == Code::RecordErased && known.asked.contains(&number) => {
                known.positions.remove(&number);
                known.erased.push(number);
            }
            other => return Err(format!("record {number} at {position:?}: {other:?}")),
        }
    }
    let mut chance = Chance::new(0);
    for (key, (numbers, positions)) in &known.requests {
        if positions.is_empty() || numbers.iter().any(|number| known.asked.contains(number)) {
            continue;
        }
        let again = keyed(&log, key, numbers, &mut chance).map_err(|refusal| format!("{key}: {refusal}"))?;
        if !again.iter().map(|item| item.position).eq(positions.iter().copied()) {
            return Err(format!("{key}: another answer"));
        }
    }
    let size = log.head().2;
    // Making commitments takes most of the time of a round: of many records some are deposited again.
    let some = known.positions.len().div_ceil(40).max(1);
    for (number, position) in known.positions.iter().rev().step_by(some) {
        let again = append(&log, &[*number], &mut chance).map_err(|refusal| refusal.to_string())?[0];
        if again.position != *position || !again.known {
            return Err(format!("record {number} has two positions: {position:?} and {:?}", again.position));
        }
    }
    if log.head().2 != size {
        return Err("a known record was added".into());
    }
    for tree in [Tree::First, Tree::Second] {
        published(disk, &log, tree)?;
    }
    log.publish(&[fast_signers(ORIGIN)], NOW).map_err(|refusal| refusal.to_string())?;
    let report = log.fsck(false).map_err(|refusal| refusal.to_string())?;
    if !report.findings.is_empty() {
        return Err(format!("{:?}", report.findings));
    }
    Ok(())
}

/// The checkpoint that stands published is of the log, and every tile that it needs is there as a file.
fn published(disk: &SimDisk, log: &Log, tree: Tree) -> Result<(), String> {
    let folder = public(if tree == Tree::First { "" } else { "sm3" });
    let read = |path: &std::path::Path| {
        let file = disk.open(path, false).ok()?;
        let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
        file.read_at(0, &mut bytes).unwrap();
        Some(bytes)
    };
    let Some(note) = read(&folder.join("checkpoint")) else { return Ok(()) };
    let signed = SignedCheckpoint::parse(&note, NoteBounds::USUAL).map_err(|refusal| refusal.to_string())?;
    let view = signed.claimed().view;
    let from_files = TileNodes::new(tree.suite(), view.size, |tile| read(&folder.join(tile.path())));
    let files =
        root(tree.suite(), view.size, &from_files).map_err(|missing| format!("{tree:?}: {missing}"))?;
    let own = TileNodes::new(tree.suite(), view.size, |tile| log.tile(0, tree, tile).ok());
    let own = root(tree.suite(), view.size, &own).map_err(|missing| missing.to_string())?;
    if files == view.root && own == view.root {
        Ok(())
    } else {
        Err(format!("{tree:?}: another root was published"))
    }
}

fn modes() -> [Loss; 2] {
    [Loss::Strict, Loss::Subset]
}

fn rounds(from: u64, count: u64) {
    for seed in from..from + count {
        let loss = modes()[usize::from(seed % 2 == 0)];
        if let Err(lost) = round(seed, Syncs::Kept, loss) {
            panic!("round {seed}, {loss:?}: {lost}");
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_in_50_rounds_of_power_cuts() {
    rounds(0, 50);
}

#[test]
#[ignore = "long: 10,000 rounds of power cuts"]
fn nothing_acknowledged_is_lost_in_10000_rounds_of_power_cuts() {
    rounds(1_000, 10_000);
}

#[test]
fn without_syncs_loss_is_found_in_nine_rounds_of_ten() {
    for loss in modes() {
        let found = (0..50).filter(|seed| round(*seed, Syncs::Dropped, loss).is_err()).count();
        assert!(found >= 45, "{loss:?}: the harness found loss in {found} rounds of 50");
    }
}
