//! A client's profile as a person types it, in TOML, and as the state holds it.
//!
//! What the chain keeps is the canonical body of `CreateClient`; a file only becomes one here. The reading is strict:
//!
//! 1. An unknown key, a missing one and one of another type are refused.
//! 2. Every relation that the family asks of a profile is checked and told in the words of the file, with the key and
//!    both values; the family's own check has the last word.
//!
//! The files that people start from are in `adapters/profiles`; [`SHIPPED`] has them by name.
//!
//! ```
//! let text = zeugma_profiles::shipped("cosmoshub-4").expect("it is shipped");
//! let profile = zeugma_profiles::parse(text, None)?;
//! assert_eq!((profile.family(), profile.family_name()), (1, "cometbft"));
//! assert_eq!(profile.follows(), "cosmoshub-4");
//! # Ok::<(), zeugma_profiles::Error>(())
//! ```
#![forbid(unsafe_code)]

mod cometbft;
mod error;
mod ethereum;
mod keys;
mod zeugma;

pub use error::Error;

use keys::Keys;
use std::io::Read as _;
use std::path::Path;
use zeugma_adapter_cometbft::CometBft;
use zeugma_adapter_core::Family;
use zeugma_adapter_ethereum::Ethereum;
use zeugma_adapter_zeugma::Zeugma;
use zeugma_types::{Encode as _, NetworkId, Refusal};

/// Longest file, in bytes.
pub const MAX_FILE: u64 = 64 * 1024;

/// The profiles that come with the program, by name.
pub const SHIPPED: [(&str, &str); 7] = [
    ("cosmoshub-4", include_str!("../../../adapters/profiles/cosmoshub-4.toml")),
    ("local-cometbft", include_str!("../../../adapters/profiles/local-cometbft.toml")),
    ("ethereum-mainnet", include_str!("../../../adapters/profiles/ethereum-mainnet.toml")),
    ("local-ethereum", include_str!("../../../adapters/profiles/local-ethereum.toml")),
    ("local-simd", include_str!("../../../adapters/profiles/local-simd.toml")),
    ("local-zeugma", include_str!("../../../adapters/profiles/local-zeugma.toml")),
    ("osmosis-1", include_str!("../../../adapters/profiles/osmosis-1.toml")),
];

const FAMILIES: &str = "\"cometbft\", \"ethereum\" or \"zeugma\"";

/// A checked profile of one of the families.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Of a CometBFT chain.
    CometBft(zeugma_adapter_cometbft::Profile),
    /// Of an Ethereum chain.
    Ethereum(zeugma_adapter_ethereum::Profile),
    /// Of a Zeugma chain.
    Zeugma(zeugma_adapter_zeugma::Profile),
}

impl Profile {
    /// The family's number, as `CreateClient` carries it.
    #[must_use]
    pub const fn family(&self) -> u16 {
        match self {
            Self::CometBft(_) => CometBft::NUMBER,
            Self::Ethereum(_) => Ethereum::NUMBER,
            Self::Zeugma(_) => Zeugma::NUMBER,
        }
    }

    /// The family's name, as the file has it.
    #[must_use]
    pub const fn family_name(&self) -> &'static str {
        match self {
            Self::CometBft(_) => CometBft::NAME,
            Self::Ethereum(_) => Ethereum::NAME,
            Self::Zeugma(_) => Zeugma::NAME,
        }
    }

    /// The chain that is followed: its identifier, `0x` and the 64 hex digits of its genesis validators root, or the
    /// 64 hex digits of its network.
    #[must_use]
    pub fn follows(&self) -> String {
        match self {
            Self::CometBft(profile) => profile.chain_id.clone(),
            Self::Ethereum(profile) => {
                format!("0x{}", hex::encode(profile.chain.genesis_validators_root))
            }
            Self::Zeugma(profile) => profile.network.to_string(),
        }
    }

    /// The canonical body of `CreateClient`: `profile` of that message.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        match self {
            Self::CometBft(profile) => profile.to_bytes(),
            Self::Ethereum(profile) => profile.to_bytes(),
            Self::Zeugma(profile) => profile.to_bytes(),
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        match self {
            Self::CometBft(profile) => CometBft::check_profile(profile),
            Self::Ethereum(profile) => Ethereum::check_profile(profile),
            Self::Zeugma(profile) => Zeugma::check_profile(profile),
        }
    }
}

/// The text of a profile that comes with the program.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
}

/// Reads and checks a profile.
///
/// A profile of a Zeugma chain may leave out `network` where the caller knows it, from a trust file; named in both, it
/// must be the same.
///
/// # Errors
/// [`Error`], which names the key and both values.
pub fn parse(text: &str, network: Option<NetworkId>) -> Result<Profile, Error> {
    let mut keys = Keys::of(text)?;
    let family = keys.text("family", FAMILIES)?;
    let profile = match family.as_str() {
        CometBft::NAME => Profile::CometBft(cometbft::read(&mut keys)?),
        Ethereum::NAME => Profile::Ethereum(ethereum::read(&mut keys)?),
        Zeugma::NAME => Profile::Zeugma(zeugma::read(&mut keys, network)?),
        other => return Err(Error::value("family", format!("{other:?}"), FAMILIES)),
    };
    keys.finish()?;
    profile.check().map_err(Error::Refused)?;
    Ok(profile)
}

/// Reads and checks a file.
///
/// # Errors
/// [`Error::Unreadable`]; as [`parse`].
pub fn read(path: &Path, network: Option<NetworkId>) -> Result<Profile, Error> {
    let unreadable = |why: String| Error::Unreadable { path: path.to_owned(), why };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|why| unreadable(why.to_string()))?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|why| unreadable(why.to_string()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(unreadable(format!("more than the {MAX_FILE} bytes that a profile has at most")));
    }
    parse(&text, network)
}
