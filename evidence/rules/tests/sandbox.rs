//! The child process that evaluates: the same verdict as in this process, and an end to every hostile pack.

use std::time::Duration;
use zeugma_evidence_rules::shipped::FILES;
use zeugma_evidence_rules::{Aborted, Cases, Engine, Facts, Pack, Sandbox};

fn sandbox() -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_zeugma-rules-worker"), &[])
}

fn with_script(script: &str) -> Pack {
    let mut pack = Pack::from_toml(FILES[0].1).expect("a shipped pack is read");
    script.clone_into(&mut pack.rules[0].script);
    pack
}

fn nothing() -> Facts {
    Facts::from_json("{}").expect("empty facts")
}

/// Keeps 32 MiB in texts of 32 KiB. Rhai's bound on sizes does not reach an assignment by index.
const HOARD: &str = r#"
let s = "x";
for i in 0..15 { s += s; }
let hoard = #{};
for i in 0..1000 { hoard[i.to_string()] = s + i.to_string(); }
met("consistent", #{ anchored_at: 1 })
"#;

#[test]
fn a_child_gives_the_verdict_that_this_process_gives() {
    let mut sandbox = sandbox();
    let mut engine = Engine::new();
    for (_, pack, cases) in FILES {
        let pack = Pack::from_toml(pack).unwrap();
        let compiled = engine.compile(pack.clone()).unwrap();
        for case in Cases::from_toml(cases).unwrap().0 {
            let here = engine.evaluate(&compiled, &case.facts);
            assert_eq!(sandbox.evaluate(&pack, &case.facts).unwrap(), here, "{}", case.name);
        }
    }
}

#[test]
fn a_pack_that_hoards_memory_is_aborted_without_a_verdict_and_the_next_is_judged() {
    let mut sandbox = sandbox().memory(24);
    match sandbox.evaluate(&with_script(HOARD), &nothing()) {
        Err(Aborted::Worker { mebibytes: 24, .. }) => {}
        other => panic!("the hoard was not stopped by its ceiling: {other:?}"),
    }
    let pack = Pack::from_toml(FILES[0].1).unwrap();
    assert!(sandbox.evaluate(&pack, &nothing()).is_ok());
}

#[test]
fn the_same_hoard_under_a_high_ceiling_ends_so_it_was_memory_that_stopped_it() {
    let verdict = sandbox().memory(512).evaluate(&with_script(HOARD), &nothing());
    let verdict = verdict.unwrap_or_else(|aborted| panic!("{aborted}"));
    assert_eq!(verdict.findings[0].reason, "consistent", "{:?}", verdict.findings[0]);
}

#[test]
fn a_deadline_aborts_without_a_verdict_and_the_next_is_judged() {
    let mut sandbox = sandbox().deadline(Duration::ZERO);
    assert!(matches!(
        sandbox.evaluate(&with_script("loop { }"), &nothing()),
        Err(Aborted::Deadline { milliseconds: 0 })
    ));
    let mut sandbox = sandbox.deadline(Duration::from_secs(60));
    let pack = Pack::from_toml(FILES[0].1).unwrap();
    assert!(sandbox.evaluate(&pack, &nothing()).is_ok());
}

#[test]
fn a_pack_that_does_not_compile_is_told_as_such_and_the_child_lives_on() {
    let mut sandbox = sandbox();
    let error = sandbox.evaluate(&with_script("{{{"), &nothing()).unwrap_err().to_string();
    assert!(error.contains("does not compile"), "{error}");
    assert!(sandbox.evaluate(&Pack::from_toml(FILES[0].1).unwrap(), &nothing()).is_ok());
}

#[test]
fn a_worker_that_is_not_there_is_unreachable() {
    let mut missing = Sandbox::new("/nonexistent/worker", &[]);
    let pack = Pack::from_toml(FILES[0].1).unwrap();
    assert!(matches!(missing.evaluate(&pack, &nothing()), Err(Aborted::Unreachable(_))));
}
