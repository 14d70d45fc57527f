//! No alert speaks of a ghost: every metric that a rule or a panel names is registered in the code.
//!
//! What is registered is read from each `metrics.rs`, twice: from the table in its documentation, which is for
//! people, and from the strings in its code. The two must agree. The engine puts a name together from its parts,
//! `child("zeugma_chain")` and `gauge("height", ...)`, and adds `_total` to a counter.
//!
//! What is used before it is registered stands in a list, which must shrink: a name in it that the code
//! registers, or that nothing uses, is an error.

use crate::workspace;
use anyhow::{Context, Result, anyhow, ensure};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const AWAITED: &str = "ops/deploy/prometheus/awaited.txt";

/// Every metric of ours begins so.
const PREFIX: &str = "zeugma_";

/// Rooms whose programs export metrics.
const ROOMS: [&str; 4] = ["chain", "relay", "evidence", "ops"];

/// What registers a metric, with its name as the first argument.
const REGISTERS: [&str; 5] = ["counter", "family", "gauge", "histogram", "register"];

/// Checks the names in `files`; returns a report.
///
/// # Errors
/// With every name that is wrong.
pub(crate) fn check(files: &[&str]) -> Result<String> {
    let mut registered = BTreeSet::new();
    for room in ROOMS {
        let folder = workspace::root().join(room);
        if folder.exists() {
            registered_below(&folder, &mut registered)?;
        }
    }
    let mut used = BTreeSet::new();
    for file in files {
        used.extend(names_in(&super::read(file)?));
    }
    let awaited = awaited(&super::read(AWAITED)?)?;
    compare(&used, &registered, &awaited)
}

fn compare(
    used: &BTreeSet<String>,
    registered: &BTreeSet<String>,
    awaited: &BTreeSet<String>,
) -> Result<String> {
    let base = |name: &str| {
        let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let known = |name: &str| registered.contains(name) || awaited.contains(name);
        of_histogram.filter(|base| known(base)).unwrap_or(name).to_owned()
    };
    let used: BTreeSet<String> = used.iter().map(|name| base(name)).collect();
    let mut wrong = Vec::new();
    for name in used.iter().filter(|name| !registered.contains(*name) && !awaited.contains(*name)) {
        wrong.push(format!("{name} is used and nothing registers it"));
    }
    for name in awaited {
        if registered.contains(name) {
            wrong.push(format!("{name} is registered now: take it out of {AWAITED}"));
        }
        if !used.contains(name) {
            wrong.push(format!("{name} is awaited in {AWAITED} and nothing uses it"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let list = |names: Vec<&String>| names.into_iter().map(|name| format!("\n  {name}")).collect::<String>();
    let unseen: Vec<&String> = registered.difference(&used).collect();
    Ok(format!(
        "{} metrics are used, {} of them not yet registered:{}\n{} are registered and not shown:{}",
        used.len(),
        awaited.len(),
        list(awaited.iter().collect()),
        unseen.len(),
        list(unseen)
    ))
}

fn awaited(text: &str) -> Result<BTreeSet<String>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let names = lines.map(|line| {
        let name = line.split_whitespace().next().filter(|name| name.starts_with(PREFIX));
        name.map(str::to_owned).with_context(|| format!("{AWAITED}: `{line}` begins with no metric"))
    });
    names.collect()
}

/// Every word of a text that is a name of a metric of ours.
pub(super) fn names_in(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    words.filter(|word| word.starts_with(PREFIX)).map(str::to_owned)
}

fn registered_below(folder: &Path, registered: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            registered_below(&path, registered)?;
        } else if path.file_name().is_some_and(|name| name == "metrics.rs") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            registered.extend(registered_in(&text).with_context(|| path.display().to_string())?);
        }
    }
    Ok(())
}

/// Names of the metrics that one `metrics.rs` registers.
fn registered_in(source: &str) -> Result<BTreeSet<String>> {
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! | `")?.split(['`', '{']).next());
    let table: BTreeSet<String> = rows.filter(|name| name.starts_with(PREFIX)).map(str::to_owned).collect();
    let tokens: TokenStream = source.parse().map_err(|error| anyhow!("not Rust: {error}"))?;
    let mut code = Strings::default();
    code.read(tokens);

    for name in &table {
        ensure!(code.make(name), "the table has {name}, and no strings of the code make this name");
    }
    for end in &code.registered {
        let made = |name: &&String| {
            let name = name.strip_suffix("_total").unwrap_or(name);
            let end = end.strip_suffix("_total").unwrap_or(end);
            name == end || name.strip_suffix(end).is_some_and(|start| start.ends_with('_'))
        };
        ensure!(table.iter().any(|name| made(&name)), "the code registers `{end}`, and the table lacks it");
    }
    Ok(table)
}

/// The strings of a file's code; comments are not among them.
#[derive(Default)]
struct Strings {
    all: BTreeSet<String>,
    /// Those that stand as the first argument of what registers a metric.
    registered: BTreeSet<String>,
}

impl Strings {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    let attribute = group.delimiter() == Delimiter::Bracket
                        && at > 0
                        && matches!(&tokens[at - 1], TokenTree::Punct(mark) if ['#', '!'].contains(&mark.as_char()));
                    // An attribute may be a documentation comment in another coat.
                    if attribute {
                        continue;
                    }
                    let called = at > 1
                        && matches!(&tokens[at - 2], TokenTree::Punct(dot) if dot.as_char() == '.')
                        && matches!(&tokens[at - 1], TokenTree::Ident(name) if REGISTERS.iter().any(|known| name == known));
                    if called && let Some(TokenTree::Literal(first)) = group.stream().into_iter().next() {
                        self.registered.extend(string(&first.to_string()));
                    }
                    self.read(group.stream());
                }
                TokenTree::Literal(literal) => self.all.extend(string(&literal.to_string())),
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    /// Whether one string is this name, or two are its parts.
    fn make(&self, name: &str) -> bool {
        [Some(name), name.strip_suffix("_total")].into_iter().flatten().any(|name| {
            self.all.contains(name)
                || name
                    .match_indices('_')
                    .any(|(at, _)| self.all.contains(&name[..at]) && self.all.contains(&name[at + 1..]))
        })
    }
}

fn string(literal: &str) -> Option<String> {
    literal.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
//! | metric | what |
//! |---|---|
//! | `zeugma_chain_height` | height |
//! | `zeugma_chain_refusals_total{code}` | refusals |
//! | `zeugma_relay_whole_seconds` | in one piece |
fn new(context: &Context) {
    let chain = context.child("zeugma_chain");
    let height = chain.gauge("height", "height of the last final block");
    let refusals = chain.family("refusals", "refusals by code");
    let whole = registry.register("zeugma_relay_whole_seconds", "in one piece", Gauge::default());
}
"#;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().copied().map(str::to_owned).collect()
    }

    #[test]
    fn names_are_put_together_from_their_parts() {
        let wanted = ["zeugma_chain_height", "zeugma_chain_refusals_total", "zeugma_relay_whole_seconds"];
        assert_eq!(registered_in(SOURCE).unwrap(), set(&wanted));
    }

    #[test]
    fn a_table_that_is_not_the_code_is_refused() {
        for (old, new) in [
            ("\"height\"", "\"high\""),
            ("child(\"zeugma_chain\")", "child(\"chain\")"),
            ("//! | `zeugma_chain_height` | height |\n", ""),
            ("let refusals = chain.family(\"refusals\", \"refusals by code\");", ""),
            ("let height", "let more = chain.counter(\"more\", \"not in the table\"); let height"),
            // What a comment says is not registered.
            (
                "let whole = registry.register(\"zeugma_relay_whole_seconds\"",
                "/// \"zeugma_relay_whole_seconds\"\n(x",
            ),
        ] {
            assert!(SOURCE.contains(old), "{old}");
            assert!(registered_in(&SOURCE.replace(old, new)).is_err(), "{new:?}");
        }
    }

    #[test]
    fn a_ghost_is_found_and_so_is_a_stale_promise() {
        let registered = set(&["zeugma_chain_height", "zeugma_chain_latency_seconds"]);
        let used = set(&["zeugma_chain_height", "zeugma_chain_latency_seconds_bucket", "zeugma_relay_soon"]);
        let soon = set(&["zeugma_relay_soon"]);
        compare(&used, &registered, &soon).unwrap();
        let ghost = compare(&used, &registered, &set(&[])).unwrap_err().to_string();
        assert_eq!(ghost, "zeugma_relay_soon is used and nothing registers it");
        let both = [&registered, &soon].into_iter().flatten().cloned().collect();
        assert!(compare(&used, &both, &soon).unwrap_err().to_string().contains("take it out"));
        let unused = set(&["zeugma_relay_soon", "zeugma_relay_never"]);
        assert!(compare(&used, &registered, &unused).unwrap_err().to_string().contains("nothing uses it"));
        // A histogram's parts belong to it; a counter of that name would be a ghost.
        let part = set(&["zeugma_chain_height", "zeugma_chain_other_count", "zeugma_relay_soon"]);
        assert!(compare(&part, &registered, &soon).is_err());
    }

    #[test]
    fn names_are_found_in_queries() {
        let query = r#"rate(zeugma_a_b_total{instance=~".*"}[1m]) / on () zeugma_c and up"#;
        assert_eq!(names_in(query).collect::<Vec<_>>(), ["zeugma_a_b_total", "zeugma_c"]);
    }
}
