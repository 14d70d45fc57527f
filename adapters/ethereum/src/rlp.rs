//! Recursive Length Prefix, read strictly: one encoding for each value.
//!
//! Nothing is built: an item is a part of the bytes it was read from. Lists are walked by their caller, who
//! knows their shape, so no nesting can exhaust the stack.
//!
//! Source: Ethereum yellow paper, appendix B.

use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// A string, or a list of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A string.
    Bytes(&'a [u8]),
    /// The payload of a list: items one after the other.
    List(&'a [u8]),
}

impl<'a> Item<'a> {
    /// The string.
    ///
    /// # Errors
    /// [`Code::UnknownTag`] for a list.
    pub fn bytes(self) -> Result<&'a [u8], Refusal> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::List(_) => Err(Refusal::new(Code::UnknownTag).needed("a string").found("a list")),
        }
    }

    /// The items of the list.
    ///
    /// # Errors
    /// [`Code::UnknownTag`] for a string.
    pub fn list(self) -> Result<Rlp<'a>, Refusal> {
        match self {
            Self::List(payload) => Ok(Rlp::new(payload)),
            Self::Bytes(_) => Err(Refusal::new(Code::UnknownTag).needed("a list").found("a string")),
        }
    }
}

/// A cursor over items.
#[derive(Clone, Debug)]
pub struct Rlp<'a> {
    rest: &'a [u8],
}

impl<'a> Rlp<'a> {
    /// Starts at the front of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether no item is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next item.
    ///
    /// # Errors
    /// [`Code::Truncated`]; [`Code::NotCanonical`] for a length that has a shorter form.
    pub fn item(&mut self) -> Result<Item<'a>, Refusal> {
        self.item_with_bytes().map(|(item, _)| item)
    }

    /// The next item, and its whole encoding.
    ///
    /// # Errors
    /// As [`Rlp::item`].
    pub fn item_with_bytes(&mut self) -> Result<(Item<'a>, &'a [u8]), Refusal> {
        let truncated =
            |needed: usize, found: usize| Refusal::new(Code::Truncated).needed(needed).found(found);
        let Some(&first) = self.rest.first() else { return Err(truncated(1, 0)) };
        let (head, length, is_list) = match first {
            0..=0x7f => (0, 1, false),
            0x80..=0xb7 => (1, usize::from(first - 0x80), false),
            0xb8..=0xbf => {
                self.long(usize::from(first - 0xb7)).map(|(head, length)| (head, length, false))?
            }
            0xc0..=0xf7 => (1, usize::from(first - 0xc0), true),
            0xf8..=0xff => self.long(usize::from(first - 0xf7)).map(|(head, length)| (head, length, true))?,
        };
        let end = head.checked_add(length).ok_or_else(|| truncated(usize::MAX, self.rest.len()))?;
        let Some((whole, rest)) = self.rest.split_at_checked(end) else {
            return Err(truncated(end, self.rest.len()));
        };
        let payload = &whole[head..];
        if let ([byte], 1, false) = (payload, head, is_list)
            && *byte < 0x80
        {
            return Err(Refusal::new(Code::NotCanonical).found("a byte with a length"));
        }
        self.rest = rest;
        Ok((if is_list { Item::List(payload) } else { Item::Bytes(payload) }, whole))
    }

    /// Head and payload length of an item whose length has `digits` bytes.
    fn long(&self, digits: usize) -> Result<(usize, usize), Refusal> {
        let Some(bytes) = self.rest.get(1..=digits) else {
            return Err(Refusal::new(Code::Truncated).needed(digits + 1).found(self.rest.len()));
        };
        let length = bytes.iter().try_fold(0_usize, |length, byte| {
            length.checked_mul(256).map(|length| length | usize::from(*byte))
        });
        match length {
            None => Err(Refusal::new(Code::Truncated).needed(usize::MAX).found(self.rest.len())),
            Some(length) if length <= 55 || bytes[0] == 0 => {
                Err(Refusal::new(Code::NotCanonical).found("a length with a shorter form"))
            }
            Some(length) => Ok((1 + digits, length)),
        }
    }

    /// The next item as a string of `N` bytes.
    ///
    /// # Errors
    /// As [`Rlp::item`]; [`Code::OutOfRange`] for another length.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let bytes = self.item()?.bytes()?;
        bytes.try_into().map_err(|_| Refusal::new(Code::OutOfRange).needed(N).found(bytes.len()))
    }

    /// The next item as a number: big-endian, without zeros in front.
    ///
    /// # Errors
    /// As [`Rlp::item`]; [`Code::NotCanonical`], [`Code::OutOfRange`].
    pub fn u64(&mut self) -> Result<u64, Refusal> {
        let mut wide = [0; 8];
        put_number(self.item()?.bytes()?, &mut wide)?;
        Ok(u64::from_be_bytes(wide))
    }

    /// The next item as a number of 256 bits.
    ///
    /// # Errors
    /// As [`Rlp::u64`].
    pub fn u256(&mut self) -> Result<[u8; 32], Refusal> {
        let mut wide = [0; 32];
        put_number(self.item()?.bytes()?, &mut wide)?;
        Ok(wide)
    }

    /// The end.
    ///
    /// # Errors
    /// [`Code::TrailingBytes`].
    pub fn finish(self) -> Result<(), Refusal> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(Code::TrailingBytes).needed(0_u64).found(self.rest.len()))
    }
}

fn put_number(bytes: &[u8], wide: &mut [u8]) -> Result<(), Refusal> {
    if bytes.first() == Some(&0) {
        return Err(Refusal::new(Code::NotCanonical).found("a number with a zero in front"));
    }
    let Some(start) = wide.len().checked_sub(bytes.len()) else {
        return Err(Refusal::new(Code::OutOfRange).needed(wide.len()).found(bytes.len()));
    };
    wide[start..].copy_from_slice(bytes);
    Ok(())
}

/// The one item that `bytes` are.
///
/// # Errors
/// As [`Rlp::item`]; [`Code::TrailingBytes`].
pub fn whole(bytes: &[u8]) -> Result<Item<'_>, Refusal> {
    let mut reader = Rlp::new(bytes);
    let item = reader.item()?;
    reader.finish()?;
    Ok(item)
}

/// Appends a string.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes {
        [byte] if *byte < 0x80 => out.push(*byte),
        _ => {
            put_head(out, 0x80, bytes.len());
            out.extend_from_slice(bytes);
        }
    }
}

/// Appends a number without the zeros in front of it.
pub fn put_number_of(out: &mut Vec<u8>, big_endian: &[u8]) {
    let start = big_endian.iter().position(|byte| *byte != 0).unwrap_or(big_endian.len());
    put_bytes(out, &big_endian[start..]);
}

/// Appends a list of items that are encoded in `payload`.
pub fn put_list(out: &mut Vec<u8>, payload: &[u8]) {
    put_head(out, 0xc0, payload.len());
    out.extend_from_slice(payload);
}

fn put_head(out: &mut Vec<u8>, base: u8, length: usize) {
    match u8::try_from(length) {
        Ok(short) if short <= 55 => out.push(base + short),
        _ => {
            let digits = length.to_be_bytes();
            let start = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len());
            let count = u8::try_from(digits.len() - start).expect("a length has at most eight bytes");
            out.push(base + 55 + count);
            out.extend_from_slice(&digits[start..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn the_examples_of_the_specification_are_read_and_written() {
        let mut out = vec![];
        put_bytes(&mut out, b"dog");
        assert_eq!(out, b"\x83dog");
        assert_eq!(whole(&out).unwrap(), Item::Bytes(b"dog"));
        assert_eq!(whole(b"\xc8\x83cat\x83dog").unwrap(), Item::List(b"\x83cat\x83dog"));
        assert_eq!(whole(&[0x80]).unwrap(), Item::Bytes(b""));
        assert_eq!(whole(&[0x0f]).unwrap(), Item::Bytes(&[0x0f]));
        assert_eq!(Rlp::new(&[0x82, 0x04, 0x00]).u64(), Ok(1024));
        let long = [b'x'; 56];
        let mut out = vec![];
        put_bytes(&mut out, &long);
        assert_eq!(out[..2], [0xb8, 0x38]);
        assert_eq!(whole(&out).unwrap(), Item::Bytes(&long));
    }

    #[test]
    fn another_encoding_of_a_value_is_refused() {
        let code = |bytes: &[u8]| whole(bytes).unwrap_err().code;
        assert_eq!(code(&[0x81, 0x05]), Code::NotCanonical);
        assert_eq!(code(&[0xb8, 0x01, 0x85]), Code::NotCanonical);
        assert_eq!(code(&[0xb9, 0x00, 0x38]), Code::NotCanonical);
        assert_eq!(code(&[0xf8, 0x00]), Code::NotCanonical);
        assert_eq!(code(&[0x83, b'd', b'o']), Code::Truncated);
        assert_eq!(code(&[0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Code::Truncated);
        assert_eq!(code(&[]), Code::Truncated);
        assert_eq!(code(&[0x01, 0x02]), Code::TrailingBytes);
        let number = |bytes: &[u8]| Rlp::new(bytes).u64().unwrap_err().code;
        assert_eq!(number(&[0x00]), Code::NotCanonical);
        assert_eq!(number(&[0x82, 0x00, 0x01]), Code::NotCanonical);
        assert_eq!(number(&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]), Code::OutOfRange);
        assert_eq!(number(&[0xc0]), Code::UnknownTag);
    }
}
