//! Every decoded field of a bundle altered by itself, encoded again and sealed again.
//!
//! What is inside another form is altered there too: each field of the one proof, each line of a note, each
//! value of a time-stamp, of its X.509 certificates and of its revocation list.

use super::{Case, answer, case, renewed, years};
use zeugma_evidence_log::record::{CustomField, Field};
use zeugma_evidence_log::{Disclosure, Shown, entry::Suites};
use zeugma_evidence_verify::bundle::{AnchorKind, Bundle, Receipt};
use zeugma_evidence_verify::testkit::{STAMPED, World};
use zeugma_proof::{Endorsement, Proof};
use zeugma_types::{
    BlockTime, Decode, Encode, Epoch, Era, HashSuite, Height, LeafIndex, LeafPath, NetworkId, TreeSize,
    Value, View,
};

/// An alteration, with the bundle it is of.
pub(crate) struct Altered {
    /// Name of the bundle.
    pub(crate) base: &'static str,
    /// The question, with the answer that is expected.
    pub(crate) case: Case,
}

/// The bundles that are altered, by name.
pub(crate) fn bases(world: &World) -> [(&'static str, Bundle); 3] {
    let mut whole = world.bundle.clone();
    let open = |field: &Field| field.name() != "submitter";
    whole.disclosure = Disclosure::of(&world.record, &world.seed, Suites::Both, open);
    let later = super::later::answered_and_in_force(world);
    [("one field closed", whole.sealed()), ("renewed", renewed(world, years(1))), ("answered", later)]
}

/// All alterations, each with its answer.
pub(crate) fn fields(world: &World) -> Vec<Altered> {
    let [whole, late, answered] = bases(world);
    let mut list = Vec::new();
    let mut add = |base: &(&'static str, Bundle), name: String, bundle: Bundle, sealed: bool| {
        let bundle = if sealed { bundle.sealed() } else { bundle };
        assert!(bundle != base.1, "{name} changes nothing");
        let mut case = case(world, &name, &bundle, None);
        case.refused = answer(&case).err().map(|why| why.code);
        list.push(Altered { base: base.0, case });
    };
    for (name, change) in parts() {
        let mut bundle = whole.1.clone();
        change(&mut bundle);
        add(&whole, name.into(), bundle, true);
    }
    for (name, change) in renewal_parts() {
        let mut bundle = late.1.clone();
        change(&mut bundle);
        add(&late, format!("renewal: {name}"), bundle, true);
    }
    for (name, bundle) in notes(&whole.1).into_iter().chain(stamps(&whole.1)) {
        add(&whole, name, bundle, true);
    }
    for (name, bundle) in super::later::altered(&answered.1) {
        add(&answered, name, bundle, true);
    }
    for (name, change) in seals() {
        let mut bundle = whole.1.clone();
        change(&mut bundle);
        add(&whole, name.into(), bundle, false);
    }
    list
}

type Change = Box<dyn Fn(&mut Bundle)>;

fn parts() -> Vec<(&'static str, Change)> {
    let mut list: Vec<(&'static str, Change)> = vec![
        ("entry: sha256", Box::new(|b| b.entry.sha256[31] ^= 1)),
        ("entry: sm3", Box::new(|b| b.entry.sm3.as_mut().unwrap()[31] ^= 1)),
        ("entry: no sm3", Box::new(|b| b.entry.sm3 = None)),
        ("index", Box::new(|b| b.logging.index = LeafIndex::new(3))),
        ("first: a hash of the path", Box::new(|b| b.logging.first.path[1][0] ^= 1)),
        ("first: a shorter path", Box::new(|b| b.logging.first.path.truncate(1))),
        ("second: a hash of the path", Box::new(|b| b.logging.second.as_mut().unwrap().path[1][0] ^= 1)),
        ("second: a shorter path", Box::new(|b| b.logging.second.as_mut().unwrap().path.truncate(1))),
        ("second: none", Box::new(|b| b.logging.second = None)),
        ("receipt: none", Box::new(|b| b.receipt = None)),
        ("proof: none", Box::new(|b| b.proof = None)),
        ("time-stamps: none", Box::new(|b| b.stamps.clear())),
        ("time-stamps: exchanged", Box::new(|b| b.stamps.swap(0, 1))),
        ("verdict: none", Box::new(|b| b.verdicts.clear())),
        ("verdict: twice", Box::new(|b| b.verdicts.push(b.verdicts[0].clone()))),
        ("verdict: at", Box::new(|b| b.verdicts[0].at = STAMPED)),
        ("verdict: format", Box::new(|b| b.verdicts[0].statement[1] ^= 3)),
        ("verdict: a finding", Box::new(|b| *b.verdicts[0].statement.last_mut().unwrap() ^= 1)),
        ("verdict: signature", Box::new(|b| b.verdicts[0].signature[40] ^= 1)),
        ("anchor: kind", Box::new(|b| b.anchors[0].kind = AnchorKind::Cose)),
        ("anchor: bytes", Box::new(|b| b.anchors[0].bytes.push(0))),
        ("anchor: none", Box::new(|b| b.anchors.clear())),
    ];
    list.extend(disclosures());
    list.extend(receipts());
    list.extend(proofs());
    list
}

fn shown(place: usize, change: impl Fn(&mut Shown) + 'static) -> Change {
    Box::new(move |bundle| change(&mut bundle.disclosure.fields[place]))
}

fn field(place: usize, change: impl Fn(&mut Field) + 'static) -> Change {
    shown(place, move |shown| {
        let Shown::Open { field, .. } = shown else { panic!("the field is open") };
        change(field);
    })
}

fn disclosures() -> Vec<(&'static str, Change)> {
    let closed = |change: fn(&mut [u8; 32], &mut Option<[u8; 32]>)| {
        shown(4, move |shown| {
            let Shown::Closed { sha256, sm3 } = shown else { panic!("the submitter is closed") };
            change(sha256, sm3);
        })
    };
    let custom = |change: fn(&mut CustomField)| {
        field(6, move |field| {
            let Field::Custom(custom) = field else { panic!("the last field is custom") };
            change(custom);
        })
    };
    vec![
        (
            "field: salt",
            shown(0, |shown| {
                let Shown::Open { salt, .. } = shown else { panic!("the field is open") };
                salt[0] ^= 1;
            }),
        ),
        ("field: sha256", field(0, |field| *field = Field::Sha256([7; 32]))),
        ("field: sm3", field(1, |field| *field = Field::Sm3([7; 32]))),
        ("field: sm3 as sha256", field(1, |field| *field = Field::Sha256([7; 32]))),
        ("field: media type", field(2, |field| *field = Field::MediaType("text/plain".into()))),
        ("field: size", field(3, |field| *field = Field::Size(21))),
        ("field: origin", field(5, |field| *field = Field::Source("another".into()))),
        ("field: a name", custom(|custom| custom.name = "cases".into())),
        ("field: a value", custom(|custom| custom.value.push(b'3'))),
        ("closed field: sha256", closed(|sha256, _| sha256[0] ^= 1)),
        ("closed field: sm3", closed(|_, sm3| sm3.as_mut().unwrap()[0] ^= 1)),
        ("closed field: no sm3", closed(|_, sm3| *sm3 = None)),
        ("fields: one more", Box::new(|b| b.disclosure.fields.push(b.disclosure.fields[6].clone()))),
        ("fields: one less", Box::new(|b| drop(b.disclosure.fields.remove(2)))),
        ("fields: exchanged", Box::new(|b| b.disclosure.fields.swap(0, 1))),
        ("fields: none", Box::new(|b| b.disclosure.fields.clear())),
    ]
}

fn receipts() -> Vec<(&'static str, Change)> {
    let receipt = |change: fn(&mut Receipt)| -> Change {
        Box::new(move |bundle| change(bundle.receipt.as_mut().unwrap()))
    };
    vec![
        ("receipt: origin", receipt(|r| r.origin.push('x'))),
        ("receipt: received at", receipt(|r| r.received_at = BlockTime::new(r.received_at.get() + 1))),
        ("receipt: due at", receipt(|r| r.due_at = BlockTime::new(r.due_at.get() + 1))),
        ("receipt: due before", receipt(|r| r.due_at = BlockTime::new(r.received_at.get() - 1))),
        ("receipt: first", receipt(|r| r.first = LeafIndex::new(r.first.get() + 1))),
        ("receipt: size", receipt(|r| r.size = TreeSize::new(4))),
        ("receipt: no size", receipt(|r| r.size = TreeSize::new(0))),
        ("receipt: place", receipt(|r| r.place = LeafIndex::new(0))),
        ("receipt: path", receipt(|r| r.path[0][5] ^= 1)),
        ("receipt: a longer path", receipt(|r| r.path.push([0; 32]))),
        ("receipt: signature", receipt(|r| r.signature[0] ^= 1)),
        ("receipt: s of the signature", receipt(|r| r.signature[63] ^= 0x80)),
    ]
}

fn proofs() -> Vec<(&'static str, Change)> {
    let proof = |change: fn(&mut Proof)| -> Change {
        Box::new(move |bundle| {
            let bytes = bundle.proof.as_mut().unwrap();
            let mut proof = Proof::from_bytes(bytes).unwrap();
            change(&mut proof);
            *bytes = proof.to_bytes();
        })
    };
    let certificate = |proof: &mut Proof, change: fn(&mut zeugma_proof::Certificate)| {
        let Endorsement::Certificate(certificate) = &mut proof.endorsement else { panic!("it has one") };
        change(certificate);
    };
    let with = move |change: fn(&mut zeugma_proof::Certificate)| -> Change {
        Box::new(move |bundle| {
            let bytes = bundle.proof.as_mut().unwrap();
            let mut proof = Proof::from_bytes(bytes).unwrap();
            certificate(&mut proof, change);
            *bytes = proof.to_bytes();
        })
    };
    vec![
        ("proof: magic", Box::new(|b| b.proof.as_mut().unwrap()[7] ^= 1)),
        ("proof: cut short", Box::new(|b| b.proof.as_mut().unwrap().truncate(200))),
        ("proof: header network", proof(|p| p.header.network = NetworkId::new([9; 32]))),
        ("proof: header era", proof(|p| p.header.era = Era::new(1))),
        ("proof: header epoch", proof(|p| p.header.epoch = Epoch::new(1))),
        ("proof: header height", proof(|p| p.header.height = Height::new(2))),
        ("proof: header time", proof(|p| p.header.time = BlockTime::new(p.header.time.get() + 1))),
        ("proof: header view", proof(|p| p.header.context.view = View::new(9))),
        ("proof: header parent view", proof(|p| p.header.context.parent_view = View::new(9))),
        ("proof: header leader", proof(|p| p.header.context.leader[0] ^= 1)),
        ("proof: header state", proof(|p| p.header.state.begin = 1)),
        ("proof: certificate epoch", with(|c| c.epoch = Epoch::new(1))),
        ("proof: certificate view", with(|c| c.view = View::new(9))),
        ("proof: certificate parent view", with(|c| c.parent_view = View::new(9))),
        ("proof: certificate signature", with(|c| c.signature[47] ^= 1)),
        ("proof: leaf network", proof(|p| p.leaf.network = NetworkId::new([9; 32]))),
        ("proof: leaf format", proof(|p| p.leaf.format = zeugma_proof::LeafFormat::Sm3)),
        ("proof: leaf height", proof(|p| p.leaf.height = Height::new(0))),
        ("proof: leaf height ahead", proof(|p| p.leaf.height = Height::new(9))),
        ("proof: leaf time", proof(|p| p.leaf.time = BlockTime::new(p.leaf.time.get() - 1))),
        ("proof: leaf time ahead", proof(|p| p.leaf.time = BlockTime::MAX)),
        ("proof: leaf path", proof(|p| p.leaf.path = LeafPath::standing(Epoch::new(1)))),
        ("proof: leaf value", proof(|p| p.leaf.value = Value::new([9; 32]))),
        ("proof: suite", proof(|p| p.inclusion.suite = HashSuite::Sm3)),
        ("proof: index", proof(|p| p.inclusion.index = LeafIndex::new(1))),
        ("proof: path", proof(|p| p.inclusion.path.push([0; 32]))),
        ("proof: opening", proof(|p| *p.opening.as_mut().unwrap().last_mut().unwrap() ^= 1)),
        ("proof: opening of another origin", proof(|p| p.opening.as_mut().unwrap()[5] ^= 1)),
        ("proof: no opening", proof(|p| p.opening = None)),
        ("proof: consistency", proof(|p| p.consistency = Some(Vec::new()))),
    ]
}

fn renewal_parts() -> Vec<(&'static str, Change)> {
    vec![
        ("over sha256", Box::new(|b| b.renewals[0].over.sha256[0] ^= 1)),
        ("over sm3", Box::new(|b| b.renewals[0].over.sm3[0] ^= 1)),
        ("a time-stamp less", Box::new(|b| drop(b.renewals[0].stamps.pop()))),
        ("no time-stamps", Box::new(|b| b.renewals[0].stamps.clear())),
        ("the bundle's time-stamps", Box::new(|b| b.renewals[0].stamps = b.stamps.clone())),
        ("twice", Box::new(|b| b.renewals.push(b.renewals[0].clone()))),
        ("none", Box::new(|b| b.renewals.clear())),
        ("its receipt left out", Box::new(|b| b.receipt = None)),
    ]
}

fn seals() -> Vec<(&'static str, Change)> {
    vec![
        ("seal: sha256", Box::new(|b| b.seal.sha256[31] ^= 1)),
        ("seal: sm3", Box::new(|b| b.seal.sm3[31] ^= 1)),
        ("seal: not made anew", Box::new(|b| b.receipt = None)),
    ]
}

/// Each line of both notes with a letter changed, and left out.
fn notes(whole: &Bundle) -> Vec<(String, Bundle)> {
    let mut list = Vec::new();
    for second in [false, true] {
        let of = |bundle: &Bundle| -> String {
            let logging = &bundle.logging;
            let logged = if second { logging.second.as_ref().unwrap() } else { &logging.first };
            logged.note.clone()
        };
        let tree = if second { "second" } else { "first" };
        let lines: Vec<String> = of(whole).split('\n').map(Into::into).collect();
        let mut add = |what: String, lines: Vec<String>| {
            let mut bundle = whole.clone();
            let logging = &mut bundle.logging;
            let logged = if second { logging.second.as_mut().unwrap() } else { &mut logging.first };
            logged.note = lines.join("\n");
            list.push((format!("{tree} note: {what}"), bundle));
        };
        for (number, line) in lines.iter().enumerate() {
            let mut without = lines.clone();
            without.remove(number);
            add(format!("line {number} left out"), without);
            let words: Vec<&str> = line.split(' ').collect();
            for (place, word) in words.iter().enumerate().filter(|(_, word)| !word.is_empty()) {
                // A letter of the middle; of a signature that is one of its bytes, at the front its key's id.
                for at in [0, word.chars().count() / 2] {
                    let letters = word.chars().enumerate();
                    let other = |letter| if letter == 'A' { 'B' } else { 'A' };
                    let changed: String = letters
                        .map(|(here, letter)| if here == at { other(letter) } else { letter })
                        .collect();
                    let mut words: Vec<String> = words.iter().map(|word| (*word).into()).collect();
                    words[place] = changed;
                    let mut altered = lines.clone();
                    altered[number] = words.join(" ");
                    add(format!("line {number}, word {place}, letter {at}"), altered);
                }
            }
        }
        let mut twice = lines.clone();
        twice.insert(3, "an extension".into());
        add("an extension line".into(), twice);
    }
    list
}

/// Each value of the first time-stamp, of the certificate in it and of its revocation list.
fn stamps(whole: &Bundle) -> Vec<(String, Bundle)> {
    let mut list = Vec::new();
    let stamp = &whole.stamps[0];
    for (number, at) in values(&stamp.token, 0).into_iter().enumerate() {
        let mut bundle = whole.clone();
        bundle.stamps[0].token[at] ^= 1;
        list.push((format!("time-stamp: value {number}"), bundle));
    }
    for (number, at) in values(&stamp.revocation[0], 0).into_iter().enumerate() {
        let mut bundle = whole.clone();
        bundle.stamps[0].revocation[0][at] ^= 1;
        list.push((format!("revocation list: value {number}"), bundle));
    }
    let mut more = whole.clone();
    more.stamps[0].certificates = vec![stamp.token.clone()];
    list.push(("time-stamp: a certificate that is none".into(), more));
    let mut less = whole.clone();
    less.stamps[0].revocation.clear();
    list.push(("time-stamp: no revocation list".into(), less));
    list
}

/// The last byte of every value that holds no other value; what stands in a string is looked into too.
pub(super) fn values(der: &[u8], start: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < der.len() {
        let Some((header, length)) = header(&der[at..]) else { return vec![start + der.len() - 1] };
        let body = &der[at + header..at + header + length];
        let inside = start + at + header;
        match der[at] {
            tag if tag & 0x20 != 0 => found.extend(values(body, inside)),
            4 if header_of_all(body) => found.extend(values(body, inside)),
            _ if length > 0 => found.push(inside + length - 1),
            _ => {}
        }
        at += header + length;
    }
    found
}

/// Whether bytes are one SEQUENCE.
fn header_of_all(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30)
        && header(bytes).is_some_and(|(header, length)| header + length == bytes.len())
}

fn header(der: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*der.get(1)?);
    let (header, length) = match first {
        0..=0x7f => (2, first),
        0x81 | 0x82 => {
            let digits = der.get(2..2 + (first & 0x7f))?;
            (2 + digits.len(), digits.iter().fold(0, |number, digit| number << 8 | usize::from(*digit)))
        }
        _ => return None,
    };
    (header + length <= der.len()).then_some((header, length))
}
