//! Institutions that sign together: m of n, each once.

use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::ed25519::{PublicKey, Rule as Validity};
use zeugma_crypto::tally::{Rule, Set, Tally};
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{Code, Decode, Encode, Reader, Refusal, Weight};

/// An institution that signs trust files and substitutes with a key of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institution {
    /// Who it is, at most [`Institution::MAX_NAME`] bytes.
    pub name: String,
    /// Its Ed25519 key.
    pub key: [u8; 32],
}

impl Institution {
    /// Longest name, in bytes.
    pub const MAX_NAME: usize = 64;
    /// Most institutions of one list.
    pub const MAX: usize = 64;
}

/// Institutions and how many of them must sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institutions {
    threshold: u16,
    list: Vec<Institution>,
}

impl Institutions {
    /// # Errors
    /// [`Code::EmptySet`], [`Code::TooMany`], [`Code::RepeatedMember`]; [`Code::OutOfRange`] unless the
    /// threshold is 1 to the number of institutions.
    pub fn new(threshold: u16, list: Vec<Institution>) -> Result<Self, Refusal> {
        if list.len() > Institution::MAX {
            return Err(Refusal::new(Code::TooMany).needed(Institution::MAX).found(list.len()));
        }
        Set::new(list.iter().map(|one| (one.key, Weight::ONE)))?;
        if threshold == 0 || usize::from(threshold) > list.len() {
            return Err(Refusal::new(Code::OutOfRange).needed(list.len()).found(threshold));
        }
        Ok(Self { threshold, list })
    }

    /// How many must sign; at least 1.
    #[must_use]
    pub const fn threshold(&self) -> u16 {
        self.threshold
    }

    /// The institutions, in the order of their indices.
    #[must_use]
    pub fn list(&self) -> &[Institution] {
        &self.list
    }

    /// Checks that enough of the institutions signed `digest`.
    ///
    /// # Errors
    /// [`Code::UnknownSigner`], [`Code::RepeatedSigner`], [`Code::BadKey`], [`Code::BadSignature`],
    /// [`Code::QuorumNotReached`].
    pub fn verify(&self, digest: &[u8; 32], signatures: &Signatures) -> Result<(), Refusal> {
        let set = Set::new(self.list.iter().map(|one| (one.key, Weight::ONE)))?;
        let mut tally = Tally::new(&set, Rule::AtLeast(u64::from(self.threshold)));
        for (index, signature) in &signatures.0 {
            tally.add(usize::from(*index))?;
            let one = &self.list[usize::from(*index)];
            PublicKey::parse_strict(&one.key)?.verify(Validity::Strict, digest, signature)?;
        }
        tally.finish().map(|_| ())
    }
}

/// Signatures of institutions: index and Ed25519 signature, ascending by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures(Vec<(u16, [u8; 64])>);

impl Signatures {
    /// # Errors
    /// [`Code::TooMany`]; [`Code::NotSorted`] unless the indices ascend.
    pub fn new(signatures: Vec<(u16, [u8; 64])>) -> Result<Self, Refusal> {
        if signatures.len() > Institution::MAX {
            return Err(Refusal::new(Code::TooMany).needed(Institution::MAX).found(signatures.len()));
        }
        if signatures.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(Refusal::new(Code::NotSorted));
        }
        Ok(Self(signatures))
    }

    /// Index and signature, ascending by index.
    #[must_use]
    pub fn list(&self) -> &[(u16, [u8; 64])] {
        &self.0
    }
}

impl Encode for Institution {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.name.as_bytes());
        self.key.encode(out);
    }
}

impl Decode for Institution {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { name: reader.text(Self::MAX_NAME)?, key: reader.array()? })
    }
}

impl Encode for Institutions {
    fn encode(&self, out: &mut Vec<u8>) {
        self.threshold.encode(out);
        put_list(out, &self.list, |out, one| one.encode(out));
    }
}

impl Decode for Institutions {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let threshold = reader.u16()?;
        Self::new(threshold, reader.list(Institution::MAX, Institution::decode)?)
    }
}

impl Encode for Signatures {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.0, |out, (index, signature)| {
            index.encode(out);
            signature.encode(out);
        });
    }
}

impl Decode for Signatures {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::new(reader.list(Institution::MAX, |r| Ok((r.u16()?, r.array()?)))?)
    }
}
