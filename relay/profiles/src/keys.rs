//! The keys of a file, each taken once and by its type; what is left over is refused.

use crate::error::Error;
use toml::{Table, Value};

pub(crate) struct Keys {
    table: Table,
    known: Vec<&'static str>,
}

impl Keys {
    pub(crate) fn of(text: &str) -> Result<Self, Error> {
        let table: Table = text.parse().map_err(|why: toml::de::Error| Error::Syntax(why.to_string()))?;
        Ok(Self { table, known: Vec::new() })
    }

    /// The value of a key that may be left out.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.table.remove(key)
    }

    fn take(&mut self, key: &'static str, needed: &str) -> Result<Value, Error> {
        self.optional(key).ok_or_else(|| Error::Missing { key, needed: needed.to_owned() })
    }

    pub(crate) fn text(&mut self, key: &'static str, needed: &str) -> Result<String, Error> {
        match self.take(key, needed)? {
            Value::String(text) => Ok(text),
            other => Err(Error::value(key, other, needed)),
        }
    }

    /// A whole number, not below zero.
    pub(crate) fn number(&mut self, key: &'static str, needed: &str) -> Result<u64, Error> {
        let value = self.take(key, needed)?;
        whole(&value).ok_or_else(|| Error::value(key, value, needed))
    }

    /// Two whole numbers of 32 bits.
    pub(crate) fn pair(&mut self, key: &'static str, needed: &str) -> Result<[u32; 2], Error> {
        let value = self.take(key, needed)?;
        let small = |value: &Value| whole(value).and_then(|number| u32::try_from(number).ok());
        let pair = value.as_array().and_then(|list| match list.as_slice() {
            [one, two] => Some([small(one)?, small(two)?]),
            _ => None,
        });
        pair.ok_or_else(|| Error::value(key, value, needed))
    }

    /// `0x` and the hex digits of exactly so many bytes.
    pub(crate) fn bytes<const N: usize>(
        &mut self,
        key: &'static str,
        needed: &str,
    ) -> Result<[u8; N], Error> {
        let value = self.take(key, needed)?;
        hex_bytes(&value).ok_or_else(|| Error::value(key, value, needed))
    }

    pub(crate) fn list(&mut self, key: &'static str, needed: &str) -> Result<Vec<Value>, Error> {
        match self.take(key, needed)? {
            Value::Array(list) => Ok(list),
            other => Err(Error::value(key, other, needed)),
        }
    }

    /// Nothing is left over.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.table.into_iter().next() {
            None => Ok(()),
            Some((key, _)) => Err(Error::UnknownKey { key, known: self.known.join(", ") }),
        }
    }
}

/// See [`Keys::bytes`].
pub(crate) fn hex_bytes<const N: usize>(value: &Value) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(value.as_str()?.strip_prefix("0x")?, &mut bytes).ok()?;
    Some(bytes)
}

pub(crate) fn whole(value: &Value) -> Option<u64> {
    value.as_integer().and_then(|number| u64::try_from(number).ok())
}
