//! The rooms, their rings, and what each may link. Dependencies point inward only.
//!
//! Source: `ARCHITECTURE.md`, the map. A crate without a row here fails the check.

use crate::workspace::{Package, Use};

/// How far a crate is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ring {
    /// Functions of bytes. What a verifier must trust.
    Pure,
    /// Fetches, signs, stores, serves. A hand that lies costs time, never safety.
    Hands,
    /// Judges and tools of the tests; no product crate links one.
    Tools,
}

struct Room {
    folder: &'static str,
    ring: Ring,
    /// Rooms it may link, `*` standing for one more folder name. Hands may link all of the pure ring too.
    uses: &'static [&'static str],
}

/// The first row that fits a folder is its row.
const ROOMS: &[Room] = &[
    pure("types", &[]),
    pure("crypto", &["types"]),
    pure("proof", &["types", "crypto"]),
    pure("adapters/core", &["types", "crypto", "proof"]),
    pure("adapters/*", &["types", "crypto", "proof", "adapters/core"]),
    pure("chain/ledger", &["types", "crypto", "proof", "evidence/log", "adapters/*"]),
    pure("evidence/log", &["types", "crypto", "proof"]),
    pure(
        "evidence/verify",
        &[
            "types",
            "crypto",
            "proof",
            "evidence/log",
            "adapters/core",
            "adapters/bitcoin",
            "adapters/ethereum",
        ],
    ),
    hands("proof/wasm", &[]),
    hands("evidence/verify/wasm", &[]),
    hands("ops/telemetry", &[]),
    hands("chain/node", &["ops/telemetry"]),
    hands("chain/client", &["ops/telemetry"]),
    hands("relay/endpoints/*", &["ops/telemetry"]),
    hands("relay/profiles", &[]),
    hands("relay/agent", &["chain/client", "relay/endpoints/*", "relay/profiles", "ops/telemetry"]),
    hands("evidence/rules", &["ops/telemetry"]),
    hands("evidence/anchors", &["chain/client", "relay/endpoints/*", "ops/telemetry"]),
    hands("evidence/attestation", &["ops/telemetry"]),
    hands(
        "evidence/service",
        &["chain/client", "evidence/rules", "evidence/anchors", "evidence/attestation", "ops/telemetry"],
    ),
    hands("ops/cli", &["chain/*", "relay/*", "relay/endpoints/*", "evidence/*", "ops/telemetry"]),
    tools("ops/xtask"),
    tools("tests/*"),
    tools("fuzz"),
];

/// Libraries of others that judge ours in tests: linked into a product, they would judge themselves.
const JUDGES: &[&str] = &[
    "alloy-trie",
    "bolero",
    "eth_trie",
    "ethereum_ssz",
    "ics23",
    "jsonschema",
    "proptest",
    "ssz_types",
    "tendermint",
    "tendermint-light-client-verifier",
    "tree_hash",
];

/// Features of ours under which code is for tests, and so may do what the product may not.
pub(crate) const TEST_FEATURES: &[&str] = &["arbitrary", "planted", "test-utils", "testkit"];

const fn pure(folder: &'static str, uses: &'static [&'static str]) -> Room {
    Room { folder, ring: Ring::Pure, uses }
}

const fn hands(folder: &'static str, uses: &'static [&'static str]) -> Room {
    Room { folder, ring: Ring::Hands, uses }
}

const fn tools(folder: &'static str) -> Room {
    Room { folder, ring: Ring::Tools, uses: &[] }
}

fn room(folder: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| fits(room.folder, folder))
}

/// The ring of the crate in this folder, or `None` when the table has no row for it.
pub(crate) fn ring(folder: &str) -> Option<Ring> {
    room(folder).map(|room| room.ring)
}

fn fits(pattern: &str, folder: &str) -> bool {
    match pattern.strip_suffix('*') {
        None => pattern == folder,
        Some(start) => folder.strip_prefix(start).is_some_and(|name| !name.is_empty() && !name.contains('/')),
    }
}

/// Every edge that does not point inward, every room without a row, every judge and every test feature in
/// a product.
pub(crate) fn violations(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let Some(from) = room(&package.room) else {
            found.push(format!("{}: the table of rooms has no row for {}", package.name, package.room));
            continue;
        };
        if from.ring == Ring::Pure && package.build_script {
            found.push(format!("{}: a pure crate runs no build script", package.name));
        }
        if from.ring == Ring::Tools {
            continue;
        }
        for used in &package.uses {
            let Use { name: used, features } = used;
            let other = packages.iter().find(|other| other.name == *used);
            let why = match other.map(|other| (room(&other.room), other.room.as_str())) {
                _ if JUDGES.contains(&used.as_str()) => Some("a judge belongs to tests only".to_owned()),
                Some((Some(to), folder)) if !from.may_use(to, folder) => {
                    Some(format!("{} may not link {folder}", package.room))
                }
                // A library of others, an edge inward, or a room whose missing row is told above.
                _ => None,
            };
            found.extend(why.map(|why| format!("{} -> {used}: {why}", package.name)));
            if let Some(feature) = other.and_then(|_| features.iter().find(|name| is_for_tests(name))) {
                found.push(format!("{} -> {used}: the feature `{feature}` is for tests only", package.name));
            }
        }
        for (feature, turns_on) in &package.features {
            if let Some(other) = turns_on.iter().find(|name| !is_for_tests(feature) && is_for_tests(name)) {
                found.push(format!("{}: the feature `{feature}` turns on `{other}`", package.name));
            }
        }
    }
    found
}

/// Whether a feature, or one of another crate written `crate/feature`, is for tests.
fn is_for_tests(feature: &str) -> bool {
    let name = feature.rsplit_once('/').map_or(feature, |(_, name)| name);
    TEST_FEATURES.contains(&name)
}

impl Room {
    fn may_use(&self, other: &Self, folder: &str) -> bool {
        let inward = self.ring == Ring::Hands && other.ring == Ring::Pure;
        inward || self.uses.iter().any(|pattern| fits(pattern, folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn package(name: &str, room: &str, uses: &[&str]) -> Package {
        let uses = uses.iter().map(|name| Use { name: (*name).into(), features: vec![] }).collect();
        Package { name: name.into(), room: room.into(), uses, features: BTreeMap::new(), build_script: false }
    }

    #[test]
    fn inward_edges_pass() {
        let packages = [
            package("types", "types", &[]),
            package("crypto", "crypto", &["types", "blst"]),
            package("core", "adapters/core", &["types"]),
            package("bitcoin", "adapters/bitcoin", &["types", "crypto", "core"]),
            package("ledger", "chain/ledger", &["bitcoin", "core"]),
            package("node", "chain/node", &["ledger", "types", "tokio"]),
            package("peers", "tests/peers", &["node", "proptest"]),
        ];
        assert_eq!(violations(&packages), Vec::<String>::new());
    }

    #[test]
    fn an_outward_edge_is_found() {
        let packages = [package("types", "types", &["proof"]), package("proof", "proof", &["types"])];
        assert_eq!(violations(&packages), ["types -> proof: types may not link proof"]);
    }

    #[test]
    fn a_family_does_not_link_another_family() {
        let packages = [package("a", "adapters/bitcoin", &["b"]), package("b", "adapters/ethereum", &[])];
        assert_eq!(violations(&packages), ["a -> b: adapters/bitcoin may not link adapters/ethereum"]);
    }

    #[test]
    fn a_pure_crate_that_links_a_hand_is_found() {
        let packages = [package("ledger", "chain/ledger", &["node"]), package("node", "chain/node", &[])];
        assert_eq!(violations(&packages), ["ledger -> node: chain/ledger may not link chain/node"]);
    }

    #[test]
    fn a_judge_or_a_test_tool_in_a_product_is_found() {
        let packages = [
            package("cometbft", "adapters/cometbft", &["tendermint"]),
            package("node", "chain/node", &["peers"]),
            package("peers", "tests/peers", &["tendermint"]),
        ];
        assert_eq!(
            violations(&packages),
            [
                "cometbft -> tendermint: a judge belongs to tests only",
                "node -> peers: chain/node may not link tests/peers",
            ]
        );
    }

    #[test]
    fn a_crate_in_no_room_is_found() {
        let packages = [package("x", "extras/x", &[])];
        assert_eq!(violations(&packages), ["x: the table of rooms has no row for extras/x"]);
    }

    #[test]
    fn a_build_script_in_the_pure_ring_is_found() {
        let scripted = Package { build_script: true, ..package("crypto", "crypto", &[]) };
        assert_eq!(violations(&[scripted]), ["crypto: a pure crate runs no build script"]);
    }

    #[test]
    fn a_test_feature_in_a_product_is_found_and_one_that_passes_it_on_is_not() {
        let mut node = package("node", "chain/node", &["crypto"]);
        node.uses[0].features.push("test-utils".into());
        let mut crypto = package("crypto", "crypto", &[]);
        crypto.features.insert("default".into(), vec!["types/testkit".into()]);
        crypto.features.insert("test-utils".into(), vec!["types/test-utils".into()]);
        assert_eq!(
            violations(&[node, crypto]),
            [
                "node -> crypto: the feature `test-utils` is for tests only",
                "crypto: the feature `default` turns on `types/testkit`",
            ]
        );
    }

    #[test]
    fn a_star_stands_for_one_folder() {
        assert!(fits("adapters/*", "adapters/cometbft"));
        assert!(!fits("adapters/*", "adapters/"));
        assert!(!fits("relay/*", "relay/endpoints/cometbft"));
        assert!(!fits("types", "types/inner"));
    }
}
