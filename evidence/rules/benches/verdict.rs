//! What a verdict costs: `cargo bench -p zeugma-evidence-rules`. Target: 30 rules in at most 2 ms.
//!
//! The pack is the shipped ones' rules, repeated up to 30, on facts that take each rule to its end. In the child
//! process the request and the answer pass two pipes.

#[path = "../../verify/benches/measure/mod.rs"]
mod measure;

use measure::measure;
use std::hint::black_box;
use zeugma_evidence_rules::shipped::{FILES, packs};
use zeugma_evidence_rules::{Cases, Engine, Pack, Sandbox};

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
