//! Who may do what: one table of roles and actions, and tokens of which only the digest is kept.
//!
//! A tenant holds entries; entries of different tenants know nothing of each other. A token opens one tenant in one
//! role, so that a court's clerk deposits and its judge reads with tokens of their own. `docs/evidence-service.md` shows the
//! table, and a test drives every cell of that page over HTTP.

mod tokens;

use crate::config::TenantConfig;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq as _;
use tokens::Stamp;
pub use tokens::{Grant, Issued, TokenFile, TokenRow, TokensError};
use zeugma_crypto::hash::sha256;
use zeugma_types::{BlockTime, Code, Refusal};

/// How old what was read of the file of tokens may be when the file looks the same: a change within one tick of the
/// disk's clock is seen by then.
const REREAD: Duration = Duration::from_secs(1);

/// What the holder of a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Deposits, and reads what is its tenant's.
    Party,
    /// Deposits for a court.
    Clerk,
    /// Reads within its tenant.
    Judge,
    /// Deposits and attests.
    Notary,
    /// Reads where the service stands, and who read what.
    Regulator,
    /// Runs it; reads no entry.
    Operator,
}

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Deposit records.
    Deposit,
    /// Read an entry's standing, history, receipt and bundle.
    Read,
    /// Search among the tenant's entries.
    Search,
    /// Erase records of the tenant.
    Erase,
    /// See which tenants there are and where the service stands.
    Watch,
    /// See the tokens, and revoke one.
    Tokens,
    /// Read the audit log.
    Audit,
    /// Make a backup, begin the next shard.
    Operate,
    /// See every case in quarantine, and rule on one.
    Rule,
    /// Register addresses that are told of the tenant's entries, and see what was delivered.
    Webhooks,
}

/// The table: who may do what.
pub const TABLE: &[(Action, &[Role])] = &[
    (Action::Deposit, &[Role::Party, Role::Clerk, Role::Notary]),
    (Action::Read, &[Role::Party, Role::Clerk, Role::Judge, Role::Notary]),
    (Action::Search, &[Role::Party, Role::Clerk, Role::Judge, Role::Notary]),
    (Action::Erase, &[Role::Party, Role::Clerk]),
    (Action::Watch, &[Role::Regulator, Role::Operator]),
    (Action::Tokens, &[Role::Operator]),
    (Action::Audit, &[Role::Regulator, Role::Operator]),
    (Action::Operate, &[Role::Operator]),
    (Action::Rule, &[Role::Regulator]),
    (Action::Webhooks, &[Role::Party, Role::Clerk, Role::Notary]),
];

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Party, Self::Clerk, Self::Judge, Self::Notary, Self::Regulator, Self::Operator];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Party => "party",
            Self::Clerk => "clerk",
            Self::Judge => "judge",
            Self::Notary => "notary",
            Self::Regulator => "regulator",
            Self::Operator => "operator",
        }
    }

    /// Whether the [`TABLE`] has it.
    #[must_use]
    pub fn may(self, action: Action) -> bool {
        TABLE.iter().any(|(row, roles)| *row == action && roles.contains(&self))
    }

    /// # Errors
    /// [`Code::WrongRole`] unless the [`TABLE`] has it.
    pub fn require(self, action: Action) -> Result<(), Refusal> {
        if self.may(action) {
            return Ok(());
        }
        let row = TABLE.iter().find(|(row, _)| *row == action);
        let names: Vec<_> =
            row.into_iter().flat_map(|(_, roles)| roles.iter()).map(|role| role.name()).collect();
        Err(Refusal::new(Code::WrongRole)
            .needed(format!("{} to {}", names.join(", "), action.name()))
            .found(self.name()))
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|role| role.name() == text);
        named.ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|role| role.name()).collect();
            format!("{text} is no role; there are {}", all.join(", "))
        })
    }
}

impl Action {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Read => "read",
            Self::Search => "search",
            Self::Erase => "erase",
            Self::Watch => "watch",
            Self::Tokens => "tokens",
            Self::Audit => "audit",
            Self::Operate => "operate",
            Self::Rule => "rule",
            Self::Webhooks => "webhooks",
        }
    }
}

/// Who asks: what a token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name: entries of different tenants know nothing of each other.
    pub name: String,
    /// What entries call it.
    pub pseudonym: String,
    /// What it may do.
    pub role: Role,
    /// Which token was shown, by its name: `config` for one of the configuration, `x509` for an X.509 certificate.
    pub token: String,
}

#[derive(Clone, Debug)]
struct Row {
    sha256: [u8; 32],
    tenant: Tenant,
    expires_at: Option<BlockTime>,
    revoked_at: Option<BlockTime>,
}

impl Row {
    fn of(row: &TokenRow) -> Option<Self> {
        let mut sha256 = [0; 32];
        hex::decode_to_slice(&row.sha256, &mut sha256).ok()?;
        let tenant = Tenant {
            name: row.tenant.clone(),
            pseudonym: row.pseudonym.clone(),
            role: row.role,
            token: row.id.clone(),
        };
        let (expires_at, revoked_at) =
            (row.expires_at.map(BlockTime::new), row.revoked_at.map(BlockTime::new));
        Some(Self { sha256, tenant, expires_at, revoked_at })
    }

    fn ended(&self, now: BlockTime) -> Option<BlockTime> {
        self.revoked_at.or(self.expires_at.filter(|at| *at <= now))
    }
}

/// The tokens of a service: those of its configuration, which never end, and those of its file.
#[derive(Debug, Default)]
pub struct Access {
    fixed: Vec<Row>,
    /// By the X.509 certificate that a client showed.
    shown: Vec<([u8; 32], Tenant)>,
    file: Option<(TokenFile, Mutex<Kept>)>,
}

/// What was read of the file.
#[derive(Debug, Default)]
struct Kept {
    stamp: Option<Stamp>,
    read: Option<Instant>,
    rows: Vec<Row>,
}

impl Access {
    /// Of a checked configuration.
    #[must_use]
    pub fn of(tenants: &[TenantConfig]) -> Self {
        let digest = |text: &Option<String>| {
            let mut sha256 = [0; 32];
            hex::decode_to_slice(text.as_ref()?, &mut sha256).ok().map(|()| sha256)
        };
        let named = |one: &TenantConfig, token: &str| {
            let TenantConfig { name, pseudonym, role, .. } = one.clone();
            Tenant { name, pseudonym, role, token: token.to_owned() }
        };
        let fixed = tenants.iter().filter_map(|one| {
            let (sha256, tenant) = (digest(&one.token_sha256)?, named(one, "config"));
            Some(Row { sha256, tenant, expires_at: None, revoked_at: None })
        });
        let shown =
            tenants.iter().filter_map(|one| Some((digest(&one.certificate_sha256)?, named(one, "x509"))));
        Self { fixed: fixed.collect(), shown: shown.collect(), file: None }
    }

    /// With one tenant more.
    #[must_use]
    pub fn with(mut self, token: &str, tenant: Tenant) -> Self {
        let sha256 = sha256(&[token.as_bytes()]);
        self.fixed.push(Row { sha256, tenant, expires_at: None, revoked_at: None });
        self
    }

    /// And the tokens of the file in this folder, whatever becomes of it: a change counts from the next request on.
    #[must_use]
    pub fn with_file_in(mut self, folder: &Path) -> Self {
        self.file = Some((TokenFile::in_folder(folder), Mutex::default()));
        self
    }

    /// Whose the token is. Every digest is compared, each in constant time.
    ///
    /// # Errors
    /// [`Code::UnknownToken`]; [`Code::TokenEnded`] for one that was revoked or whose time is over at `now`.
    pub fn tenant(&self, token: &str, now: BlockTime) -> Result<Tenant, Refusal> {
        let given = sha256(&[token.as_bytes()]);
        let kept = self.kept();
        let rows = self.fixed.iter().chain(kept.iter().flat_map(|kept| kept.rows.iter()));
        let mut found: Option<&Row> = None;
        for row in rows {
            if bool::from(row.sha256.ct_eq(&given)) {
                found = Some(row);
            }
        }
        let row = found.ok_or_else(|| Refusal::new(Code::UnknownToken))?;
        match row.ended(now) {
            Some(at) => Err(Refusal::new(Code::TokenEnded).needed(now.get()).found(at.get())),
            None => Ok(row.tenant.clone()),
        }
    }

    /// Whose the X.509 certificate with this SHA-256 is, which a client showed and whose key it holds.
    ///
    /// # Errors
    /// [`Code::UnknownToken`].
    pub fn holder(&self, certificate: &[u8; 32]) -> Result<Tenant, Refusal> {
        let found = self.shown.iter().find(|(sha256, _)| sha256 == certificate);
        found.map(|(_, tenant)| tenant.clone()).ok_or_else(|| {
            Refusal::new(Code::UnknownToken).needed("an X.509 certificate of a tenant").found(*certificate)
        })
    }

    /// The tenants by name, each with how many tokens open it in each role at `now`.
    #[must_use]
    pub fn tenants(&self, now: BlockTime) -> Vec<(String, Vec<(Role, usize)>)> {
        let kept = self.kept();
        let mut counts = std::collections::BTreeMap::<String, std::collections::BTreeMap<Role, usize>>::new();
        for row in self.fixed.iter().chain(kept.iter().flat_map(|kept| kept.rows.iter())) {
            if row.ended(now).is_none() {
                *counts.entry(row.tenant.name.clone()).or_default().entry(row.tenant.role).or_default() += 1;
            }
        }
        counts.into_iter().map(|(name, roles)| (name, roles.into_iter().collect())).collect()
    }

    /// The file of tokens, if there is one to be.
    #[must_use]
    pub fn file(&self) -> Option<&TokenFile> {
        self.file.as_ref().map(|(file, _)| file)
    }

    /// What the file says now. It is looked at on every request, and read when it changed; one that cannot be read
    /// opens nothing.
    fn kept(&self) -> Option<MutexGuard<'_, Kept>> {
        let (file, kept) = self.file.as_ref()?;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = file.stamp();
        let fresh = kept.stamp == Some(stamp) && kept.read.is_some_and(|read| read.elapsed() < REREAD);
        if !fresh {
            kept.rows = match file.rows() {
                Ok(rows) => rows.iter().filter_map(Row::of).collect(),
                Err(why) => {
                    tracing::error!(%why, "the tokens cannot be read: none of them opens anything");
                    Vec::new()
                }
            };
            (kept.stamp, kept.read) = (Some(stamp), Some(Instant::now()));
        }
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> Tenant {
        Tenant {
            name: "a".to_owned(),
            pseudonym: "p".to_owned(),
            role: Role::Party,
            token: "config".to_owned(),
        }
    }

    #[test]
    fn every_action_stands_in_the_table_once_and_every_role_has_its_name() {
        let mut actions: Vec<_> = TABLE.iter().map(|(action, _)| *action).collect();
        let count = actions.len();
        actions.dedup();
        assert_eq!(actions.len(), count);
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!("Party".parse::<Role>().unwrap_err().contains("party, clerk"));
    }

    #[test]
    fn a_token_opens_its_own_tenant_and_no_other_text_does() {
        let access = Access::default().with("secret", tenant());
        let now = BlockTime::new(1);
        assert_eq!(access.tenant("secret", now), Ok(tenant()));
        for other in ["", "secret ", "Secret", "secre"] {
            assert_eq!(access.tenant(other, now).unwrap_err().code, Code::UnknownToken);
        }
    }

    #[test]
    fn a_token_of_the_file_opens_until_its_time_is_over_or_it_is_revoked_without_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let access = Access::default().with_file_in(folder.path());
        let (now, later) = (BlockTime::new(1_000), BlockTime::new(2_000));
        let grant = |expires_at| Grant {
            tenant: "a".to_owned(),
            pseudonym: "p".to_owned(),
            role: Role::Judge,
            made_at: now,
            expires_at,
        };
        let file = access.file().unwrap();
        let Issued { row, token } = file.add(grant(Some(later))).unwrap();
        let found = access.tenant(&token, now).unwrap();
        assert_eq!((found.name.as_str(), found.role, &found.token), ("a", Role::Judge, &row.id));
        assert_eq!(access.tenant(&token, BlockTime::new(1_999)).map(|found| found.token), Ok(row.id));
        assert_eq!(access.tenant(&token, later).unwrap_err().code, Code::TokenEnded);

        let other = file.add(grant(None)).unwrap();
        assert!(access.tenant(&other.token, BlockTime::MAX).is_ok());
        file.revoke(&other.row.id, now).unwrap();
        assert_eq!(access.tenant(&other.token, now).unwrap_err().code, Code::TokenEnded);
        std::fs::write(folder.path().join("tokens.json"), b"{").unwrap();
        assert_eq!(access.tenant(&token, now).unwrap_err().code, Code::UnknownToken);
    }
}
