//! Keys, accounts and the genesis of simulated networks.

use zeugma_crypto::ed25519::SecretKey;
use zeugma_crypto::hash::sha256;
use zeugma_ledger::bounded::{List, Text};
use zeugma_ledger::gov::{OpenSubmission, Parameters};
use zeugma_ledger::{Founder, Genesis, Role, Roles, Validator};
use zeugma_types::BlockTime;

/// When simulated networks begin, in milliseconds: a minute after the followed network of the workload.
pub const START: u64 = 1_767_225_600_000 + 60_000;
/// Accounts of the workload.
pub const ACCOUNTS: u8 = 4;

/// The key of an account.
#[must_use]
pub fn account(number: u8) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"account", &[number]]))
}

/// The genesis of a network of `validators` with epochs of `epoch_length` blocks, whose accounts have every role.
///
/// # Panics
/// Never: its parts are within their bounds.
#[must_use]
pub fn genesis(validators: usize, epoch_length: u64) -> Genesis {
    let text = |text: &str| Text::new(text).expect("a short name");
    let mut members: Vec<_> = (0..validators)
        .map(|place| Validator {
            name: text(&format!("validator-{place}")),
            role: text("operator"),
            key: *SecretKey::from_seed(&sha256(&[b"validator", &place.to_be_bytes()])).public().as_bytes(),
        })
        .collect();
    members.sort_by_key(|validator| validator.key);
    let mut accounts: Vec<_> = (0..ACCOUNTS)
        .map(|number| Founder { key: *account(number).public().as_bytes(), roles: Roles::of(Role::ALL) })
        .collect();
    accounts.sort_by_key(|founder| founder.key);
    let genesis = Genesis {
        version: Genesis::VERSION,
        name: text("simulated"),
        time: BlockTime::new(START),
        epoch_length,
        validators: List::new(members).expect("a committee within the bound"),
        accounts: List::new(accounts).expect("few accounts"),
        parameters: Parameters {
            open_submission: OpenSubmission::Accepted,
            families: List::new(vec![2]).expect("one family"),
            ..Parameters::default()
        },
    };
    genesis.check().expect("its relations hold");
    genesis
}
