//! Orders that stop an asset or an account, and the list of assets that may come in.
//!
//! All are entries of the registry ([`crate::registry`]), so each is a leaf, and what is in force stands in every
//! epoch's `Standing`:
//!
//! | kind | name | effect |
//! |---|---|---|
//! | halt | [`asset_name`] | the asset neither enters nor leaves |
//! | halt | [`account_name`] | the account sends nothing; what arrives for it is kept for it |
//! | allow-list | [`LISTED`] | only listed assets enter from their homes; its digest is that of the rules for listing |
//! | allow-list | [`asset_name`] | the asset is listed |
//!
//! An order holds what moves, never what is undone: a timeout and an error give back whatever is in force, and an
//! asset that is taken off the list still goes home.

use super::denom::Denom;
use crate::app::Room;
use crate::bounded::Text;
use crate::halt::Run;
use crate::limits::MAX_NAME;
use crate::registry::Kind;
use alloc::format;
use zeugma_types::{AccountId, Code, Refusal};

/// The entry that closes the network to assets that are not listed.
pub const LISTED: &str = "assets";

/// The name of an asset's entries: the hex digits of the SHA-256 of its name.
#[must_use]
pub fn asset_name(denom: &Denom) -> Text<MAX_NAME> {
    name_of(&denom.digest())
}

/// The name of an account's entries: its hex digits.
#[must_use]
pub fn account_name(account: &AccountId) -> Text<MAX_NAME> {
    name_of(account.as_bytes())
}

fn name_of(bytes: &[u8; 32]) -> Text<MAX_NAME> {
    Text::new(&format!("{}", AccountId::new(*bytes))).expect("64 hex digits are a name")
}

/// # Errors
/// [`Code::AssetFrozen`] with the order's digest.
pub(super) fn require_free(room: &Room<'_, '_>, denom: &Denom) -> Run<()> {
    match room.in_force(Kind::Halt, &asset_name(denom))? {
        Some(order) => Err(Refusal::new(Code::AssetFrozen).found(order).into()),
        None => Ok(()),
    }
}

/// # Errors
/// [`Code::AccountFrozen`] with the order's digest.
pub(super) fn require_free_account(room: &Room<'_, '_>, account: &AccountId) -> Run<()> {
    match room.in_force(Kind::Halt, &account_name(account))? {
        Some(order) => Err(Refusal::new(Code::AccountFrozen).found(order).into()),
        None => Ok(()),
    }
}

/// For an asset that comes from its home.
///
/// # Errors
/// [`Code::AssetNotListed`] with the digest of the rules for listing.
pub(super) fn require_listed(room: &Room<'_, '_>, denom: &Denom) -> Run<()> {
    let closed = Text::new(LISTED).expect("a short word is a name");
    let Some(rules) = room.in_force(Kind::AllowList, &closed)? else { return Ok(()) };
    match room.in_force(Kind::AllowList, &asset_name(denom))? {
        Some(_) => Ok(()),
        None => Err(Refusal::new(Code::AssetNotListed).needed(rules).found(denom.digest()).into()),
    }
}
