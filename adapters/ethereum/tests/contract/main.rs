//! Ethereum passes the contract test of all families, and families broken on purpose do not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod fixture;
mod forgeries;

use broken::{
    AcceptsBadSignatures, AcceptsOneBelowQuorum, AcceptsShortAbsences, Broken, Defect, FreezesOnOneHeader,
    IgnoresTheChain,
};
use fixture::Net;
use std::collections::BTreeSet;
use zeugma_adapter_core::testkit;
use zeugma_adapter_ethereum::Ethereum;

#[test]
fn ethereum_passes_the_contract_of_all_families() {
    let report = testkit::run(&Net::<Ethereum>::new());
    println!("{report}");
    report.require_clean();
}

/// Which of these items find the defect.
fn items_found<D: Defect>(items: &[u8]) -> BTreeSet<u8> {
    let report = testkit::run_items(&Net::<Broken<D>>::new(), items);
    println!("{report}");
    report.failed_items()
}

#[test]
fn accepted_bad_signatures_are_found_by_changed_fields_and_strangers() {
    assert_eq!(items_found::<AcceptsBadSignatures>(&[4, 5]), BTreeSet::from([4, 5]));
}

#[test]
fn a_quorum_minus_one_is_found_at_the_threshold() {
    assert_eq!(items_found::<AcceptsOneBelowQuorum>(&[6]), BTreeSet::from([6]));
}

#[test]
fn an_ignored_chain_is_found_by_the_update_of_another() {
    assert_eq!(items_found::<IgnoresTheChain>(&[11]), BTreeSet::from([11]));
}

#[test]
fn freezing_on_one_header_is_found_by_evidence_that_differs_elsewhere() {
    assert_eq!(items_found::<FreezesOnOneHeader>(&[13]), BTreeSet::from([13]));
}

#[test]
fn absences_that_were_cut_short_are_found() {
    assert_eq!(items_found::<AcceptsShortAbsences>(&[16]), BTreeSet::from([16]));
}
