//! Protobuf as CometBFT and the Cosmos SDK write it, and no other way.
//!
//! Guaranteed: bytes that a message's decoder accepts are the bytes its encoder writes. Fields come in
//! ascending order, each at most once unless repeated; a number or a string with its default value is
//! left out; varints have their shortest form; unknown fields, groups and other wire types are refused.
//! Each length is compared with its bound and with the bytes that are left before anything is
//! allocated.
//!
//! How: a decoder asks for its fields in ascending order. [`Fields`] hands out a field only when it is
//! the next one in the bytes, so a field that is unknown, repeated or out of order stays in front and is
//! refused by the next question or by [`Fields::finish`].
//!
//! Source: protobuf encoding, "proto3"; gogoproto, `nullable = false` (such a message is always written,
//! also when it is empty).

use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

const VARINT: u64 = 0;
const BYTES: u64 = 2;

/// The fields of one message, asked for in ascending order.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    last: u32,
}

impl<'a> Fields<'a> {
    /// Starts at the front of a message.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, last: 0 }
    }

    /// # Errors
    /// [`Code::UnknownTag`] when a field is left that was never asked for, [`Code::NotCanonical`] when
    /// one is left that came twice or out of order.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let (number, _, _) = self.key()?;
        let code = if number > self.last { Code::UnknownTag } else { Code::NotCanonical };
        Err(Refusal::new(code).found(number))
    }

    /// An unsigned number; 0 when left out.
    ///
    /// # Errors
    /// [`Code::NotCanonical`], [`Code::Truncated`].
    pub fn uint64(&mut self, number: u32) -> Result<u64, Refusal> {
        if !self.take_key(number, VARINT)? {
            return Ok(0);
        }
        match self.varint()? {
            0 => Err(not_canonical(number)),
            value => Ok(value),
        }
    }

    /// As [`Fields::uint64`], of 32 bits.
    ///
    /// # Errors
    /// As [`Fields::uint64`]; [`Code::OutOfRange`].
    pub fn uint32(&mut self, number: u32) -> Result<u32, Refusal> {
        let value = self.uint64(number)?;
        u32::try_from(value).map_err(|_| Refusal::new(Code::OutOfRange).needed(u32::MAX).found(value))
    }

    /// A signed number in its two's complement; 0 when left out.
    ///
    /// # Errors
    /// As [`Fields::uint64`].
    pub fn int64(&mut self, number: u32) -> Result<i64, Refusal> {
        Ok(self.uint64(number)?.cast_signed())
    }

    /// As [`Fields::int64`], of 32 bits.
    ///
    /// # Errors
    /// As [`Fields::uint64`]; [`Code::OutOfRange`].
    pub fn int32(&mut self, number: u32) -> Result<i32, Refusal> {
        let value = self.int64(number)?;
        i32::try_from(value).map_err(|_| Refusal::new(Code::OutOfRange).found(value.cast_unsigned()))
    }

    /// A byte string of at most `bound` bytes; empty when left out.
    ///
    /// # Errors
    /// [`Code::TooLong`], [`Code::NotCanonical`], [`Code::Truncated`].
    pub fn bytes(&mut self, number: u32, bound: usize) -> Result<&'a [u8], Refusal> {
        match self.optional(number, bound)? {
            Some([]) => Err(not_canonical(number)),
            Some(bytes) => Ok(bytes),
            None => Ok(&[]),
        }
    }

    /// As [`Fields::bytes`], of exactly `N` bytes, or none when left out.
    ///
    /// # Errors
    /// As [`Fields::bytes`]; [`Code::OutOfRange`] for another length.
    pub fn array<const N: usize>(&mut self, number: u32) -> Result<Option<[u8; N]>, Refusal> {
        match self.bytes(number, N)? {
            [] => Ok(None),
            bytes => bytes
                .try_into()
                .map(Some)
                .map_err(|_| Refusal::new(Code::OutOfRange).needed(N).found(bytes.len())),
        }
    }

    /// A message, or a member of a `oneof`, of at most `bound` bytes; it may be empty.
    ///
    /// # Errors
    /// [`Code::TooLong`], [`Code::NotCanonical`], [`Code::Truncated`].
    pub fn optional(&mut self, number: u32, bound: usize) -> Result<Option<&'a [u8]>, Refusal> {
        if !self.take_key(number, BYTES)? {
            return Ok(None);
        }
        let length = self.varint()?;
        let length = match usize::try_from(length) {
            Ok(short) if short <= bound => short,
            _ => return Err(Refusal::new(Code::TooLong).needed(bound).found(length)),
        };
        let Some((head, rest)) = self.rest.split_at_checked(length) else {
            return Err(Refusal::new(Code::Truncated).needed(length).found(self.rest.len()));
        };
        self.rest = rest;
        Ok(Some(head))
    }

    /// A message that is always written.
    ///
    /// # Errors
    /// As [`Fields::optional`]; [`Code::NotCanonical`] when it is left out.
    pub fn required(&mut self, number: u32, bound: usize) -> Result<&'a [u8], Refusal> {
        self.optional(number, bound)?.ok_or_else(|| not_canonical(number))
    }

    /// At most `most` messages of at most `bound` bytes each, each read by `item`.
    ///
    /// # Errors
    /// As [`Fields::optional`]; [`Code::TooMany`], or what `item` refuses.
    pub fn repeated<T>(
        &mut self,
        number: u32,
        most: usize,
        bound: usize,
        mut item: impl FnMut(&'a [u8]) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        let mut items = Vec::new();
        while let Some(bytes) = self.optional(number, bound)? {
            if items.len() == most {
                return Err(Refusal::new(Code::TooMany).needed(most).found(most + 1));
            }
            items.push(item(bytes)?);
        }
        Ok(items)
    }

    /// The number of the next field, if there is one.
    ///
    /// # Errors
    /// [`Code::NotCanonical`], [`Code::Truncated`], [`Code::UnknownTag`].
    pub fn peek(&self) -> Result<Option<u32>, Refusal> {
        if self.rest.is_empty() { Ok(None) } else { Ok(Some(self.key()?.0)) }
    }

    /// Takes the key of the field `number` when it is the next one.
    fn take_key(&mut self, number: u32, wire: u64) -> Result<bool, Refusal> {
        self.last = number;
        if self.rest.is_empty() {
            return Ok(false);
        }
        let (found, found_wire, rest) = self.key()?;
        if found < number {
            return Err(not_canonical(found));
        }
        if found > number {
            return Ok(false);
        }
        if found_wire != wire {
            return Err(Refusal::new(Code::NotCanonical).needed(wire).found(found_wire));
        }
        self.rest = rest;
        Ok(true)
    }

    /// Number and wire type of the next field, and what follows its key.
    fn key(&self) -> Result<(u32, u64, &'a [u8]), Refusal> {
        let (key, rest) = varint(self.rest)?;
        match u32::try_from(key >> 3) {
            Ok(number @ 1..) => Ok((number, key & 7, rest)),
            _ => Err(Refusal::new(Code::UnknownTag).found(key)),
        }
    }

    fn varint(&mut self) -> Result<u64, Refusal> {
        let (value, rest) = varint(self.rest)?;
        self.rest = rest;
        Ok(value)
    }
}

fn not_canonical(number: u32) -> Refusal {
    Refusal::new(Code::NotCanonical).found(number)
}

/// The number at the front of `bytes` in its shortest form, and what follows it.
///
/// # Errors
/// [`Code::Truncated`]; [`Code::NotCanonical`] when a shorter form exists or 64 bits do not hold it.
pub fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), Refusal> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        // The tenth byte holds the last bit of 64.
        if index == 9 && *byte > 1 {
            return Err(Refusal::new(Code::NotCanonical).needed(1_u64).found(*byte));
        }
        value |= bits << (7 * index);
        if byte & 0x80 == 0 {
            if *byte == 0 && index > 0 {
                return Err(Refusal::new(Code::NotCanonical).found(*byte));
            }
            return Ok((value, &bytes[index + 1..]));
        }
    }
    Err(Refusal::new(Code::Truncated))
}

/// Appends a number in its shortest form.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a number, unless it is 0.
pub fn put_uint64(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        put_key(out, number, VARINT);
        put_varint(out, value);
    }
}

/// Appends a signed number, unless it is 0.
pub fn put_int64(out: &mut Vec<u8>, number: u32, value: i64) {
    put_uint64(out, number, value.cast_unsigned());
}

/// Appends a number of fixed width, unless it is 0.
pub fn put_sfixed64(out: &mut Vec<u8>, number: u32, value: i64) {
    if value != 0 {
        put_key(out, number, 1);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Appends a byte string, unless it is empty.
pub fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    if !bytes.is_empty() {
        put_always(out, number, bytes);
    }
}

/// Appends a byte string also when it is empty, as a message or a member of a `oneof` is.
pub fn put_always(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_key(out, number, BYTES);
    put_delimited(out, bytes);
}

/// Appends a message, also when it is empty.
pub fn put_message(out: &mut Vec<u8>, number: u32, message: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    message(&mut body);
    put_always(out, number, &body);
}

/// Appends bytes after their length.
pub fn put_delimited(out: &mut Vec<u8>, bytes: &[u8]) {
    // A usize has at most 64 bits on every target Rust knows.
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_key(out: &mut Vec<u8>, number: u32, wire: u64) {
    put_varint(out, u64::from(number) << 3 | wire);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// `{1: number, 2: text, 3: repeated message}`, as an example.
    fn read(bytes: &[u8]) -> Result<(u64, Vec<u8>, usize), Refusal> {
        let mut fields = Fields::new(bytes);
        let number = fields.uint64(1)?;
        let text = fields.bytes(2, 4)?.into();
        let items = fields.repeated(3, 2, 8, |_| Ok(()))?.len();
        fields.finish()?;
        Ok((number, text, items))
    }

    #[test]
    fn varints_have_one_form() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut out = vec![];
            put_varint(&mut out, value);
            assert_eq!(varint(&out).unwrap(), (value, &[][..]));
            // The same number with a byte more.
            let last = out.len() - 1;
            out[last] |= 0x80;
            out.push(0);
            assert_eq!(varint(&out).unwrap_err().code, Code::NotCanonical);
        }
        assert_eq!(varint(&[0x80]).unwrap_err().code, Code::Truncated);
        assert_eq!(varint(&[0xff; 11]).unwrap_err().code, Code::NotCanonical);
    }

    #[test]
    fn fields_come_in_order_and_once() {
        assert_eq!(read(&[]).unwrap(), (0, vec![], 0));
        assert_eq!(read(&[8, 5, 18, 1, 9, 26, 0, 26, 1, 7]).unwrap(), (5, vec![9], 2));
        for (bytes, code) in [
            (&[18, 1, 9, 8, 5][..], Code::NotCanonical), // out of order
            (&[8, 5, 8, 5], Code::NotCanonical),         // twice
            (&[8, 0], Code::NotCanonical),               // a default value written
            (&[18, 0], Code::NotCanonical),              // an empty string written
            (&[13, 5, 0, 0, 0], Code::NotCanonical),     // another wire type
            (&[32, 1], Code::UnknownTag),                // an unknown field
            (&[0, 1], Code::UnknownTag),                 // field number 0
            (&[18, 5, 1, 2, 3, 4, 5], Code::TooLong),    // above the bound
            (&[18, 3, 1], Code::Truncated),              // less than it says
            (&[26, 0, 26, 0, 26, 0], Code::TooMany),     // too many
            (&[0x88, 0, 5], Code::NotCanonical),         // a key with a byte more
        ] {
            assert_eq!(read(bytes).unwrap_err().code, code, "{bytes:?}");
        }
    }

    #[test]
    fn a_negative_number_takes_ten_bytes_and_comes_back() {
        let mut out = vec![];
        put_int64(&mut out, 1, -62_135_596_800);
        assert_eq!(out.len(), 11);
        let mut fields = Fields::new(&out);
        assert_eq!(fields.int64(1).unwrap(), -62_135_596_800);
        assert_eq!(Fields::new(&out).int32(1).unwrap_err().code, Code::OutOfRange);
    }
}
