//! Accounts and their storage, by EIP-1186.
//!
//! Keys are hashed here, from the address and the slot that the caller asks about, so a proof cannot choose
//! what it is about. A slot that holds zero is not in the trie: its absence is shown, and zero is never
//! shown as a value.
//!
//! Source: EIP-1186; Ethereum yellow paper, section 4.1.

use crate::rlp::{Rlp, whole};
use crate::ssz::{Root, ZERO};
use crate::trie::{Found, walk};
use zeugma_crypto::hash::keccak256;
use zeugma_types::{Code, Refusal};

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// In wei, big-endian.
    pub balance: [u8; 32],
    /// Root of its storage.
    pub storage_root: Root,
    /// Hash of its code.
    pub code_hash: Root,
}

impl Account {
    /// Reads an account as the state's trie holds it.
    ///
    /// # Errors
    /// What [`Rlp`] refuses.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = whole(bytes)?.list()?;
        let account = Self {
            nonce: fields.u64()?,
            balance: fields.u256()?,
            storage_root: fields.array()?,
            code_hash: fields.array()?,
        };
        fields.finish()?;
        Ok(account)
    }
}

/// What the state under `state_root` holds at `address`; `None` when it shows that there is nothing.
///
/// # Errors
/// As [`walk`] and [`Account::read`].
pub fn account<N: AsRef<[u8]>>(
    state_root: &Root,
    address: &[u8; 20],
    proof: &[N],
) -> Result<Option<Account>, Refusal> {
    match walk(state_root, &keccak256(&[address]), proof)? {
        Found::Absent => Ok(None),
        Found::Value(bytes) => Account::read(bytes).map(Some),
    }
}

/// What the storage under `storage_root` holds in `slot`; `None` when it shows that there is nothing, which
/// is zero.
///
/// # Errors
/// As [`walk`]; [`Code::NotCanonical`] for a value that no storage holds.
pub fn storage<N: AsRef<[u8]>>(
    storage_root: &Root,
    slot: &[u8; 32],
    proof: &[N],
) -> Result<Option<[u8; 32]>, Refusal> {
    match walk(storage_root, &keccak256(&[slot]), proof)? {
        Found::Absent => Ok(None),
        Found::Value(bytes) => {
            let mut value = Rlp::new(bytes);
            let number = value.u256()?;
            value.finish()?;
            if number == ZERO {
                return Err(Refusal::new(Code::NotCanonical).found("zero as a value"));
            }
            Ok(Some(number))
        }
    }
}

/// The slot of `key` in the mapping at `base`, as Solidity lays it out.
///
/// Source: Solidity, "Layout of State Variables in Storage", mappings.
#[must_use]
pub fn mapping_slot(key: &Root, base: &Root) -> Root {
    keccak256(&[key, base])
}

/// The slot in which a router keeps the commitment of an ICS-24 path: it maps the path's hash to the
/// commitment, at `base`.
///
/// Source: solidity-ibc-eureka `contracts/utils/IBCStoreUpgradeable.sol`, `ICS24Host.sol`.
#[must_use]
pub fn commitment_slot(path: &[u8], base: &Root) -> Root {
    mapping_slot(&keccak256(&[path]), base)
}

/// Where a stock router (solidity-ibc-eureka) keeps its commitments: the ERC-7201 location of
/// `ibc.storage.IBCStore`.
pub const STOCK_COMMITMENTS: Root = [
    0x12, 0x60, 0x94, 0x44, 0x89, 0x27, 0x29, 0x88, 0xd9, 0xdf, 0x28, 0x51, 0x49, 0xb5, 0xaa, 0x1b, 0x0f,
    0x48, 0xf2, 0x13, 0x6d, 0x6f, 0x41, 0x61, 0x59, 0xf8, 0x40, 0xa3, 0xe0, 0x74, 0x76, 0x00,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stock_location_is_that_of_erc_7201() {
        let mut number = keccak256(&[b"ibc.storage.IBCStore"]);
        // Minus one: this hash does not end in zero.
        number[31] -= 1;
        let mut location = keccak256(&[&number]);
        location[31] = 0;
        assert_eq!(location, STOCK_COMMITMENTS);
    }
}
