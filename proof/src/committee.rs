//! Who certifies: the group key of an era, how it was made, and the members behind it.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeugma_crypto::bls::min_sig::PublicKey;
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{Code, Decode, Encode, Reader, Refusal, SealSuite, TranscriptDigest};

/// Most members of a committee.
pub const MAX_MEMBERS: usize = 128;
/// Length of a compressed group key, a point of G2, in bytes.
pub const GROUP_KEY_LENGTH: usize = 96;

/// The public key of an era's group, parsed once: on the curve, in the subgroup, not the identity.
#[derive(Clone)]
pub struct GroupKey {
    bytes: [u8; GROUP_KEY_LENGTH],
    parsed: PublicKey,
}

impl GroupKey {
    /// # Errors
    /// [`Code::BadKey`].
    pub fn parse(bytes: &[u8; GROUP_KEY_LENGTH]) -> Result<Self, Refusal> {
        Ok(Self { bytes: *bytes, parsed: PublicKey::parse(bytes)? })
    }

    /// The compressed point.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; GROUP_KEY_LENGTH] {
        &self.bytes
    }

    pub(crate) const fn parsed(&self) -> &PublicKey {
        &self.parsed
    }
}

impl PartialEq for GroupKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for GroupKey {}

impl fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupKey(")?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl Encode for GroupKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.bytes.encode(out);
    }
}

impl Decode for GroupKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::parse(&reader.array()?)
    }
}

/// How a group key came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// The members generated it together; nobody ever held it whole.
    Distributed {
        /// Digest of the public transcript.
        transcript: TranscriptDigest,
    },
    /// One dealer made it and could sign alone. For trials only: a verifier warns.
    InsecureDealer,
}

impl Encode for KeyOrigin {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Distributed { transcript } => {
                out.push(1);
                transcript.encode(out);
            }
            Self::InsecureDealer => out.push(2),
        }
    }
}

impl Decode for KeyOrigin {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            1 => Ok(Self::Distributed { transcript: TranscriptDigest::decode(reader)? }),
            2 => Ok(Self::InsecureDealer),
            tag => Err(Refusal::new(Code::UnknownTag).found(tag)),
        }
    }
}

/// A member of a committee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who it is, at most [`Member::MAX_TEXT`] bytes.
    pub name: String,
    /// What it is (court, notary, forensic centre, operator), at most [`Member::MAX_TEXT`] bytes.
    pub role: String,
    /// Its Ed25519 key in the engine.
    pub key: [u8; 32],
    /// Its keys of the second seals, ascending by suite.
    pub seal_keys: Vec<(SealSuite, Vec<u8>)>,
}

impl Member {
    /// Longest name and longest role, in bytes.
    pub const MAX_TEXT: usize = 64;

    /// The member's key of `suite`.
    #[must_use]
    pub fn seal_key(&self, suite: SealSuite) -> Option<&[u8]> {
        self.seal_keys.iter().find(|(other, _)| *other == suite).map(|(_, key)| key.as_slice())
    }
}

impl Encode for Member {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.name.as_bytes());
        put_bytes(out, self.role.as_bytes());
        self.key.encode(out);
        put_list(out, &self.seal_keys, |out, (suite, key)| {
            suite.encode(out);
            // The suite fixes the length of its key.
            out.extend_from_slice(key);
        });
    }
}

impl Decode for Member {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let member = Self {
            name: reader.text(Self::MAX_TEXT)?,
            role: reader.text(Self::MAX_TEXT)?,
            key: reader.array()?,
            seal_keys: reader.list(SealSuite::ALL.len(), |r| {
                let suite = SealSuite::decode(r)?;
                Ok((suite, r.take(suite.key_length())?.to_vec()))
            })?,
        };
        if member.seal_keys.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(Refusal::new(Code::NotSorted));
        }
        Ok(member)
    }
}

/// The group key of an era and the members behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committee {
    /// The key that certifies.
    pub group_key: GroupKey,
    /// How the key was made.
    pub origin: KeyOrigin,
    /// The members, in the order of their indices: ascending by engine key, none twice.
    members: Vec<Member>,
}

impl Committee {
    /// # Errors
    /// [`Code::EmptySet`], [`Code::TooMany`]; [`Code::RepeatedMember`] or [`Code::NotSorted`] unless the
    /// engine keys ascend and no two members have one seal key.
    pub fn new(group_key: GroupKey, origin: KeyOrigin, members: Vec<Member>) -> Result<Self, Refusal> {
        if members.is_empty() {
            return Err(Refusal::new(Code::EmptySet));
        }
        if members.len() > MAX_MEMBERS {
            return Err(Refusal::new(Code::TooMany).needed(MAX_MEMBERS).found(members.len()));
        }
        for pair in members.windows(2) {
            match pair[0].key.cmp(&pair[1].key) {
                core::cmp::Ordering::Less => {}
                core::cmp::Ordering::Equal => {
                    return Err(Refusal::new(Code::RepeatedMember).found(pair[0].key));
                }
                core::cmp::Ordering::Greater => return Err(Refusal::new(Code::NotSorted)),
            }
        }
        for suite in SealSuite::ALL {
            let mut keys = BTreeSet::new();
            if members.iter().filter_map(|member| member.seal_key(*suite)).any(|key| !keys.insert(key)) {
                return Err(Refusal::new(Code::RepeatedMember).needed(suite.name()));
            }
        }
        Ok(Self { group_key, origin, members })
    }

    /// The members, in the order of their indices.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }
}

impl Encode for Committee {
    fn encode(&self, out: &mut Vec<u8>) {
        self.group_key.encode(out);
        self.origin.encode(out);
        put_list(out, &self.members, |out, member| member.encode(out));
    }
}

impl Decode for Committee {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let group_key = GroupKey::decode(reader)?;
        let origin = KeyOrigin::decode(reader)?;
        Self::new(group_key, origin, reader.list(MAX_MEMBERS, Member::decode)?)
    }
}
