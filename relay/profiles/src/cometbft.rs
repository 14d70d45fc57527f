//! Profiles of CometBFT chains.

use crate::error::Error;
use crate::keys::Keys;
use zeugma_adapter_cometbft::header::MAX_CHAIN_ID;
use zeugma_adapter_cometbft::profile::{MAX_DRIFT, MIN_DRIFT, Profile, Store, TrustLevel};
use zeugma_types::Span;

const CHAIN_ID: &str = "chain_id";
const TRUST_LEVEL: &str = "trust_level";
const TRUSTING: &str = "trusting_period_seconds";
const UNBONDING: &str = "unbonding_period_seconds";
const DRIFT: &str = "max_drift_seconds";
const STORE: &str = "store";

/// Longest unbonding period that a file may name, in seconds: a hundred years, so that no sum of times overflows.
const MOST_SECONDS: u64 = 100 * 366 * 86_400;

pub(crate) fn read(keys: &mut Keys) -> Result<Profile, Error> {
    let needed = format!("a chain identifier of 1 to {MAX_CHAIN_ID} visible ASCII characters");
    let chain_id = keys.text(CHAIN_ID, &needed)?;
    let visible = chain_id.bytes().all(|byte| byte.is_ascii_graphic());
    if chain_id.is_empty() || chain_id.len() > MAX_CHAIN_ID || !visible {
        return Err(Error::value(CHAIN_ID, format!("{chain_id:?}"), needed));
    }

    let needed = "numerator and denominator of a part from [1, 3] to [1, 1]";
    let [numerator, denominator] = keys.pair(TRUST_LEVEL, needed)?;
    let trust_level = TrustLevel::new(numerator, denominator)
        .map_err(|_| Error::value(TRUST_LEVEL, format!("[{numerator}, {denominator}]"), needed))?;

    let unbonding = keys.number(UNBONDING, "whole seconds")?;
    if unbonding > MOST_SECONDS {
        return Err(Error::value(UNBONDING, unbonding, format!("at most {MOST_SECONDS}, a hundred years")));
    }
    let trusting = keys.number(TRUSTING, "whole seconds")?;
    let most = unbonding * 2 / 3;
    if trusting == 0 || trusting > most {
        let needed = format!("1 to {most}, two thirds of `{UNBONDING}` = {unbonding}");
        return Err(Error::value(TRUSTING, trusting, needed));
    }

    let drift = keys.number(DRIFT, "whole seconds")?;
    let (least, most) = (MIN_DRIFT.get() / 1_000, MAX_DRIFT.get() / 1_000);
    if !(least..=most).contains(&drift) {
        return Err(Error::value(DRIFT, drift, format!("{least} to {most}")));
    }
    if drift >= trusting {
        return Err(Error::value(DRIFT, drift, format!("less than `{TRUSTING}` = {trusting}")));
    }

    let needed = "\"cosmos\", \"simple\" or \"opaque\"";
    let store = match keys.text(STORE, needed)?.as_str() {
        "cosmos" => Store::Cosmos,
        "simple" => Store::Simple,
        "opaque" => Store::Opaque,
        other => return Err(Error::value(STORE, format!("{other:?}"), needed)),
    };
    Ok(Profile {
        chain_id,
        trust_level,
        trusting_period: Span::seconds(trusting),
        unbonding_period: Span::seconds(unbonding),
        max_drift: Span::seconds(drift),
        store,
    })
}
