//! The ceremony's decisions, without await.

use super::wire::{Body, Message};
use crate::consensus::{Digest, PublicKey};
use bytes::Bytes;
use commonware_codec::{Decode as _, Encode as _, Read as _, ReadExt as _};
use commonware_cryptography::bls12381::dkg::feldman_desmedt::{
    Dealer, DealerLog, DealerLogSummary, DealerPrivMsg, DealerPubMsg, Info, Logs, Output, Player, PlayerAck,
    Reveal, SignedDealerLog,
};
use commonware_cryptography::bls12381::primitives::{group::Share, sharing::Mode, variant::MinSig};
use commonware_cryptography::{Hasher as _, Sha256, Signer as _, Verifier as _, ed25519};
use commonware_parallel::Sequential;
use commonware_utils::{N3f1, ordered::Set};
use rand_core::SeedableRng as _;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use zeugma_crypto::hash::framed;
use zeugma_types::{NetworkId, Purpose, TranscriptDigest};

/// Names a ceremony.
const NAMESPACE: &[u8] = b"zeugma.dkg.1";
/// Makes a dealer's secrets from its seed.
const DEAL: &[u8] = b"zeugma.dkg-deal.1";
/// Under which a member confirms a transcript.
const CONFIRM: &[u8] = b"zeugma.dkg-confirm.1";
/// Fewer members tolerate no fault at all.
const LEAST_MEMBERS: usize = 4;

/// Why a ceremony ends without a key.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Too few to tolerate a fault.
    #[error("a committee has at least {LEAST_MEMBERS} members: {0} named")]
    TooFew(usize),
    /// This node is not named.
    #[error("{0} is not a member of this committee")]
    NotAMember(Box<PublicKey>),
    /// An output that revealed a share is not adopted.
    #[error("dealer {0} revealed a share: the output is not adopted, repeat the ceremony")]
    Revealed(Box<PublicKey>),
    /// A dealer told two stories.
    #[error("dealer {0} signed two different logs: the output is not adopted, repeat the ceremony")]
    TwoLogs(Box<PublicKey>),
    /// Members saw different logs.
    #[error("member {0} confirmed another transcript: the output is not adopted, repeat the ceremony")]
    OtherTranscript(Box<PublicKey>),
    /// This node's records of the ceremony cannot be used.
    #[error("the stored state of this ceremony is damaged: {0}")]
    Stored(String),
    /// The network ended before the ceremony did.
    #[error("the network closed before all members confirmed; these are missing: {0}")]
    Closed(String),
    /// The logs do not make a key.
    #[error("the dealers' logs give no key: {0}")]
    NoKey(String),
}

/// What a finished ceremony leaves.
pub struct Outcome {
    /// The group's public polynomial.
    pub output: Output<MinSig, PublicKey>,
    /// This member's share.
    pub share: Share,
    /// Digest of the public transcript, which everyone may compare.
    pub transcript: TranscriptDigest,
    /// Every member's signature over it.
    pub confirmations: BTreeMap<PublicKey, ed25519::Signature>,
}

/// A durable record: written before the messages of the same [`Step`] leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A dealing that was received.
    Dealing(PublicKey, Vec<u8>),
    /// A dealer's log.
    Log(PublicKey, Vec<u8>),
    /// A member's confirmation: transcript digest and signature. The others stop answering once they hear that a
    /// member holds all of them, so it must still hold them after a restart.
    Confirmation(PublicKey, Vec<u8>),
}

/// What one message asks of the hands: make the records durable, then reply.
#[derive(Default)]
pub struct Step {
    /// To be made durable first.
    pub save: Vec<Record>,
    /// To be sent to whom the message came from.
    pub reply: Option<Message>,
}

/// Names a ceremony by network, attempt and members.
#[must_use]
pub fn ceremony_id(network: &NetworkId, attempt: u64, members: &Set<PublicKey>) -> Digest {
    Sha256::hash(&[NAMESPACE, network.as_bytes(), &attempt.to_be_bytes(), &members.encode()])
}

type Log = (SignedDealerLog<MinSig, PublicKey>, DealerLog<MinSig, PublicKey>);

/// One member's side of a ceremony.
pub struct Ceremony {
    id: Digest,
    me: ed25519::PrivateKey,
    members: Set<PublicKey>,
    info: Info<MinSig, PublicKey>,
    dealer: Option<Dealer<MinSig, ed25519::PrivateKey>>,
    commitment: DealerPubMsg<MinSig>,
    shares: BTreeMap<PublicKey, DealerPrivMsg>,
    acknowledged: BTreeSet<PublicKey>,
    player: Option<Player<MinSig, ed25519::PrivateKey>>,
    acks: BTreeMap<PublicKey, PlayerAck<PublicKey>>,
    logs: BTreeMap<PublicKey, Log>,
    result: Option<(Output<MinSig, PublicKey>, Share, TranscriptDigest)>,
    confirmations: BTreeMap<PublicKey, ed25519::Signature>,
    /// How many confirmations each other member holds.
    held: BTreeMap<PublicKey, u32>,
    /// Confirmations of an earlier run, until the result is there to compare them with.
    earlier: Vec<(PublicKey, Digest, ed25519::Signature)>,
}

impl Ceremony {
    /// Starts, or resumes: the same seed deals the same shares, and `stored` are the records of an earlier run.
    ///
    /// # Errors
    /// [`Error::TooFew`], [`Error::NotAMember`], [`Error::Stored`].
    pub fn new(
        network: &NetworkId,
        attempt: u64,
        members: Set<PublicKey>,
        me: ed25519::PrivateKey,
        seed: [u8; 32],
        stored: Vec<Record>,
    ) -> Result<Self, Error> {
        if members.len() < LEAST_MEMBERS {
            return Err(Error::TooFew(members.len()));
        }
        let key = me.public_key();
        if members.position(&key).is_none() {
            return Err(Error::NotAMember(key.into()));
        }
        let no_key = |error: &dyn std::fmt::Display| Error::NoKey(error.to_string());
        let id = ceremony_id(network, attempt, &members);
        let count = u32::try_from(members.len()).ok().and_then(NonZeroU32::new);
        let count = count.ok_or(Error::TooFew(members.len()))?;
        let info = Info::new::<N3f1>(
            id.as_ref(),
            attempt,
            None,
            Mode::NonZeroCounter,
            Reveal::V1,
            members.clone(),
            members.clone(),
        )
        .map_err(|error| no_key(&error))?;
        let deal = crate::application::digest_bytes(&Sha256::hash(&[DEAL, &seed, id.as_ref()]));
        let rng = rand_chacha::ChaCha20Rng::from_seed(deal);
        let (dealer, commitment, shares) =
            Dealer::start::<N3f1>(rng, info.clone(), me.clone(), None).map_err(|error| no_key(&error))?;
        let Restored { dealings, logs, confirmations: earlier } = restore(stored, count, &info)?;
        let plain = logs.iter().map(|(dealer, (_, log))| (dealer.clone(), log.clone())).collect();
        let (player, acks) = Player::resume::<N3f1>(info.clone(), me.clone(), &plain, dealings)
            .map_err(|error| Error::Stored(error.to_string()))?;
        Ok(Self {
            id,
            me,
            members,
            info,
            dealer: Some(dealer),
            commitment,
            shares: shares.into_iter().collect(),
            acknowledged: BTreeSet::new(),
            player: Some(player),
            acks,
            logs,
            result: None,
            confirmations: BTreeMap::new(),
            held: BTreeMap::new(),
            earlier,
        })
    }

    fn message(&self, body: Body) -> Message {
        Message { ceremony: self.id, body }
    }

    fn key(&self) -> PublicKey {
        self.me.public_key()
    }

    /// What to tell each other member now: everything not yet seen to have had its effect.
    #[must_use]
    pub fn outgoing(&self) -> Vec<(PublicKey, Message)> {
        let me = self.key();
        let mut out = Vec::new();
        for to in self.members.iter().filter(|member| **member != me) {
            let log = self.logs.get(&me);
            if log.is_none()
                && !self.acknowledged.contains(to)
                && let Some(share) = self.shares.get(to)
            {
                let deal = Body::Deal { commitment: self.commitment.clone(), share: share.clone() };
                out.push((to.clone(), self.message(deal)));
            }
            if let Some((log, _)) = log
                && !self.confirmations.contains_key(to)
            {
                out.push((to.clone(), self.message(Body::Log(log.clone()))));
            }
            if let Some((_, _, transcript)) = &self.result
                && let Some(signature) = self.confirmations.get(&me)
            {
                let held = u32::try_from(self.confirmations.len()).unwrap_or(u32::MAX);
                let transcript = Digest::from(*transcript.as_bytes());
                let confirm = Body::Confirm { transcript, signature: signature.clone(), held };
                out.push((to.clone(), self.message(confirm)));
            }
        }
        out
    }

    /// Takes what `from` said. What cannot be used is dropped; only proof of a broken ceremony is an error.
    ///
    /// # Errors
    /// [`Error::Revealed`], [`Error::TwoLogs`], [`Error::OtherTranscript`], [`Error::NoKey`].
    pub fn receive(
        &mut self,
        rng: &mut impl rand_core::CryptoRng,
        from: &PublicKey,
        message: Message,
    ) -> Result<Step, Error> {
        let mut step = Step::default();
        if message.ceremony != self.id || self.members.position(from).is_none() {
            return Ok(step);
        }
        match message.body {
            Body::Deal { commitment, share } => self.take_dealing(from, commitment, share, &mut step),
            Body::Ack(ack) => {
                if let Some(dealer) = &mut self.dealer
                    && dealer.receive_player_ack(from.clone(), ack).is_ok()
                {
                    self.acknowledged.insert(from.clone());
                }
            }
            Body::Log(signed) => {
                let Some((dealer, log)) = signed.clone().check(&self.info) else { return Ok(step) };
                self.take_log(dealer, signed, log, &mut step)?;
            }
            Body::Confirm { transcript, signature, held } => {
                if !from.verify(CONFIRM, &self.confirmed(&transcript), &signature) {
                    return Ok(step);
                }
                // Before our own result there is nothing to compare with: it will be sent again.
                if let Some((_, _, ours)) = &self.result {
                    if Digest::from(*ours.as_bytes()) != transcript {
                        return Err(Error::OtherTranscript(from.clone().into()));
                    }
                    if !self.confirmations.contains_key(from) {
                        let mut bytes = transcript.encode().to_vec();
                        bytes.extend_from_slice(&signature.encode());
                        step.save.push(Record::Confirmation(from.clone(), bytes));
                        self.confirmations.insert(from.clone(), signature);
                    }
                    self.held.insert(from.clone(), held);
                }
            }
        }
        self.advance(rng, &mut step)?;
        Ok(step)
    }

    fn take_dealing(
        &mut self,
        from: &PublicKey,
        commitment: DealerPubMsg<MinSig>,
        share: DealerPrivMsg,
        step: &mut Step,
    ) {
        if let Some(player) = &mut self.player {
            let mut bytes = commitment.encode().to_vec();
            bytes.extend_from_slice(&share.encode());
            if let Ok(Some(ack)) = player.dealer_message::<N3f1>(from.clone(), commitment, share) {
                self.acks.insert(from.clone(), ack);
                step.save.push(Record::Dealing(from.clone(), bytes));
            }
        }
        step.reply = self.acks.get(from).map(|ack| self.message(Body::Ack(ack.clone())));
    }

    /// Goes as far as what is held allows: own dealing, own log, result.
    ///
    /// # Errors
    /// As [`Ceremony::receive`].
    pub fn advance(&mut self, rng: &mut impl rand_core::CryptoRng, step: &mut Step) -> Result<(), Error> {
        let me = self.key();
        if !self.acks.contains_key(&me)
            && let Some(share) = self.shares.get(&me).cloned()
        {
            let mut own = Step::default();
            self.take_dealing(&me, self.commitment.clone(), share, &mut own);
            step.save.append(&mut own.save);
        }
        if let Some(ack) = self.acks.get(&me).cloned()
            && let Some(dealer) = &mut self.dealer
            && !self.acknowledged.contains(&me)
            && dealer.receive_player_ack(me.clone(), ack).is_ok()
        {
            self.acknowledged.insert(me.clone());
        }
        if self.acknowledged.len() == self.members.len()
            && !self.logs.contains_key(&me)
            && let Some(dealer) = self.dealer.take()
        {
            let signed = dealer.finalize::<N3f1>();
            let (_, log) = signed.clone().check(&self.info).ok_or_else(|| Error::NoKey("own log".into()))?;
            self.take_log(me.clone(), signed, log, step)?;
        }
        if self.logs.len() == self.members.len()
            && self.result.is_none()
            && let Some(player) = self.player.take()
        {
            self.conclude(rng, player)?;
        }
        Ok(())
    }

    fn conclude(
        &mut self,
        rng: &mut impl rand_core::CryptoRng,
        player: Player<MinSig, ed25519::PrivateKey>,
    ) -> Result<(), Error> {
        let mut logs = Logs::<MinSig, PublicKey, N3f1>::new(self.info.clone());
        let mut parts: Vec<Bytes> = vec![Bytes::copy_from_slice(self.id.as_ref())];
        for (dealer, (signed, log)) in &self.logs {
            parts.push(signed.encode());
            logs.record(dealer.clone(), log.clone());
        }
        let (output, share) = player
            .finalize::<N3f1>(rng, logs, &Sequential)
            .map_err(|error| Error::NoKey(error.to_string()))?;
        parts.push(output.public().public().encode());
        let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
        let transcript = TranscriptDigest::new(framed(Purpose::Transcript, &parts));
        let signed = self.confirmed(&Digest::from(*transcript.as_bytes()));
        self.confirmations.insert(self.key(), self.me.sign(CONFIRM, &signed));
        for (member, confirmed, signature) in std::mem::take(&mut self.earlier) {
            let ours = confirmed == Digest::from(*transcript.as_bytes());
            if !ours || !member.verify(CONFIRM, &signed, &signature) {
                return Err(Error::Stored(format!("the confirmation of {member} is of another transcript")));
            }
            self.confirmations.insert(member, signature);
        }
        self.result = Some((output, share, transcript));
        Ok(())
    }

    fn take_log(
        &mut self,
        dealer: PublicKey,
        signed: SignedDealerLog<MinSig, PublicKey>,
        log: DealerLog<MinSig, PublicKey>,
        step: &mut Step,
    ) -> Result<(), Error> {
        match log.summary() {
            DealerLogSummary::Ok { reveals, .. } if reveals.is_empty() => {}
            _ => return Err(Error::Revealed(dealer.into())),
        }
        match self.logs.get(&dealer) {
            Some((_, held)) if *held == log => Ok(()),
            Some(_) => Err(Error::TwoLogs(dealer.into())),
            None => {
                step.save.push(Record::Log(dealer.clone(), signed.encode().to_vec()));
                self.logs.insert(dealer, (signed, log));
                Ok(())
            }
        }
    }

    fn confirmed(&self, transcript: &Digest) -> Vec<u8> {
        [self.id.as_ref(), transcript.as_ref()].concat()
    }

    /// All members confirmed: the key may be used.
    #[must_use]
    pub fn done(&self) -> bool {
        self.confirmations.len() == self.members.len()
    }

    /// Every other member is known to be done too: nobody needs this one any more.
    #[must_use]
    pub fn settled(&self) -> bool {
        let all = self.members.len();
        let done = self.held.values().filter(|held| usize::try_from(**held) == Ok(all)).count();
        self.done() && done + 1 == all
    }

    /// Who has not confirmed yet.
    #[must_use]
    pub fn missing(&self) -> Vec<PublicKey> {
        self.members.iter().filter(|member| !self.confirmations.contains_key(*member)).cloned().collect()
    }

    /// The outcome, once all confirmed.
    #[must_use]
    pub fn outcome(self) -> Option<Outcome> {
        if !self.done() {
            return None;
        }
        let (output, share, transcript) = self.result?;
        Some(Outcome { output, share, transcript, confirmations: self.confirmations })
    }
}

#[derive(Default)]
struct Restored {
    dealings: Vec<(PublicKey, DealerPubMsg<MinSig>, DealerPrivMsg)>,
    logs: BTreeMap<PublicKey, Log>,
    confirmations: Vec<(PublicKey, Digest, ed25519::Signature)>,
}

fn restore(
    stored: Vec<Record>,
    members: NonZeroU32,
    info: &Info<MinSig, PublicKey>,
) -> Result<Restored, Error> {
    let damaged = |error: &dyn std::fmt::Display| Error::Stored(error.to_string());
    let mut restored = Restored::default();
    for record in stored {
        match record {
            Record::Dealing(from, bytes) => {
                let mut bytes = Bytes::from(bytes);
                let commitment =
                    DealerPubMsg::read_cfg(&mut bytes, &members).map_err(|error| damaged(&error))?;
                let share = DealerPrivMsg::read(&mut bytes).map_err(|error| damaged(&error))?;
                restored.dealings.push((from, commitment, share));
            }
            Record::Log(from, bytes) => {
                let signed = SignedDealerLog::<MinSig, PublicKey>::decode_cfg(Bytes::from(bytes), &members)
                    .map_err(|error| damaged(&error))?;
                let checked = signed.clone().check(info).ok_or_else(|| damaged(&"a log does not verify"))?;
                if checked.0 != from {
                    return Err(damaged(&"a log under another dealer"));
                }
                restored.logs.insert(from, (signed, checked.1));
            }
            Record::Confirmation(from, bytes) => {
                let mut bytes = Bytes::from(bytes);
                let transcript = Digest::read(&mut bytes).map_err(|error| damaged(&error))?;
                let signature = ed25519::Signature::read(&mut bytes).map_err(|error| damaged(&error))?;
                restored.confirmations.push((from, transcript, signature));
            }
        }
    }
    Ok(restored)
}
