//! The leaf of the log: salted commitments to a record's fields, and nothing in clear.
//!
//! ```text
//! salt(i)       = SHA-256 framed EntrySalt (seed [32] · i u32)
//! commitment(i) = H framed EntryField (salt(i) [32] · Field i)
//! root          = H framed Entry (count u32 · commitment(0) … commitment(count - 1))
//! Entry         = 1 · list<(suite u8 · root [32]), 2>
//! ```
//!
//! The encoding of an `Entry` is the leaf's data, the same bytes in both trees. Its first root is of SHA-256; a log
//! with a second tree adds one of SM3, so that each tree stands without the other's hash. Each field has a salt
//! of 256 bits of its own, so showing one field says nothing of another, and erasing the seed leaves a leaf that
//! says nothing at all.
//!
//! The **identity** of a record is `SHA-256 framed EntryIdentity (tenant bytes · submitter bytes · Record)`, before
//! salting: the store deduplicates by it and never publishes it.

use crate::record::{Field, MAX_FIELDS, Record, require_ascending};
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;
use zeugma_crypto::hash::{Hasher, framed, sha256};
use zeugma_types::codec::{put_list, put_option};
use zeugma_types::{Code, Decode, Encode, HashSuite, Purpose, Reader, Refusal};

/// Length of an encoded entry with roots in both suites, the longest.
pub const MAX_ENTRY: usize = 71;

const VERSION: u8 = 1;

/// A leaf of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Commitment to all fields under SHA-256.
    pub sha256: [u8; 32],
    /// The same under SM3, in a log with a second tree.
    pub sm3: Option<[u8; 32]>,
}

impl Encode for Entry {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        let roots = [(HashSuite::Sha256, Some(&self.sha256)), (HashSuite::Sm3, self.sm3.as_ref())];
        u32::from(1 + u8::from(self.sm3.is_some())).encode(out);
        for (suite, root) in roots {
            if let Some(root) = root {
                suite.encode(out);
                root.encode(out);
            }
        }
    }
}

impl Decode for Entry {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let version = reader.u8()?;
        if version != VERSION {
            return Err(Refusal::new(Code::UnknownTag).needed(VERSION).found(version));
        }
        let roots = reader.list(2, |reader| Ok((HashSuite::decode(reader)?, reader.array()?)))?;
        match roots.as_slice() {
            [(HashSuite::Sha256, sha256)] => Ok(Self { sha256: *sha256, sm3: None }),
            [(HashSuite::Sha256, sha256), (HashSuite::Sm3, sm3)] => {
                Ok(Self { sha256: *sha256, sm3: Some(*sm3) })
            }
            [(HashSuite::Sha256, _), ..] => Err(Refusal::new(Code::NotSorted)),
            _ => Err(Refusal::new(Code::NoSuchRoot).needed(HashSuite::Sha256.name())),
        }
    }
}

/// The secret from which all salts of one entry follow: 32 random bytes, used for one record only.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    /// Wraps 32 bytes of a good random source.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, to be stored beside the record.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// What `H(tenant, submitter, record)` is: the same record of the same submitter is the same entry.
#[must_use]
pub fn identity(tenant: &str, record: &Record) -> [u8; 32] {
    let mut bytes = Vec::new();
    zeugma_types::codec::put_bytes(&mut bytes, tenant.as_bytes());
    zeugma_types::codec::put_bytes(&mut bytes, record.submitter().as_bytes());
    record.encode(&mut bytes);
    framed(Purpose::EntryIdentity, &[&bytes])
}

/// Which commitments an entry carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suites {
    /// SHA-256 alone: a log of one tree.
    Sha256,
    /// SHA-256 and SM3: a log of two trees.
    Both,
}

/// Makes entries. Holds what all of them share, so that none allocates more than once.
#[derive(Clone, Debug)]
pub struct Committer {
    suites: Suites,
    entry: Vec<u8>,
    field: Vec<u8>,
    salt: Vec<u8>,
}

impl Committer {
    /// Makes entries with commitments in `suites`.
    #[must_use]
    pub fn new(suites: Suites) -> Self {
        Self {
            suites,
            entry: Purpose::Entry.frame(),
            field: Purpose::EntryField.frame(),
            salt: Purpose::EntrySalt.frame(),
        }
    }

    /// The entry of a record under the salts of `seed`.
    #[must_use]
    pub fn entry(&self, record: &Record, seed: &Seed) -> Entry {
        let fields = record.fields();
        let (mut sha256, mut sm3) = (self.root(HashSuite::Sha256, fields.len()), self.second(fields.len()));
        let mut bytes = Vec::with_capacity(256);
        for (at, field) in fields.iter().enumerate() {
            let salt = self.salt(seed, at);
            bytes.clear();
            field.encode(&mut bytes);
            sha256.update(&self.commitment(HashSuite::Sha256, &salt, &bytes));
            if let Some(sm3) = &mut sm3 {
                sm3.update(&self.commitment(HashSuite::Sm3, &salt, &bytes));
            }
        }
        Entry { sha256: sha256.finish(), sm3: sm3.map(Hasher::finish) }
    }

    fn second(&self, count: usize) -> Option<Hasher> {
        match self.suites {
            Suites::Sha256 => None,
            Suites::Both => Some(self.root(HashSuite::Sm3, count)),
        }
    }

    /// A root before its commitments.
    fn root(&self, suite: HashSuite, count: usize) -> Hasher {
        let mut hasher = Hasher::new(suite);
        hasher.update(&self.entry);
        hasher.update(&u32::try_from(count).expect("a record has at most 40 fields").to_be_bytes());
        hasher
    }

    fn salt(&self, seed: &Seed, at: usize) -> [u8; 32] {
        let at = u32::try_from(at).expect("a record has at most 40 fields").to_be_bytes();
        sha256(&[&self.salt, seed.expose(), &at])
    }

    fn commitment(&self, suite: HashSuite, salt: &[u8; 32], field: &[u8]) -> [u8; 32] {
        let mut hasher = Hasher::new(suite);
        hasher.update(&self.field);
        hasher.update(salt);
        hasher.update(field);
        hasher.finish()
    }
}

/// One field of a disclosure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The field and its salt.
    Open {
        /// Salt of this field alone.
        salt: [u8; 32],
        /// The field.
        field: Field,
    },
    /// Its commitments only.
    Closed {
        /// Under SHA-256.
        sha256: [u8; 32],
        /// Under SM3, where the entry has that root.
        sm3: Option<[u8; 32]>,
    },
}

/// Some fields of a record in clear, the others as commitments: what shows the content of an entry.
///
/// ```text
/// Disclosure = list<Shown, 40>
/// Shown      = 1 · salt [32] · Field | 2 · SHA-256 commitment [32] · option<SM3 commitment [32]>
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// All fields in the record's order.
    pub fields: Vec<Shown>,
}

impl Disclosure {
    /// Shows of a record the fields that `open` chooses.
    #[must_use]
    pub fn of(record: &Record, seed: &Seed, suites: Suites, mut open: impl FnMut(&Field) -> bool) -> Self {
        let committer = Committer::new(suites);
        let fields = record.fields().iter().enumerate().map(|(at, field)| {
            let salt = committer.salt(seed, at);
            if open(field) {
                return Shown::Open { salt, field: field.clone() };
            }
            let bytes = field.to_bytes();
            let commitment = |suite| committer.commitment(suite, &salt, &bytes);
            let sm3 = (suites == Suites::Both).then(|| commitment(HashSuite::Sm3));
            Shown::Closed { sha256: commitment(HashSuite::Sha256), sm3 }
        });
        Self { fields: fields.collect() }
    }

    /// Checks that these are the fields of `entry`, under every suite it has, and returns those in clear.
    ///
    /// # Errors
    /// [`Code::TooMany`], [`Code::NotSorted`] when the open fields do not ascend,
    /// [`Code::WrongDisclosure`].
    pub fn verify(&self, entry: &Entry) -> Result<Vec<&Field>, Refusal> {
        if self.fields.len() > MAX_FIELDS {
            return Err(Refusal::new(Code::TooMany).needed(MAX_FIELDS).found(self.fields.len()));
        }
        let opened: Vec<&Field> = self.open().collect();
        require_ascending(opened.iter().copied())?;
        let committer = Committer::new(if entry.sm3.is_some() { Suites::Both } else { Suites::Sha256 });
        let mut sha256 = committer.root(HashSuite::Sha256, self.fields.len());
        let mut second = committer.second(self.fields.len());
        for shown in &self.fields {
            match shown {
                Shown::Open { salt, field } => {
                    let bytes = field.to_bytes();
                    sha256.update(&committer.commitment(HashSuite::Sha256, salt, &bytes));
                    if let Some(second) = &mut second {
                        second.update(&committer.commitment(HashSuite::Sm3, salt, &bytes));
                    }
                }
                Shown::Closed { sha256: commitment, sm3 } => {
                    sha256.update(commitment);
                    match (&mut second, sm3) {
                        (Some(second), Some(commitment)) => second.update(commitment),
                        (None, None) => {}
                        _ => {
                            return Err(
                                Refusal::new(Code::WrongDisclosure).needed("a commitment in each suite")
                            );
                        }
                    }
                }
            }
        }
        let found = Entry { sha256: sha256.finish(), sm3: second.map(Hasher::finish) };
        if found == *entry {
            return Ok(opened);
        }
        Err(Refusal::new(Code::WrongDisclosure).needed(entry.sha256).found(found.sha256))
    }

    /// The fields in clear, unverified.
    pub fn open(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter_map(|shown| match shown {
            Shown::Open { field, .. } => Some(field),
            Shown::Closed { .. } => None,
        })
    }
}

impl Encode for Shown {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Open { salt, field } => {
                out.push(1);
                salt.encode(out);
                field.encode(out);
            }
            Self::Closed { sha256, sm3 } => {
                out.push(2);
                sha256.encode(out);
                put_option(out, sm3.as_ref(), |out, hash| hash.encode(out));
            }
        }
    }
}

impl Decode for Shown {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            1 => Ok(Self::Open { salt: reader.array()?, field: Field::decode(reader)? }),
            2 => Ok(Self::Closed { sha256: reader.array()?, sm3: reader.option(Reader::array)? }),
            tag => Err(Refusal::new(Code::UnknownTag).needed(2_u64).found(tag)),
        }
    }
}

impl Encode for Disclosure {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.fields, |out, shown| shown.encode(out));
    }
}

impl Decode for Disclosure {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { fields: reader.list(MAX_FIELDS, Shown::decode)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{any_record, record};
    use alloc::vec;
    use proptest::prelude::*;
    use zeugma_crypto::hash::framed_with;

    fn seed() -> Seed {
        Seed::new([9; 32])
    }

    /// The rule restated: every preimage joined by hand.
    fn defined_root(suite: HashSuite, record: &Record, seed: &Seed) -> [u8; 32] {
        let mut all = u32::try_from(record.fields().len()).unwrap().to_be_bytes().to_vec();
        for (at, field) in record.fields().iter().enumerate() {
            let at = u32::try_from(at).unwrap().to_be_bytes();
            let salt = framed(Purpose::EntrySalt, &[seed.expose(), &at]);
            all.extend(framed_with(suite, Purpose::EntryField, &[&[&salt[..], &field.to_bytes()].concat()]));
        }
        framed_with(suite, Purpose::Entry, &[&all])
    }

    #[test]
    fn an_entry_is_the_defined_commitment_in_each_suite() {
        let entry = Committer::new(Suites::Both).entry(&record(), &seed());
        assert_eq!(entry.sha256, defined_root(HashSuite::Sha256, &record(), &seed()));
        assert_eq!(entry.sm3, Some(defined_root(HashSuite::Sm3, &record(), &seed())));
        let one = Committer::new(Suites::Sha256).entry(&record(), &seed());
        assert_eq!(one, Entry { sm3: None, ..entry });
        assert_eq!(entry.to_bytes().len(), MAX_ENTRY);
    }

    #[test]
    fn an_entry_has_one_encoding_and_its_first_root_is_sha256() {
        let root = [7; 32];
        let encoded = |roots: &[(u8, [u8; 32])]| {
            let mut out = vec![1];
            put_list(&mut out, roots, |out, (suite, root)| {
                out.push(*suite);
                root.encode(out);
            });
            Entry::from_bytes(&out).map_err(|refusal| refusal.code)
        };
        assert_eq!(encoded(&[(1, root)]), Ok(Entry { sha256: root, sm3: None }));
        assert_eq!(encoded(&[(2, root)]), Err(Code::NoSuchRoot));
        assert_eq!(encoded(&[(2, root), (1, root)]), Err(Code::NoSuchRoot));
        assert_eq!(encoded(&[(1, root), (1, root)]), Err(Code::NotSorted));
        assert_eq!(encoded(&[(1, root), (2, root), (2, root)]), Err(Code::TooMany));
        assert_eq!(encoded(&[]), Err(Code::NoSuchRoot));
        assert_eq!(encoded(&[(3, root)]), Err(Code::UnknownTag));
        assert_eq!(Entry::from_bytes(&[2]).unwrap_err().code, Code::UnknownTag);
    }

    #[test]
    fn each_part_of_the_identity_counts_and_nothing_else_does() {
        let same = identity("court", &record());
        assert_eq!(same, identity("court", &Record::from_bytes(&record().to_bytes()).unwrap()));
        assert_ne!(same, identity("other", &record()));
        let mut fields = record().fields().to_vec();
        fields.retain(|field| field.tag() != 5);
        fields.push(Field::Submitter("somebody else".into()));
        assert_ne!(same, identity("court", &Record::new(fields).unwrap()));
    }

    #[test]
    fn a_closed_field_cannot_be_swapped_dropped_or_added() {
        let entry = Committer::new(Suites::Both).entry(&record(), &seed());
        let shown = Disclosure::of(&record(), &seed(), Suites::Both, |field| field.tag() == 1);
        assert_eq!(shown.verify(&entry).unwrap(), [&record().fields()[0]]);
        let wrong = |change: &dyn Fn(&mut Vec<Shown>)| {
            let mut other = shown.clone();
            change(&mut other.fields);
            other.verify(&entry).unwrap_err().code
        };
        assert_eq!(wrong(&|fields| fields.swap(2, 3)), Code::WrongDisclosure);
        assert_eq!(wrong(&|fields| drop(fields.pop())), Code::WrongDisclosure);
        assert_eq!(wrong(&|fields| fields.push(fields[3].clone())), Code::WrongDisclosure);
        assert_eq!(wrong(&|fields| fields.clear()), Code::WrongDisclosure);
        assert_eq!(wrong(&|fields| fields.extend(vec![fields[3].clone(); 40])), Code::TooMany);
        assert_eq!(wrong(&|fields| fields.push(fields[0].clone())), Code::NotSorted);
        assert_eq!(
            wrong(&|fields| if let Shown::Closed { sm3, .. } = &mut fields[2] {
                *sm3 = None;
            }),
            Code::WrongDisclosure
        );
        let single = Committer::new(Suites::Sha256).entry(&record(), &seed());
        assert_eq!(shown.verify(&single).unwrap_err().code, Code::WrongDisclosure);
    }

    proptest! {
        #[test]
        fn any_choice_of_fields_verifies_and_any_flipped_byte_does_not(
            record in any_record(), choice: u64, seed: [u8; 32], flip: prop::sample::Index, bit in 0..8_u32, both: bool
        ) {
            let suites = if both { Suites::Both } else { Suites::Sha256 };
            let seed = Seed::new(seed);
            let entry = Committer::new(suites).entry(&record, &seed);
            prop_assert_eq!(Entry::from_bytes(&entry.to_bytes()).unwrap(), entry);
            let mut at = 0;
            let shown = Disclosure::of(&record, &seed, suites, |_| {
                at += 1;
                choice >> at & 1 == 1
            });
            shown.verify(&entry).unwrap();
            let mut bytes = shown.to_bytes();
            prop_assert_eq!(&Disclosure::from_bytes(&bytes).unwrap(), &shown);
            let place = flip.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let refused = Disclosure::from_bytes(&bytes).is_ok_and(|other| other.verify(&entry).is_ok());
            prop_assert!(!refused, "byte {} bit {}", place, bit);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Entry::from_bytes(&bytes);
            let _ = Disclosure::from_bytes(&bytes);
        }
    }
}
