//! What a tenant may ask for: requests, records and bytes a second, each with room for a burst.
//!
//! Each is a bucket that fills at its rate and holds so many seconds of it. A request passes while every bucket has
//! one unit, and takes what it needs, into debt if need be: so a request larger than a bucket passes once it is full, and is
//! paid for before the next. Who is refused is told how many seconds until then.

use crate::config::QuotaConfig;
use crate::metrics::head;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use zeugma_types::{Code, Refusal};

/// What a request takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    pub(crate) items: u64,
    pub(crate) bytes: u64,
}

impl Cost {
    fn parts(self) -> [u64; 3] {
        [self.requests, self.items, self.bytes]
    }
}

/// A thousand of these are one unit, so that a rate a second fills whole numbers of them a millisecond.
const UNIT: i128 = 1_000;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: i128,
    /// In milliseconds.
    at: u64,
}

impl Bucket {
    /// Filled up to `now`.
    fn filled(self, rate: u64, burst: u64, now: u64) -> Self {
        let full = i128::from(rate) * i128::from(burst) * UNIT;
        let gained = i128::from(rate) * i128::from(now.saturating_sub(self.at));
        Self { level: (self.level + gained).min(full), at: self.at.max(now) }
    }

    /// Whole seconds until one unit is there.
    fn wait(self, rate: u64) -> Option<u64> {
        let missing = UNIT - self.level;
        let a_second = i128::from(rate) * UNIT;
        (missing > 0).then(|| u64::try_from((missing + a_second - 1) / a_second).unwrap_or(u64::MAX))
    }
}

/// The quotas of all tenants.
#[derive(Debug)]
pub(crate) struct Quota {
    start: Instant,
    usual: QuotaConfig,
    own: HashMap<String, QuotaConfig>,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    buckets: HashMap<String, [Option<Bucket>; 3]>,
    refused: BTreeMap<String, u64>,
}

impl Quota {
    /// The usual one, and those of tenants that have their own.
    pub(crate) fn new(usual: QuotaConfig, own: HashMap<String, QuotaConfig>) -> Self {
        Self { start: Instant::now(), usual, own, spent: Mutex::default() }
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        // Each bucket is whole after any panic.
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a request needs, now.
    ///
    /// # Errors
    /// [`Code::QuotaSpent`], with the seconds until it may pass; then nothing was taken.
    pub(crate) fn take(&self, tenant: &str, cost: Cost) -> Result<(), Refusal> {
        self.take_at(tenant, cost, self.now())
    }

    /// Takes what was found to be needed after a request passed, into debt if need be.
    pub(crate) fn owe(&self, tenant: &str, cost: Cost) {
        self.charge(&mut self.spent(), tenant, cost, self.now());
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn rates(&self, tenant: &str) -> ([u64; 3], u64) {
        let quota = self.own.get(tenant).unwrap_or(&self.usual);
        ([quota.requests_per_second, quota.items_per_second, quota.bytes_per_second], quota.burst_seconds)
    }

    fn take_at(&self, tenant: &str, cost: Cost, now: u64) -> Result<(), Refusal> {
        let mut spent = self.spent();
        // Filled first: what is there now decides.
        self.charge(&mut spent, tenant, Cost::default(), now);
        let (rates, _) = self.rates(tenant);
        let buckets = spent.buckets.get(tenant).copied().unwrap_or_default();
        let waits =
            buckets.iter().zip(rates).filter_map(|(bucket, rate)| bucket.and_then(|one| one.wait(rate)));
        if let Some(wait) = waits.max() {
            *spent.refused.entry(tenant.to_owned()).or_default() += 1;
            return Err(Refusal::new(Code::QuotaSpent).needed(wait));
        }
        self.charge(&mut spent, tenant, cost, now);
        Ok(())
    }

    fn charge(&self, spent: &mut Spent, tenant: &str, cost: Cost, now: u64) {
        let (rates, burst) = self.rates(tenant);
        if rates == [0; 3] {
            return;
        }
        let buckets = spent.buckets.entry(tenant.to_owned()).or_default();
        for ((bucket, rate), units) in buckets.iter_mut().zip(rates).zip(cost.parts()) {
            if rate == 0 {
                continue;
            }
            let new = Bucket { level: i128::MAX / 2, at: now };
            let mut filled = bucket.unwrap_or(new).filled(rate, burst, now);
            filled.level -= i128::from(units) * UNIT;
            *bucket = Some(filled);
        }
    }

    /// The metrics, in the text format of Prometheus.
    pub(crate) fn text(&self) -> String {
        let name = "zeugma_evidence_quota_refusals_total";
        let mut text = head(name, "counter", "Requests that were refused because a tenant's quota was spent");
        for (tenant, count) in &self.spent().refused {
            let tenant = tenant.replace('\\', "\\\\").replace('"', "\\\"");
            writeln!(text, "{name}{{tenant=\"{tenant}\"}} {count}").expect("a string takes every line");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(requests: u64, items: u64, bytes: u64, burst_seconds: u64) -> QuotaConfig {
        QuotaConfig {
            requests_per_second: requests,
            items_per_second: items,
            bytes_per_second: bytes,
            burst_seconds,
        }
    }

    fn one() -> Cost {
        Cost { requests: 1, ..Cost::default() }
    }

    /// Seconds to wait, or none.
    fn wait(quota: &Quota, tenant: &str, cost: Cost, now: u64) -> Option<String> {
        quota.take_at(tenant, cost, now).err().map(|refusal| {
            assert_eq!(refusal.code, Code::QuotaSpent);
            refusal.needed.to_string()
        })
    }

    #[test]
    fn a_burst_passes_then_the_rate_alone_and_each_tenant_has_its_own() {
        let quota = Quota::new(quota(2, 0, 0, 3), HashMap::new());
        for _ in 0..6 {
            assert_eq!(wait(&quota, "a", one(), 0), None);
        }
        assert_eq!(wait(&quota, "a", one(), 0), Some("1".to_owned()));
        assert_eq!(wait(&quota, "b", one(), 0), None, "another tenant has lost nothing");
        assert_eq!(wait(&quota, "a", one(), 499), Some("1".to_owned()));
        assert_eq!(wait(&quota, "a", one(), 500), None);
        assert_eq!(wait(&quota, "a", one(), 500), Some("1".to_owned()));
        // Never more than the burst, however long nothing came.
        let passed = (0..100).filter(|_| wait(&quota, "a", one(), 1_000_000).is_none()).count();
        assert_eq!(passed, 6);
        assert!(
            quota.text().contains("zeugma_evidence_quota_refusals_total{tenant=\"a\"} 97"),
            "{}",
            quota.text()
        );
    }

    #[test]
    fn what_is_larger_than_the_bucket_passes_once_and_is_paid_for_before_the_next() {
        let quota = Quota::new(quota(0, 10, 100, 1), HashMap::new());
        let large = Cost { requests: 1, items: 0, bytes: 1_000 };
        assert_eq!(wait(&quota, "a", large, 0), None);
        assert_eq!(wait(&quota, "a", large, 0), Some("10".to_owned()));
        assert_eq!(wait(&quota, "a", large, 9_000), Some("1".to_owned()));
        assert_eq!(wait(&quota, "a", one(), 9_010), None);
        quota.charge(&mut quota.spent(), "a", Cost { items: 60, ..Cost::default() }, 9_010);
        assert_eq!(
            wait(&quota, "a", one(), 9_010),
            Some("6".to_owned()),
            "records found later count as well"
        );
    }

    #[test]
    fn a_tenant_with_a_quota_of_its_own_has_that_one_and_no_rate_is_no_bound() {
        let own = HashMap::from([("small".to_owned(), quota(1, 0, 0, 1))]);
        let quota = Quota::new(quota(0, 0, 0, 10), own);
        for _ in 0..10_000 {
            assert_eq!(wait(&quota, "free", Cost { requests: 1, items: 1 << 40, bytes: 1 << 60 }, 0), None);
        }
        assert_eq!(wait(&quota, "small", one(), 0), None);
        assert_eq!(wait(&quota, "small", one(), 0), Some("1".to_owned()));
    }
}
