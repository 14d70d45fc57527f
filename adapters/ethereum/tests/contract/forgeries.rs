//! What only this family knows how to forge.

use crate::fixture::{Net, PROVED, inside, into_second};
use zeugma_adapter_core::MerklePath;
use zeugma_adapter_core::testkit::{EvidenceCase, Expect, Forgery, ProofCase, Subject, UpdateCase};
use zeugma_adapter_ethereum::account::{STOCK_COMMITMENTS, commitment_slot};
use zeugma_adapter_ethereum::committee::Committee;
use zeugma_adapter_ethereum::container::{Kind, LightUpdate};
use zeugma_adapter_ethereum::fork::Fork;
use zeugma_adapter_ethereum::rlp::{put_bytes, put_list};
use zeugma_adapter_ethereum::testnet::{Draft, Members, Sparse, Testnet, Trie, account, wire};
use zeugma_adapter_ethereum::{Evidence, Profile, State, StoreProof, Update};
use zeugma_crypto::hash::keccak256;
use zeugma_types::codec::{put_bytes as put, put_option};
use zeugma_types::{Code, Decode, Encode, Height, Span};

const SIGNATURE: Expect = Expect::Code(Code::BadSignature);

pub(crate) fn all<F>(net: &Net<F>) -> Vec<Forgery> {
    [profiles(net), signers(net), committees(net), slots(net), fields(net), evidence(net), proofs(net)]
        .concat()
}

fn forgery(item: u8, name: &'static str, subject: Subject, expect: Expect) -> Forgery {
    Forgery { item, name, subject, expect }
}

fn code(code: Code) -> Expect {
    Expect::Code(code)
}

fn profiles<F>(net: &Net<F>) -> Vec<Forgery> {
    let profile = |item, name, change: fn(&mut Profile)| {
        let mut changed = net.chain.profile();
        change(&mut changed);
        forgery(item, name, Subject::Profile(changed.to_bytes()), code(Code::BadProfile))
    };
    vec![
        profile(7, "a genesis validators root of zeros", |p| p.chain.genesis_validators_root = [0; 32]),
        profile(7, "no forks", |p| p.chain.forks.clear()),
        profile(7, "no router", |p| p.router = [0; 20]),
        profile(7, "epochs without slots", |p| p.chain.slots_per_epoch = 0),
        profile(7, "periods without epochs", |p| p.chain.epochs_per_period = 0),
        profile(7, "slots that take no time", |p| p.chain.slot_time = Span::ZERO),
        profile(7, "no trusting period", |p| p.trusting_period = Span::ZERO),
        profile(8, "a committee of 31", |p| p.chain.committee_size = 31),
        profile(8, "a committee of a thousand", |p| p.chain.committee_size = 1024),
        profile(10, "forks out of order", |p| p.chain.forks.swap(0, 1)),
        profile(10, "two forks of one version", |p| p.chain.forks[1].version = p.chain.forks[0].version),
        profile(12, "a trusting period above two thirds of the weak subjectivity period", |p| {
            p.trusting_period = Span::millis(p.weak_subjectivity_period.get() / 3 * 2 + 1);
        }),
        profile(12, "a drift of an hour", |p| p.max_drift = Span::seconds(3_600)),
    ]
}

/// An update of `draft` whose message was changed.
fn changed<F>(net: &Net<F>, draft: &Draft, change: impl FnOnce(&mut LightUpdate)) -> UpdateCase {
    let mut message = net.chain.message(draft);
    net.chain.sign(&mut message, &(0..31).collect::<Vec<_>>());
    change(&mut message);
    net.case("", draft, &net.chain.wrap(draft.trusted, draft.kind, &message))
}

fn signers<F>(net: &Net<F>) -> Vec<Forgery> {
    let root = |message: &LightUpdate| {
        net.chain.chain.signing_root(&message.attested.beacon.root(), message.signature_slot).unwrap()
    };
    let update = |item, name, expect, change: &dyn Fn(&mut LightUpdate)| {
        forgery(item, name, Subject::Update(changed(net, &inside(), |m| change(m))), expect)
    };
    let below = net.chain.update_by(&inside(), 21);
    let seats: Vec<usize> = (0..24).collect();
    vec![
        forgery(
            6,
            "one below two thirds",
            Subject::Update(net.case("", &inside(), &below)),
            code(Code::QuorumNotReached),
        ),
        update(7, "nobody signed", code(Code::QuorumNotReached), &|message| {
            message.signed.fill(false);
            message.signature = [0; 96];
        }),
        update(7, "a signature of zeros", SIGNATURE, &|message| message.signature = [0; 96]),
        update(7, "a signature at infinity", SIGNATURE, &|message| {
            message.signature = [0; 96];
            message.signature[0] = 0xc0;
        }),
        update(4, "a signature counted twice", SIGNATURE, &|message| {
            let twice = [&seats[..], &[3]].concat();
            message.signature = net.chain.members(0).sign(&twice, &root(message));
            message.signed.iter_mut().enumerate().for_each(|(seat, signed)| *signed = seat < 24);
        }),
        update(4, "a signature that fills another seat", SIGNATURE, &|message| {
            let twice = [&seats[..], &[3]].concat();
            message.signature = net.chain.members(0).sign(&twice, &root(message));
            message.signed.iter_mut().enumerate().for_each(|(seat, signed)| *signed = seat < 25);
        }),
        update(5, "a stranger among the signers", SIGNATURE, &|message| {
            message.signature = Members::new(b"strangers", 32).sign(&seats, &root(message));
            message.signed.iter_mut().enumerate().for_each(|(seat, signed)| *signed = seat < 24);
        }),
    ]
}

/// An update as it travels, of parts that need not fit.
fn travelling(trusted: u64, fork: Fork, kind: u8, committee: &Committee, message: &[u8]) -> Vec<u8> {
    let mut out = vec![];
    Height::new(trusted).encode(&mut out);
    fork.encode(&mut out);
    out.push(kind);
    put(&mut out, committee.as_bytes());
    put_option(&mut out, None::<&Vec<u8>>, |out, block| put(out, block));
    put(&mut out, message);
    out
}

fn committees<F>(net: &Net<F>) -> Vec<Forgery> {
    let draft = inside();
    let good = net.case("", &draft, &net.chain.update(&draft));
    let message = net.chain.update(&draft).bytes().to_vec();
    let of = |committee: &Committee| UpdateCase {
        update: travelling(8, Fork::Deneb, 2, committee, &message),
        ..good.clone()
    };
    let mut swapped = net.chain.members(0).committee.as_bytes().to_vec();
    let (one, rest) = swapped.split_at_mut(48);
    one.swap_with_slice(&mut rest[..48]);
    let swapped = Committee::new(&swapped).unwrap();
    // A committee of our own that signs its own message.
    let strangers = Members::new(b"strangers", 32);
    let mut own = net.chain.message(&draft);
    let root = net.chain.chain.signing_root(&own.attested.beacon.root(), own.signature_slot).unwrap();
    own.signed.fill(true);
    own.signature = strangers.sign(&(0..32).collect::<Vec<_>>(), &root);
    let own = wire::update(&own, Kind::Finality, Fork::Deneb);
    let own =
        UpdateCase { update: travelling(8, Fork::Deneb, 2, &strangers.committee, &own), ..good.clone() };
    let larger = Members::new(b"larger", 64);
    let mut wide = net.chain.message(&draft);
    wide.signed = vec![true; 64];
    let wide = wire::update(&wide, Kind::Finality, Fork::Deneb);
    let wide = UpdateCase { update: travelling(8, Fork::Deneb, 2, &larger.committee, &wide), ..good.clone() };
    vec![
        forgery(3, "two seats swapped", Subject::Update(of(&swapped)), code(Code::WrongMembers)),
        forgery(5, "a committee of strangers", Subject::Update(own), code(Code::WrongMembers)),
        forgery(
            5,
            "the committee of the next period",
            Subject::Update(of(&net.chain.members(1).committee)),
            code(Code::WrongMembers),
        ),
        forgery(8, "a committee of another size", Subject::Update(wide), code(Code::UnknownSigner)),
    ]
}

fn slots<F>(net: &Net<F>) -> Vec<Forgery> {
    let update = |item, name, draft: Draft, expect| {
        let update = net.chain.update(&draft);
        forgery(item, name, Subject::Update(net.case("", &draft, &update)), expect)
    };
    let early = {
        let case = net.case("", &inside(), &net.chain.update(&inside()));
        // The drift is ten seconds.
        UpdateCase { now: net.chain.time(39), ..case }
    };
    let draft = |trusted, finalized, attested, kind| Draft::new(trusted, finalized, attested, kind);
    vec![
        update(12, "the trusted header again", draft(24, 24, 40, Kind::Finality), code(Code::NotNewer)),
        update(12, "an older header", draft(24, 16, 40, Kind::Finality), code(Code::NotNewer)),
        update(12, "of a period before", draft(72, 40, 56, Kind::Finality), code(Code::NotNewer)),
        update(
            12,
            "signed in the slot of its header",
            Draft { signature: 40, ..inside() },
            code(Code::BadHeader),
        ),
        update(
            12,
            "finalized after it was attested",
            draft(8, 41, 40, Kind::Finality),
            code(Code::BadHeader),
        ),
        update(12, "signed by a committee not known yet", draft(24, 136, 152, Kind::Full), Expect::NotYet),
        update(
            12,
            "into a period without its committee",
            draft(24, 72, 88, Kind::Finality),
            code(Code::NextCommitteeMissing),
        ),
        forgery(12, "signed ahead of our clock", Subject::Update(early), code(Code::HeaderAhead)),
    ]
}

fn fields<F>(net: &Net<F>) -> Vec<Forgery> {
    let update = |item, name, draft: &Draft, expect, change: &dyn Fn(&mut LightUpdate)| {
        forgery(item, name, Subject::Update(changed(net, draft, |message| change(message))), expect)
    };
    let included = code(Code::NotIncluded);
    let finality = |message: &mut LightUpdate| message.finality.take().unwrap();
    // A header of Gloas that keeps its state where Electra kept it.
    let gloas = Draft::new(136, 200, 216, Kind::Finality);
    let mut old = net.chain.message(&gloas);
    let (finalized, _) = old.finality.take().unwrap();
    let index = Fork::Electra.indices().finalized;
    let state = Sparse::new([(index, finalized.beacon.root())]);
    old.attested = net.chain.header(216, [0, 0], state.node(1));
    old.finality = Some((finalized, [vec![[0; 32]; 2], state.branch(index)].concat()));
    net.chain.sign(&mut old, &(0..32).collect::<Vec<_>>());
    let old = net.case("", &gloas, &net.chain.wrap(136, Kind::Finality, &old));
    // The message of a fork in the layout of the one after it, which is the same.
    let second = net.chain.update(&into_second());
    let renamed = travelling(24, Fork::Fulu, 1, &second.committee, second.bytes());
    let renamed = UpdateCase { update: renamed, ..net.case("", &into_second(), &second) };
    // A gap before the first part.
    let mut gap = net.chain.update(&inside()).bytes().to_vec();
    gap[0] += 1;
    let gap = travelling(8, Fork::Deneb, 2, &net.chain.members(0).committee, &gap);
    let gap = UpdateCase { update: gap, ..net.case("", &inside(), &net.chain.update(&inside())) };
    vec![
        update(2, "another proposer", &inside(), SIGNATURE, &|m| m.attested.beacon.proposer_index += 1),
        update(2, "another signature slot", &inside(), SIGNATURE, &|m| {
            m.signature[5] ^= 1;
        }),
        update(3, "two hashes of a branch swapped", &inside(), included, &|message| {
            let (header, mut branch) = finality(message);
            branch.swap(0, 1);
            message.finality = Some((header, branch));
        }),
        update(3, "the attested header as the finalized one", &inside(), included, &|message| {
            let (_, branch) = finality(message);
            message.finality = Some((message.attested.clone(), branch));
        }),
        update(3, "the present committee as the next", &into_second(), included, &|message| {
            let (_, branch) = message.next.take().unwrap();
            message.next = Some((net.chain.members(1).committee.clone(), branch));
        }),
        update(11, "another finalized header", &inside(), included, &|message| {
            let (_, branch) = finality(message);
            let other = net.chain.header(16, [0, 0], [1; 32]);
            message.finality = Some((other, branch));
        }),
        forgery(10, "the name of another fork", Subject::Update(renamed), code(Code::BadHeader)),
        forgery(10, "a gap before the first part", Subject::Update(gap), code(Code::NotCanonical)),
        forgery(20, "a header of Gloas at Electra's index", Subject::Update(old), Expect::Never),
    ]
}

fn evidence<F>(net: &Net<F>) -> Vec<Forgery> {
    let case = |item, name, drafts: [&Draft; 2], expect| {
        forgery(item, name, Subject::Evidence(net.evidence_of("", drafts)), expect)
    };
    let draft = inside();
    let elsewhere = Draft { head: 1, ..inside() };
    let other = Draft { history: 1, ..inside() };
    let unsigned = |signers| {
        let updates = [net.chain.update(&draft), net.chain.update_by(&other, signers)];
        EvidenceCase { evidence: Evidence { updates }.to_bytes(), ..net.evidence_of("", [&draft, &other]) }
    };
    let nothing = code(Code::NoMisbehaviour);
    let quorum = code(Code::QuorumNotReached);
    vec![
        case(13, "one message twice", [&draft, &draft], nothing),
        case(13, "one finalized header under two heads", [&draft, &elsewhere], nothing),
        case(13, "two headers of one history", [&draft, &Draft::new(8, 32, 48, Kind::Finality)], nothing),
        forgery(14, "one header that nobody signed", Subject::Evidence(unsigned(0)), quorum),
        forgery(14, "one header that too few signed", Subject::Evidence(unsigned(21)), quorum),
    ]
}

/// A state with this root, and a path and proof to ask it for.
fn asked<F>(
    net: &Net<F>,
    root: [u8; 32],
    path: &[u8],
    value: Option<[u8; 32]>,
    proof: &StoreProof,
) -> ProofCase {
    let state = State { state_root: root, ..net.chain.state_at(PROVED) };
    ProofCase {
        name: "",
        state: state.to_bytes(),
        path: MerklePath::new(vec![path.into()]).unwrap(),
        value: value.map(Vec::from),
        proof: proof.to_bytes(),
    }
}

/// A world whose only account is the router, with this value under `path`, beside one other slot.
fn world(
    path: &[u8],
    stored: Vec<u8>,
    account_bytes: impl Fn(&[u8; 32]) -> Vec<u8>,
) -> ([u8; 32], StoreProof) {
    let slot = commitment_slot(path, &STOCK_COMMITMENTS);
    let storage = Trie::secure([(slot, stored), ([1; 32], vec![1])]);
    let accounts = Trie::secure([(Testnet::ROUTER, account_bytes(&storage.root())), ([1; 20], vec![1])]);
    let proof =
        StoreProof { account: accounts.secure_proof(&Testnet::ROUTER), storage: storage.secure_proof(&slot) };
    (accounts.root(), proof)
}

fn proofs<F>(net: &Net<F>) -> Vec<Forgery> {
    let root = State::from_bytes(&net.chain.state_at(PROVED).to_bytes()).unwrap().state_root;
    let there = &b"client-0\x01\0\0\0\0\0\0\0\x05"[..];
    let beside = &b"client-0\x01\0\0\0\0\0\0\0\x06"[..];
    let missing = &b"client-0\x02\0\0\0\0\0\0\0\x05"[..];
    let good = Testnet::proof(PROVED, there);
    let absent = Testnet::proof(PROVED, missing);
    let case = |item, name, path: &[u8], value: Option<[u8; 32]>, proof: &StoreProof, expect| {
        forgery(item, name, Subject::Proof(asked(net, root, path, value, proof)), expect)
    };
    let cut = |proof: &StoreProof, nodes: usize| {
        let mut cut = proof.clone();
        cut.storage.truncate(cut.storage.len() - nodes);
        cut
    };
    let more = |proof: &StoreProof| {
        let mut more = proof.clone();
        more.storage.extend(more.storage.last().cloned());
        more
    };
    let none = StoreProof { account: vec![], storage: vec![] };
    let no_storage = StoreProof { storage: vec![], ..good.clone() };
    let deep = StoreProof { account: vec![vec![0; 40]; 66], ..good.clone() };
    let long = StoreProof { account: vec![vec![0; StoreProof::MAX_NODE + 1]], ..good.clone() };
    let stored = |value: &[u8]| {
        let mut stored = vec![];
        put_bytes(&mut stored, value);
        stored
    };
    let made = |item, name, value: Option<[u8; 32]>, stored: Vec<u8>, expect| {
        let (root, proof) = world(there, stored, |storage| account(1, storage));
        forgery(item, name, Subject::Proof(asked(net, root, there, value, &proof)), expect)
    };
    let odd_account = {
        let (root, proof) = world(there, stored(&[5; 32]), |storage| {
            let mut fields = vec![0x82, 0x00, 0x01, 0x80];
            put_bytes(&mut fields, storage);
            put_bytes(&mut fields, &keccak256(&[]));
            let mut whole = vec![];
            put_list(&mut whole, &fields);
            whole
        });
        asked(net, root, there, Some([5; 32]), &proof)
    };
    let no_router = {
        let others = Trie::secure((1..20_u8).map(|number| ([number; 20], account(1, &[1; 32]))));
        let proof = StoreProof { account: others.secure_proof(&Testnet::ROUTER), storage: vec![] };
        asked(net, others.root(), missing, None, &proof)
    };
    let shape = code(Code::ProofShape);
    vec![
        case(
            3,
            "the value of the slot beside",
            there,
            Some([6; 32]),
            &Testnet::proof(PROVED, beside),
            Expect::Never,
        ),
        case(3, "the account of another", there, Some([5; 32]), &swapped(&good), Expect::Never),
        case(7, "no nodes", there, Some([5; 32]), &none, code(Code::Empty)),
        case(7, "no nodes for an absence", missing, None, &none, code(Code::Empty)),
        case(7, "no nodes of the storage", there, Some([5; 32]), &no_storage, code(Code::Empty)),
        case(7, "no nodes of the storage for an absence", there, None, &no_storage, code(Code::Empty)),
        case(7, "zero as a value", missing, Some([0; 32]), &absent, code(Code::Empty)),
        case(7, "zero as a value of what is there", there, Some([0; 32]), &good, code(Code::Empty)),
        case(8, "more nodes than a key has digits", there, Some([5; 32]), &deep, code(Code::TooMany)),
        case(8, "a node that is too long", there, Some([5; 32]), &long, code(Code::TooLong)),
        case(9, "a node after the end", there, Some([5; 32]), &more(&good), shape),
        case(9, "a node after the end of an absence", missing, None, &more(&absent), shape),
        made(10, "a value with a zero in front", Some([5; 32]), stored(&[0, 5]), code(Code::NotCanonical)),
        made(
            10,
            "a value that says its length twice",
            Some([5; 32]),
            vec![0x81, 5],
            code(Code::NotCanonical),
        ),
        made(
            10,
            "a value and more",
            Some([5; 32]),
            [stored(&[5; 32]), vec![1]].concat(),
            code(Code::TrailingBytes),
        ),
        made(10, "zero, stored", None, vec![0x80], Expect::Never),
        forgery(10, "an account with a zero in front", Subject::Proof(odd_account), code(Code::NotCanonical)),
        forgery(11, "an absence without a router", Subject::Proof(no_router), code(Code::NotProven)),
        case(16, "an absence cut by one node", missing, None, &cut(&absent, 1), shape),
        case(16, "a presence cut by one node, as an absence", there, None, &cut(&good, 1), shape),
    ]
}

/// The proof with the account's leaf of another account.
fn swapped(proof: &StoreProof) -> StoreProof {
    let mut swapped = proof.clone();
    let mut leaf = swapped.account.pop().unwrap();
    let last = leaf.len() - 40;
    leaf[last] ^= 1;
    swapped.account.push(leaf);
    swapped
}

/// Keeps the compiler's eye on the parts that the forgeries are made of.
#[test]
fn an_update_made_of_its_parts_is_the_update() {
    let net = Net::<()>::new();
    let update = net.chain.update(&inside());
    let bytes = travelling(8, Fork::Deneb, 2, &update.committee, update.bytes());
    assert_eq!(Update::from_bytes(&bytes).unwrap(), update);
    assert_eq!(update.to_bytes(), bytes);
}
