//! Signed notes, and the keys that sign them.
//!
//! ```text
//! <text, lines>\n— <name> <base64 of key id (4) ‖ signature>\n…
//! key id = first four bytes of SHA-256 (name ‖ \n ‖ type u8 ‖ public key)
//! vkey   = <name>+<key id, 8 hexadecimal>+<base64 of type u8 ‖ public key>
//! ```
//!
//! The text is all before the last empty line. A line of a key that is not asked for is passed over, but every
//! line must be of the form. The first line of the key asked for must verify.
//!
//! Source: C2SP `signed-note`.

use crate::base64;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeugma_crypto::hash::sha256;
use zeugma_crypto::{ed25519, mldsa44};
use zeugma_types::{Code, Refusal};

/// Longest name of a key and longest origin, in bytes: a cosigned message has one byte for its length.
pub const MAX_KEY_NAME: usize = 255;

/// How much of a note is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoteBounds {
    /// Most bytes.
    pub bytes: usize,
    /// Most lines, of text and signatures together.
    pub lines: usize,
}

impl NoteBounds {
    /// A checkpoint with sixteen signatures of ML-DSA-44, as many as every verifier must take, and as many more
    /// of Ed25519.
    pub const USUAL: Self = Self { bytes: 64 * 1024, lines: 64 };
}

/// A note in its parts. Nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// What is signed: lines, with the last newline.
    pub text: &'a str,
    /// The signature lines in their order.
    pub signatures: Vec<SignatureLine<'a>>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine<'a> {
    /// Name of the key.
    pub name: &'a str,
    /// Its id.
    pub key_id: [u8; 4],
    /// What the algorithm of the key made.
    pub signature: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Reads a note.
    ///
    /// # Errors
    /// [`Code::TooLong`], [`Code::TooMany`] lines, [`Code::BadNote`] with the part that is not of the form.
    pub fn parse(bytes: &'a [u8], bounds: NoteBounds) -> Result<Self, Refusal> {
        if bytes.len() > bounds.bytes {
            return Err(Refusal::new(Code::TooLong).needed(bounds.bytes).found(bytes.len()));
        }
        let note = core::str::from_utf8(bytes).map_err(|_| bad("text"))?;
        if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
            return Err(bad("text without control characters"));
        }
        if note.bytes().filter(|byte| *byte == b'\n').count() > bounds.lines {
            return Err(Refusal::new(Code::TooMany).needed(bounds.lines));
        }
        let split = note.rfind("\n\n").ok_or_else(|| bad("an empty line before the signatures"))?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        let signatures = signatures.strip_suffix('\n').ok_or_else(|| bad("signature lines"))?;
        let signatures = signatures.split('\n').map(SignatureLine::parse).collect::<Result<_, _>>()?;
        Ok(Self { text, signatures })
    }

    /// The first signature under this name and key id.
    #[must_use]
    pub fn signature_of(&self, key: &VerifierKey) -> Option<&[u8]> {
        let line = self.signatures.iter().find(|line| line.name == key.name && line.key_id == key.id);
        line.map(|line| line.signature.as_slice())
    }
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Result<Self, Refusal> {
        let line = line.strip_prefix("\u{2014} ").ok_or_else(|| bad("signature lines"))?;
        let (name, encoded) = line.split_once(' ').ok_or_else(|| bad("a name and a signature"))?;
        if !is_name(name) {
            return Err(bad("a key name without spaces and plus"));
        }
        let bytes = base64::decode(encoded).ok_or_else(|| bad("a signature in base64"))?;
        match bytes.split_first_chunk::<4>() {
            Some((key_id, signature)) if !signature.is_empty() => {
                Ok(Self { name, key_id: *key_id, signature: signature.into() })
            }
            _ => Err(bad("a signature with its key id")),
        }
    }
}

/// The signature line of these parts.
pub(crate) fn signature_line(name: &str, key_id: [u8; 4], signature: &[u8]) -> String {
    let bytes = [&key_id[..], signature].concat();
    format!("\u{2014} {name} {}\n", base64::encode(&bytes))
}

pub(crate) fn bad(needed: &'static str) -> Refusal {
    Refusal::new(Code::BadNote).needed(needed)
}

/// Whether a key may have this name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|letter| letter.is_whitespace() || letter == '+')
}

/// # Errors
/// [`Code::TooLong`], [`Code::BadIdentifier`].
pub(crate) fn require_name(name: &str) -> Result<(), Refusal> {
    if name.len() > MAX_KEY_NAME {
        return Err(Refusal::new(Code::TooLong).needed(MAX_KEY_NAME).found(name.len()));
    }
    if is_name(name) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Refusal::new(Code::BadIdentifier).needed("a key name without spaces and plus"))
}

/// What a key signs, and how: the type byte of its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Algorithm {
    /// The note's text in Ed25519: a log.
    Ed25519 = 0x01,
    /// Text and time in Ed25519: a witness.
    Cosignature = 0x04,
    /// Cosigner, time, origin, size and root in ML-DSA-44: a witness, or the log itself.
    MlDsa44 = 0x06,
}

/// A public key with its name: what a verifier is configured with.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    algorithm: Algorithm,
    id: [u8; 4],
    pub(crate) material: Material,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Material {
    Ed25519(ed25519::PublicKey),
    MlDsa44(Box<mldsa44::PublicKey>),
}

impl VerifierKey {
    /// A log's Ed25519 key.
    ///
    /// # Errors
    /// [`Code::TooLong`] or [`Code::BadIdentifier`] for the name, [`Code::BadKey`].
    pub fn ed25519(name: &str, key: &[u8; 32]) -> Result<Self, Refusal> {
        Self::of_ed25519(name, Algorithm::Ed25519, key)
    }

    /// A witness's Ed25519 key.
    ///
    /// # Errors
    /// [`Code::TooLong`] or [`Code::BadIdentifier`] for the name, [`Code::BadKey`].
    pub fn cosignature(name: &str, key: &[u8; 32]) -> Result<Self, Refusal> {
        Self::of_ed25519(name, Algorithm::Cosignature, key)
    }

    /// A cosigner's ML-DSA-44 key.
    ///
    /// # Errors
    /// [`Code::TooLong`] or [`Code::BadIdentifier`] for the name.
    pub fn mldsa44(name: &str, key: &[u8; mldsa44::KEY_LENGTH]) -> Result<Self, Refusal> {
        let material = Material::MlDsa44(Box::new(mldsa44::PublicKey::parse(key)));
        Self::new(name, Algorithm::MlDsa44, material, key)
    }

    fn of_ed25519(name: &str, algorithm: Algorithm, key: &[u8; 32]) -> Result<Self, Refusal> {
        Self::new(name, algorithm, Material::Ed25519(ed25519::PublicKey::parse_strict(key)?), key)
    }

    /// The same key under another name, and so under another id: a log signs each of its shards under that shard's name.
    ///
    /// # Errors
    /// [`Code::TooLong`] or [`Code::BadIdentifier`] for the name.
    pub fn renamed(&self, name: &str) -> Result<Self, Refusal> {
        let key = match &self.material {
            Material::Ed25519(key) => key.as_bytes().to_vec(),
            Material::MlDsa44(key) => key.to_bytes().to_vec(),
        };
        Self::new(name, self.algorithm, self.material.clone(), &key)
    }

    fn new(name: &str, algorithm: Algorithm, material: Material, key: &[u8]) -> Result<Self, Refusal> {
        require_name(name)?;
        let hash = sha256(&[name.as_bytes(), b"\n", &[algorithm as u8], key]);
        let id = *hash.first_chunk().expect("a hash has 32 bytes");
        Ok(Self { name: name.into(), algorithm, id, material })
    }

    /// Reads a key as its operator publishes it.
    ///
    /// # Errors
    /// [`Code::TooLong`]; [`Code::BadKey`] for another form, another id than that of the key, or an algorithm that
    /// is not one of [`Algorithm`].
    pub fn parse(vkey: &str) -> Result<Self, Refusal> {
        // Name, plus, id, plus, base64 of an ML-DSA-44 key.
        const LONGEST: usize = MAX_KEY_NAME + 10 + 4 * (mldsa44::KEY_LENGTH + 3) / 3;
        if vkey.len() > LONGEST {
            return Err(Refusal::new(Code::TooLong).needed(LONGEST).found(vkey.len()));
        }
        let bad = || Refusal::new(Code::BadKey);
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad());
        };
        let bytes = base64::decode(encoded).ok_or_else(bad)?;
        let (algorithm, key) = bytes.split_first().ok_or_else(bad)?;
        let key = match algorithm {
            0x01 => Self::ed25519(name, key.try_into().map_err(|_| bad())?)?,
            0x04 => Self::cosignature(name, key.try_into().map_err(|_| bad())?)?,
            0x06 => Self::mldsa44(name, key.try_into().map_err(|_| bad())?)?,
            _ => return Err(bad()),
        };
        if key.id_text() == id { Ok(key) } else { Err(bad().needed(key.id_text()).found(String::from(id))) }
    }

    /// The form that [`VerifierKey::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut bytes = alloc::vec![self.algorithm as u8];
        match &self.material {
            Material::Ed25519(key) => bytes.extend_from_slice(key.as_bytes()),
            Material::MlDsa44(key) => bytes.extend_from_slice(&key.to_bytes()),
        }
        format!("{}+{}+{}", self.name, self.id_text(), base64::encode(&bytes))
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs, and how.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key id of signature lines.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    fn id_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({}+{})", self.name, self.id_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The log of Tessera's test data; the key is published with it.
    const PUBLISHED: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

    #[test]
    fn a_published_key_is_read_and_written_as_it_is() {
        let key = VerifierKey::parse(PUBLISHED).unwrap();
        assert_eq!((key.name(), key.algorithm()), ("example.com/log/testdata", Algorithm::Ed25519));
        assert_eq!(key.id(), [0x33, 0xd7, 0xb4, 0x96]);
        assert_eq!(key.to_text(), PUBLISHED);
    }

    #[test]
    fn a_key_whose_id_or_form_is_another_is_refused() {
        let code = |text: &str| VerifierKey::parse(text).unwrap_err().code;
        assert_eq!(code(&PUBLISHED.replace("33d7b496", "33d7b497")), Code::BadKey);
        assert_eq!(code(&PUBLISHED.replace("33d7b496", "33D7B496")), Code::BadKey);
        assert_eq!(code(&PUBLISHED.replace("example", "sample")), Code::BadKey);
        assert_eq!(code("name"), Code::BadKey);
        assert_eq!(code("name+00000000+"), Code::BadKey);
        assert_eq!(code("name+00000000+AA=="), Code::BadKey);
        assert_eq!(code(&"x".repeat(4_000)), Code::TooLong);
        let small = VerifierKey::ed25519("name", &[0; 32]).unwrap_err();
        assert_eq!(small.code, Code::BadKey, "a point of small order");
        for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{7f}b"] {
            assert_eq!(
                VerifierKey::mldsa44(name, &[0; 1_312]).unwrap_err().code,
                Code::BadIdentifier,
                "{name:?}"
            );
        }
        assert_eq!(VerifierKey::mldsa44(&"n".repeat(256), &[0; 1_312]).unwrap_err().code, Code::TooLong);
    }

    #[test]
    fn one_key_under_each_algorithm_has_another_id() {
        let key = VerifierKey::parse(PUBLISHED).unwrap();
        let Material::Ed25519(bytes) = &key.material else { panic!("an Ed25519 key") };
        let witness = VerifierKey::cosignature(key.name(), bytes.as_bytes()).unwrap();
        assert_ne!(witness.id(), key.id());
        assert_eq!(VerifierKey::parse(&witness.to_text()).unwrap(), witness);
        let pq = VerifierKey::mldsa44("witness.example/pq", &[7; 1_312]).unwrap();
        assert_eq!(VerifierKey::parse(&pq.to_text()).unwrap(), pq);
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_with_its_part() {
        let bounds = NoteBounds { bytes: 100, lines: 5 };
        let code = |note: &str| Note::parse(note.as_bytes(), bounds).unwrap_err().code;
        assert!(Note::parse("t\n\n\u{2014} n AAAAAAA=\n".as_bytes(), bounds).is_ok());
        for bad in [
            "",
            "t\n",
            "t\n\n",
            "t\n\n\u{2014} n AAAAAAA=",
            "t\n\u{2014} n AAAAAAA=\n",
            "t\n\n- n AAAAAAA=\n",
            "t\n\n\u{2014} n\n",
            "t\n\n\u{2014}  AAAAAAA=\n",
            "t\n\n\u{2014} a+b AAAAAAA=\n",
            "t\n\n\u{2014} n AAAAAA==\n",
            "t\n\n\u{2014} n AAAAAAA\n",
            "t\r\n\n\u{2014} n AAAAAAA=\n",
            "t\n\n\u{2014} n AAAAAAA=\nrest\n",
        ] {
            assert_eq!(code(bad), Code::BadNote, "{bad:?}");
        }
        assert_eq!(code(&"x".repeat(101)), Code::TooLong);
        assert_eq!(code("a\nb\nc\nd\n\n\u{2014} n AAAAAAA=\n"), Code::TooMany);
        assert_eq!(Note::parse(&[0xff], bounds).unwrap_err().code, Code::BadNote);
    }

    #[test]
    fn the_text_ends_at_the_last_empty_line() {
        let note = "one\n\ntwo\n\n\u{2014} n AAAAAAA=\n";
        let note = Note::parse(note.as_bytes(), NoteBounds::USUAL).unwrap();
        assert_eq!(note.text, "one\n\ntwo\n");
        assert_eq!(note.signatures.len(), 1);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,80}") {
            let _ = Note::parse(&bytes, NoteBounds::USUAL);
            let _ = VerifierKey::parse(&text);
        }
    }
}
