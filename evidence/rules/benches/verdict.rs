//! What a verdict costs: `cargo bench -p zeugma-evidence-rules`. Target: 30 rules in at most 2 ms.
//!
//! The pack is the shipped ones' rules, repeated up to 30, on facts that take each rule to its end. In the child
//! process the request and the answer pass two pipes.

use std::hint::black_box;
use std::time::{Duration, Instant};
use zeugma_evidence_rules::shipped::{FILES, packs};
use zeugma_evidence_rules::{Cases, Engine, Pack, Sandbox};

const SPENT: Duration = Duration::from_secs(2);

fn main() {
    let pack = thirty();
    let facts = Cases::from_toml(FILES[0].2).expect("shipped cases").0.remove(0).facts;
    let mut engine = Engine::new();
    let compiled = engine.compile(pack.clone()).expect("shipped rules compile");
    measure("rules::compile/rules=30", || black_box(engine.compile(pack.clone())).is_ok());
    measure("rules::evaluate/rules=30", || {
        !black_box(engine.evaluate(&compiled, &facts)).findings.is_empty()
    });
    let mut sandbox = Sandbox::new(env!("CARGO_BIN_EXE_zeugma-rules-worker"), &[]);
    measure("rules::sandbox/rules=30", || black_box(sandbox.evaluate(&pack, &facts)).is_ok());
}

fn thirty() -> Pack {
    let mut all = packs();
    let mut rules: Vec<_> = all.iter().flat_map(|pack| pack.rules.clone()).cycle().take(30).collect();
    for (index, rule) in rules.iter_mut().enumerate() {
        rule.id = format!("r{index}");
    }
    Pack { rules, ..all.remove(0) }
}

fn measure(name: &str, mut call: impl FnMut() -> bool) {
    let mut spans = Vec::new();
    let started = Instant::now();
    while started.elapsed() < SPENT {
        let at = Instant::now();
        assert!(call(), "{name} failed");
        spans.push(at.elapsed());
    }
    spans.sort_unstable();
    let at = |share: usize| spans[(spans.len() - 1) * share / 100].as_secs_f64() * 1e6;
    println!(
        "{name:<28} least {:>8.1} us  median {:>8.1} us  p99 {:>8.1} us  {} calls",
        at(0),
        at(50),
        at(99),
        spans.len()
    );
}
