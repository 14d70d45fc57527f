//! The oracle of these tests counts in plain arithmetic: whole numbers for the rules that families state
//! as an inequality, thresholds searched by trial for those they state as a quotient. It never calls the
//! tally.

use super::*;
use alloc::vec::Vec;
use proptest::collection::vec;
use proptest::prelude::*;

fn set_of(weights: &[u64]) -> Set {
    Set::new(weights.iter().enumerate().map(|(key, weight)| (key, Weight::new(*weight).unwrap()))).unwrap()
}

/// Whether the first `signers` members, counted one by one, are a quorum.
fn decided(set: &Set, rule: Rule, signers: impl IntoIterator<Item = usize>) -> bool {
    let mut tally = Tally::new(set, rule);
    for index in signers {
        tally.add(index).unwrap();
    }
    let reached = tally.reached();
    let finished = tally.finish();
    assert_eq!(finished.is_ok(), reached, "both ways of asking agree");
    reached
}

/// The families' own words for the least number of signers out of `n`.
mod words {
    /// CometBFT, GRANDPA, BEEFY: more than two thirds, searched from below.
    pub(super) fn more_than_two_thirds(n: u64) -> u64 {
        (0..=n).find(|k| 3 * k > 2 * n).unwrap()
    }

    /// GRANDPA in its code: `total - (total - 1) / 3`. FISCO: `total - maxFaulty`. simplex: `n - f`.
    pub(super) fn all_but_the_faulty(n: u64) -> u64 {
        let mut faulty = 0;
        while 3 * (faulty + 1) < n {
            faulty += 1;
        }
        n - faulty
    }

    /// QBFT and IBFT2: two thirds, rounded up.
    pub(super) fn two_thirds_rounded_up(n: u64) -> u64 {
        let mut k = 0;
        while k * 3 < n * 2 {
            k += 1;
        }
        k
    }

    /// Skipping: more than one third.
    pub(super) fn more_than_one_third(n: u64) -> u64 {
        (0..=n).find(|k| 3 * k > n).unwrap()
    }
}

/// Every rule with the least number of signers its family asks for, out of `n` equal members.
fn rules(n: u64) -> Vec<(Rule, u64)> {
    let mut rules = alloc::vec![
        (Rule::TwoThirdsStrict, words::more_than_two_thirds(n)),
        (Rule::TwoThirdsStrict, words::all_but_the_faulty(n)),
        (Rule::Simplex, words::all_but_the_faulty(n)),
        (Rule::TwoThirdsInclusive, words::two_thirds_rounded_up(n)),
        (Rule::OneThirdStrict, words::more_than_one_third(n)),
        (Rule::MoreThan { numerator: 1, denominator: 3 }, words::more_than_one_third(n)),
        (Rule::MoreThan { numerator: 2, denominator: 3 }, words::more_than_two_thirds(n)),
        (Rule::MoreThan { numerator: 0, denominator: 1 }, 1),
        (Rule::MoreThan { numerator: 1, denominator: 2 }, n / 2 + 1),
    ];
    rules.extend((1..=n).map(|k| (Rule::AtLeast(k), k)));
    rules
}

#[test]
fn every_rule_is_plain_arithmetic_for_every_set_up_to_forty() {
    for n in 1..=40 {
        let set = Set::of_seats(n).unwrap();
        for (rule, least) in rules(n as u64) {
            for signers in 0..=n {
                let expected = signers as u64 >= least;
                assert_eq!(decided(&set, rule, 0..signers), expected, "{rule:?}: {signers} of {n}");
                // The last members count as the first do.
                assert_eq!(decided(&set, rule, n - signers..n), expected, "{rule:?}: last {signers} of {n}");
            }
        }
    }
}

/// The check above, given a tally with a planted bug: a quorum that is one signer short.
#[test]
fn a_quorum_of_one_less_would_be_found_for_every_rule_and_every_size() {
    for n in 1..=40_u64 {
        for (rule, least) in rules(n) {
            let planted = |signers: u64| rule.holds(u128::from(signers) + 1, u128::from(n));
            let differing: Vec<_> =
                (0..n).filter(|signers| planted(*signers) != (*signers >= least)).collect();
            assert_eq!(differing, [least - 1], "{rule:?} of {n}: found exactly one below the threshold");
        }
    }
}

#[test]
fn simplex_counts_as_the_engine_does_and_as_two_thirds_strict() {
    // The table of the engine's documentation for n >= 3f + 1.
    for (n, quorum) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7), (13, 9), (21, 15)] {
        let set = Set::of_seats(n).unwrap();
        assert!(decided(&set, Rule::Simplex, 0..quorum));
        assert!(!decided(&set, Rule::Simplex, 0..quorum - 1));
        for signers in 0..=n {
            assert_eq!(
                decided(&set, Rule::Simplex, 0..signers),
                decided(&set, Rule::TwoThirdsStrict, 0..signers)
            );
        }
    }
}

#[test]
fn a_sync_committee_needs_342_of_512() {
    let set = Set::of_seats(512).unwrap();
    assert!(decided(&set, Rule::TwoThirdsInclusive, 0..342));
    assert!(!decided(&set, Rule::TwoThirdsInclusive, 0..341));
}

#[test]
fn the_refusal_names_the_least_weight_and_the_weight_found() {
    for n in 1..=40 {
        let set = Set::of_seats(n).unwrap();
        for (rule, least) in rules(n as u64) {
            let mut tally = Tally::new(&set, rule);
            for index in 0..usize::try_from(least - 1).unwrap() {
                tally.add(index).unwrap();
            }
            let refusal = tally.finish().unwrap_err();
            assert_eq!(
                refusal,
                Refusal::new(Code::QuorumNotReached).needed(least).found(least - 1),
                "{rule:?}"
            );
        }
    }
}

#[test]
fn a_repeated_or_unknown_signer_is_refused_and_changes_nothing() {
    let set = Set::of_seats(4).unwrap();
    let mut tally = Tally::new(&set, Rule::TwoThirdsStrict);
    tally.add(0).unwrap();
    tally.add(3).unwrap();
    assert_eq!(tally.add(3).unwrap_err(), Refusal::new(Code::RepeatedSigner).found(3_u64));
    assert_eq!(tally.add(4).unwrap_err(), Refusal::new(Code::UnknownSigner).needed(4_u64).found(4_u64));
    assert_eq!(tally.add(usize::MAX).unwrap_err().code, Code::UnknownSigner);
    assert_eq!((tally.weight(), tally.reached()), (2, false));
    tally.add(1).unwrap();
    let quorum = tally.finish().unwrap();
    assert_eq!(quorum.signers().collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!((quorum.weight(), quorum.total(), quorum.rule()), (3, 4, Rule::TwoThirdsStrict));
}

#[test]
fn a_set_is_not_empty_not_too_large_and_names_nobody_twice() {
    assert_eq!(Set::new::<u8>([]).unwrap_err().code, Code::EmptySet);
    assert_eq!(Set::of_seats(0).unwrap_err().code, Code::EmptySet);
    let twice = Set::new([(b"a", Weight::ONE), (b"b", Weight::ONE), (b"a", Weight::ONE)]);
    assert_eq!(twice.unwrap_err(), Refusal::new(Code::RepeatedMember).found(2_u64));
    assert_eq!(Set::of_seats(MAX_MEMBERS).unwrap().len(), MAX_MEMBERS);
    assert_eq!(Set::of_seats(MAX_MEMBERS + 1).unwrap_err().code, Code::TooMany);
    // An endless list ends at the bound.
    assert_eq!(Set::new((0_u64..).map(|key| (key, Weight::ONE))).unwrap_err().code, Code::TooMany);
}

#[test]
fn the_largest_set_of_the_largest_weights_does_not_overflow() {
    let most = Weight::new(u64::MAX).unwrap();
    let set = Set::new((0..MAX_MEMBERS).map(|key| (key, most))).unwrap();
    let third = MAX_MEMBERS / 3;
    assert_eq!(MAX_MEMBERS, 3 * third, "so that thirds are exact");
    let highest = Rule::MoreThan { numerator: u32::MAX - 1, denominator: u32::MAX };
    for (rule, least) in [
        (Rule::TwoThirdsStrict, 2 * third + 1),
        (Rule::TwoThirdsInclusive, 2 * third),
        (Rule::OneThirdStrict, third + 1),
        (Rule::Simplex, 2 * third + 1),
        (Rule::AtLeast(u64::MAX), 1),
        (highest, MAX_MEMBERS),
    ] {
        assert!(decided(&set, rule, 0..least), "{rule:?}");
        assert!(!decided(&set, rule, 0..least - 1), "{rule:?}");
    }
}

#[test]
fn nobody_is_never_a_quorum_and_a_rule_without_sense_is_found() {
    let set = Set::of_seats(3).unwrap();
    let senseless = [
        Rule::AtLeast(0),
        Rule::AtLeast(4),
        Rule::MoreThan { numerator: 0, denominator: 0 },
        Rule::MoreThan { numerator: 1, denominator: 0 },
        Rule::MoreThan { numerator: 3, denominator: 3 },
        Rule::MoreThan { numerator: 4, denominator: 3 },
    ];
    for rule in senseless {
        assert_eq!(rule.check(&set).unwrap_err().code, Code::OutOfRange, "{rule:?}");
        let refusal = Tally::new(&set, rule).finish().unwrap_err();
        assert_eq!(refusal.code, Code::QuorumNotReached, "{rule:?}");
        if rule != Rule::AtLeast(0) {
            assert!(!decided(&set, rule, 0..3), "{rule:?}");
        }
    }
    for (rule, _) in rules(3) {
        rule.check(&set).unwrap();
        assert!(!decided(&set, rule, 0..0), "{rule:?}");
    }
}

fn any_rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        Just(Rule::TwoThirdsStrict),
        Just(Rule::TwoThirdsInclusive),
        Just(Rule::OneThirdStrict),
        Just(Rule::Simplex),
        any::<u64>().prop_map(Rule::AtLeast),
        (any::<u32>(), any::<u32>())
            .prop_map(|(numerator, denominator)| Rule::MoreThan { numerator, denominator }),
    ]
}

proptest! {
    /// The families' inequalities once more, on weights, each written as what is missing instead of what
    /// is there where that is another form.
    #[test]
    fn weights_are_counted_exactly(
        members in vec((prop_oneof![1..9_u64, any::<u64>().prop_map(|weight| weight.max(1))], any::<bool>()), 1..40),
        numerator in 0..100_u32,
        denominator in 1..100_u32,
        k in prop_oneof![0..300_u64, any::<u64>()],
    ) {
        let weights: Vec<_> = members.iter().map(|(weight, _)| *weight).collect();
        let signers: Vec<_> = (0..members.len()).filter(|index| members[*index].1).collect();
        let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
        let signed: i128 = signers.iter().map(|index| i128::from(weights[*index])).sum();
        let missing = total - signed;
        let set = set_of(&weights);
        let found = |rule| decided(&set, rule, signers.iter().copied());

        prop_assert_eq!(found(Rule::TwoThirdsStrict), 3 * missing < total);
        prop_assert_eq!(found(Rule::TwoThirdsInclusive), 3 * missing <= total);
        prop_assert_eq!(found(Rule::OneThirdStrict), 3 * missing < 2 * total);
        prop_assert_eq!(found(Rule::Simplex), missing <= (total - 1) / 3);
        prop_assert_eq!(found(Rule::AtLeast(k)), signed > 0 && signed - i128::from(k) >= 0);
        let (numerator_, denominator_) = (i128::from(numerator), i128::from(denominator));
        prop_assert_eq!(
            found(Rule::MoreThan { numerator, denominator }),
            signed * denominator_ - total * numerator_ > 0
        );
    }

    #[test]
    fn nothing_makes_it_panic(
        weights in vec(1..=u64::MAX, 1..20),
        rule in any_rule(),
        signers in vec(any::<usize>(), 0..20),
        near in vec(0..25_usize, 0..40),
    ) {
        let set = set_of(&weights);
        let mut tally = Tally::new(&set, rule);
        let mut counted = 0;
        for index in signers.into_iter().chain(near) {
            counted += usize::from(tally.add(index).is_ok());
        }
        match tally.finish() {
            Ok(quorum) => prop_assert_eq!(quorum.signers().count(), counted),
            Err(refusal) => prop_assert_eq!(refusal.code, Code::QuorumNotReached),
        }
    }

    #[test]
    fn the_order_of_signers_changes_nothing(
        weights in vec(1..1_000_u64, 1..20),
        rule in any_rule(),
        order in Just((0..20_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let set = set_of(&weights);
        let within: Vec<_> = order.into_iter().filter(|index| *index < weights.len()).collect();
        let half = &within[..within.len() / 2];
        let mut sorted = half.to_vec();
        sorted.sort_unstable();
        prop_assert_eq!(decided(&set, rule, half.iter().copied()), decided(&set, rule, sorted));
    }
}
