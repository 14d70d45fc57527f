//! When an endpoint that failed is asked again: decisions, without clock and without randomness.
//!
//! Three failures in a row open the breaker: the endpoint rests for a second, then twice as long after each further
//! failure, up to a minute, each rest shortened by up to half at random so that many relayers do not come back at once.
//! After a rest one attempt is let through; a success closes the breaker. A lie (an answer that can never be right)
//! opens it at once, for the longest rest.

use zeugma_types::{BlockTime, Span};

/// Failures in a row that open the breaker.
const TOLERATED: u32 = 3;
/// The first rest.
const FIRST_REST: Span = Span::seconds(1);
/// The longest rest.
const LONGEST_REST: Span = Span::seconds(60);

/// A random number from 0 to 999, by which a rest is shortened: the caller's randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jitter(u16);

impl Jitter {
    /// No shortening.
    pub const NONE: Self = Self(0);

    /// The jitter that follows from a random number.
    #[must_use]
    pub fn of(random: u32) -> Self {
        Self(u16::try_from(random % 1_000).unwrap_or(0))
    }

    /// A jitter from the system's randomness; none when it gives none, which costs nothing but courtesy.
    #[must_use]
    pub fn random() -> Self {
        getrandom::u32().map_or(Self::NONE, Self::of)
    }

    /// `span`, shortened by up to half.
    #[must_use]
    pub fn shorten(self, span: Span) -> Span {
        let cut = u128::from(span.get()) * u128::from(self.0) / 2_000;
        Span::millis(span.get().saturating_sub(u64::try_from(cut).unwrap_or(0)))
    }
}

/// The breaker of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: u32,
    rests_until: BlockTime,
}

impl Breaker {
    /// Whether the endpoint may be asked at `now`.
    #[must_use]
    pub fn allows(&self, now: BlockTime) -> bool {
        now >= self.rests_until
    }

    /// The endpoint answered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The endpoint failed at `now`.
    pub fn failed(&mut self, now: BlockTime, jitter: Jitter) {
        self.failures = self.failures.saturating_add(1);
        let Some(beyond) = self.failures.checked_sub(TOLERATED) else { return };
        let doubled = FIRST_REST.get().saturating_mul(1_u64.checked_shl(beyond.min(32)).unwrap_or(u64::MAX));
        self.rest(now, Span::millis(doubled.min(LONGEST_REST.get())), jitter);
    }

    /// The endpoint said at `now` what can never be right.
    pub fn lied(&mut self, now: BlockTime, jitter: Jitter) {
        self.failures = self.failures.saturating_add(TOLERATED);
        self.rest(now, LONGEST_REST, jitter);
    }

    fn rest(&mut self, now: BlockTime, span: Span, jitter: Jitter) {
        self.rests_until = now.after(jitter.shorten(span)).unwrap_or(BlockTime::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest_of(breaker: Breaker, now: BlockTime) -> u64 {
        breaker.rests_until.get().saturating_sub(now.get())
    }

    #[test]
    fn the_third_failure_in_a_row_opens_and_each_further_one_doubles_up_to_a_minute() {
        let now = BlockTime::new(1_000_000);
        let mut breaker = Breaker::default();
        let mut rests = Vec::new();
        for _ in 0..40 {
            breaker.failed(now, Jitter::NONE);
            rests.push(rest_of(breaker, now));
        }
        assert_eq!(rests[..9], [0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
        assert_eq!(rests[39], 60_000);
        assert!(!breaker.allows(now));
        assert!(breaker.allows(BlockTime::new(1_060_000)));
        breaker.succeeded();
        assert!(breaker.allows(now));
        breaker.failed(now, Jitter::NONE);
        assert!(breaker.allows(now), "a success forgives what was before");
    }

    #[test]
    fn a_lie_opens_at_once_for_the_longest_rest() {
        let now = BlockTime::new(5);
        let mut breaker = Breaker::default();
        breaker.lied(now, Jitter::NONE);
        assert_eq!(rest_of(breaker, now), 60_000);
    }

    #[test]
    fn jitter_shortens_by_up_to_half_and_never_more() {
        for random in 0..3_000 {
            let rest = Jitter::of(random).shorten(Span::seconds(60)).get();
            assert!((30_000..=60_000).contains(&rest), "{random}: {rest}");
        }
    }
}
