//! The `eip1186` suite: answers to `eth_getProof`.
//!
//! Cases are the account and each storage slot: what the answer claims is compared with what its nodes show,
//! existence and absence alike. The state's root is that of the header beside; where there is none it is the
//! hash of the first node, and every line of such a file says so.

use super::execution::{Kind, header_beside, narrow, wide};
use super::json::{array, hex_bytes, unwrapped};
use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::{Context, Result};
use serde_json::Value;
use zeugma_adapter_ethereum::account::{Account, account, storage};
use zeugma_adapter_ethereum::ssz::Root;
use zeugma_adapter_ethereum::trie::EMPTY_ROOT;
use zeugma_crypto::hash::keccak256;

/// Proofs of accounts and their storage.
pub(crate) struct Eip1186;

impl Suite for Eip1186 {
    fn name(&self) -> &'static str {
        "eip1186"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        let Ok(value) = serde_json::from_slice::<Value>(&file.bytes) else {
            return super::elsewhere(file, None, report);
        };
        match Kind::of(&value) {
            Kind::Header => Ok(()),
            Kind::Proof => {
                let inside = unwrapped(&value);
                let one = [inside.clone()];
                let list = inside.as_array().map_or(&one[..], Vec::as_slice);
                for (index, answer) in list.iter().enumerate() {
                    let name =
                        if list.len() == 1 { file.name.clone() } else { format!("{}#{index}", file.name) };
                    match Answer::read(file, answer) {
                        Ok(answer) => answer.run(&name, report)?,
                        Err(why) => report.unknown(&name, &format!("{why:#}"))?,
                    }
                }
                Ok(())
            }
            other => super::elsewhere(file, Some(other), report),
        }
    }
}

struct Answer {
    /// Where the root is from, in words.
    origin: String,
    state_root: Root,
    address: [u8; 20],
    claimed: Account,
    proof: Vec<Vec<u8>>,
    slots: Vec<Value>,
}

impl Answer {
    fn read(file: &File, value: &Value) -> Result<Self> {
        let proof = nodes(value, "accountProof")?;
        let (state_root, origin) = match header_beside(&file.path, value)? {
            Some(beside) => (beside.header.state_root, format!("under the state root of {}", beside.name)),
            None => {
                let first = proof.first().context("no header lies beside, and there is no first node")?;
                (keccak256(&[first]), "under the hash of its first node, no header lying beside".to_owned())
            }
        };
        Ok(Self {
            origin,
            state_root,
            address: array(value, "address")?,
            claimed: Account {
                nonce: narrow(value, "nonce")?,
                balance: wide(value, "balance")?,
                storage_root: array(value, "storageHash")?,
                code_hash: array(value, "codeHash")?,
            },
            proof,
            slots: value["storageProof"].as_array().cloned().unwrap_or_default(),
        })
    }

    fn run(&self, name: &str, report: &mut Report<'_>) -> Result<()> {
        let found = account(&self.state_root, &self.address, &self.proof);
        let got = match &found {
            Ok(Some(found)) => words(found),
            Ok(None) => ABSENT.to_owned(),
            Err(refusal) => refusal.to_string(),
        };
        report.case(&format!("{name} account, {}", self.origin), &self.claimed(), &got)?;
        let root = found.ok().flatten().map(|account| account.storage_root);
        for (index, slot) in self.slots.iter().enumerate() {
            let name = format!("{name} slot {}", slot["key"].as_str().unwrap_or("?"));
            match Self::slot(root, slot) {
                Ok((expected, got)) => {
                    report.case(&format!("{name}, {}", self.origin), &expected, &got)?;
                }
                Err(why) => report.unknown(&format!("{name} ({index})"), &format!("{why:#}"))?,
            }
        }
        Ok(())
    }

    /// Claimed and found value of a slot; `root` is that of the account, when there is one.
    fn slot(root: Option<Root>, slot: &Value) -> Result<(String, String)> {
        let key = wide(slot, "key").or_else(|_| array(slot, "key"))?;
        let expected = format!("0x{}", hex::encode(wide(slot, "value")?));
        let proof = nodes(slot, "proof")?;
        // An account that is not there has the empty storage.
        let got = match storage(&root.unwrap_or(EMPTY_ROOT), &key, &proof) {
            Ok(found) => format!("0x{}", hex::encode(found.unwrap_or_default())),
            Err(refusal) => refusal.to_string(),
        };
        Ok((expected, got))
    }

    /// What the answer claims, in words. Nodes write an account that is not there with zeros, or with the
    /// hashes of nothing.
    fn claimed(&self) -> String {
        let Account { nonce, balance, storage_root, code_hash } = &self.claimed;
        let empty = *storage_root == [0; 32] || *storage_root == EMPTY_ROOT;
        let no_code = *code_hash == [0; 32] || *code_hash == keccak256(&[]);
        let zeros = *storage_root == [0; 32] || *code_hash == [0; 32];
        let nothing = *nonce == 0 && *balance == [0; 32] && empty && no_code;
        // An account that is there and empty is written like one that is not: the nodes tell them apart.
        if nothing && (zeros || !matches!(account(&self.state_root, &self.address, &self.proof), Ok(Some(_))))
        {
            return ABSENT.to_owned();
        }
        words(&self.claimed)
    }
}

const ABSENT: &str = "no account";

fn words(account: &Account) -> String {
    format!(
        "nonce {}, balance 0x{}, storage 0x{}, code 0x{}",
        account.nonce,
        hex::encode(account.balance),
        hex::encode(account.storage_root),
        hex::encode(account.code_hash)
    )
}

fn nodes(value: &Value, key: &str) -> Result<Vec<Vec<u8>>> {
    let list = value[key].as_array().with_context(|| format!("no {key}"))?;
    list.iter().map(|node| hex_bytes(node.as_str().context("a node is text")?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_key_is_a_number_and_a_long_one_is_bytes() {
        let key = |text: &str| wide(&serde_json::json!({ "key": text }), "key").unwrap();
        assert_eq!(key("0x1")[31], 1);
        assert_eq!(key(&format!("0x{}", "ab".repeat(32))), [0xab; 32]);
    }
}
