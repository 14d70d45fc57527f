//! Numbers of the hash and signature suites. What each computes is in `zeugma-crypto`.

use crate::codec::{Decode, Encode, Reader};
use crate::refusal::{Code, Refusal};
use alloc::vec::Vec;
use core::fmt;

macro_rules! suite {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $number:literal, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$vdoc])* $variant = $number,)*
        }

        impl $name {
            /// Every suite, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number in encodings.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The name in words and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The suite of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|suite| suite.name() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(self.number());
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
                let number = reader.u8()?;
                Self::ALL
                    .iter()
                    .copied()
                    .find(|suite| suite.number() == number)
                    .ok_or_else(|| Refusal::new(Code::UnknownTag).found(number))
            }
        }
    };
}

suite!(/// Hash of a tree.
    HashSuite {
    /// SHA-256 (FIPS 180-4).
    Sha256 = 1, "sha256";
    /// SM3 (GB/T 32905).
    Sm3 = 2, "sm3";
});

suite!(/// Signature of a second seal, for chains that cannot check BLS.
    SealSuite {
    /// ECDSA over secp256k1, low-s, `r ‖ s ‖ v`, recoverable; keys are compressed points.
    Secp256k1 = 1, "secp256k1";
    /// SM2 (GB/T 32918) with SM3 and the default identifier, `r ‖ s`; keys are uncompressed points.
    Sm2 = 2, "sm2";
    /// ML-DSA-44 (FIPS 204).
    MlDsa44 = 3, "ml-dsa-44";
});

impl SealSuite {
    /// Length of a public key, in bytes.
    #[must_use]
    pub const fn key_length(self) -> usize {
        match self {
            Self::Secp256k1 => 33,
            Self::Sm2 => 65,
            Self::MlDsa44 => 1_312,
        }
    }

    /// Length of a signature, in bytes.
    #[must_use]
    pub const fn signature_length(self) -> usize {
        match self {
            Self::Secp256k1 => 65,
            Self::Sm2 => 64,
            Self::MlDsa44 => 2_420,
        }
    }
}
