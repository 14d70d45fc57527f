//! The checks, through the erased seam.

use super::outcome::{Outcome, attempt, brief};
use super::{Check, EvidenceCase, Expect, Fixture, Forgery, ProofCase, Report, Subject, UpdateCase};
use crate::{Adapter, Client, Erased, Family, MerklePath, Of, Status, Transition};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Decode, Encode, Height};

/// Items that every family answers for.
const REQUIRED: [u8; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 21];
/// Changes of a byte: all of them are tried on short inputs, one of them in turn on long ones.
const MASKS: [u8; 3] = [0x01, 0x80, 0xff];
/// Longest input, in bytes, on which every change is tried.
const SHORT: usize = 512;

/// Runs the whole battery.
pub fn run<X: Fixture>(fixture: &X) -> Report {
    let mut trial = Trial::new(fixture);
    trial.run(|_| true);
    trial.every_item_was_tried();
    trial.report
}

/// Runs the checks of these items only, to see that they find a family broken on purpose.
pub fn run_items<X: Fixture>(fixture: &X, items: &[u8]) -> Report {
    let mut trial = Trial::new(fixture);
    trial.run(|item| items.contains(&item));
    trial.report
}

struct Trial<'a, X: Fixture> {
    fixture: &'a X,
    adapter: Of<X::Family>,
    profile: Vec<u8>,
    updates: Vec<UpdateCase>,
    evidence: Vec<EvidenceCase>,
    proofs: Vec<ProofCase>,
    report: Report,
}

impl<'a, X: Fixture> Trial<'a, X> {
    fn new(fixture: &'a X) -> Self {
        Self {
            fixture,
            adapter: Of::new(),
            profile: fixture.profile(),
            updates: fixture.updates(),
            evidence: fixture.evidence(),
            proofs: fixture.proofs(),
            report: Report::default(),
        }
    }

    fn run(&mut self, wanted: impl Fn(u8) -> bool) {
        let checks = [
            (0, Self::good_cases as fn(&mut Self)),
            (0, Self::statuses),
            (0, Self::freezing),
            (1, Self::truncated),
            (2, Self::flipped),
            (6, Self::thresholds),
            (7, Self::empties),
            (9, Self::trailing),
            (11, Self::misplaced),
            (12, Self::stale),
        ];
        checks.into_iter().filter(|(item, _)| wanted(*item)).for_each(|(_, check)| check(self));
        self.forgeries(wanted);
    }

    fn check(&mut self, item: u8, name: &'static str, outcomes: Vec<(String, Option<String>)>) {
        let cases = outcomes.len();
        let mut failures: Vec<_> =
            outcomes.into_iter().filter_map(|(case, wrong)| Some(format!("{case}: {}", wrong?))).collect();
        if cases == 0 && !self.excused(item) {
            failures.push("nothing was tried".to_owned());
        }
        self.report.checks.push(Check { item, name, cases, failures });
    }

    fn excused(&self, item: u8) -> bool {
        self.fixture.not_applicable().iter().any(|(number, _)| *number == item)
    }

    /// An encoded client of `profile` that holds `states`.
    fn client(&self, profile: &[u8], states: &[&[u8]], now: BlockTime) -> Vec<u8> {
        let read =
            |bytes: &&[u8]| <X::Family as Family>::State::from_bytes(bytes).expect("a fixture's state");
        let mut states: Vec<_> = states.iter().map(read).collect();
        states.sort_by_key(<X::Family as Family>::height);
        states.dedup_by_key(|state| <X::Family as Family>::height(state));
        let profile = <X::Family as Family>::Profile::from_bytes(profile).expect("a fixture's profile");
        Client::holding::<X::Family>(profile, &states, now).to_bytes()
    }

    fn update_under(&self, profile: &[u8], case: &UpdateCase, update: &[u8]) -> Outcome<Transition> {
        let client = self.client(profile, &[&case.trusted], case.now);
        attempt(|| self.adapter.update(&client, &case.trusted, &|_| None, update, case.now))
    }

    fn update(&self, case: &UpdateCase, update: &[u8]) -> Outcome<Transition> {
        self.update_under(&self.profile, case, update)
    }

    fn submit(&self, case: &EvidenceCase, evidence: &[u8]) -> Outcome<(Vec<u8>, crate::Misbehaviour)> {
        let trusted = case.trusted.each_ref().map(Vec::as_slice);
        let client = self.client(&self.profile, &trusted, case.now);
        attempt(|| self.adapter.submit_evidence(&client, trusted, evidence, case.now))
    }

    fn prove(&self, case: &ProofCase, proof: &[u8]) -> Outcome<()> {
        self.prove_of(case, &case.state, &case.path, case.value.as_deref(), proof)
    }

    fn prove_of(
        &self,
        case: &ProofCase,
        state: &[u8],
        path: &MerklePath,
        value: Option<&[u8]>,
        proof: &[u8],
    ) -> Outcome<()> {
        let now = self.adapter.state_time(&case.state).expect("a fixture's state");
        let client = self.client(&self.profile, &[&case.state], now);
        attempt(|| match value {
            Some(value) => self.adapter.membership(&client, state, path, value, proof),
            None => self.adapter.non_membership(&client, state, path, proof),
        })
    }

    fn good_cases(&mut self) {
        let mut outcomes = vec![];
        for case in &self.updates {
            let wrong = match self.update(case, &case.update) {
                Outcome::Accepted(Transition::Advanced { now, .. }) if now.state.1 == case.gives => None,
                Outcome::Accepted(other) => Some(brief(&format!("gave {other:?}"))),
                Outcome::Refused(refusal) => Some(format!("refused: {refusal}")),
                Outcome::Panicked => Some("panicked".to_owned()),
            };
            outcomes.push((case.name.to_owned(), wrong));
        }
        self.check(0, "good updates are accepted", outcomes);

        let mut outcomes = vec![];
        for case in &self.proofs {
            let wrong = match self.prove(case, &case.proof) {
                Outcome::Accepted(()) => None,
                Outcome::Refused(refusal) => Some(format!("refused: {refusal}")),
                Outcome::Panicked => Some("panicked".to_owned()),
            };
            outcomes.push((case.name.to_owned(), wrong));
        }
        self.check(0, "good proofs are accepted", outcomes);
    }

    /// A created client is active until the trusting period of its state is over, to the millisecond.
    fn statuses(&mut self) {
        let mut outcomes = vec![];
        for case in &self.updates {
            let born = self.adapter.state_time(&case.trusted).expect("a fixture's state");
            let created = attempt(|| self.adapter.create(&self.profile, &case.trusted, born));
            let wrong = match created {
                Outcome::Accepted(Erased { client, state }) => {
                    let end = self.adapter.describe(&client, born).ok().and_then(|found| found.expires_at);
                    let status = |now| self.adapter.describe(&client, now).map(|found| found.status);
                    let last = end.and_then(BlockTime::previous);
                    match (last.map(status), end.map(status)) {
                        _ if state.1 != case.trusted => Some("holds another state".to_owned()),
                        (Some(Ok(Status::Active)), Some(Ok(Status::Expired))) => None,
                        other => Some(format!("around its end: {other:?}")),
                    }
                }
                other => other.unless_refused(None).or_else(|| Some("refused".to_owned())),
            };
            outcomes.push((case.name.to_owned(), wrong));
        }
        self.check(0, "a client is active, then expired", outcomes);
    }

    /// Evidence and conflicting updates freeze; a frozen client accepts nothing.
    fn freezing(&mut self) {
        let mut outcomes = vec![];
        for case in &self.evidence {
            let wrong = match self.submit(case, &case.evidence) {
                Outcome::Accepted((client, _)) => self.is_frozen(&client, case),
                Outcome::Refused(refusal) => Some(format!("refused: {refusal}")),
                Outcome::Panicked => Some("panicked".to_owned()),
            };
            outcomes.push((case.name.to_owned(), wrong));
        }
        for [first, second] in self.fixture.conflicts() {
            let client = self.client(&self.profile, &[&second.trusted, &first.gives], second.now);
            let known = |_: Height| Some(first.gives.clone());
            let found =
                attempt(|| self.adapter.update(&client, &second.trusted, &known, &second.update, second.now));
            let wrong = match found {
                Outcome::Accepted(Transition::Froze { client, .. }) => {
                    match self.adapter.describe(&client, second.now).map(|found| found.status) {
                        Ok(Status::Frozen) => None,
                        other => Some(format!("status {other:?}")),
                    }
                }
                Outcome::Accepted(other) => Some(brief(&format!("gave {other:?}"))),
                Outcome::Refused(refusal) => Some(format!("refused: {refusal}")),
                Outcome::Panicked => Some("panicked".to_owned()),
            };
            outcomes.push((second.name.to_owned(), wrong));
        }
        self.check(0, "misbehaviour freezes, and a frozen client accepts nothing", outcomes);
    }

    fn is_frozen(&self, client: &[u8], case: &EvidenceCase) -> Option<String> {
        let status = self.adapter.describe(client, case.now).map(|found| found.status);
        if !matches!(status, Ok(Status::Frozen)) {
            return Some(format!("status {status:?}"));
        }
        let frozen = Some(Expect::Code(Code::ClientFrozen));
        let trusted = case.trusted.each_ref().map(Vec::as_slice);
        let again = attempt(|| self.adapter.submit_evidence(client, trusted, &case.evidence, case.now));
        let mut wrong = again.unless_refused(frozen);
        for update in &self.updates {
            let found =
                attempt(|| self.adapter.update(client, &update.trusted, &|_| None, &update.update, case.now));
            wrong = wrong.or_else(|| found.unless_refused(frozen));
        }
        wrong
    }

    /// Tries `changed` on every update, evidence and proof, with what it was made of.
    fn on_every_input(
        &self,
        changed: impl Fn(&[u8]) -> Vec<(String, Vec<u8>)>,
        expect: Option<Expect>,
    ) -> Vec<(String, Option<String>)> {
        let mut outcomes = vec![];
        for case in &self.updates {
            for (what, bytes) in changed(&case.update) {
                let wrong = self.update(case, &bytes).unless_refused(expect);
                outcomes.push((format!("{} {what}", case.name), wrong));
            }
        }
        for case in &self.evidence {
            for (what, bytes) in changed(&case.evidence) {
                let wrong = self.submit(case, &bytes).unless_refused(expect);
                outcomes.push((format!("{} {what}", case.name), wrong));
            }
        }
        for case in &self.proofs {
            for (what, bytes) in changed(&case.proof) {
                let wrong = self.prove(case, &bytes).unless_refused(expect);
                outcomes.push((format!("{} {what}", case.name), wrong));
            }
        }
        outcomes
    }

    /// Tries `changed` on profile and states, which may stay readable: only a panic is wrong, or, where
    /// `refused` is asked for, acceptance.
    fn on_held_bytes(
        &self,
        changed: impl Fn(&[u8]) -> Vec<(String, Vec<u8>)>,
        refused: bool,
    ) -> Vec<(String, Option<String>)> {
        let mut outcomes = vec![];
        let mut push = |what: String, outcome: Outcome<()>| {
            let wrong = match outcome {
                Outcome::Accepted(()) if !refused => None,
                other => other.unless_refused(None),
            };
            outcomes.push((what, wrong));
        };
        for (what, bytes) in changed(&self.profile) {
            let found = attempt(|| {
                <X::Family as Family>::Profile::from_bytes(&bytes)
                    .and_then(|profile| <X::Family as Family>::check_profile(&profile))
            });
            push(format!("profile {what}"), found);
        }
        for case in &self.updates {
            for (what, bytes) in changed(&case.gives) {
                let found = attempt(|| self.adapter.state_time(&bytes).map(|_| ()));
                push(format!("state after {} {what}", case.name), found);
            }
        }
        outcomes
    }

    fn truncated(&mut self) {
        let cut = |bytes: &[u8]| {
            (0..bytes.len()).map(|length| (format!("at {length}"), bytes[..length].to_vec())).collect()
        };
        let mut outcomes = self.on_every_input(cut, Some(Expect::Never));
        outcomes.extend(self.on_held_bytes(cut, true));
        self.check(1, "truncated at every length", outcomes);
    }

    fn flipped(&mut self) {
        let flip = |bytes: &[u8]| {
            let mut all = vec![];
            for at in 0..bytes.len() {
                let one = &MASKS[at % 3..=at % 3];
                for mask in if bytes.len() > SHORT { one } else { &MASKS } {
                    let mut changed = bytes.to_vec();
                    changed[at] ^= mask;
                    all.push((format!("byte {at} ^ {mask:#04x}"), changed));
                }
            }
            all
        };
        let mut outcomes = self.on_every_input(flip, None);
        outcomes.extend(self.on_held_bytes(flip, false));
        self.check(2, "one byte flipped anywhere", outcomes);
    }

    fn thresholds(&mut self) {
        let mut outcomes = vec![];
        for threshold in self.fixture.thresholds() {
            for members in 1..=13_usize {
                let enough = |signers: usize| (threshold.enough)(signers as u64, members as u64);
                for signers in 0..=members {
                    let case = (threshold.make)(members, signers);
                    let found = self.update(&case, &case.update);
                    let wrong = match (enough(signers), found) {
                        (true, Outcome::Accepted(Transition::Advanced { .. })) => None,
                        (true, Outcome::Refused(refusal)) => Some(format!("enough, and refused: {refusal}")),
                        // A family that sees a signature and no signers refuses the signature, of nobody too.
                        (false, other) if threshold.refusal == Code::BadSignature => {
                            other.unless_refused(Some(Expect::Code(Code::BadSignature)))
                        }
                        (false, other) => other.unless_refused(Some(if signers == 0 {
                            Expect::OneOf(&[
                                Code::QuorumNotReached,
                                Code::TrustTooThin,
                                Code::Empty,
                                Code::WrongCommit,
                                Code::EmptySet,
                            ])
                        } else {
                            Expect::Code(threshold.refusal)
                        })),
                        (true, Outcome::Accepted(other)) => Some(brief(&format!("gave {other:?}"))),
                        (true, Outcome::Panicked) => Some("panicked".to_owned()),
                    };
                    outcomes.push((format!("{}: {signers} of {members}", threshold.name), wrong));
                }
            }
        }
        self.check(6, "exactly at and one below each threshold, 1 to 13 members", outcomes);
    }

    fn empties(&mut self) {
        let empty = |bytes: &[u8]| {
            vec![
                ("emptied".to_owned(), vec![]),
                ("zeroed".to_owned(), vec![0; bytes.len()]),
                ("of ones".to_owned(), vec![0xff; bytes.len()]),
            ]
        };
        let mut outcomes = self.on_every_input(empty, Some(Expect::Never));
        for case in &self.proofs {
            let wrong = self.prove_of(case, &case.state, &case.path, Some(&[]), &case.proof);
            outcomes.push((format!("{} with an empty value", case.name), wrong.unless_refused(None)));
        }
        self.check(7, "empty and zero-filled bytes", outcomes);
    }

    fn trailing(&mut self) {
        let longer = |bytes: &[u8]| {
            let more = |tail: &[u8]| (format!("and {tail:?}"), [bytes, tail].concat());
            vec![more(&[0]), more(&[1]), more(&[0xff]), more(&[0; 8]), more(bytes)]
        };
        let mut outcomes = self.on_every_input(longer, Some(Expect::Never));
        outcomes.extend(self.on_held_bytes(longer, true));
        self.check(9, "bytes after the end", outcomes);
    }

    fn misplaced(&mut self) {
        let mut outcomes = vec![];
        for case in &self.proofs {
            let mut elements = case.path.elements().to_vec();
            let last = elements.last_mut().expect("a path has an element");
            last.push(b'x');
            let longer = MerklePath::new(elements.clone()).expect("a fixture's path has room");
            elements.insert(0, b"x".to_vec());
            let deeper = MerklePath::new(elements).expect("a fixture's path has room");
            let value = case.value.as_deref();
            let mut push = |what: &str, found: Outcome<()>| {
                outcomes.push((format!("{} {what}", case.name), found.unless_refused(Some(Expect::Never))));
            };
            // A key beside an absent one may be absent by the same proof where the key is not in it.
            if value.is_some() {
                push("under another key", self.prove_of(case, &case.state, &longer, value, &case.proof));
            }
            push("under a deeper path", self.prove_of(case, &case.state, &deeper, value, &case.proof));
            let swapped = value.is_none().then_some(&b"value"[..]);
            push("as its opposite", self.prove_of(case, &case.state, &case.path, swapped, &case.proof));
            if let Some(value) = value {
                let other = [value, b"x"].concat();
                push(
                    "with another value",
                    self.prove_of(case, &case.state, &case.path, Some(&other), &case.proof),
                );
            }
            let height = |state: &[u8]| {
                let state = <X::Family as Family>::State::from_bytes(state).expect("a fixture's state");
                <X::Family as Family>::height(&state)
            };
            let own = height(&case.state);
            for state in self.updates.iter().map(|case| &case.gives).filter(|state| height(state) != own) {
                push("of another height", self.prove_of(case, state, &case.path, value, &case.proof));
            }
        }
        let other = self.fixture.other_chain();
        for case in &self.updates {
            let wrong = self.update_under(&other, case, &case.update).unless_refused(Some(Expect::Never));
            outcomes.push((format!("{} of another chain", case.name), wrong));
        }
        self.check(11, "right proof, wrong key, value, height or chain", outcomes);
    }

    fn stale(&mut self) {
        let mut outcomes = vec![];
        for case in &self.updates {
            let client = self.client(&self.profile, &[&case.trusted, &case.gives], case.now);
            let known = |_: Height| Some(case.gives.clone());
            let again =
                attempt(|| self.adapter.update(&client, &case.trusted, &known, &case.update, case.now));
            let wrong = match again {
                // A chain where only the newest keys are believed starts from the new state, and refuses.
                Outcome::Accepted(Transition::Known) | Outcome::Refused(_) => None,
                Outcome::Accepted(other) => Some(brief(&format!("gave {other:?}"))),
                Outcome::Panicked => Some("panicked".to_owned()),
            };
            outcomes.push((format!("{} a second time", case.name), wrong));

            let client = self.client(&self.profile, &[&case.trusted], case.now);
            let end = self.adapter.describe(&client, case.now).ok().and_then(|found| found.expires_at);
            let Some(end) = end else { continue };
            let late = UpdateCase { now: end, ..case.clone() };
            let wrong =
                self.update(&late, &case.update).unless_refused(Some(Expect::Code(Code::ClientExpired)));
            outcomes.push((format!("{} at the end of the trusting period", case.name), wrong));
            let last = UpdateCase { now: end.previous().expect("an end after the epoch"), ..case.clone() };
            let wrong = match self.update(&last, &case.update) {
                Outcome::Accepted(Transition::Advanced { .. }) => None,
                other => other.unless_refused(None).or_else(|| Some("refused".to_owned())),
            };
            outcomes.push((format!("{} just before the end of the trusting period", case.name), wrong));

            let stranger = self.client(&self.profile, &[&case.gives], case.now);
            let found =
                attempt(|| self.adapter.update(&stranger, &case.trusted, &|_| None, &case.update, case.now));
            let wrong = found.unless_refused(None);
            outcomes.push((format!("{} from a state the client does not hold", case.name), wrong));
        }
        self.check(12, "updates that are known, expired or from nowhere", outcomes);
    }

    fn forgeries(&mut self, wanted: impl Fn(u8) -> bool) {
        let mut forgeries = self.fixture.forgeries();
        forgeries.retain(|forgery| wanted(forgery.item));
        forgeries.sort_by_key(|forgery| forgery.item);
        for Forgery { item, name, subject, expect } in forgeries {
            let wrong = match &subject {
                Subject::Profile(bytes) => {
                    let case = self.updates.first().expect("a fixture has an update");
                    let born = self.adapter.state_time(&case.trusted).expect("a fixture's state");
                    attempt(|| self.adapter.create(bytes, &case.trusted, born)).unless_refused(Some(expect))
                }
                Subject::Update(case) => self.update(case, &case.update).unless_refused(Some(expect)),
                Subject::Evidence(case) => self.submit(case, &case.evidence).unless_refused(Some(expect)),
                Subject::Proof(case) => self.prove(case, &case.proof).unless_refused(Some(expect)),
            };
            self.check(item, name, vec![("forgery".to_owned(), wrong)]);
        }
    }

    fn every_item_was_tried(&mut self) {
        let tried = |item| self.report.checks.iter().any(|check| check.item == item && check.cases > 0);
        let outcomes = REQUIRED
            .into_iter()
            .map(|item| {
                let answered = tried(item) || self.excused(item);
                (format!("item {item}"), (!answered).then(|| "neither tried nor excused".to_owned()))
            })
            .collect();
        self.check(0, "every item of the catalogue was tried", outcomes);
    }
}
