//! One thing said in the outbox, with the body behind it: what a proof shows besides the commitment.

use alloc::vec::Vec;
use zeugma_proof::MAX_OPENING;
use zeugma_types::codec::{put_bytes, put_option};
use zeugma_types::{Decode, Encode, LeafPath, Reader, Refusal, Value};

/// One thing said in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Of what.
    pub path: LeafPath,
    /// The commitment.
    pub value: Value,
    /// The canonical bytes of the body behind the value; none for a path of ICS-24, whose value is fixed there.
    pub opening: Option<Vec<u8>>,
}

impl Encode for Said {
    fn encode(&self, out: &mut Vec<u8>) {
        self.path.encode(out);
        self.value.encode(out);
        put_option(out, self.opening.as_ref(), |out, body| put_bytes(out, body));
    }
}

impl Decode for Said {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            path: LeafPath::decode(reader)?,
            value: Value::decode(reader)?,
            opening: reader.option(|r| Ok(r.bytes(MAX_OPENING)?.to_vec()))?,
        })
    }
}
