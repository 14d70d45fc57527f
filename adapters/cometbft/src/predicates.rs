//! The rules by which a light block is believed, one function each.
//!
//! Source: CometBFT `spec/light-client/verification/verification_002_draft.md`, [LCV-FUNC-VALID.2];
//! ICS-07, "Validity predicate". Each function says which sentence it is.

use crate::commit::{Commit, CommitSig, SignedHeader};
use crate::header::Header;
use crate::key::{Signed, verify_all};
use crate::profile::TrustLevel;
use crate::state::State;
use crate::update::Update;
use crate::validators::ValidatorSet;
use alloc::vec::Vec;
use zeugma_crypto::tally::{Rule, Tally};
use zeugma_types::{BlockTime, Code, Refusal, Span};

/// The header and its votes are of the chain that is followed. A chain that restarts its heights has
/// another identifier, so this is also ICS-07's rule of equal revisions.
///
/// # Errors
/// [`Code::WrongChain`].
pub fn chain_matches(header: &Header, chain_id: &str) -> Result<(), Refusal> {
    if header.chain_id == chain_id {
        return Ok(());
    }
    Err(Refusal::new(Code::WrongChain)
        .needed(alloc::string::String::from(chain_id))
        .found(header.chain_id.clone()))
}

/// "untrusted.Header.Height > trusted.Header.Height".
///
/// # Errors
/// [`Code::NotNewer`].
pub fn height_grows(header: &Header, trusted: &State) -> Result<(), Refusal> {
    if header.height > trusted.height {
        return Ok(());
    }
    Err(Refusal::new(Code::NotNewer).needed(trusted.height.get()).found(header.height.get()))
}

/// "untrusted.Header.Time > trusted.Header.Time", to the nanosecond.
///
/// # Errors
/// [`Code::TimeNotMonotonic`].
pub fn time_grows(header: &Header, trusted: &State) -> Result<(), Refusal> {
    if header.time > trusted.time {
        return Ok(());
    }
    let [needed, found] = [trusted.time, header.time].map(|time| time.millis().get());
    Err(Refusal::new(Code::TimeNotMonotonic).needed(needed).found(found))
}

/// "trusted.Header.Time > now - trustingPeriod", to the nanosecond.
///
/// # Errors
/// [`Code::ClientExpired`].
pub fn within_trusting_period(trusted: &State, period: Span, now: BlockTime) -> Result<(), Refusal> {
    if trusted.time.is_within(period, now) {
        return Ok(());
    }
    let age = now.since(trusted.time.millis()).map_or(0, Span::get);
    Err(Refusal::new(Code::ClientExpired).needed(period.get()).found(age))
}

/// "untrusted.Header.Time < now + clockDrift", to the nanosecond.
///
/// # Errors
/// [`Code::HeaderAhead`].
pub fn not_from_the_future(header: &Header, drift: Span, now: BlockTime) -> Result<(), Refusal> {
    if header.time.is_before(now, drift) {
        return Ok(());
    }
    let end = now.get().saturating_add(drift.get());
    Err(Refusal::new(Code::HeaderAhead).needed(end).found(header.time.millis().get()))
}

/// "untrusted.Header.ValidatorsHash == hash(untrusted.Validators)".
///
/// # Errors
/// [`Code::WrongMembers`].
pub fn validators_match(header: &Header, validators: &ValidatorSet) -> Result<(), Refusal> {
    let found = validators.hash();
    if header.validators_hash == found {
        return Ok(());
    }
    Err(Refusal::new(Code::WrongMembers).needed(header.validators_hash).found(found))
}

/// For adjacent headers, "untrusted.Header.ValidatorsHash == trusted.Header.NextValidatorsHash"; for
/// others the validators brought as trusted are those the trusted header announced (ICS-07:
/// `checkTrustedHeader`).
///
/// # Errors
/// [`Code::WrongNextMembers`].
pub fn next_validators_match(update: &Update, trusted: &State) -> Result<(), Refusal> {
    let header = &update.signed_header.header;
    let announced = trusted.next_validators_hash;
    let brought = match &update.trusted_next_validators {
        Some(validators) => validators.hash(),
        None => header.validators_hash,
    };
    // Validators brought beside those of an adjacent header differ from them, so one of the two is wrong.
    let found =
        if is_adjacent(header, trusted) && brought == announced { header.validators_hash } else { brought };
    if found == announced {
        return Ok(());
    }
    Err(Refusal::new(Code::WrongNextMembers).needed(announced).found(found))
}

/// Whether the header is the very next one, so that its validators were announced by hash.
#[must_use]
pub fn is_adjacent(header: &Header, trusted: &State) -> bool {
    trusted.height.next() == Some(header.height)
}

/// The commit is of this header: same height, and the block it names has the header's hash
/// (CometBFT: `SignedHeader.ValidateBasic`).
///
/// # Errors
/// [`Code::WrongCommit`].
pub fn commit_matches(signed: &SignedHeader, header_hash: &[u8; 32]) -> Result<(), Refusal> {
    let SignedHeader { header, commit } = signed;
    if commit.height != header.height {
        return Err(Refusal::new(Code::WrongCommit).needed(header.height.get()).found(commit.height.get()));
    }
    match commit.block_id.hash {
        Some(hash) if hash == *header_hash => Ok(()),
        Some(hash) => Err(Refusal::new(Code::WrongCommit).needed(*header_hash).found(hash)),
        None => Err(Refusal::new(Code::WrongCommit).needed(*header_hash)),
    }
}

/// The commit has one entry for each validator, and each vote names the validator whose entry it is.
///
/// # Errors
/// [`Code::WrongCommit`] for another number of entries; [`Code::RepeatedSigner`] or
/// [`Code::UnknownSigner`] for a voter who stands elsewhere in the set or not at all.
pub fn votes_are_of(commit: &Commit, validators: &ValidatorSet) -> Result<(), Refusal> {
    let (votes, members) = (commit.signatures.len(), validators.validators().len());
    if votes != members {
        return Err(Refusal::new(Code::WrongCommit).needed(members).found(votes));
    }
    let addresses = validators.addresses();
    for (index, (entry, address)) in commit.signatures.iter().zip(&addresses).enumerate() {
        let (CommitSig::For(vote) | CommitSig::Nil(vote)) = entry else { continue };
        if vote.address != *address {
            let known = addresses.contains(&vote.address);
            let code = if known { Code::RepeatedSigner } else { Code::UnknownSigner };
            return Err(Refusal::new(code).found(index));
        }
    }
    Ok(())
}

/// More than two thirds of the header's own validators voted for it, each counted once.
///
/// # Errors
/// [`Code::QuorumNotReached`].
pub fn own_quorum(commit: &Commit, validators: &ValidatorSet) -> Result<(), Refusal> {
    let mut tally = Tally::new(validators.weights(), Rule::TwoThirdsStrict);
    for (index, _) in votes_for(commit) {
        tally.add(index)?;
    }
    tally.finish().map(|_| ())
}

/// More than the trust level of the validators that the trusted header announced voted for a header
/// that is not the next one. Voters are matched by key.
///
/// # Errors
/// [`Code::TrustTooThin`], which a header in between may change.
pub fn trusted_overlap(update: &Update, level: TrustLevel) -> Result<(), Refusal> {
    let trusted = update.trusted_next_validators();
    let rule = Rule::MoreThan { numerator: level.numerator(), denominator: level.denominator() };
    let mut tally = Tally::new(trusted.weights(), rule);
    let positions = trusted.positions();
    for (_, validator) in votes_for(&update.signed_header.commit)
        .filter_map(|(index, _)| Some((index, update.validators.validators().get(index)?)))
    {
        if let Some(position) = positions.get(&validator.key) {
            tally.add(*position)?;
        }
    }
    tally.finish().map(|_| ()).map_err(|refusal| Refusal { code: Code::TrustTooThin, ..refusal })
}

/// Every vote that the commit carries, for the block or for nil, is signed by its validator.
///
/// # Errors
/// [`Code::BadKey`], [`Code::BadSignature`], [`Code::NotCanonical`].
pub fn votes_are_signed(signed: &SignedHeader, validators: &ValidatorSet) -> Result<(), Refusal> {
    let SignedHeader { header, commit } = signed;
    let sign_bytes = commit.sign_bytes(&header.chain_id);
    let messages: Vec<_> = commit.signatures.iter().map(|entry| sign_bytes.of(entry)).collect();
    let mut signatures = Vec::with_capacity(messages.len());
    for ((entry, message), validator) in commit.signatures.iter().zip(&messages).zip(validators.validators())
    {
        if let (CommitSig::For(vote) | CommitSig::Nil(vote), Some(message)) = (entry, message) {
            signatures.push(Signed { key: &validator.key, message, signature: &vote.signature });
        }
    }
    verify_all(&signatures)
}

fn votes_for(commit: &Commit) -> impl Iterator<Item = (usize, &CommitSig)> {
    commit.signatures.iter().enumerate().filter(|(_, entry)| matches!(entry, CommitSig::For(_)))
}
