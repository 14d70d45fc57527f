//! The envelope, and the transaction whose signature was verified.
//!
//! ```text
//! signed  0x01 ‖ network ‖ key (32) ‖ sequence u64 ‖ until ‖ cost limit u64 ‖ messages ‖ signature (64)
//! open    0x02 ‖ network ‖ until ‖ payload
//! ```
//!
//! The digest of a transaction is SHA-256 under [`Purpose::Transaction`] of its bytes before the
//! signature; the digest is also what the account signs (Ed25519, the strict rule, under which a
//! signature has one form). A signature is therefore of one network, one account and one sequence.

use super::message::Message;
use crate::bounded::{Bytes, List, record};
use crate::limits::{MAX_MESSAGES, MAX_OPAQUE, MAX_TRANSACTION};
use alloc::vec::Vec;
use zeugma_crypto::ed25519::{PublicKey, Rule, SecretKey};
use zeugma_crypto::hash::framed;
use zeugma_types::{
    AccountId, BlockTime, Code, Cost, Decode, Encode, Height, NetworkId, Purpose, Reader, Refusal,
};

const SIGNED: u8 = 1;
const OPEN: u8 = 2;

record! {
    /// The last block in which a transaction may stand. Both ends count; `MAX` is no bound.
    pub struct Until {
        /// Last height.
        pub height: Height,
        /// Last block time.
        pub time: BlockTime,
    }

    /// What an account signs.
    pub struct SignedBody {
        /// The network it is for.
        pub network: NetworkId,
        /// The account's Ed25519 public key.
        pub key: [u8; 32],
        /// A number the account has not used: see [`crate::account`].
        pub sequence: u64,
        /// When it lapses.
        pub until: Until,
        /// What it may cost at most.
        pub cost_limit: Cost,
        /// 1 to 64 messages, all or none of which take effect.
        pub messages: List<Message, MAX_MESSAGES>,
    }

    /// An opaque payload without sender, for networks whose parameters accept it.
    pub struct OpenPayload {
        /// The network it is for.
        pub network: NetworkId,
        /// When it lapses.
        pub until: Until,
        /// The bytes.
        pub payload: Bytes<MAX_OPAQUE>,
    }
}

impl Until {
    /// Without bound.
    pub const NEVER: Self = Self { height: Height::MAX, time: BlockTime::MAX };
}

/// What stands in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// From an account.
    Signed {
        /// What is signed.
        body: SignedBody,
        /// The signature.
        signature: [u8; 64],
    },
    /// From anyone.
    Open(OpenPayload),
}

impl Transaction {
    /// Signs `body` with the account's key.
    #[must_use]
    pub fn sign(body: SignedBody, key: &SecretKey) -> Self {
        let signature = key.sign(Purpose::Transaction, &[&[SIGNED], &body.to_bytes()]);
        Self::Signed { body, signature }
    }

    /// The network it is for.
    #[must_use]
    pub const fn network(&self) -> NetworkId {
        match self {
            Self::Signed { body, .. } => body.network,
            Self::Open(open) => open.network,
        }
    }

    /// When it lapses.
    #[must_use]
    pub const fn until(&self) -> &Until {
        match self {
            Self::Signed { body, .. } => &body.until,
            Self::Open(open) => &open.until,
        }
    }
}

impl Encode for Transaction {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Signed { body, signature } => {
                out.push(SIGNED);
                body.encode(out);
                signature.encode(out);
            }
            Self::Open(open) => {
                out.push(OPEN);
                open.encode(out);
            }
        }
    }
}

impl Decode for Transaction {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        match reader.u8()? {
            SIGNED => {
                let body = SignedBody::decode(reader)?;
                if body.messages.is_empty() {
                    return Err(Refusal::new(Code::Empty).needed("a message"));
                }
                Ok(Self::Signed { body, signature: reader.array()? })
            }
            OPEN => OpenPayload::decode(reader).map(Self::Open),
            tag => Err(Refusal::new(Code::UnknownTag).found(tag)),
        }
    }
}

/// Names the account of an Ed25519 public key.
#[must_use]
pub fn account_of(key: &[u8; 32]) -> AccountId {
    AccountId::new(framed(Purpose::Account, &[key]))
}

/// A transaction whose bytes are canonical and whose signature was verified: only [`Checked::new`]
/// makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    transaction: Transaction,
    digest: [u8; 32],
    account: Option<AccountId>,
    length: usize,
}

impl Checked {
    /// Parses and verifies the bytes of one transaction, once. This is the dear part and needs no
    /// state: callers may run it on many transactions at the same time.
    ///
    /// # Errors
    /// Refusals of the 100s; [`Code::BadKey`], [`Code::BadSignature`].
    pub fn new(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_TRANSACTION {
            return Err(Refusal::new(Code::TooLong).needed(MAX_TRANSACTION).found(bytes.len()));
        }
        let transaction = Transaction::from_bytes(bytes)?;
        let unsigned = match &transaction {
            Transaction::Signed { signature, .. } => {
                bytes.strip_suffix(signature).expect("a signed transaction ends in its signature")
            }
            Transaction::Open(_) => bytes,
        };
        let digest = framed(Purpose::Transaction, &[unsigned]);
        let account = match &transaction {
            Transaction::Signed { body, signature } => {
                PublicKey::parse_strict(&body.key)?.verify(Rule::Strict, &digest, signature)?;
                Some(account_of(&body.key))
            }
            Transaction::Open(_) => None,
        };
        Ok(Self { transaction, digest, account, length: bytes.len() })
    }

    /// What was checked.
    #[must_use]
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// Names the transaction.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The account that signed, if one did.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// Length of its bytes.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tx::Opaque;
    use proptest::prelude::*;

    fn body() -> SignedBody {
        let opaque = Message::Opaque(Opaque { payload: Bytes::new([1, 2, 3]).unwrap() });
        SignedBody {
            network: NetworkId::new([1; 32]),
            key: *SecretKey::from_seed(&[1; 32]).public().as_bytes(),
            sequence: 1,
            until: Until::NEVER,
            cost_limit: Cost::MAX,
            messages: List::new(Vec::from([opaque])).unwrap(),
        }
    }

    #[test]
    fn only_the_accounts_own_signature_over_these_bytes_counts() {
        let key = SecretKey::from_seed(&[1; 32]);
        let bytes = Transaction::sign(body(), &key).to_bytes();
        let checked = Checked::new(&bytes).unwrap();
        assert_eq!(checked.account(), Some(&account_of(key.public().as_bytes())));
        let other = Transaction::sign(body(), &SecretKey::from_seed(&[2; 32])).to_bytes();
        assert_eq!(Checked::new(&other).unwrap_err().code, Code::BadSignature);
        for place in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1;
            Checked::new(&flipped).unwrap_err();
        }
    }

    #[test]
    fn a_transaction_without_messages_is_refused() {
        let empty = SignedBody { messages: List::default(), ..body() };
        let bytes = Transaction::sign(empty, &SecretKey::from_seed(&[1; 32])).to_bytes();
        assert_eq!(Checked::new(&bytes).unwrap_err().code, Code::Empty);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Checked::new(&bytes);
        }

        #[test]
        fn no_change_of_good_bytes_panics(place in 0_usize..200, with: u8, cut in 0_usize..200) {
            let mut bytes = Transaction::sign(body(), &SecretKey::from_seed(&[1; 32])).to_bytes();
            let length = bytes.len();
            bytes[place % length] = with;
            bytes.truncate(length - cut % length);
            let _ = Checked::new(&bytes);
        }
    }
}
