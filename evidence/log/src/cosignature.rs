//! Cosignatures: a time, and the statement that at this time no larger consistent tree was known.
//!
//! ```text
//! signature    = time u64, POSIX seconds · signature
//! Ed25519 of     cosignature/v1\ntime <decimal>\n<the checkpoint's whole text>
//! ML-DSA-44 of   "subtree/v1\n\0" · u8 length, cosigner name · time u64 · u8 length, origin
//!                · start u64 (0) · end u64 (the size) · root [32]
//! ```
//!
//! The ML-DSA form binds the cosigner's name and does not sign extension lines. Its time may be 0: then it says
//! nothing of time. A time is at most 2^63 - 1.
//!
//! Source: C2SP `tlog-cosignature`.

use crate::checkpoint::Checkpoint;
use crate::note::{Algorithm, Material, VerifierKey, bad, require_name, signature_line};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::ed25519::Rule;
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_types::{Code, Encode, Refusal, UnixSeconds};

/// First line of what an Ed25519 witness signs.
pub(crate) const HEADER: &str = "cosignature/v1";
/// Last time a cosignature may state.
pub const LAST_TIME: UnixSeconds = UnixSeconds::new((1 << 63) - 1);

/// What a signature that verified says beside the checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// When, as the signer states it; a log's plain signature states no time.
    pub at: Option<UnixSeconds>,
}

/// Verifies `signature`, of a line of `key`, over a checkpoint and its text.
pub(crate) fn verify(
    key: &VerifierKey,
    text: &str,
    checkpoint: &Checkpoint,
    signature: &[u8],
) -> Result<Signed, Refusal> {
    match (&key.material, key.algorithm()) {
        (Material::Ed25519(public), Algorithm::Ed25519) => {
            let signature = signature.try_into().map_err(|_| bad("a signature of 64 bytes"))?;
            public.verify(Rule::Strict, text.as_bytes(), signature)?;
            Ok(Signed { at: None })
        }
        (Material::Ed25519(public), _) => {
            let (at, signature) = timed(signature)?;
            let signature = signature.try_into().map_err(|_| bad("a signature of 8 and 64 bytes"))?;
            public.verify(Rule::Strict, cosigned_text(text, at).as_bytes(), signature)?;
            Ok(Signed { at: Some(at) })
        }
        (Material::MlDsa44(public), _) => {
            let (at, signature) = timed(signature)?;
            let signature = signature.try_into().map_err(|_| bad("a signature of 8 and 2420 bytes"))?;
            // An origin that a cosigned message cannot hold was never signed.
            let message = cosigned_message(key.name(), checkpoint, at)?;
            public.verify(&[], &message, signature)?;
            Ok(Signed { at: (at != UnixSeconds::ZERO).then_some(at) })
        }
    }
}

fn timed(signature: &[u8]) -> Result<(UnixSeconds, &[u8]), Refusal> {
    let (time, rest) = signature.split_first_chunk().ok_or_else(|| bad("a time before the signature"))?;
    let at = UnixSeconds::new(u64::from_be_bytes(*time));
    if at > LAST_TIME {
        return Err(Refusal::new(Code::OutOfRange).needed(LAST_TIME.get()).found(at.get()));
    }
    Ok((at, rest))
}

fn cosigned_text(text: &str, at: UnixSeconds) -> String {
    format!("{HEADER}\ntime {at}\n{text}")
}

fn cosigned_message(cosigner: &str, checkpoint: &Checkpoint, at: UnixSeconds) -> Result<Vec<u8>, Refusal> {
    let mut message = mldsa44::COSIGNED_LABEL.to_vec();
    put_name(&mut message, cosigner)?;
    at.encode(&mut message);
    put_name(&mut message, &checkpoint.origin)?;
    0_u64.encode(&mut message);
    checkpoint.view.size.encode(&mut message);
    checkpoint.view.root.encode(&mut message);
    Ok(message)
}

fn put_name(message: &mut Vec<u8>, name: &str) -> Result<(), Refusal> {
    let length = u8::try_from(name.len());
    message.push(length.map_err(|_| Refusal::new(Code::TooLong).needed(255_u64).found(name.len()))?);
    message.extend_from_slice(name.as_bytes());
    Ok(())
}

/// The ML-DSA-44 signature with its time. The name and the origin are of keys, so they fit.
pub(crate) fn sign_mldsa44(
    secret: &mldsa44::SecretKey,
    cosigner: &str,
    checkpoint: &Checkpoint,
    at: UnixSeconds,
) -> Vec<u8> {
    let message = cosigned_message(cosigner, checkpoint, at).expect("names were checked");
    let mut signature = at.get().to_be_bytes().to_vec();
    signature.extend_from_slice(&secret.sign_cosigned(&message).expect("the message has its label"));
    signature
}

/// Cosigns checkpoints: a witness with a key of its own. What it must check first, that the tree grew from the
/// last one it saw, is `tlog-witness` and not done here.
#[derive(Clone, Debug)]
pub struct CosignerSigner {
    name: String,
    secret: Secret,
}

#[derive(Clone, Debug)]
enum Secret {
    Ed25519(ed25519::SecretKey),
    MlDsa44(mldsa44::SecretKey),
}

impl CosignerSigner {
    /// A witness with an Ed25519 key, which it uses for nothing else: its signature does not bind the name.
    ///
    /// # Errors
    /// [`Code::TooLong`] or [`Code::BadIdentifier`] for the name.
    pub fn ed25519(name: &str, secret: ed25519::SecretKey) -> Result<Self, Refusal> {
        require_name(name)?;
        Ok(Self { name: name.into(), secret: Secret::Ed25519(secret) })
    }

    /// A witness with an ML-DSA-44 key.
    ///
    /// # Errors
    /// [`Code::TooLong`] or [`Code::BadIdentifier`] for the name.
    pub fn mldsa44(name: &str, secret: mldsa44::SecretKey) -> Result<Self, Refusal> {
        require_name(name)?;
        Ok(Self { name: name.into(), secret: Secret::MlDsa44(secret) })
    }

    /// The public key.
    #[must_use]
    pub fn key(&self) -> VerifierKey {
        let key = match &self.secret {
            Secret::Ed25519(secret) => VerifierKey::cosignature(&self.name, secret.public().as_bytes()),
            Secret::MlDsa44(secret) => VerifierKey::mldsa44(&self.name, &secret.public().to_bytes()),
        };
        key.expect("the name was checked, and a public key of ours is no special point")
    }

    /// The signature line, to be put after the note's others.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] for a time above [`LAST_TIME`], [`Code::TooLong`] for an origin above 255 bytes.
    pub fn cosign(&self, checkpoint: &Checkpoint, at: UnixSeconds) -> Result<String, Refusal> {
        if at > LAST_TIME {
            return Err(Refusal::new(Code::OutOfRange).needed(LAST_TIME.get()).found(at.get()));
        }
        let signature = match &self.secret {
            Secret::Ed25519(secret) => {
                let mut signature = at.get().to_be_bytes().to_vec();
                signature.extend_from_slice(&secret.sign_note(&cosigned_text(&checkpoint.text(), at))?);
                signature
            }
            Secret::MlDsa44(secret) => {
                cosigned_message(&self.name, checkpoint, at)?;
                sign_mldsa44(secret, &self.name, checkpoint, at)
            }
        };
        Ok(signature_line(&self.name, self.key().id(), &signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::SignedCheckpoint;
    use crate::note::NoteBounds;
    use crate::testkit::{ed25519, mldsa44, signer};
    use zeugma_proof::body::LogView;
    use zeugma_types::TreeSize;

    const AT: UnixSeconds = UnixSeconds::new(1_679_315_147);

    fn note() -> (String, Checkpoint) {
        let signer = signer("example.com/log", 1, false);
        let view = LogView { size: TreeSize::new(9), root: [3; 32] };
        (signer.sign(view, AT), Checkpoint::new("example.com/log", view))
    }

    fn witnesses() -> [CosignerSigner; 2] {
        [
            CosignerSigner::ed25519("witness.example/w1", ed25519(7)).unwrap(),
            CosignerSigner::mldsa44("witness.example/w2", mldsa44(7)).unwrap(),
        ]
    }

    fn require(note: &str, key: &VerifierKey) -> Result<Signed, Code> {
        let note = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL).unwrap();
        note.require(key).map_err(|refusal| refusal.code)
    }

    #[test]
    fn each_kind_of_witness_is_verified_with_its_time() {
        let (note, checkpoint) = note();
        for witness in witnesses() {
            let cosigned = format!("{note}{}", witness.cosign(&checkpoint, AT).unwrap());
            assert_eq!(require(&cosigned, &witness.key()), Ok(Signed { at: Some(AT) }));
            assert_eq!(require(&note, &witness.key()), Err(Code::UnknownSigner));
            let later = format!("{note}{}", witness.cosign(&checkpoint, LAST_TIME).unwrap());
            assert_eq!(require(&later, &witness.key()), Ok(Signed { at: Some(LAST_TIME) }));
            let beyond = UnixSeconds::new(LAST_TIME.get() + 1);
            assert_eq!(witness.cosign(&checkpoint, beyond).unwrap_err().code, Code::OutOfRange);
        }
    }

    #[test]
    fn a_cosignature_moved_to_another_checkpoint_time_or_name_is_refused() {
        let (note, checkpoint) = note();
        let other =
            Checkpoint { view: LogView { size: TreeSize::new(10), ..checkpoint.view }, ..checkpoint.clone() };
        for witness in witnesses() {
            let line = witness.cosign(&other, AT).unwrap();
            assert_eq!(require(&format!("{note}{line}"), &witness.key()), Err(Code::BadSignature));
            let key = witness.key();
            let parsed = SignedCheckpoint::parse(note.as_bytes(), NoteBounds::USUAL).unwrap();
            let line = format!("{note}{}", witness.cosign(&checkpoint, AT).unwrap());
            let line = SignedCheckpoint::parse(line.as_bytes(), NoteBounds::USUAL).unwrap();
            let mut signature = line.note().signature_of(&key).unwrap().to_vec();
            let check = |signature: &[u8]| {
                verify(&key, parsed.note().text, &checkpoint, signature).map_err(|refusal| refusal.code)
            };
            assert!(check(&signature).is_ok());
            assert_eq!(check(&signature[1..]), Err(Code::BadNote));
            assert_eq!(check(&signature[..7]), Err(Code::BadNote));
            signature[7] ^= 1;
            assert_eq!(check(&signature), Err(Code::BadSignature));
            signature[0] = 0x80;
            assert_eq!(check(&signature), Err(Code::OutOfRange));
        }
        // The same ML-DSA key under another name signs another message.
        let (one, two) = (mldsa44(7), CosignerSigner::mldsa44("witness.example/w3", mldsa44(7)).unwrap());
        let signature = sign_mldsa44(&one, "witness.example/w2", &checkpoint, AT);
        let (note, _) = self::note();
        let moved = format!("{note}{}", signature_line("witness.example/w3", two.key().id(), &signature));
        assert_eq!(require(&moved, &two.key()), Err(Code::BadSignature));
    }

    #[test]
    fn the_mldsa_message_is_the_structure_of_the_specification() {
        let (_, checkpoint) = note();
        let message = cosigned_message("w", &checkpoint, UnixSeconds::new(1)).unwrap();
        let mut expected = b"subtree/v1\n\0".to_vec();
        expected.extend(b"\x01w");
        expected.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        expected.extend(b"\x0fexample.com/log");
        expected.extend([0; 8]);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 9]);
        expected.extend([3; 32]);
        assert_eq!(message, expected);
    }

    #[test]
    fn an_mldsa_cosignature_without_time_states_none() {
        let (note, checkpoint) = note();
        let [_, witness] = witnesses();
        let cosigned = format!("{note}{}", witness.cosign(&checkpoint, UnixSeconds::ZERO).unwrap());
        assert_eq!(require(&cosigned, &witness.key()), Ok(Signed { at: None }));
    }

    #[test]
    fn a_key_of_a_log_and_of_a_witness_do_not_sign_for_each_other() {
        let (note, checkpoint) = note();
        let witness = CosignerSigner::ed25519("example.com/log", ed25519(1)).unwrap();
        assert_eq!(require(&note, &witness.key()), Err(Code::UnknownSigner));
        let cosigned = format!("{note}{}", witness.cosign(&checkpoint, AT).unwrap());
        assert!(require(&cosigned, &witness.key()).is_ok());
    }
}
