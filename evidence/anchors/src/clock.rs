//! How far an authority's time lies from ours. One of the two clocks is wrong then; which, this does not say.
//!
//! What is compared is an interval: the authority read its clock after we had sent the request and before we had its
//! answer, and it says how exact its clock is. A time inside of that interval agrees, however long the answer took.

use zeugma_evidence_verify::tsp::Accuracy;
use zeugma_types::BlockTime;

/// When an authority was asked, by our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Before the request was sent.
    pub sent: BlockTime,
    /// After the answer was there.
    pub answered: BlockTime,
}

/// How far an authority's time lies outside of what its accuracy explains, in milliseconds: above zero when its clock
/// is ahead of ours, zero when they agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offset(i64);

impl Offset {
    /// Compares an authority's time with ours.
    #[must_use]
    pub fn of(time: BlockTime, accuracy: Option<Accuracy>, asked: Asked) -> Self {
        let exact = accuracy.map_or(0, |accuracy| accuracy.0.div_ceil(1_000));
        let earliest = asked.sent.get().saturating_sub(exact);
        let latest = asked.answered.get().saturating_add(exact);
        let time = time.get();
        let signed = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
        Self(if time < earliest { -signed(earliest - time) } else { signed(time.saturating_sub(latest)) })
    }

    /// In milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whether it is more than `bound` milliseconds, either way.
    #[must_use]
    pub const fn exceeds(self, bound: u64) -> bool {
        self.0.unsigned_abs() > bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_agrees_within_the_interval_and_its_accuracy_and_not_a_millisecond_outside() {
        let asked = Asked { sent: BlockTime::new(10_000), answered: BlockTime::new(10_400) };
        // 1.5 ms is counted as 2.
        for (time, accuracy, offset) in [
            (10_000, None, 0),
            (10_400, None, 0),
            (9_999, None, -1),
            (10_401, None, 1),
            (9_998, Some(Accuracy(1_500)), 0),
            (9_997, Some(Accuracy(1_500)), -1),
            (10_402, Some(Accuracy(1_500)), 0),
            (20_000, Some(Accuracy(1_000_000)), 8_600),
            (0, Some(Accuracy(60_000_000)), 0),
        ] {
            assert_eq!(Offset::of(BlockTime::new(time), accuracy, asked).millis(), offset, "{time}");
        }
        let ends =
            Offset::of(BlockTime::MAX, None, Asked { sent: BlockTime::ZERO, answered: BlockTime::ZERO });
        assert_eq!(ends.millis(), i64::MAX);
    }

    #[test]
    fn the_bound_itself_does_not_alarm_and_one_more_does_either_way() {
        let asked = Asked { sent: BlockTime::new(10_000), answered: BlockTime::new(10_000) };
        for (time, alarms) in [(5_000, false), (4_999, true), (15_000, false), (15_001, true)] {
            assert_eq!(Offset::of(BlockTime::new(time), None, asked).exceeds(5_000), alarms, "{time}");
        }
    }
}
