//! Every decoder over bytes from outside: no panic, and what decodes encodes back to itself.

use crate::app::transfer::{Amount, Denom, SetDelay};
use crate::bounded::{Bytes, List, Maybe, Text};
use crate::evidence::{Conflict, Contradiction, LogKey};
use crate::gov::{Change, ChangeRoles, Parameters, Upgrade, Withdraw};
use crate::ibc::{Acknowledgements, Packet};
use crate::registry::Kind;
use crate::testkit::{World, message, packet, secret};
use crate::tx::{
    Acknowledge, AnchorLog, Approve, CancelRecovery, ClaimTimeout, CreateClient, FinishRecovery, Message,
    Opaque, Propose, ProposeRecovery, RecvPacket, RegisterCounterparty, RegisterOrigin, RejectHold,
    ReleaseHold, ReportSplitView, RevokeDigest, SecondTree, SendPacket, SetDigest, StoreProof,
    SubmitMisbehaviour, Timeout, UpdateClient,
};
use crate::{Checked, Event, Genesis, Outcome, Roles, account_of};
use alloc::string::ToString;
use alloc::vec::Vec;
use proptest::prelude::*;
use zeugma_adapter_core::MerklePath;
use zeugma_types::{
    AccountId, ClientId, Decode, Encode, HashSuite, Height, LeafIndex, Sequence, Span, UnixSeconds,
};

/// One of each message.
fn samples() -> Vec<Message> {
    let client = ClientId::new("test-0").unwrap();
    let packet: Packet = packet("zeugma-9", &client, 1, 99, message(b"them", b"hello"));
    let proof = StoreProof { height: Height::new(5), proof: Bytes::new([1, 2, 3]).unwrap() };
    let acknowledgements = Acknowledgements::new([Bytes::new(*b"ok").unwrap()].into()).unwrap();
    let origin = Text::new("log.example").unwrap();
    let (subject, substitute) = (client.clone(), ClientId::new("test-1").unwrap());
    let conflict = Conflict {
        index: LeafIndex::new(3),
        one_leaf: [1; 32],
        one_path: List::new([[2; 32]].into()).unwrap(),
        other_leaf: [3; 32],
        other_path: List::default(),
    };
    let held = client.clone();
    let delay = SetDelay {
        client: client.clone(),
        denom: Denom::new("transfer/test-0/coin").unwrap(),
        threshold: Amount::new(1_000),
        delay: Span::seconds(60),
    };
    let change = |change: Change| Propose { change, activation: Height::new(9) };
    let roles = ChangeRoles {
        account: AccountId::new([5; 32]),
        grant: Roles::of(crate::Role::ALL),
        revoke: Roles::NONE,
    };
    Vec::from([
        Opaque { payload: Bytes::new([7; 20]).unwrap() }.into(),
        CreateClient { family: 1, profile: Bytes::new([1]).unwrap(), state: Bytes::new([2]).unwrap() }.into(),
        RegisterCounterparty {
            client: client.clone(),
            counterparty: substitute.clone(),
            prefix: MerklePath::new([b"ibc".to_vec(), Vec::new()].into()).unwrap(),
        }
        .into(),
        UpdateClient { client: client.clone(), update: Bytes::new([3]).unwrap() }.into(),
        SubmitMisbehaviour { client: client.clone(), evidence: Bytes::new([4]).unwrap() }.into(),
        ProposeRecovery { subject: subject.clone(), substitute }.into(),
        CancelRecovery { subject: subject.clone() }.into(),
        FinishRecovery { subject }.into(),
        SendPacket {
            client,
            timeout: UnixSeconds::new(5),
            payloads: List::new(packet.payloads().into()).unwrap(),
        }
        .into(),
        RecvPacket { packet: packet.clone(), proof: proof.clone() }.into(),
        Acknowledge { packet: packet.clone(), acknowledgements, proof: proof.clone() }.into(),
        Timeout { packet: packet.clone(), proof: proof.clone() }.into(),
        ClaimTimeout { packet: packet.head(), proof }.into(),
        RegisterOrigin {
            origin: origin.clone(),
            key: LogKey { ed25519: [1; 32] },
            second: Maybe(Some(LogKey { ed25519: [2; 32] })),
        }
        .into(),
        AnchorLog {
            origin: origin.clone(),
            note: Bytes::new(*b"note").unwrap(),
            consistency: List::new([[1; 32], [2; 32]].into()).unwrap(),
            second: Maybe(Some(SecondTree {
                note: Bytes::new(*b"note").unwrap(),
                consistency: List::default(),
            })),
        }
        .into(),
        ReportSplitView {
            origin,
            contradiction: Contradiction {
                suite: HashSuite::Sm3,
                one: Bytes::new(*b"a").unwrap(),
                other: Bytes::new(*b"b").unwrap(),
                conflict: Maybe(Some(conflict)),
            },
        }
        .into(),
        SetDigest { kind: Kind::Halt, name: Text::new("test-0").unwrap(), digest: [1; 32] }.into(),
        RevokeDigest { kind: Kind::RulePack, name: Text::new("pack").unwrap() }.into(),
        change(Parameters::default().into()).into(),
        change(roles.into()).into(),
        change(Upgrade { program: 2 }.into()).into(),
        change(Withdraw { proposal: 1 }.into()).into(),
        Approve { proposal: 1 }.into(),
        ReleaseHold { client: held.clone(), sequence: Sequence::new(7) }.into(),
        RejectHold { client: held.clone(), sequence: Sequence::new(7), order: [6; 32] }.into(),
        change(delay.into()).into(),
    ])
}

/// The samples of the first version.
const FIRST: usize = 23;

fn canonical<T: Decode + Encode>(bytes: &[u8]) -> bool {
    T::from_bytes(bytes).map(|value| value.to_bytes() == bytes).unwrap_or(true)
}

#[test]
fn every_message_reads_back_from_its_encoding() {
    let names: alloc::collections::BTreeSet<_> = samples().iter().map(Message::name).collect();
    assert_eq!(names.len(), 22, "one of each kind: {names:?}");
    for message in samples() {
        assert_eq!(Message::from_bytes(&message.to_bytes()).unwrap(), message);
    }
}

#[test]
fn every_message_cut_anywhere_is_refused() {
    for message in samples() {
        let bytes = message.to_bytes();
        for length in 0..bytes.len() {
            Message::from_bytes(&bytes[..length]).unwrap_err();
        }
        Message::from_bytes(&[bytes.as_slice(), &[0]].concat()).unwrap_err();
    }
}

// One per past format: a change of these bytes is a change of the layout, and needs a new version.
#[test]
fn the_encodings_are_those_of_version_1() {
    let mut world = World::new();
    world.genesis.parameters = Parameters::default();
    let account = account_of(secret(1).public().as_bytes());
    // What came later stands at the end, and is held by its own digest.
    let (mut all, mut later) = (Vec::new(), Vec::new());
    samples()[..FIRST].iter().for_each(|message| message.encode(&mut all));
    samples()[FIRST..].iter().for_each(|message| message.encode(&mut later));
    let transaction = world.sign(1, samples()[FIRST - 1..FIRST].into()).to_bytes();
    let found = [
        account.to_string(),
        world.genesis.network().to_string(),
        hex::encode(zeugma_crypto::hash::sha256(&[&all])),
        hex::encode(zeugma_crypto::hash::sha256(&[&later])),
        hex::encode(Checked::new(&transaction).unwrap().digest()),
    ];
    assert_eq!(
        found,
        [
            "1595cea5b1934b6db2607d54dafe74768491011a56b62185197c1eb6d287f3b7",
            "33c54290d6a15b2871b81ca353c3158c6aba3e99883bec02bf4a6ac434dc2cb5",
            "a388788fc3011df524ebf01a2e9868de0bc0ef02a979de3b0430869eb46a05f2",
            "3868ec447013159fdad54cf29d1702983ef0e86a32992ec69893ace4fdcad698",
            "bed0934ccc07d5b1f616f7796e8950350f4b1f90895f1c83fb3b09921e24b696",
        ]
    );
}

proptest! {
    #[test]
    fn no_bytes_panic_and_what_decodes_is_canonical(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(canonical::<Message>(&bytes));
        prop_assert!(canonical::<Event>(&bytes));
        prop_assert!(canonical::<Outcome>(&bytes));
        prop_assert!(canonical::<Genesis>(&bytes));
        let _ = Genesis::read(&bytes);
        let _ = Checked::new(&bytes);
    }

    #[test]
    fn no_change_of_a_message_panics(pick: prop::sample::Index, place: prop::sample::Index, with: u8) {
        let mut bytes = pick.get(&samples()).to_bytes();
        let place = place.index(bytes.len());
        bytes[place] = with;
        prop_assert!(canonical::<Message>(&bytes));
    }

    #[test]
    fn no_change_of_a_genesis_panics(place: prop::sample::Index, with: u8) {
        let mut bytes = World::new().genesis.to_bytes();
        let place = place.index(bytes.len());
        bytes[place] = with;
        prop_assert!(canonical::<Genesis>(&bytes));
        let _ = Genesis::read(&bytes);
    }
}
