//! The readable form of a trust file: `trust.json`.
//!
//! Fields stand in the order written here. Bytes are hexadecimal, times RFC 3339 in UTC beside their
//! milliseconds.

use crate::{clock, words};
use serde::Serialize;
use zeugma_proof::{Committee, EraEntry, Institutions, KeyOrigin, Member, Outbox, TrustFile};
use zeugma_types::{BlockTime, Encode};

/// Names this form and its version.
pub(crate) const FORMAT: &str = "zeugma-trust-1";

/// All of `trust.json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Document {
    format: &'static str,
    fingerprint: String,
    words: String,
    canonical: String,
    view: View,
}

#[derive(Clone, Debug, Serialize)]
struct View {
    network: String,
    issued_at: String,
    issued_at_ms: u64,
    trusting_period_ms: u64,
    present_key_believed_until: Option<String>,
    eras: Vec<Era>,
    sunsets: Vec<Sunset>,
    institutions: Signers,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, Serialize)]
struct Era {
    era: u64,
    group_key: String,
    key_made_by: &'static str,
    transcript: Option<String>,
    members: Vec<Person>,
    pinned_outbox: Option<Roots>,
}

#[derive(Clone, Debug, Serialize)]
struct Person {
    name: String,
    role: String,
    key: String,
    seal_keys: Vec<SealKey>,
}

#[derive(Clone, Debug, Serialize)]
struct SealKey {
    suite: &'static str,
    key: String,
}

#[derive(Clone, Debug, Serialize)]
struct Roots {
    size: u64,
    roots: Vec<Root>,
}

#[derive(Clone, Debug, Serialize)]
struct Root {
    suite: &'static str,
    root: String,
}

#[derive(Clone, Debug, Serialize)]
struct Sunset {
    algorithm: String,
    at: String,
    at_ms: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Signers {
    threshold: u16,
    list: Vec<Signer>,
}

#[derive(Clone, Debug, Serialize)]
struct Signer {
    name: String,
    key: String,
}

#[derive(Clone, Debug, Serialize)]
struct Signature {
    institution: u16,
    signature: String,
}

impl Document {
    /// The one form of `file`.
    pub(crate) fn of(file: &TrustFile) -> Self {
        let fingerprint = file.fingerprint();
        Self {
            format: FORMAT,
            fingerprint: hex::encode(fingerprint),
            words: words::of(&fingerprint),
            canonical: hex::encode(file.to_bytes()),
            view: View::of(file),
        }
    }
}

/// The end of the present key's trusting period, if the numbers reach it.
pub(crate) fn believed_until(file: &TrustFile) -> Option<BlockTime> {
    file.issued_at.after(file.trusting_period)
}

/// Name of how a group key was made.
pub(crate) const fn made_by(origin: KeyOrigin) -> &'static str {
    match origin {
        KeyOrigin::Distributed { .. } => "distributed-key-generation",
        KeyOrigin::InsecureDealer => "insecure-dealer",
    }
}

impl View {
    fn of(file: &TrustFile) -> Self {
        let signature = |(institution, signature): &(u16, [u8; 64])| Signature {
            institution: *institution,
            signature: hex::encode(signature),
        };
        Self {
            network: file.network.to_string(),
            issued_at: clock::show(file.issued_at),
            issued_at_ms: file.issued_at.get(),
            trusting_period_ms: file.trusting_period.get(),
            present_key_believed_until: believed_until(file).map(clock::show),
            eras: file.eras().iter().map(Era::of).collect(),
            sunsets: file.sunsets.iter().map(Sunset::of).collect(),
            institutions: Signers::of(&file.institutions),
            signatures: file.signatures.list().iter().map(signature).collect(),
        }
    }
}

impl Era {
    fn of(entry: &EraEntry) -> Self {
        let Committee { group_key, origin, .. } = &entry.committee;
        Self {
            era: entry.era.get(),
            group_key: hex::encode(group_key.as_bytes()),
            key_made_by: made_by(*origin),
            transcript: match origin {
                KeyOrigin::Distributed { transcript } => Some(transcript.to_string()),
                KeyOrigin::InsecureDealer => None,
            },
            members: entry.committee.members().iter().map(Person::of).collect(),
            pinned_outbox: entry.pin.as_ref().map(Roots::of),
        }
    }
}

impl Person {
    fn of(member: &Member) -> Self {
        let seal_keys = member.seal_keys.iter();
        Self {
            name: member.name.clone(),
            role: member.role.clone(),
            key: hex::encode(member.key),
            seal_keys: seal_keys
                .map(|(suite, key)| SealKey { suite: suite.name(), key: hex::encode(key) })
                .collect(),
        }
    }
}

impl Roots {
    fn of(outbox: &Outbox) -> Self {
        let roots = outbox.roots().iter();
        Self {
            size: outbox.size.get(),
            roots: roots.map(|(suite, root)| Root { suite: suite.name(), root: root.to_string() }).collect(),
        }
    }
}

impl Sunset {
    fn of(sunset: &zeugma_proof::Sunset) -> Self {
        let zeugma_proof::Sunset { algorithm, at } = sunset;
        Self { algorithm: algorithm.clone(), at: clock::show(*at), at_ms: at.get() }
    }
}

impl Signers {
    fn of(institutions: &Institutions) -> Self {
        let list = institutions.list().iter();
        Self {
            threshold: institutions.threshold(),
            list: list.map(|one| Signer { name: one.name.clone(), key: hex::encode(one.key) }).collect(),
        }
    }
}
