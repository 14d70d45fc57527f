//! The authenticated state: QMDB, and the loop that runs the ledger over it.
//!
//! A key of the state is SHA-256 of the ledger's key (the index wants uniform keys); a value is what the
//! ledger wrote. One more key, [`tip_key`], holds height and outbox frontier of the block that wrote last, so that
//! a batch on an unfinalized parent, a restart and a reader all find them where the state is.
//!
//! The state before block 1 is the empty database: block 1 writes what the genesis says.

mod execute;
mod sync;

pub(crate) use execute::{Environment, Executed, Fault, Transactions, execute, leaf_of, outbox_of};
pub(crate) use sync::NoStateSync;

use crate::consensus::{Digest, Runtime};
use bytes::{BufMut, Bytes};
use commonware_codec::{Buf, EncodeSize, Error, FixedSize as _, RangeCfg, Read, Write};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_glue::stateful::db::{DatabaseSet, Reader, Shared};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::journal::contiguous::variable::Config as LogConfig;
use commonware_storage::mmr;
use commonware_storage::mmr::full::Config as TreeConfig;
use commonware_storage::qmdb::any::{VariableConfig, unordered::variable};
use commonware_storage::translator::EightCap;
use commonware_utils::{NZU64, NZUsize};
use zeugma_ledger::Key;
use zeugma_proof::tree::Frontier;
use zeugma_types::{Decode, Encode, HashSuite, Height, Reader as Bits, Refusal};

/// The state's database.
pub(crate) type StateDb<E> = variable::Db<mmr::Family, E, Digest, Value, Sha256, EightCap, Sequential>;
type StateConfig = VariableConfig<EightCap, ((), ()), Sequential>;
/// The databases that the engine manages for us: one.
pub(crate) type Databases<E> = Shared<StateDb<E>>;
/// A batch of writes on a parent's state, finalized or not.
pub(crate) type Batch<E> = <Databases<E> as DatabaseSet<E>>::Unmerkleized;
/// A batch with its root.
pub(crate) type Sealed<E> = <Databases<E> as DatabaseSet<E>>::Merkleized;

/// A value of the state, at most [`Value::MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Value(pub(crate) Bytes);

impl Value {
    /// Longest value, in bytes: above every record of the ledger, each of which has its own bound.
    pub(crate) const MAX: usize = 1024 * 1024;
}

impl Write for Value {
    fn write(&self, out: &mut impl BufMut) {
        self.0.write(out);
    }
}

impl EncodeSize for Value {
    fn encode_size(&self) -> usize {
        self.0.encode_size()
    }
}

impl Read for Value {
    type Cfg = ();

    fn read_cfg(reader: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Bytes::read_cfg(reader, &RangeCfg::from(..=Self::MAX)).map(Self)
    }
}

/// Where the ledger's `key` lies.
pub(crate) fn place(key: &Key) -> Digest {
    Sha256::hash(&[&[0], key.as_bytes()])
}

/// Where the [`Tip`] lies: no place of a ledger's key.
pub(crate) fn tip_key() -> Digest {
    Sha256::hash(&[&[1]])
}

/// The block that wrote last, and the outbox after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) height: Height,
    pub(crate) outbox: Frontier,
}

impl Tip {
    /// Before block 1.
    pub(crate) const GENESIS: Self = Self { height: Height::ZERO, outbox: Frontier::new(HashSuite::Sha256) };
}

impl Encode for Tip {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.outbox.encode(out);
    }
}

impl Decode for Tip {
    fn decode(reader: &mut Bits<'_>) -> Result<Self, Refusal> {
        Ok(Self { height: Height::decode(reader)?, outbox: Frontier::decode(reader)? })
    }
}

/// Reads of the finalized state.
pub(crate) struct StateReader<E: Runtime>(pub(crate) Reader<StateDb<E>>);

impl<E: Runtime> StateReader<E> {
    /// The values of `keys` after one and the same block, and its height.
    ///
    /// # Errors
    /// In words, when the storage fails.
    pub(crate) async fn read(&self, keys: &[Key]) -> Result<(Height, Vec<Option<Bytes>>), String> {
        let db = self.0.read().await;
        let failed = |error: &dyn std::fmt::Display| format!("state storage: {error}");
        let height = match db.get(&tip_key()).await.map_err(|error| failed(&error))? {
            None => Height::ZERO,
            Some(tip) => Tip::from_bytes(&tip.0).map_err(|error| failed(&error))?.height,
        };
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            values.push(db.get(&place(key)).await.map_err(|error| failed(&error))?.map(|value| value.0));
        }
        Ok((height, values))
    }
}

/// Where and how the state is stored.
pub(crate) fn state_config(prefix: &str, cache: &CacheRef) -> StateConfig {
    use crate::engine::BUFFER;
    const _: () = assert!(Digest::SIZE == 32);
    StateConfig {
        merkle_config: TreeConfig {
            journal_partition: format!("{prefix}-state-nodes"),
            metadata_partition: format!("{prefix}-state-pins"),
            items_per_blob: NZU64!(1 << 16),
            write_buffer: BUFFER,
            replay_buffer: BUFFER,
            strategy: Sequential,
            page_cache: cache.clone(),
        },
        journal_config: LogConfig {
            partition: format!("{prefix}-state-log"),
            items_per_section: NZU64!(1 << 14),
            compression: None,
            codec_config: ((), ()),
            page_cache: cache.clone(),
            write_buffer: BUFFER,
            replay_buffer: BUFFER,
        },
        translator: EightCap,
        init_cache: Some(NZUsize!(1 << 14)),
        init_buffer: NZUsize!(1 << 18),
        init_concurrency: (),
    }
}
