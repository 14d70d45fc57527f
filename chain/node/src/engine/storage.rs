//! How things are stored: one page cache, modest buffers, archives that keep nothing in memory.
//!
//! With these an idle node stays near 50 MB; blocks and certificates are kept for ever.

use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::archive::immutable;
use commonware_utils::{NZU16, NZU64, NZUsize};
use std::num::NonZeroUsize;

/// Buffer of a journal that is written or replayed.
pub(crate) const BUFFER: NonZeroUsize = NZUsize!(64 * 1024);

/// The cache of `pages` pages, each a little below 4 KiB so that a page and its checksum fill one of the disk's.
pub(crate) fn page_cache(pages: usize) -> CacheRef {
    CacheRef::new(NZU16!(4_084), NonZeroUsize::new(pages).unwrap_or(NonZeroUsize::MIN))
}

/// An archive `name` under `prefix`.
pub(crate) fn archive<C>(
    prefix: &str,
    name: &str,
    cache: &CacheRef,
    codec_config: C,
) -> immutable::Config<C> {
    immutable::Config {
        metadata_partition: format!("{prefix}-{name}-metadata"),
        freezer_table_partition: format!("{prefix}-{name}-table"),
        freezer_table_initial_size: 1 << 14,
        freezer_table_resize_frequency: 4,
        freezer_table_resize_chunk_size: 1 << 14,
        freezer_key_partition: format!("{prefix}-{name}-key"),
        freezer_key_page_cache: cache.clone(),
        freezer_value_partition: format!("{prefix}-{name}-value"),
        freezer_value_target_size: 256 * 1024 * 1024,
        freezer_value_compression: None,
        ordinal_partition: format!("{prefix}-{name}-ordinal"),
        items_per_section: NZU64!(65_536),
        freezer_key_write_buffer: BUFFER,
        freezer_value_write_buffer: BUFFER,
        ordinal_write_buffer: BUFFER,
        replay_buffer: BUFFER,
        codec_config,
    }
}
