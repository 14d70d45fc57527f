//! How much of an asset: a whole number of its smallest unit, of 256 bits as in the EVM.
//!
//! Sums and differences are checked. The text is decimal, without sign, point or leading zero: one amount
//! has one text.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

/// A number below 2^256.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    /// The least significant first.
    limbs: [u64; 4],
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self { limbs: [0; 4] };
    /// The largest.
    pub const MAX: Self = Self { limbs: [u64::MAX; 4] };
    /// Longest text, in characters: the digits of 2^256 - 1.
    pub const MAX_TEXT: usize = 78;

    /// A small amount.
    #[must_use]
    pub const fn new(amount: u64) -> Self {
        Self { limbs: [amount, 0, 0, 0] }
    }

    /// The sum, unless it is 2^256 or more.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let mut limbs = [0; 4];
        let mut carry = false;
        for (at, limb) in limbs.iter_mut().enumerate() {
            let (sum, over) = self.limbs[at].overflowing_add(other.limbs[at]);
            let (sum, more) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, over || more);
        }
        (!carry).then_some(Self { limbs })
    }

    /// The difference, unless `other` is more.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        let mut limbs = [0; 4];
        let mut borrow = false;
        for (at, limb) in limbs.iter_mut().enumerate() {
            let (rest, under) = self.limbs[at].overflowing_sub(other.limbs[at]);
            let (rest, more) = rest.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (rest, under || more);
        }
        (!borrow).then_some(Self { limbs })
    }

    /// This times `part` divided by `whole`, rounded down; all of it when `part` is not below `whole`.
    #[must_use]
    pub fn part(self, part: u64, whole: u64) -> Self {
        if part >= whole {
            return self;
        }
        // Five limbs hold the product; divided from the top, each remainder is below `whole`.
        let mut product = [0; 5];
        let mut carry = 0_u128;
        for (limb, own) in product.iter_mut().zip(self.limbs) {
            let sum = u128::from(own) * u128::from(part) + carry;
            *limb = low(sum);
            carry = sum >> 64;
        }
        product[4] = low(carry);
        let mut left = 0_u128;
        for limb in product.iter_mut().rev() {
            let dividend = left << 64 | u128::from(*limb);
            *limb = low(dividend / u128::from(whole));
            left = dividend % u128::from(whole);
        }
        let [a, b, c, d, _] = product;
        Self { limbs: [a, b, c, d] }
    }

    /// As the EVM has it: 32 bytes, the most significant first.
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.limbs.iter().rev()) {
            chunk.copy_from_slice(&limb.to_be_bytes());
        }
        bytes
    }

    /// From [`Amount::to_be_bytes`].
    #[must_use]
    pub fn from_be_bytes(bytes: [u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
            *limb = chunk.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        }
        Self { limbs }
    }

    /// Reads the one text of an amount.
    ///
    /// # Errors
    /// [`Code::OutOfRange`] for what is no decimal number below 2^256 in its one form.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let refused = || {
            // A long text is no amount, and does not belong into a refusal.
            let found: String = text.chars().take(Self::MAX_TEXT).collect();
            Refusal::new(Code::OutOfRange).needed("decimal digits of a number below 2^256").found(found)
        };
        let one_form = text == "0" || !text.starts_with('0');
        if text.is_empty() || text.len() > Self::MAX_TEXT || !one_form {
            return Err(refused());
        }
        let mut amount = Self::ZERO;
        for byte in text.bytes() {
            if !byte.is_ascii_digit() {
                return Err(refused());
            }
            amount = amount.shifted(u64::from(byte - b'0')).ok_or_else(refused)?;
        }
        Ok(amount)
    }

    /// Ten times this, and a digit.
    fn shifted(self, digit: u64) -> Option<Self> {
        let mut carry = u128::from(digit);
        let limbs = self.limbs.map(|limb| {
            let product = u128::from(limb) * 10 + carry;
            carry = product >> 64;
            low(product)
        });
        (carry == 0).then_some(Self { limbs })
    }

    /// This divided by ten, and the digit that is left.
    fn tenth(self) -> (Self, u8) {
        let mut limbs = [0; 4];
        let mut left = 0_u128;
        for (limb, own) in limbs.iter_mut().zip(self.limbs).rev() {
            let dividend = left << 64 | u128::from(own);
            *limb = low(dividend / 10);
            left = dividend % 10;
        }
        (Self { limbs }, u8::try_from(left).expect("a remainder of ten is a digit"))
    }
}

/// The lower half.
fn low(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).expect("the upper half is masked away")
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.limbs.iter().rev().cmp(other.limbs.iter().rev())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = Vec::with_capacity(Self::MAX_TEXT);
        let mut rest = *self;
        loop {
            let (tenth, digit) = rest.tenth();
            digits.push(b'0' + digit);
            rest = tenth;
            if rest == Self::ZERO {
                break;
            }
        }
        digits.iter().rev().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({self})")
    }
}

impl Encode for Amount {
    fn encode(&self, out: &mut Vec<u8>) {
        self.to_be_bytes().encode(out);
    }
}

impl Decode for Amount {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.array().map(Self::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    const LARGEST: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

    #[test]
    fn an_amount_has_one_text_and_ends_below_two_to_the_256() {
        assert_eq!(Amount::parse(LARGEST), Ok(Amount::MAX));
        assert_eq!(Amount::MAX.to_string(), LARGEST);
        assert_eq!(Amount::ZERO.to_string(), "0");
        let above = LARGEST.replace("639935", "639936");
        for bad in ["", "00", "01", "-1", "+1", "1.0", "1e3", " 1", "0x1", "１", above.as_str()] {
            assert_eq!(Amount::parse(bad).unwrap_err().code, Code::OutOfRange, "{bad:?}");
        }
        let long = "9".repeat(1_000_000);
        assert_eq!(Amount::parse(&long).unwrap_err().code, Code::OutOfRange);
        assert_eq!(Amount::MAX.plus(Amount::new(1)), None);
        assert_eq!(Amount::ZERO.minus(Amount::new(1)), None);
    }

    proptest! {
        /// The oracle is the machine's own arithmetic.
        #[test]
        fn small_amounts_count_as_the_machine_counts(a: u128, b: u128) {
            let of = |number: u128| Amount::parse(&number.to_string()).unwrap();
            prop_assert_eq!(of(a).to_string(), a.to_string());
            prop_assert_eq!(of(a).cmp(&of(b)), a.cmp(&b));
            prop_assert_eq!(of(a).minus(of(b)), a.checked_sub(b).map(of));
            if let Some(sum) = a.checked_add(b) {
                prop_assert_eq!(of(a).plus(of(b)), Some(of(sum)));
            }
        }

        #[test]
        fn a_part_is_what_the_machine_divides(a: u64, part: u64, whole in 1..u64::MAX) {
            let expected = u128::from(a) * u128::from(part.min(whole)) / u128::from(whole);
            prop_assert_eq!(Amount::new(a).part(part, whole).to_string(), expected.to_string());
            // Of a multiple of the whole, the part is exact whatever its size.
            let large = Amount::MAX.part(1, whole);
            let third = large.part(1, 3);
            let times = third.plus(third).and_then(|two| two.plus(third));
            prop_assert!(times.unwrap() <= large);
        }

        #[test]
        fn bytes_text_and_sums_of_any_amount_come_back(bytes: [u8; 32], other: [u8; 32]) {
            let (amount, other) = (Amount::from_be_bytes(bytes), Amount::from_be_bytes(other));
            prop_assert_eq!(amount.to_be_bytes(), bytes);
            prop_assert_eq!(Amount::parse(&amount.to_string()), Ok(amount));
            prop_assert_eq!(Amount::from_bytes(&amount.to_bytes()), Ok(amount));
            match amount.plus(other) {
                Some(sum) => prop_assert_eq!(sum.minus(other), Some(amount)),
                None => prop_assert!(Amount::MAX.minus(amount).unwrap() < other),
            }
        }
    }
}
