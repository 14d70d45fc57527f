//! Rules: what a pack of written rules finds about an exhibit, under the three heads *authenticity*, *legality*
//! and *relevance*.
//!
//! 1. A [`Pack`] holds rules. Each names the article it rests on, asks one question, and answers with one of
//!    three values and a reason in words (Chinese and English). A pack is named by its [digest](Pack::digest);
//!    the relay chain's registry says which digests are in force.
//! 2. [`Facts`] are all that a rule can see. What the verifier showed (`shown.*`) and what somebody declared
//!    (`declared.*`) are apart. No rule sees a clock, a file or a random number.
//! 3. [`Engine::evaluate`] runs every rule alone, with bounds on operations, depth and sizes, and gives a
//!    [`Verdict`]. The same pack and facts give the same bytes; [`replay`](replay::replay) checks that later.
//!    A rule that breaks a bound or fails finds *undetermined*, and says so: that is part of the verdict.
//! 4. Rhai's own bounds do not bound memory. So outside this process nothing is evaluated in it: [`Sandbox`]
//!    runs the engine in a child with a ceiling on memory, and ends it when a deadline passes. Both may only
//!    abort: there is no verdict then.
//!
//! Sources: DESIGN section 6; the Rhai book, "Safety and protection"; each pack names its own articles.

mod bounds;
mod cases;
mod engine;
mod error;
mod facts;
mod gather;
mod lint;
mod manifest;
mod pack;
mod render;
pub mod replay;
mod sandbox;
mod schema;
pub mod shipped;
mod verdict;
pub mod worker;

pub use cases::{Case, CaseResult, Cases};
pub use engine::{ENGINE, Engine};
pub use error::{Aborted, Broken};
pub use facts::{Facts, Value};
pub use gather::{DECLARED, Gathered};
pub use lint::{Remark, lint};
pub use pack::{Head, Pack, Reason, Rule, Words};
pub use render::{Language, explain, reason, render};
pub use sandbox::Sandbox;
pub use verdict::{Argument, Finding, Outcome, Verdict};
