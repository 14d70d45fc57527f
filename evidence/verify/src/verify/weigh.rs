//! The second half of a verification: what the claims weigh together, once each of them holds.
//!
//! Ageing decides which count; institutions are counted, each once; the file presented is compared; and what no
//! bundle shows is said.

use super::Subject;
use super::{Claim, Held, Judge, Kind, stamp_claim};
use crate::ageing::{Ages, Made, Standing};
use crate::bundle::{Head, Outcome};
use crate::policy::Network;
use crate::report::{Authenticity, Integrity, Line, Moment, Report, Word};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::hash::{sha256, sm3};
use zeugma_evidence_log::record::{Field, FileDigests};
use zeugma_types::Code;

impl Judge<'_> {
    pub(super) fn report(mut self, fields: &[Field], stamps: Vec<Held>, renewals: &[Vec<Held>]) -> Report {
        let policy = self.question.policy;
        let made: Vec<Made> = renewals
            .iter()
            .map(|held| Made { stamps: held.iter().map(|one| (one.stamped.time(), one.names())).collect() })
            .collect();
        let (ages, times) = {
            let one = |counting: &[usize]| !counting.is_empty();
            Ages::new(&self.question.trust.sunsets, self.question.time, &made, one)
        };
        for (held, time) in renewals.iter().zip(&times) {
            let by = held.iter().map(|one| one.institution.as_str()).collect::<Vec<_>>().join(", ");
            match time {
                Some(at) => self.shown.push(Line::new(Word::Renewed).by(&by).at(*at)),
                None => self
                    .not_shown
                    .push(Line::new(Word::PastSunset).about("renewal").by(&by).code(Code::AlgorithmSunset)),
            }
        }
        let stamped = stamps.iter().map(stamp_claim);
        let mut claims = core::mem::take(&mut self.claims);
        claims.extend(stamped);
        if stamps.is_empty() {
            self.not_shown.push(Line::new(Word::NoStamp));
        }
        for one in &stamps {
            self.about_stamp(one);
        }
        let tally = self.weigh(claims, &ages);
        let enough = self.check_numbers(&tally);
        let match_ = self.subject(fields, &ages);
        let integrity = match match_ {
            Some(false) => Integrity::Refuted,
            Some(true) if tally.logged && enough => Integrity::Proven,
            _ => Integrity::Undetermined,
        };
        self.always();
        Report {
            bundle: sha256(&[self.question.bundle]),
            trust: self.question.trust.fingerprint(),
            policy: policy.digest(),
            time: self.question.time,
            integrity,
            authenticity: self.authenticity(),
            received: tally.received,
            logged: tally.times_logged,
            anchored: tally.times_anchored,
            shown: self.shown,
            not_shown: self.not_shown,
        }
    }

    fn about_stamp(&mut self, held: &Held) {
        let who = held.institution.as_str();
        let known = held.stamped.revocation();
        if let Some(as_of) = known.answered {
            let word = if known.responder { Word::NotRevokedSaysResponder } else { Word::NotRevoked };
            self.shown.push(Line::new(word).by(who).at(as_of));
        } else if known.without > 0 || known.unknown.is_empty() {
            let line = Line::new(Word::RevocationNotCarried).by(who);
            self.not_shown.push(line.about(format!("{}", known.without)));
        }
        for one in &known.unknown {
            self.not_shown
                .push(Line::new(Word::RevocationUnknown).by(who).about(one.what.clone()).at(one.at));
        }
        // Under a policy of the first form a report says what it always said.
        for one in known.later.iter().filter(|_| self.question.policy.later.is_some()) {
            self.shown.push(Line::new(Word::RevokedLater).by(who).about(one.what.clone()).at(one.at));
        }
        if held.stamped.claims_qualified() {
            self.shown.push(Line::new(Word::Qualified).by(who));
        }
    }

    /// Keeps the claims whose algorithms count, and says what became of the others.
    fn weigh(&mut self, claims: Vec<Claim>, ages: &Ages<'_>) -> Tally {
        let mut tally = Tally::default();
        for one in claims {
            let word = one.line.word;
            match ages.standing(&one.names) {
                Standing::Lapsed { algorithm } => {
                    let mut line = one.line;
                    line.detail = format!("{} ({algorithm})", word.name());
                    line.word = Word::PastSunset;
                    self.not_shown.push(line.code(Code::AlgorithmSunset));
                    continue;
                }
                Standing::Covered { algorithm, by } => {
                    let line = Line::new(Word::ShownBeforeSunset).at(by);
                    self.shown.push(line.about(format!("{} ({algorithm})", word.name())));
                }
                Standing::Alive => {}
            }
            tally.logged |= matches!(word, Word::Logged | Word::LoggedSecond);
            tally.recorded |= word == Word::Anchored;
            if let Some(institution) = one.institution {
                let list = match word {
                    Word::Witnessed => &mut tally.witnesses,
                    Word::Stamped => &mut tally.authorities,
                    Word::HeldElsewhere => &mut tally.services,
                    _ => &mut tally.operators,
                };
                list.insert(institution);
            }
            match one.moment {
                Some((Kind::Received, moment)) => tally.received = Some(moment),
                Some((Kind::Logged, moment)) => tally.times_logged.push(moment),
                Some((Kind::Anchored, moment)) => tally.times_anchored.push(moment),
                None => {}
            }
            self.shown.push(one.line);
        }
        tally.witnesses.remove(&self.question.policy.operator);
        tally
    }

    /// Whether as many institutions stand for the entry as the policy asks.
    fn check_numbers(&mut self, tally: &Tally) -> bool {
        let policy = self.question.policy;
        let all =
            tally.operators.iter().chain(&tally.witnesses).chain(&tally.authorities).chain(&tally.services);
        let all: BTreeSet<&String> = all.collect();
        // What is missing of the network was said where the proof was read.
        let mut enough = tally.recorded || policy.network == Network::Optional;
        for (word, found, needed, code) in [
            (Word::TooFewWitnesses, tally.witnesses.len(), policy.witnesses_needed, Code::QuorumNotReached),
            (
                Word::TooFewAuthorities,
                tally.authorities.len(),
                policy.authorities_needed,
                Code::TooFewAuthorities,
            ),
            (Word::TooFewInstitutions, all.len(), policy.institutions_needed, Code::QuorumNotReached),
        ] {
            if found < usize::from(needed) {
                self.not_shown.push(Line::new(word).about(format!("{found}/{needed}")).code(code));
                enough = false;
            }
        }
        enough
    }

    /// Whether the file presented is the one that was deposited; `None` where that cannot be said.
    fn subject(&mut self, fields: &[Field], ages: &Ages<'_>) -> Option<bool> {
        let mut deposited: BTreeMap<&'static str, [u8; 32]> = BTreeMap::new();
        for field in fields {
            match field {
                Field::Sha256(digest) => deposited.insert("sha256", *digest),
                Field::Sm3(digest) => deposited.insert("sm3", *digest),
                _ => None,
            };
            self.shown.push(Line::new(Word::FieldShown).about(field_text(field)));
        }
        let closed = self.bundle.disclosure.fields.len() - fields.len();
        if closed > 0 {
            self.not_shown.push(Line::new(Word::FieldsClosed).about(format!("{closed}")));
        }
        let presented = match self.question.subject {
            Subject::Nothing => None,
            Subject::File(bytes) => {
                Some(FileDigests { sha256: Some(sha256(&[bytes])), sm3: Some(sm3(&[bytes])) })
            }
            Subject::Digests(digests) => Some(digests),
        };
        let Some(presented) = presented else {
            self.not_shown.push(Line::new(Word::NoFile));
            return None;
        };
        let mut verdict = None;
        for (name, digest) in [("sha256", presented.sha256), ("sm3", presented.sm3)] {
            let (Some(digest), Some(deposited)) = (digest, deposited.get(name)) else { continue };
            if digest != *deposited {
                self.not_shown.push(Line::new(Word::FileDiffers).about(name).code(Code::FileDiffers));
                return Some(false);
            }
            // A digest of a lapsed hash shows nothing, unless it was renewed while it still did.
            if let Standing::Lapsed { algorithm } = ages.standing(&[name.into()]) {
                let line = Line::new(Word::PastSunset).about(format!("FileMatches ({algorithm})"));
                self.not_shown.push(line.code(Code::AlgorithmSunset));
                continue;
            }
            self.shown.push(Line::new(Word::FileMatches).about(name));
            verdict = Some(true);
        }
        if verdict.is_none() {
            self.not_shown.push(Line::new(Word::NoDigestShown));
        }
        verdict
    }

    /// What no bundle shows, what this one carries unread, and who stands for the trust file.
    fn always(&mut self) {
        for anchor in &self.bundle.anchors {
            if !self.is_read(anchor.kind) {
                self.not_shown.push(Line::new(Word::NotExamined).about(anchor.kind.name()));
            }
        }
        let trust = self.question.trust;
        match trust.verify(&trust.institutions) {
            Ok(()) => self.shown.push(Line::new(Word::TrustFileSigned)),
            Err(why) => self.not_shown.push(Line::new(Word::TrustFileUnsigned).code(why.code)),
        }
        let never = [Word::NotTruth, Word::NotOriginal, Word::NotBefore, Word::NotAfterwards];
        self.not_shown.extend(never.map(Line::new));
    }

    fn authenticity(&self) -> Authenticity {
        let of = |wanted| self.findings.contains(&(Head::Authenticity, wanted));
        if of(Outcome::NotMet) {
            Authenticity::Contested
        } else if of(Outcome::Met) {
            Authenticity::Supported
        } else {
            Authenticity::Unsupported
        }
    }
}

/// What counts, by who and when.
#[derive(Default)]
struct Tally {
    logged: bool,
    recorded: bool,
    operators: BTreeSet<String>,
    witnesses: BTreeSet<String>,
    authorities: BTreeSet<String>,
    services: BTreeSet<String>,
    received: Option<Moment>,
    times_logged: Vec<Moment>,
    times_anchored: Vec<Moment>,
}

/// A field for people. Bytes that are not text are in hexadecimal.
fn field_text(field: &Field) -> String {
    let value = match field {
        Field::Sha256(digest) | Field::Sm3(digest) => crate::json::hex(digest),
        Field::MediaType(text) | Field::Submitter(text) | Field::Source(text) => text.clone(),
        Field::Size(size) => format!("{size}"),
        Field::Custom(custom) => match core::str::from_utf8(&custom.value) {
            Ok(text) if !text.chars().any(char::is_control) => text.into(),
            _ => crate::json::hex(&custom.value),
        },
    };
    format!("{} = {value}", field.name())
}
