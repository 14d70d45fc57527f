//! Processor time of processes, as the kernel counts it.

use std::fs;
use std::time::Duration;

/// Time that these processes have used so far; what cannot be read counts as none.
pub(super) fn used(processes: &[u32]) -> Duration {
    processes.iter().filter_map(|id| of(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)).sum()
}

/// Memory that each of these processes holds, in bytes: what is resident, shared pages too.
pub(super) fn resident(processes: &[u32]) -> Vec<u64> {
    let of = |id: &u32| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
    };
    processes.iter().filter_map(of).collect()
}

/// User and system time in a line of `/proc/PID/stat`: fields 14 and 15, in ticks (proc(5)).
fn of(line: &str) -> Option<Duration> {
    // The second field is a name in parentheses, which may hold spaces and parentheses.
    let mut after = line.rsplit_once(") ")?.1.split(' ').skip(11);
    let ticks = after.next()?.parse::<u64>().ok()? + after.next()?.parse::<u64>().ok()?;
    let hertz = rustix::param::clock_ticks_per_second();
    Some(Duration::from_millis(ticks.saturating_mul(1_000) / hertz.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_spaces() {
        let line = "7 (a (b) c) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0";
        let hertz = rustix::param::clock_ticks_per_second();
        assert_eq!(of(line), Some(Duration::from_millis(300_000 / hertz)));
        assert_eq!(of("nothing"), None);
        assert!(used(&[u32::MAX]).is_zero());
    }
}
