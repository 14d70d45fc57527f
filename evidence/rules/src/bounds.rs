//! Every bound of packs, facts and evaluation.
//!
//! They are part of a verdict's meaning: a change of one needs a new [`ENGINE`](crate::ENGINE) name, since a rule
//! that stopped at the old bound may answer under the new.

/// Longest pack in its canonical encoding, in bytes.
pub(crate) const PACK: usize = 512 * 1024;
/// Most rules of a pack.
pub(crate) const RULES: usize = 256;
/// Most reasons of a rule.
pub(crate) const REASONS: usize = 64;
/// Longest identifier of a pack, rule or reason, in bytes.
pub(crate) const NAME: usize = 64;
/// Longest text in words, in bytes.
pub(crate) const TEXT: usize = 2_048;
/// Longest script of a rule, in bytes.
pub(crate) const SCRIPT: usize = 16 * 1024;
/// Most arguments of a finding.
pub(crate) const ARGUMENTS: usize = 16;

/// Longest facts in their canonical encoding, in bytes.
pub(crate) const FACTS: usize = 256 * 1024;
/// Deepest nesting of facts.
pub(crate) const FACT_DEPTH: usize = 8;
/// Most members of one map or list of facts.
pub(crate) const FACT_MEMBERS: usize = 1_024;
/// Longest text among facts, in bytes.
pub(crate) const FACT_TEXT: usize = 8 * 1024;

/// Operations of one rule, as Rhai counts them.
pub(crate) const OPERATIONS: u64 = 100_000;
/// Nested calls.
pub(crate) const CALLS: usize = 16;
/// Depth of an expression at the top and inside a function.
pub(crate) const EXPRESSION: (usize, usize) = (32, 16);
/// Longest text that a script may make, in bytes.
pub(crate) const SCRIPT_TEXT: usize = 64 * 1024;
/// Longest list and largest map that a script may make.
pub(crate) const SCRIPT_MEMBERS: usize = 1_024;
/// Variables of a script at one time.
pub(crate) const VARIABLES: usize = 64;
/// Functions of a script.
pub(crate) const FUNCTIONS: usize = 32;

/// Longest verdict in its canonical encoding, in bytes.
pub(crate) const VERDICT: usize = 512 * 1024;
