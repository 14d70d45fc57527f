//! Bundles that are nearly right: parts changed, exchanged with those of other bundles, encoded again and sealed
//! again. They begin with the golden vectors, so that every form of a bundle is among them.

use crate::Question;
use crate::pick::{change_bytes, change_path, flip, near, pick};
use anyhow::{Context, Result};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use serde_json::Value;
use std::path::Path;
use zeugma_evidence_log::Shown;
use zeugma_evidence_log::record::{Field, FileDigests};
use zeugma_evidence_verify::bundle::{Bundle, Receipt, Stamp};
use zeugma_evidence_verify::{Policy, Question as Judged, Subject, verify};
use zeugma_proof::TrustFile;
use zeugma_types::{BlockTime, Decode, Encode, LeafIndex, TreeSize};

/// A golden case.
struct Sample {
    bundle: Bundle,
    trust: usize,
    policy: usize,
    time: u64,
    digests: FileDigests,
}

/// Makes bundles from golden ones.
pub(crate) struct Mutator {
    rng: ChaCha8Rng,
    samples: Vec<Sample>,
    trusts: Vec<Vec<u8>>,
    policies: Vec<Vec<u8>>,
}

/// What is asked.
struct Input {
    mutation: &'static str,
    bundle: Vec<u8>,
    trust: Vec<u8>,
    policy: Vec<u8>,
    time: u64,
    digests: FileDigests,
}

impl Mutator {
    pub(crate) fn new(seed: u64) -> Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/evidence/golden.json");
        let file = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file: Value = serde_json::from_slice(&file)?;
        let mut mutator = Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            samples: Vec::new(),
            trusts: Vec::new(),
            policies: Vec::new(),
        };
        for case in file["cases"].as_array().context("the vectors have cases")? {
            mutator.add(&file["parts"], case)?;
        }
        Ok(mutator)
    }

    fn add(&mut self, parts: &Value, case: &Value) -> Result<()> {
        let bytes = |value: &Value| Ok::<_, anyhow::Error>(hex::decode(value.as_str().context("text")?)?);
        let part = |name: &Value| bytes(&parts[name.as_str().context("a name")?]);
        let digests = match &case["file"] {
            Value::Null => FileDigests::default(),
            file => {
                let file = bytes(file)?;
                let (sha256, sm3) =
                    (zeugma_crypto::hash::sha256(&[&file]), zeugma_crypto::hash::sm3(&[&file]));
                FileDigests { sha256: Some(sha256), sm3: Some(sm3) }
            }
        };
        let bundle = Bundle::from_bytes(&bytes(&case["bundle"])?)?;
        let place = |list: &mut Vec<Vec<u8>>, bytes: Vec<u8>| {
            list.iter().position(|one| *one == bytes).unwrap_or_else(|| {
                list.push(bytes);
                list.len() - 1
            })
        };
        let trust = place(&mut self.trusts, part(&case["trust"])?);
        let policy = place(&mut self.policies, part(&case["policy"])?);
        let time = case["time"].as_u64().context("a time")?;
        self.samples.push(Sample { bundle, trust, policy, time, digests });
        Ok(())
    }

    /// The next bundle, with the reference.
    pub(crate) fn question(&mut self) -> Question {
        let input = self.next();
        Question {
            mutation: input.mutation,
            json: input.json(),
            reference: Box::new(move || input.answer()),
            judged_seal: Box::new(|| None),
        }
    }

    fn next(&mut self) -> Input {
        let rng = &mut self.rng;
        let sample = &self.samples[pick(rng, self.samples.len())];
        let mut bundle = sample.bundle.clone();
        let mut mutation = "none";
        // Now and then two changes at once: the order of checks decides which is named.
        for _ in 0..[0, 1, 1, 1, 1, 1, 1, 2][pick(rng, 8)] {
            let other = &self.samples[pick(rng, self.samples.len())].bundle;
            mutation = change(rng, &mut bundle, other);
        }
        let mut bytes = match pick(rng, 12) {
            // Not sealed again: the seal says so first.
            0 => bundle.to_bytes(),
            1 => renewed_anew(bundle).to_bytes(),
            _ => bundle.sealed().to_bytes(),
        };
        match pick(rng, 10) {
            0 => {
                mutation = "bytes";
                change_bytes(rng, &mut bytes);
            }
            1 | 2 => {
                mutation = "a byte, sealed again";
                let mut changed = bytes.clone();
                flip(rng, &mut changed);
                if let Ok(read) = Bundle::from_bytes(&changed) {
                    changed = read.sealed().to_bytes();
                }
                bytes = changed;
            }
            _ => {}
        }
        let (mut trust, mut policy) = (sample.trust, sample.policy);
        if pick(rng, 12) == 0 {
            trust = pick(rng, self.trusts.len());
        }
        if pick(rng, 8) == 0 {
            policy = pick(rng, self.policies.len());
        }
        let (mut trust, mut policy) = (self.trusts[trust].clone(), self.policies[policy].clone());
        match pick(rng, 40) {
            0 => change_bytes(rng, &mut policy),
            1 => change_bytes(rng, &mut trust),
            2 | 3 => {
                if let Ok(mut read) = Policy::from_bytes(&policy) {
                    mutation = "policy";
                    change_policy(rng, &mut read);
                    policy = read.to_bytes();
                }
            }
            _ => {}
        }
        let mut digests = sample.digests;
        match pick(rng, 20) {
            0 => digests = FileDigests::default(),
            1 => digests.sha256 = None,
            2 => digests.sm3 = None,
            3 => digests.sm3 = Some([1; 32]),
            _ => {}
        }
        // A number that every language keeps exactly.
        let time = if pick(rng, 25) == 0 { near(rng, sample.time) % (1 << 52) } else { sample.time };
        Input { mutation, bundle: bytes, trust, policy, time, digests }
    }
}

impl Input {
    fn json(&self) -> Value {
        serde_json::json!({
            "bundle": hex::encode(&self.bundle),
            "trust": hex::encode(&self.trust),
            "policy": hex::encode(&self.policy),
            "time": self.time,
            "sha256": self.digests.sha256.map(hex::encode),
            "sm3": self.digests.sm3.map(hex::encode),
        })
    }

    fn answer(&self) -> String {
        let judged = TrustFile::from_bytes(&self.trust).and_then(|trust| {
            let policy = Policy::from_bytes(&self.policy)?;
            let nothing = self.digests == FileDigests::default();
            let subject = if nothing { Subject::Nothing } else { Subject::Digests(self.digests) };
            let time = BlockTime::new(self.time);
            verify(&Judged { bundle: &self.bundle, subject, trust: &trust, policy: &policy, time })
        });
        match judged {
            Ok(report) => format!("0 {}", hex::encode(report.to_bytes())),
            Err(refusal) => refusal.code.number().to_string(),
        }
    }
}

/// The renewals put over what is there now, as a forger would; their time-stamps stay.
fn renewed_anew(mut bundle: Bundle) -> Bundle {
    let renewals = std::mem::take(&mut bundle.renewals);
    renewals.into_iter().fold(bundle.sealed(), |bundle, renewal| bundle.renewed(renewal.stamps))
}

fn change(rng: &mut ChaCha8Rng, bundle: &mut Bundle, other: &Bundle) -> &'static str {
    match pick(rng, 24) {
        0 => {
            let entry = &mut bundle.entry;
            match pick(rng, 3) {
                0 => flip(rng, &mut entry.sha256),
                1 => entry.sm3 = other.entry.sm3,
                _ => entry.sm3 = Some(entry.sm3.unwrap_or(entry.sha256)),
            }
            "entry"
        }
        1 | 2 => change_fields(rng, bundle, other),
        3 => {
            bundle.logging.index = LeafIndex::new(near(rng, bundle.logging.index.get()));
            "index"
        }
        4..=6 => change_logged(rng, bundle, other),
        7 => {
            bundle.logging.second = if pick(rng, 2) == 0 { None } else { other.logging.second.clone() };
            "second tree"
        }
        8 | 9 => {
            match &mut bundle.receipt {
                Some(receipt) if pick(rng, 6) > 0 => change_receipt(rng, receipt),
                receipt => receipt.clone_from(&other.receipt),
            }
            "receipt"
        }
        10..=12 => {
            match &mut bundle.proof {
                Some(proof) if pick(rng, 3) > 0 => change_bytes(rng, proof),
                proof => proof.clone_from(&other.proof),
            }
            "proof"
        }
        13..=18 => change_stamps(rng, bundle, other),
        19 | 20 => {
            let verdicts = &mut bundle.verdicts;
            match (pick(rng, 4), verdicts.first_mut()) {
                (0, Some(first)) => first.at = BlockTime::new(near(rng, first.at.get())),
                (1, Some(first)) => change_bytes(rng, &mut first.statement),
                (2, Some(first)) => flip(rng, &mut first.signature),
                _ => verdicts.extend(other.verdicts.clone()),
            }
            "verdict"
        }
        21 => {
            bundle.anchors.clone_from(&other.anchors);
            if let Some(anchor) = bundle.anchors.first_mut() {
                change_bytes(rng, &mut anchor.bytes);
            }
            "anchors"
        }
        _ => {
            match bundle.renewals.first_mut() {
                Some(renewal) if pick(rng, 2) == 0 => change_stamp(rng, &mut renewal.stamps, other),
                _ => bundle.renewals.clone_from(&other.renewals),
            }
            "renewals"
        }
    }
}

fn change_fields(rng: &mut ChaCha8Rng, bundle: &mut Bundle, other: &Bundle) -> &'static str {
    let fields = &mut bundle.disclosure.fields;
    let place = pick(rng, fields.len().max(1));
    match pick(rng, 5) {
        0 => fields.clone_from(&other.disclosure.fields),
        1 => fields.truncate(place),
        2 if !fields.is_empty() => fields.swap(place, 0),
        _ => match fields.get_mut(place) {
            Some(Shown::Open { salt, .. }) if pick(rng, 2) == 0 => flip(rng, salt),
            Some(Shown::Open { field, .. }) => *field = Field::Size(near(rng, 20)),
            Some(Shown::Closed { sha256, sm3 }) => match pick(rng, 2) {
                0 => flip(rng, sha256),
                _ => *sm3 = None,
            },
            None => {}
        },
    }
    "disclosure"
}

/// A line of a note exchanged, dropped, doubled or changed by a letter; or its path changed.
fn change_logged(rng: &mut ChaCha8Rng, bundle: &mut Bundle, other: &Bundle) -> &'static str {
    let stranger = other.logging.second.clone();
    let logged = match &mut bundle.logging.second {
        Some(second) if pick(rng, 2) == 0 => second,
        _ => &mut bundle.logging.first,
    };
    if pick(rng, 4) == 0 {
        change_path(rng, &mut logged.path);
        return "path";
    }
    let mut lines: Vec<String> = logged.note.split('\n').map(Into::into).collect();
    let place = pick(rng, lines.len());
    match pick(rng, 6) {
        0 => {
            lines.remove(place);
        }
        1 => lines.insert(place, lines[place].clone()),
        2 => lines.insert(place, String::from(["", "x", "\u{2014} a b", "\t", "0"][pick(rng, 5)])),
        3 => {
            let from = stranger.map_or_else(String::new, |second| second.note);
            let others: Vec<&str> = from.split('\n').collect();
            lines[place] = others[pick(rng, others.len())].into();
        }
        _ => {
            let mut letters: Vec<char> = lines[place].chars().collect();
            if !letters.is_empty() {
                let at = pick(rng, letters.len());
                letters[at] = ['A', '=', '+', '\u{a0}', '7', '\u{85}'][pick(rng, 6)];
            }
            lines[place] = letters.into_iter().collect();
        }
    }
    logged.note = lines.join("\n");
    "note"
}

fn change_receipt(rng: &mut ChaCha8Rng, receipt: &mut Receipt) {
    match pick(rng, 8) {
        0 => receipt.origin.push('x'),
        1 => receipt.received_at = BlockTime::new(near(rng, receipt.received_at.get())),
        2 => receipt.due_at = BlockTime::new(near(rng, receipt.due_at.get())),
        3 => receipt.first = LeafIndex::new(near(rng, receipt.first.get())),
        4 => receipt.size = TreeSize::new(near(rng, receipt.size.get())),
        5 => receipt.place = LeafIndex::new(near(rng, receipt.place.get())),
        6 => change_path(rng, &mut receipt.path),
        _ => flip(rng, &mut receipt.signature),
    }
}

fn change_stamps(rng: &mut ChaCha8Rng, bundle: &mut Bundle, other: &Bundle) -> &'static str {
    if pick(rng, 8) == 0 {
        bundle.stamps.truncate(pick(rng, 2));
    }
    change_stamp(rng, &mut bundle.stamps, other);
    "time-stamps"
}

fn change_stamp(rng: &mut ChaCha8Rng, stamps: &mut Vec<Stamp>, other: &Bundle) {
    if stamps.is_empty() || pick(rng, 8) == 0 {
        stamps.truncate(8);
        stamps.extend(other.stamps.iter().take(2).cloned());
        return;
    }
    let place = pick(rng, stamps.len());
    let stamp = &mut stamps[place];
    match pick(rng, 8) {
        0..=2 => change_der(rng, &mut stamp.token),
        3 => match stamp.revocation.first_mut() {
            Some(list) => change_der(rng, list),
            None => {
                stamp.revocation =
                    other.stamps.iter().flat_map(|one| one.revocation.clone()).take(1).collect()
            }
        },
        4 => match stamp.certificates.first_mut() {
            Some(one) => change_der(rng, one),
            None => {
                stamp.certificates =
                    other.stamps.iter().flat_map(|one| one.certificates.clone()).take(1).collect();
            }
        },
        5 => stamp.revocation.clear(),
        6 => stamp.certificates.clear(),
        _ => change_bytes(rng, &mut stamp.token),
    }
}

/// A value inside DER changed, with its length as it was, so that what is around it still reads.
fn change_der(rng: &mut ChaCha8Rng, der: &mut Vec<u8>) {
    let values = values(der, 0);
    if values.is_empty() {
        change_bytes(rng, der);
        return;
    }
    let (tag, start, length) = values[pick(rng, values.len())];
    match pick(rng, 6) {
        0 => der[tag] = [1, 2, 3, 4, 5, 6, 0x17, 0x18, 0x30, 0x31, 0xa0, 0xa1, 0x80, 0x1f][pick(rng, 14)],
        1 => der[tag + 1] = [0, 0x80, 0x81, 0x85, 0xff][pick(rng, 5)],
        _ => flip(rng, &mut der[start..start + length]),
    }
}

/// Place of the tag, of the content, and length of every value; what stands in a string is looked into too.
fn values(der: &[u8], start: usize) -> Vec<(usize, usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < der.len() {
        let Some((header, length)) = header(&der[at..]) else { return found };
        let body = &der[at + header..at + header + length];
        found.push((start + at, start + at + header, length));
        let string = der[at] == 4 && body.first() == Some(&0x30);
        if der[at] & 0x20 != 0 || string {
            found.extend(values(body, start + at + header));
        }
        at += header + length;
    }
    found
}

fn header(der: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*der.get(1)?);
    let (header, length) = match first {
        0..=0x7f => (2, first),
        0x81 | 0x82 => {
            let digits = der.get(2..2 + (first & 0x7f))?;
            (2 + digits.len(), digits.iter().fold(0, |number, digit| number << 8 | usize::from(*digit)))
        }
        _ => return None,
    };
    (header + length <= der.len()).then_some((header, length))
}

fn change_policy(rng: &mut ChaCha8Rng, policy: &mut Policy) {
    match pick(rng, 9) {
        0 => policy.log_keys.reverse(),
        1 => policy.second_keys.truncate(1),
        2 => policy.witnesses.reverse(),
        3 => policy.authorities.reverse(),
        4 => policy.service_key = policy.service_key.map(|_| [0; 32]),
        5 => policy.institutions_needed = 9,
        6 => policy.log_keys[0].push('A'),
        7 => policy.authorities.iter_mut().for_each(|one| one.policies = vec!["1.2.3".into()]),
        _ => policy.authorities.iter_mut().take(1).for_each(|one| change_der(rng, &mut one.anchor)),
    }
}
