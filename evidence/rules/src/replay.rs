//! Replay: a recorded verdict is given again from its pack and facts, and compared byte for byte.

use crate::engine::{ENGINE, Engine};
use crate::error::Broken;
use crate::facts::Facts;
use crate::pack::Pack;
use crate::verdict::Verdict;

/// What a replay shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The same bytes.
    Same,
    /// Every finding is the same, given by another engine than the recorded one.
    OtherEngine {
        /// The engine that is recorded.
        recorded: String,
    },
    /// The recorded verdict is of another pack.
    OtherPack {
        /// The digest that is recorded.
        recorded: [u8; 32],
        /// The digest of the pack that was handed in.
        given: [u8; 32],
    },
    /// The recorded verdict is on other facts.
    OtherFacts {
        /// The digest that is recorded.
        recorded: [u8; 32],
        /// The digest of the facts that were handed in.
        given: [u8; 32],
    },
    /// The rules find otherwise than recorded.
    Differs {
        /// The first rule that does.
        rule: String,
    },
}

/// Gives the verdict again.
///
/// # Errors
/// [`Broken`] when the pack does not compile.
pub fn replay(recorded: &Verdict, pack: &Pack, facts: &Facts) -> Result<Replay, Broken> {
    let given = pack.digest();
    if recorded.pack != given {
        return Ok(Replay::OtherPack { recorded: recorded.pack, given });
    }
    if recorded.facts != facts.digest() {
        return Ok(Replay::OtherFacts { recorded: recorded.facts, given: facts.digest() });
    }
    let mut engine = Engine::new();
    let compiled = engine.compile(pack.clone())?;
    let again = engine.evaluate(&compiled, facts);
    if again.bytes() == recorded.bytes() {
        return Ok(Replay::Same);
    }
    let pairs = recorded.findings.iter().zip(&again.findings);
    let differs = pairs.filter(|(one, other)| one != other).map(|(one, _)| one.rule.clone()).next();
    if let Some(rule) = differs {
        return Ok(Replay::Differs { rule });
    }
    if recorded.findings.len() != again.findings.len() {
        return Ok(Replay::Differs { rule: "the number of findings".to_owned() });
    }
    if recorded.engine != ENGINE {
        return Ok(Replay::OtherEngine { recorded: recorded.engine.clone() });
    }
    // What is left of a verdict are the names that people read.
    Ok(Replay::Differs { rule: "the pack's name or version".to_owned() })
}
