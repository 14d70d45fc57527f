//! The verification of a bundle: from bytes, and what the caller believes, to a graded report.
//!
//! Two kinds of answer are kept apart. What is *wrong*, bytes altered, a signature that does not hold, a proof of
//! something else, refuses the bundle with a code. What is *missing or not believed*, an anchor that is not
//! there, a key the policy does not name, an algorithm past its sunset, is said in the report, which then
//! shows less. So an alteration of a bundle is refused, or takes something away; it never adds.
//!
//! The order: length and decoding; the seal; renewals over what was before them; the opened fields; the log's
//! trees with signatures and witnesses; receipt; verdicts; the network's proof, to the same size and roots; the other
//! anchors that can be read; the time-stamps; ageing; the file presented.
//!
//! Source: `docs/byte-layout.md`, section 13; SPC online litigation rules, articles 16 to 18.

mod anchors;
mod proof;
mod weigh;

use crate::ageing::Names;
use crate::bundle::{Bundle, Head, Logged, Outcome, Stamp, Statement, stamped_message};
use crate::cose;
use crate::policy::{Policy, Service};
use crate::report::{Line, Moment, Report, Word};
use crate::tsp::{Expected, Imprint, Material, Stamped, verify_token};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use zeugma_evidence_log::checkpoint::SignedCheckpoint;
use zeugma_evidence_log::note::{Algorithm, NoteBounds, VerifierKey};
use zeugma_evidence_log::record::{Field, FileDigests};
use zeugma_evidence_log::second_origin;
use zeugma_proof::TrustFile;
use zeugma_proof::body::LogView;
use zeugma_proof::tree::{leaf_hash, verify_inclusion};
use zeugma_types::{BlockTime, Code, Decode, Encode, HashSuite, Refusal, UnixSeconds};

/// What is held against the bundle.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// Nothing.
    Nothing,
    /// A file.
    File(&'a [u8]),
    /// A file's digests, computed elsewhere; those that are there must all fit.
    Digests(FileDigests),
}

/// Everything that the answer follows from.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The bundle's bytes.
    pub bundle: &'a [u8],
    /// What is held against it.
    pub subject: Subject<'a>,
    /// Which network and eras are believed, and when algorithms lapse.
    pub trust: &'a TrustFile,
    /// Whose word counts.
    pub policy: &'a Policy,
    /// The time to judge for: an argument, never a clock's.
    pub time: BlockTime,
}

/// Judges a bundle. The same question has the same answer, byte for byte, on every machine.
///
/// # Errors
/// What is wrong with the bundle, in the order of the module's head: refusals of the 100s, [`Code::WrongSeal`],
/// [`Code::WrongRenewal`], [`Code::WrongDisclosure`], the codes of notes, trees and signatures,
/// [`Code::NotAnchoredSize`], those of the one proof that waiting does not mend, and those of a time-stamp.
pub fn verify(question: &Question<'_>) -> Result<Report, Refusal> {
    let bundle = Bundle::from_bytes(question.bundle)?;
    check_digests(&bundle)?;
    let keys = Keys::of(question.policy)?;
    let fields: Vec<Field> = bundle.disclosure.verify(&bundle.entry)?.into_iter().cloned().collect();
    let mut judge = Judge::new(question, &bundle, keys);
    let view = judge.log()?;
    judge.receipt()?;
    judge.verdicts()?;
    judge.proof(view)?;
    judge.anchors()?;
    let message = judge.message.clone();
    let stamps = judge.stamps(&bundle.stamps, &message)?;
    let mut renewals = Vec::new();
    for renewal in &bundle.renewals {
        renewals.push(judge.stamps(&renewal.stamps, &renewal.over.stamped())?);
    }
    Ok(judge.report(&fields, stamps, &renewals))
}

/// The seal and every renewal are over the bytes before them.
fn check_digests(bundle: &Bundle) -> Result<(), Refusal> {
    let count = bundle.renewals.len();
    if bundle.seal != bundle.digests(count) {
        return Err(Refusal::new(Code::WrongSeal));
    }
    let wrong = bundle.renewals.iter().enumerate().find(|(at, one)| one.over != bundle.digests(*at));
    match wrong {
        Some((at, _)) => Err(Refusal::new(Code::WrongRenewal).found(at)),
        None => Ok(()),
    }
}

/// The policy's keys, parsed.
struct Keys<'p> {
    log: Vec<VerifierKey>,
    second: Vec<VerifierKey>,
    witnesses: Vec<(&'p str, VerifierKey)>,
    services: Vec<(&'p Service, cose::Key)>,
}

impl<'p> Keys<'p> {
    fn of(policy: &'p Policy) -> Result<Self, Refusal> {
        let parse = |list: &[String]| -> Result<Vec<_>, Refusal> {
            list.iter().map(|key| VerifierKey::parse(key)).collect()
        };
        let witnesses = policy.witnesses.iter();
        let witnesses = witnesses.map(|one| Ok((one.institution.as_str(), VerifierKey::parse(&one.key)?)));
        let services = policy.later.iter().flat_map(|later| &later.services);
        Ok(Self {
            log: parse(&policy.log_keys)?,
            second: parse(&policy.second_keys)?,
            witnesses: witnesses.collect::<Result<_, Refusal>>()?,
            services: services.map(|one| Ok((one, one.parsed()?))).collect::<Result<_, Refusal>>()?,
        })
    }

    /// The log's keys under the origin of one of its shards: those named by the log's own origin are named by the shard's.
    fn of_shard(&mut self, log: &str, shard: &str) -> Result<(), Refusal> {
        let pairs = [
            (&mut self.log, log.into(), shard.into()),
            (&mut self.second, second_origin(log), second_origin(shard)),
        ];
        for (keys, from, to) in pairs {
            for key in keys.iter_mut().filter(|key| key.name() == from) {
                *key = key.renamed(&to)?;
            }
        }
        Ok(())
    }
}

/// A statement that holds if its algorithms do.
struct Claim {
    line: Line,
    institution: Option<String>,
    names: Names,
    moment: Option<(Kind, Moment)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Received,
    Logged,
    Anchored,
}

/// A time-stamp that holds, with the institution behind it.
struct Held {
    institution: String,
    stamped: Stamped,
}

impl Held {
    fn names(&self) -> Names {
        let mut names = Names::new();
        for one in self.stamped.algorithms() {
            names.extend([one.signature.clone(), one.hash.into()]);
        }
        names.push(self.stamped.imprint().hash().name().into());
        names
    }
}

/// A verdict that was read.
struct Given {
    pack: String,
    version: String,
    digest: [u8; 32],
    at: BlockTime,
}

struct Judge<'q> {
    question: &'q Question<'q>,
    bundle: &'q Bundle,
    keys: Keys<'q>,
    /// The log's origin: the policy's, or that of a shard.
    origin: String,
    given: Vec<Given>,
    entry: Vec<u8>,
    message: Vec<u8>,
    claims: Vec<Claim>,
    shown: Vec<Line>,
    not_shown: Vec<Line>,
    findings: Vec<(Head, Outcome)>,
}

impl<'q> Judge<'q> {
    fn new(question: &'q Question<'q>, bundle: &'q Bundle, keys: Keys<'q>) -> Self {
        Self {
            question,
            bundle,
            keys,
            origin: question.policy.origin.clone(),
            given: Vec::new(),
            entry: bundle.entry.to_bytes(),
            message: Vec::new(),
            claims: Vec::new(),
            shown: Vec::new(),
            not_shown: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Says what is missing; that is no reason to refuse.
    fn miss(&mut self, line: Line) -> Result<(), Refusal> {
        self.not_shown.push(line);
        Ok(())
    }

    /// The log's trees.
    fn log(&mut self) -> Result<(LogView, Option<LogView>), Refusal> {
        let (policy, logging) = (self.question.policy, &self.bundle.logging);
        let claimed = SignedCheckpoint::parse(logging.first.note.as_bytes(), NoteBounds::USUAL)?;
        let claimed = &claimed.claimed().origin;
        if *claimed != policy.origin && policy.is_for(claimed) {
            self.keys.of_shard(&policy.origin, claimed)?;
            self.origin.clone_from(claimed);
            self.shown.push(Line::new(Word::InShard).about(claimed.clone()));
        }
        let origin = self.origin.clone();
        let first = self.tree(HashSuite::Sha256, &logging.first, &origin)?;
        let second = match &logging.second {
            None => {
                self.not_shown.push(Line::new(Word::NoSecondTree));
                None
            }
            Some(_) if self.keys.second.is_empty() => {
                self.not_shown.push(Line::new(Word::UnknownSecondTree));
                None
            }
            Some(logged) => {
                let view = self.tree(HashSuite::Sm3, logged, &second_origin(&origin))?;
                if view.size != first.size {
                    let (needed, found) = (first.size.get(), view.size.get());
                    return Err(Refusal::new(Code::NotAnchoredSize).needed(needed).found(found));
                }
                Some(view)
            }
        };
        let text = |logged: &Logged| -> Result<String, Refusal> {
            let note = SignedCheckpoint::parse(logged.note.as_bytes(), NoteBounds::USUAL)?;
            Ok(note.note().text.into())
        };
        let other = logging.second.as_ref().map(text).transpose()?;
        self.message = stamped_message(&text(&logging.first)?, other.as_deref());
        Ok((first, second))
    }

    /// One tree: the log signed it, the entry is in it, and who else signed.
    fn tree(&mut self, suite: HashSuite, logged: &Logged, origin: &str) -> Result<LogView, Refusal> {
        let note = SignedCheckpoint::parse(logged.note.as_bytes(), NoteBounds::USUAL)?;
        note.require_origin(origin)?;
        let lines = &note.note().signatures;
        let distinct: BTreeSet<_> = lines.iter().map(|line| (line.name, line.key_id)).collect();
        if distinct.len() != lines.len() {
            return Err(Refusal::new(Code::RepeatedSigner));
        }
        let is_first = suite == HashSuite::Sha256;
        let own = if is_first { &self.keys.log } else { &self.keys.second };
        let mut known = BTreeSet::new();
        let mut claims = Vec::new();
        let word = if is_first { Word::Logged } else { Word::LoggedSecond };
        for (position, key) in own.iter().enumerate() {
            if position > 0 && note.note().signature_of(key).is_none() {
                continue;
            }
            let signed = note.require(key)?;
            known.insert((key.name(), key.id()));
            let detail = format!("{} {}", suite.name(), algorithm_name(key));
            claims.push(claim(word, &self.question.policy.operator, key, suite).about(detail));
            if let Some(at) = signed.at {
                claims.push(moment(Word::LogStates, &self.question.policy.operator, key, suite, at));
            }
        }
        for (institution, key) in &self.keys.witnesses {
            if note.note().signature_of(key).is_none() {
                continue;
            }
            let signed = note.require(key)?;
            known.insert((key.name(), key.id()));
            claims.push(match signed.at {
                Some(at) => moment(Word::Witnessed, institution, key, suite, at),
                None => claim(Word::Witnessed, institution, key, suite),
            });
        }
        let (index, view) = (self.bundle.logging.index, note.claimed().view);
        let leaf = leaf_hash(suite, &self.entry);
        verify_inclusion(suite, &leaf, index, view.size, &logged.path, &view.root)?;
        for line in lines.iter().filter(|line| !known.contains(&(line.name, line.key_id))) {
            self.not_shown.push(Line::new(Word::UnknownCosigner).about(line.name));
        }
        self.claims.extend(claims);
        Ok(view)
    }

    fn receipt(&mut self) -> Result<(), Refusal> {
        let policy = self.question.policy;
        let (receipt, key) = match (&self.bundle.receipt, &policy.service_key) {
            (None, _) => return self.miss(Line::new(Word::NoReceipt)),
            (Some(_), None) => return self.miss(Line::new(Word::UnknownService).about("receipt")),
            (Some(receipt), Some(key)) => (receipt, key),
        };
        if receipt.origin != self.origin {
            let found = receipt.origin.clone();
            return Err(Refusal::new(Code::WrongOrigin).needed(self.origin.clone()).found(found));
        }
        receipt.verify(&self.entry, key)?;
        if receipt.position() != Some(self.bundle.logging.index) {
            let line = Line::new(Word::PromiseBroken).by(&policy.operator).code(Code::PromiseBroken);
            self.shown.push(line);
        }
        let at = receipt.received_at;
        let by = Moment { at, accuracy: None, by: policy.operator.clone() };
        self.claims.push(Claim {
            line: Line::new(Word::Received).by(&policy.operator).at(at),
            institution: None,
            names: vec!["ed25519".into(), "sha256".into()],
            moment: Some((Kind::Received, by)),
        });
        Ok(())
    }

    fn verdicts(&mut self) -> Result<(), Refusal> {
        if self.bundle.verdicts.is_empty() {
            self.not_shown.push(Line::new(Word::NoVerdict));
        }
        for verdict in &self.bundle.verdicts {
            let Some(key) = &self.question.policy.service_key else {
                self.not_shown.push(Line::new(Word::UnknownService).about("verdict"));
                continue;
            };
            let statement = verdict.verify(&self.entry, key)?;
            for finding in &statement.findings {
                let word = match finding.outcome {
                    Outcome::Met => Word::RuleMet,
                    Outcome::NotMet => Word::RuleNotMet,
                    Outcome::Undetermined => Word::RuleUndetermined,
                };
                let head = match finding.head {
                    Head::Authenticity => "authenticity",
                    Head::Legality => "legality",
                    Head::Relevance => "relevance",
                };
                let (pack, version) = (&statement.pack, &statement.version);
                let (rule, reason) = (&finding.rule, &finding.reason);
                let detail = format!("{head} {pack} {version} {rule} ({reason})");
                self.shown
                    .push(Line::new(word).about(detail).by(&self.question.policy.operator).at(verdict.at));
                self.findings.push((finding.head, finding.outcome));
            }
            let Statement { pack, version, pack_digest: digest, .. } = statement;
            self.given.push(Given { pack, version, digest, at: verdict.at });
        }
        Ok(())
    }

    /// Time-stamps over `message` that hold. One of an authority that is not believed is named.
    fn stamps(&mut self, stamps: &[Stamp], message: &[u8]) -> Result<Vec<Held>, Refusal> {
        let policy = self.question.policy;
        let anchors: Vec<&[u8]> = policy.authorities.iter().map(|one| one.anchor.as_slice()).collect();
        let mut held = Vec::new();
        for stamp in stamps {
            let offered: Vec<&[u8]> = stamp.certificates.iter().map(Vec::as_slice).collect();
            let revocation: Vec<&[u8]> = stamp.revocation.iter().map(Vec::as_slice).collect();
            let material = Material { anchors: &anchors, offered: &offered, revocation: &revocation };
            let stamped = match verify_token(&stamp.token, &Expected::default(), &material) {
                Ok(stamped) => stamped,
                Err(why) if why.code == Code::UntrustedChain => {
                    self.not_shown.push(Line::new(Word::UnknownAuthority).code(why.code));
                    continue;
                }
                Err(why) => return Err(why),
            };
            if Imprint::of(stamped.imprint().hash(), message) != *stamped.imprint() {
                return Err(Refusal::new(Code::WrongImprint).found(stamped.imprint().hash().name()));
            }
            let authority = &policy.authorities[stamped.anchor()];
            if !authority.policies.is_empty() && !authority.policies.iter().any(|one| one == stamped.policy())
            {
                let found = String::from(stamped.policy());
                self.not_shown.push(Line::new(Word::UnknownAuthority).about(found).code(Code::WrongPolicy));
                continue;
            }
            held.push(Held { institution: authority.institution.clone(), stamped });
        }
        Ok(held)
    }
}

impl Claim {
    fn about(mut self, detail: String) -> Self {
        self.line = self.line.about(detail);
        self
    }
}

/// The name of a note key's algorithm among the sunsets.
fn algorithm_name(key: &VerifierKey) -> &'static str {
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Cosignature => "ed25519",
        Algorithm::MlDsa44 => "ml-dsa-44",
    }
}

fn claim(word: Word, institution: &str, key: &VerifierKey, suite: HashSuite) -> Claim {
    Claim {
        line: Line::new(word).by(institution),
        institution: Some(institution.into()),
        names: vec![algorithm_name(key).into(), suite.name().into()],
        moment: None,
    }
}

/// A claim with the time that its signer states.
fn moment(word: Word, institution: &str, key: &VerifierKey, suite: HashSuite, at: UnixSeconds) -> Claim {
    let at = BlockTime::new(at.get().saturating_mul(1_000));
    let mut claim = claim(word, institution, key, suite);
    let detail = format!("{} {}", suite.name(), algorithm_name(key));
    claim.line = claim.line.at(at).about(detail);
    claim.moment = Some((Kind::Logged, Moment { at, accuracy: None, by: institution.into() }));
    claim
}

fn stamp_claim(held: &Held) -> Claim {
    let stamped = &held.stamped;
    let accuracy = stamped.accuracy().map(|accuracy| accuracy.0);
    let by = Moment { at: stamped.time(), accuracy, by: held.institution.clone() };
    let detail = format!("{}, {}, {}", stamped.signer(), stamped.policy(), held.names().join(" "));
    Claim {
        line: Line::new(Word::Stamped).by(&held.institution).at(stamped.time()).about(detail),
        institution: Some(held.institution.clone()),
        names: held.names(),
        moment: Some((Kind::Anchored, by)),
    }
}
