//! What a rule pack found of an entry, signed by the service that ran it.
//!
//! The statement is the encoding of a verdict as the rules engine writes it: it names the pack, the facts and
//! the engine by their digests, so that it can be replayed. Only its findings are read here.

use alloc::string::String;
use alloc::vec::Vec;
use zeugma_crypto::ed25519::{PublicKey, Rule};
use zeugma_crypto::hash::framed;
use zeugma_types::codec::put_bytes;
use zeugma_types::{BlockTime, Code, Decode, Encode, Purpose, Reader, Refusal};

/// Longest statement, in bytes.
const MAX_STATEMENT: usize = 512 * 1024;
/// Most findings of one statement, and most arguments of a finding.
const MAX_FINDINGS: usize = 256;
const MAX_ARGUMENTS: usize = 16;
/// Longest name, in bytes, and longest text that a finding mentions.
const MAX_NAME: usize = 64;
const MAX_TEXT: usize = 8 * 1024;

/// A verdict and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleVerdict {
    /// When it was given, as the service says.
    pub at: BlockTime,
    /// The verdict as the rules engine wrote it.
    pub statement: Vec<u8>,
    /// The service's signature over [`RuleVerdict::signed`].
    pub signature: [u8; 64],
}

/// The three heads under which a court weighs evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Head {
    /// Is it what it is said to be?
    Authenticity = 1,
    /// Was it come by in a lawful form?
    Legality = 2,
    /// Does it bear on a fact in issue?
    Relevance = 3,
}

/// What a rule answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// What it asks for is there.
    Met = 1,
    /// The facts say that it is not so.
    NotMet = 2,
    /// The facts do not say.
    Undetermined = 3,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFinding {
    /// The rule.
    pub rule: String,
    /// Its head.
    pub head: Head,
    /// Its answer.
    pub outcome: Outcome,
    /// The reason, by its name in the pack.
    pub reason: String,
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The engine.
    pub engine: String,
    /// Name of the pack.
    pub pack: String,
    /// Its version.
    pub version: String,
    /// Its digest.
    pub pack_digest: [u8; 32],
    /// Digest of the facts.
    pub facts: [u8; 32],
    /// What each rule found.
    pub findings: Vec<RuleFinding>,
}

impl RuleVerdict {
    /// The bytes that are signed, framed by [`Purpose::RuleVerdict`].
    #[must_use]
    pub fn signed(&self, entry: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, entry);
        self.at.encode(&mut bytes);
        put_bytes(&mut bytes, &self.statement);
        bytes
    }

    /// Checks that `key` signed this verdict of `entry`, and reads it.
    ///
    /// # Errors
    /// [`Code::BadKey`], [`Code::BadSignature`], and the refusals of the statement's encoding.
    pub fn verify(&self, entry: &[u8], key: &[u8; 32]) -> Result<Statement, Refusal> {
        let digest = framed(Purpose::RuleVerdict, &[&self.signed(entry)]);
        PublicKey::parse_strict(key)?.verify(Rule::Strict, &digest, &self.signature)?;
        Statement::from_bytes(&self.statement)
    }
}

impl Encode for RuleVerdict {
    fn encode(&self, out: &mut Vec<u8>) {
        self.at.encode(out);
        put_bytes(out, &self.statement);
        self.signature.encode(out);
    }
}

impl Decode for RuleVerdict {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            at: BlockTime::decode(reader)?,
            statement: reader.bytes(MAX_STATEMENT)?.to_vec(),
            signature: reader.array()?,
        })
    }
}

impl Decode for Statement {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let format = reader.u16()?;
        if format != 1 {
            return Err(Refusal::new(Code::UnknownTag).needed(1_u64).found(format));
        }
        Ok(Self {
            engine: reader.text(MAX_NAME)?,
            pack: reader.text(MAX_NAME)?,
            version: reader.text(MAX_NAME)?,
            pack_digest: reader.array()?,
            facts: reader.array()?,
            findings: reader.list(MAX_FINDINGS, finding)?,
        })
    }
}

fn finding(reader: &mut Reader<'_>) -> Result<RuleFinding, Refusal> {
    let unknown = |number: u8| Err(Refusal::new(Code::UnknownTag).needed(3_u64).found(number));
    let rule = reader.text(MAX_NAME)?;
    let head = match reader.u8()? {
        1 => Head::Authenticity,
        2 => Head::Legality,
        3 => Head::Relevance,
        other => return unknown(other),
    };
    let outcome = match reader.u8()? {
        1 => Outcome::Met,
        2 => Outcome::NotMet,
        3 => Outcome::Undetermined,
        other => return unknown(other),
    };
    let reason = reader.text(MAX_NAME)?;
    reader.list(MAX_ARGUMENTS, argument)?;
    Ok(RuleFinding { rule, head, outcome, reason })
}

/// A name and a flag, a number or text: what the words of a reason mention. Read, and passed over.
fn argument(reader: &mut Reader<'_>) -> Result<(), Refusal> {
    reader.text(MAX_NAME)?;
    match reader.u8()? {
        0 => match reader.u8()? {
            0 | 1 => Ok(()),
            other => Err(Refusal::new(Code::UnknownTag).needed(1_u64).found(other)),
        },
        1 => reader.u64().map(|_| ()),
        2 => reader.text(MAX_TEXT).map(|_| ()),
        other => Err(Refusal::new(Code::UnknownTag).needed(2_u64).found(other)),
    }
}
