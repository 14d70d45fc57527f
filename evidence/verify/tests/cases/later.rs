//! What came later than the first form of the policy: responders' answers, shards, receipts of other services, packs in
//! force.

use super::fields::values;
use super::{Case, case, years};
use zeugma_crypto::hash::sha256;
use zeugma_evidence_verify::Policy;
use zeugma_evidence_verify::bundle::{AnchorKind, Bundle, InForce, OtherAnchor};
use zeugma_evidence_verify::policy::{Later, Service, Shards};
use zeugma_evidence_verify::testkit::authority::{ANSWERING, CertificateSpec, SERVER, key, revocation_list};
use zeugma_evidence_verify::testkit::key::{Kind, TestKey};
use zeugma_evidence_verify::testkit::responder::{AnswerSpec, Status, cose_of, cose_receipt};
use zeugma_evidence_verify::testkit::{ORIGIN, STAMPED, World};
use zeugma_proof::{Endorsement, Proof};
use zeugma_types::{BlockTime, Code, Decode, Encode, LeafIndex, Span};

const ROOT: &str = "Observatory Root";
const ISSUER: &str = "https://transparency.example";

pub(super) fn second_form(shards: Shards, services: Vec<Service>) -> Option<Later> {
    Some(Later { shards, services })
}

fn later(seconds: u64) -> BlockTime {
    STAMPED.after(Span::seconds(seconds)).unwrap()
}

/// The usual answer about the observatory's signer, by its root.
fn answer(world: &World, said: Status) -> AnswerSpec {
    AnswerSpec::new(ROOT, &world.observatory.root_key, said, later(1))
}

/// The bundle with this revocation data beside the observatory's time-stamp.
fn answered(world: &World, mut revocation: Vec<Vec<u8>>) -> Bundle {
    let mut bundle = world.bundle.clone();
    revocation.sort();
    bundle.stamps[1].revocation = revocation;
    bundle.sealed()
}

/// A certificate that the observatory's root issued for answers, and its key.
fn delegate(world: &World, change: impl FnOnce(&mut CertificateSpec)) -> (Vec<u8>, TestKey) {
    let mut spec = CertificateSpec {
        serial: 5,
        purposes: Some((false, vec![ANSWERING])),
        ..CertificateSpec::stamper("Delegate", ROOT)
    };
    change(&mut spec);
    (spec.make(&key("Delegate"), &world.observatory.root_key), key("Delegate"))
}

fn delegated(world: &World, change: impl FnOnce(&mut CertificateSpec)) -> Vec<u8> {
    let (certificate, by) = delegate(world, change);
    let spec = AnswerSpec { responder: None, certificates: vec![certificate], ..answer(world, Status::Good) };
    spec.make(&by)
}

fn list(world: &World, revoked: &[(u8, BlockTime, u8)]) -> Vec<u8> {
    revocation_list(ROOT, &world.observatory.root_key, (later(2), later(90)), revoked)
}

fn service(kind: Kind) -> (TestKey, Service) {
    let by = TestKey::new(kind, "transparency service");
    let service = Service { institution: "Archive".into(), issuer: Some(ISSUER.into()), key: by.public() };
    (by, service)
}

fn with_anchor(world: &World, kind: AnchorKind, bytes: Vec<u8>) -> Bundle {
    let mut bundle = world.bundle.clone();
    bundle.anchors.push(OtherAnchor { kind, bytes });
    bundle.sealed()
}

fn under(mut case: Case, change: impl FnOnce(&mut Policy)) -> Case {
    change(&mut case.policy);
    case
}

pub(super) fn golden(world: &World) -> Vec<Case> {
    let root = &world.observatory.root_key;
    let with = |name: &str, revocation: Vec<Vec<u8>>| case(world, name, &answered(world, revocation), None);
    let second = |case: Case| under(case, |policy| policy.later = second_form(Shards::Alone, Vec::new()));
    let revoked = answer(world, Status::Revoked(later(1), Some(4))).make(root);
    let mut cases = vec![
        with("a responder that says good", vec![answer(world, Status::Good).make(root)]),
        with(
            "a delegate that answers, and a revocation list",
            vec![delegated(world, |_| {}), list(world, &[])],
        ),
        with("a responder that does not know the signer", vec![answer(world, Status::Unknown).make(root)]),
        with(
            "a responder that does not know the signer, and a revocation list",
            vec![answer(world, Status::Unknown).make(root), list(world, &[])],
        ),
        second(with("a signer revoked later, says its responder", vec![revoked])),
        second(with("a signer revoked later, says a list", vec![list(world, &[(2, later(80), 9)])])),
        second(case(world, "a policy of the second form", &world.bundle, None)),
    ];
    cases.extend(shards());
    cases.extend(receipts(world));
    cases.extend(packs(world));
    cases
}

fn shard(name: &str, origin: &str) -> Case {
    let shard = World::of_shard(origin);
    under(case(&shard, name, &shard.bundle, None), |policy| {
        policy.later = second_form(Shards::Followed, Vec::new());
    })
}

fn shards() -> Vec<Case> {
    vec![
        shard("a shard of the policy's log", &format!("{ORIGIN}/shard/2027")),
        shard("the policy's log, whose shards are followed", ORIGIN),
    ]
}

fn receipts(world: &World) -> Vec<Case> {
    let of = |name: &str, kind: Kind, over: &[u8], services: &dyn Fn(Service) -> Vec<Service>| {
        let (by, named) = service(kind);
        let receipt = cose_receipt(over, Some(ISSUER), &by);
        let services = services(named);
        under(case(world, name, &with_anchor(world, AnchorKind::Cose, receipt), None), |policy| {
            policy.later = second_form(Shards::Alone, services);
        })
    };
    let (message, entry) = (world.message(), world.bundle.entry.to_bytes());
    vec![
        of("a receipt over the checkpoint", Kind::Ed25519, &message, &|one| vec![one]),
        of("a receipt over the entry, with ECDSA", Kind::P256, &entry, &|one| vec![one]),
        of("a receipt whose issuer makes no difference", Kind::Ed25519, &message, &|one| {
            vec![Service { issuer: None, ..one }]
        }),
        of("a receipt of a service that the policy does not name", Kind::Ed25519, &message, &|one| {
            vec![Service { issuer: Some("https://elsewhere.example".into()), ..one }]
        }),
        under(
            of("an institution that holds it counts", Kind::Ed25519, &message, &|one| vec![one]),
            |policy| {
                policy.institutions_needed = 6;
            },
        ),
    ]
}

/// A bundle with a verdict given so long after the pack was registered, and the proofs that it was in force.
fn in_force(world: &World, after: u64, change: impl FnOnce(&mut InForce)) -> Bundle {
    let (mut shown, [since, _]) = world.in_force(2, Some(sha256(&[b"pack"])));
    change(&mut shown);
    let mut world = world.clone();
    world.judge_at(&[("origin-is-named", 1, 1)], since.after(Span::millis(after)).unwrap());
    with_anchor(&world, AnchorKind::InForce, shown.to_bytes())
}

fn packs(world: &World) -> Vec<Case> {
    let second = |case: Case| under(case, |policy| policy.later = second_form(Shards::Alone, Vec::new()));
    let old = case(world, "a pack in force, under a trust file too old", &in_force(world, 500, |_| {}), None);
    vec![
        second(case(world, "a pack in force when it was applied", &in_force(world, 500, |_| {}), None)),
        second(case(
            world,
            "a pack in force until before it was applied",
            &in_force(world, 1_001, |_| {}),
            None,
        )),
        case(world, "a pack in force, under a policy of the first form", &in_force(world, 0, |_| {}), None),
        Case { time: years(2), ..old },
    ]
}

/// Cases that are refused.
pub(super) fn negative(world: &World) -> Vec<Case> {
    let mut cases = responders(world);
    cases.extend(strangers(world));
    cases.extend(registry(world));
    cases
}

fn responders(world: &World) -> Vec<Case> {
    let root = &world.observatory.root_key;
    let bad = |name: &str, code: Code, answer: Vec<u8>| {
        case(world, name, &answered(world, vec![answer]), Some(code))
    };
    let usual = |said: Status| answer(world, said);
    let before = BlockTime::new(STAMPED.get() - 1_000);
    let good = usual(Status::Good);
    let over = |change: &dyn Fn(&mut AnswerSpec)| {
        let mut spec = good.clone();
        change(&mut spec);
        spec.make(root)
    };
    // An identifier under a signature with SHA-1, of as many bytes.
    let sha256_oid = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    let mut weak = good.make(root);
    let at = weak.windows(9).position(|window| window == sha256_oid).unwrap();
    weak[at..at + 9].copy_from_slice(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5]);
    let short = BlockTime::new(STAMPED.get() + 10_000);
    let ended = |name: &str, data: &dyn Fn(&TestKey) -> Vec<u8>| {
        let spec = CertificateSpec {
            valid: (BlockTime::new(1_600_000_000_000), short),
            ..CertificateSpec::stamper("Observatory Signer", ROOT)
        };
        let authority = zeugma_evidence_verify::testkit::authority::TestAuthority::with(
            CertificateSpec::root(ROOT),
            spec,
        );
        let mut bundle = world.bundle.clone();
        bundle.stamps[1] = world.stamp_of(&authority, &world.message(), STAMPED);
        bundle.stamps[1].revocation = vec![data(&authority.root_key)];
        let mut case = case(world, name, &bundle.sealed(), Some(Code::BadRevocation));
        case.policy.authorities[1].anchor = authority.root;
        case
    };
    vec![
        bad(
            "revoked before, says its responder",
            Code::CertificateRevoked,
            usual(Status::Revoked(before, None)).make(root),
        ),
        bad(
            "revoked later for a compromised key, says its responder",
            Code::CertificateRevoked,
            usual(Status::Revoked(later(1), Some(1))).make(root),
        ),
        bad("a responder that declines", Code::ResponderDeclined, over(&|spec| spec.status = 3)),
        bad("an answer that somebody else signed", Code::BadSignature, good.make(&key("somebody"))),
        bad(
            "an answer of a name that is not there",
            Code::BadRevocation,
            over(&|spec| spec.responder = Some("Nobody")),
        ),
        bad("an answer about another certificate", Code::BadRevocation, over(&|spec| spec.serial = 9)),
        bad("an answer about another issuer", Code::BadRevocation, over(&|spec| spec.issuer = "Nobody")),
        bad("an answer older than the time-stamp", Code::BadRevocation, over(&|spec| spec.made = before)),
        bad("an answer of another version", Code::BadRevocation, over(&|spec| spec.version = Some(1))),
        bad(
            "an answer with a critical extension",
            Code::CriticalExtension,
            over(&|spec| spec.critical = Some(&[0x2a, 3, 4])),
        ),
        bad("an answer under SHA-1", Code::RefusedAlgorithm, weak),
        bad(
            "a delegate that is not for answers",
            Code::NotAResponder,
            delegated(world, |spec| {
                spec.purposes = Some((true, vec![SERVER]));
            }),
        ),
        bad(
            "a delegate of another issuer",
            Code::NotAResponder,
            delegated(world, |spec| spec.issuer = "Nobody"),
        ),
        bad(
            "a delegate that was not valid when it answered",
            Code::NotValidThen,
            delegated(world, |spec| {
                spec.valid = (later(60), later(90));
            }),
        ),
        ended("a list made after the end of the certificate", &|by| {
            revocation_list(ROOT, by, (later(60), later(90)), &[])
        }),
        ended("an answer made after the end of the certificate", &|by| {
            AnswerSpec::new(ROOT, by, Status::Good, later(60)).make(by)
        }),
    ]
}

fn strangers(world: &World) -> Vec<Case> {
    let refused = |mut case: Case, code: Code| {
        case.refused = Some(code);
        case
    };
    let alone = |origin: &str, name: &str| {
        let case = under(shard(name, origin), |policy| policy.later.as_mut().unwrap().shards = Shards::Alone);
        refused(case, Code::WrongOrigin)
    };
    let year = format!("{ORIGIN}/shard/2027");
    let mixed = {
        let shard = World::of_shard(&year);
        let mut bundle = shard.bundle.clone();
        bundle.receipt = world.bundle.receipt.clone();
        let case =
            case(&shard, "a shard with a receipt of the log", &bundle.sealed(), Some(Code::WrongOrigin));
        under(case, |policy| policy.later = second_form(Shards::Followed, Vec::new()))
    };
    let proof = {
        let shard = World::of_shard(&year);
        let mut bundle = shard.bundle.clone();
        bundle.proof = world.bundle.proof.clone();
        let case = case(&shard, "a shard with the log's anchor", &bundle.sealed(), Some(Code::WrongOrigin));
        under(case, |policy| policy.later = second_form(Shards::Followed, Vec::new()))
    };
    let by = service(Kind::Ed25519).0;
    let cose = |name: &str, code: Code, receipt: Vec<u8>| {
        let case = case(world, name, &with_anchor(world, AnchorKind::Cose, receipt), Some(code));
        under(case, |policy| {
            policy.later = second_form(Shards::Alone, vec![service(Kind::Ed25519).1]);
        })
    };
    let message = world.message();
    vec![
        alone(&year, "a shard, and a policy for the log alone"),
        refused(shard("a shard of a shard", &format!("{year}/shard/1")), Code::WrongOrigin),
        refused(shard("a log beside the policy's", &format!("{ORIGIN}-2/shard/1")), Code::WrongOrigin),
        refused(shard("the audit log of a shard", &format!("{year}/audit")), Code::WrongOrigin),
        mixed,
        proof,
        cose(
            "a receipt over something else",
            Code::BadSignature,
            cose_receipt(b"another", Some(ISSUER), &by),
        ),
        cose(
            "a receipt that somebody else signed",
            Code::BadSignature,
            cose_receipt(&message, Some(ISSUER), &TestKey::new(Kind::Ed25519, "somebody")),
        ),
        cose("a receipt of consistency", Code::BadReceipt, cose_of([1, 2], -2, &message, Some(ISSUER), &by)),
        cose(
            "a receipt of a place beyond the tree",
            Code::IndexOutOfTree,
            cose_of([2, 2], -1, &message, Some(ISSUER), &by),
        ),
        cose("a receipt that is none", Code::UnknownTag, b"receipt".to_vec()),
    ]
}

fn registry(world: &World) -> Vec<Case> {
    let bad = |name: &str, code: Code, bytes: Vec<u8>| {
        case(world, name, &with_anchor(world, AnchorKind::InForce, bytes), Some(code))
    };
    let shown = |kind: u8, digest: Option<[u8; 32]>| world.in_force(kind, digest).0;
    let usual = || shown(2, Some(sha256(&[b"pack"])));
    let altered = |change: &dyn Fn(&mut InForce)| {
        let mut one = usual();
        change(&mut one);
        one.to_bytes()
    };
    let without = |which: fn(&mut InForce) -> &mut Vec<u8>| {
        altered(&|one| {
            let bytes = which(one);
            let mut proof = Proof::from_bytes(bytes).unwrap();
            proof.opening = None;
            *bytes = proof.to_bytes();
        })
    };
    vec![
        bad("a registration of another kind", Code::WrongPath, shown(3, Some([1; 32])).to_bytes()),
        bad("a registration that was revoked", Code::NotStanding, shown(2, None).to_bytes()),
        bad("a place in another list", Code::NotStanding, altered(&|one| one.neighbour.proof[0][0] ^= 1)),
        bad(
            "a place of another leaf",
            Code::NotStanding,
            altered(&|one| {
                one.neighbour.entry.leaf = zeugma_types::LeafHash::new([1; 32]);
            }),
        ),
        bad(
            "a registration in place of a standing",
            Code::WrongPath,
            altered(&|one| {
                one.standing = one.registered.clone();
            }),
        ),
        bad(
            "a standing in place of a registration",
            Code::WrongPath,
            altered(&|one| {
                one.registered = one.standing.clone();
            }),
        ),
        bad("a registration without its opening", Code::OpeningMissing, without(|one| &mut one.registered)),
        bad("a standing without its opening", Code::OpeningMissing, without(|one| &mut one.standing)),
        bad(
            "a standing with its certificate altered",
            Code::BadSignature,
            altered(&|one| {
                let mut proof = Proof::from_bytes(&one.standing).unwrap();
                let Endorsement::Certificate(certificate) = &mut proof.endorsement else {
                    panic!("it has one")
                };
                certificate.signature[47] ^= 1;
                one.standing = proof.to_bytes();
            }),
        ),
        bad("proofs of a pack with a byte more", Code::TrailingBytes, [usual().to_bytes(), vec![0]].concat()),
    ]
}

/// A bundle with a responder's answer and the proofs of a pack in force.
pub(super) fn answered_and_in_force(world: &World) -> Bundle {
    let mut bundle = in_force(world, 500, |_| {});
    let (certificate, by) = delegate(world, |_| {});
    let spec = AnswerSpec { certificates: vec![certificate], responder: None, ..answer(world, Status::Good) };
    bundle.stamps[1].revocation = vec![spec.make(&by)];
    bundle.sealed()
}

/// Each value of its answer, and each part of its proofs.
pub(super) fn altered(whole: &Bundle) -> Vec<(String, Bundle)> {
    let mut list = Vec::new();
    let of_answer = values(&whole.stamps[1].revocation[0], 0);
    for (number, at) in of_answer.into_iter().enumerate() {
        let mut bundle = whole.clone();
        bundle.stamps[1].revocation[0][at] ^= 1;
        list.push((format!("answer: value {number}"), bundle));
    }
    let mut none = whole.clone();
    none.stamps[1].revocation.clear();
    list.push(("answer: none".into(), none));
    let place = whole.anchors.iter().position(|anchor| anchor.kind == AnchorKind::InForce).unwrap();
    let mut add = |name: &str, change: &dyn Fn(&mut InForce)| {
        let mut bundle = whole.clone();
        let mut shown = InForce::from_bytes(&bundle.anchors[place].bytes).unwrap();
        change(&mut shown);
        bundle.anchors[place].bytes = shown.to_bytes();
        list.push((format!("in force: {name}"), bundle));
    };
    let flipped = |hash: &mut [u8; 32]| hash[5] ^= 1;
    add("leaf", &|one| one.neighbour.entry.leaf = zeugma_types::LeafHash::new([9; 32]));
    add("index", &|one| one.neighbour.entry.index = LeafIndex::new(77));
    add("path", &|one| {
        one.neighbour.entry.path = zeugma_types::LeafPath::registry(2, "another-pack").unwrap();
    });
    add("position", &|one| one.neighbour.position = LeafIndex::new(2));
    add("a hash", &|one| flipped(&mut one.neighbour.proof[0]));
    add("a longer path", &|one| one.neighbour.proof.push([0; 32]));
    add("exchanged", &|one| core::mem::swap(&mut one.registered, &mut one.standing));
    type Change = fn(&mut Proof);
    let changes: [(&str, Change); 7] = [
        ("header time", |proof| proof.header.time = BlockTime::new(proof.header.time.get() + 1)),
        ("leaf time", |proof| proof.leaf.time = BlockTime::new(proof.leaf.time.get() - 1)),
        ("leaf value", |proof| proof.leaf.value = zeugma_types::Value::new([9; 32])),
        ("index", |proof| proof.inclusion.index = LeafIndex::new(0)),
        ("opening", |proof| *proof.opening.as_mut().unwrap().last_mut().unwrap() ^= 1),
        ("no opening", |proof| proof.opening = None),
        ("certificate", |proof| {
            let Endorsement::Certificate(certificate) = &mut proof.endorsement else { panic!("it has one") };
            certificate.signature[47] ^= 1;
        }),
    ];
    for (name, change) in changes {
        let changed = |bytes: &mut Vec<u8>| {
            let mut proof = Proof::from_bytes(bytes).unwrap();
            change(&mut proof);
            *bytes = proof.to_bytes();
        };
        add(&format!("registration, {name}"), &|one| changed(&mut one.registered));
        add(&format!("standing, {name}"), &|one| changed(&mut one.standing));
    }
    let mut none = whole.clone();
    none.anchors.remove(place);
    list.push(("in force: none".into(), none));
    list
}
