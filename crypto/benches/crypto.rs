//! What one verification costs: `cargo bench -p zeugma-crypto [FILTER]`.
//!
//! A line per measure: name, least, median and 99th percentile of a call, and how many calls were
//! timed. On a machine that does other work too, the least is what repeats.
//! Keys are parsed beforehand, as the caches of the product hold them.

use ed25519_dalek::Signer;
use std::fmt::Debug;
use std::hint::black_box;
use std::time::{Duration, Instant};
use zeugma_crypto::bls::{self, Ciphersuite};
use zeugma_crypto::ecdsa::{SPolicy, p256, secp256k1};
use zeugma_crypto::ed25519::{self, Item, PublicKey, Rule};
use zeugma_crypto::hash::{framed, keccak256, sha256, sm3};
use zeugma_crypto::seal;
use zeugma_types::{Purpose, SealSuite};

/// Long enough for a median that repeats within a few per cent.
const SPENT: Duration = Duration::from_millis(1_500);

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let bench = Bench { filter };
    bls_verify(&bench);
    ed25519_verify(&bench);
    ecdsa_verify(&bench);
    seals(&bench);
    hashes(&bench);
}

struct Bench {
    filter: String,
}

impl Bench {
    /// Measures a verification, which must hold: a refusal is quicker, and not what is asked.
    fn verified<T, E: Debug>(&self, name: &str, mut call: impl FnMut() -> Result<T, E>) {
        self.measure(name, || call().expect("what is measured is valid"));
    }

    fn measure<T>(&self, name: &str, mut call: impl FnMut() -> T) {
        if !name.contains(&self.filter) {
            return;
        }
        let begin = Instant::now();
        let mut times = Vec::new();
        while begin.elapsed() < SPENT {
            let start = Instant::now();
            black_box(call());
            times.push(start.elapsed());
        }
        // The first tenth warms caches and branch predictors.
        let mut times = times.split_off(times.len() / 10);
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6;
        let (least, median, p99) = (at(0), at(50), at(99));
        println!(
            "{name:<44} least {least:>9.2} us  median {median:>9.2} us  p99 {p99:>9.2} us  calls {}",
            times.len()
        );
    }
}

fn bls_verify(bench: &Bench) {
    let parts: &[&[u8]] = &[b"header"];
    let message = framed(Purpose::Header, parts);
    let suite = Ciphersuite::ProofOfPossession;

    let secret = bls::min_sig::SecretKey::derive(&[7; 32]).expect("32 bytes are enough");
    let (key, signature) = (secret.public(), secret.sign(suite, Purpose::Header, parts));
    bench.verified("crypto::bls_verify/variant=min_sig", || key.verify(suite, &message, &signature));
    let bytes = key.to_bytes();
    bench.verified("crypto::bls_parse_key/variant=min_sig", || bls::min_sig::PublicKey::parse(&bytes));

    let secret = bls::min_pk::SecretKey::derive(&[7; 32]).expect("32 bytes are enough");
    let (key, signature) = (secret.public(), secret.sign(suite, Purpose::Header, parts));
    bench.verified("crypto::bls_verify/variant=min_pk", || key.verify(suite, &message, &signature));

    // One key in every seat of a sync committee: the sum of its signatures is what it would sign.
    let keys = [key; 512];
    let point = blst::min_pk::Signature::from_bytes(&signature).expect("a signature of ours");
    let sum = blst::min_pk::AggregateSignature::aggregate(&[&point; 512], false).expect("not empty");
    let sum = sum.to_signature().compress();
    bench.verified("crypto::bls_verify_aggregate/keys=512", || {
        bls::min_pk::PublicKey::verify_aggregate(suite, &keys, &message, &sum)
    });
}

fn ed25519_verify(bench: &Bench) {
    // A precommit of CometBFT has 110 to 125 bytes; the time stamps differ, so do the messages.
    let signed: Vec<_> = (0_u8..150)
        .map(|index| {
            let secret = ed25519_dalek::SigningKey::from_bytes(&[index; 32]);
            let message = [index; 122];
            let key = PublicKey::parse(secret.verifying_key().as_bytes()).expect("a key of ours");
            (key, message, secret.sign(&message).to_bytes())
        })
        .collect();
    let items: Vec<_> =
        signed.iter().map(|(key, message, signature)| Item { key, message, signature }).collect();
    for count in [1, 7, 67, 100, 150] {
        bench.verified(&format!("crypto::ed25519_batch/signatures={count}"), || {
            ed25519::verify_batch(&items[..count])
        });
    }
    let item = items[0];
    for (name, rule) in [("zip215", Rule::Zip215), ("strict", Rule::Strict)] {
        bench.verified(&format!("crypto::ed25519_verify/rule={name}"), || {
            item.key.verify(rule, item.message, item.signature)
        });
    }
    bench.verified("crypto::ed25519_parse_key/", || PublicKey::parse(item.key.as_bytes()));
}

fn ecdsa_verify(bench: &Bench) {
    let parts: &[&[u8]] = &[b"seal"];
    let digest = framed(Purpose::Seal, parts);

    let secret = secp256k1::SecretKey::parse(&[7; 32]).expect("below the order");
    let (key, recoverable) = (secret.public(), secret.sign(Purpose::Seal, parts));
    let signature = *recoverable.first_chunk().expect("a prefix");
    bench.verified("crypto::ecdsa_verify/curve=secp256k1", || {
        key.verify_prehash(SPolicy::LowOnly, &digest, &signature)
    });
    bench.verified("crypto::ecdsa_recover/curve=secp256k1", || {
        secp256k1::recover(SPolicy::LowOnly, &digest, &recoverable)
    });

    let secret = p256::SecretKey::parse(&[7; 32]).expect("below the order");
    let (key, recoverable) = (secret.public(), secret.sign(Purpose::Seal, parts));
    let signature = *recoverable.first_chunk().expect("a prefix");
    bench.verified("crypto::ecdsa_verify/curve=p256", || {
        key.verify_prehash(SPolicy::LowOnly, &digest, &signature)
    });
}

fn seals(bench: &Bench) {
    let parts: &[&[u8]] = &[b"seal"];
    let digest = framed(Purpose::Seal, parts);
    for suite in SealSuite::ALL {
        let secret = seal::SecretKey::parse(*suite, &[7; 32]).expect("below the order");
        let signature = secret.sign_seal(parts).expect("a nonce that works");
        let key = secret.public();
        bench.verified(&format!("crypto::seal_verify/suite={suite}"), || key.verify(&digest, &signature));
    }
}

fn hashes(bench: &Bench) {
    for length in [65, 1_024] {
        let bytes = vec![7; length];
        bench.measure(&format!("crypto::sha256/bytes={length}"), || sha256(&[&bytes]));
        bench.measure(&format!("crypto::sm3/bytes={length}"), || sm3(&[&bytes]));
        bench.measure(&format!("crypto::keccak256/bytes={length}"), || keccak256(&[&bytes]));
    }
}
