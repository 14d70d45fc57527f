//! The families of chains that this program can follow.

use zeugma_adapter_core::Adapter;
use zeugma_types::ClientId;

/// A closed table of families.
#[derive(Clone, Copy)]
pub struct Families<'a>(&'a [&'a dyn Adapter]);

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
        Self(families)
    }

    /// The family of that number.
    #[must_use]
    pub fn numbered(self, number: u16) -> Option<&'a dyn Adapter> {
        self.0.iter().copied().find(|family| family.number() == number)
    }

    /// The family of a client, from its identifier: the family's name, a hyphen, a number.
    #[must_use]
    pub fn of_client(self, client: &ClientId) -> Option<&'a dyn Adapter> {
        let (name, _) = client.as_str().rsplit_once('-')?;
        self.0.iter().copied().find(|family| family.name() == name)
    }

    /// Every family.
    pub fn iter(self) -> impl Iterator<Item = &'a dyn Adapter> {
        self.0.iter().copied()
    }
}
