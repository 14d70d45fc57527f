//! Entry bundles: up to 256 leaves, each after its length.

use super::WIDTH;
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// Longest bundle, in bytes.
pub const MAX_BUNDLE: usize = WIDTH as usize * (2 + u16::MAX as usize);

/// The leaves of one bundle, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryBundle<'a> {
    /// The data of each leaf.
    pub leaves: Vec<&'a [u8]>,
}

impl<'a> EntryBundle<'a> {
    /// Reads a bundle of exactly `width` leaves.
    ///
    /// # Errors
    /// [`Code::TooLong`], [`Code::TooMany`] for a width above 256, [`Code::Truncated`], [`Code::TrailingBytes`].
    pub fn parse(bytes: &'a [u8], width: u16) -> Result<Self, Refusal> {
        if bytes.len() > MAX_BUNDLE {
            return Err(Refusal::new(Code::TooLong).needed(MAX_BUNDLE).found(bytes.len()));
        }
        if width > WIDTH {
            return Err(Refusal::new(Code::TooMany).needed(WIDTH).found(width));
        }
        let mut leaves = Vec::with_capacity(usize::from(width));
        let mut rest = bytes;
        for _ in 0..width {
            let truncated = || Refusal::new(Code::Truncated).needed(width);
            let (length, after) = rest.split_first_chunk().ok_or_else(truncated)?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (leaf, after) = after.split_at_checked(length).ok_or_else(truncated)?;
            leaves.push(leaf);
            rest = after;
        }
        if !rest.is_empty() {
            return Err(Refusal::new(Code::TrailingBytes).needed(0_u64).found(rest.len()));
        }
        Ok(Self { leaves })
    }

    /// Appends one leaf to the bytes of a bundle.
    ///
    /// # Errors
    /// [`Code::TooLong`] for a leaf above 65,535 bytes; nothing was appended.
    pub fn push(bundle: &mut Vec<u8>, leaf: &[u8]) -> Result<(), Refusal> {
        let length = u16::try_from(leaf.len());
        let length = length.map_err(|_| Refusal::new(Code::TooLong).needed(u16::MAX).found(leaf.len()))?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(leaf);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn a_bundle_of_another_width_is_refused() {
        let bytes = [0, 1, 7, 0, 0];
        assert_eq!(EntryBundle::parse(&bytes, 2).unwrap().leaves, [&[7][..], &[]]);
        let code = |bytes: &[u8], width| EntryBundle::parse(bytes, width).unwrap_err().code;
        assert_eq!(code(&bytes, 1), Code::TrailingBytes);
        assert_eq!(code(&bytes, 3), Code::Truncated);
        assert_eq!(code(&bytes[..4], 2), Code::Truncated);
        assert_eq!(code(&[0, 9, 1], 1), Code::Truncated);
        assert_eq!(code(&bytes, 257), Code::TooMany);
        let mut bundle = Vec::new();
        assert_eq!(EntryBundle::push(&mut bundle, &vec![0; 65_536]).unwrap_err().code, Code::TooLong);
        assert!(bundle.is_empty());
    }

    proptest! {
        #[test]
        fn what_was_pushed_is_read(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..256)) {
            let mut bytes = Vec::new();
            for leaf in &leaves {
                EntryBundle::push(&mut bytes, leaf).unwrap();
            }
            let width = u16::try_from(leaves.len()).unwrap();
            prop_assert_eq!(EntryBundle::parse(&bytes, width).unwrap().leaves, leaves);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), width in 0..300_u16) {
            let _ = EntryBundle::parse(&bytes, width);
        }
    }
}
