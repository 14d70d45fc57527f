//! The rules, restated in plain terms over what nodes say; each gives its findings in words.
//!
//! Trees are computed here from RFC 9162's own recursive definition, over all leaves, with nothing of the code that
//! the node runs; only the encoding of a leaf, the digest of a header, the certificate's check and the whole proof's
//! check are the product's public functions, which other judges (vectors, other languages) hold.

use crate::script::Expect;
use crate::view::View;
use crate::work::Sent;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use zeugma_ledger::{Event, Outcome};
use zeugma_proof::{Committee, Endorsement, Leaf, LeafFormat, Trust, verify};
use zeugma_types::{ClientId, Encode as _, HashSuite, NetworkId};

/// Findings, in words.
pub type Findings = Vec<String>;

/// RFC 9162, section 2.1.1, as it is written there.
#[must_use]
pub fn tree_hash(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        many => {
            let mut k = 1;
            while k * 2 < many.len() {
                k *= 2;
            }
            let (left, right) = many.split_at(k);
            let parts = [&[1_u8][..], &tree_hash(left), &tree_hash(right)].concat();
            Sha256::digest(parts).into()
        }
    }
}

fn leaf_digest(data: &[u8]) -> [u8; 32] {
    Sha256::digest([&[0_u8], data].concat()).into()
}

/// At every height all nodes say one header, one record of what it did, and one state root.
#[must_use]
pub fn one_history(views: &[View]) -> Findings {
    let mut findings = Findings::new();
    let mut first: BTreeMap<u64, (usize, &crate::view::Said)> = BTreeMap::new();
    for view in views {
        for (height, said) in (1..).zip(&view.blocks) {
            let (other, held) = *first.entry(height).or_insert((view.place, said));
            let (one, two) = (&held.block.header, &said.block.header);
            if one.digest() != two.digest() {
                findings.push(format!(
                    "two final headers at height {height}: validators {other} and {}",
                    view.place
                ));
            }
            if one.state != two.state {
                findings.push(format!(
                    "two state roots at height {height}: validators {other} and {}",
                    view.place
                ));
            }
            if held.block.record != said.block.record || held.block.transactions != said.block.transactions {
                findings
                    .push(format!("two records of height {height}: validators {other} and {}", view.place));
            }
        }
    }
    findings
}

/// Each header follows its parent: height, digest, time; and its body is its transactions.
#[must_use]
pub fn linked(view: &View) -> Findings {
    let mut findings = Findings::new();
    for pair in view.blocks.windows(2) {
        let (parent, header) = (&pair[0].block.header, &pair[1].block.header);
        if header.parent != parent.digest() || header.height.get() != parent.height.get() + 1 {
            findings.push(format!("height {} does not follow its parent", header.height));
        }
        if header.time <= parent.time {
            findings.push(format!("height {} is not later than its parent", header.height));
        }
    }
    for said in &view.blocks {
        let leaves: Vec<_> = said.block.transactions.iter().map(|bytes| leaf_digest(bytes)).collect();
        let header = &said.block.header;
        if tree_hash(&leaves) != *header.body.as_bytes() {
            findings.push(format!("the body root of height {} is not of its transactions", header.height));
        }
        if said.block.record.transactions.len() != leaves.len() || said.block.record.digest != header.digest()
        {
            findings.push(format!("the record of height {} is not of its block", header.height));
        }
    }
    findings
}

/// Every certificate is the committee's, of the block's own epoch; there is one at least.
#[must_use]
pub fn certified(view: &View, committee: &Committee, network: &NetworkId) -> Findings {
    let mut findings = Findings::new();
    let mut certificates = 0;
    for said in &view.blocks {
        let Some(certificate) = &said.certificate else { continue };
        certificates += 1;
        let header = &said.block.header;
        let bad = certificate.verify(&committee.group_key, network, &header.digest()).is_err();
        if bad || certificate.epoch != header.epoch {
            findings.push(format!("the certificate of height {} is not the committee's", header.height));
        }
    }
    if certificates == 0 && !view.blocks.is_empty() {
        findings.push(format!("validator {} has no certificate of {} blocks", view.place, view.blocks.len()));
    }
    findings
}

fn leaves_of(view: &View, network: NetworkId) -> Vec<Vec<u8>> {
    let of_block = |said: &crate::view::Said| {
        let record = said.block.record.clone();
        record.said.into_iter().map(move |said| {
            let (height, time) = (record.height, record.time);
            let leaf = Leaf {
                format: LeafFormat::Sha256,
                network,
                height,
                time,
                path: said.path,
                value: said.value,
            };
            leaf.to_bytes()
        })
    };
    view.blocks.iter().flat_map(of_block).collect()
}

/// The outbox of every header is the tree of the first leaves of one list, which only grows.
#[must_use]
pub fn outbox_grows(view: &View, network: NetworkId) -> Findings {
    let mut findings = Findings::new();
    let leaves: Vec<_> = leaves_of(view, network).iter().map(|bytes| leaf_digest(bytes)).collect();
    let mut size = 0;
    for said in &view.blocks {
        let (header, record) = (&said.block.header, &said.block.record);
        if record.first_leaf != size as u64 {
            findings.push(format!(
                "height {} begins at leaf {}, needed {size}",
                header.height, record.first_leaf
            ));
        }
        size += record.said.len();
        if header.outbox.size.get() != size as u64 {
            findings.push(format!(
                "the outbox of height {} has {} leaves, needed {size}",
                header.height, header.outbox.size
            ));
            return findings;
        }
        let root = header.outbox.root(HashSuite::Sha256);
        if !root.is_ok_and(|root| *root == tree_hash(&leaves[..size])) {
            findings.push(format!("the outbox root of height {} is not of its leaves", header.height));
        }
    }
    findings
}

/// Every leaf is proved from the first certified header that covers it.
#[must_use]
pub fn provable(view: &View, network: NetworkId, trust: &Trust) -> Findings {
    let mut findings = Findings::new();
    let leaves = leaves_of(view, network);
    for (index, proof) in view.proofs.iter().enumerate() {
        let covers = |said: &&crate::view::Said| {
            said.certificate.is_some() && said.block.header.outbox.size.get() > index as u64
        };
        let Some(first) = view.blocks.iter().find(covers) else { continue };
        let Some(proof) = proof else {
            findings.push(format!("leaf {index} has no proof"));
            continue;
        };
        if proof.header != first.block.header {
            findings.push(format!(
                "leaf {index} is proved under height {}, needed {}",
                proof.header.height, first.block.header.height
            ));
        }
        if !matches!(proof.endorsement, Endorsement::Certificate(_))
            || Some(&proof.leaf.to_bytes()) != leaves.get(index)
        {
            findings.push(format!("the proof of leaf {index} is of something else"));
        }
        match verify(&proof.to_bytes(), trust) {
            Ok(proven) if proven.index().get() == index as u64 => {}
            Ok(proven) => findings.push(format!("the proof of leaf {index} proves leaf {}", proven.index())),
            Err(refusal) => findings.push(format!("the proof of leaf {index}: {refusal}")),
        }
    }
    findings
}

/// Every transaction that was submitted is final exactly once, and ended as it must.
#[must_use]
pub fn once(view: &View, sent: &[Sent]) -> Findings {
    let mut found: BTreeMap<[u8; 32], Vec<&Outcome>> = BTreeMap::new();
    let mut carried: BTreeMap<[u8; 32], &Outcome> = BTreeMap::new();
    for said in &view.blocks {
        for (id, outcome) in &said.block.record.transactions {
            // Not admitted means that nothing of it took effect; a block of a bad leader may carry such.
            if !matches!(outcome, Outcome::NotAdmitted { .. }) {
                found.entry(*id).or_default().push(outcome);
            } else {
                carried.insert(*id, outcome);
            }
        }
    }
    let mut findings = Findings::new();
    for sent in sent {
        let name = hex::encode(&sent.id[..6]);
        match found.get(&sent.id).map_or(&[][..], Vec::as_slice) {
            [outcome] => {
                let code = outcome.refusal().map(|refusal| refusal.code);
                let kept = match sent.expect {
                    Expect::Either => true,
                    Expect::Done => code.is_none(),
                    Expect::Refused(needed) => code == Some(needed),
                };
                if !kept {
                    findings.push(format!("transaction {name}: needed {:?}, found {outcome:?}", sent.expect));
                }
            }
            outcomes => {
                let carried = carried.get(&sent.id);
                let count = outcomes.len();
                findings.push(format!(
                    "transaction {name} is final {count} times, needed 1; carried as {carried:?}"
                ));
            }
        }
    }
    findings
}

/// A packet toward us is received once or closed once, never both; one of ours is answered once or lapses once.
#[must_use]
pub fn packets(view: &View) -> Findings {
    let mut ends: BTreeMap<(bool, ClientId, u64), Vec<&'static str>> = BTreeMap::new();
    let mut sent = 0_u64;
    for (_, event) in view.blocks.iter().flat_map(|said| &said.block.record.events) {
        let (toward_us, client, sequence, end) = match event {
            Event::PacketReceived(event) => (true, &event.client, event.sequence, "received"),
            Event::PacketClosed(event) => (true, &event.client, event.sequence, "closed"),
            Event::PacketAcknowledged(event) => (false, &event.client, event.sequence, "acknowledged"),
            Event::PacketTimedOut(event) => (false, &event.client, event.sequence, "timed out"),
            Event::PacketSent(_) => {
                sent += 1;
                continue;
            }
            _ => continue,
        };
        ends.entry((toward_us, client.clone(), sequence.get())).or_default().push(end);
    }
    let mut findings: Findings = ends
        .iter()
        .filter(|(_, ends)| ends.len() != 1)
        .map(|((_, client, sequence), ends)| {
            format!("packet {sequence} of {} ended {ends:?}", client.as_str())
        })
        .collect();
    let ended = ends.keys().filter(|(toward_us, ..)| !toward_us).count() as u64;
    if ended > sent {
        findings.push(format!("{ended} packets of ours ended, {sent} were sent"));
    }
    findings
}

/// All rules over all views.
#[must_use]
pub fn all(
    views: &[View],
    committee: &Committee,
    network: NetworkId,
    trust: &Trust,
    sent: &[Sent],
) -> Findings {
    let mut findings = one_history(views);
    for view in views {
        findings.extend(linked(view));
        findings.extend(certified(view, committee, &network));
        findings.extend(outbox_grows(view, network));
        findings.extend(provable(view, network, trust));
        findings.extend(once(view, sent));
        findings.extend(packets(view));
    }
    findings
}
