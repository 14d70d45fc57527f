//! Every record of the proof that travels inside others encodes back to itself. The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zeugma_fuzz::network::NETWORK;
use zeugma_fuzz::{Seed, canonical, seed_of, start};
use zeugma_proof::body::{InForce, Neighbour, StandingList};
use zeugma_proof::testkit::Keys;
use zeugma_proof::tree::Frontier;
use zeugma_proof::{
    Certificate, Committee, Endorsement, EraEntry, Header, Inclusion, Institutions, KeyOrigin, Leaf, Member,
    Outbox, Seal, Signatures, Substitute,
};
use zeugma_types::{
    ClientId, Encode, Epoch, FinalityClass, HashSuite, Height, LeafHash, LeafIndex, LeafPath,
};

fn seeds() -> Vec<Seed> {
    let (header, certificate) = &NETWORK.chain.headers[3];
    let one = Keys::derive(9, 1);
    let seal = |suite: usize| {
        let suite = zeugma_types::SealSuite::ALL[suite];
        NETWORK.chain.seal(&NETWORK.keys[1], header, suite, 2).to_bytes()
    };
    let proof = &NETWORK.handover;
    let (substitute, _) = NETWORK.chain.substitute(8);
    let entry = |byte| InForce {
        path: LeafPath::standing(Epoch::new(byte)),
        leaf: LeafHash::new([1; 32]),
        index: LeafIndex::new(byte),
    };
    let list = StandingList::new((0..5).map(entry).collect()).expect("distinct paths");
    let mut tree = Frontier::new(HashSuite::Sm3);
    for byte in 0..7 {
        tree.append([byte; 32], |_, _| {}).expect("a small tree");
    }
    vec![
        seed_of(0, "header", header.to_bytes()),
        seed_of(1, "certificate", certificate.to_bytes()),
        seed_of(2, "seal-secp256k1", seal(0)),
        seed_of(2, "seal-sm2", seal(1)),
        seed_of(2, "seal-ml-dsa", seal(2)),
        seed_of(3, "committee", one.committee.to_bytes()),
        seed_of(4, "member", one.committee.members()[0].to_bytes()),
        seed_of(5, "origin", KeyOrigin::InsecureDealer.to_bytes()),
        seed_of(6, "outbox", header.outbox.to_bytes()),
        seed_of(7, "leaf", proof.leaf.to_bytes()),
        seed_of(8, "inclusion", proof.inclusion.to_bytes()),
        seed_of(9, "endorsement", proof.endorsement.to_bytes()),
        seed_of(10, "institutions", NETWORK.trust_file.institutions.to_bytes()),
        seed_of(11, "signatures", NETWORK.trust_file.signatures.to_bytes()),
        seed_of(12, "substitute", substitute.to_bytes()),
        seed_of(13, "era", NETWORK.trust_file.eras()[0].to_bytes()),
        seed_of(14, "in-force", list.entries()[1].to_bytes()),
        seed_of(15, "neighbour", list.neighbour(2).expect("five entries").to_bytes()),
        seed_of(16, "frontier", tree.to_bytes()),
        seed_of(17, "finality", FinalityClass::CommitteeQuorum.to_bytes()),
        seed_of(18, "client", zeugma_fuzz::network::client_id().to_bytes()),
    ]
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    match choice {
        0 => {
            if let Some(header) = canonical::<Header>(bytes) {
                assert!(bytes.len() <= Header::MAX, "a header above its bound");
                let _ = header.digest();
            }
        }
        1 => drop(canonical::<Certificate>(bytes)),
        2 => {
            if let Some(seal) = canonical::<Seal>(bytes) {
                let header = &NETWORK.chain.headers[3].0;
                let _ = seal.verify(&NETWORK.keys[1].committee, &header.network, header.era, &header.digest());
            }
        }
        3 => drop(canonical::<Committee>(bytes)),
        4 => drop(canonical::<Member>(bytes)),
        5 => drop(canonical::<KeyOrigin>(bytes)),
        6 => drop(canonical::<Outbox>(bytes)),
        7 => drop(canonical::<Leaf>(bytes)),
        8 => drop(canonical::<Inclusion>(bytes)),
        9 => drop(canonical::<Endorsement>(bytes)),
        10 => drop(canonical::<Institutions>(bytes)),
        11 => drop(canonical::<Signatures>(bytes)),
        12 => {
            if let Some(substitute) = canonical::<Substitute>(bytes) {
                let _ = substitute.verify(&NETWORK.trust_file.institutions);
            }
        }
        13 => drop(canonical::<EraEntry>(bytes)),
        14 => drop(canonical::<InForce>(bytes)),
        15 => drop(canonical::<Neighbour>(bytes)),
        16 => {
            if let Some(mut tree) = canonical::<Frontier>(bytes) {
                let before = tree.root();
                let grown = tree.append([1; 32], |_, _| {});
                assert!(grown.is_err() || tree.root() != before, "a leaf changed nothing");
            }
        }
        17 => drop(canonical::<FinalityClass>(bytes)),
        18 => drop(canonical::<ClientId>(bytes)),
        _ => drop(canonical::<Height>(bytes)),
    }
});
