//! What an asset is called: the way it came, then its name where it is at home.
//!
//! `transfer/zeugma-3/transfer/07-tendermint-1/uatom` came to us through our client `zeugma-3`; that chain
//! had it from its own client `07-tendermint-1`; there it is `uatom`. An asset goes home when it leaves through
//! the client that stands first. No asset is at home here.
//!
//! Source: ICS-20, "Technical Specification", under IBC v2, where a client stands for the channel.

use super::PORT;
use crate::bounded::Text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::hash::sha256;
use zeugma_types::{ClientId, Code, Decode, Encode, Reader, Refusal};

/// Longest name, in bytes: four hops and a home name of 128 fit.
pub const MAX_DENOM: usize = 512;

/// An asset's name: 1 to [`MAX_DENOM`] visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denom(Text<MAX_DENOM>);

impl Denom {
    /// # Errors
    /// [`Code::Empty`], [`Code::TooLong`], [`Code::BadIdentifier`].
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let denom = Text::new(text)?;
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::new(Code::BadIdentifier).needed("visible ASCII characters"));
        }
        Ok(Self(denom))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name here of what another chain calls `self`, and that came through our `client`.
    ///
    /// # Errors
    /// [`Code::TooLong`].
    pub fn through(&self, client: &ClientId) -> Result<Self, Refusal> {
        Self::new(&format!("{}{}", prefix(PORT, client), self.as_str()))
    }

    /// The rest of the name, if it begins with that port and client.
    #[must_use]
    pub fn without(&self, port: &str, client: &ClientId) -> Option<Self> {
        self.as_str().strip_prefix(prefix(port, client).as_str()).and_then(|rest| Self::new(rest).ok())
    }

    /// Whether it leaves for home when it leaves through our `client`.
    #[must_use]
    pub fn is_home_at(&self, client: &ClientId) -> bool {
        self.without(PORT, client).is_some()
    }

    /// SHA-256 of the text, by which records are found.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(&[self.as_str().as_bytes()])
    }
}

fn prefix(port: &str, client: &ClientId) -> String {
    format!("{port}/{client}/")
}

impl Encode for Denom {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Decode for Denom {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Self::new(Text::<MAX_DENOM>::decode(reader)?.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: &str) -> ClientId {
        ClientId::new(name).unwrap()
    }

    #[test]
    fn a_name_grows_by_the_client_it_comes_through_and_shrinks_on_its_way_home() {
        let home = Denom::new("uatom").unwrap();
        let here = home.through(&client("test-0")).unwrap();
        assert_eq!(here.as_str(), "transfer/test-0/uatom");
        assert!(here.is_home_at(&client("test-0")) && !here.is_home_at(&client("test-1")));
        assert_eq!(here.without("transfer", &client("test-0")), Some(home));
        assert_eq!(here.without("other", &client("test-0")), None);
    }

    #[test]
    fn a_client_whose_name_begins_another_is_not_taken_for_it() {
        let here = Denom::new("transfer/test-10/x").unwrap();
        assert!(!here.is_home_at(&client("test-1")));
        assert_eq!(Denom::new("transfer/test-1/").unwrap().without("transfer", &client("test-1")), None);
    }

    #[test]
    fn a_name_is_visible_and_bounded() {
        for (text, code) in [
            (String::new(), Code::Empty),
            ("a b".into(), Code::BadIdentifier),
            ("\u{e9}".into(), Code::BadIdentifier),
            ("a\n".into(), Code::BadText),
            ("x".repeat(MAX_DENOM + 1), Code::TooLong),
        ] {
            assert_eq!(Denom::new(&text).unwrap_err().code, code, "{text:?}");
        }
        let longest = Denom::new(&"x".repeat(MAX_DENOM)).unwrap();
        assert_eq!(longest.through(&client("test-0")).unwrap_err().code, Code::TooLong);
    }
}
