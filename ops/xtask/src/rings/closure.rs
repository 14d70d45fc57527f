//! Everything a pure crate links, directly or through others, as cargo resolves it for wasm with the
//! features that this crate alone asks for. Procedural macros run in the compiler and do not count.

use super::wasm;
use crate::child::Child;
use crate::workspace::Package;
use anyhow::{Context, Result, ensure};

/// Crates a pure closure must not hold, and what they bring. With a feature named, only with that feature.
const DENIED: &[(&str, Option<&str>, &str)] = &[
    ("async-io", None, "sockets"),
    ("async-std", None, "an async runtime"),
    ("axum", None, "sockets"),
    ("bolero", None, "a test tool"),
    ("chrono", Some("clock"), "a clock"),
    ("chrono", Some("now"), "a clock"),
    ("coarsetime", None, "a clock"),
    ("commonware-broadcast", None, "an async runtime"),
    ("commonware-consensus", None, "an async runtime"),
    ("commonware-p2p", None, "sockets"),
    ("commonware-resolver", None, "an async runtime"),
    ("commonware-runtime", None, "an async runtime"),
    ("commonware-storage", None, "files"),
    ("curl", None, "sockets"),
    ("dirs", None, "the environment"),
    ("fastrand", None, "randomness"),
    ("futures-executor", None, "an async runtime"),
    ("getrandom", None, "randomness"),
    ("h2", None, "sockets"),
    ("home", None, "the environment"),
    ("hyper", None, "sockets"),
    ("iana-time-zone", None, "the environment"),
    ("instant", None, "a clock"),
    ("js-sys", None, "the host's clock and randomness"),
    ("libc", None, "the operating system"),
    ("md-5", None, "a refused algorithm"),
    ("md5", None, "a refused algorithm"),
    ("memmap2", None, "files"),
    ("minstant", None, "a clock"),
    ("mio", None, "sockets"),
    ("native-tls", None, "sockets"),
    ("num_cpus", None, "the operating system"),
    ("polling", None, "sockets"),
    ("quanta", None, "a clock"),
    ("quinn", None, "sockets"),
    ("rand", Some("os_rng"), "randomness"),
    ("rand", Some("sys_rng"), "randomness"),
    ("rand", Some("thread_rng"), "randomness"),
    ("rand_core", Some("getrandom"), "randomness"),
    ("rand_core", Some("os_rng"), "randomness"),
    ("rayon", None, "threads"),
    ("rayon-core", None, "threads"),
    ("reqwest", None, "sockets"),
    ("rustix", None, "the operating system"),
    ("sha1", None, "a refused algorithm"),
    ("smol", None, "an async runtime"),
    ("socket2", None, "sockets"),
    ("tempfile", None, "files"),
    ("threadpool", None, "threads"),
    ("time", Some("local-offset"), "the environment"),
    ("time", Some("std"), "a clock"),
    ("tokio", None, "an async runtime"),
    ("tonic", None, "sockets"),
    ("ureq", None, "sockets"),
    ("walkdir", None, "files"),
    ("wasi", None, "the operating system"),
    ("wasm-bindgen", None, "the host"),
    ("web-sys", None, "the host"),
    ("web-time", None, "a clock"),
];

/// One crate of a closure.
struct Linked {
    name: String,
    features: Vec<String>,
    /// The crates through which it is reached, the pure one first, itself last.
    path: Vec<String>,
}

/// All that a crate links, itself included.
pub(crate) struct Closure(Vec<Linked>);

/// The closure of one crate.
pub(crate) fn of(package: &Package) -> Result<Closure> {
    let text = Child::cargo(["tree", "--package", &package.name, "--edges", "normal,no-proc-macro"])
        .args(["--target", wasm::TARGETS[0], "--prefix", "depth", "--format", "|{p}|{f}", "--color", "never"])
        .minutes(5)
        .text()?;
    parse(&text).with_context(|| format!("the tree of {}", package.name))
}

/// Reads lines such as `2|getrandom v0.4.3|std,js (*)`.
fn parse(text: &str) -> Result<Closure> {
    let mut path: Vec<String> = Vec::new();
    let mut closure = Vec::new();
    for line in text.lines() {
        let mut parts = line.splitn(3, '|');
        let (depth, name, features) = (parts.next(), parts.next(), parts.next());
        let depth: usize = depth.and_then(|depth| depth.parse().ok()).with_context(|| line.to_owned())?;
        let name = name.and_then(|name| name.split(' ').next()).with_context(|| line.to_owned())?.to_owned();
        let features = features.with_context(|| line.to_owned())?.trim_end_matches("(*)").trim();
        ensure!(depth <= path.len(), "a crate below none: {line}");
        path.truncate(depth);
        path.push(name.clone());
        let features = features.split(',').map(str::to_owned).collect();
        closure.push(Linked { name, features, path: path.clone() });
    }
    ensure!(!closure.is_empty(), "cargo printed no crate");
    Ok(Closure(closure))
}

impl Closure {
    /// The names of all that is linked.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|linked| linked.name.clone())
    }

    /// Every denied crate, with the way to it.
    pub(crate) fn violations(&self, package: &str) -> Vec<String> {
        let mut found = Vec::new();
        for linked in &self.0 {
            for (name, feature, brings) in DENIED {
                let meant = feature.is_none_or(|feature| linked.features.iter().any(|with| with == feature));
                if linked.name == *name && meant {
                    let with = feature.map_or(String::new(), |feature| format!(" with `{feature}`"));
                    found.push(format!("{package} reaches {brings}: {}{with}", linked.path.join(" -> ")));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(tree: &str) -> Vec<String> {
        parse(tree).unwrap().violations("proof")
    }

    #[test]
    fn a_tree_of_pure_crates_passes() {
        let tree =
            "0|proof v0.1.0 (/clone/proof)|\n1|crypto v0.1.0 (/clone/crypto)|default\n2|blst v0.3.17|\n";
        assert_eq!(violations(tree), Vec::<String>::new());
    }

    #[test]
    fn a_runtime_three_crates_away_is_found_with_the_way_to_it() {
        let tree = "0|proof v0.1.0 (/clone/proof)|\n1|crypto v0.1.0 (/clone/crypto)|\n2|helper v1.0.0|std\n3|tokio v1.54.1|rt (*)\n1|types v0.1.0 (/clone/types)|\n";
        assert_eq!(violations(tree), ["proof reaches an async runtime: proof -> crypto -> helper -> tokio"]);
    }

    #[test]
    fn a_feature_that_brings_a_clock_is_found_and_the_crate_without_it_is_not() {
        let with = "0|proof v0.1.0 (/clone/proof)|\n1|chrono v0.4.40|alloc,clock,std\n";
        assert_eq!(violations(with), ["proof reaches a clock: proof -> chrono with `clock`"]);
        let without = "0|proof v0.1.0 (/clone/proof)|\n1|chrono v0.4.40|alloc (*)\n";
        assert_eq!(violations(without), Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_not_an_empty_closure() {
        for tree in ["", "proof v0.1.0", "0|proof v0.1.0", "0|a v1|\n2|b v1|\n"] {
            assert!(parse(tree).is_err(), "{tree:?}");
        }
    }
}
