//! Proofs that are nearly right: bytes flipped, and decoded fields changed and encoded again.

use crate::Question;
use crate::pick::{change_bytes, change_path, flip, near, pick, pick_byte};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use zeugma_proof::body::{Body, Closed, Registered};
use zeugma_proof::testkit::TestNetwork;
use zeugma_proof::{
    Certificate, Endorsement, Expected, LeafFormat, Outbox, Proof, Reliance, Seal, TrustFile, verify_expected,
};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{
    BlockTime, ClientId, Code, Decode, Encode, Epoch, Era, HashSuite, Height, LeafIndex, LeafPath, Refusal,
    SealSuite, Sequence, Span, UnixSeconds, Value, View,
};

/// One question to a verifier.
struct Input {
    mutation: &'static str,
    trust: Vec<u8>,
    time: BlockTime,
    reliance: Reliance,
    path: Option<LeafPath>,
    value: Option<Value>,
    proof: Vec<u8>,
}

impl Input {
    fn code(&self) -> u16 {
        self.verdict(&self.proof).err().map_or(0, |refusal| refusal.code.number())
    }

    fn verdict(&self, proof: &[u8]) -> Result<(), Refusal> {
        let keys = TrustFile::from_bytes(&self.trust)?.at(self.time, self.reliance);
        let expected = Expected { path: self.path.as_ref(), value: self.value.as_ref() };
        verify_expected(proof, &keys, expected).map(|_| ())
    }

    /// The suite of the seal that the reference comes to judge, if it does: with a certificate of another
    /// epoch in place of the seal, the proof then fails for that.
    fn judged_seal(&self) -> Option<SealSuite> {
        let mut proof = Proof::from_bytes(&self.proof).ok()?;
        let Endorsement::Seal(seal) = &proof.endorsement else { return None };
        let suite = seal.suite;
        let context = proof.header.context;
        proof.endorsement = Endorsement::Certificate(Certificate {
            epoch: Epoch::new(proof.header.epoch.get().wrapping_add(1)),
            view: context.view,
            parent_view: context.parent_view,
            signature: [0; 48],
        });
        let code = self.verdict(&proof.to_bytes()).err()?.code;
        (code == Code::WrongEpoch).then_some(suite)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "trust": hex::encode(&self.trust),
            "time": self.time.get(),
            "reliance": match self.reliance { Reliance::Court => "court", Reliance::Destination => "destination" },
            "path": self.path.as_ref().map(|path| hex::encode(path.to_bytes())),
            "value": self.value.as_ref().map(|value| hex::encode(value.as_bytes())),
            "proof": hex::encode(&self.proof),
        })
    }
}

struct Sample {
    trust: usize,
    proof: Proof,
}

/// Makes inputs from a few good proofs.
pub(crate) struct Mutator {
    rng: ChaCha8Rng,
    files: Vec<(Vec<u8>, BlockTime)>,
    samples: Vec<Sample>,
}

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        let (files, samples) = samples();
        Self { rng: ChaCha8Rng::seed_from_u64(seed), files, samples }
    }

    /// The next proof, with the reference.
    pub(crate) fn question(&mut self) -> Question {
        let input = std::rc::Rc::new(self.next());
        let same = input.clone();
        Question {
            mutation: input.mutation,
            json: input.json(),
            reference: Box::new(move || input.code().to_string()),
            judged_seal: Box::new(move || same.judged_seal()),
        }
    }

    fn next(&mut self) -> Input {
        let sample = &self.samples[pick(&mut self.rng, self.samples.len())];
        let (mut trust, mut proof) = (sample.trust, sample.proof.clone());
        let rng = &mut self.rng;
        let mut mutation = "none";
        // Now and then two changes at once: the order of checks decides which is named.
        let changes = [0, 1, 1, 1, 1, 1, 1, 2][pick(rng, 8)];
        for _ in 0..changes {
            mutation = change(rng, &mut proof);
        }
        if pick(rng, 12) == 0 {
            trust = pick(rng, self.files.len());
        }
        let (file, issued) = &self.files[trust];
        let mut bytes = proof.to_bytes();
        if pick(rng, 6) == 0 {
            mutation = "bytes";
            change_bytes(rng, &mut bytes);
        }
        let path = (pick(rng, 8) == 0).then(|| match pick(rng, 2) {
            0 => proof.leaf.path.clone(),
            _ => LeafPath::standing(Epoch::new(1)),
        });
        let value = (pick(rng, 8) == 0).then(|| match pick(rng, 2) {
            0 => proof.leaf.value,
            _ => Value::new([pick_byte(rng); 32]),
        });
        let late = pick(rng, 20) == 0;
        let time = if late { issued.after(Span::seconds(86_400)).expect("a near time") } else { *issued };
        let reliance = if pick(rng, 3) == 0 { Reliance::Destination } else { Reliance::Court };
        Input { mutation, trust: file.clone(), time, reliance, path, value, proof: bytes }
    }
}

fn flipped(rng: &mut ChaCha8Rng, mut bytes: [u8; 32]) -> [u8; 32] {
    flip(rng, &mut bytes);
    bytes
}

fn change(rng: &mut ChaCha8Rng, proof: &mut Proof) -> &'static str {
    match pick(rng, 22) {
        0 => {
            proof.header.era = Era::new(near(rng, proof.header.era.get()));
            "header era"
        }
        1 => {
            proof.header.height = Height::new(near(rng, proof.header.height.get()));
            "header height"
        }
        2 => {
            proof.header.time = BlockTime::new(near(rng, proof.header.time.get()));
            "header time"
        }
        3 => {
            proof.header.epoch = Epoch::new(near(rng, proof.header.epoch.get()));
            "header epoch"
        }
        4 => {
            flip(rng, &mut proof.header.context.leader);
            "header leader"
        }
        5 => {
            let size = zeugma_types::TreeSize::new(near(rng, proof.header.outbox.size.get()));
            let roots = proof.header.outbox.roots().to_vec();
            proof.header.outbox = Outbox::new(size, roots).expect("the same suites");
            "outbox size"
        }
        6 => {
            let mut roots = proof.header.outbox.roots().to_vec();
            roots.truncate(1 + pick(rng, roots.len()));
            let size = proof.header.outbox.size;
            proof.header.outbox = Outbox::new(size, roots).expect("the same suites");
            "outbox roots"
        }
        7 => {
            proof.leaf.height = Height::new(near(rng, proof.leaf.height.get()));
            "leaf height"
        }
        8 => {
            proof.leaf.time = BlockTime::new(near(rng, proof.leaf.time.get()));
            "leaf time"
        }
        9 => {
            proof.leaf.value = Value::new(flipped(rng, *proof.leaf.value.as_bytes()));
            "leaf value"
        }
        10 => {
            proof.leaf.network = zeugma_types::NetworkId::new(flipped(rng, *proof.leaf.network.as_bytes()));
            "leaf network"
        }
        11 => {
            proof.inclusion.index = LeafIndex::new(near(rng, proof.inclusion.index.get()));
            "index"
        }
        12 => {
            proof.inclusion.suite = HashSuite::ALL[pick(rng, 2)];
            "suite"
        }
        13 => {
            change_path(rng, &mut proof.inclusion.path);
            "path"
        }
        14..=16 => change_endorsement(rng, proof),
        17 => {
            proof.consistency = match proof.consistency.take() {
                Some(_) => None,
                None => Some((0..pick(rng, 4)).map(|_| [pick_byte(rng); 32]).collect()),
            };
            "consistency"
        }
        18 => {
            if let Some(path) = &mut proof.consistency {
                change_path(rng, path);
            }
            "consistency path"
        }
        19 | 20 => {
            match &mut proof.opening {
                Some(body) => change_bytes(rng, body),
                None => proof.opening = Some(vec![pick_byte(rng); pick(rng, 40)]),
            }
            "opening"
        }
        _ => {
            proof.header.network =
                zeugma_types::NetworkId::new(flipped(rng, *proof.header.network.as_bytes()));
            "header network"
        }
    }
}

fn change_endorsement(rng: &mut ChaCha8Rng, proof: &mut Proof) -> &'static str {
    match &mut proof.endorsement {
        Endorsement::Certificate(certificate) => match pick(rng, 4) {
            0 => certificate.view = View::new(near(rng, certificate.view.get())),
            1 => certificate.parent_view = View::new(near(rng, certificate.parent_view.get())),
            2 => certificate.epoch = Epoch::new(near(rng, certificate.epoch.get())),
            _ => flip(rng, &mut certificate.signature),
        },
        Endorsement::Seal(seal) => {
            let mut bytes = seal.to_bytes();
            // Past the suite and the count, so that what is flipped is an index or a signature.
            flip(rng, &mut bytes[5..]);
            if let Ok(changed) = Seal::from_bytes(&bytes) {
                *seal = changed;
            }
        }
    }
    "endorsement"
}

/// Good proofs of one network before and after a hand-over, and of a stranger.
fn samples() -> (Vec<(Vec<u8>, BlockTime)>, Vec<Sample>) {
    let mut network = TestNetwork::new(1);
    let client = ClientId::new("07-tendermint-0").expect("a valid identifier");
    let packet = |sequence| LeafPath::packet(&client, PacketPath::Commitment, Sequence::new(sequence));
    let mut indices = Vec::new();
    for sequence in 1..=5_u8 {
        let value = Value::new([sequence; 32]);
        indices.push((network.say(LeafFormat::Sha256, packet(u64::from(sequence)), value), None));
        network.close_block();
    }
    let bodies: [Body; 2] = [
        Closed {
            client: client.clone(),
            sequence: Sequence::new(9),
            commitment: Value::new([9; 32]),
            timeout: UnixSeconds::new(1_767_225_700),
        }
        .into(),
        Registered { kind: 1, name: "rules".into(), digest: Some([7; 32]), from: Height::new(2) }.into(),
    ];
    for body in bodies {
        indices.push((network.say_body(&body), Some(body)));
    }
    let last = network.close_block();
    let before = network.clone();
    network.hand_over(2);
    network.say(LeafFormat::Sha256, packet(50), Value::new([50; 32]));
    network.close_block();
    let stranger = TestNetwork::new(3);
    let file = |network: &TestNetwork| {
        let file = network.trust_file();
        (file.to_bytes(), file.issued_at)
    };
    let files = vec![file(&before), file(&network), file(&stranger)];

    let mut samples = Vec::new();
    let certificate = before.headers.last().expect("blocks were closed").1;
    for (index, body) in &indices {
        for suite in HashSuite::ALL {
            let mut proof = before.prove_under(*index, *suite, &last, certificate);
            proof.opening = body.as_ref().map(Encode::to_bytes);
            samples.push(Sample { trust: 0, proof: proof.clone() });
            proof.consistency = Some(network.into_pin(&last, *suite));
            samples.push(Sample { trust: 1, proof });
        }
        samples.push(Sample { trust: 1, proof: network.prove(*index) });
    }
    for suite in SealSuite::ALL {
        let mut proof = before.prove(indices[0].0);
        proof.endorsement = Endorsement::Seal(before.seal(&before.keys, &last, *suite, 3));
        samples.push(Sample { trust: 0, proof });
    }
    (files, samples)
}
