//! Profiles of Ethereum chains.

use crate::error::Error;
use crate::keys::{Keys, hex_bytes, whole};
use toml::Value;
use zeugma_adapter_ethereum::Profile;
use zeugma_adapter_ethereum::fork::{Activation, Chain, Fork};
use zeugma_adapter_ethereum::profile::{MAX_DRIFT, MIN_DRIFT};
use zeugma_types::{BlockTime, Span};

const ROOT: &str = "genesis_validators_root";
const GENESIS: &str = "genesis_time";
const SLOT: &str = "slot_milliseconds";
const SLOTS: &str = "slots_per_epoch";
const EPOCHS: &str = "epochs_per_period";
const SEATS: &str = "committee_size";
const FORKS: &str = "forks";
const ROUTER: &str = "router";
const COMMITMENTS: &str = "commitments_slot";
const TRUSTING: &str = "trusting_period_seconds";
const SUBJECTIVE: &str = "weak_subjectivity_period_seconds";
const DRIFT: &str = "max_drift_seconds";

/// Latest time and longest span that a file may name, in seconds: ten thousand years, so that no sum overflows.
const MOST_SECONDS: u64 = 10_000 * 366 * 86_400;
/// Longest slot, in milliseconds: an hour.
const MOST_SLOT: u64 = 3_600_000;

pub(crate) fn read(keys: &mut Keys) -> Result<Profile, Error> {
    let chain = chain(keys)?;
    let router = keys.bytes(ROUTER, "an address: 0x and 40 hex digits, not all zero")?;
    if router == [0; 20] {
        return Err(Error::value(ROUTER, "the zero address", "the address of the deployed router"));
    }
    let commitments = keys.bytes(COMMITMENTS, "0x and the 64 hex digits of a storage slot")?;
    let subjective = seconds(keys, SUBJECTIVE)?;
    let trusting = seconds(keys, TRUSTING)?;
    let most = subjective * 2 / 3;
    if trusting == 0 || trusting > most {
        let needed = format!("1 to {most}, two thirds of `{SUBJECTIVE}` = {subjective}");
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
    Ok(Profile {
        chain,
        router,
        commitments,
        trusting_period: Span::seconds(trusting),
        weak_subjectivity_period: Span::seconds(subjective),
        max_drift: Span::seconds(drift),
    })
}

fn chain(keys: &mut Keys) -> Result<Chain, Error> {
    let needed = "0x and 64 hex digits, not all zero";
    let genesis_validators_root = keys.bytes(ROOT, needed)?;
    if genesis_validators_root == [0; 32] {
        return Err(Error::value(ROOT, "zero", needed));
    }
    let genesis_time = BlockTime::new(seconds(keys, GENESIS)? * 1_000);
    let slot = keys.number(SLOT, "whole milliseconds")?;
    if !(1..=MOST_SLOT).contains(&slot) {
        return Err(Error::value(SLOT, slot, format!("1 to {MOST_SLOT}")));
    }
    let slots_per_epoch = count(keys, SLOTS)?;
    let epochs_per_period = count(keys, EPOCHS)?;
    let seats = count(keys, SEATS)?;
    if !seats.is_power_of_two() || !(32..=512).contains(&seats) {
        return Err(Error::value(SEATS, seats, "a power of two from 32 to 512"));
    }
    Ok(Chain {
        genesis_validators_root,
        genesis_time,
        slot_time: Span::millis(slot),
        slots_per_epoch,
        epochs_per_period,
        committee_size: seats,
        forks: forks(keys)?,
    })
}

/// The forks, each later than the one before it and under a version of its own.
fn forks(keys: &mut Keys) -> Result<Vec<Activation>, Error> {
    let needed = "a list of { name, version, epoch }, from \"altair\" on";
    let list = match keys.list(FORKS, needed)? {
        list if list.is_empty() || list.len() > Fork::ALL.len() => {
            return Err(Error::value(FORKS, format!("{} entries", list.len()), needed));
        }
        list => list,
    };
    let mut forks: Vec<Activation> = Vec::with_capacity(list.len());
    for value in list {
        let fork = activation(&value).ok_or_else(|| {
            let names = Fork::ALL.map(Fork::name).join(", ");
            Error::value(
                FORKS,
                &value,
                format!("exactly name, version of 0x and 8 hex digits, and epoch; the names are {names}"),
            )
        })?;
        if let Some(last) = forks.last() {
            let grows = last.fork < fork.fork && last.epoch <= fork.epoch && last.version != fork.version;
            if !grows {
                return Err(Error::value(
                    FORKS,
                    &value,
                    format!(
                        "after \"{}\" of epoch {} a later fork at no earlier epoch, with another version",
                        last.fork.name(),
                        last.epoch
                    ),
                ));
            }
        }
        forks.push(fork);
    }
    Ok(forks)
}

fn activation(value: &Value) -> Option<Activation> {
    let table = value.as_table().filter(|table| table.len() == 3)?;
    Some(Activation {
        fork: Fork::named(table.get("name")?.as_str()?)?,
        version: hex_bytes(table.get("version")?)?,
        epoch: whole(table.get("epoch")?)?,
    })
}

fn seconds(keys: &mut Keys, key: &'static str) -> Result<u64, Error> {
    let found = keys.number(key, "whole seconds")?;
    if found > MOST_SECONDS {
        return Err(Error::value(key, found, format!("at most {MOST_SECONDS}, ten thousand years")));
    }
    Ok(found)
}

fn count(keys: &mut Keys, key: &'static str) -> Result<u32, Error> {
    let needed = "a whole number from 1 to 4294967295";
    let found = keys.number(key, needed)?;
    let small = u32::try_from(found).ok().filter(|count| *count > 0);
    small.ok_or_else(|| Error::value(key, found, needed))
}
