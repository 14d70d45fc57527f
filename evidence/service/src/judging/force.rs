//! Whether a pack was in force: two proofs of the relay chain, kept beside the verdicts.
//!
//! The registry's leaf says which digest a name stands for, and from when; the `Standing` at the end of an epoch says that this
//! leaf was still the latest of its path. A verdict given between the two was given under a pack in force: nothing
//! else is told to be. Both proofs were verified under the service's trust file; they are kept as files that anyone
//! verifies.
//!
//! The list behind a `Standing` is the node's word until its root is the proved one. It changes with the next client or
//! registration, so it is asked for soon after an epoch's end; one that came too late waits for the next. The bundle of an
//! entry carries the proofs that cover its verdicts.
//!
//! ```text
//! <root>/verdicts/<digest of the pack>/standing/<epoch>
//!
//! file = proof of the registry's leaf bytes<…> · proof of the standing bytes<…> · neighbour bytes<…> · check [16]
//! ```

use super::files::{self, Files};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeugma_client::{Client, ProofFile, Under};
use zeugma_evidence_rules::Pack;
use zeugma_evidence_verify::bundle::InForce;
use zeugma_ledger::Slot;
use zeugma_ledger::limits::STANDING_BUCKETS;
use zeugma_ledger::registry::Kind;
use zeugma_ledger::standing::Bucket;
use zeugma_proof::body::{Body, Neighbour, Standing, StandingList};
use zeugma_proof::{MAX_PROOF, Proof};
use zeugma_types::codec::put_bytes;
use zeugma_types::{BlockTime, Code, Decode, Encode, Epoch, HashSuite, LeafPath, Reader, Refusal};

/// Longest neighbour: an entry, its place, 64 hashes.
const MAX_NEIGHBOUR: usize = 4 * 1024;

/// Why a pack is not confirmed in force.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotConfirmed {
    #[error("the relay chain: {0}")]
    Client(#[from] zeugma_client::Error),
    #[error("the relay chain's registry has no pack {0}")]
    NotRegistered(String),
    #[error("the relay chain's registry has another digest under {name}: {found}")]
    Other { name: String, found: String },
    #[error("there is no trust file under which the proofs could be verified")]
    NoTrust,
    #[error("no epoch that shows it has ended yet")]
    NoEpoch,
    #[error("the list of what is in force changed since the epoch ended: the next one shows it")]
    Changed,
    #[error("{0}")]
    Refused(#[from] Refusal),
}

/// The proofs that a pack was in force from `since` to `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) epoch: Epoch,
    /// The time of the registry's leaf.
    pub(crate) since: BlockTime,
    /// The time of the standing's leaf.
    pub(crate) until: BlockTime,
    /// The proof file of the registry's leaf.
    pub(crate) registered: Vec<u8>,
    /// The proof file of the standing.
    pub(crate) standing: Vec<u8>,
    /// The entry in the list behind the standing, with its path.
    pub(crate) neighbour: Vec<u8>,
}

impl Shown {
    /// As a bundle carries it.
    ///
    /// # Errors
    /// The refusals of the neighbour's encoding.
    pub(crate) fn anchor(&self) -> Result<InForce, Refusal> {
        Ok(InForce {
            registered: self.registered.clone(),
            standing: self.standing.clone(),
            neighbour: Neighbour::from_bytes(&self.neighbour)?,
        })
    }
}

/// Epoch, from and until, of one kept file.
type Kept = (Epoch, BlockTime, BlockTime);

/// What is known of every pack.
#[derive(Debug)]
pub(super) struct Force {
    root: PathBuf,
    kept: Mutex<BTreeMap<[u8; 32], Vec<Kept>>>,
}

impl Force {
    pub(super) fn open(folder: &Path) -> Result<Self, Refusal> {
        let root = folder.join("verdicts");
        let mut kept: BTreeMap<[u8; 32], Vec<Kept>> = BTreeMap::new();
        for name in files::names(&root)? {
            let mut digest = [0; 32];
            if hex::decode_to_slice(&name, &mut digest).is_err() {
                continue;
            }
            let folder = Files::pack(&root, &digest).join("standing");
            for name in files::names(&folder)? {
                let Ok(epoch) = name.parse().map(Epoch::new) else { continue };
                let shown = read(&folder.join(name), epoch)?;
                kept.entry(digest).or_default().extend(shown.map(|one| (epoch, one.since, one.until)));
            }
        }
        kept.values_mut().for_each(|of| of.sort_unstable());
        Ok(Self { root, kept: Mutex::new(kept) })
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Vec<Kept>>> {
        // The map is whole after any panic.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, pack: &[u8; 32], epoch: Epoch) -> PathBuf {
        Files::pack(&self.root, pack).join("standing").join(epoch.to_string())
    }

    /// Whether any epoch showed the pack to be in force.
    pub(super) fn is_confirmed(&self, pack: &[u8; 32]) -> bool {
        self.kept().get(pack).is_some_and(|of| !of.is_empty())
    }

    /// The first proofs that cover a time.
    pub(super) fn covering(&self, pack: &[u8; 32], at: BlockTime) -> Result<Option<Shown>, Refusal> {
        let found = self.kept().get(pack).and_then(|of| {
            of.iter().find(|(_, since, until)| *since <= at && at <= *until).map(|(epoch, ..)| *epoch)
        });
        match found {
            Some(epoch) => read(&self.path(pack, epoch), epoch),
            None => Ok(None),
        }
    }

    /// Asks the relay chain, and keeps what it shows of the epoch that ended last.
    ///
    /// # Errors
    /// [`NotConfirmed`]: nothing is kept.
    pub(super) fn ask(&self, client: &Client, pack: &Pack, digest: &[u8; 32]) -> Result<(), NotConfirmed> {
        let kind = Kind::RulePack.number();
        let path = LeafPath::registry(kind, &pack.name)?;
        let absent = || NotConfirmed::NotRegistered(pack.name.clone());
        let registered = client.proof_of(&path, Under::First)?.ok_or_else(absent)?;
        let Some(Body::Registered(said)) = body(&registered)? else { return Err(absent()) };
        if said.digest != Some(*digest) {
            let found = said.digest.map_or_else(|| "none: it was revoked".to_owned(), hex::encode);
            return Err(NotConfirmed::Other { name: pack.name.clone(), found });
        }
        let newest = client.latest_certified()?.ok_or(NotConfirmed::NoEpoch)?.header.epoch;
        let (standing, said) = ended(client, newest)?.ok_or(NotConfirmed::NoEpoch)?;
        let leaf = &registered.proof.leaf;
        if said.height < leaf.height {
            return Err(NotConfirmed::NoEpoch);
        }
        if self.kept().get(digest).is_some_and(|of| of.iter().any(|(epoch, ..)| *epoch == said.epoch)) {
            return Ok(());
        }
        let list = list(client)?;
        if list.standing(said.epoch, said.height) != said {
            return Err(NotConfirmed::Changed);
        }
        let place = list.entries().iter().position(|entry| entry.path == path);
        let neighbour = place.and_then(|place| list.neighbour(place)).ok_or_else(absent)?;
        said.verify_presence(&neighbour)?;
        if neighbour.entry.leaf != leaf.hash(HashSuite::Sha256) {
            return Err(NotConfirmed::Changed);
        }
        let mut bytes = Vec::new();
        for part in [&registered.bytes, &standing.bytes, &neighbour.to_bytes()] {
            put_bytes(&mut bytes, part);
        }
        let file = self.path(digest, said.epoch);
        if let Some(folder) = file.parent().filter(|folder| !folder.is_dir()) {
            crate::files::make_dir(folder)
                .map_err(|error| Refusal::new(Code::StoreFailed).found(error.to_string()))?;
        }
        files::write(&file, bytes)?;
        let (since, until) = (leaf.time, standing.proof.leaf.time);
        let mut kept = self.kept();
        let of = kept.entry(*digest).or_default();
        of.push((said.epoch, since, until));
        of.sort_unstable();
        Ok(())
    }
}

/// What a proof says, where it was verified.
fn body(file: &ProofFile) -> Result<Option<Body>, NotConfirmed> {
    let proven = file.proven.as_ref().ok_or(NotConfirmed::NoTrust)?;
    Ok(proven.body().cloned())
}

/// The standing of the epoch that ended last.
fn ended(client: &Client, newest: Epoch) -> Result<Option<(ProofFile, Standing)>, NotConfirmed> {
    // The newest header may be the last of its epoch.
    for epoch in [Some(newest), newest.get().checked_sub(1).map(Epoch::new)].into_iter().flatten() {
        let Some(file) = client.proof_of(&LeafPath::standing(epoch), Under::First)? else { continue };
        if let Some(Body::Standing(said)) = body(&file)? {
            return Ok(Some((file, said)));
        }
    }
    Ok(None)
}

/// What is in force now, by the node's word.
fn list(client: &Client) -> Result<StandingList, NotConfirmed> {
    let mut entries = Vec::new();
    for bucket in 0..STANDING_BUCKETS {
        let (_, value) = client.state(&Slot::Standing(bucket).key())?;
        if let Some(bytes) = value {
            entries.extend(Bucket::from_bytes(&bytes)?.entries.into_vec());
        }
    }
    Ok(StandingList::new(entries)?)
}

fn read(path: &Path, epoch: Epoch) -> Result<Option<Shown>, Refusal> {
    let Some(bytes) = files::read(path)? else { return Ok(None) };
    let mut reader = Reader::new(&bytes);
    let registered = reader.bytes(MAX_PROOF)?.to_vec();
    let standing = reader.bytes(MAX_PROOF)?.to_vec();
    let neighbour = reader.bytes(MAX_NEIGHBOUR)?.to_vec();
    reader.finish()?;
    Neighbour::from_bytes(&neighbour)?;
    let since = Proof::from_bytes(&registered)?.leaf.time;
    let until = Proof::from_bytes(&standing)?.leaf.time;
    Ok(Some(Shown { epoch, since, until, registered, standing, neighbour }))
}
