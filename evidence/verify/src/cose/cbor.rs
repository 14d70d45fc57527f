//! A strict reader of CBOR, for what receipts use.
//!
//! Lengths are definite, numbers and lengths of the shortest form, keys of a map distinct; nothing is
//! allocated before its bound was checked, and nothing is followed deeper than a receipt goes.
//!
//! Source: RFC 8949, sections 3 and 4.2.1.

use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// Deepest nesting of what is passed over.
const MAX_DEPTH: u8 = 8;
/// Most members of one array or map.
const MAX_MEMBERS: u64 = 256;

/// The kinds of items.
pub(crate) mod major {
    pub(crate) const UNSIGNED: u8 = 0;
    pub(crate) const NEGATIVE: u8 = 1;
    pub(crate) const BYTES: u8 = 2;
    pub(crate) const TEXT: u8 = 3;
    pub(crate) const ARRAY: u8 = 4;
    pub(crate) const MAP: u8 = 5;
    pub(crate) const TAG: u8 = 6;
    pub(crate) const SIMPLE: u8 = 7;
}

/// A cursor over CBOR items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cbor<'a> {
    rest: &'a [u8],
}

impl<'a> Cbor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn finish(self) -> Result<(), Refusal> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(Code::TrailingBytes).needed(0_u64).found(self.rest.len()))
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Refusal> {
        let parts = usize::try_from(count).ok().and_then(|count| self.rest.split_at_checked(count));
        let Some((head, rest)) = parts else {
            return Err(Refusal::new(Code::Truncated).needed(count).found(self.rest.len()));
        };
        self.rest = rest;
        Ok(head)
    }

    /// The head of the next item: its kind and its number.
    pub(crate) fn head(&mut self) -> Result<(u8, u64), Refusal> {
        let first = self.take(1)?[0];
        let (kind, short) = (first >> 5, first & 0x1f);
        let width = match short {
            0..=23 => return Ok((kind, u64::from(short))),
            24..=27 => 1_u64 << (short - 24),
            _ => return Err(not_strict("a length without end, or a reserved one")),
        };
        let number = self.take(width)?.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let least = match width {
            1 => 24,
            2 => 1 << 8,
            4 => 1 << 16,
            _ => 1 << 32,
        };
        if kind != major::SIMPLE && number < least {
            return Err(not_strict("a number in more bytes than it needs"));
        }
        Ok((kind, number))
    }

    fn expect(&mut self, kind: u8) -> Result<u64, Refusal> {
        let (found, number) = self.head()?;
        if found != kind {
            return Err(Refusal::new(Code::UnknownTag).needed(kind).found(found));
        }
        Ok(number)
    }

    pub(crate) fn unsigned(&mut self) -> Result<u64, Refusal> {
        self.expect(major::UNSIGNED)
    }

    /// An integer that is a label or the number of an algorithm.
    pub(crate) fn integer(&mut self) -> Result<i64, Refusal> {
        let (kind, number) = self.head()?;
        let number = i64::try_from(number).map_err(|_| Refusal::new(Code::OutOfRange).found(number))?;
        match kind {
            major::UNSIGNED => Ok(number),
            major::NEGATIVE => Ok(-1 - number),
            other => Err(Refusal::new(Code::UnknownTag).needed(major::UNSIGNED).found(other)),
        }
    }

    pub(crate) fn bytes(&mut self, bound: usize) -> Result<&'a [u8], Refusal> {
        let length = self.expect(major::BYTES)?;
        self.bounded(length, bound)
    }

    pub(crate) fn text(&mut self, bound: usize) -> Result<&'a str, Refusal> {
        let length = self.expect(major::TEXT)?;
        let bytes = self.bounded(length, bound)?;
        core::str::from_utf8(bytes).map_err(|_| Refusal::new(Code::BadText))
    }

    fn bounded(&mut self, length: u64, bound: usize) -> Result<&'a [u8], Refusal> {
        if length > bound as u64 {
            return Err(Refusal::new(Code::TooLong).needed(bound).found(length));
        }
        self.take(length)
    }

    pub(crate) fn array(&mut self) -> Result<u64, Refusal> {
        let members = self.expect(major::ARRAY)?;
        bound_members(members)
    }

    pub(crate) fn tagged(&mut self, tag: u64) -> Result<(), Refusal> {
        let found = self.expect(major::TAG)?;
        if found != tag {
            return Err(Refusal::new(Code::UnknownTag).needed(tag).found(found));
        }
        Ok(())
    }

    pub(crate) fn null(&mut self) -> Result<(), Refusal> {
        match self.expect(major::SIMPLE)? {
            22 => Ok(()),
            other => Err(Refusal::new(Code::UnknownTag).needed(22_u64).found(other)),
        }
    }

    /// Reads a map whose keys are integers. `member` reads the value of a key it knows and says so; the
    /// value of another key is passed over.
    pub(crate) fn map(
        &mut self,
        mut member: impl FnMut(i64, &mut Self) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        let members = self.expect(major::MAP)?;
        let mut seen = Vec::new();
        for _ in 0..bound_members(members)? {
            let key = self.integer()?;
            if seen.contains(&key) {
                return Err(not_strict("a key twice"));
            }
            seen.push(key);
            if !member(key, self)? {
                self.skip(MAX_DEPTH)?;
            }
        }
        Ok(())
    }

    /// Passes over one item.
    pub(crate) fn skip(&mut self, depth: u8) -> Result<(), Refusal> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Refusal::new(Code::TooMany).needed(MAX_DEPTH).found("deeper nesting"));
        };
        let (kind, number) = self.head()?;
        let inside = match kind {
            major::BYTES | major::TEXT => {
                self.take(number)?;
                0
            }
            major::ARRAY => bound_members(number)?,
            major::MAP => 2 * bound_members(number)?,
            major::TAG => 1,
            _ => 0,
        };
        (0..inside).try_for_each(|_| self.skip(depth))
    }
}

fn bound_members(members: u64) -> Result<u64, Refusal> {
    if members > MAX_MEMBERS {
        return Err(Refusal::new(Code::TooMany).needed(MAX_MEMBERS).found(members));
    }
    Ok(members)
}

fn not_strict(what: &'static str) -> Refusal {
    Refusal::new(Code::NotCanonical).needed("deterministic CBOR").found(what)
}

/// Appends the head of an item.
pub(crate) fn put_head(out: &mut Vec<u8>, kind: u8, number: u64) {
    let digits = number.to_be_bytes();
    let (short, from) = match number {
        0..=23 => {
            out.push(kind << 5 | digits[7]);
            return;
        }
        24..=0xff => (24, 7),
        0x100..=0xffff => (25, 6),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 0),
    };
    out.push(kind << 5 | short);
    out.extend_from_slice(&digits[from..]);
}

/// Appends a byte string.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_head(out, major::BYTES, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_definite_form_is_read() {
        for (bytes, code) in [
            (&[0x18, 23][..], Code::NotCanonical),
            (&[0x19, 0, 255], Code::NotCanonical),
            (&[0x1f], Code::NotCanonical),
            (&[0x1b, 0, 0], Code::Truncated),
            (&[], Code::Truncated),
        ] {
            assert_eq!(Cbor::new(bytes).unsigned().unwrap_err().code, code, "{bytes:02x?}");
        }
        assert_eq!(Cbor::new(&[0x5f]).bytes(9).unwrap_err().code, Code::NotCanonical);
        assert_eq!(Cbor::new(&[0x5b, 1, 0, 0, 0, 0, 0, 0, 0]).bytes(9).unwrap_err().code, Code::TooLong);
        assert_eq!(Cbor::new(&[0x9a, 1, 0, 0, 0]).array().unwrap_err().code, Code::TooMany);
        let twice = [0xa2, 1, 1, 1, 2];
        assert_eq!(Cbor::new(&twice).map(|_, _| Ok(false)).unwrap_err().code, Code::NotCanonical);
        let deep = [0x81_u8; 64];
        assert_eq!(Cbor::new(&deep).skip(MAX_DEPTH).unwrap_err().code, Code::TooMany);
    }

    #[test]
    fn heads_are_written_as_they_are_read() {
        for number in [0, 23, 24, 255, 256, 65_535, 65_536, u64::from(u32::MAX), 1 << 40, u64::MAX] {
            let mut out = Vec::new();
            put_head(&mut out, major::UNSIGNED, number);
            assert_eq!(Cbor::new(&out).unsigned().unwrap(), number);
        }
    }
}
