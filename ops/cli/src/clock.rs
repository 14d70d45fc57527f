//! Points in time as people write them (RFC 3339), and the one place that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};
use zeugma_types::{BlockTime, UnixSeconds};

/// Now, as the clock of this machine says.
pub(crate) fn now() -> BlockTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    BlockTime::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The beginning of a whole second, such as a packet's timeout.
pub(crate) fn of_seconds(second: UnixSeconds) -> BlockTime {
    BlockTime::new(second.get().saturating_mul(1_000))
}

/// Reads `now` or a time of RFC 3339.
pub(crate) fn parse(text: &str) -> Result<BlockTime, String> {
    if text == "now" {
        return Ok(now());
    }
    let form = "write it as 2026-11-21T12:45:00Z, or now";
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|why| format!("{why}; {form}"))?;
    let millis = time.unix_timestamp_nanos().div_euclid(1_000_000);
    u64::try_from(millis).map(BlockTime::new).map_err(|_| format!("times begin with 1970; {form}"))
}

/// The time in UTC to the millisecond; past the year 9999 its bare number.
pub(crate) fn show(time: BlockTime) -> String {
    let millis = time.get();
    let whole = i64::try_from(millis / 1_000).ok();
    match whole.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()) {
        Some(time) => {
            let time = time.to_offset(UtcOffset::UTC);
            let (date, clock) = (time.date(), time.time());
            let (hour, minute, second) = clock.as_hms();
            let thousandth = millis % 1_000;
            format!("{date}T{hour:02}:{minute:02}:{second:02}.{thousandth:03}Z")
        }
        None => format!("{millis} ms after 1970-01-01T00:00:00Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_shown_is_read_back() {
        for millis in [0, 1, 999, 1_767_225_600_000, 1_767_225_603_007, 253_402_300_799_999] {
            let time = BlockTime::new(millis);
            assert_eq!(parse(&show(time)), Ok(time), "{}", show(time));
        }
        assert_eq!(show(BlockTime::new(1_767_225_600_000)), "2026-01-01T00:00:00.000Z");
        assert!(show(BlockTime::MAX).contains("ms after"));
    }

    #[test]
    fn a_time_before_1970_and_other_forms_are_refused() {
        parse("1969-12-31T23:59:59Z").unwrap_err();
        parse("2026-01-01").unwrap_err();
        assert_eq!(parse("2026-01-01T01:00:00+01:00"), parse("2026-01-01T00:00:00Z"));
    }
}
