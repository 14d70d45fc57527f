//! CometBFT's time: nanoseconds, as protobuf's `Timestamp`.
//!
//! The chain's own comparisons (a header is later than the trusted one, a vote's timestamp is signed)
//! are made on [`Time`], exactly. Our own time has milliseconds, and meets it in three places:
//!
//! * *drift*: `now` and the drift are whole milliseconds, so `time < now + drift` is compared in
//!   nanoseconds without rounding ([`Time::is_before`]);
//! * *trusting period*: the state machine of all families compares [`Time::millis`], which is rounded
//!   down, so a state may expire less than a millisecond early and never late;
//! * *packet timeouts* compare whole seconds, and rounding down to milliseconds first changes none.
//!
//! Source: CometBFT `spec/core/data_structures.md`, "Time"; protobuf `google/protobuf/timestamp.proto`.

use crate::proto::{self, Fields};
use alloc::vec::Vec;
use zeugma_types::{BlockTime, Code, Refusal, Span};

const NANOS_PER_SECOND: u32 = 1_000_000_000;
const NANOS_PER_MILLI: i128 = 1_000_000;

/// An instant, in seconds and nanoseconds since the Unix epoch. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    seconds: i64,
    nanos: u32,
}

impl Time {
    /// 0001-01-01T00:00:00Z: Go's zero time, which stands for "no time".
    pub const ZERO: Self = Self { seconds: Self::MIN_SECONDS, nanos: 0 };
    /// Longest encoding, in bytes.
    pub const MAX_BYTES: usize = 17;

    const MIN_SECONDS: i64 = -62_135_596_800;
    const MAX_SECONDS: i64 = 253_402_300_799;

    /// # Errors
    /// [`Code::OutOfRange`] outside the years 1 to 9999, or for a second of nanoseconds or more.
    pub fn new(seconds: i64, nanos: u32) -> Result<Self, Refusal> {
        if !(Self::MIN_SECONDS..=Self::MAX_SECONDS).contains(&seconds) {
            return Err(Refusal::new(Code::OutOfRange).found("a time outside the years 1 to 9999"));
        }
        if nanos >= NANOS_PER_SECOND {
            return Err(Refusal::new(Code::OutOfRange).needed(NANOS_PER_SECOND - 1).found(nanos));
        }
        Ok(Self { seconds, nanos })
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    #[must_use]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub fn total_nanos(self) -> i128 {
        i128::from(self.seconds) * i128::from(NANOS_PER_SECOND) + i128::from(self.nanos)
    }

    /// Our unit, rounded down; the epoch itself for what lies before it.
    #[must_use]
    pub fn millis(self) -> BlockTime {
        let millis = self.total_nanos().div_euclid(NANOS_PER_MILLI);
        BlockTime::new(u64::try_from(millis).unwrap_or(0))
    }

    /// Whether this instant lies before `now + span`, compared in nanoseconds.
    #[must_use]
    pub fn is_before(self, now: BlockTime, span: Span) -> bool {
        let end = (i128::from(now.get()) + i128::from(span.get())) * NANOS_PER_MILLI;
        self.total_nanos() < end
    }

    /// Whether `now` lies before this instant plus `span`, compared in nanoseconds.
    #[must_use]
    pub fn is_within(self, span: Span, now: BlockTime) -> bool {
        let end = self.total_nanos() + i128::from(span.get()) * NANOS_PER_MILLI;
        i128::from(now.get()) * NANOS_PER_MILLI < end
    }

    /// Reads a `Timestamp`.
    ///
    /// # Errors
    /// As [`Fields`]; [`Code::OutOfRange`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::new(bytes);
        let (seconds, nanos) = (fields.int64(1)?, fields.int32(2)?);
        fields.finish()?;
        let nanos = u32::try_from(nanos).map_err(|_| Refusal::new(Code::OutOfRange))?;
        Self::new(seconds, nanos)
    }

    /// Appends a `Timestamp`.
    pub fn encode(self, out: &mut Vec<u8>) {
        proto::put_int64(out, 1, self.seconds);
        proto::put_uint64(out, 2, u64::from(self.nanos));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64, nanos: u32) -> Time {
        Time::new(seconds, nanos).unwrap()
    }

    #[test]
    fn time_is_ordered_by_the_nanosecond() {
        assert!(time(1, 999_999_999) < time(2, 0));
        assert!(time(2, 0) < time(2, 1));
    }

    #[test]
    fn milliseconds_are_rounded_down() {
        assert_eq!(time(1, 999_999).millis(), BlockTime::new(1_000));
        assert_eq!(time(1, 1_000_000).millis(), BlockTime::new(1_001));
        assert_eq!(Time::ZERO.millis(), BlockTime::ZERO);
    }

    #[test]
    fn drift_is_compared_without_rounding() {
        let (now, drift) = (BlockTime::new(1_000), Span::millis(500));
        assert!(time(1, 499_999_999).is_before(now, drift));
        assert!(!time(1, 500_000_000).is_before(now, drift));
        assert!(!time(1, 500_000_001).is_before(now, drift));
    }

    #[test]
    fn the_trusting_period_ends_at_its_instant() {
        let span = Span::seconds(2);
        assert!(time(1, 1).is_within(span, BlockTime::new(3_000)));
        assert!(!time(1, 0).is_within(span, BlockTime::new(3_000)));
        assert!(!time(1, 1).is_within(span, BlockTime::new(3_001)));
    }

    #[test]
    fn times_outside_the_calendar_are_refused() {
        assert!(Time::new(Time::MIN_SECONDS - 1, 0).is_err());
        assert!(Time::new(Time::MAX_SECONDS + 1, 0).is_err());
        assert!(Time::new(0, NANOS_PER_SECOND).is_err());
        // Negative nanoseconds, as ten bytes.
        let mut bytes = Vec::new();
        proto::put_int64(&mut bytes, 2, -1);
        assert_eq!(Time::decode(&bytes).unwrap_err().code, Code::OutOfRange);
    }
}
