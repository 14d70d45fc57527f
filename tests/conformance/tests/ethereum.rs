//! The suites of Ethereum on the published files, and on copies of them that must fail.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeugma_adapter_ethereum::testnet::{Testnet, Trie};
use zeugma_conformance::{Totals, run};

fn lines(suite: &str, path: &Path) -> (Totals, Vec<String>) {
    let mut out = Vec::new();
    let totals = run(suite, &[path.to_owned()], &mut out).unwrap();
    (totals, String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
}

fn published(place: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let root = std::env::var_os("ZEUGMA_VECTORS").map_or(beside, PathBuf::from);
    let place = root.join(place);
    if place.exists() {
        return Some(place);
    }
    // Not by a macro, whose output the test harness hides when a test passes.
    let missing = format!("NOT RUN: there is no {}; set ZEUGMA_VECTORS\n", place.display());
    std::io::stderr().write_all(missing.as_bytes()).unwrap();
    None
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A copy of a folder tree in which `change` was made to every text file.
fn copy(from: &Path, to: &Path, change: &dyn Fn(&str, String) -> String) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let target = to.join(&name);
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target, change);
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        match String::from_utf8(bytes) {
            Ok(text) => fs::write(target, change(&name, text)).unwrap(),
            Err(binary) => fs::write(target, binary.into_bytes()).unwrap(),
        }
    }
}

fn assert_clean(suite: &str, path: &Path, cases: usize) {
    let (totals, lines) = lines(suite, path);
    let failed: Vec<_> = lines.iter().filter(|line| line.starts_with("FAIL")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(totals.passed >= cases, "{totals:?}");
}

fn assert_fails(suite: &str, path: &Path, cases: usize) {
    let (totals, lines) = lines(suite, path);
    let passed: Vec<_> = lines.iter().filter(|line| line.starts_with("ok")).collect();
    assert!(passed.is_empty(), "{passed:#?}");
    assert!(totals.failed >= cases, "{totals:?}");
}

#[test]
fn the_light_client_does_what_the_specification_expects() {
    let Some(folder) = published("ethereum/spec-minimal") else { return };
    assert_clean("consensus-light-client", &folder, 16);
}

#[test]
fn every_step_of_an_inverted_copy_fails() {
    let Some(folder) = published("ethereum/spec-minimal") else { return };
    let copies = scratch("light-client-inverted");
    copy(&folder, &copies, &|name, text| {
        if name == "steps.yaml" { text.replace("beacon_root: '0x", "beacon_root: '0xff") } else { text }
    });
    assert_fails("consensus-light-client", &copies, 16);
}

#[test]
fn a_message_that_no_step_names_is_listed_and_fails() {
    let Some(folder) = published("ethereum/spec-minimal/deneb/supply_sync_committee_from_past_update") else {
        return;
    };
    let copies = scratch("light-client-unread");
    copy(&folder, &copies, &|_, text| text);
    fs::write(copies.join("update_0x00_sf.ssz_snappy"), [0]).unwrap();
    let (totals, lines) = lines("consensus-light-client", &copies);
    assert_eq!((totals.passed, totals.failed), (1, 1), "{lines:#?}");
}

#[test]
fn what_a_beacon_node_served_is_believed() {
    let Some(folder) = published("ethereum/mainnet") else { return };
    assert_clean("consensus-light-client", &folder, 4);
    assert_clean("consensus-light-client", &folder.join("updates.json"), 3);
}

#[test]
fn what_a_beacon_node_served_is_refused_once_it_was_changed() {
    let Some(folder) = published("ethereum/mainnet") else { return };
    let copies = scratch("beacon-changed");
    copy(&folder, &copies, &|_, text| {
        let mut json: Value = serde_json::from_str(&text).unwrap();
        let change = |message: &mut Value| {
            let data = &mut message["data"];
            if data.get("attested_header").is_some() {
                data["signature_slot"] = json!("1");
            } else {
                data["current_sync_committee_branch"][0] = json!(format!("0x{}", "ab".repeat(32)));
            }
        };
        match &mut json {
            Value::Array(list) => list.iter_mut().for_each(change),
            one => change(one),
        }
        json.to_string()
    });
    assert_fails("consensus-light-client", &copies, 4);
}

#[test]
fn a_finality_update_goes_on_from_the_updates_beside_it() {
    let Some(folder) = published("ethereum/mainnet") else { return };
    let copies = scratch("beacon-finality");
    copy(&folder, &copies, &|_, text| text);
    let updates: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("updates.json")).unwrap()).unwrap();
    // The last update, as the finality update and the optimistic update that a node would have served.
    let mut finality = updates[2].clone();
    for key in ["next_sync_committee", "next_sync_committee_branch"] {
        finality["data"].as_object_mut().unwrap().remove(key);
    }
    let mut optimistic = finality.clone();
    for key in ["finalized_header", "finality_branch"] {
        optimistic["data"].as_object_mut().unwrap().remove(key);
    }
    fs::write(copies.join("updates.json"), json!([updates[0], updates[1]]).to_string()).unwrap();
    fs::write(copies.join("finality_update.json"), finality.to_string()).unwrap();
    fs::write(copies.join("optimistic_update.json"), optimistic.to_string()).unwrap();
    assert_clean("consensus-light-client", &copies, 5);
    // Without the update in between, its committee is not known.
    fs::write(copies.join("updates.json"), json!([updates[0]]).to_string()).unwrap();
    let (totals, lines) = lines("consensus-light-client", &copies);
    assert_eq!((totals.passed, totals.failed), (2, 2), "{lines:#?}");
}

#[test]
fn a_chain_of_its_own_is_read_from_the_configuration_beside() {
    let Some(folder) = published("ethereum/mainnet") else { return };
    let copies = scratch("beacon-config");
    copy(&folder, &copies, &|_, text| text);
    // The same chain in a node's words, then another one.
    let spec = |version: &str| {
        json!({"data": {
            "CONFIG_NAME": "mainnet", "PRESET_BASE": "mainnet", "SECONDS_PER_SLOT": "12",
            "SLOTS_PER_EPOCH": "32", "EPOCHS_PER_SYNC_COMMITTEE_PERIOD": "256", "SYNC_COMMITTEE_SIZE": "512",
            "ALTAIR_FORK_VERSION": "0x01000000", "ALTAIR_FORK_EPOCH": "74240",
            "BELLATRIX_FORK_VERSION": "0x02000000", "BELLATRIX_FORK_EPOCH": "144896",
            "CAPELLA_FORK_VERSION": version, "CAPELLA_FORK_EPOCH": "194048",
            "DENEB_FORK_VERSION": "0x04000000", "DENEB_FORK_EPOCH": "18446744073709551615",
        }})
        .to_string()
    };
    fs::write(copies.join("spec.json"), spec("0x03000000")).unwrap();
    assert_clean("consensus-light-client", &copies, 4);
    fs::write(copies.join("spec.json"), spec("0x03000001")).unwrap();
    let (totals, _) = lines("consensus-light-client", &copies);
    assert_eq!((totals.passed, totals.failed), (1, 3));
}

#[test]
fn a_published_state_proof_shows_what_it_claims() {
    let Some(folder) = published("evm-state") else { return };
    assert_clean("eip1186", &folder, 2);
    let (_, lines) = lines("eip1186", &folder);
    assert!(lines.iter().any(|line| line.contains("no header lying beside")), "{lines:#?}");
}

#[test]
fn a_state_proof_that_claims_something_else_fails_case_by_case() {
    let Some(folder) = published("evm-state") else { return };
    let copies = scratch("eip1186-inverted");
    copy(&folder, &copies, &|_, text| {
        let mut json: Value = serde_json::from_str(&text).unwrap();
        json["nonce"] = json!("0x7");
        json["storageProof"][0]["value"] = json!("0x0");
        json.to_string()
    });
    assert_fails("eip1186", &copies, 2);
}

fn hexadecimal(nodes: &[Vec<u8>]) -> Value {
    nodes.iter().map(|node| format!("0x{}", hex::encode(node))).collect()
}

#[test]
fn an_account_that_is_not_there_is_shown_absent_and_empty_storage_empty() {
    let folder = scratch("eip1186-absent");
    let empty = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
    let code = format!("0x{}", hex::encode(zeugma_crypto::hash::keccak256(&[b"code"])));
    let storage_root = hex::decode(&empty[2..]).unwrap().try_into().unwrap();
    let account = zeugma_adapter_ethereum::testnet::account(1, &storage_root);
    let accounts = Trie::secure((1..40_u8).map(|number| ([number; 20], account.clone())));
    let answer = |address: u8, nonce: &str, code: &str, storage: Value| {
        json!({
            "address": format!("0x{}", hex::encode([address; 20])),
            "accountProof": hexadecimal(&accounts.secure_proof(&[address; 20])),
            "nonce": nonce,
            "balance": if nonce == "0x0" { "0x0" } else { "0x0909090909090909" },
            "codeHash": code,
            "storageHash": empty,
            "storageProof": [{"key": "0x1", "value": "0x0", "proof": storage}],
        })
        .to_string()
    };
    fs::write(folder.join("there.json"), answer(7, "0x1", &code, json!([]))).unwrap();
    fs::write(folder.join("there-too.json"), answer(8, "0x1", &code, json!(["0x80"]))).unwrap();
    let nothing = format!("0x{}", hex::encode(zeugma_crypto::hash::keccak256(&[])));
    fs::write(folder.join("absent.json"), answer(77, "0x0", &nothing, json!([]))).unwrap();
    assert_clean("eip1186", &folder, 6);
    // An account that is there, claimed absent; and one that is absent, claimed to be there.
    fs::write(folder.join("there.json"), answer(7, "0x0", &nothing, json!([]))).unwrap();
    fs::write(folder.join("absent.json"), answer(77, "0x1", &code, json!([]))).unwrap();
    let (totals, lines) = lines("eip1186", &folder);
    assert_eq!(totals.failed, 2, "{lines:#?}");
    assert!(Testnet::ROUTER != [0; 20]);
}

#[test]
fn every_receipt_of_a_published_block_is_proved() {
    let Some(folder) = published("ethereum") else { return };
    assert_clean("receipts", &folder, 130);
    assert_clean("receipts", &folder.join("receipts11408438.json"), 130);
}

#[test]
fn receipts_that_were_changed_fail_case_by_case() {
    let Some(folder) = published("ethereum") else { return };
    for change in ["status", "header"] {
        let copies = scratch(&format!("receipts-{change}"));
        for name in ["header11408438.json", "receipts11408438.json"] {
            let mut json: Value =
                serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap();
            if name.starts_with("receipts") && change == "status" {
                json[0]["status"] = json!("0x0");
            }
            if name.starts_with("header") && change == "header" {
                json["gasUsed"] = json!("0x1");
            }
            fs::write(copies.join(name), json.to_string()).unwrap();
        }
        let (totals, _) = lines("receipts", &copies);
        assert_eq!(totals.passed, 0);
        // A header whose hash is another makes one failure of the whole file.
        assert_eq!(totals.failed, if change == "status" { 130 } else { 1 });
    }
}

#[test]
fn a_file_that_is_no_case_is_listed_and_fails() {
    let folder = scratch("no-ethereum-case");
    for suite in ["consensus-light-client", "eip1186", "receipts"] {
        for text in ["{}", "[]", "not JSON"] {
            let file = folder.join("other.json");
            fs::write(&file, text).unwrap();
            let (totals, lines) = lines(suite, &file);
            assert_eq!((totals.passed, totals.failed), (0, 1), "{suite} {text}: {lines:?}");
        }
    }
}
