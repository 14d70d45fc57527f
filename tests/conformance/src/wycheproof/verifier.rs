//! One group's key and rule, applied to a case through the product's public functions.

use super::text;
use serde_json::Value;
use zeugma_crypto::bls::{self, Ciphersuite};
use zeugma_crypto::ecdsa::{self, SPolicy};
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_types::{Code, Refusal};

/// How a group's signatures are encoded, and which of them count.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Der(SPolicy),
    Fixed,
}

#[derive(Clone, Copy)]
pub(super) enum Curve {
    Secp256k1,
    P256,
}

/// A group, ready to decide its cases. The key is kept as bytes: a key that does not parse makes every
/// case of its group invalid, which is what the suite then expects.
pub(super) enum Verifier {
    Ed25519 { key: Vec<u8> },
    Ecdsa { key: Vec<u8>, curve: Curve, form: Form },
    MlDsa44 { key: Vec<u8> },
    BlsMinPk { key: Vec<u8>, ciphersuite: Ciphersuite },
    BlsMinSig { key: Vec<u8>, ciphersuite: Ciphersuite },
}

impl Verifier {
    /// The verifier of a group, or why the suite does not know it.
    pub(super) fn of(algorithm: &str, group: &Value) -> Result<Self, String> {
        let kind = text(group, "type").unwrap_or_default();
        let unknown = |what: &str| format!("a group of type {kind:?} with {what}");
        match kind {
            "EddsaVerify" => match text(key(group), "curve") {
                Some("edwards25519") => Ok(Self::Ed25519 { key: hex(key(group), "pk")? }),
                curve => Err(unknown(&format!("curve {curve:?}"))),
            },
            "EcdsaVerify" => Self::ecdsa(group, Form::Der(SPolicy::Any)),
            "EcdsaBitcoinVerify" => Self::ecdsa(group, Form::Der(SPolicy::LowOnly)),
            "EcdsaP1363Verify" => Self::ecdsa(group, Form::Fixed),
            "MlDsaVerify" if algorithm == "ML-DSA-44" => Ok(Self::MlDsa44 { key: hex(group, "publicKey")? }),
            "BlsSigVerify" => {
                let suite = text(group, "ciphersuite").unwrap_or_default();
                let key = hex(key(group), "pk")?;
                match suite {
                    "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_" => {
                        Ok(Self::BlsMinPk { key, ciphersuite: Ciphersuite::Basic })
                    }
                    "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_" => {
                        Ok(Self::BlsMinPk { key, ciphersuite: Ciphersuite::ProofOfPossession })
                    }
                    "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_" => {
                        Ok(Self::BlsMinSig { key, ciphersuite: Ciphersuite::Basic })
                    }
                    "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_" => {
                        Ok(Self::BlsMinSig { key, ciphersuite: Ciphersuite::ProofOfPossession })
                    }
                    other => Err(unknown(&format!("ciphersuite {other:?}"))),
                }
            }
            _ => Err(unknown(&format!("algorithm {algorithm:?}"))),
        }
    }

    fn ecdsa(group: &Value, form: Form) -> Result<Self, String> {
        let curve = match (text(key(group), "curve"), text(group, "sha")) {
            (Some("secp256k1"), Some("SHA-256")) => Curve::Secp256k1,
            (Some("secp256r1"), Some("SHA-256")) => Curve::P256,
            (curve, hash) => return Err(format!("ECDSA over curve {curve:?} with hash {hash:?}")),
        };
        Ok(Self::Ecdsa { key: hex(key(group), "uncompressed")?, curve, form })
    }

    /// The product's verdict on a case, or why the case cannot be read.
    pub(super) fn decide(&self, test: &Value) -> Result<Result<(), Refusal>, String> {
        let (message, signature) = (hex(test, "msg")?, hex(test, "sig")?);
        Ok(match self {
            Self::Ed25519 { key } => ed25519_verdict(key, &message, &signature),
            Self::Ecdsa { key, curve, form } => ecdsa_verdict(*curve, *form, key, &message, &signature),
            Self::MlDsa44 { key } => {
                let context = if test.get("ctx").is_some() { hex(test, "ctx")? } else { Vec::new() };
                mldsa44_verdict(key, &context, &message, &signature)
            }
            Self::BlsMinPk { key, ciphersuite } => sized(key, Code::BadKey)
                .and_then(bls::min_pk::PublicKey::parse)
                .and_then(|key| key.verify(*ciphersuite, &message, sized(&signature, Code::BadSignature)?)),
            Self::BlsMinSig { key, ciphersuite } => sized(key, Code::BadKey)
                .and_then(bls::min_sig::PublicKey::parse)
                .and_then(|key| key.verify(*ciphersuite, &message, sized(&signature, Code::BadSignature)?)),
        })
    }
}

fn ed25519_verdict(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    let key = ed25519::PublicKey::parse(sized(key, Code::BadKey)?)?;
    key.verify(ed25519::Rule::Strict, message, sized(signature, Code::BadSignature)?)
}

fn ecdsa_verdict(
    curve: Curve,
    form: Form,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), Refusal> {
    let key = sized(key, Code::BadKey)?;
    let (policy, signature) = match form {
        Form::Der(policy) => (policy, ecdsa::from_der(signature)?),
        Form::Fixed => (SPolicy::Any, *sized(signature, Code::BadSignature)?),
    };
    match curve {
        Curve::Secp256k1 => {
            ecdsa::secp256k1::PublicKey::parse_uncompressed(key)?.verify(policy, message, &signature)
        }
        Curve::P256 => ecdsa::p256::PublicKey::parse_uncompressed(key)?.verify(policy, message, &signature),
    }
}

fn mldsa44_verdict(key: &[u8], context: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    let key = mldsa44::PublicKey::parse(sized(key, Code::BadKey)?);
    key.verify(context, message, sized(signature, Code::BadSignature)?)
}

/// Bytes of the one length their type has.
fn sized<const N: usize>(bytes: &[u8], code: Code) -> Result<&[u8; N], Refusal> {
    bytes.try_into().map_err(|_| Refusal::new(code).needed(N).found(bytes.len()))
}

fn key(group: &Value) -> &Value {
    group.get("publicKey").unwrap_or(&Value::Null)
}

fn hex(object: &Value, field: &str) -> Result<Vec<u8>, String> {
    let digits = text(object, field).ok_or_else(|| format!("no field {field:?}"))?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes.filter(|_| rest.is_empty()).ok_or_else(|| format!("field {field:?} is not hexadecimal"))
}
