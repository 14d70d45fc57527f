//! Checking many transactions at once, on as many threads as the machine has.
//!
//! One verdict for each, the same as alone: accounts sign under the strict rule, whose equation has no cofactor, and
//! a sum of such equations can hold where one does not (parts of small order cancel). So they are verified one by
//! one, side by side, rather than added up as a batch.

use bytes::Bytes;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use zeugma_ledger::Checked;
use zeugma_types::Refusal;

/// A thread is started for no fewer: it costs as much as a signature.
const ALONE: usize = 16;

/// Threads of this machine.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Checks each of `all`, on at most `threads` threads.
///
/// # Errors
/// As [`Checked::new`], of the first in order that is refused.
pub(super) fn check(all: &[&Bytes], threads: usize) -> Result<Vec<Arc<Checked>>, Refusal> {
    // Within its part each thread ends at the first that is refused.
    let parts = side_by_side(all, threads, |part| part.iter().map(|bytes| one(bytes)).collect());
    let parts: Vec<Vec<_>> = parts.into_iter().collect::<Result<_, _>>()?;
    Ok(parts.into_iter().flatten().collect())
}

/// Checks each of `all` for itself, on at most `threads` threads: one answer for each, in their order.
pub(super) fn each(all: &[&Bytes], threads: usize) -> Vec<Result<Arc<Checked>, Refusal>> {
    let parts = side_by_side(all, threads, |part| part.iter().map(|bytes| one(bytes)).collect::<Vec<_>>());
    parts.into_iter().flatten().collect()
}

fn one(bytes: &Bytes) -> Result<Arc<Checked>, Refusal> {
    Checked::new(bytes).map(Arc::new)
}

/// Does `work` on parts of `all`, in order.
fn side_by_side<T: Send>(all: &[&Bytes], threads: usize, work: impl Fn(&[&Bytes]) -> T + Sync) -> Vec<T> {
    let threads = threads.min(all.len() / ALONE);
    if threads <= 1 {
        return vec![work(all)];
    }
    let work = &work;
    thread::scope(|scope| {
        let parts = all.chunks(all.len().div_ceil(threads));
        let parts: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        parts.into_iter().map(|part| part.join().expect("checking panics on no bytes")).collect()
    })
}
