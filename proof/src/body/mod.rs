//! What stands behind a leaf's value.
//!
//! A leaf of ours commits to a body: its value is the framed hash of the body's encoding, under the
//! hash suite of the leaf's format, and its path follows from the body. Leaves of the namespace `ibc`
//! have no body: their values are the commitments of ICS-04 v2.

mod era;
mod event;
mod log;
mod standing;

pub use era::Handover;
pub use event::{ClientEvent, ClientStatus, Closed, Registered, Retraction};
pub use log::{Anchor, LogView, MAX_ORIGIN, SplitView, origin_digest};
pub use standing::{InForce, Neighbour, Standing, StandingList};

use alloc::vec::Vec;
use zeugma_crypto::hash::framed_with;
use zeugma_types::{Code, Decode, Encode, HashSuite, LeafPath, Namespace, Purpose, Reader, Refusal, Value};

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// A body of any namespace that has them.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Body {
            $($(#[$doc])* $name($name),)*
        }

        impl Body {
            /// Reads the body of a leaf of `namespace`.
            ///
            /// # Errors
            /// [`Code::WrongOpening`] for a namespace without bodies, and refusals of the 100s.
            pub fn decode_as(namespace: Namespace, bytes: &[u8]) -> Result<Self, Refusal> {
                match namespace {
                    $(<$name as Said>::NAMESPACE => $name::from_bytes(bytes).map(Self::$name),)*
                    Namespace::Ibc => Err(Refusal::new(Code::WrongOpening).found(namespace.name())),
                }
            }

            /// The path of the leaf that says this.
            #[must_use]
            pub fn path(&self) -> LeafPath {
                match self {
                    $(Self::$name(body) => body.path(),)*
                }
            }

            /// The value of the leaf that says this.
            #[must_use]
            pub fn value(&self, suite: HashSuite) -> Value {
                match self {
                    $(Self::$name(body) => body.value(suite),)*
                }
            }
        }

        impl Encode for Body {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$name(body) => body.encode(out),)*
                }
            }
        }

        $(impl From<$name> for Body {
            fn from(body: $name) -> Self {
                Self::$name(body)
            }
        })*
    };
}

bodies! {
    /// The next era's key and members.
    Handover;
    /// What is in force at the end of an epoch.
    Standing;
    /// A packet that can never be received.
    Closed;
    /// A leaf taken back.
    Retraction;
    /// A checkpoint of an evidence log.
    Anchor;
    /// Two inconsistent checkpoints of one log.
    SplitView;
    /// A change of a light client's status.
    ClientEvent;
    /// A digest in force under a name, or no longer.
    Registered;
}

/// A body that a leaf commits to.
pub trait Said: Encode + Decode {
    /// The namespace of its leaf.
    const NAMESPACE: Namespace;
    /// The domain of its value.
    const PURPOSE: Purpose;

    /// The path of the leaf that says this.
    fn path(&self) -> LeafPath;

    /// The value of the leaf that says this.
    fn value(&self, suite: HashSuite) -> Value {
        Value::new(framed_with(suite, Self::PURPOSE, &[&self.to_bytes()]))
    }
}

fn text_in(reader: &mut Reader<'_>, bound: usize) -> Result<alloc::string::String, Refusal> {
    let text = reader.text(bound)?;
    if text.is_empty() { Err(Refusal::new(Code::Empty)) } else { Ok(text) }
}
