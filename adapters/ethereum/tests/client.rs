//! What a client does, said as sentences; and the losses of others, each by the test that would have
//! stopped it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use zeugma_adapter_core::{Adapter, Client, Family, MerklePath, Of, Status, Transition};
use zeugma_adapter_ethereum::committee::{Committee, Memory};
use zeugma_adapter_ethereum::container::{Kind, LightUpdate};
use zeugma_adapter_ethereum::fork::{Chain, Fork};
use zeugma_adapter_ethereum::light::{self, Policy, Store};
use zeugma_adapter_ethereum::receipt::{self, Outcome, Receipt};
use zeugma_adapter_ethereum::rlp::{put_bytes, put_list};
use zeugma_adapter_ethereum::testnet::{Draft, Testnet, Trie, wire};
use zeugma_adapter_ethereum::trie::{EMPTY_ROOT, Found, walk};
use zeugma_adapter_ethereum::{Ethereum, Evidence, State, StoreProof, Update, verify};
use zeugma_types::{BlockTime, Code, Decode, Encode, FinalityClass, Height, Permanence, Span};

const FAMILY: Of<Ethereum> = Of::new();

fn net() -> Testnet {
    Testnet::new(&[(Fork::Deneb, 0), (Fork::Electra, 8)])
}

fn after(net: &Testnet, slot: u64) -> BlockTime {
    net.time(slot).after(Span::seconds(1)).unwrap()
}

fn inside() -> Draft {
    Draft::new(8, 24, 40, Kind::Finality)
}

fn follow(net: &Testnet, draft: &Draft, update: &Update, memory: &mut Memory) -> Result<State, Code> {
    let trusted = net.state_at(draft.trusted);
    verify::update(&net.profile(), &trusted, update, after(net, draft.signature), memory)
        .map_err(|refusal| refusal.code)
}

#[test]
fn exactly_two_thirds_are_enough_and_one_less_is_not() {
    let net = net();
    let by = |signers| follow(&net, &inside(), &net.update_by(&inside(), signers), &mut Memory::none());
    assert_eq!(by(22), Ok(net.state(&inside())));
    assert_eq!(by(21), Err(Code::QuorumNotReached));
    assert_eq!(by(0), Err(Code::QuorumNotReached));
    // Of 512 seats: 3 * 342 >= 2 * 512 > 3 * 341.
    let large = Testnet::of_seats(512, &[(Fork::Deneb, 0)]);
    let by = |signers| follow(&large, &inside(), &large.update_by(&inside(), signers), &mut Memory::none());
    assert_eq!(by(342), Ok(large.state(&inside())));
    assert_eq!(by(341), Err(Code::QuorumNotReached));
}

#[test]
fn a_client_walks_through_the_periods_and_then_proves_a_commitment() {
    let net = net();
    let drafts = [
        inside(),
        Draft::new(24, 72, 88, Kind::Full),
        Draft::new(72, 80, 96, Kind::Finality),
        Draft::new(80, 136, 152, Kind::Full),
    ];
    let born = net.state_at(8);
    let made = FAMILY.create(&net.profile().to_bytes(), &born.to_bytes(), after(&net, 8)).unwrap();
    let (mut client, mut state) = (made.client, born.to_bytes());
    for draft in &drafts {
        let update = net.update(draft).to_bytes();
        let now = after(&net, draft.signature);
        let found = FAMILY.update(&client, &state, &|_| None, &update, now).unwrap();
        let Transition::Advanced { now, .. } = found else { panic!("{found:?}") };
        (client, state) = (now.client, now.state.1);
        assert_eq!(State::from_bytes(&state).unwrap(), net.state(draft));
    }
    let described = FAMILY.describe(&client, after(&net, 153)).unwrap();
    assert_eq!((described.status, described.finality), (Status::Active, FinalityClass::CommitteeQuorum));
    let path = b"client-0\x01\0\0\0\0\0\0\0\x05";
    let proof = Testnet::proof(136, path).to_bytes();
    let path = MerklePath::new(vec![path.to_vec()]).unwrap();
    assert_eq!(FAMILY.membership(&client, &state, &path, &[5; 32], &proof), Ok(()));
}

#[test]
fn evidence_ahead_of_our_clock_freezes_too() {
    let net = net();
    let drafts = [inside(), Draft { history: 1, ..inside() }];
    let evidence = Evidence { updates: drafts.each_ref().map(|draft| net.update(draft)) };
    let trusted = net.state_at(8);
    let mut client = Client::create::<Ethereum>(net.profile(), &trusted, after(&net, 8)).unwrap();
    let found = client.submit_evidence::<Ethereum>([&trusted, &trusted], &evidence, after(&net, 8)).unwrap();
    assert_eq!(found.height, Height::new(24));
    assert_eq!(client.status::<Ethereum>(after(&net, 8)), Status::Frozen);
}

#[test]
fn a_committee_that_contradicts_the_known_one_is_refused_and_is_evidence() {
    let net = net();
    let own = Draft::new(24, 72, 88, Kind::Full);
    let other = Draft { history: 2, ..Draft::new(72, 80, 96, Kind::Full) };
    let mut memory = Memory::none();
    assert_eq!(follow(&net, &other, &net.update(&other), &mut memory), Err(Code::WrongNextMembers));
    let evidence = Evidence { updates: [net.update(&own), net.update(&other)] };
    let trusted = [net.state_at(24), net.state_at(72)];
    let found = verify::misbehaviour(&net.profile(), trusted.each_ref(), &evidence, &mut memory).unwrap();
    assert_eq!(found.height, Height::new(72));
}

#[test]
fn what_another_update_can_change_is_not_yet_and_what_nothing_can_change_is_never() {
    let net = net();
    let refused = |draft: &Draft, update: &Update, slot| {
        let trusted = net.state_at(draft.trusted);
        verify::update(&net.profile(), &trusted, update, after(&net, slot), &mut Memory::none()).unwrap_err()
    };
    let skips = Draft::new(24, 136, 152, Kind::Full);
    let refusal = refused(&skips, &net.update(&skips), 153);
    assert_eq!((refusal.code, refusal.permanence()), (Code::CommitteeUnknown, Permanence::NotYet));
    let without = Draft::new(24, 72, 88, Kind::Finality);
    let refusal = refused(&without, &net.update(&without), 89);
    assert_eq!((refusal.code, refusal.permanence()), (Code::NextCommitteeMissing, Permanence::NotYet));
    // The same bytes, once the client is in the period.
    let later = Draft { trusted: 70, ..without };
    assert!(follow(&net, &later, &net.update(&later), &mut Memory::none()).is_ok());
    let refusal = refused(&inside(), &net.update(&inside()), 20);
    assert_eq!((refusal.code, refusal.permanence()), (Code::HeaderAhead, Permanence::NotYet));
    let refusal = refused(&inside(), &net.update_by(&inside(), 21), 41);
    assert_eq!(refusal.permanence(), Permanence::Never);
}

#[test]
fn a_memory_changes_neither_verdict_nor_cost() {
    let net = net();
    let drafts = [inside(), Draft::new(24, 72, 88, Kind::Full), Draft { history: 1, ..inside() }];
    let mut memory = Memory::of(2);
    for round in 0..3 {
        for draft in &drafts {
            for signers in [0, 21, 22, 31, 32] {
                let mut update = net.update_by(draft, signers);
                if round == 1 {
                    // A committee that is remembered, with one bit more.
                    let mut bytes = update.committee.as_bytes().to_vec();
                    bytes[48 * 5 + 20] ^= 1;
                    update.committee = Committee::new(&bytes).unwrap();
                }
                let with = follow(&net, draft, &update, &mut memory);
                assert_eq!(with, follow(&net, draft, &update, &mut Memory::none()), "{draft:?} {signers}");
                let bytes = update.to_bytes().len();
                assert_eq!(Ethereum::update_cost(bytes), Ethereum::update_cost(bytes));
            }
        }
    }
}

fn store(net: &Testnet, policy: Policy) -> Store {
    let bootstrap = net.bootstrap(8);
    Store::start(&net.chain, policy, &bootstrap.header.beacon.root(), &bootstrap, &mut Memory::none())
        .unwrap()
}

fn message(net: &Testnet, draft: &Draft, signers: usize) -> LightUpdate {
    net.update_by(draft, signers).message().clone()
}

#[test]
fn nothing_is_forced_unless_the_specification_asks_for_it() {
    let net = net();
    let mut memory = Memory::of(4);
    let weak = message(&net, &Draft::new(8, 16, 40, Kind::Full), 1);
    let mut bridge = store(&net, Policy::Bridge);
    assert_eq!(bridge.process(&weak, 41, &mut memory).unwrap_err().code, Code::QuorumNotReached);
    assert_eq!(bridge.force(1_000, &mut memory).unwrap_err().code, Code::NotUnderstood);
    assert_eq!(bridge.finalized().beacon.slot, 8);

    let mut theirs = store(&net, Policy::Specification);
    theirs.process(&weak, 41, &mut memory).unwrap();
    assert_eq!(theirs.finalized().beacon.slot, 8);
    assert!(!theirs.force(72, &mut memory).unwrap());
    assert!(theirs.force(73, &mut memory).unwrap());
    assert_eq!(theirs.finalized().beacon.slot, 16);
}

#[test]
fn a_store_of_a_bridge_moves_by_finalized_headers_only() {
    let net = net();
    let mut memory = Memory::of(4);
    let mut store = store(&net, Policy::Bridge);
    let mut head = message(&net, &inside(), 32);
    head.finality = None;
    assert_eq!(store.process(&head, 41, &mut memory).unwrap_err().code, Code::NotUnderstood);
    store.process(&message(&net, &Draft::new(8, 16, 40, Kind::Full), 32), 41, &mut memory).unwrap();
    assert_eq!(store.finalized().beacon.slot, 16);
    assert_eq!(store.next(), Some(&net.members(1).committee));
    store.process(&message(&net, &Draft::new(16, 72, 88, Kind::Full), 22), 89, &mut memory).unwrap();
    assert_eq!((store.finalized().beacon.slot, store.current()), (72, &net.members(1).committee));
}

#[test]
fn a_bootstrap_is_of_the_trusted_root_and_its_committee_of_its_state() {
    let net = net();
    let start = |root: &[u8; 32], bootstrap| {
        Store::start(&net.chain, Policy::Bridge, root, bootstrap, &mut Memory::none()).map(|_| ())
    };
    let good = net.bootstrap(8);
    let root = good.header.beacon.root();
    assert_eq!(start(&root, &good), Ok(()));
    assert_eq!(start(&[0; 32], &good).unwrap_err().code, Code::WrongChain);
    let mut other = good.clone();
    other.committee = net.members(1).committee.clone();
    assert_eq!(start(&root, &other).unwrap_err().code, Code::NotIncluded);
    assert_eq!(light::verify_bootstrap(&net.chain, &other).unwrap_err().code, Code::NotIncluded);
}

/// The main chain's table: the indices of each fork, at its first slot and the one before.
#[test]
fn the_table_of_a_slot_is_that_of_its_epoch() {
    let net = Testnet::new(&[(Fork::Capella, 0), (Fork::Electra, 8), (Fork::Gloas, 24)]);
    let at = |slot: u64| net.chain.fork(slot).unwrap().fork.indices();
    for (slot, finalized, current, next) in
        [(0, 105, 54, 55), (63, 105, 54, 55), (64, 169, 86, 87), (191, 169, 86, 87), (192, 735, 2945, 2946)]
    {
        assert_eq!(
            (at(slot).finalized, at(slot).current, at(slot).next),
            (finalized, current, next),
            "{slot}"
        );
    }
    let late = Chain { forks: net.chain.forks[1..].to_vec(), ..net.chain.clone() };
    assert_eq!(late.fork(63).unwrap_err().code, Code::BadHeader);
}

// Losses of others.

/// Nomad, August 2022: the trusted root was zero, and so was the root of every message that was never
/// proved.
#[test]
fn nomad_a_root_of_zeros_is_no_state_and_proves_nothing() {
    let net = net();
    let good = net.state_at(24).to_bytes();
    // Every root of the state, one at a time.
    for start in [16, 56, 88, 120, 152, 184] {
        let mut state = good.clone();
        state[start..start + 32].fill(0);
        assert_eq!(State::from_bytes(&state).unwrap_err().code, Code::Empty, "at {start}");
        let created = FAMILY.create(&net.profile().to_bytes(), &state, after(&net, 24));
        assert_eq!(created.unwrap_err().code, Code::Empty);
    }
    let none: [&[u8]; 0] = [];
    assert_eq!(walk(&[0; 32], &[0; 32], &none).unwrap_err().code, Code::Empty);
}

/// BNB, October 2022: a node held two children and only one was hashed, so a leaf hung beside an honest
/// proof. Here every byte of every node is hashed, and a proof has no node that the one before does not name.
#[test]
fn bnb_nothing_hangs_beside_a_proof() {
    let trie = Trie::secure((0..60_u8).map(|number| ([number; 20], vec![number + 1; 40])));
    let key = zeugma_crypto::hash::keccak256(&[&[7; 20]]);
    let proof = trie.proof(&key);
    assert_eq!(walk(&trie.root(), &key, &proof), Ok(Found::Value(&[8; 40])));
    let mut forged = Vec::new();
    put_bytes(&mut forged, &[9; 40]);
    for place in 0..=proof.len() {
        let mut hung = proof.clone();
        hung.insert(place, forged.clone());
        assert!(walk(&trie.root(), &key, &hung).is_err(), "{place}");
    }
    for node in 0..proof.len() {
        for byte in 0..proof[node].len() {
            let mut changed = proof.clone();
            changed[node][byte] ^= 1;
            assert!(walk(&trie.root(), &key, &changed).is_err(), "{node} {byte}");
        }
    }
}

/// The truncated exclusion of a library in circulation: a proof that stops early showed that a key which is
/// there is absent. A time-out would have refunded a packet that had arrived.
#[test]
fn dragonberry_an_absence_that_stops_early_is_refused_at_every_length() {
    let net = net();
    let state = net.state_at(24);
    for path in [&b"client-0\x01\0\0\0\0\0\0\0\x05"[..], b"client-0\x02\0\0\0\0\0\0\0\x05"] {
        let whole = Testnet::proof(24, path);
        let asked = MerklePath::new(vec![path.to_vec()]).unwrap();
        let profile = net.profile();
        for length in 0..whole.storage.len() {
            let cut = StoreProof { storage: whole.storage[..length].to_vec(), ..whole.clone() }.to_bytes();
            let found = verify::non_membership(&profile, &state.state_root, &asked, &cut).unwrap_err();
            assert!([Code::ProofShape, Code::Empty].contains(&found.code), "{length}: {found}");
        }
        for length in 0..whole.account.len() {
            let cut = StoreProof { account: whole.account[..length].to_vec(), ..whole.clone() }.to_bytes();
            let found = verify::non_membership(&profile, &state.state_root, &asked, &cut).unwrap_err();
            assert!([Code::ProofShape, Code::Empty].contains(&found.code), "{length}: {found}");
        }
    }
}

/// Hyperbridge, April 2026: an index above the number of leaves, and a root as its own proof.
#[test]
fn hyperbridge_a_root_is_not_its_own_proof_and_an_index_has_an_end() {
    let one = Trie::new([(receipt::key(0), bytes_of(&receipt_of(Outcome::Succeeded)))]);
    let root = one.root();
    assert!(receipt::receipt(&root, 0, &one.proof(&receipt::key(0))).is_ok());
    let found = receipt::receipt(&root, 1, &one.proof(&receipt::key(0))).unwrap_err();
    assert_eq!(found.code, Code::NotProven);
    assert!(receipt::receipt(&root, 0, &[root]).is_err());
    assert!(receipt::receipt(&root, u64::MAX, &[root]).is_err());
}

/// tendermint GHSA-6jrf-4jv4-r9mw and its kin: a signer counted twice. Here a seat is a bit.
#[test]
fn duplicate_signers_a_seat_counts_once_however_often_it_signed() {
    let net = net();
    let mut message = net.message(&inside());
    let root = net.chain.signing_root(&message.attested.beacon.root(), message.signature_slot).unwrap();
    // Eleven seats, each twice: 22 signatures, and 22 bits.
    let twice: Vec<usize> = (0..11).chain(0..11).collect();
    message.signed.iter_mut().enumerate().for_each(|(seat, signed)| *signed = seat < 22);
    message.signature = net.members(0).sign(&twice, &root);
    let update = net.wrap(8, Kind::Finality, &message);
    assert_eq!(follow(&net, &inside(), &update, &mut Memory::none()), Err(Code::BadSignature));
    message.signed.iter_mut().enumerate().for_each(|(seat, signed)| *signed = seat < 11);
    let update = net.wrap(8, Kind::Finality, &message);
    assert_eq!(follow(&net, &inside(), &update, &mut Memory::none()), Err(Code::QuorumNotReached));
}

/// Wormhole, February 2022: the message named the account that said whether it was valid. Here the committee
/// and the router come from what is trusted, and a message that brings others is refused.
#[test]
fn wormhole_what_decides_trust_does_not_come_with_the_message() {
    let net = net();
    let update = net.update(&inside());
    let other = Update::new(
        Height::new(8),
        Fork::Deneb,
        Kind::Finality,
        net.members(1).committee.clone(),
        None,
        update.bytes().to_vec(),
    );
    assert_eq!(follow(&net, &inside(), &other.unwrap(), &mut Memory::none()), Err(Code::WrongMembers));
    let mut profile = net.profile();
    profile.router = [5; 20];
    let path = b"client-0\x01\0\0\0\0\0\0\0\x05";
    let proof = Testnet::proof(24, path).to_bytes();
    let path = MerklePath::new(vec![path.to_vec()]).unwrap();
    let root = net.state_at(24).state_root;
    assert!(verify::membership(&profile, &root, &path, &[5; 32], &proof).is_err());
}

/// "When empty means valid": an empty proof is refused, except that it shows the empty trie to be empty.
#[test]
fn an_empty_proof_shows_only_that_the_empty_trie_is_empty() {
    let none: [&[u8]; 0] = [];
    assert_eq!(walk(&EMPTY_ROOT, &[1; 32], &none), Ok(Found::Absent));
    assert_eq!(walk(&EMPTY_ROOT, &[1; 32], &[[0x80]]), Ok(Found::Absent));
    assert_eq!(walk(&EMPTY_ROOT, &[1; 32], &[[0x80], [0x80]]).unwrap_err().code, Code::ProofShape);
    assert_eq!(walk(&[1; 32], &[1; 32], &none).unwrap_err().code, Code::Empty);
}

fn receipt_of(outcome: Outcome) -> Receipt {
    let log = |emitter: u8| receipt::Log { emitter: [emitter; 20], topics: vec![[1; 32]], data: vec![2; 40] };
    Receipt {
        kind: 2,
        outcome,
        cumulative_gas: 21_000,
        bloom: Box::new([0; 256]),
        logs: vec![log(1), log(2)],
    }
}

fn bytes_of(receipt: &Receipt) -> Vec<u8> {
    let mut logs = vec![];
    for log in &receipt.logs {
        let (mut topics, mut fields) = (vec![], vec![]);
        log.topics.iter().for_each(|topic| put_bytes(&mut topics, topic));
        put_bytes(&mut fields, &log.emitter);
        put_list(&mut fields, &topics);
        put_bytes(&mut fields, &log.data);
        put_list(&mut logs, &fields);
    }
    let mut fields = vec![];
    match receipt.outcome {
        Outcome::Succeeded => put_bytes(&mut fields, &[1]),
        Outcome::Failed => put_bytes(&mut fields, &[]),
        Outcome::Unknown { state_root } => put_bytes(&mut fields, &state_root),
    }
    put_bytes(&mut fields, &receipt.cumulative_gas.to_be_bytes()[6..]);
    put_bytes(&mut fields, &receipt.bloom[..]);
    put_list(&mut fields, &logs);
    let mut whole = if receipt.kind == 0 { vec![] } else { vec![receipt.kind] };
    put_list(&mut whole, &fields);
    whole
}

#[test]
fn an_event_counts_when_its_transaction_succeeded_and_its_emitter_is_the_one_asked_for() {
    let good = Receipt::read(&bytes_of(&receipt_of(Outcome::Succeeded))).unwrap();
    assert_eq!(good, receipt_of(Outcome::Succeeded));
    assert_eq!(good.event(1, &[2; 20]).unwrap(), &good.logs[1]);
    assert_eq!(good.event(1, &[1; 20]).unwrap_err().code, Code::WrongEmitter);
    assert_eq!(good.event(2, &[2; 20]).unwrap_err().code, Code::IndexOutOfTree);
    assert_eq!(good.event(usize::MAX, &[2; 20]).unwrap_err().code, Code::IndexOutOfTree);
    let failed = Receipt::read(&bytes_of(&receipt_of(Outcome::Failed))).unwrap();
    assert_eq!(failed.event(1, &[2; 20]).unwrap_err().code, Code::TransactionFailed);
    let old = Receipt { kind: 0, ..receipt_of(Outcome::Unknown { state_root: [3; 32] }) };
    let old = Receipt::read(&bytes_of(&old)).unwrap();
    assert_eq!(old.event(1, &[2; 20]).unwrap_err().code, Code::TransactionFailed);
    let typed = Receipt { kind: 2, ..receipt_of(Outcome::Unknown { state_root: [3; 32] }) };
    assert_eq!(Receipt::read(&bytes_of(&typed)).unwrap_err().code, Code::UnknownTag);
    for kind in [5, 0x7f, 0x80] {
        let odd = Receipt { kind, ..receipt_of(Outcome::Succeeded) };
        assert_eq!(Receipt::read(&bytes_of(&odd)).unwrap_err().code, Code::UnknownTag, "{kind}");
    }
}

#[test]
fn a_message_that_marks_what_its_kind_is_for_as_absent_is_no_update() {
    let net = net();
    let draft = Draft::new(8, 24, 40, Kind::Full);
    let mut message = net.message(&draft);
    message.next = None;
    let bytes = wire::update(&message, Kind::Full, Fork::Deneb);
    let committee = net.members(0).committee.clone();
    let made = Update::new(Height::new(8), Fork::Deneb, Kind::Full, committee, None, bytes);
    assert_eq!(made.unwrap_err().code, Code::NotCanonical);
}
