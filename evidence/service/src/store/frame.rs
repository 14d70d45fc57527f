//! The frame: what one sync makes durable.
//!
//! ```text
//! Frame   = head · public · check [16] · private
//! head    = "ZGG1" · public length u32 · private length u32 · entries u32 · sequence u64 · shard u32 · first index u64
//!         · check of the frame before [16]
//! public  = list<Op> · for each entry: leaf bytes<255> · length of its private part u32 · check of it [8]
//! private = the private parts
//! check   = first 16 bytes of SHA-256 (head · public);  of a private part: first 8 bytes of its SHA-256
//! Op      = 1 · key [32] · body [32] · list<Span>   a request with an idempotency key, and its answer
//!         | 2 · shard u32 · index u64 · count u64      private parts erased, of this shard or an older one
//!         | 4 · as 2 · owner [16]                      the same, all of one tenant: its tag for what is erased
//!         | 3                                        the shard is closed
//! Span    = shard u32 · index u64 · count u32
//! ```
//!
//! Sequences count all frames of a store without a gap. A private part of zeros was erased: the check over the public
//! part does not cover it, so that erasing changes nothing else.

use super::deposit::{Leaf, MAX_PRIVATE, Position, Prepared};
use zeugma_crypto::hash::sha256;
use zeugma_types::codec::put_list;
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

pub(super) const MAGIC: &[u8; 4] = b"ZGG1";
pub(super) const HEAD: usize = 52;
const CHECK: usize = 16;
/// Longest public and longest private part of a frame, in bytes.
pub(super) const MAX_PART: usize = 48 * 1024 * 1024;
/// Most operations of one frame.
const MAX_OPS: usize = 1 << 16;
/// Most spans of one request: every item for itself.
const MAX_SPANS: usize = super::deposit::MAX_ITEMS;

/// Checksum of a frame, which the next one repeats.
pub(super) type Check = [u8; CHECK];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) public: u32,
    pub(super) private: u32,
    pub(super) count: u32,
    pub(super) sequence: u64,
    pub(super) shard: u32,
    pub(super) first: u64,
    pub(super) previous: Check,
}

impl Head {
    /// Bytes of the whole frame.
    pub(super) fn length(&self) -> u64 {
        (HEAD + CHECK) as u64 + u64::from(self.public) + u64::from(self.private)
    }

    /// Index after the last entry.
    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count))
    }

    pub(super) fn parse(bytes: &[u8; HEAD]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        if &reader.array::<4>()? != MAGIC {
            return Err(Refusal::new(Code::BadMagic));
        }
        let head = Self {
            public: reader.u32()?,
            private: reader.u32()?,
            count: reader.u32()?,
            sequence: reader.u64()?,
            shard: reader.u32()?,
            first: reader.u64()?,
            previous: reader.array()?,
        };
        if head.public as usize > MAX_PART || head.private as usize > MAX_PART {
            return Err(Refusal::new(Code::TooLong).needed(MAX_PART));
        }
        Ok(head)
    }
}

/// Neighbouring positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Position,
    pub(super) count: u32,
}

/// Positions as spans, in their order.
pub(super) fn spans(positions: impl Iterator<Item = Position>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for position in positions {
        match spans.last_mut() {
            Some(last)
                if last.from.shard == position.shard
                    && last.from.index + u64::from(last.count) == position.index =>
            {
                last.count += 1;
            }
            _ => spans.push(Span { from: position, count: 1 }),
        }
    }
    spans
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Request { key: [u8; 32], body: [u8; 32], spans: Vec<Span> },
    Erase { from: Position, count: u64, owner: Option<[u8; 16]> },
    Close,
}

impl Encode for Span {
    fn encode(&self, out: &mut Vec<u8>) {
        self.from.shard.encode(out);
        self.from.index.encode(out);
        self.count.encode(out);
    }
}

impl Decode for Span {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self { from: Position { shard: reader.u32()?, index: reader.u64()? }, count: reader.u32()? })
    }
}

impl Encode for Op {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Request { key, body, spans } => {
                out.push(1);
                key.encode(out);
                body.encode(out);
                put_list(out, spans, |out, span| span.encode(out));
            }
            Self::Erase { from, count, owner } => {
                out.push(if owner.is_some() { 4 } else { 2 });
                from.shard.encode(out);
                from.index.encode(out);
                count.encode(out);
                if let Some(owner) = owner {
                    out.extend_from_slice(owner);
                }
            }
            Self::Close => out.push(3),
        }
    }
}

impl Decode for Op {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            1 => Ok(Self::Request {
                key: reader.array()?,
                body: reader.array()?,
                spans: reader.list(MAX_SPANS, Span::decode)?,
            }),
            tag @ (2 | 4) => {
                let from = Position { shard: reader.u32()?, index: reader.u64()? };
                let count = reader.u64()?;
                let owner = if tag == 4 { Some(reader.array()?) } else { None };
                Ok(Self::Erase { from, count, owner })
            }
            3 => Ok(Self::Close),
            tag => Err(Refusal::new(Code::UnknownTag).needed(4_u64).found(tag)),
        }
    }
}

/// Writes a frame into `out`, in place of what is there, and returns its check.
pub(super) fn write<'a>(
    out: &mut Vec<u8>,
    (shard, sequence, first, previous): (u32, u64, u64, Check),
    ops: &[Op],
    entries: impl Iterator<Item = &'a Prepared> + Clone,
) -> Check {
    out.clear();
    out.resize(HEAD, 0);
    put_list(out, ops, |out, op| op.encode(out));
    let (mut count, mut private) = (0_u32, 0_u32);
    for entry in entries.clone() {
        let leaf = entry.leaf.as_slice();
        out.push(u8::try_from(leaf.len()).expect("an entry has at most 71 bytes"));
        out.extend_from_slice(leaf);
        let length = u32::try_from(entry.private.len()).expect("a private part is bounded");
        length.encode(out);
        out.extend_from_slice(&private_check(&entry.private));
        count += 1;
        private += length;
    }
    let public = u32::try_from(out.len() - HEAD).expect("a group is bounded");
    let mut head = Vec::with_capacity(HEAD);
    head.extend_from_slice(MAGIC);
    for number in [public, private, count] {
        number.encode(&mut head);
    }
    sequence.encode(&mut head);
    shard.encode(&mut head);
    first.encode(&mut head);
    previous.encode(&mut head);
    out[..HEAD].copy_from_slice(&head);
    let check = check(out);
    out.extend_from_slice(&check);
    for entry in entries {
        out.extend_from_slice(&entry.private);
    }
    check
}

/// The checksum of these bytes.
pub(super) fn check(bytes: &[u8]) -> Check {
    *sha256(&[bytes]).first_chunk().expect("a hash has 32 bytes")
}

fn private_check(bytes: &[u8]) -> [u8; 8] {
    *sha256(&[bytes]).first_chunk().expect("a hash has 32 bytes")
}

/// A frame that was read and whose public part is whole.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) head: Head,
    pub(super) ops: Vec<Op>,
    pub(super) entries: Vec<FrameEntry<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct FrameEntry<'a> {
    pub(super) leaf: &'a [u8],
    part: &'a [u8],
    check: [u8; 8],
    /// Where the private part begins in the frame.
    pub(super) at: usize,
    /// Its length.
    pub(super) length: usize,
}

/// What is found where a private part was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrivatePart<'a> {
    Whole(&'a [u8]),
    Erased,
    Damaged,
}

impl<'a> Frame<'a> {
    /// Reads a whole frame.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let truncated = || Refusal::new(Code::Truncated);
        let head = Head::parse(bytes.first_chunk().ok_or_else(truncated)?)?;
        let public_end = HEAD + head.public as usize;
        let public = bytes.get(HEAD..public_end).ok_or_else(truncated)?;
        let stored = bytes.get(public_end..public_end + CHECK).ok_or_else(truncated)?;
        let found = check(&bytes[..public_end]);
        if stored != found {
            return Err(Refusal::new(Code::Damaged).found("check"));
        }
        let mut reader = Reader::new(public);
        let ops = reader.list(MAX_OPS, Op::decode)?;
        // A count that the bytes cannot hold is found before anything is allocated for it.
        if head.count as usize > reader.remaining() {
            return Err(truncated());
        }
        let mut entries = Vec::with_capacity(head.count as usize);
        let mut at = public_end + CHECK;
        for _ in 0..head.count {
            let leaf_length = usize::from(reader.u8()?);
            let leaf = reader.take(leaf_length)?;
            let length = reader.u32()? as usize;
            let check: [u8; 8] = reader.array()?;
            if length > MAX_PRIVATE || leaf_length > zeugma_evidence_log::entry::MAX_ENTRY {
                return Err(Refusal::new(Code::TooLong).needed(MAX_PRIVATE).found(length));
            }
            let part = bytes.get(at..at + length).ok_or_else(truncated)?;
            entries.push(FrameEntry { leaf, part, check, at, length });
            at += length;
        }
        reader.finish()?;
        if at as u64 != head.length() || bytes.len() != at {
            return Err(Refusal::new(Code::Truncated).needed(head.length()).found(bytes.len()));
        }
        Ok(Self { head, ops, entries })
    }
}

impl<'a> FrameEntry<'a> {
    /// What stands where the private part was written. Each is hashed when it is asked for: a frame has thousands.
    pub(super) fn private(&self) -> PrivatePart<'a> {
        match self.part {
            part if private_check(part) == self.check => PrivatePart::Whole(part),
            part if part.iter().all(|byte| *byte == 0) => PrivatePart::Erased,
            _ => PrivatePart::Damaged,
        }
    }

    pub(super) fn as_leaf(&self) -> Leaf {
        Leaf::new(self.leaf)
    }
}
