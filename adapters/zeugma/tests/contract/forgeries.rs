//! What only this family knows how to forge.

use crate::fixture::{
    Net, TRUSTED, closed, commitment, hand_over, handover_body, last, plain_keys, recertified, say,
};
use crate::group::Group;
use crate::leaf_forgeries::{leaves, trees};
use zeugma_adapter_core::testkit::{EvidenceCase, Expect, Forgery, Subject, UpdateCase};
use zeugma_adapter_zeugma::{Certified, Profile, State};
use zeugma_proof::testkit::{Keys, TestNetwork};
use zeugma_proof::{Endorsement, Header, Outbox, Proof};
use zeugma_types::codec::put_bytes;
use zeugma_types::{
    BlockTime, Code, Encode, Epoch, Era, HashSuite, Height, LeafIndex, NetworkId, OutboxRoot, SealSuite,
    Span, TreeSize, View,
};

pub(crate) const NEVER: Expect = Expect::Never;
const SIGNATURE: Expect = Expect::Code(Code::BadSignature);

pub(crate) fn all<F>(net: &Net<F>) -> Vec<Forgery> {
    [
        profiles(net),
        fields(net),
        signers(net),
        handovers(net),
        encodings(net),
        times(net),
        evidence(net),
        leaves(net),
        trees(net),
    ]
    .concat()
}

pub(crate) fn forgery(item: u8, name: &'static str, subject: Subject, expect: Expect) -> Forgery {
    Forgery { item, name, subject, expect }
}

fn profiles<F>(net: &Net<F>) -> Vec<Forgery> {
    let profile = |name, change: fn(&mut Profile)| {
        let mut changed = net.good_profile();
        change(&mut changed);
        forgery(0, name, Subject::Profile(changed.to_bytes()), Expect::Code(Code::BadProfile))
    };
    vec![
        profile("no drift", |p| p.drift = Span::ZERO),
        profile("a drift of more than a minute", |p| p.drift = Span::millis(60_001)),
        profile("a trusting period of less than a minute", |p| p.trusting_period = Span::millis(59_999)),
        profile("a trusting period of more than a year", |p| {
            p.trusting_period = Span::millis(366 * 86_400_000 + 1);
        }),
    ]
}

/// Item 2: one decoded field changed, encoded again; the certificate is of the old header.
fn fields<F>(net: &Net<F>) -> Vec<Forgery> {
    let update = |name, expect, change: &dyn Fn(&mut Certified)| {
        let mut target = net.certified(2);
        change(&mut target);
        forgery(2, name, Subject::Update(net.of_target(name, target)), expect)
    };
    let header = |name, change: fn(&mut Header)| update(name, SIGNATURE, &|t| change(&mut t.header));
    let other = [9; 32];
    let another_network = {
        let name = "the next header, for a client of another network";
        let mut target = net.certified(2);
        target.header.network = NetworkId::new([8; 32]);
        target.certificate = net.chain.certify(&net.keys[0], &target.header);
        forgery(11, name, Subject::Update(net.of_target(name, target)), Expect::Code(Code::WrongNetwork))
    };
    vec![
        another_network,
        update("the network", Expect::Code(Code::WrongNetwork), &|t| {
            t.header.network = NetworkId::new(other)
        }),
        update("the era", Expect::Code(Code::UnknownEra), &|t| t.header.era = Era::new(1)),
        update("the header's epoch", Expect::Code(Code::WrongEpoch), &|t| t.header.epoch = Epoch::new(1)),
        header("the height", |h| h.height = Height::new(3)),
        header("the time", |h| h.time = BlockTime::new(h.time.get() + 1)),
        header("the view of the proposal", |h| h.context.view = View::new(77)),
        header("the view of the parent", |h| h.context.parent_view = View::new(0)),
        header("the leader", |h| h.context.leader[0] ^= 1),
        header("the parent", |h| h.parent = zeugma_types::HeaderDigest::new([9; 32])),
        header("the body", |h| h.body = zeugma_types::BodyRoot::new([9; 32])),
        header("the state", |h| h.state.root = zeugma_types::StateRoot::new([9; 32])),
        header("the first operation", |h| h.state.begin += 1),
        header("the last operation", |h| h.state.end += 1),
        header("the size of the outbox", |h| h.outbox.size = TreeSize::new(h.outbox.size.get() + 1)),
        header("a root of the outbox", |h| {
            let mut roots = h.outbox.roots().to_vec();
            roots[0].1 = OutboxRoot::new([9; 32]);
            h.outbox = Outbox::new(h.outbox.size, roots).expect("the same suites");
        }),
        header("a root left out", |h| {
            h.outbox = Outbox::new(h.outbox.size, h.outbox.roots()[..1].to_vec()).expect("SHA-256 stays");
        }),
        update("the certificate's epoch", Expect::Code(Code::WrongEpoch), &|t| {
            t.certificate.epoch = Epoch::new(1);
        }),
        update("the certificate's view", SIGNATURE, &|t| t.certificate.view = View::new(9)),
        update("the certificate's parent view", SIGNATURE, &|t| t.certificate.parent_view = View::new(0)),
        update("both epochs", SIGNATURE, &|t| {
            (t.header.epoch, t.certificate.epoch) = (Epoch::new(1), Epoch::new(1));
        }),
    ]
}

/// Items 3 to 7: who signed. Shares of a dealt key are put together wrongly.
fn signers<F>(net: &Net<F>) -> Vec<Forgery> {
    let header = net.certified(2).header;
    let (group, strangers) = (Group::of(4), Group::of(7));
    let of_group = |item, name, certificate| {
        let case = net.of_target(name, Certified { header: header.clone(), certificate });
        let trusted = State::of(&net.certified(TRUSTED).header, group.key.clone()).to_bytes();
        forgery(item, name, Subject::Update(UpdateCase { trusted, ..case }), SIGNATURE)
    };
    let places = |signers: &[(usize, usize)]| group.certify_in_places(&header, signers);
    let by = |item, name, keys: &Keys| {
        let certificate = net.chain.certify(keys, &header);
        forgery(
            item,
            name,
            Subject::Update(net.of_target(name, Certified { header: header.clone(), certificate })),
            SIGNATURE,
        )
    };
    let signature = |item, name, signature: [u8; 48], expect| {
        let mut target = net.certified(2);
        target.certificate.signature = signature;
        forgery(item, name, Subject::Update(net.of_target(name, target)), expect)
    };
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    let mut negated = net.certified(2).certificate.signature;
    negated[0] ^= 0x20;
    let other = net.certified(3).certificate.signature;
    vec![
        of_group(3, "two shares in each other's places", places(&[(0, 1), (1, 0), (2, 2)])),
        of_group(4, "one share in two places", places(&[(0, 0), (1, 1), (1, 2)])),
        of_group(4, "one share in every place", places(&[(0, 0), (0, 1), (0, 2), (0, 3)])),
        of_group(5, "shares of another group", strangers.certify(&header, 5)),
        by(5, "the key of another network", &Keys::derive(99, 4)),
        by(5, "the key of the next era", &net.keys[1]),
        signature(7, "no signature", [0; 48], SIGNATURE),
        signature(7, "the point at infinity", infinity, SIGNATURE),
        signature(3, "the signature of the next header", other, SIGNATURE),
        signature(4, "the second form of the point", negated, SIGNATURE),
    ]
}

/// Hand-overs that were changed, reordered or are of another chain.
fn handovers<F>(net: &Net<F>) -> Vec<Forgery> {
    let [first, second] = [net.handovers[0].clone(), net.handovers[1].clone()];
    let update = |item, name, handovers: Vec<Proof>, height, expect| {
        forgery(item, name, Subject::Update(net.case(name, TRUSTED, &handovers, height)), expect)
    };
    let changed = |item, name, expect, change: &dyn Fn(&mut Proof)| {
        let mut proof = first.clone();
        change(&mut proof);
        update(item, name, vec![proof], 5, expect)
    };
    let code = Expect::Code;
    // An honest committee ends its era with its hand-over; these are signed by one that does not.
    let hand_over_early = |change: &dyn Fn(&mut TestNetwork) -> Proof| {
        let mut chain = net.early.clone();
        vec![change(&mut chain)]
    };
    let next = plain_keys(41);
    let not_last = hand_over_early(&|chain| {
        let mut body = handover_body(chain, 1, &next);
        body.outbox = net.certified(1).header.outbox;
        hand_over(chain, body)
    });
    let of_another_height = hand_over_early(&|chain| {
        let mut body = handover_body(chain, 1, &next);
        body.height = Height::new(2);
        hand_over(chain, body)
    });
    let skipping_an_era = hand_over_early(&|chain| {
        let body = handover_body(chain, 2, &next);
        hand_over(chain, body)
    });
    let by_strangers = {
        let mut proof = first.clone();
        proof.endorsement = Endorsement::Certificate(net.chain.certify(&Keys::derive(99, 4), &proof.header));
        vec![proof]
    };
    let mut elsewhere = TestNetwork::new(8);
    say(&mut elsewhere, commitment(1), 1);
    elsewhere.close_block();
    let body = handover_body(&elsewhere, 1, &next);
    let elsewhere = hand_over(&mut elsewhere, body);
    // A leaf of another kind, with its body.
    let closing = {
        let mut proof = net.chain.prove_under(
            LeafIndex::new(5),
            HashSuite::Sha256,
            &net.chain.headers[3].0,
            net.chain.headers[3].1,
        );
        proof.opening = Some(closed(9).to_bytes());
        vec![proof]
    };
    vec![
        changed(2, "a hand-over without its body", code(Code::OpeningMissing), &|p| p.opening = None),
        changed(2, "a hand-over with another body", NEVER, &|p| {
            p.opening.as_mut().expect("it has one")[20] ^= 1;
        }),
        changed(2, "a hand-over with the next one's body", NEVER, &|p| p.opening.clone_from(&second.opening)),
        changed(2, "a hand-over with a path it does not need", code(Code::ConsistencyUnneeded), &|p| {
            p.consistency = Some(vec![[1; 32]]);
        }),
        changed(2, "a hand-over's header of another time", NEVER, &|p| {
            p.header.time = BlockTime::new(p.header.time.get() + 1);
        }),
        changed(3, "a hand-over whose path has two nodes swapped", code(Code::NotIncluded), &|p| {
            p.inclusion.path.swap(0, 1);
        }),
        changed(5, "a hand-over under a second seal", code(Code::UnsupportedSuite), &|p| {
            let seal = net.chain.seal(&net.keys[0], &p.header, SealSuite::ALL[0], 4);
            p.endorsement = Endorsement::Seal(seal);
        }),
        update(5, "a hand-over that strangers signed", by_strangers, 5, SIGNATURE),
        update(7, "no hand-over where the era changes", vec![], 5, code(Code::UnknownEra)),
        update(8, "more hand-overs than an update takes", vec![first.clone(); 5], 5, code(Code::TooMany)),
        update(11, "a hand-over of another network", vec![elsewhere], 5, code(Code::WrongNetwork)),
        update(11, "a closing act for a hand-over", closing, 5, code(Code::WrongPath)),
        update(11, "a hand-over before its era ends", not_last, 5, code(Code::NotEraEnd)),
        update(11, "a hand-over of another height", of_another_height, 5, code(Code::NotEraEnd)),
        update(11, "a hand-over that skips an era", skipping_an_era, 5, code(Code::NotNextEra)),
        update(
            12,
            "the second hand-over before the first",
            vec![second.clone(), first.clone()],
            7,
            code(Code::UnknownEra),
        ),
        update(
            12,
            "the first hand-over twice",
            vec![first.clone(), first.clone()],
            5,
            code(Code::RetiredEra),
        ),
        update(
            12,
            "a hand-over, and a header of the era it ended",
            vec![first.clone()],
            4,
            code(Code::RetiredEra),
        ),
        update(
            12,
            "two hand-overs, and a header of the era between",
            vec![first, second],
            6,
            code(Code::RetiredEra),
        ),
    ]
}

/// Item 10: what a lenient reader would take for the same.
fn encodings<F>(net: &Net<F>) -> Vec<Forgery> {
    let case = net.case("", TRUSTED, &net.handovers[..1], 5);
    let bytes = |name, update: Vec<u8>, expect| {
        forgery(10, name, Subject::Update(UpdateCase { name, update, ..case.clone() }), expect)
    };
    let proof = net.handovers[0].to_bytes();
    let target = net.certified(5).to_bytes();
    let write = |handover: &[u8], target: &[u8]| {
        let mut out = Vec::new();
        1_u32.encode(&mut out);
        put_bytes(&mut out, handover);
        out.extend_from_slice(target);
        out
    };
    // The option before the consistency path is the last byte of the hand-over's proof.
    let (&none, before) = proof.split_last().expect("a proof has bytes");
    assert_eq!(none, 0, "no consistency path is needed under a present key");
    let flagged = |flag: u8| write(&[before, &[flag]].concat(), &target);
    let mut header = net.certified(2);
    let unsorted = {
        let mut roots = header.header.outbox.roots().to_vec();
        roots.reverse();
        let mut out = Vec::new();
        0_u32.encode(&mut out);
        let bytes = header.header.to_bytes();
        // The roots are the last part of a header: a suite and 32 bytes each.
        out.extend_from_slice(&bytes[..bytes.len() - roots.len() * 33]);
        for (suite, root) in roots {
            suite.encode(&mut out);
            root.encode(&mut out);
        }
        header.certificate.encode(&mut out);
        out
    };
    let signature = |name, signature: [u8; 48]| {
        let mut target = net.certified(2);
        target.certificate.signature = signature;
        forgery(10, name, Subject::Update(net.of_target(name, target)), NEVER)
    };
    let mut uncompressed = header.certificate.signature;
    uncompressed[0] &= 0x7f;
    // Views until one is signed by a point that has a second form of its coordinate.
    let (high, view) = (50..)
        .find_map(|view| {
            let certificate = recertified(&net.keys[0], &header.header, view);
            Some((above_modulus(&certificate.signature)?, certificate))
        })
        .expect("one of four points has one");
    header.certificate = zeugma_proof::Certificate { signature: high, ..view };
    vec![
        bytes("a flag of two for nothing", flagged(2), NEVER),
        bytes(
            "a consistency path of no hashes for none",
            write(&[before, &[1, 0, 0, 0, 0]].concat(), &target),
            NEVER,
        ),
        bytes("a byte after a hand-over", write(&[&proof[..], &[0]].concat(), &target), NEVER),
        bytes("roots in another order", unsorted, Expect::Code(Code::NotSorted)),
        signature("a point without the flag of compression", uncompressed),
        forgery(
            10,
            "a coordinate with the modulus added",
            Subject::Update(net.of_target("a coordinate with the modulus added", header)),
            NEVER,
        ),
        forgery(
            10,
            "a leaf proof with a longer list of hashes of none",
            {
                let mut proof = net.there();
                proof.proof.extend([0; 4]);
                Subject::Proof(proof)
            },
            NEVER,
        ),
    ]
}

/// The same point with the field's modulus added to its coordinate, where that fits.
fn above_modulus(signature: &[u8; 48]) -> Option<[u8; 48]> {
    const MODULUS: &str =
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
    let mut out = *signature;
    let flags = out[0] & 0xe0;
    out[0] &= 0x1f;
    let mut carry = 0_u16;
    for at in (0..48).rev() {
        let digit = u8::from_str_radix(&MODULUS[2 * at..2 * at + 2], 16).expect("a hex digit");
        let sum = u16::from(out[at]) + u16::from(digit) + carry;
        (out[at], carry) = (sum.to_be_bytes()[1], sum >> 8);
    }
    (carry == 0 && out[0] < 0x20).then(|| {
        out[0] |= flags;
        out
    })
}

/// Item 12: height, time and era against the trusted state and the clock.
fn times<F>(net: &Net<F>) -> Vec<Forgery> {
    let drift = net.good_profile().drift;
    let target = net.certified(2).header;
    let at = |name, now, expect| {
        forgery(12, name, Subject::Update(UpdateCase { now, ..net.forged(name, &target) }), expect)
    };
    let first_ahead = BlockTime::new(target.time.get() - drift.get());
    let from = |name, trusted, height, expect| {
        forgery(12, name, Subject::Update(net.case(name, trusted, &[], height)), expect)
    };
    // Headers that only a committee which signs against itself could make.
    let mut shrunk = net.certified(3).header;
    shrunk.outbox = net.certified(1).header.outbox;
    let mut shrunk = net.forged("a later header with a smaller outbox", &shrunk);
    shrunk.trusted = net.state(2).to_bytes();
    let mut swollen = net.certified(2).header;
    swollen.outbox = net.certified(4).header.outbox;
    let mut swollen = net.forged("an earlier header with a larger outbox", &swollen);
    swollen.trusted = net.state(3).to_bytes();
    let mut late = net.certified(4).header;
    (late.height, late.time) = (Height::new(99), net.certified(7).header.time);
    let mut late = net.forged("the newest header of all, under the first key", &late);
    late.trusted = net.state(5).to_bytes();
    let handover_ahead = {
        let name = "a hand-over ahead of the clock";
        let mut case = net.case(name, TRUSTED, &net.handovers[..1], 5);
        case.now = BlockTime::new(net.handovers[0].header.time.get() - drift.get());
        forgery(12, name, Subject::Update(case), Expect::Code(Code::HeaderAhead))
    };
    let not_consistent = Expect::Code(Code::NotConsistent);
    vec![
        at("a header at the end of the drift", first_ahead, Expect::Code(Code::HeaderAhead)),
        handover_ahead,
        forgery(12, shrunk.name, Subject::Update(shrunk), not_consistent),
        forgery(12, swollen.name, Subject::Update(swollen), not_consistent),
        forgery(12, late.name, Subject::Update(late), Expect::Code(Code::RetiredEra)),
        from("a header of the era before", 5, 4, Expect::Code(Code::RetiredEra)),
        from("a header of two eras before", 7, 4, Expect::Code(Code::RetiredEra)),
        from("a header of the next era", 3, 5, Expect::Code(Code::UnknownEra)),
    ]
}

/// Items 12 to 14: what must not freeze.
fn evidence<F>(net: &Net<F>) -> Vec<Forgery> {
    let none = Expect::Code(Code::NoMisbehaviour);
    let of = |item, name, one: &Certified, other: &Certified, expect| {
        forgery(item, name, Subject::Evidence(net.accuse(name, one.clone(), other.clone())), expect)
    };
    let (one, other) = (net.certified(3), net.fork());
    let mut another_view = one.clone();
    another_view.certificate = recertified(&net.keys[0], &one.header, 60);
    let mut unsigned = other.clone();
    unsigned.certificate.signature = [0; 48];
    let mut borrowed = other.clone();
    borrowed.certificate = one.certificate;
    let mut strange = other.clone();
    strange.certificate = net.chain.certify(&Keys::derive(99, 4), &strange.header);
    let mut other_epoch = other.clone();
    other_epoch.certificate.epoch = Epoch::new(1);
    let elsewhere = {
        let mut chain = TestNetwork::new(8);
        say(&mut chain, commitment(1), 1);
        chain.close_block();
        last(&chain)
    };
    let same_time = {
        // One height apart, the later one later by a millisecond.
        let mut header = net.certified(4).header;
        header.time = BlockTime::new(one.header.time.get() + 1);
        let certificate = net.chain.certify(&net.keys[0], &header);
        Certified { header, certificate }
    };
    let retired = {
        let name = "a fork of an era that handed over";
        let trusted = net.state(5).to_bytes();
        let case = net.accuse(name, one.clone(), other.clone());
        let case = EvidenceCase { trusted: [trusted.clone(), trusted], ..case };
        forgery(12, name, Subject::Evidence(case), Expect::Code(Code::RetiredEra))
    };
    let ahead = {
        let name = "a fork ahead of the clock";
        let mut case = net.accuse(name, one.clone(), other.clone());
        case.now = BlockTime::new(one.header.time.get() - net.good_profile().drift.get());
        forgery(12, name, Subject::Evidence(case), Expect::Code(Code::HeaderAhead))
    };
    vec![
        of(13, "one header twice", &one, &one, none),
        of(13, "one header, finalized in two views", &one, &another_view, none),
        of(13, "one header, the later view first", &another_view, &one, none),
        of(13, "two headers in order", &net.certified(2), &one, none),
        of(13, "two headers in order, the later first", &one, &net.certified(2), none),
        of(13, "two headers a millisecond apart", &one, &same_time, none),
        of(14, "an unsigned header", &one, &unsigned, SIGNATURE),
        of(14, "an unsigned header, first", &unsigned, &one, SIGNATURE),
        of(14, "a header with the other's certificate", &one, &borrowed, SIGNATURE),
        of(14, "a header signed by strangers", &one, &strange, SIGNATURE),
        of(14, "a certificate of another epoch", &one, &other_epoch, Expect::Code(Code::WrongEpoch)),
        of(14, "a header of another network", &one, &elsewhere, Expect::Code(Code::WrongNetwork)),
        of(14, "a header of the next era", &one, &net.certified(5), Expect::Code(Code::UnknownEra)),
        retired,
        ahead,
    ]
}
