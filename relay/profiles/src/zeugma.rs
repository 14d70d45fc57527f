//! Profiles of Zeugma chains.

use crate::error::Error;
use crate::keys::Keys;
use toml::Value;
use zeugma_adapter_zeugma::Profile;
use zeugma_types::{NetworkId, Span};

const NETWORK: &str = "network";
const TRUSTING: &str = "trusting_period_seconds";
const DRIFT: &str = "max_drift_seconds";

const DIGITS: &str = "the 64 hex digits of the followed network, not all zero";

pub(crate) fn read(keys: &mut Keys, known: Option<NetworkId>) -> Result<Profile, Error> {
    let network = match (keys.optional(NETWORK), known) {
        (None, Some(known)) => known,
        (None, None) => {
            return Err(Error::Missing { key: NETWORK, needed: format!("{DIGITS}, or its trust file") });
        }
        (Some(typed), known) => {
            let typed = digits(&typed).ok_or_else(|| Error::value(NETWORK, &typed, DIGITS))?;
            match known.filter(|known| *known != typed) {
                None => typed,
                Some(known) => {
                    let needed = format!("the network of the trust file, {known}");
                    return Err(Error::value(NETWORK, typed, needed));
                }
            }
        }
    };
    let trusting_period = span(keys, TRUSTING, Profile::TRUSTING)?;
    let drift = span(keys, DRIFT, Profile::DRIFT)?;
    Ok(Profile { network, trusting_period, drift })
}

fn digits(value: &Value) -> Option<NetworkId> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(value.as_str()?, &mut bytes).ok()?;
    (bytes != [0; 32]).then_some(NetworkId::new(bytes))
}

fn span(keys: &mut Keys, key: &'static str, [shortest, longest]: [Span; 2]) -> Result<Span, Error> {
    let (least, most) = (shortest.get() / 1_000, longest.get() / 1_000);
    let seconds = keys.number(key, "whole seconds")?;
    if !(least..=most).contains(&seconds) {
        return Err(Error::value(key, seconds, format!("{least} to {most}")));
    }
    Ok(Span::seconds(seconds))
}
