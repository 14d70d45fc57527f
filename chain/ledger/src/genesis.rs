//! Genesis: what the founders sign before there is a chain.
//!
//! Its digest under [`Purpose::Genesis`] names the network. The group key is **not** part of it: the members
//! named here generate the key afterwards, over this very name, and the trust file binds key and name
//! together. So the key generation is of one network, and a network can be named before it has a key.

use crate::account::Account;
use crate::bounded::{List, Text, record};
use crate::gov::{Counters, Parameters, Schedule};
use crate::limits::{
    MAX_EPOCH_LENGTH, MAX_GENESIS, MAX_GENESIS_ACCOUNTS, MAX_NAME, MAX_VALIDATORS, MIN_EPOCH_LENGTH,
};
use crate::roles::{Role, Roles};
use crate::state::{Slot, Writes};
use crate::tx::account_of;
use zeugma_crypto::ed25519::PublicKey;
use zeugma_crypto::hash::framed;
use zeugma_types::{BlockTime, Code, Decode, Encode, NetworkId, Purpose, Refusal};

/// The version of the layout.
const VERSION: u16 = 1;

record! {
    /// One member of the first committee.
    pub struct Validator {
        /// Who it is.
        pub name: Text<MAX_NAME>,
        /// What it is to the network: a court, a notary, a bank.
        pub role: Text<MAX_NAME>,
        /// The Ed25519 key under which it speaks to the others.
        pub key: [u8; 32],
    }

    /// One account from the beginning.
    pub struct Founder {
        /// Its Ed25519 public key.
        pub key: [u8; 32],
        /// Its roles.
        pub roles: Roles,
    }

    /// The genesis of a network.
    pub struct Genesis {
        /// The version of this layout: 1.
        pub version: u16,
        /// The network's name, for people.
        pub name: Text<MAX_NAME>,
        /// When the network may begin: earlier than its first block.
        pub time: BlockTime,
        /// Blocks of an epoch, of which the last says what stands: from [`MIN_EPOCH_LENGTH`] to [`MAX_EPOCH_LENGTH`].
        pub epoch_length: u64,
        /// The first committee, ascending by key.
        pub validators: List<Validator, MAX_VALIDATORS>,
        /// The first accounts, ascending by key.
        pub accounts: List<Founder, MAX_GENESIS_ACCOUNTS>,
        /// The first parameters.
        pub parameters: Parameters,
    }
}

impl Genesis {
    /// The only version.
    pub const VERSION: u16 = VERSION;
    /// Blocks of an epoch where nothing speaks for another length: an hour of one-second blocks.
    pub const USUAL_EPOCH_LENGTH: u64 = 60 * 60;

    /// Reads and checks a genesis.
    ///
    /// # Errors
    /// Refusals of the 100s, and as [`Genesis::check`].
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MAX_GENESIS {
            return Err(Refusal::new(Code::TooLong).needed(MAX_GENESIS).found(bytes.len()));
        }
        let genesis = Self::from_bytes(bytes)?;
        genesis.check()?;
        Ok(genesis)
    }

    /// Checks the relations of its parts.
    ///
    /// # Errors
    /// [`Code::BadGenesis`] with the relation, [`Code::BadKey`], [`Code::NotSorted`],
    /// [`Code::TooFewGovernors`], [`Code::BadParameters`].
    pub fn check(&self) -> Result<(), Refusal> {
        if self.version != VERSION {
            return Err(Refusal::new(Code::UnknownTag).needed(VERSION).found(self.version));
        }
        if self.validators.is_empty() {
            return Err(Refusal::new(Code::BadGenesis).needed("a validator"));
        }
        if !(MIN_EPOCH_LENGTH..=MAX_EPOCH_LENGTH).contains(&self.epoch_length) {
            let needed = self.epoch_length.clamp(MIN_EPOCH_LENGTH, MAX_EPOCH_LENGTH);
            return Err(Refusal::new(Code::BadGenesis).needed(needed).found(self.epoch_length));
        }
        for key in
            self.validators.iter().map(|each| &each.key).chain(self.accounts.iter().map(|each| &each.key))
        {
            PublicKey::parse_strict(key)?;
        }
        let ascending = self.validators.as_slice().windows(2).all(|pair| pair[0].key < pair[1].key)
            && self.accounts.as_slice().windows(2).all(|pair| pair[0].key < pair[1].key);
        if !ascending {
            return Err(Refusal::new(Code::NotSorted).needed("keys"));
        }
        self.parameters.check()?;
        let governors = self.governors();
        if governors < u32::from(self.parameters.governors_needed) {
            return Err(Refusal::new(Code::TooFewGovernors)
                .needed(self.parameters.governors_needed)
                .found(governors));
        }
        Ok(())
    }

    /// Names the network.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        NetworkId::new(framed(Purpose::Genesis, &[&self.to_bytes()]))
    }

    /// The state before the first block.
    #[must_use]
    pub fn state(&self) -> Writes {
        let mut writes = Writes::new();
        let mut put = |slot: Slot<'_>, bytes| writes.insert(slot.key(), Some(bytes));
        put(Slot::Parameters, self.parameters.to_bytes());
        let counters = Counters { program: 1, governors: self.governors(), next_proposal: 1, next_client: 0 };
        put(Slot::Counters, counters.to_bytes());
        put(Slot::Schedule, Schedule { waiting: List::default() }.to_bytes());
        for founder in &self.accounts {
            let account = Account::new(founder.roles, &self.parameters, self.time);
            put(Slot::Account(&account_of(&founder.key)), account.to_bytes());
        }
        writes
    }

    fn governors(&self) -> u32 {
        let governors = self.accounts.iter().filter(|each| each.roles.has(Role::Governor)).count();
        u32::try_from(governors).expect("a genesis has a bounded number of accounts")
    }
}
