//! One bundle for each form that a bundle may have: every kind of authority, endorsement, tree and anchor.

use super::{Case, case, renewed, years};
use zeugma_evidence_log::entry::Suites;
use zeugma_evidence_log::record::{CustomField, Field};
use zeugma_evidence_log::{Disclosure, Record};
use zeugma_evidence_verify::bundle::{AnchorKind, Bundle, OtherAnchor, Stamp};
use zeugma_evidence_verify::testkit::authority::{CertificateSpec, TestAuthority, revocation_list};
use zeugma_evidence_verify::testkit::key::Kind;
use zeugma_evidence_verify::testkit::{STAMPED, World, record};
use zeugma_proof::{Endorsement, LeafFormat, Proof, Signatures};
use zeugma_types::{
    BlockTime, Decode, Encode, Epoch, HashSuite, LeafIndex, LeafPath, SealSuite, Span, Value,
};

pub(super) fn features(world: &World) -> Vec<Case> {
    let mut cases = authorities(world);
    cases.extend(proofs(world));
    cases.extend(logs());
    cases.extend(around(world));
    cases
}

/// The second time-stamp is of this authority, whose root the policy names.
fn stamped_by(world: &World, name: &str, root: &[u8], stamp: Stamp) -> Case {
    let mut bundle = world.bundle.clone();
    bundle.stamps[1] = stamp;
    let mut case = case(world, name, &bundle.sealed(), None);
    case.policy.authorities[1].anchor = root.to_vec();
    case
}

fn authorities(world: &World) -> Vec<Case> {
    let message = world.message();
    let next = STAMPED.after(Span::seconds(86_400)).unwrap();
    let mut cases = Vec::new();
    for (kind, name) in [
        (Kind::P384, "an authority with ECDSA on P-384, its point compressed"),
        (Kind::Rsa, "an authority with RSA"),
        (Kind::Pss, "an authority with RSASSA-PSS"),
        (Kind::Sm2, "an authority with SM2"),
        (Kind::Ed25519, "an authority with Ed25519"),
    ] {
        let (root, signer) =
            (CertificateSpec::root("Root"), CertificateSpec::stamper("Signer of Time", "Root"));
        let authority = TestAuthority::of(kind, root, signer);
        let list = revocation_list("Root", &authority.root_key, (STAMPED, next), &[]);
        let stamp = Stamp {
            token: authority.stamp(&message, STAMPED),
            certificates: Vec::new(),
            revocation: vec![list],
        };
        cases.push(stamped_by(world, name, &authority.root, stamp));
    }
    let deep = deep_authority();
    let (middle, authority) = (deep.1, deep.2);
    let stamp = Stamp {
        token: authority.stamp(&message, STAMPED),
        certificates: vec![middle],
        revocation: Vec::new(),
    };
    cases.push(stamped_by(world, "an authority two steps above its signer", &deep.0, stamp));
    // Revoked the day after, for no reason that reaches back.
    let list =
        revocation_list("Observatory Root", &world.observatory.root_key, (next, next), &[(2, next, 4)]);
    let mut stamp = world.bundle.stamps[1].clone();
    stamp.revocation = vec![list];
    let root = world.observatory.root.clone();
    cases.push(stamped_by(world, "a signer revoked later", &root, stamp));
    cases
}

/// Root, the certificate below it, and the authority whose signer stands below that.
fn deep_authority() -> (Vec<u8>, Vec<u8>, TestAuthority) {
    let root = TestAuthority::new("Deep Root", "nobody");
    let middle = CertificateSpec {
        issuer: "Deep Root",
        serial: 3,
        authority: Some(Some(0)),
        ..CertificateSpec::root("Middle")
    };
    let authority =
        TestAuthority::with(CertificateSpec::root("Middle"), CertificateSpec::stamper("Deep", "Middle"));
    let middle = middle.make(&authority.root_key, &root.root_key);
    (root.root, middle, authority)
}

/// The bundle with its proof changed.
fn proven(world: &World, change: impl FnOnce(&mut Proof)) -> Bundle {
    let mut bundle = world.bundle.clone();
    let mut proof = Proof::from_bytes(bundle.proof.as_ref().unwrap()).unwrap();
    change(&mut proof);
    bundle.proof = Some(proof.to_bytes());
    bundle.sealed()
}

fn proofs(world: &World) -> Vec<Case> {
    let network = &world.network;
    let (header, certificate) = network.headers.last().unwrap();
    let mut cases = Vec::new();
    for suite in SealSuite::ALL {
        let seal = network.seal(&network.keys, header, *suite, 3);
        let bundle = proven(world, |proof| proof.endorsement = Endorsement::Seal(seal));
        cases.push(case(world, &format!("a network that seals with {}", suite.name()), &bundle, None));
    }
    let second = network.prove_under(LeafIndex::new(0), HashSuite::Sm3, header, *certificate).inclusion;
    let bundle = proven(world, |proof| proof.inclusion = second);
    cases.push(case(world, "a proof in the network's SM3 tree", &bundle, None));

    let mut later = network.clone();
    later.say(LeafFormat::Sha256, LeafPath::standing(Epoch::new(1)), Value::new([1; 32]));
    later.close_block();
    later.hand_over(2);
    let trust = later.trust_file();
    let path = later.into_pin(header, HashSuite::Sha256);
    let bundle = proven(world, |proof| proof.consistency = Some(path));
    cases.push(Case { trust, ..case(world, "a proof under a retired era", &bundle, None) });
    // The hand-over's block closed before: this one is of the era after it.
    later.close_block();
    let renewed = later.prove(LeafIndex::new(0));
    let bundle = proven(world, |proof| {
        (proof.header, proof.endorsement) = (renewed.header, renewed.endorsement);
        proof.inclusion = renewed.inclusion;
    });
    cases.push(case(world, "a proof under an era that the trust file does not know", &bundle, None));
    cases
}

fn logs() -> Vec<Case> {
    let single = World::of(record(), Suites::Sha256);
    let mut one = case(&single, "a log of one tree", &single.bundle, None);
    one.policy.second_keys.clear();
    let custom =
        |name: &str, value: &[u8]| Field::Custom(CustomField { name: name.into(), value: value.to_vec() });
    let mut fields: Vec<Field> = record().fields().to_vec();
    fields.retain(|field| !matches!(field, Field::Sha256(_)));
    fields.extend([custom("binary", &[0xff, 0]), custom("empty", b""), custom("line", b"one\ntwo")]);
    let other = World::of(Record::new(fields).unwrap(), Suites::Both);
    let mut closed =
        case(&other, "fields of all kinds, one closed, the digest in SM3 alone", &other.bundle, None);
    let open = |field: &Field| field.name() != "submitter";
    let mut bundle = other.bundle.clone();
    bundle.disclosure = Disclosure::of(&other.record, &other.seed, Suites::Both, open);
    closed.bundle = bundle.sealed().to_bytes();
    vec![one, closed]
}

fn around(world: &World) -> Vec<Case> {
    let mut anchored = world.bundle.clone();
    let anchor = |kind: &AnchorKind| OtherAnchor { kind: *kind, bytes: kind.name().as_bytes().to_vec() };
    // Of every kind that is carried and not read under a policy of the first form.
    let carried = AnchorKind::ALL.iter().filter(|kind| **kind != AnchorKind::InForce);
    anchored.anchors = carried.map(anchor).collect();
    let mut broken = world.clone();
    let key = broken.break_promise();
    let mut promise = case(&broken, "a broken promise", &broken.bundle.clone().sealed(), None);
    promise.policy.service_key = Some(key);
    let mut unsigned = case(world, "a trust file that nobody signed", &world.bundle, None);
    unsigned.trust.signatures = Signatures::default();
    let mut thin = case(world, "a trust file that one of three signed", &world.bundle, None);
    let first = thin.trust.signatures.list()[0];
    thin.trust.signatures = Signatures::new(vec![first]).unwrap();
    vec![
        case(world, "an anchor of every kind", &anchored.sealed(), None),
        promise,
        unsigned,
        thin,
        renewed_twice(world),
    ]
}

/// The first renewal rests on what lapsed too, and the second was made before that.
fn renewed_twice(world: &World) -> Case {
    let first = renewed(world, years(5));
    let message = first.seal.stamped();
    let (root, signer) = (CertificateSpec::root("Root"), CertificateSpec::stamper("Signer of Time", "Root"));
    let office = TestAuthority::of(Kind::P384, root, signer);
    let bundle = first.renewed(vec![world.stamp_of(&office, &message, years(7))]);
    let at = |year: u64| -> BlockTime { years(year) };
    let mut case = case(world, "renewed twice, each time in time", &bundle, None);
    case.trust = world.trust_with(&[
        ("ecdsa-p256", at(8)),
        ("ed25519", at(6)),
        ("ml-dsa-44", at(6)),
        ("sha256", at(9)),
    ]);
    case.time = at(8);
    case.policy.authorities[0].anchor = office.root;
    case.policy.authorities[0].policies.clear();
    case.policy.authorities.push(zeugma_evidence_verify::policy::Authority {
        institution: "Time Office".into(),
        anchor: world.office.root.clone(),
        policies: Vec::new(),
    });
    case
}
