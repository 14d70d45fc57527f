//! The state of a webhook under power cuts, its rests, and what is told of cases.
#![allow(clippy::unwrap_used, reason = "a test may")]

use super::compose::next;
use super::hook::{Attempt, Delivery, KEPT, Moves};
use super::*;
use crate::config::Config;
use crate::keys::Keys;
use crate::quarantine::{Case, CaseId, Ruling};
use crate::store::sim::{Loss, SimDisk, Syncs};
use tempfile::TempDir;
use zeugma_evidence_log::{Field, Record};

const DAY: u64 = 86_400;

fn config() -> WebhooksConfig {
    WebhooksConfig { allow: vec!["127.0.0.0/8".to_owned()], per_tenant: 2, ..WebhooksConfig::default() }
}

struct World {
    desk: Desk,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = Config::default();
        config.log.folder = folder.path().to_owned();
        config.log.origin = "log.example/one".to_owned();
        let keys = Keys::open(&folder.path().join("keys.json")).unwrap();
        Self { desk: Desk::open(&config, keys).unwrap(), _folder: folder }
    }

    fn deposit(&self, tenant: &str, numbers: std::ops::Range<u8>) {
        self.desk.deposit(tenant, numbers.map(record).collect(), None).unwrap();
        assert!(self.desk.log().wait_searchable(std::time::Duration::from_secs(10)));
    }
}

fn record(number: u8) -> Record {
    Record::new(vec![
        Field::Sha256([number; 32]),
        Field::MediaType("text/plain".into()),
        Field::Size(1),
        Field::Submitter("party".into()),
        Field::Source("archive".into()),
    ])
    .unwrap()
}

fn on(disk: &SimDisk) -> Result<Hooks, Refusal> {
    Hooks::open(Arc::new(disk.clone()), Path::new("/"), &config())
}

fn attempt(at: u64, status: Option<u16>) -> Attempt {
    let why = (status != Some(200)).then(|| "no".to_owned());
    Attempt { delivery: "x-1".into(), kind: "entries.logged".into(), at, milliseconds: 1, status, why }
}

fn delivery() -> Delivery {
    Delivery {
        id: "x-1".into(),
        kind: "entries.logged".into(),
        body: "{}".into(),
        made_at: 5,
        moves: Moves::Entries { event: Event::Logged, next: Position { shard: 0, index: 9 }.into() },
    }
}

#[test]
fn rests_double_up_to_the_bound_and_a_success_ends_them() {
    let (world, disk) = (World::new(), SimDisk::new(Syncs::Kept));
    let hooks = on(&disk).unwrap();
    let (mut hook, _) = hooks.register(&world.desk, "one", "https://127.0.0.1/", &[Event::Logged]).unwrap();
    hook.pending = Some(delivery());
    let (mut now, mut rests) = (1_000_000, Vec::new());
    for _ in 0..8 {
        assert!(!hook.attempted(attempt(now, Some(500)), (60, DAY)));
        rests.push((hook.next_at - now) / 1_000);
        now = hook.next_at;
    }
    assert_eq!(rests, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!((hook.failing_since, hook.pending.as_ref()), (Some(1_000_000), Some(&delivery())));
    assert!(!hook.attempted(attempt(now, Some(200)), (60, DAY)));
    assert_eq!((hook.failing_since, hook.failures, hook.next_at, &hook.pending), (None, 0, 0, &None));
    assert_eq!(Position::from(hook.next[&Event::Logged]), Position { shard: 0, index: 9 });

    // What fails for a day is disabled at that moment and not before; what is gone at once.
    for _ in 0..200 {
        hook.attempted(attempt(now, None), (60, DAY));
    }
    assert_eq!(hook.attempts.len(), KEPT, "a bounded number is kept");
    assert!(!hook.attempted(attempt(now + DAY * 1_000 - 1, None), (60, DAY)));
    assert!(hook.attempted(attempt(now + DAY * 1_000, None), (60, DAY)));
    hook.disabled = None;
    hook.failing_since = None;
    assert!(hook.attempted(attempt(now, Some(410)), (60, DAY)));
}

#[test]
fn a_power_cut_at_any_write_leaves_the_webhook_as_it_was_or_as_it_was_to_be() {
    let world = World::new();
    let (mut before, mut after, mut none) = (0, 0, 0);
    for operations in 0..40 {
        let disk = SimDisk::new(Syncs::Kept);
        disk.create_dir(Path::new("/")).unwrap();
        disk.die_in(operations);
        let done = (|| {
            let hooks = on(&disk)?;
            let (mut hook, _) = hooks.register(&world.desk, "one", "https://127.0.0.1/", &[Event::Logged])?;
            hook.pending = Some(delivery());
            hooks.keep(hook.clone())?;
            hook.attempted(attempt(7, Some(200)), (60, DAY));
            hooks.keep(hook)
        })();
        disk.cut_power(Loss::Strict, || false);
        let hooks = on(&disk).unwrap();
        match hooks.list("one").as_slice() {
            [] => none += 1,
            [hook] if hook.attempts.is_empty() => before += 1,
            [hook] => {
                assert!(hook.pending.is_none() && hook.attempts.len() == 1);
                after += 1;
            }
            more => panic!("{more:?}"),
        }
        if done.is_ok() {
            assert_eq!(hooks.list("one")[0].attempts.len(), 1, "what was written is there");
            assert!(none > 0 && before > 0 && after > 0, "{none}, {before}, {after}");
            return;
        }
    }
    panic!("forty operations were not enough");
}

#[test]
fn a_file_that_is_not_what_was_written_is_named_and_another_tenants_webhook_is_not_there() {
    let (world, disk) = (World::new(), SimDisk::new(Syncs::Kept));
    let hooks = on(&disk).unwrap();
    let register = |tenant: &str, at: &str| {
        hooks.register(&world.desk, tenant, &format!("https://127.0.0.1/{at}"), &[Event::Logged])
    };
    let (hook, is_new) = register("one", "a").unwrap();
    assert!(is_new && !register("one", "a").unwrap().1);
    register("one", "b").unwrap();
    assert_eq!(register("one", "c").unwrap_err().code, Code::TooMany);
    assert!(register("two", "c").unwrap().1);
    let empty = hooks.register(&world.desk, "two", "https://127.0.0.1/", &[]).unwrap_err();
    assert_eq!(empty.code, Code::Empty);
    for refused in [
        hooks.get("two", &hook.id).map(drop),
        hooks.remove("two", &hook.id),
        hooks.get("one", "../x").map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code, Code::NoSuchName);
    }
    let path = Path::new("/webhooks").join(&hook.id);
    let file = disk.open(&path, false).unwrap();
    let mut byte = [0];
    file.read_at(200, &mut byte).unwrap();
    file.write_at(200, &[byte[0] ^ 1]).unwrap();
    let refused = on(&disk).unwrap_err();
    assert_eq!(refused.code, Code::Damaged);
    assert!(refused.to_string().contains(&hook.id), "{refused}");
    hooks.remove("one", &hook.id).unwrap();
    assert_eq!(on(&disk).unwrap().list("one").len(), 1);
}

#[test]
fn entries_are_told_up_to_the_checkpoint_and_from_where_it_was_over_a_shard_that_was_closed() {
    let (world, disk) = (World::new(), SimDisk::new(Syncs::Kept));
    let hooks = on(&disk).unwrap();
    world.deposit("one", 0..3);
    world.desk.publish().unwrap();
    world.deposit("one", 3..5);
    let (mut hook, _) = hooks.register(&world.desk, "one", "https://127.0.0.1/", &[Event::Logged]).unwrap();
    let told = |hook: &mut Hook| -> Option<serde_json::Value> {
        let delivery = next(&world.desk, hook).unwrap()?;
        hook.pending = Some(delivery.clone());
        hook.attempted(attempt(1, Some(200)), (60, DAY));
        let body: serde_json::Value = serde_json::from_str(&delivery.body).unwrap();
        Some(body["data"].clone())
    };
    assert_eq!(told(&mut hook), None, "what is not published yet is not told");
    world.deposit("two", 5..7);
    world.desk.publish().unwrap();
    let first = told(&mut hook).unwrap();
    assert_eq!(
        (&first["shard"], &first["size"], &first["entries"]),
        (&0.into(), &7.into(), &serde_json::json!([3, 4]))
    );
    assert_eq!(told(&mut hook), None, "another tenant's are not told, nor its own twice");
    world.deposit("one", 7..8);
    world.desk.roll("log.example/two").unwrap();
    world.deposit("one", 8..10);
    world.desk.publish().unwrap();
    let closed = told(&mut hook).unwrap();
    assert_eq!(
        (&closed["shard"], &closed["entries"], &closed["origin"]),
        (&0.into(), &serde_json::json!([7]), &"log.example/one".into())
    );
    let open = told(&mut hook).unwrap();
    assert_eq!(
        (&open["shard"], &open["entries"], &open["origin"]),
        (&1.into(), &serde_json::json!([0, 1]), &"log.example/two".into())
    );
    assert_eq!(told(&mut hook), None);
}

#[test]
fn what_became_of_a_held_deposit_is_told_once_each_and_nothing_of_cases_that_were_there_before() {
    let (world, disk) = (World::new(), SimDisk::new(Syncs::Kept));
    let hooks = on(&disk).unwrap();
    let hold = |tenant: &str, number: u8| -> CaseId {
        let case = Case::new(tenant, vec![record(number)], None, Vec::new(), BlockTime::new(1_000)).unwrap();
        world.desk.quarantine().hold(&case, || Ok(true)).unwrap_err();
        case.id()
    };
    let old = hold("one", 1);
    let (mut hook, _) =
        hooks.register(&world.desk, "one", "https://127.0.0.1/", &[Event::Quarantine]).unwrap();
    let told = |hook: &mut Hook| -> Option<(String, String, serde_json::Value)> {
        let delivery = next(&world.desk, hook).unwrap()?;
        hook.pending = Some(delivery.clone());
        hook.attempted(attempt(1, Some(200)), (60, DAY));
        let body: serde_json::Value = serde_json::from_str(&delivery.body).unwrap();
        let data = &body["data"];
        Some((delivery.kind, data["case"].as_str().unwrap().to_owned(), data["entries"].clone()))
    };
    assert_eq!(told(&mut hook), None);
    let new = hold("one", 2);
    hold("two", 3);
    let none = serde_json::json!([]);
    assert_eq!(told(&mut hook), Some(("case.held".into(), new.to_string(), none.clone())));
    assert_eq!(told(&mut hook), None);
    let ruling = || Ruling {
        role: "regulator".into(),
        tenant: "r".into(),
        at: BlockTime::new(2_000),
        words: "so".into(),
    };
    let (quarantine, log) = (world.desk.quarantine(), world.desk.log());
    quarantine.release(log, old, ruling()).unwrap();
    let at = serde_json::json!([{ "shard": 0, "index": 0 }]);
    assert_eq!(told(&mut hook), Some(("case.released".into(), old.to_string(), at)));
    quarantine.reject(new, ruling()).unwrap();
    assert_eq!(told(&mut hook), Some(("case.rejected".into(), new.to_string(), none.clone())));
    let lapses = hold("one", 4);
    // It was held and lapsed between two looks: what it is, is told.
    quarantine.tidy(log, BlockTime::new(1_000 + 31 * DAY * 1_000)).unwrap();
    assert_eq!(told(&mut hook), Some(("case.lapsed".into(), lapses.to_string(), none)));
    assert_eq!(told(&mut hook), None);
}
