//! Making the transactions of a load: each unlike every other, and its name known before it is sent.

use super::Kind;
use crate::failure::Failure;
use crate::keyfile::{Key, random};
use zeugma_crypto::ed25519::SecretKey;
use zeugma_crypto::hash::framed;
use zeugma_ledger::bounded::{Bytes, List};
use zeugma_ledger::tx::{Opaque, OpenPayload, SignedBody, Until};
use zeugma_ledger::{Message, Transaction};
use zeugma_types::{BlockTime, Cost, Encode as _, Height, NetworkId, Purpose, Span};

/// How long a transaction of a load may wait before it lapses.
const LAPSES: Span = Span::seconds(30 * 60);
/// Bytes of a signature at the end of a signed transaction.
const SIGNATURE: usize = 64;

/// A transaction to be sent.
pub(super) struct Made {
    pub(super) id: [u8; 32],
    pub(super) bytes: Vec<u8>,
}

/// Makes them.
pub(super) struct Maker {
    kind: Kind,
    size: usize,
    run: [u8; 8],
    made: u64,
    network: NetworkId,
    until: Until,
    signers: Vec<Signer>,
}

struct Signer {
    secret: SecretKey,
    /// The sequence it used last.
    last: u64,
}

impl Maker {
    /// With so many new accounts where accounts sign. The network is set later.
    pub(super) fn new(kind: Kind, size: u16, accounts: u16) -> Result<Self, Failure> {
        let mut run = [0; 8];
        run.copy_from_slice(&random()?[..8]);
        let signers = match kind {
            Kind::Open => Vec::new(),
            Kind::Signed => (0..accounts)
                .map(|_| Ok(Signer { secret: SecretKey::from_seed(&*random()?), last: 0 }))
                .collect::<Result<_, Failure>>()?,
        };
        let until = crate::clock::now().after(LAPSES).unwrap_or(BlockTime::MAX);
        Ok(Self {
            kind,
            size: size.into(),
            run,
            made: 0,
            network: NetworkId::new([0; 32]),
            until: Until { height: Height::MAX, time: until },
            signers,
        })
    }

    /// The accounts that sign.
    pub(super) fn accounts(&self) -> Vec<[u8; 32]> {
        self.signers.iter().map(|signer| *signer.secret.public().as_bytes()).collect()
    }

    /// For that network.
    pub(super) fn of(mut self, network: NetworkId) -> Self {
        self.network = network;
        self
    }

    /// Signed by one account that is there already, whose sequences up to `last` are used.
    pub(super) fn by(mut self, key: &Key, last: u64) -> Self {
        self.signers = vec![Signer { secret: key.secret().clone(), last }];
        self
    }

    /// Whether making one takes long, so that all are made before they are sent.
    pub(super) fn signs(&self) -> bool {
        self.kind == Kind::Signed
    }

    /// Bytes of one whole transaction.
    pub(super) fn length(&self) -> usize {
        let payload = self.payload(0);
        match self.kind {
            Kind::Open => self.open(payload).to_bytes().len(),
            Kind::Signed => {
                let secret = SecretKey::from_seed(&[0; 32]);
                Transaction::sign(self.body(&secret, 1, payload), &secret).to_bytes().len()
            }
        }
    }

    /// The next one.
    pub(super) fn make(&mut self) -> Made {
        let number = self.made;
        self.made += 1;
        let payload = self.payload(number);
        match self.kind {
            Kind::Open => {
                let bytes = self.open(payload).to_bytes();
                Made { id: framed(Purpose::Transaction, &[&bytes]), bytes }
            }
            Kind::Signed => {
                let count = u64::try_from(self.signers.len()).expect("the accounts are few");
                let place = usize::try_from(number % count).expect("below the number of accounts");
                let signer = &mut self.signers[place];
                signer.last += 1;
                let (sequence, secret) = (signer.last, signer.secret.clone());
                let bytes = Transaction::sign(self.body(&secret, sequence, payload), &secret).to_bytes();
                let unsigned = &bytes[..bytes.len() - SIGNATURE];
                Made { id: framed(Purpose::Transaction, &[unsigned]), bytes }
            }
        }
    }

    /// The run's name, the number, and bytes that do not compress.
    fn payload(&self, number: u64) -> Bytes<{ zeugma_ledger::limits::MAX_OPAQUE }> {
        let mut payload = Vec::with_capacity(self.size);
        payload.extend_from_slice(&self.run);
        payload.extend_from_slice(&number.to_be_bytes());
        // Xorshift (Marsaglia 2003): enough to be incompressible.
        let mut state = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        while payload.len() < self.size {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            payload.extend_from_slice(&state.to_be_bytes());
        }
        payload.truncate(self.size);
        Bytes::new(payload).expect("the command line bounds the size far below the ledger's bound")
    }

    fn open(&self, payload: Bytes<{ zeugma_ledger::limits::MAX_OPAQUE }>) -> Transaction {
        Transaction::Open(OpenPayload { network: self.network, until: self.until.clone(), payload })
    }

    fn body(
        &self,
        secret: &SecretKey,
        sequence: u64,
        payload: Bytes<{ zeugma_ledger::limits::MAX_OPAQUE }>,
    ) -> SignedBody {
        SignedBody {
            network: self.network,
            key: *secret.public().as_bytes(),
            sequence,
            until: self.until.clone(),
            cost_limit: Cost::MAX,
            messages: List::new(vec![Message::Opaque(Opaque { payload })]).expect("one message"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use zeugma_ledger::Checked;

    #[test]
    fn every_transaction_is_good_unlike_the_others_and_known_by_its_name() {
        for kind in [Kind::Open, Kind::Signed] {
            let mut maker = Maker::new(kind, 250, 3).unwrap().of(NetworkId::new([7; 32]));
            let mut names = BTreeSet::new();
            for _ in 0..10 {
                let made = maker.make();
                let checked = Checked::new(&made.bytes).unwrap();
                assert_eq!(*checked.digest(), made.id);
                assert_eq!(made.bytes.len(), maker.length());
                assert!(names.insert(made.id), "{kind:?}");
            }
        }
    }
}
