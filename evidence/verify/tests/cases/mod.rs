//! Golden and negative cases of bundles, from which the vectors are written.

pub(crate) mod features;
pub(crate) mod fields;
mod later;

use zeugma_evidence_log::entry::Suites;
use zeugma_evidence_log::record::Field;
use zeugma_evidence_log::{Disclosure, Shown};
use zeugma_evidence_verify::bundle::{Bundle, OtherAnchor, Stamp};
use zeugma_evidence_verify::policy::Network;
use zeugma_evidence_verify::testkit::{FILE, JUDGED, STAMPED, World};
use zeugma_evidence_verify::{Policy, Question, Report, Subject, verify};
use zeugma_proof::TrustFile;
use zeugma_types::{BlockTime, Code, Decode, Encode, LeafIndex, Refusal, Span};

/// One question with its answer.
pub(crate) struct Case {
    /// What it is about.
    pub(crate) name: String,
    /// The bundle.
    pub(crate) bundle: Vec<u8>,
    /// The file presented.
    pub(crate) file: Option<Vec<u8>>,
    /// The trust file.
    pub(crate) trust: TrustFile,
    /// The policy.
    pub(crate) policy: Policy,
    /// For when.
    pub(crate) time: BlockTime,
    /// The refusal, or `None` for a report.
    pub(crate) refused: Option<Code>,
}

/// The answer to a case.
pub(crate) fn answer(case: &Case) -> Result<Report, Refusal> {
    verify(&Question {
        bundle: &case.bundle,
        subject: case.file.as_deref().map_or(Subject::Nothing, Subject::File),
        trust: &case.trust,
        policy: &case.policy,
        time: case.time,
    })
}

/// The case of a bundle as it stands.
pub(crate) fn case(world: &World, name: &str, bundle: &Bundle, refused: Option<Code>) -> Case {
    Case {
        name: name.into(),
        bundle: bundle.to_bytes(),
        file: Some(FILE.to_vec()),
        trust: world.trust.clone(),
        policy: world.policy.clone(),
        time: JUDGED,
        refused,
    }
}

/// Years, near enough.
pub(crate) fn years(count: u64) -> BlockTime {
    JUDGED.after(Span::seconds(count * 31_557_600)).unwrap()
}

/// A bundle renewed by both authorities.
pub(crate) fn renewed(world: &World, at: BlockTime) -> Bundle {
    let message = world.bundle.seal.stamped();
    let stamps = [&world.office, &world.observatory].map(|one| world.stamp_of(one, &message, at));
    world.bundle.clone().renewed(stamps.to_vec())
}

/// Cases that have a report.
pub(crate) fn golden(world: &World) -> Vec<Case> {
    let whole = &world.bundle;
    let mut cases = vec![case(world, "everything is there", whole, None)];
    let with = |name: &str, change: &dyn Fn(&mut Bundle)| {
        let mut bundle = whole.clone();
        change(&mut bundle);
        case(world, name, &bundle.sealed(), None)
    };
    cases.push(Case { file: Some(b"another file".to_vec()), ..case(world, "another file", whole, None) });
    cases.push(Case { file: None, ..case(world, "no file", whole, None) });
    let open = |choose: fn(&Field) -> bool| {
        let disclosure = Disclosure::of(&world.record, &world.seed, Suites::Both, choose);
        with("some fields are closed", &|bundle| bundle.disclosure = disclosure.clone())
    };
    cases.push(open(|field| matches!(field, Field::Sm3(_) | Field::Size(_))));
    cases.push(Case { name: "no digest is opened".into(), ..open(|field| matches!(field, Field::Size(_))) });
    cases.push(with("no receipt", &|bundle| bundle.receipt = None));
    cases.push(with("no second tree", &|bundle| {
        bundle.logging.second = None;
        bundle.stamps.clear();
    }));
    cases.push(with("no proof", &|bundle| bundle.proof = None));
    cases.push(with("no time-stamps", &|bundle| bundle.stamps.clear()));
    cases.push(with("one authority of two", &|bundle| drop(bundle.stamps.pop())));
    cases.push(with("no verdict", &|bundle| bundle.verdicts.clear()));
    cases.push(with("no other anchor", &|bundle| bundle.anchors.clear()));
    let mut contested = world.clone();
    contested.judge(&[("origin-is-named", 1, 2), ("another", 1, 1)]);
    cases.push(case(&contested, "a rule found the contrary", &contested.bundle.clone().sealed(), None));
    let strangers = |name: &str, change: &dyn Fn(&mut Policy)| {
        let mut case = case(world, name, whole, None);
        change(&mut case.policy);
        case
    };
    cases.push(strangers("a policy that knows no witness", &|policy| policy.witnesses.clear()));
    cases.push(strangers("a policy that knows one authority", &|policy| drop(policy.authorities.pop())));
    cases.push(strangers("a policy that knows no service", &|policy| policy.service_key = None));
    cases.push(strangers("a policy that knows no second tree", &|policy| policy.second_keys.clear()));
    cases.push(strangers("authorities of one institution count once", &|policy| {
        policy.authorities[1].institution = "Time Office".into();
    }));
    cases.push(strangers("a witness of the operator is none", &|policy| {
        for witness in &mut policy.witnesses {
            witness.institution = policy.operator.clone();
        }
    }));
    cases.push(Case { time: years(2), ..case(world, "the trust file is too old", whole, None) });
    let mut required = case(world, "a policy that asks for the network, and no proof", &without(world), None);
    required.policy.network = Network::Required;
    cases.push(required);
    cases.push(strangers("a policy that asks for the network", &|policy| policy.network = Network::Required));
    cases.extend(ageing(world));
    cases.extend(features::features(world));
    cases.extend(later::golden(world));
    cases
}

/// The bundle without the network's proof.
fn without(world: &World) -> Bundle {
    let mut bundle = world.bundle.clone();
    bundle.proof = None;
    bundle.sealed()
}

fn ageing(world: &World) -> Vec<Case> {
    let (renewal, sunset) = (years(5), years(6));
    let lapsed = world.trust_with(&[("ed25519", sunset), ("sha256", sunset)]);
    let aged = |name: &str, bundle: &Bundle, trust: &TrustFile| Case {
        trust: trust.clone(),
        time: years(7),
        ..case(world, name, bundle, None)
    };
    let both = world.trust_with(&[("ed25519", sunset), ("ml-dsa-44", sunset)]);
    let all = world.trust_with(&[("ecdsa-p256", sunset), ("ed25519", sunset), ("ml-dsa-44", sunset)]);
    vec![
        aged("lapsed without a renewal", &world.bundle, &lapsed),
        aged("lapsed with a renewal that lapsed too", &renewed(world, renewal), &all),
        aged("lapsed and renewed before", &renewed(world, renewal), &both),
        aged("renewed too late", &renewed(world, sunset), &both),
        aged(
            "one of the log's two algorithms lapsed",
            &world.bundle,
            &world.trust_with(&[("ed25519", sunset)]),
        ),
        aged("the last tree standing is of SM3", &world.bundle, &world.trust_with(&[("sha256", sunset)])),
    ]
}

/// Cases that are refused, sealed again where the seal would say so first.
pub(crate) fn negative(world: &World) -> Vec<Case> {
    let whole = &world.bundle;
    let altered = |name: &str, code: Code, change: &dyn Fn(&mut Bundle)| {
        let mut bundle = whole.clone();
        change(&mut bundle);
        case(world, name, &bundle.sealed(), Some(code))
    };
    let flip = |bytes: &mut [u8]| bytes[bytes.len() / 2] ^= 1;
    let receipt = |change: &dyn Fn(&mut zeugma_evidence_verify::bundle::Receipt)| {
        altered("a receipt altered", Code::BadSignature, &|bundle| change(bundle.receipt.as_mut().unwrap()))
    };
    let swap = |note: &mut String, from: &str, to: &str| *note = note.replacen(from, to, 1);
    let other = World::new().observatory.stamp(b"something else", STAMPED);
    let mut cases = vec![
        altered("another entry", Code::WrongDisclosure, &|bundle| bundle.entry.sha256[0] ^= 1),
        altered("another entry in SM3", Code::WrongDisclosure, &|bundle| {
            bundle.entry.sm3.as_mut().unwrap()[0] ^= 1;
        }),
        altered("an entry without SM3", Code::NotIncluded, &|bundle| bundle.entry.sm3 = None),
        altered("another salt", Code::WrongDisclosure, &|bundle| {
            let Shown::Open { salt, .. } = &mut bundle.disclosure.fields[0] else { panic!("all are open") };
            salt[0] ^= 1;
        }),
        altered("another field", Code::WrongDisclosure, &|bundle| {
            let Shown::Open { field, .. } = &mut bundle.disclosure.fields[3] else { panic!("all are open") };
            *field = Field::Size(1);
        }),
        altered("a field less", Code::WrongDisclosure, &|bundle| drop(bundle.disclosure.fields.pop())),
        altered("another index", Code::NotIncluded, &|bundle| bundle.logging.index = LeafIndex::new(5)),
        altered("an index beyond the tree", Code::IndexOutOfTree, &|bundle| {
            bundle.logging.index = LeafIndex::new(7);
        }),
        altered("another path", Code::NotIncluded, &|bundle| bundle.logging.first.path[0][0] ^= 1),
        altered("a longer path", Code::PathLength, &|bundle| bundle.logging.first.path.push([0; 32])),
        altered("another path in SM3", Code::NotIncluded, &|bundle| {
            bundle.logging.second.as_mut().unwrap().path[0][0] ^= 1;
        }),
        altered("another origin", Code::WrongOrigin, &|bundle| {
            swap(&mut bundle.logging.first.note, "log.example/evidence\n", "log.example/elsewhere\n");
        }),
        altered("another size", Code::BadSignature, &|bundle| {
            swap(&mut bundle.logging.first.note, "\n7\n", "\n8\n");
        }),
        altered("a checkpoint without the log's signature", Code::UnknownSigner, &|bundle| {
            let note = &mut bundle.logging.first.note;
            let start = note.find("\n\n").unwrap() + 2;
            let end = start + note[start..].find('\n').unwrap() + 1;
            note.replace_range(start..end, "");
        }),
        altered("a signature twice", Code::RepeatedSigner, &|bundle| {
            let note = &mut bundle.logging.first.note;
            let last = note.trim_end().rsplit('\n').next().unwrap().to_owned();
            note.push_str(&format!("{last}\n"));
        }),
        altered("a bad cosignature", Code::BadSignature, &|bundle| {
            let note = &mut bundle.logging.first.note;
            let at = note.find("court.example/witness ").unwrap() + "court.example/witness ".len() + 40;
            let letter = if &note[at..=at] == "A" { "B" } else { "A" };
            note.replace_range(at..=at, letter);
        }),
        altered("the notes of the trees exchanged", Code::WrongOrigin, &|bundle| {
            let second = bundle.logging.second.as_mut().unwrap();
            core::mem::swap(&mut bundle.logging.first.note, &mut second.note);
        }),
        receipt(&|receipt| receipt.received_at = STAMPED),
        receipt(&|receipt| receipt.first = LeafIndex::new(9)),
        receipt(&|receipt| flip(&mut receipt.signature)),
        receipt(&|receipt| receipt.path[0][0] ^= 1),
        altered("a receipt of another log", Code::WrongOrigin, &|bundle| {
            bundle.receipt.as_mut().unwrap().origin = "log.example/elsewhere".into();
        }),
        altered("a receipt due before it was received", Code::OutOfRange, &|bundle| {
            bundle.receipt.as_mut().unwrap().due_at = BlockTime::ZERO;
        }),
        altered("a verdict altered", Code::BadSignature, &|bundle| flip(&mut bundle.verdicts[0].statement)),
        altered("a verdict of another time", Code::BadSignature, &|bundle| bundle.verdicts[0].at = STAMPED),
        altered("a proof altered", Code::NotIncluded, &|bundle| {
            let proof = bundle.proof.as_mut().unwrap();
            let mut read = zeugma_proof::Proof::from_bytes(proof).unwrap();
            read.leaf.time = BlockTime::new(read.leaf.time.get() - 1);
            *proof = read.to_bytes();
        }),
        altered("a proof without its opening", Code::OpeningMissing, &|bundle| {
            let proof = bundle.proof.as_mut().unwrap();
            let mut read = zeugma_proof::Proof::from_bytes(proof).unwrap();
            read.opening = None;
            *proof = read.to_bytes();
        }),
        altered("a time-stamp over something else", Code::WrongImprint, &|bundle| {
            bundle.stamps[1].token = other.clone();
        }),
        altered("a time-stamp with its tail altered", Code::BadSignature, &|bundle| {
            *bundle.stamps[1].token.last_mut().unwrap() ^= 1;
        }),
        altered("a revocation list altered", Code::BadSignature, &|bundle| {
            *bundle.stamps[0].revocation[0].last_mut().unwrap() ^= 1;
        }),
        altered("a revocation list of nobody here", Code::BadRevocation, &|bundle| {
            let list = bundle.stamps[0].revocation.clone();
            bundle.stamps[1].revocation = list;
        }),
        altered("anchors out of order", Code::NotSorted, &|bundle| {
            let anchor = bundle.anchors[0].clone();
            bundle.anchors = vec![anchor.clone(), anchor];
        }),
    ];
    cases.extend(of_the_whole(world));
    cases.extend(later::negative(world));
    cases
}

fn of_the_whole(world: &World) -> Vec<Case> {
    let whole = &world.bundle;
    let unsealed = |name: &str, change: &dyn Fn(&mut Bundle)| {
        let mut bundle = whole.clone();
        change(&mut bundle);
        case(world, name, &bundle, Some(Code::WrongSeal))
    };
    let bytes = |name: &str, code: Code, bytes: Vec<u8>| Case {
        bundle: bytes,
        ..case(world, name, whole, Some(code))
    };
    let mut late = renewed(world, years(5));
    late.anchors = vec![OtherAnchor { kind: late.anchors[0].kind, bytes: b"added later".to_vec() }];
    let mut forged = renewed(world, years(5));
    let message = forged.seal.stamped();
    forged.renewals[0].stamps = vec![Stamp {
        token: world.office.stamp(&message, years(5)),
        certificates: Vec::new(),
        revocation: Vec::new(),
    }];
    let encoded = whole.to_bytes();
    vec![
        unsealed("another seal", &|bundle| bundle.seal.sm3[0] ^= 1),
        unsealed("something added after the seal", &|bundle| bundle.stamps.clear()),
        case(world, "something added before a renewal", &late.sealed(), Some(Code::WrongRenewal)),
        case(world, "a renewal over another bundle", &forged.sealed(), Some(Code::WrongImprint)),
        bytes("another magic", Code::BadMagic, [b"ZGBUNDL2", &encoded[8..]].concat()),
        bytes("a byte more", Code::TrailingBytes, [&encoded[..], &[0]].concat()),
        bytes("a byte less", Code::Truncated, encoded[..encoded.len() - 1].to_vec()),
        bytes("nothing", Code::Truncated, Vec::new()),
    ]
}
