//! The model of a packet's life: `cargo xtask model` checks it, `--record` writes histories of it for the ledger to
//! replay. The model and what it says are in `tests/model`.

use crate::child::{Child, Tests};
use crate::{tools, workspace};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;

const ROOM: &str = "tests/model";
const MODEL: &str = "packet.qnt";
const RECORD: &str = "tests/vectors/model/packet.txt";

/// The module whose faults are none, and those with a fault each, which must be found.
const HONEST: &str = "honest";
const PLANTED: [&str; 3] = ["stale", "late", "twice"];
/// What some of the runs must come to: a model in which nothing happens is safe, too.
const WITNESSES: [&str; 7] = [
    "someReceived",
    "someRefunded",
    "someClosed",
    "lateReceived",
    "someHeld",
    "someReleased",
    "someGivenBack",
];

/// Runs of the gate, and steps of each.
const SAMPLES: &str = "--max-samples=600";
const STEPS: &str = "--max-steps=50";
/// A planted fault is found long before.
const PLANTED_SAMPLES: &str = "--max-samples=4000";

/// Histories recorded, and their seed.
const RECORDED: usize = 60;
const RECORD_SEED: &str = "--seed=11";

/// Installs the checker.
///
/// # Errors
/// When Node.js or npm is missing, or it does not install.
pub(crate) fn prepare() -> Result<()> {
    tools::npm(ROOM).map(|_| ())
}

/// Checks the model, and that the check can fail.
///
/// # Errors
/// When the honest model breaks an invariant or reaches too little, or a planted fault is not found.
pub(crate) fn run() -> Result<Tests> {
    let witnesses = ["--witnesses"].into_iter().chain(WITNESSES);
    let text = quint(HONEST)?.args([SAMPLES, STEPS]).args(witnesses).minutes(10).text()?;
    for witness in WITNESSES {
        let seen =
            witnessed(&text, witness).with_context(|| format!("nothing is said of {witness}: {text}"))?;
        ensure!(seen > 0, "no run came to {witness}");
        println!("{witness}: in {seen} runs");
    }
    for fault in PLANTED {
        match quint(fault)?.args([PLANTED_SAMPLES, STEPS]).minutes(10).text() {
            Ok(_) => bail!("the planted fault `{fault}` was not found"),
            Err(error) if format!("{error:#}").contains("Invariant violated") => println!("{fault}: found"),
            Err(error) => return Err(error).context(fault),
        }
    }
    Ok(Tests { passed: 1 + PLANTED.len() as u64, failed: 0, ignored: 0 })
}

/// The checker, asked to run one module under the invariant.
fn quint(module: &str) -> Result<Child> {
    let program = tools::npm(ROOM)?.join("node_modules/.bin/quint");
    let model = workspace::root().join(ROOM).join(MODEL);
    let asked = ["--invariant=safe".to_owned(), format!("--main={module}")];
    Ok(Child::new(program).args(["run"]).args([model.into_os_string()]).args(asked))
}

/// In how many runs a witness was seen.
fn witnessed(text: &str, witness: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(witness))?;
    line.split_once("witnessed in ")?.1.split(' ').next()?.parse().ok()
}

/// Writes histories of the honest model, step by step.
///
/// # Errors
/// When the checker does not run or writes what is not its format.
pub(crate) fn record() -> Result<()> {
    let folder = workspace::target()?.join("model");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let traces = format!("--n-traces={RECORDED}");
    let out = format!("--out-itf={}/{{seq}}.itf.json", folder.display());
    quint(HONEST)?.args([SAMPLES, "--max-steps=60", RECORD_SEED]).args([traces, out]).minutes(10).text()?;
    let mut text =
        format!("# Histories of tests/model/{MODEL}, module {HONEST}, by `cargo xtask model --record`.\n");
    for number in 0..RECORDED {
        let path = folder.join(format!("{number}.itf.json"));
        let trace = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let trace: Value = serde_json::from_str(&trace).with_context(|| format!("{}", path.display()))?;
        write_history(&mut text, number, &trace).with_context(|| format!("{}", path.display()))?;
    }
    let path = workspace::root().join(RECORD);
    fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {RECORD}");
    Ok(())
}

/// One trace of the Informal Trace Format, as lines: what was tried, whether it was taken, and where each packet is then.
fn write_history(out: &mut String, number: usize, trace: &Value) -> Result<()> {
    let states = trace["states"].as_array().context("no states")?;
    for (at, state) in states.iter().enumerate() {
        if at == 0 {
            let timeouts: Vec<String> =
                map(variable(state, "timeout")?, |to| Some(integer(to)?.to_string()))?.into_iter().collect();
            writeln!(out, "history {number} timeouts {}", timeouts.join(" "))?;
            continue;
        }
        let last = variable(state, "last")?;
        let kind = last["kind"].as_str().context("no kind")?;
        let which = integer(&last["packet"]).context("no packet")?;
        let taken = if last["taken"].as_bool().context("taken or not")? { "taken" } else { "refused" };
        let first = |value: &Value| Some(value["tag"].as_str()?.get(..1)?.to_owned());
        let (sent, slot) = (map(variable(state, "sent")?, first)?, map(variable(state, "slot")?, first)?);
        writeln!(out, "{kind} {which} {taken} {} {}", sent.concat(), slot.concat())?;
    }
    Ok(())
}

/// A variable of the module, whatever it was imported into.
fn variable<'v>(state: &'v Value, name: &str) -> Result<&'v Value> {
    let end = format!("::{name}");
    let found = state.as_object().and_then(|all| all.iter().find(|(full, _)| full.ends_with(&end)));
    found.map(|(_, value)| value).with_context(|| format!("no variable {name}"))
}

/// The values of a map, by key.
fn map(value: &Value, of: impl Fn(&Value) -> Option<String>) -> Result<Vec<String>> {
    let entries = value["#map"].as_array().context("no map")?;
    let mut sorted: Vec<(i64, String)> = entries
        .iter()
        .map(|entry| Some((integer(&entry[0])?, of(&entry[1])?)))
        .collect::<Option<_>>()
        .with_context(|| format!("{value}"))?;
    sorted.sort();
    Ok(sorted.into_iter().map(|(_, value)| value).collect())
}

fn integer(value: &Value) -> Option<i64> {
    value["#bigint"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_witness_is_counted_from_its_own_line() {
        let text = "[ok] No violation\nsomeReceived was witnessed in 17 trace(s) out of 200 explored (8.50%)\n\
                    someClosed was witnessed in 0 trace(s) out of 200 explored (0.00%)\n";
        assert_eq!(witnessed(text, "someReceived"), Some(17));
        assert_eq!(witnessed(text, "someClosed"), Some(0));
        assert_eq!(witnessed(text, "someRefunded"), None);
    }

    #[test]
    fn a_trace_becomes_a_line_for_each_step() {
        let number = |number: i64| json!({ "#bigint": number.to_string() });
        let map = |tags: [&str; 2]| json!({ "#map": [[number(2), { "tag": tags[1] }], [number(1), { "tag": tags[0] }]] });
        let trace = json!({ "states": [
            { "m::packet::timeout": { "#map": [[number(1), number(9)], [number(2), number(7)]] } },
            {
                "m::packet::last": { "kind": "send", "packet": number(2), "taken": true },
                "m::packet::sent": map(["Unsent", "Open"]),
                "m::packet::slot": map(["Empty", "Empty"]),
            },
        ] });
        let mut out = String::new();
        write_history(&mut out, 3, &trace).unwrap();
        assert_eq!(out, "history 3 timeouts 9 7\nsend 2 taken UO EE\n");
        assert!(write_history(&mut out, 3, &json!({ "states": [{}] })).is_err());
    }
}
