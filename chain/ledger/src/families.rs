//! The families of chains that this program can follow.

use zeugma_adapter_core::Adapter;
use zeugma_types::ClientId;

/// A bug that only a test plants, to see that whole networks find it.
#[cfg(feature = "planted")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlantedBug {
    /// A packet is received and its receipt is not written.
    ReceiptSkipped,
    /// A closing is said and its tombstone is not written.
    TombstoneSkipped,
    /// A packet is resolved and its commitment stays.
    CommitmentKept,
    /// A packet times out by an absence from before its timeout.
    StaleAbsence,
    /// What is held is released and stays held.
    HoldReleasedTwice,
    /// What is held takes effect and is answered by the error.
    RefundAfterRelease,
    /// What is held is released before its time.
    ReleasedEarly,
    /// What crosses is not held against its limit.
    LimitIgnored,
}

/// A closed table of families.
#[derive(Clone, Copy)]
pub struct Families<'a> {
    table: &'a [&'a dyn Adapter],
    #[cfg(feature = "planted")]
    planted: Option<PlantedBug>,
}

impl<'a> Families<'a> {
    /// The table of these families.
    ///
    /// # Panics
    /// When two have one number or one name, or there are more than [`crate::limits::MAX_FAMILIES`]: the
    /// table is part of the program.
    #[must_use]
    pub fn new(families: &'a [&'a dyn Adapter]) -> Self {
        assert!(families.len() <= crate::limits::MAX_FAMILIES, "a program has few families");
        for (at, one) in families.iter().enumerate() {
            let others = families.iter().take(at);
            let alone =
                others.into_iter().all(|other| other.number() != one.number() && other.name() != one.name());
            assert!(alone, "families have distinct numbers and names");
        }
        Self {
            table: families,
            #[cfg(feature = "planted")]
            planted: None,
        }
    }

    /// The same program with these families in the place of its own, as [`Families::new`].
    #[must_use]
    pub fn replaced(self, families: &'a [&'a dyn Adapter]) -> Self {
        let new = Self::new(families);
        #[cfg(feature = "planted")]
        let new = new.with_planted(self.planted);
        new
    }

    /// The same table, in a program with this bug.
    #[cfg(feature = "planted")]
    #[must_use]
    pub const fn with_planted(self, bug: Option<PlantedBug>) -> Self {
        Self { planted: bug, ..self }
    }

    /// The bug that the program has.
    #[cfg(feature = "planted")]
    pub(crate) const fn planted(self) -> Option<PlantedBug> {
        self.planted
    }

    /// Whether the program has this bug.
    #[cfg(feature = "planted")]
    pub(crate) fn plants(self, bug: PlantedBug) -> bool {
        self.planted == Some(bug)
    }

    /// The family of that number.
    #[must_use]
    pub fn numbered(self, number: u16) -> Option<&'a dyn Adapter> {
        self.table.iter().copied().find(|family| family.number() == number)
    }

    /// The family of a client, from its identifier: the family's name, a hyphen, a number.
    #[must_use]
    pub fn of_client(self, client: &ClientId) -> Option<&'a dyn Adapter> {
        let (name, _) = client.as_str().rsplit_once('-')?;
        self.table.iter().copied().find(|family| family.name() == name)
    }

    /// Every family.
    pub fn iter(self) -> impl Iterator<Item = &'a dyn Adapter> {
        self.table.iter().copied()
    }
}
