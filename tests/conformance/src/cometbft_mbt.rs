//! The `cometbft-mbt` suite: model-based light client tests, one light block at a time.
//!
//! A file is a chain of cases: a trusted block, then light blocks with the time at which each arrives and
//! the verdict of the model, `SUCCESS`, `NOT_ENOUGH_TRUST` or `INVALID`. A success becomes the trusted
//! block of the next case. Each block goes through the product's own decoder and predicates.
//!
//! The suite fixes its policy: a trust level of a third, and a clock drift of one second, below what a
//! profile of ours may have. Its blocks also bring the next validators, which an update of ours names
//! only when it is built upon; their hash is compared here. Its sets are listed in any order, and have
//! the order of CometBFT by definition.

use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::{Context, Result, anyhow};
use serde_json::Value;
use std::fmt;
use zeugma_adapter_cometbft::testnet::json::{self, Unreadable};
use zeugma_adapter_cometbft::validators::ValidatorSet;
use zeugma_adapter_cometbft::{Rules, State, TrustLevel, Update, merkle, verify};
use zeugma_types::{BlockTime, Code, Decode, Encode, Refusal, Span};

/// Single-step tests in the layout of tendermint-rs's `light-client/tests/support/model_based`.
pub(crate) struct CometbftMbt;

impl Suite for CometbftMbt {
    fn name(&self) -> &'static str {
        "cometbft-mbt"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        match Chain::read(&file.bytes) {
            Ok(chain) => chain.run(&file.name, report),
            Err(why) => report.unknown(&file.name, &format!("{why:#}")),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Success,
    NotEnoughTrust,
    Invalid,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "SUCCESS",
            Self::NotEnoughTrust => "NOT_ENOUGH_TRUST",
            Self::Invalid => "INVALID",
        })
    }
}

impl Verdict {
    fn read(value: &Value) -> Result<Self> {
        match value.as_str() {
            Some("SUCCESS") => Ok(Self::Success),
            Some("NOT_ENOUGH_TRUST") => Ok(Self::NotEnoughTrust),
            Some("INVALID") => Ok(Self::Invalid),
            _ => Err(anyhow!("verdict {value}")),
        }
    }

    fn of(refusal: &Refusal) -> Self {
        if refusal.code == Code::TrustTooThin { Self::NotEnoughTrust } else { Self::Invalid }
    }
}

struct Chain {
    rules: Rules,
    state: State,
    next: ValidatorSet,
    input: Vec<Value>,
}

impl Chain {
    fn read(bytes: &[u8]) -> Result<Self> {
        let file: Value = serde_json::from_slice(bytes).context("not JSON")?;
        let initial = &file["initial"];
        let period: u64 =
            initial["trusting_period"].as_str().unwrap_or_default().parse().context("no period")?;
        let header = json::header(&initial["signed_header"]["header"]).map_err(in_words)?;
        Ok(Self {
            rules: Rules {
                chain_id: header.chain_id.clone(),
                trust_level: TrustLevel::ONE_THIRD,
                // In nanoseconds.
                trusting_period: Span::millis(period / 1_000_000),
                max_drift: Span::seconds(1),
            },
            state: State::of(&header),
            next: json::validator_set(&initial["next_validator_set"]["validators"]).map_err(in_words)?,
            input: file["input"].as_array().context("no input")?.clone(),
        })
    }

    fn run(mut self, name: &str, report: &mut Report<'_>) -> Result<()> {
        report.policy("clock drift 1 s and trust level 1/3, as the suite sets them")?;
        for (index, case) in std::mem::take(&mut self.input).iter().enumerate() {
            let name = format!("{name}#{index}");
            match self.step(case) {
                Ok((expected, got, why)) => {
                    let got_in_words = why.map_or_else(|| got.to_string(), |why| format!("{got} ({why})"));
                    report.verdict(&name, expected == got, &expected, &got_in_words)?;
                }
                Err(why) => report.unknown(&name, &format!("{why:#}"))?,
            }
        }
        Ok(())
    }

    fn step(&mut self, case: &Value) -> Result<(Verdict, Verdict, Option<Refusal>)> {
        let expected = Verdict::read(&case["verdict"])?;
        let now = json::time(case["now"].as_str().context("no time")?).map_err(in_words)?.millis();
        match self.verify(&case["block"], now) {
            Ok((state, next)) => {
                (self.state, self.next) = (state, next);
                Ok((expected, Verdict::Success, None))
            }
            Err(Unreadable::Refused(refusal)) => Ok((expected, Verdict::of(&refusal), Some(refusal))),
            Err(unreadable) => Err(in_words(unreadable)),
        }
    }

    fn verify(&self, block: &Value, now: BlockTime) -> Result<(State, ValidatorSet), Unreadable> {
        let signed = json::signed_header(&block["signed_header"])?;
        let validators = json::validator_set(&block["validator_set"]["validators"])?;
        // The model lets the last block announce nobody; nothing can be built on it then.
        let next = json::validators(&block["next_validator_set"]["validators"])?;
        let next = if next.is_empty() { Err(Code::EmptySet) } else { Ok(ValidatorSet::sorted(next)?) };
        let found = next.as_ref().map_or_else(|_| merkle::root::<[u8; 0]>(&[]), ValidatorSet::hash);
        let announced = signed.header.next_validators_hash;
        if found != announced {
            return Err(Refusal::new(Code::WrongNextMembers).needed(announced).found(found).into());
        }
        let update = Update::new(self.state.height, signed, validators, self.next.clone());
        let state = verify::update(&self.rules, &self.state, &Update::from_bytes(&update.to_bytes())?, now)?;
        Ok((state, next.map_err(Refusal::new)?))
    }
}

fn in_words(unreadable: Unreadable) -> anyhow::Error {
    match unreadable {
        Unreadable::Layout(what) => anyhow!("unreadable {what}"),
        Unreadable::Refused(refusal) => anyhow!("{refusal}"),
    }
}
