//! Who may do what: roles, and tokens of which only the digest is kept.

use crate::config::TenantConfig;
use serde::Deserialize;
use zeugma_crypto::hash::sha256;

/// What a tenant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Deposits, and reads what is its own.
    Party,
    /// Deposits for a court.
    Clerk,
    /// Reads within its tenant.
    Judge,
    /// Deposits and attests.
    Notary,
    /// Reads where the service stands.
    Regulator,
    /// Runs it; reads no entry.
    Operator,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Deposit records.
    Deposit,
    /// Read an entry's standing, receipt and bundle.
    Read,
    /// Erase records of its own.
    Erase,
    /// Read metrics and the state of the service.
    Watch,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Party, Self::Clerk, Self::Judge, Self::Notary, Self::Regulator, Self::Operator];

    /// The table.
    #[must_use]
    pub const fn may(self, action: Action) -> bool {
        match action {
            Action::Deposit => matches!(self, Self::Party | Self::Clerk | Self::Notary),
            Action::Read => matches!(self, Self::Party | Self::Clerk | Self::Judge | Self::Notary),
            Action::Erase => matches!(self, Self::Party | Self::Clerk),
            Action::Watch => matches!(self, Self::Regulator | Self::Operator),
        }
    }
}

/// A tenant that gave its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name: entries of different tenants know nothing of each other.
    pub name: String,
    /// What entries call it.
    pub pseudonym: String,
    /// What it may do.
    pub role: Role,
}

/// The tenants, by the digests of their tokens.
#[derive(Clone, Debug, Default)]
pub struct Access(Vec<([u8; 32], Tenant)>);

impl Access {
    /// Of a checked configuration.
    #[must_use]
    pub fn of(tenants: &[TenantConfig]) -> Self {
        let rows = tenants.iter().filter_map(|tenant| {
            let mut digest = [0; 32];
            hex::decode_to_slice(&tenant.token_sha256, &mut digest).ok()?;
            let TenantConfig { name, pseudonym, role, .. } = tenant.clone();
            Some((digest, Tenant { name, pseudonym, role }))
        });
        Self(rows.collect())
    }

    /// With one tenant more.
    #[must_use]
    pub fn with(mut self, token: &str, tenant: Tenant) -> Self {
        self.0.push((sha256(&[token.as_bytes()]), tenant));
        self
    }

    /// The tenant of a token. Digests are compared, so how long it takes says nothing of a token.
    #[must_use]
    pub fn tenant(&self, token: &str) -> Option<&Tenant> {
        let given = sha256(&[token.as_bytes()]);
        self.0.iter().find(|(digest, _)| *digest == given).map(|(_, tenant)| tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_roles_and_actions_is_this_one() {
        use Action::{Deposit, Erase, Read, Watch};
        let table = [
            (Role::Party, [true, true, true, false]),
            (Role::Clerk, [true, true, true, false]),
            (Role::Judge, [false, true, false, false]),
            (Role::Notary, [true, true, false, false]),
            (Role::Regulator, [false, false, false, true]),
            (Role::Operator, [false, false, false, true]),
        ];
        assert_eq!(table.map(|(role, _)| role), Role::ALL);
        for (role, allowed) in table {
            let found = [Deposit, Read, Erase, Watch].map(|action| role.may(action));
            assert_eq!(found, allowed, "{role:?}");
        }
    }

    #[test]
    fn a_token_opens_its_own_tenant_and_no_other_text_does() {
        let tenant = Tenant { name: "a".to_owned(), pseudonym: "p".to_owned(), role: Role::Party };
        let access = Access::default().with("secret", tenant.clone());
        assert_eq!(access.tenant("secret"), Some(&tenant));
        for other in ["", "secret ", "Secret", "secre"] {
            assert_eq!(access.tenant(other), None);
        }
    }
}
