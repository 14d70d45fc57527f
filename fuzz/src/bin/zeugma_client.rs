//! The light client of our own chain: what it takes encodes back to itself, and it believes only what the
//! committee certified. The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeugma_adapter_core::{Client, Family, MerklePath};
use zeugma_adapter_zeugma::{Certified, Evidence, LeafProof, Profile, State, Update, Zeugma};
use zeugma_fuzz::network::{NETWORK, PACKET, packet_path, receipt_path};
use zeugma_fuzz::{Seed, canonical, seed_of, start};
use zeugma_proof::{Certificate, Header, Proof};
use zeugma_types::{BlockTime, Encode, LeafIndex, LeafPath, Namespace, Span};

struct Followed {
    profile: Profile,
    /// The first header, from which everything is verified.
    trusted: State,
    /// Every header that a committee certified, as the client would believe it.
    certified: Vec<State>,
    now: BlockTime,
}

static FOLLOWED: LazyLock<Followed> = LazyLock::new(|| {
    let headers = &NETWORK.chain.headers;
    let state = |header: &Header| {
        let keys = &NETWORK.keys[usize::try_from(header.era.get()).expect("two eras")];
        State::of(header, keys.committee.group_key.clone())
    };
    let certified = headers.iter().map(|(header, _)| header).chain([&NETWORK.fork.0]).map(state);
    Followed {
        profile: Profile {
            network: NETWORK.chain.network,
            trusting_period: Span::seconds(3_600),
            drift: Span::seconds(10),
        },
        trusted: state(&headers[0].0),
        certified: certified.collect(),
        now: headers[3].0.time,
    }
});

fn seeds() -> Vec<Seed> {
    let headers = &NETWORK.chain.headers;
    let certified = |(header, certificate): &(Header, Certificate)| Certified {
        header: header.clone(),
        certificate: *certificate,
    };
    let update =
        |handovers: Vec<Proof>, at: usize| Update { handovers, target: certified(&headers[at]) }.to_bytes();
    let evidence = Evidence { one: certified(&headers[1]), other: certified(&NETWORK.fork) };
    let swapped = Evidence { one: evidence.other.clone(), other: evidence.one.clone() };
    let leaf_proof = |index| {
        let (header, certificate) = &headers[0];
        let suite = zeugma_types::HashSuite::Sha256;
        let proof = NETWORK.chain.prove_under(LeafIndex::new(index), suite, header, *certificate);
        LeafProof { leaf: proof.leaf, inclusion: proof.inclusion }.to_bytes()
    };
    let mut client = Client::create::<Zeugma>(FOLLOWED.profile, &FOLLOWED.trusted, FOLLOWED.trusted.time)
        .expect("a client starts at its trusted state");
    let active = client.to_bytes();
    client
        .submit_evidence::<Zeugma>([&FOLLOWED.trusted; 2], &evidence, FOLLOWED.now)
        .expect("two headers of one height");
    vec![
        seed_of(0, "update", update(vec![], 1)),
        seed_of(0, "update-handover", update(vec![NETWORK.handover.clone()], 3)),
        seed_of(1, "evidence", evidence.to_bytes()),
        seed_of(1, "evidence-swapped", swapped.to_bytes()),
        seed_of(2, "packet", leaf_proof(0)),
        seed_of(3, "closed", leaf_proof(1)),
        seed_of(4, "profile", FOLLOWED.profile.to_bytes()),
        seed_of(5, "state", FOLLOWED.trusted.to_bytes()),
        seed_of(6, "client-active", active),
        seed_of(6, "client-frozen", client.to_bytes()),
    ]
}

fn key(path: &LeafPath) -> MerklePath {
    MerklePath::new(vec![path.path().to_vec()]).expect("a short path")
}

/// The leaf is one that the network said, under `path`.
fn require_said(bytes: &[u8], path: &LeafPath) {
    let shown = canonical::<LeafProof>(bytes).expect("what was accepted decodes");
    let index = shown.inclusion.index;
    assert_eq!(shown.leaf, NETWORK.chain.prove(index).leaf, "a leaf that was never said");
    assert_eq!(shown.leaf.path, *path, "a leaf of another path");
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let Followed { profile, trusted, certified, now } = &*FOLLOWED;
    match choice {
        0 => {
            let Some(update) = canonical::<Update>(bytes) else { return };
            if let Ok(state) = Zeugma::verify_update(profile, trusted, &update, *now) {
                assert!(certified.contains(&state), "a header that no committee certified");
            }
        }
        1 => {
            let Some(evidence) = canonical::<Evidence>(bytes) else { return };
            if Zeugma::verify_misbehaviour(profile, [trusted; 2], &evidence, *now).is_ok() {
                let digests = [evidence.one.header.digest(), evidence.other.header.digest()];
                assert_ne!(digests[0], digests[1], "one header is no misbehaviour");
                for digest in digests {
                    assert!(certified.iter().any(|state| state.digest == digest), "a framed committee");
                }
            }
        }
        2 => {
            drop(canonical::<LeafProof>(bytes));
            let path = packet_path();
            if Zeugma::verify_membership(profile, trusted, &key(&path), &PACKET, bytes).is_ok() {
                require_said(bytes, &path);
            }
        }
        3 => {
            let path = receipt_path();
            if Zeugma::verify_non_membership(profile, trusted, &key(&path), bytes).is_ok() {
                let closed = LeafPath::new(Namespace::Closed, path.path()).expect("a short path");
                require_said(bytes, &closed);
            }
        }
        4 => {
            if let Some(profile) = canonical::<Profile>(bytes) {
                let _ = Zeugma::check_profile(&profile);
            }
        }
        5 => drop(canonical::<State>(bytes)),
        _ => {
            if let Ok(client) = Client::<Profile>::decode_with(bytes, Profile::LENGTH) {
                assert_eq!(client.to_bytes(), bytes, "a second encoding of one client was accepted");
                let _ = client.status::<Zeugma>(*now);
            }
        }
    }
});
