//! What a message works with: the view, the block, the families, and who signed.

use crate::block::Block;
use crate::families::Families;
use crate::state::View;
use zeugma_types::AccountId;

/// The tools of one transaction.
pub(crate) struct Work<'w> {
    pub(crate) families: Families<'w>,
    pub(crate) block: &'w Block,
    pub(crate) signer: AccountId,
    pub(crate) view: View<'w>,
}
