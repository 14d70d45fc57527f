//! Ed25519 under two named rules, one by one or in batches.
//!
//! Two verifiers that disagree about one signature split a chain, so the rule is always named:
//!
//! * [`Rule::Zip215`], for CometBFT's votes: `A` and `R` are any encodings of points of the curve, also
//!   with a coordinate not below the modulus; `s` is below the group order; `[8][s]B = [8]R + [8][k]A`.
//! * [`Rule::Strict`], for all else: `A` and `R` are canonical encodings of points that are not of small
//!   order; `s` is below the group order; `[s]B = R + [k]A`. A signature that passes it has no second
//!   form, and belongs to one message and one key. It passes the other rule too.
//!
//! [`verify_batch`] decides under `Zip215` what one by one would decide: both forms multiply by the
//! cofactor, and each equation has a factor of 128 bits taken from a hash of the whole batch, so whoever
//! chooses the signatures cannot choose the factors; a false batch passes with a probability of 2^-128
//! for each hash spent.
//!
//! Source: RFC 8032, section 5.1.7; ZIP 215; "Taming the many EdDSAs" (Chalkias and others, 2020).

use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use ed25519_dalek::Signer;
use zeroize::Zeroizing;
use zeugma_types::{Code, Purpose, Refusal, UnixSeconds};

use crate::hash::{framed, sha512};

/// Which signatures are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// ZIP 215: lenient encodings, cofactored equation.
    Zip215,
    /// RFC 8032 with canonical encodings, no point of small order, equation without cofactor.
    Strict,
}

/// A public key, with its point.
#[derive(Clone, Copy)]
pub struct PublicKey {
    bytes: [u8; 32],
    minus: EdwardsPoint,
}

impl PublicKey {
    /// Reads a key. What the stricter rule asks of a key is checked when it verifies.
    ///
    /// # Errors
    /// [`Code::BadKey`] when the bytes encode no point of the curve.
    pub fn parse(bytes: &[u8; 32]) -> Result<Self, Refusal> {
        let point = CompressedEdwardsY(*bytes).decompress().ok_or_else(|| Refusal::new(Code::BadKey))?;
        Ok(Self { bytes: *bytes, minus: -point })
    }

    /// Reads a key that will verify under [`Rule::Strict`].
    ///
    /// # Errors
    /// [`Code::BadKey`] when the bytes are no point, not its canonical encoding, or of small order.
    pub fn parse_strict(bytes: &[u8; 32]) -> Result<Self, Refusal> {
        let key = Self::parse(bytes)?;
        if key.is_strict() { Ok(key) } else { Err(Refusal::new(Code::BadKey)) }
    }

    /// The bytes it was read from.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Checks that `signature` is this key's over `message` under `rule`.
    ///
    /// # Errors
    /// [`Code::BadKey`] when the key is not one that [`Rule::Strict`] admits, [`Code::BadSignature`].
    pub fn verify(&self, rule: Rule, message: &[u8], signature: &[u8; 64]) -> Result<(), Refusal> {
        let parts = Parts::split(signature)?;
        let challenge = self.challenge(message, &parts);
        match rule {
            Rule::Zip215 => {
                let commitment = parts.decompress()?;
                let found =
                    EdwardsPoint::vartime_double_scalar_mul_basepoint(&challenge.0, &self.minus, &parts.s);
                require((found - commitment).mul_by_cofactor().is_identity())
            }
            Rule::Strict => {
                if !self.is_strict() {
                    return Err(Refusal::new(Code::BadKey));
                }
                let found =
                    EdwardsPoint::vartime_double_scalar_mul_basepoint(&challenge.0, &self.minus, &parts.s);
                // The canonical encoding of what `R` must be, so another encoding of it is refused too.
                require(!found.is_small_order() && found.compress().0 == parts.r)
            }
        }
    }

    fn is_strict(&self) -> bool {
        is_canonical(&self.bytes) && !self.minus.is_small_order()
    }

    fn challenge(&self, message: &[u8], parts: &Parts) -> Challenge {
        let digest = sha512(&[&parts.r, &self.bytes, message]);
        Challenge(Scalar::from_bytes_mod_order_wide(&digest), digest)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ed25519::PublicKey(")?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// One signature of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Whose signature.
    pub key: &'a PublicKey,
    /// Over what.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a [u8; 64],
}

/// Checks all signatures under [`Rule::Zip215`] at once. An empty batch holds.
///
/// The verdict is that of [`PublicKey::verify`] on each; who needs the culprit then asks one by one
/// ([`first_bad`]).
///
/// # Errors
/// [`Code::BadSignature`] when at least one is not valid.
pub fn verify_batch(items: &[Item<'_>]) -> Result<(), Refusal> {
    let mut parts = Vec::with_capacity(items.len());
    let mut challenges = Vec::with_capacity(items.len());
    let mut transcript = Vec::with_capacity(items.len() * 96);
    for item in items {
        let split = Parts::split(item.signature)?;
        let challenge = item.key.challenge(item.message, &split);
        // The challenge binds `R`, the key and the message; `s` is the rest of the signature.
        transcript.extend_from_slice(&challenge.1);
        transcript.extend_from_slice(split.s.as_bytes());
        parts.push(split);
        challenges.push(challenge);
    }
    let factors = Factors::of(&transcript);

    let mut base = Scalar::ZERO;
    let mut scalars = Vec::with_capacity(2 * items.len() + 1);
    let mut points = Vec::with_capacity(2 * items.len() + 1);
    for (((item, parts), challenge), factor) in items.iter().zip(&parts).zip(&challenges).zip(factors) {
        base += factor * parts.s;
        // The factor itself has 128 bits, its negative would have 253 and cost twice as much.
        scalars.push(factor);
        points.push(parts.decompress()?);
        scalars.push(-(factor * challenge.0));
        points.push(item.key.minus);
    }
    scalars.push(-base);
    points.push(curve25519_dalek::constants::ED25519_BASEPOINT_POINT);
    require(EdwardsPoint::vartime_multiscalar_mul(&scalars, &points).mul_by_cofactor().is_identity())
}

/// The position of the first signature of a batch that is not valid under [`Rule::Zip215`].
#[must_use]
pub fn first_bad(items: &[Item<'_>]) -> Option<usize> {
    items.iter().position(|item| item.key.verify(Rule::Zip215, item.message, item.signature).is_err())
}

/// The scalar `k`, and the hash it was reduced from.
struct Challenge(Scalar, [u8; 64]);

/// A signature cut in two; `s` is below the group order.
struct Parts {
    r: [u8; 32],
    s: Scalar,
}

impl Parts {
    fn split(signature: &[u8; 64]) -> Result<Self, Refusal> {
        let halves = signature.as_chunks::<32>().0;
        let (Some(r), Some(s)) = (halves.first(), halves.last()) else { return Err(bad_signature()) };
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(*s)).ok_or_else(bad_signature)?;
        Ok(Self { r: *r, s })
    }

    fn decompress(&self) -> Result<EdwardsPoint, Refusal> {
        CompressedEdwardsY(self.r).decompress().ok_or_else(bad_signature)
    }
}

/// Factors of 128 bits, never zero, four from each hash of the transcript's digest and a counter.
struct Factors {
    seed: [u8; 64],
    block: [u8; 64],
    next: u64,
}

impl Factors {
    fn of(transcript: &[u8]) -> Self {
        Self { seed: sha512(&[b"zeugma.ed25519-batch.1", transcript]), block: [0; 64], next: 0 }
    }
}

impl Iterator for Factors {
    type Item = Scalar;

    fn next(&mut self) -> Option<Scalar> {
        let quarter = self.next % 4;
        if quarter == 0 {
            self.block = sha512(&[&self.seed, &self.next.to_be_bytes()]);
        }
        self.next += 1;
        let lane = usize::try_from(quarter).expect("a quarter is below 4");
        let bytes: [u8; 16] = *self.block.as_chunks::<16>().0.get(lane).expect("a block has four quarters");
        Some(Scalar::from(u128::from_le_bytes(bytes).max(1)))
    }
}

/// Whether the 255 bits of `y` are below 2^255 - 19. The two points with `x = 0`, whose sign has two
/// forms, are of small order.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    !(*low >= 0xed && middle.iter().all(|byte| *byte == 0xff) && high & 0x7f == 0x7f)
}

fn require(holds: bool) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(bad_signature()) }
}

fn bad_signature() -> Refusal {
    Refusal::new(Code::BadSignature)
}

/// A secret key. Erased when dropped; does not print.
#[derive(Clone)]
pub struct SecretKey(ed25519_dalek::SigningKey);

impl SecretKey {
    /// The key of a seed of 32 secret bytes (RFC 8032).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed, to be stored.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let point = self.0.verifying_key().to_edwards();
        PublicKey { bytes: self.0.verifying_key().to_bytes(), minus: -point }
    }

    /// Signs the digest of `parts` framed by `purpose`.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 64] {
        self.0.sign(&framed(purpose, parts)).to_bytes()
    }

    /// Signs the text of a C2SP note, or of a cosignature: lines, longer than the 32 bytes that any digest of
    /// ours has, so that neither counts for the other.
    ///
    /// # Errors
    /// [`Code::BadNote`] for anything else.
    pub fn sign_note(&self, text: &str) -> Result<[u8; 64], Refusal> {
        if text.len() <= 32 || !text.ends_with('\n') {
            return Err(Refusal::new(Code::BadNote).needed("lines of more than 32 bytes"));
        }
        Ok(self.0.sign(text.as_bytes()).to_bytes())
    }

    /// Signs a call of a webhook as Standard Webhooks 1.0 has it: `ID.SECONDS.BODY`. The body is an object of JSON, so what is
    /// signed is longer than the 32 bytes of any digest of ours and ends as no line of a note does: neither counts for
    /// the other.
    ///
    /// # Errors
    /// [`Code::BadText`] for a name that is empty or has a dot, or a body that is no object.
    pub fn sign_webhook(&self, id: &str, at: UnixSeconds, body: &[u8]) -> Result<[u8; 64], Refusal> {
        let is_name = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
        let is_object = body.starts_with(b"{") && body.ends_with(b"}");
        let message = [id.as_bytes(), b".", at.get().to_string().as_bytes(), b".", body].concat();
        if !is_name || !is_object || message.len() <= 32 {
            return Err(Refusal::new(Code::BadText).needed("a name without dots, and an object of JSON"));
        }
        Ok(self.0.sign(&message).to_bytes())
    }

    /// Signs what a foreign chain's validator would sign, to make test vectors.
    #[cfg(any(test, feature = "test-utils"))]
    #[must_use]
    pub fn sign_foreign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ed25519::SecretKey(..)")
    }
}

#[cfg(test)]
mod tests;
