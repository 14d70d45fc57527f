//! Algorithms age: what rests on one counts until its sunset, and after it only where a renewal shows that it
//! existed before.
//!
//! An algorithm without a sunset in the trust file lives. A renewal counts at its time when what it rests on
//! lives, or when a later renewal that counts was made before the sunset; so the chain is judged from its
//! end. What a renewal covers is bound by two digests: one of them must live, or be covered likewise.
//!
//! Source: DESIGN, section 6 (ageing); RFC 4998, section 5.3, for the order.

use alloc::string::String;
use alloc::vec::Vec;
use zeugma_proof::Sunset;
use zeugma_types::BlockTime;

/// The names of the algorithms under one signature.
pub(crate) type Names = Vec<String>;

/// How something stands that rests on algorithms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// All of them live.
    Alive,
    /// One lapsed, and a renewal of this time shows that it existed before.
    Covered {
        /// The algorithm that lapsed first.
        algorithm: String,
        /// When the renewal was made.
        by: BlockTime,
    },
    /// One lapsed, and nothing shows that it existed before.
    Lapsed {
        /// The algorithm.
        algorithm: String,
    },
}

impl Standing {
    pub(crate) fn counts(&self) -> bool {
        !matches!(self, Self::Lapsed { .. })
    }
}

/// Sunsets, and the times of renewals that count, oldest first.
pub(crate) struct Ages<'a> {
    sunsets: &'a [Sunset],
    time: BlockTime,
    renewed: Vec<BlockTime>,
}

/// One renewal: when its time-stamps were made, and what each rests on.
pub(crate) struct Made {
    pub(crate) stamps: Vec<(BlockTime, Names)>,
}

impl<'a> Ages<'a> {
    /// Judges renewals, oldest first, at `time`. `needed` of the time-stamps of one must count; their latest
    /// time is the renewal's. Returns, for each, its time if it counts.
    pub(crate) fn new(
        sunsets: &'a [Sunset],
        time: BlockTime,
        renewals: &[Made],
        enough: impl Fn(&[usize]) -> bool,
    ) -> (Self, Vec<Option<BlockTime>>) {
        let mut ages = Self { sunsets, time, renewed: Vec::new() };
        let mut found = Vec::new();
        for made in renewals.iter().rev() {
            // The two digests by which a renewal binds what was before it.
            let bound = ["sha256", "sm3"].iter().any(|name| ages.standing(&[(*name).into()]).counts());
            let counting: Vec<usize> = made
                .stamps
                .iter()
                .enumerate()
                .filter(|(_, (_, names))| bound && ages.standing(names).counts())
                .map(|(index, _)| index)
                .collect();
            let latest = counting.iter().map(|index| made.stamps[*index].0).max();
            let time = latest.filter(|_| enough(&counting));
            ages.renewed.extend(time);
            found.push(time);
        }
        found.reverse();
        (ages, found)
    }

    /// How something stands that rests on these algorithms and was there before every renewal judged so far.
    pub(crate) fn standing(&self, names: &[String]) -> Standing {
        let mut lapsed: Option<(&String, BlockTime)> = None;
        for name in names {
            let Some(at) = self.sunset(name).filter(|at| *at <= self.time) else { continue };
            if lapsed.is_none_or(|(_, first)| at < first) {
                lapsed = Some((name, at));
            }
        }
        let Some((name, at)) = lapsed else { return Standing::Alive };
        let algorithm = name.clone();
        match self.renewed.iter().filter(|renewed| **renewed < at).min() {
            Some(by) => Standing::Covered { algorithm, by: *by },
            None => Standing::Lapsed { algorithm },
        }
    }

    /// The sunset of an algorithm; for RSA that of its size or of all sizes, whichever is earlier.
    fn sunset(&self, name: &str) -> Option<BlockTime> {
        let family = name.starts_with("rsa-").then_some("rsa");
        let of = |wanted: &str| self.sunsets.iter().find(|one| one.algorithm == wanted).map(|one| one.at);
        [of(name), family.and_then(of)].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn sunset(algorithm: &str, at: u64) -> Sunset {
        Sunset { algorithm: algorithm.into(), at: BlockTime::new(at) }
    }

    fn made(at: u64, names: &[&str]) -> Made {
        let names = names.iter().map(|name| (*name).into()).collect();
        Made { stamps: vec![(BlockTime::new(at), names)] }
    }

    fn standing(sunsets: &[Sunset], time: u64, renewals: &[Made], names: &[&str]) -> Standing {
        let one = |found: &[usize]| !found.is_empty();
        let (ages, _) = Ages::new(sunsets, BlockTime::new(time), renewals, one);
        ages.standing(&names.iter().map(|name| (*name).into()).collect::<Names>())
    }

    #[test]
    fn what_lapsed_counts_only_under_a_renewal_made_before() {
        let sunsets = [sunset("ed25519", 100)];
        assert_eq!(standing(&sunsets, 99, &[], &["ed25519"]), Standing::Alive);
        assert!(!standing(&sunsets, 100, &[], &["ed25519"]).counts());
        assert!(standing(&sunsets, 100, &[made(99, &["ml-dsa-44"])], &["ed25519"]).counts());
        assert!(!standing(&sunsets, 100, &[made(100, &["ml-dsa-44"])], &["ed25519"]).counts());
        // A renewal that rests on the same lapsed algorithm is no help.
        assert!(!standing(&sunsets, 100, &[made(99, &["ed25519"])], &["ed25519"]).counts());
    }

    #[test]
    fn a_chain_of_renewals_is_judged_from_its_end() {
        let sunsets = [sunset("a", 100), sunset("b", 200)];
        let chain = [made(90, &["b"]), made(190, &["c"])];
        assert!(standing(&sunsets, 300, &chain, &["a"]).counts());
        assert!(!standing(&sunsets, 300, &chain[..1], &["a"]).counts());
        let late = [made(90, &["b"]), made(200, &["c"])];
        assert!(!standing(&sunsets, 300, &late, &["a"]).counts());
    }

    #[test]
    fn one_of_the_two_digests_must_live() {
        let one = [sunset("a", 100), sunset("sha256", 50)];
        assert!(standing(&one, 300, &[made(90, &["c"])], &["a"]).counts());
        let both = [sunset("a", 100), sunset("sha256", 50), sunset("sm3", 60)];
        assert!(!standing(&both, 300, &[made(90, &["c"])], &["a"]).counts());
    }

    #[test]
    fn rsa_lapses_by_size_or_altogether() {
        let sunsets = [sunset("rsa", 200), sunset("rsa-2048", 100)];
        assert!(!standing(&sunsets, 150, &[], &["rsa-2048"]).counts());
        assert!(standing(&sunsets, 150, &[], &["rsa-4096"]).counts());
        assert!(!standing(&sunsets, 200, &[], &["rsa-4096"]).counts());
    }
}
