//! The registry of digests: rule packs, allow-lists, halts. The network keeps digests, never content.

use super::govern::parse_denom;
use super::{Ask, Desk, parse_32, refused};
use crate::failure::Failure;
use clap::{Args, ValueEnum};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use zeugma_crypto::hash::Hasher;
use zeugma_ledger::Message;
use zeugma_ledger::app::transfer::{Denom, account_name, asset_name};
use zeugma_ledger::bounded::Text;
use zeugma_ledger::limits::MAX_NAME;
use zeugma_ledger::registry::Kind;
use zeugma_ledger::tx::{RevokeDigest, SetDigest};
use zeugma_types::{AccountId, HashSuite};

/// What an account may put in force: the ledger's kinds without that of governance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Open {
    /// A pack of rules
    RulePack,
    /// A list of what is allowed: assets, receivers, institutions
    AllowList,
    /// An order that halts what it is named after: a client's route, an asset, an account
    Halt,
}

impl Open {
    const fn kind(self) -> Kind {
        match self {
            Self::RulePack => Kind::RulePack,
            Self::AllowList => Kind::AllowList,
            Self::Halt => Kind::Halt,
        }
    }
}

/// See [`Message::SetDigest`].
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// What it is
    #[arg(long, value_enum)]
    kind: Open,
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    content: Content,
}

/// What an entry is named after.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Named {
    /// Its name; of a halt, the client whose route is halted; "assets" is the list that lets in what is listed only
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The asset it is about, by its name on the network: transfer/CLIENT/NAME
    #[arg(long, value_name = "NAME", value_parser = parse_denom)]
    asset: Option<Denom>,
    /// The account it is about, 64 hexadecimal digits
    #[arg(long, value_name = "ACCOUNT", value_parser = parse_32)]
    account: Option<[u8; 32]>,
}

impl Named {
    fn text(&self) -> Result<Text<MAX_NAME>, Failure> {
        match (&self.name, &self.asset, self.account) {
            (_, Some(denom), _) => Ok(asset_name(denom)),
            (_, _, Some(account)) => Ok(account_name(&AccountId::new(account))),
            (name, ..) => Text::new(name.as_deref().unwrap_or_default()).map_err(refused),
        }
    }
}

/// What is put in force.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Content {
    /// The file whose SHA-256 is put in force; its content stays here
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The digest itself, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = parse_32)]
    digest: Option<[u8; 32]>,
}

/// SHA-256 of a file of any length.
fn digest_of(path: &Path) -> Result<[u8; 32], Failure> {
    let unreadable = |why| Failure::unreadable(path, &why);
    let mut file = File::open(path).map_err(unreadable)?;
    let (mut hasher, mut buffer) = (Hasher::new(HashSuite::Sha256), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

impl Ask for Set {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let digest = match (&self.content.file, self.content.digest) {
            (_, Some(digest)) => digest,
            (Some(file), None) => digest_of(file)?,
            (None, None) => return Err(Failure::usage("there is no digest", "give --file or --digest")),
        };
        let name = self.named.text()?;
        Ok(vec![Message::SetDigest(SetDigest { kind: self.kind.kind(), name, digest })])
    }
}

/// See [`Message::RevokeDigest`].
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// What it is
    #[arg(long, value_enum)]
    kind: Open,
    #[command(flatten)]
    named: Named,
}

impl Ask for Revoke {
    fn messages(&self, _: &Desk<'_>) -> Result<Vec<Message>, Failure> {
        let name = self.named.text()?;
        Ok(vec![Message::RevokeDigest(RevokeDigest { kind: self.kind.kind(), name })])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_but_that_of_governance_can_be_put_in_force_by_its_own_name() {
        let here: Vec<(String, Kind)> = Open::value_variants()
            .iter()
            .map(|open| (open.to_possible_value().unwrap().get_name().to_owned(), open.kind()))
            .collect();
        let there: Vec<(String, Kind)> = Kind::ALL
            .iter()
            .filter(|kind| **kind != Kind::Parameters)
            .map(|kind| (kind.name().to_owned(), *kind))
            .collect();
        assert_eq!(here, there);
    }
}
