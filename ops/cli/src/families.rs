//! The families of chains that this program can follow. The table is part of the program.

use zeugma_adapter_cometbft::CometBft;
use zeugma_adapter_core::{Adapter, Family, Of};
use zeugma_adapter_zeugma::Zeugma;
use zeugma_ledger::Families;

static COMETBFT: Of<CometBft> = Of::new();
static ZEUGMA: Of<Zeugma> = Of::new();
static TABLE: [&dyn Adapter; 2] = [&COMETBFT, &ZEUGMA];

/// Number of Zeugma chains as a family.
pub(crate) const NUMBER_OF_ZEUGMA: u16 = Zeugma::NUMBER;

/// Every family.
pub(crate) fn all() -> Families<'static> {
    Families::new(&TABLE)
}

/// Their numbers, ascending.
pub(crate) fn numbers() -> Vec<u16> {
    let mut numbers: Vec<u16> = TABLE.iter().map(|family| family.number()).collect();
    numbers.sort_unstable();
    numbers
}
