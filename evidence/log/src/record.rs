//! What a submitter deposits, in clear: digests of a file and what belongs to them.
//!
//! A record never enters the log. Its fields are committed to one by one ([`crate::entry`]), and the record
//! itself, with the seed of its salts, stays with the service and in the bundle.
//!
//! ```text
//! Record = 1 · list<Field, 40>
//! Field  = 1 · SHA-256 of the content [32]
//!        | 2 · SM3 of the content [32]
//!        | 3 · media type text<127>
//!        | 4 · size u64, in bytes
//!        | 5 · submitter text<128>: a tenant's pseudonym
//!        | 6 · origin text<255>: where the content comes from, as the submitter states it
//!        | 7 · name text<64> · value bytes<4096>: whatever else
//! ```
//!
//! Fields ascend strictly by tag, and custom fields by name, so a record has one encoding. One digest or both are
//! there; media type, size, submitter and origin always are. There is no tag for SHA-1 or MD5.

use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::refused::{self, Algorithm};
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

/// Most custom fields of one record.
pub const MAX_CUSTOM: usize = 34;
/// Most fields of one record.
pub const MAX_FIELDS: usize = 40;
/// Longest media type, in bytes (RFC 6838, section 4.2: type and subtype of 63 characters are asked for).
pub const MAX_MEDIA_TYPE: usize = 127;
/// Longest submitter, in bytes.
pub const MAX_SUBMITTER: usize = 128;
/// Longest origin of the content, in bytes.
pub const MAX_SOURCE: usize = 255;
/// Longest name of a custom field, in bytes.
pub const MAX_NAME: usize = 64;
/// Longest value of a custom field, in bytes.
pub const MAX_VALUE: usize = 4_096;
/// Longest encoded record, in bytes.
pub const MAX_RECORD: usize = 16 * 1024;

/// Version of the encoding.
const VERSION: u8 = 1;

/// Digests of one content; at least one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileDigests {
    /// Its SHA-256.
    pub sha256: Option<[u8; 32]>,
    /// Its SM3.
    pub sm3: Option<[u8; 32]>,
}

impl FileDigests {
    /// The SHA-256 alone.
    #[must_use]
    pub const fn sha256(digest: [u8; 32]) -> Self {
        Self { sha256: Some(digest), sm3: None }
    }

    /// Adds a digest by the name of its algorithm, in any spelling.
    ///
    /// # Errors
    /// [`Code::RefusedAlgorithm`] for SHA-1 and MD5, however they are spelled; [`Code::UnknownTag`] for another
    /// algorithm than SHA-256 and SM3; [`Code::OutOfRange`] for another length than 32 bytes;
    /// [`Code::RepeatedMember`] for a second digest of one algorithm.
    pub fn add(&mut self, algorithm: &str, digest: &[u8]) -> Result<(), Refusal> {
        let place = match refused::algorithm(algorithm)? {
            Algorithm::Sha256 => &mut self.sha256,
            Algorithm::Sm3 => &mut self.sm3,
            _ => return Err(Refusal::new(Code::UnknownTag).found(String::from(algorithm))),
        };
        if place.is_some() {
            return Err(Refusal::new(Code::RepeatedMember).found(String::from(algorithm)));
        }
        let wrong = Refusal::new(Code::OutOfRange).needed(32_u64).found(digest.len());
        *place = Some(digest.try_into().map_err(|_| wrong)?);
        Ok(())
    }
}

/// A field that the submitter names himself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Vec<u8>,
}

/// One field of a record: what is committed to, and disclosed, by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// SHA-256 of the content.
    Sha256([u8; 32]),
    /// SM3 of the content.
    Sm3([u8; 32]),
    /// Media type.
    MediaType(String),
    /// Size, in bytes.
    Size(u64),
    /// The submitter, as a tenant's pseudonym.
    Submitter(String),
    /// Where the content comes from, as the submitter states it.
    Source(String),
    /// Whatever else.
    Custom(CustomField),
}

impl Field {
    /// The tag: fields of a record ascend by it.
    #[must_use]
    pub const fn tag(&self) -> u8 {
        match self {
            Self::Sha256(_) => 1,
            Self::Sm3(_) => 2,
            Self::MediaType(_) => 3,
            Self::Size(_) => 4,
            Self::Submitter(_) => 5,
            Self::Source(_) => 6,
            Self::Custom(_) => 7,
        }
    }

    /// The name in words and JSON; that of a custom field is its own.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Sm3(_) => "sm3",
            Self::MediaType(_) => "media_type",
            Self::Size(_) => "size",
            Self::Submitter(_) => "submitter",
            Self::Source(_) => "origin",
            Self::Custom(field) => &field.name,
        }
    }

    /// Where the field stands among others: only custom fields repeat a tag.
    pub(crate) fn place(&self) -> (u8, &str) {
        match self {
            Self::Custom(field) => (7, &field.name),
            other => (other.tag(), ""),
        }
    }

    fn require(&self) -> Result<(), Refusal> {
        match self {
            Self::MediaType(text) => require_media_type(text),
            Self::Submitter(text) => require_text(text, MAX_SUBMITTER),
            Self::Source(text) => require_text(text, MAX_SOURCE),
            Self::Custom(field) => {
                require_text(&field.name, MAX_NAME)?;
                require_length(field.value.len(), MAX_VALUE)
            }
            Self::Sha256(_) | Self::Sm3(_) | Self::Size(_) => Ok(()),
        }
    }
}

impl Encode for Field {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.tag());
        match self {
            Self::Sha256(digest) | Self::Sm3(digest) => digest.encode(out),
            Self::Size(size) => size.encode(out),
            Self::MediaType(text) | Self::Submitter(text) | Self::Source(text) => {
                put_bytes(out, text.as_bytes())
            }
            Self::Custom(field) => {
                put_bytes(out, field.name.as_bytes());
                put_bytes(out, &field.value);
            }
        }
    }
}

impl Decode for Field {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let field = match reader.u8()? {
            1 => Self::Sha256(reader.array()?),
            2 => Self::Sm3(reader.array()?),
            3 => Self::MediaType(reader.text(MAX_MEDIA_TYPE)?),
            4 => Self::Size(reader.u64()?),
            5 => Self::Submitter(reader.text(MAX_SUBMITTER)?),
            6 => Self::Source(reader.text(MAX_SOURCE)?),
            7 => Self::Custom(CustomField {
                name: reader.text(MAX_NAME)?,
                value: reader.bytes(MAX_VALUE)?.into(),
            }),
            tag => return Err(Refusal::new(Code::UnknownTag).needed(7_u64).found(tag)),
        };
        field.require()?;
        Ok(field)
    }
}

/// A record whose fields keep all rules: only [`Record::new`] and decoding make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record(Vec<Field>);

impl Record {
    /// A record of these fields, in any order.
    ///
    /// # Errors
    /// [`Code::TooMany`], [`Code::TooLong`], [`Code::BadIdentifier`] for a media type or a text that breaks its
    /// rules, [`Code::Empty`] with the field that is missing, [`Code::NotSorted`] for a field that is there twice.
    pub fn new(mut fields: Vec<Field>) -> Result<Self, Refusal> {
        if fields.len() > MAX_FIELDS {
            return Err(Refusal::new(Code::TooMany).needed(MAX_FIELDS).found(fields.len()));
        }
        for field in &fields {
            field.require()?;
        }
        fields.sort_by(|a, b| a.place().cmp(&b.place()));
        Self::checked(fields)
    }

    fn checked(fields: Vec<Field>) -> Result<Self, Refusal> {
        if fields.is_empty() {
            return Err(Refusal::new(Code::Empty));
        }
        require_ascending(fields.iter())?;
        let has = |tag: u8| fields.iter().any(|field| field.tag() == tag);
        if !has(1) && !has(2) {
            return Err(Refusal::new(Code::Empty).needed("a digest in SHA-256 or SM3"));
        }
        for (tag, needed) in [(3, "media_type"), (4, "size"), (5, "submitter"), (6, "origin")] {
            if !has(tag) {
                return Err(Refusal::new(Code::Empty).needed(needed));
            }
        }
        let record = Self(fields);
        require_length(record.encoded_length(), MAX_RECORD)?;
        Ok(record)
    }

    /// All fields, in their order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.0
    }

    /// The digests of the content.
    #[must_use]
    pub fn digests(&self) -> FileDigests {
        let mut digests = FileDigests::default();
        for field in &self.0 {
            match field {
                Field::Sha256(digest) => digests.sha256 = Some(*digest),
                Field::Sm3(digest) => digests.sm3 = Some(*digest),
                _ => {}
            }
        }
        digests
    }

    /// The submitter's pseudonym.
    #[must_use]
    pub fn submitter(&self) -> &str {
        let found = self.0.iter().find_map(|field| match field {
            Field::Submitter(text) => Some(text.as_str()),
            _ => None,
        });
        found.expect("a record has a submitter")
    }

    fn encoded_length(&self) -> usize {
        let fields = self.0.iter().map(|field| match field {
            Field::Sha256(_) | Field::Sm3(_) => 33,
            Field::Size(_) => 9,
            Field::MediaType(text) | Field::Submitter(text) | Field::Source(text) => 5 + text.len(),
            Field::Custom(field) => 9 + field.name.len() + field.value.len(),
        });
        5 + fields.sum::<usize>()
    }
}

impl Encode for Record {
    fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(self.encoded_length());
        out.push(VERSION);
        put_list(out, &self.0, |out, field| field.encode(out));
    }
}

impl Decode for Record {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let version = reader.u8()?;
        if version != VERSION {
            return Err(Refusal::new(Code::UnknownTag).needed(VERSION).found(version));
        }
        Self::checked(reader.list(MAX_FIELDS, Field::decode)?)
    }
}

/// # Errors
/// [`Code::NotSorted`].
pub(crate) fn require_ascending<'a>(fields: impl Iterator<Item = &'a Field>) -> Result<(), Refusal> {
    let mut before: Option<(u8, &str)> = None;
    for field in fields {
        let place = field.place();
        if before.is_some_and(|before| before >= place) {
            return Err(Refusal::new(Code::NotSorted).found(String::from(field.name())));
        }
        before = Some(place);
    }
    Ok(())
}

fn require_length(found: usize, bound: usize) -> Result<(), Refusal> {
    if found <= bound { Ok(()) } else { Err(Refusal::new(Code::TooLong).needed(bound).found(found)) }
}

/// Text that is there and stays on one line.
fn require_text(text: &str, bound: usize) -> Result<(), Refusal> {
    require_length(text.len(), bound)?;
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Refusal::new(Code::BadIdentifier).needed("text without control characters"));
    }
    Ok(())
}

/// `type/subtype` of visible ASCII, with parameters if there are any (RFC 6838, section 4.2).
fn require_media_type(text: &str) -> Result<(), Refusal> {
    require_length(text.len(), MAX_MEDIA_TYPE)?;
    let visible = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let halves = text.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
    if visible && halves {
        return Ok(());
    }
    Err(Refusal::new(Code::BadIdentifier).needed("a media type"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{any_record, record};
    use alloc::vec;
    use proptest::prelude::*;

    fn refused(fields: Vec<Field>) -> Code {
        Record::new(fields).unwrap_err().code
    }

    #[test]
    fn a_digest_of_sha1_or_md5_is_refused_by_name() {
        for name in ["SHA-1", "sha1", "MD5", "md-5", "1.3.14.3.2.26", "1.2.840.113549.2.5"] {
            let refusal = FileDigests::default().add(name, &[0; 20]).unwrap_err();
            assert_eq!(refusal.code, Code::RefusedAlgorithm, "{name}");
        }
        let mut digests = FileDigests::default();
        digests.add("SHA-256", &[1; 32]).unwrap();
        digests.add("SM3", &[2; 32]).unwrap();
        assert_eq!(digests, FileDigests { sha256: Some([1; 32]), sm3: Some([2; 32]) });
        assert_eq!(digests.add("sha256", &[1; 32]).unwrap_err().code, Code::RepeatedMember);
        assert_eq!(FileDigests::default().add("sha256", &[1; 31]).unwrap_err().code, Code::OutOfRange);
        assert_eq!(FileDigests::default().add("ed25519", &[1; 32]).unwrap_err().code, Code::UnknownTag);
        assert_eq!(FileDigests::default().add("sha512", &[1; 64]).unwrap_err().code, Code::UnknownTag);
    }

    #[test]
    fn a_record_without_a_needed_field_is_refused() {
        let whole = record().fields().to_vec();
        for field in &whole {
            let rest: Vec<_> = whole.iter().filter(|other| *other != field).cloned().collect();
            let optional = matches!(field, Field::Custom(_) | Field::Sm3(_) | Field::Sha256(_));
            assert_eq!(Record::new(rest).is_ok(), optional, "{field:?}");
        }
        let bare: Vec<_> = whole.iter().filter(|field| field.tag() > 2).cloned().collect();
        assert_eq!(refused(bare), Code::Empty);
        assert_eq!(refused(vec![]), Code::Empty);
    }

    #[test]
    fn a_field_that_breaks_its_rule_is_refused() {
        let with = |field: Field| {
            let mut fields = record().fields().to_vec();
            fields.retain(|other| other.tag() != field.tag());
            fields.push(field);
            Record::new(fields).map_err(|refusal| refusal.code)
        };
        for text in ["", "pdf", "/pdf", "application/", "text/\u{e9}", "a/b\n"] {
            assert_eq!(with(Field::MediaType(text.into())), Err(Code::BadIdentifier), "{text:?}");
        }
        assert_eq!(with(Field::MediaType("a/".repeat(64))), Err(Code::TooLong));
        assert_eq!(with(Field::Submitter("".into())), Err(Code::BadIdentifier));
        assert_eq!(with(Field::Submitter("x".repeat(129))), Err(Code::TooLong));
        assert_eq!(with(Field::Source("two\nlines".into())), Err(Code::BadIdentifier));
        let custom = |name: &str, value: usize| {
            with(Field::Custom(CustomField { name: name.into(), value: vec![0; value] }))
        };
        assert!(custom("case", MAX_VALUE).is_ok());
        assert_eq!(custom("case", MAX_VALUE + 1), Err(Code::TooLong));
        assert_eq!(custom("", 1), Err(Code::BadIdentifier));
    }

    #[test]
    fn a_field_there_twice_is_refused_and_so_is_another_order() {
        let mut twice = record().fields().to_vec();
        twice.push(Field::Size(1));
        assert_eq!(refused(twice), Code::NotSorted);
        let fields = record().fields().to_vec();
        let mut bytes = vec![VERSION];
        let turned: Vec<_> = fields.iter().rev().cloned().collect();
        put_list(&mut bytes, &turned, |out, field| field.encode(out));
        assert_eq!(Record::from_bytes(&bytes).unwrap_err().code, Code::NotSorted);
    }

    #[test]
    fn bounds_come_before_memory() {
        let mut bytes = vec![VERSION];
        u32::MAX.encode(&mut bytes);
        assert_eq!(Record::from_bytes(&bytes).unwrap_err().code, Code::TooMany);
        assert_eq!(refused(vec![Field::Size(0); MAX_FIELDS + 1]), Code::TooMany);
        let big =
            |n: usize| Field::Custom(CustomField { name: alloc::format!("f{n}"), value: vec![0; MAX_VALUE] });
        let mut fields = record().fields().to_vec();
        fields.extend((0..5).map(big));
        assert_eq!(refused(fields), Code::TooLong);
    }

    proptest! {
        #[test]
        fn a_record_has_one_encoding(record in any_record(), flip: prop::sample::Index, with: u8) {
            let mut bytes = record.to_bytes();
            prop_assert_eq!(bytes.len(), record.encoded_length());
            prop_assert_eq!(&Record::from_bytes(&bytes).unwrap(), &record);
            let at = flip.index(bytes.len());
            bytes[at] = with;
            if let Ok(other) = Record::from_bytes(&bytes) {
                prop_assert_eq!(other.to_bytes(), bytes);
            }
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Record::from_bytes(&bytes);
            let _ = Field::from_bytes(&bytes);
        }
    }
}
