//! The one canonical encoding.
//!
//! Integers are big-endian and of fixed width. A byte string and a list begin with their length as a
//! `u32`. An optional value begins with one byte, 0 or 1; a choice begins with its tag. There is no
//! other freedom, so every value has exactly one encoding, and bytes that decode encode back to
//! themselves. Each length is compared with its bound *before* anything is allocated, and bytes
//! left over at the end are refused.
//!
//! Source: `docs/byte-layout.md`, section 1.

use crate::refusal::{Code, Refusal};
use alloc::string::String;
use alloc::vec::Vec;

/// Writes a value in the canonical encoding.
pub trait Encode {
    /// Appends the encoding of `self`.
    fn encode(&self, out: &mut Vec<u8>);

    /// The encoding of `self` alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

/// Reads a value in the canonical encoding.
pub trait Decode: Sized {
    /// Reads `Self` from the front of `reader`.
    ///
    /// # Errors
    /// A refusal of the 100s: which rule of the encoding the bytes break.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal>;

    /// Reads `Self` from all of `bytes`.
    ///
    /// # Errors
    /// As [`Decode::decode`]; and [`Code::TrailingBytes`] when bytes are left over.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let value = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

/// A cursor over bytes from outside. Never panics, never allocates before a bound was checked.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the front of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not read yet.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// # Errors
    /// [`Code::TrailingBytes`] when anything is left.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(Code::TrailingBytes).needed(0_u64).found(self.rest.len()))
    }

    /// The next `length` bytes.
    ///
    /// # Errors
    /// [`Code::Truncated`] when fewer are left.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let Some((head, rest)) = self.rest.split_at_checked(length) else {
            return Err(Refusal::new(Code::Truncated).needed(length).found(self.rest.len()));
        };
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`Code::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// # Errors
    /// [`Code::Truncated`].
    pub fn u8(&mut self) -> Result<u8, Refusal> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// # Errors
    /// [`Code::Truncated`].
    pub fn u16(&mut self) -> Result<u16, Refusal> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// # Errors
    /// [`Code::Truncated`].
    pub fn u32(&mut self) -> Result<u32, Refusal> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// # Errors
    /// [`Code::Truncated`].
    pub fn u64(&mut self) -> Result<u64, Refusal> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// # Errors
    /// [`Code::Truncated`].
    pub fn u128(&mut self) -> Result<u128, Refusal> {
        Ok(u128::from_be_bytes(self.array()?))
    }

    /// A byte string of at most `bound` bytes.
    ///
    /// # Errors
    /// [`Code::TooLong`] before reading further, [`Code::Truncated`].
    pub fn bytes(&mut self, bound: usize) -> Result<&'a [u8], Refusal> {
        let length = self.length(bound, Code::TooLong)?;
        self.take(length)
    }

    /// Text of at most `bound` bytes.
    ///
    /// # Errors
    /// As [`Reader::bytes`]; [`Code::BadText`] when it is not UTF-8.
    pub fn text(&mut self, bound: usize) -> Result<String, Refusal> {
        let bytes = self.bytes(bound)?;
        core::str::from_utf8(bytes).map(String::from).map_err(|_| Refusal::new(Code::BadText))
    }

    /// A list of at most `bound` items, each read by `item`.
    ///
    /// # Errors
    /// [`Code::TooMany`] before anything is allocated, or what `item` refuses.
    pub fn list<T>(
        &mut self,
        bound: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        let count = self.length(bound, Code::TooMany)?;
        // An item takes a byte or more, so a list that claims more items than bytes are left is cut short.
        let mut items = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// An optional value.
    ///
    /// # Errors
    /// [`Code::UnknownTag`] for a first byte other than 0 and 1, or what `item` refuses.
    pub fn option<T>(
        &mut self,
        item: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        match self.u8()? {
            0 => Ok(None),
            1 => item(self).map(Some),
            tag => Err(Refusal::new(Code::UnknownTag).needed(1_u64).found(tag)),
        }
    }

    fn length(&mut self, bound: usize, code: Code) -> Result<usize, Refusal> {
        let length = self.u32()?;
        match usize::try_from(length) {
            Ok(length) if length <= bound => Ok(length),
            _ => Err(Refusal::new(code).needed(bound).found(length)),
        }
    }
}

/// Appends a byte string with its length.
///
/// # Panics
/// When `bytes` is longer than `u32::MAX`: every bounded type is far below.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends a list with its length.
///
/// # Panics
/// When there are more than `u32::MAX` items: every bounded type is far below.
pub fn put_list<T>(out: &mut Vec<u8>, items: &[T], mut item: impl FnMut(&mut Vec<u8>, &T)) {
    put_length(out, items.len());
    for each in items {
        item(out, each);
    }
}

/// Appends an optional value.
pub fn put_option<T>(out: &mut Vec<u8>, value: Option<&T>, item: impl FnOnce(&mut Vec<u8>, &T)) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            item(out, value);
        }
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    u32::try_from(length).expect("a bounded type is shorter than 4 GiB").encode(out);
}

macro_rules! integer {
    ($($type:ident)*) => {$(
        impl Encode for $type {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }
        }

        impl Decode for $type {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
                reader.$type()
            }
        }
    )*};
}

integer!(u8 u16 u32 u64 u128);

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl<const N: usize> Decode for [u8; N] {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.array()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_big_endian_and_of_fixed_width() {
        assert_eq!(0x0102_u16.to_bytes(), [1, 2]);
        assert_eq!(1_u64.to_bytes(), [0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(u32::from_bytes(&[0, 0, 1, 0]).unwrap(), 256);
    }

    #[test]
    fn bytes_left_over_are_refused_with_their_number() {
        let refusal = u8::from_bytes(&[1, 2, 3]).unwrap_err();
        assert_eq!(refusal, Refusal::new(Code::TrailingBytes).needed(0_u64).found(2_u64));
    }

    #[test]
    fn a_length_above_its_bound_is_refused_before_memory() {
        let claimed = u32::MAX.to_bytes();
        assert_eq!(Reader::new(&claimed).bytes(10).unwrap_err().code, Code::TooLong);
        assert_eq!(Reader::new(&claimed).list(10, Reader::u8).unwrap_err().code, Code::TooMany);
    }

    #[test]
    fn a_list_that_claims_more_than_there_is_is_truncated() {
        let mut bytes = 1_000_000_u32.to_bytes();
        bytes.push(7);
        assert_eq!(Reader::new(&bytes).list(2_000_000, Reader::u8).unwrap_err().code, Code::Truncated);
    }

    #[test]
    fn an_optional_value_has_two_tags_only() {
        assert_eq!(Reader::new(&[0]).option(Reader::u8).unwrap(), None);
        assert_eq!(Reader::new(&[1, 9]).option(Reader::u8).unwrap(), Some(9));
        assert_eq!(Reader::new(&[2, 9]).option(Reader::u8).unwrap_err().code, Code::UnknownTag);
    }
}
