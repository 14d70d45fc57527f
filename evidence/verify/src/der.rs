//! A strict reader of DER, and the one way from BER to it.
//!
//! Every value keeps the bytes it was read from, because signatures and certificate hashes are over
//! those bytes and never over an encoding made again. Lengths are definite and of the shortest form; a
//! tag has one byte; nothing is copied or allocated. [`definite`] turns the BER that some authorities send
//! (lengths without end, strings in pieces) into this form; what is inside a certificate must have been
//! DER before, or its signature does not hold.
//!
//! Source: X.690, sections 8 and 10.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::fmt::Write as _;
use zeugma_types::{BlockTime, Code, Refusal};

/// Tags of the values read here.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const ENUMERATED: u8 = 0x0a;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const CONSTRUCTED: u8 = 0x20;

    /// A constructed, context-specific tag.
    pub(crate) const fn context(number: u8) -> u8 {
        0xa0 | number
    }

    /// A primitive, context-specific tag.
    pub(crate) const fn primitive(number: u8) -> u8 {
        0x80 | number
    }
}

/// One value: its tag, its content, and all its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
    pub(crate) raw: &'a [u8],
}

/// A cursor over a sequence of values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Der<'a> {
    rest: &'a [u8],
}

impl<'a> Der<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[cfg(any(test, feature = "test-utils"))]
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Value<'a>, Refusal> {
        let all = self.rest;
        let (tag, header, length) = header(all)?;
        let Some(length) = length else { return Err(not_der("a length without end")) };
        if header != 2 && shortest_header(length) != header {
            return Err(not_der("a length in more bytes than it needs"));
        }
        let end = header.checked_add(length).filter(|end| *end <= all.len());
        let Some(end) = end else {
            return Err(Refusal::new(Code::Truncated).needed(length).found(all.len().saturating_sub(header)));
        };
        let (raw, rest) = all.split_at(end);
        self.rest = rest;
        Ok(Value { tag, body: &raw[header..], raw })
    }

    /// The next value, which has this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Value<'a>, Refusal> {
        let value = self.any()?;
        if value.tag != tag {
            return Err(Refusal::new(Code::UnknownTag).needed(tag).found(value.tag));
        }
        Ok(value)
    }

    /// The next value if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Value<'a>>, Refusal> {
        if self.rest.first() == Some(&tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Whether the next value has this tag.
    pub(crate) fn next_is(&self, tag: u8) -> bool {
        self.rest.first() == Some(&tag)
    }

    pub(crate) fn finish(self) -> Result<(), Refusal> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(Code::TrailingBytes).needed(0_u64).found(self.rest.len()))
    }

    pub(crate) fn sequence(&mut self) -> Result<Der<'a>, Refusal> {
        Ok(Self::new(self.expect(tag::SEQUENCE)?.body))
    }

    pub(crate) fn oid(&mut self) -> Result<Oid<'a>, Refusal> {
        Oid::new(self.expect(tag::OID)?.body)
    }

    /// An INTEGER that is not negative, without leading zeros: zero is one zero byte.
    pub(crate) fn unsigned(&mut self) -> Result<&'a [u8], Refusal> {
        unsigned(self.expect(tag::INTEGER)?.body)
    }

    /// An INTEGER of 0 to `u32::MAX`.
    pub(crate) fn small(&mut self) -> Result<u32, Refusal> {
        small(self.unsigned()?)
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn bits(&mut self) -> Result<&'a [u8], Refusal> {
        match self.expect(tag::BIT_STRING)?.body {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(not_der("a bit string that is not of whole bytes")),
        }
    }

    /// UTCTime or GeneralizedTime.
    pub(crate) fn time(&mut self) -> Result<BlockTime, Refusal> {
        let value = self.any()?;
        match value.tag {
            tag::UTC_TIME => utc_time(value.body),
            tag::GENERALIZED_TIME => generalized_time(value.body),
            other => Err(Refusal::new(Code::UnknownTag).needed(tag::GENERALIZED_TIME).found(other)),
        }
    }

    /// A BOOLEAN that is absent when it is false.
    pub(crate) fn flag(&mut self) -> Result<bool, Refusal> {
        match self.optional(tag::BOOLEAN)?.map(|value| value.body) {
            None => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(not_der("a boolean that is its default, or neither 00 nor ff")),
        }
    }
}

/// Reads all of `bytes` as one SEQUENCE.
pub(crate) fn only_sequence(bytes: &[u8]) -> Result<Der<'_>, Refusal> {
    let mut outer = Der::new(bytes);
    let inner = outer.sequence()?;
    outer.finish()?;
    Ok(inner)
}

/// The content of a not negative INTEGER, without the zero in front that its sign needs.
pub(crate) fn unsigned(body: &[u8]) -> Result<&[u8], Refusal> {
    match body {
        [] => Err(not_der("an integer without digits")),
        [0] => Ok(body),
        [0, digits @ ..] if digits[0] >= 0x80 => Ok(digits),
        [first, ..] if (1..0x80).contains(first) => Ok(body),
        [0, ..] => Err(not_der("an integer with a zero that is not needed")),
        _ => Err(Refusal::new(Code::OutOfRange).needed("a number that is not negative")),
    }
}

pub(crate) fn small(digits: &[u8]) -> Result<u32, Refusal> {
    if digits.len() > 4 {
        return Err(Refusal::new(Code::OutOfRange).needed(u32::MAX).found("a larger number"));
    }
    Ok(digits.iter().fold(0, |number, digit| number << 8 | u32::from(*digit)))
}

fn not_der(what: &'static str) -> Refusal {
    Refusal::new(Code::NotCanonical).needed("DER").found(what)
}

/// Tag, length of the header, and the length that it states; `None` for one without end.
fn header(bytes: &[u8]) -> Result<(u8, usize, Option<usize>), Refusal> {
    let short = || Refusal::new(Code::Truncated).needed(2_u64).found(bytes.len());
    let [tag, first, rest @ ..] = bytes else { return Err(short()) };
    if tag & 0x1f == 0x1f {
        return Err(Refusal::new(Code::UnknownTag).found(*tag));
    }
    match first {
        0..=0x7f => Ok((*tag, 2, Some(usize::from(*first)))),
        0x80 => Ok((*tag, 2, None)),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let digits = rest.get(..count).ok_or_else(short)?;
            let length = digits.iter().fold(0_u64, |number, digit| number << 8 | u64::from(*digit));
            let length =
                usize::try_from(length).map_err(|_| Refusal::new(Code::TooLong).needed(usize::MAX))?;
            Ok((*tag, 2 + count, Some(length)))
        }
        _ => Err(Refusal::new(Code::TooLong).needed(u32::MAX).found("a length of more than four bytes")),
    }
}

fn shortest_header(length: usize) -> usize {
    match length {
        0..=0x7f => 2,
        0x80..=0xff => 3,
        0x100..=0xffff => 4,
        0x1_0000..=0xff_ffff => 5,
        _ => 6,
    }
}

/// Appends a value of this tag.
pub(crate) fn put(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.push(tag);
    let digits = (body.len() as u64).to_be_bytes();
    match shortest_header(body.len()) {
        2 => out.push(digits[7]),
        header => {
            let count = header - 2;
            out.push(0x80 | u8::try_from(count).expect("a length has at most eight bytes"));
            out.extend_from_slice(&digits[8 - count..]);
        }
    }
    out.extend_from_slice(body);
}

/// Deepest nesting of BER that is followed: a time-stamp token has about fifteen levels.
const MAX_DEPTH: u8 = 48;

/// One BER value with definite lengths of the shortest form, and its strings whole. Borrowed when it was so.
///
/// # Errors
/// [`Code::Truncated`], [`Code::TrailingBytes`], [`Code::TooMany`] beyond [`MAX_DEPTH`] levels.
pub(crate) fn definite(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    let mut out = Vec::with_capacity(bytes.len());
    let rest = transcode(bytes, &mut out, MAX_DEPTH)?;
    if !rest.is_empty() {
        return Err(Refusal::new(Code::TrailingBytes).needed(0_u64).found(rest.len()));
    }
    Ok(if out == bytes { Cow::Borrowed(bytes) } else { Cow::Owned(out) })
}

/// Appends the DER of the first value of `bytes`; returns what follows it.
fn transcode<'a>(bytes: &'a [u8], out: &mut Vec<u8>, depth: u8) -> Result<&'a [u8], Refusal> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Refusal::new(Code::TooMany).needed(MAX_DEPTH).found("deeper nesting"));
    };
    let (tag, header, length) = header(bytes)?;
    let content = &bytes[header..];
    let constructed = tag & tag::CONSTRUCTED != 0;
    let (mut inside, after) = match length {
        Some(length) => {
            let parts = content.split_at_checked(length);
            parts.ok_or_else(|| Refusal::new(Code::Truncated).needed(length).found(content.len()))?
        }
        None if constructed => (content, content),
        None => return Err(not_der("a primitive value without end")),
    };
    if !constructed {
        put(out, tag, inside);
        return Ok(after);
    }
    let mut body = Vec::new();
    let after = loop {
        match length {
            Some(_) if inside.is_empty() => break after,
            None if inside.starts_with(&[0, 0]) => break &inside[2..],
            _ => inside = transcode(inside, &mut body, depth)?,
        }
    };
    if tag == tag::OCTET_STRING | tag::CONSTRUCTED {
        let mut whole = Vec::with_capacity(body.len());
        let mut pieces = Der::new(&body);
        while !pieces.is_empty() {
            whole.extend_from_slice(pieces.expect(tag::OCTET_STRING)?.body);
        }
        put(out, tag::OCTET_STRING, &whole);
    } else {
        put(out, tag, &body);
    }
    Ok(after)
}

/// An object identifier, as its encoded arcs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Oid<'a>(&'a [u8]);

impl<'a> Oid<'a> {
    /// Longest identifier, in bytes: those in use have a third of it.
    const MAX: usize = 64;

    pub(crate) fn new(body: &'a [u8]) -> Result<Self, Refusal> {
        if body.len() > Self::MAX {
            return Err(Refusal::new(Code::TooLong).needed(Self::MAX).found(body.len()));
        }
        // An arc has no zero in front, ends, and fits 64 bits.
        let starts = core::iter::once(0).chain(body.iter().map(|byte| byte & 0x80)).zip(body);
        let padded = starts.clone().any(|(before, byte)| before == 0 && *byte == 0x80);
        let arcs_fit = body.split_inclusive(|byte| byte & 0x80 == 0).all(|arc| arc.len() <= 9);
        if body.is_empty() || padded || body.last().is_some_and(|last| last & 0x80 != 0) || !arcs_fit {
            return Err(not_der("an object identifier that breaks its rules"));
        }
        Ok(Self(body))
    }

    /// An identifier written in the source.
    pub(crate) const fn known(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The dotted form.
    #[must_use]
    pub(crate) fn dotted(&self) -> String {
        let mut text = String::new();
        for (position, arc) in self.0.split_inclusive(|byte| byte & 0x80 == 0).enumerate() {
            let number = arc.iter().fold(0_u64, |number, byte| number << 7 | u64::from(byte & 0x7f));
            // A string takes what is written to it.
            let _ = if position == 0 {
                let root = (number / 40).min(2);
                write!(text, "{root}.{}", number - 40 * root)
            } else {
                write!(text, ".{number}")
            };
        }
        text
    }
}

impl fmt::Debug for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.dotted())
    }
}

fn two_digits(text: &[u8]) -> Option<u64> {
    match text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(u64::from(a - b'0') * 10 + u64::from(b - b'0')),
        _ => None,
    }
}

fn bad_time() -> Refusal {
    Refusal::new(Code::OutOfRange).needed("a time in UTC, ending in Z")
}

fn utc_time(text: &[u8]) -> Result<BlockTime, Refusal> {
    let [digits @ .., b'Z'] = text else { return Err(bad_time()) };
    let year = digits.get(..2).and_then(two_digits).ok_or_else(bad_time)?;
    // RFC 5280, section 4.1.2.5.1.
    let year = if year >= 50 { 1900 + year } else { 2000 + year };
    instant(year, &digits[2..], 0)
}

fn generalized_time(text: &[u8]) -> Result<BlockTime, Refusal> {
    let [text @ .., b'Z'] = text else { return Err(bad_time()) };
    let (digits, millis) = match text.iter().position(|byte| *byte == b'.') {
        None => (text, 0),
        Some(dot) => (&text[..dot], fraction(&text[dot + 1..])?),
    };
    let century = digits.get(..2).and_then(two_digits).ok_or_else(bad_time)?;
    let year = digits.get(2..4).and_then(two_digits).ok_or_else(bad_time)?;
    instant(century * 100 + year, &digits[4..], millis)
}

/// Milliseconds of a fraction of a second, rounded down.
fn fraction(digits: &[u8]) -> Result<u64, Refusal> {
    let decimal = digits.iter().all(u8::is_ascii_digit) && (1..=9).contains(&digits.len());
    if !decimal || digits.ends_with(b"0") {
        return Err(bad_time());
    }
    let padded = digits.iter().copied().chain(core::iter::repeat(b'0')).take(3);
    Ok(padded.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// `rest` is month, day, hour, minute and second. A time before 1970 is the first instant.
fn instant(year: u64, rest: &[u8], millis: u64) -> Result<BlockTime, Refusal> {
    let mut fields = [0_u64; 5];
    if rest.len() != 10 {
        return Err(bad_time());
    }
    for (field, digits) in fields.iter_mut().zip(rest.chunks_exact(2)) {
        *field = two_digits(digits).ok_or_else(bad_time)?;
    }
    let [month, day, hour, minute, second] = fields;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Err(bad_time()),
    };
    if !(1..=last).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return Err(bad_time());
    }
    if year < 1970 {
        return Ok(BlockTime::ZERO);
    }
    // Days of the civil calendar, from a year that begins in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    let since_1970 = days - 719_468;
    Ok(BlockTime::new((((since_1970 * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_definite_length_is_der() {
        assert_eq!(Der::new(&[0x04, 1, 9]).any().unwrap().body, [9]);
        for (bytes, code) in [
            (&[0x04, 0x81, 1, 9][..], Code::NotCanonical),
            (&[0x04, 0x80, 0, 0], Code::NotCanonical),
            (&[0x04, 2, 9], Code::Truncated),
            (&[0x04], Code::Truncated),
            (&[0x1f, 1, 1], Code::UnknownTag),
            (&[0x04, 0x85, 0, 0, 0, 0, 1, 9], Code::TooLong),
            (&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff], Code::Truncated),
        ] {
            assert_eq!(Der::new(bytes).any().unwrap_err().code, code, "{bytes:02x?}");
        }
    }

    #[test]
    fn ber_without_ends_and_in_pieces_becomes_der_and_der_stays() {
        let ber = [0x30, 0x80, 0x24, 0x80, 0x04, 1, 1, 0x04, 2, 2, 3, 0, 0, 0x02, 0x81, 1, 5, 0, 0];
        let der = [0x30, 8, 0x04, 3, 1, 2, 3, 0x02, 1, 5];
        assert_eq!(definite(&ber).unwrap().as_ref(), der);
        assert!(matches!(definite(&der).unwrap(), Cow::Borrowed(_)));
        let deep: Vec<u8> = core::iter::repeat_n([0x30, 0x80], 2_000).flatten().collect();
        assert_eq!(definite(&deep).unwrap_err().code, Code::TooMany);
        assert_eq!(definite(&[0x30, 0x80, 0x02, 1, 5]).unwrap_err().code, Code::Truncated);
        assert_eq!(definite(&[0x04, 0x80, 0, 0]).unwrap_err().code, Code::NotCanonical);
    }

    #[test]
    fn times_are_instants_of_utc() {
        let at = |text: &str| generalized_time(text.as_bytes()).map(BlockTime::get);
        assert_eq!(at("19700101000000Z"), Ok(0));
        assert_eq!(at("20000229235959Z"), Ok(951_868_799_000));
        assert_eq!(at("20241008154032.5Z"), Ok(1_728_402_032_500));
        assert_eq!(at("19600101000000Z"), Ok(0));
        assert_eq!(utc_time(b"241008154032Z").unwrap().get(), 1_728_402_032_000);
        assert_eq!(utc_time(b"500101000000Z").unwrap().get(), 0);
        for bad in
            ["20230229000000Z", "20241301000000Z", "20240101000060Z", "20240101000000", "20240101000000.50Z"]
        {
            assert_eq!(at(bad).unwrap_err().code, Code::OutOfRange, "{bad}");
        }
    }

    #[test]
    fn object_identifiers_have_one_form() {
        let oid = Oid::new(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]).unwrap();
        assert_eq!(oid.dotted(), "1.2.840.113549.1.1.11");
        assert_eq!(Oid::new(&[0x88, 0x37]).unwrap().dotted(), "2.999");
        for bad in [&[][..], &[0x2a, 0x80, 1], &[0x2a, 0x86]] {
            assert_eq!(Oid::new(bad).unwrap_err().code, Code::NotCanonical, "{bad:02x?}");
        }
    }

    #[test]
    fn integers_are_not_negative_and_of_the_shortest_form() {
        assert_eq!(unsigned(&[0, 0x80]).unwrap(), [0x80]);
        assert_eq!(unsigned(&[0x80]).unwrap_err().code, Code::OutOfRange);
        assert_eq!(unsigned(&[0, 1]).unwrap_err().code, Code::NotCanonical);
        assert_eq!(small(&[1, 0, 0, 0, 0]).unwrap_err().code, Code::OutOfRange);
    }
}
