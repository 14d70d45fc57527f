//! Waiting for something outside, with an end and a reason.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks `probe` until it has an answer.
///
/// # Errors
/// What `probe` fails with, at once; and, after `limit`, `what` was waited for in vain.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = probe()? {
            return Ok(found);
        }
        if start.elapsed() > limit {
            bail!("waited {} s in vain for {what}", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(40));
    }
}
