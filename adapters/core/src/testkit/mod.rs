//! The contract test that every family of chains passes.
//!
//! A family writes a [`Fixture`]: a profile, good updates, evidence and proofs *signed by test keys*, and
//! the forgeries only it knows how to make. [`run`] then tries the negative catalogue on it, item by
//! item, through the same [`crate::Adapter`] the ledger uses, and gives a [`Report`]. An item that
//! nothing was tried for fails, unless the fixture says why it does not apply.
//!
//! | item | what is tried | by |
//! |---|---|---|
//! | 0 | the good cases are accepted; status is active, frozen, expired when it should | battery |
//! | 1 | truncated at every length | battery |
//! | 2 | one byte flipped anywhere; a decoded field changed and encoded again | battery, fixture |
//! | 3 | a node or a leaf swapped for its sibling | fixture |
//! | 4, 5 | a signer repeated; a signer outside the set | fixture |
//! | 6 | exactly at each threshold and one below, for 1 to 13 members | battery |
//! | 7 | empty and zero-filled bytes; lists, roots and sets that are empty | battery, fixture |
//! | 8 | an index at or above the count | fixture |
//! | 9 | bytes after the end | battery |
//! | 10 | another encoding of the same value | fixture |
//! | 11 | the right proof with a wrong key, value, height; the right update of another chain | battery |
//! | 12 | updates that are equal or past the trusting period; older or ahead of the clock | battery, fixture |
//! | 13, 14 | evidence whose blocks differ only in encoding; evidence with an unsigned block | fixture |
//! | 21 | a power that is negative or huge | fixture |
//!
//! Items 15 to 20, 22 and 23 of the catalogue belong to one family or to the ledger; a fixture may bring
//! forgeries of any number.
//!
//! A battery that cannot fail shows nothing: each family also runs items of it ([`run_items`]) on families
//! broken on purpose.

mod battery;
mod outcome;
mod report;

pub use battery::{run, run_items};
pub use report::{Check, Report};

use crate::{Family, MerklePath};
use alloc::boxed::Box;
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Permanence, Refusal};

/// An update that the family accepts from the state it starts from.
#[derive(Clone, Debug)]
pub struct UpdateCase {
    /// What is special about it.
    pub name: &'static str,
    /// The encoded trusted state it starts from.
    pub trusted: Vec<u8>,
    /// The encoded update.
    pub update: Vec<u8>,
    /// When it is verified.
    pub now: BlockTime,
    /// The encoded state it gives.
    pub gives: Vec<u8>,
}

/// Evidence that freezes a client.
#[derive(Clone, Debug)]
pub struct EvidenceCase {
    /// What it shows.
    pub name: &'static str,
    /// The encoded trusted states its two histories start from.
    pub trusted: [Vec<u8>; 2],
    /// The encoded evidence.
    pub evidence: Vec<u8>,
    /// When it is verified.
    pub now: BlockTime,
}

/// A proof about one key of the foreign store.
#[derive(Clone, Debug)]
pub struct ProofCase {
    /// What is special about it.
    pub name: &'static str,
    /// The encoded state whose store it is about.
    pub state: Vec<u8>,
    /// The key.
    pub path: MerklePath,
    /// The value, or `None` for an absence.
    pub value: Option<Vec<u8>>,
    /// The encoded proof.
    pub proof: Vec<u8>,
}

/// Something that must be refused.
#[derive(Clone, Debug)]
pub struct Forgery {
    /// Number in the catalogue.
    pub item: u8,
    /// What was forged.
    pub name: &'static str,
    /// The forgery.
    pub subject: Subject,
    /// How it must be refused.
    pub expect: Expect,
}

/// What was forged. Names and expected results of the cases inside are not read.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A profile, for `CreateClient`.
    Profile(Vec<u8>),
    /// An update.
    Update(UpdateCase),
    /// Evidence: it must also leave the client unfrozen.
    Evidence(EvidenceCase),
    /// A store proof.
    Proof(ProofCase),
}

/// How a refusal must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Any code that waiting does not help.
    Never,
    /// Any code that waiting may help.
    NotYet,
    /// This code.
    Code(Code),
    /// One of these codes.
    OneOf(&'static [Code]),
}

impl Expect {
    /// Whether the refusal is as expected.
    #[must_use]
    pub fn admits(self, refusal: &Refusal) -> bool {
        match self {
            Self::Never => refusal.permanence() == Permanence::Never,
            Self::NotYet => refusal.permanence() == Permanence::NotYet,
            Self::Code(code) => refusal.code == code,
            Self::OneOf(codes) => codes.contains(&refusal.code),
        }
    }
}

/// A number of signers below which an update is refused.
pub struct Threshold<'a> {
    /// Which threshold.
    pub name: &'static str,
    /// Whether `signers` of `members` are enough, in plain arithmetic: not by the family's own tally.
    pub enough: fn(signers: u64, members: u64) -> bool,
    /// An update that `signers` of `members`, all of one weight, signed.
    pub make: Box<dyn Fn(usize, usize) -> UpdateCase + 'a>,
    /// The code when they are too few.
    pub refusal: Code,
}

/// What a family brings to the contract test. Everything is of one chain unless it says otherwise.
pub trait Fixture {
    /// The family on trial.
    type Family: Family;

    /// The encoded profile of the chain.
    fn profile(&self) -> Vec<u8>;

    /// The encoded profile of another chain that differs only in its identifier.
    fn other_chain(&self) -> Vec<u8>;

    /// Good updates: adjacent, skipping where the family skips, with a change of the set.
    fn updates(&self) -> Vec<UpdateCase>;

    /// Pairs of good updates that give two states of one height: the second freezes the client.
    fn conflicts(&self) -> Vec<[UpdateCase; 2]>;

    /// Good evidence, one for each kind of misbehaviour.
    fn evidence(&self) -> Vec<EvidenceCase>;

    /// Good proofs: of values and, where the family shows them, of absences.
    fn proofs(&self) -> Vec<ProofCase>;

    /// Every threshold of the family.
    fn thresholds(&self) -> Vec<Threshold<'_>>;

    /// What only the family knows how to forge.
    fn forgeries(&self) -> Vec<Forgery>;

    /// Items of the catalogue that mean nothing to this family, and why.
    fn not_applicable(&self) -> Vec<(u8, &'static str)>;
}
