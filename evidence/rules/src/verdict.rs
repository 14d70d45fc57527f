//! A verdict: what each rule of a pack found, in one canonical encoding.
//!
//! It names the pack, the facts and the engine by their digests and name, so that it can be replayed; it holds
//! no time of its own. When it was given is told by what holds it.

use crate::bounds;
use crate::facts::Value;
use crate::pack::Head;
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{Code, Decode, Encode, Reader, Refusal};

/// The number of this encoding.
const FORMAT: u16 = 1;

/// What a rule answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// What the rule asks for is there.
    Met,
    /// The facts say that it is not so.
    NotMet,
    /// The facts do not say.
    Undetermined,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Met, Self::NotMet, Self::Undetermined];

    /// What scripts and files call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not_met",
            Self::Undetermined => "undetermined",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Met => 1,
            Self::NotMet => 2,
            Self::Undetermined => 3,
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let number = reader.u8()?;
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.number() == number)
            .ok_or(Refusal::new(Code::UnknownTag).needed(3_u64).found(number))
    }
}

/// A value that a reason's words mention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The name in the words.
    pub name: String,
    /// A flag, a number or text.
    pub value: Value,
}

/// What one rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// The head it stands under.
    pub head: Head,
    /// The answer.
    pub outcome: Outcome,
    /// The reason's id, among the rule's or among those of every pack (`engine.*`).
    pub reason: String,
    /// What the words mention, in ascending order of names.
    pub arguments: Vec<Argument>,
}

/// What a pack found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The name of the engine that gave it: see [`ENGINE`](crate::ENGINE).
    pub engine: String,
    /// The pack's name, for people.
    pub pack_name: String,
    /// The pack's version, for people.
    pub pack_version: String,
    /// The pack's digest.
    pub pack: [u8; 32],
    /// The digest of the facts.
    pub facts: [u8; 32],
    /// A finding for each rule, in the order of the pack.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The answer of one head, or `None` when no rule stands under it. One rule that is not met decides; one that
    /// is undetermined keeps the head undetermined.
    #[must_use]
    pub fn head(&self, head: Head) -> Option<Outcome> {
        let of = |outcome| self.findings.iter().any(|found| found.head == head && found.outcome == outcome);
        [Outcome::NotMet, Outcome::Undetermined, Outcome::Met].into_iter().find(|outcome| of(*outcome))
    }

    /// The JSON view.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let findings: Vec<_> = self.findings.iter().map(Finding::to_json).collect();
        let heads: serde_json::Map<_, _> = Head::ALL
            .into_iter()
            .map(|head| (head.name().to_owned(), self.head(head).map(Outcome::name).into()))
            .collect();
        serde_json::json!({
            "engine": self.engine,
            "pack": { "name": self.pack_name, "version": self.pack_version, "digest": hex::encode(self.pack) },
            "facts": hex::encode(self.facts),
            "heads": heads,
            "findings": findings,
        })
    }
}

impl Finding {
    /// The JSON view.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let arguments: serde_json::Map<_, _> =
            self.arguments.iter().map(|argument| (argument.name.clone(), argument.value.to_json())).collect();
        serde_json::json!({
            "rule": self.rule,
            "head": self.head.name(),
            "outcome": self.outcome.name(),
            "reason": self.reason,
            "arguments": arguments,
        })
    }
}

impl Encode for Finding {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.rule.as_bytes());
        out.extend([self.head.number(), self.outcome.number()]);
        put_bytes(out, self.reason.as_bytes());
        put_list(out, &self.arguments, |out, argument| {
            put_bytes(out, argument.name.as_bytes());
            argument.value.encode(out);
        });
    }
}

impl Decode for Finding {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let finding = Self {
            rule: reader.text(bounds::NAME)?,
            head: Head::read(reader)?,
            outcome: Outcome::read(reader)?,
            reason: reader.text(bounds::NAME)?,
            arguments: reader.list(bounds::ARGUMENTS, |reader| {
                Ok(Argument { name: reader.text(bounds::NAME)?, value: Value::read_plain(reader)? })
            })?,
        };
        if finding.arguments.windows(2).any(|pair| pair[0].name >= pair[1].name) {
            return Err(Refusal::new(Code::NotSorted));
        }
        Ok(finding)
    }
}

impl Encode for Verdict {
    fn encode(&self, out: &mut Vec<u8>) {
        FORMAT.encode(out);
        put_bytes(out, self.engine.as_bytes());
        put_bytes(out, self.pack_name.as_bytes());
        put_bytes(out, self.pack_version.as_bytes());
        out.extend(self.pack);
        out.extend(self.facts);
        put_list(out, &self.findings, |out, finding| finding.encode(out));
    }
}

impl Decode for Verdict {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        if reader.remaining() > bounds::VERDICT {
            return Err(Refusal::new(Code::TooLong).needed(bounds::VERDICT).found(reader.remaining()));
        }
        let format = reader.u16()?;
        if format != FORMAT {
            return Err(Refusal::new(Code::UnknownTag).needed(FORMAT).found(format));
        }
        Ok(Self {
            engine: reader.text(bounds::NAME)?,
            pack_name: reader.text(bounds::NAME)?,
            pack_version: reader.text(bounds::NAME)?,
            pack: reader.array()?,
            facts: reader.array()?,
            findings: reader.list(bounds::RULES, Finding::decode)?,
        })
    }
}
