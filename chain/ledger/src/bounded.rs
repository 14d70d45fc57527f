//! Values whose bound is part of their type, in the canonical encoding.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeugma_types::codec::{put_bytes, put_list, put_option};
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

/// At most `MAX` bytes.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> Bytes<MAX> {
    /// # Errors
    /// [`Code::TooLong`].
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, Refusal> {
        let bytes = bytes.into();
        if bytes.len() > MAX {
            return Err(Refusal::new(Code::TooLong).needed(MAX).found(bytes.len()));
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, given away.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl<const MAX: usize> fmt::Debug for Bytes<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const MAX: usize> Encode for Bytes<MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, &self.0);
    }
}

impl<const MAX: usize> Decode for Bytes<MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.bytes(MAX).map(|bytes| Self(bytes.into()))
    }
}

/// Text of 1 to `MAX` bytes without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// # Errors
    /// [`Code::Empty`], [`Code::TooLong`], [`Code::BadText`] for a control character.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::new(Code::Empty).needed(1_u64).found(0_u64));
        }
        if text.len() > MAX {
            return Err(Refusal::new(Code::TooLong).needed(MAX).found(text.len()));
        }
        if text.chars().any(char::is_control) {
            return Err(Refusal::new(Code::BadText).needed("no control character"));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> Encode for Text<MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.0.as_bytes());
    }
}

impl<const MAX: usize> Decode for Text<MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let bytes = reader.bytes(MAX)?;
        Self::new(core::str::from_utf8(bytes).map_err(|_| Refusal::new(Code::BadText))?)
    }
}

/// At most `MAX` items, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// # Errors
    /// [`Code::TooMany`].
    pub fn new(items: Vec<T>) -> Result<Self, Refusal> {
        if items.len() > MAX {
            return Err(Refusal::new(Code::TooMany).needed(MAX).found(items.len()));
        }
        Ok(Self(items))
    }

    /// The items.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// The items, given away.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }

    /// The items in order.
    pub fn iter(&self) -> core::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, T, const MAX: usize> IntoIterator for &'a List<T, MAX> {
    type Item = &'a T;
    type IntoIter = core::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Encode, const MAX: usize> Encode for List<T, MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_list(out, &self.0, |out, item| item.encode(out));
    }
}

impl<T: Decode, const MAX: usize> Decode for List<T, MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.list(MAX, T::decode).map(Self)
    }
}

/// A value that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

impl<T> Maybe<T> {
    /// The value, if it is there.
    #[must_use]
    pub const fn as_ref(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T: Encode> Encode for Maybe<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        put_option(out, self.0.as_ref(), |out, value| value.encode(out));
    }
}

impl<T: Decode> Decode for Maybe<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.option(T::decode).map(Self)
    }
}

/// A struct whose encoding is its fields in order.
macro_rules! record {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl ::zeugma_types::Encode for $name {
            fn encode(&self, out: &mut ::alloc::vec::Vec<u8>) {
                $(::zeugma_types::Encode::encode(&self.$field, out);)*
            }
        }

        impl ::zeugma_types::Decode for $name {
            fn decode(
                reader: &mut ::zeugma_types::Reader<'_>,
            ) -> Result<Self, ::zeugma_types::Refusal> {
                Ok(Self { $($field: ::zeugma_types::Decode::decode(reader)?,)* })
            }
        }
    )*};
}

/// A choice without contents whose encoding is its number, one byte.
macro_rules! numbered {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $number:literal, $text:literal;)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$variant_meta])* $variant = $number,)*
        }

        impl $name {
            /// Every one, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number in encodings.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The name in words, JSON and metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The one of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl ::zeugma_types::Encode for $name {
            fn encode(&self, out: &mut ::alloc::vec::Vec<u8>) {
                out.push(self.number());
            }
        }

        impl ::zeugma_types::Decode for $name {
            fn decode(
                reader: &mut ::zeugma_types::Reader<'_>,
            ) -> Result<Self, ::zeugma_types::Refusal> {
                let number = reader.u8()?;
                Self::ALL.iter().copied().find(|one| one.number() == number).ok_or_else(|| {
                    ::zeugma_types::Refusal::new(::zeugma_types::Code::UnknownTag).found(number)
                })
            }
        }
    };
}

/// A choice whose encoding is its tag, one byte, then the record it holds.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident($type:ty) = $tag:literal, $text:literal;)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_meta])* $variant($type),)*
        }

        impl $name {
            /// The name of every choice, by number.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// The name in words, JSON and metrics.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $text,)*
                }
            }
        }

        impl ::zeugma_types::Encode for $name {
            fn encode(&self, out: &mut ::alloc::vec::Vec<u8>) {
                match self {
                    $(Self::$variant(record) => {
                        out.push($tag);
                        ::zeugma_types::Encode::encode(record, out);
                    })*
                }
            }
        }

        impl ::zeugma_types::Decode for $name {
            fn decode(
                reader: &mut ::zeugma_types::Reader<'_>,
            ) -> Result<Self, ::zeugma_types::Refusal> {
                match reader.u8()? {
                    $($tag => ::zeugma_types::Decode::decode(reader).map(Self::$variant),)*
                    tag => Err(::zeugma_types::Refusal::new(::zeugma_types::Code::UnknownTag).found(tag)),
                }
            }
        }

        $(impl From<$type> for $name {
            fn from(record: $type) -> Self {
                Self::$variant(record)
            }
        })*
    };
}

pub(crate) use {choice, numbered, record};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_kept_when_made_and_when_read() {
        assert_eq!(Bytes::<2>::new([1, 2, 3]).unwrap_err().code, Code::TooLong);
        assert_eq!(Bytes::<2>::from_bytes(&[0, 0, 0, 3, 1, 2, 3]).unwrap_err().code, Code::TooLong);
        assert_eq!(List::<u8, 1>::new(Vec::from([1, 2])).unwrap_err().code, Code::TooMany);
        assert_eq!(List::<u8, 1>::from_bytes(&[0, 0, 0, 2, 1, 2]).unwrap_err().code, Code::TooMany);
    }

    #[test]
    fn text_is_never_empty_and_has_no_control_character() {
        assert_eq!(Text::<4>::new("").unwrap_err().code, Code::Empty);
        assert_eq!(Text::<4>::new("a\nb").unwrap_err().code, Code::BadText);
        assert_eq!(Text::<4>::from_bytes(&Text::<4>::new("ab").unwrap().to_bytes()).unwrap().as_str(), "ab");
    }
}
