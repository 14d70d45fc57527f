//! What a process uses, as the kernel counts it.

use std::fs;
use std::time::Duration;

/// Processor time so far; what cannot be read counts as none.
pub(super) fn processor(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // User and system time are fields 14 and 15, in ticks; the second is a name that may hold spaces.
    let ticks = stat.rsplit_once(") ").and_then(|(_, rest)| {
        let mut after = rest.split(' ').skip(11);
        Some(after.next()?.parse::<u64>().ok()? + after.next()?.parse::<u64>().ok()?)
    });
    Duration::from_millis(ticks.unwrap_or_default() * 1_000 / rustix::param::clock_ticks_per_second().max(1))
}

/// The most memory that it ever held, in bytes.
pub(super) fn most_memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1_024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let start = std::time::Instant::now();
        while processor(std::process::id()).is_zero() {
            assert!(start.elapsed() < Duration::from_secs(60), "no time was counted");
        }
        assert!(most_memory(std::process::id()) > 1 << 20);
        assert_eq!((processor(u32::MAX), most_memory(u32::MAX)), (Duration::ZERO, 0));
    }
}
