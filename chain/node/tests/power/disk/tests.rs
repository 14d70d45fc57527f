use super::*;
use std::time::Duration;

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

/// A disk with a durable file of `bytes`.
fn with_file(seed: u64, syncs: Syncs, bytes: &[u8]) -> (Disk, u64, u64) {
    let disk = Disk::new(seed, syncs);
    let run = disk.start(at(0));
    let folder = disk.folder(run, "votes").unwrap();
    let file = disk.file(run, folder, "votes", b"a").unwrap();
    disk.write(run, file, 0, bytes).unwrap();
    disk.sync_file(run, file, at(1)).unwrap();
    disk.sync_folder(run, folder, at(1)).unwrap();
    disk.sync_root(run, at(1)).unwrap();
    disk.settle(run, at(1)).unwrap();
    (disk, run, file)
}

/// The bytes of the file after a cut, if it is there.
fn after(disk: &Disk, now: u64) -> Option<Vec<u8>> {
    disk.cut(at(now), Cache::Torn);
    let run = disk.start(at(now));
    let names = disk.names(run, "votes").ok()?;
    names.contains(&b"a".to_vec()).then_some(())?;
    let folder = disk.folder(run, "votes").unwrap();
    let file = disk.file(run, folder, "votes", b"a").unwrap();
    Some(disk.read(run, file).unwrap())
}

#[test]
fn what_was_synced_survives_every_cut() {
    for seed in 0..200 {
        let (disk, _, _) = with_file(seed, Syncs::All, &[7; 3_000]);
        for now in 2..5 {
            assert_eq!(after(&disk, now), Some(vec![7; 3_000]), "seed {seed}");
        }
    }
}

#[test]
fn what_was_not_synced_is_lost_kept_torn_and_reordered() {
    let (mut lost, mut kept, mut torn, mut reordered) = (0, 0, 0, 0);
    for seed in 0..400 {
        let (disk, run, file) = with_file(seed, Syncs::All, &[7; 3_000]);
        disk.write(run, file, 0, &[8; 1_500]).unwrap();
        disk.write(run, file, 2_048, &[9; 952]).unwrap();
        // A sync under way counts for nothing.
        disk.sync_file(run, file, at(3)).unwrap();
        let bytes = after(&disk, 2).unwrap();
        assert_eq!(bytes.len(), 3_000);
        assert!(bytes[1_500..2_048].iter().all(|byte| *byte == 7), "a cut touches what was not written");
        let (first, second) = (bytes[..1_500].contains(&8), bytes[2_048..].contains(&9));
        let whole =
            bytes[..1_500].iter().all(|byte| *byte == 8) && bytes[2_048..].iter().all(|byte| *byte == 9);
        lost += u32::from(!first && !second);
        kept += u32::from(whole);
        torn += u32::from(bytes[..1_500].contains(&8) && bytes[..1_500].contains(&7));
        reordered += u32::from(second && !first);
    }
    assert!(lost > 50 && kept > 50 && torn > 50 && reordered > 0, "{lost} {kept} {torn} {reordered}");
}

#[test]
fn a_sync_that_is_over_holds_what_was_written_before_it_and_no_more() {
    for seed in 0..100 {
        let (disk, run, file) = with_file(seed, Syncs::All, &[7; 600]);
        disk.write(run, file, 0, &[8; 600]).unwrap();
        disk.sync_file(run, file, at(3)).unwrap();
        disk.write(run, file, 600, &[9; 600]).unwrap();
        let bytes = after(&disk, 3).unwrap();
        assert_eq!(bytes[..600], [8; 600], "seed {seed}");
    }
}

#[test]
fn a_name_is_as_durable_as_its_folder() {
    let (mut vanished, mut back) = (0, 0);
    for seed in 0..100 {
        let disk = Disk::new(seed, Syncs::All);
        let run = disk.start(at(0));
        let folder = disk.folder(run, "votes").unwrap();
        let file = disk.file(run, folder, "votes", b"a").unwrap();
        disk.write(run, file, 0, &[1]).unwrap();
        disk.sync_file(run, file, at(1)).unwrap();
        disk.settle(run, at(1)).unwrap();
        vanished += u32::from(after(&disk, 2).is_none());

        let (disk, run, _) = with_file(seed, Syncs::All, &[7]);
        disk.remove(run, "votes", b"a").unwrap();
        back += u32::from(after(&disk, 2).is_some());
        let (disk, run, _) = with_file(seed, Syncs::All, &[7]);
        let folder = disk.remove(run, "votes", b"a").unwrap();
        disk.sync_folder(run, folder, at(2)).unwrap();
        assert_eq!(after(&disk, 2), None, "a synced removal is final");
    }
    assert!((20..100).contains(&vanished) && (20..80).contains(&back), "{vanished} {back}");
}

#[test]
fn without_syncs_nothing_is_safe_and_with_some_the_others_are() {
    let gone =
        (0..100).filter(|seed| after(&with_file(*seed, Syncs::None, &[7; 600]).0, 2) != Some(vec![7; 600]));
    assert!(gone.count() > 60);
    let torn = (0..100)
        .filter(|seed| after(&with_file(*seed, Syncs::NotIn("vote"), &[7; 600]).0, 2) != Some(vec![7; 600]));
    assert!(torn.count() > 30);
    for seed in 0..50 {
        assert!(after(&with_file(seed, Syncs::NotIn("block"), &[7; 600]).0, 2) == Some(vec![7; 600]));
    }
}

#[test]
fn a_killed_program_loses_nothing_and_its_handles_are_dead() {
    let (disk, run, file) = with_file(1, Syncs::All, &[7; 600]);
    disk.write(run, file, 0, &[8; 600]).unwrap();
    disk.kill();
    assert_eq!(disk.write(run, file, 0, &[9]), Err(Failure::Dark));
    disk.start(at(5));
    assert_eq!(disk.write(run, file, 0, &[9]), Err(Failure::Dark));
    // The next program's first act makes what it sees durable.
    assert_eq!(after(&disk, 6), Some(vec![8; 600]));
}

#[test]
fn a_full_disk_writes_what_fits_and_says_so() {
    let (disk, run, file) = with_file(1, Syncs::All, &[7; 600]);
    disk.set_fault(Some(Fault::Full { room: 10 }));
    disk.write(run, file, 0, &[8; 600]).unwrap();
    assert_eq!(disk.write(run, file, 500, &[9; 200]), Err(Failure::Full));
    assert_eq!(disk.read(run, file).unwrap()[499..], [[8].as_slice(), &[9; 100]].concat());
    disk.set_fault(Some(Fault::Sync { after: 1 }));
    disk.sync_file(run, file, at(3)).unwrap();
    assert_eq!(disk.sync_file(run, file, at(3)), Err(Failure::Broken));
}

#[test]
fn a_fuse_stops_the_program_in_the_middle() {
    let (disk, run, file) = with_file(1, Syncs::All, &[7; 600]);
    disk.fuse(2);
    disk.write(run, file, 0, &[8]).unwrap();
    disk.write(run, file, 1, &[8]).unwrap();
    assert_eq!(disk.write(run, file, 2, &[8]), Err(Failure::Dark));
    assert!(disk.is_dark());
    assert_eq!(disk.sync_file(run, file, at(3)), Err(Failure::Dark));
}
