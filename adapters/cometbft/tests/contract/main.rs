//! CometBFT passes the contract test of all families, and families broken on purpose do not.

mod broken;
mod fixture;
mod forgeries;
mod store_forgeries;

use broken::{
    AcceptsAnyAbsence, AcceptsBadSignatures, AcceptsOneBelowQuorum, Broken, Defect, FreezesOnOneHeader,
    NeverExpires, PanicsOnShortProofs, SkipsChainId, SkipsTrustLevel,
};
use fixture::Net;
use std::collections::BTreeSet;
use zeugma_adapter_cometbft::CometBft;
use zeugma_adapter_core::testkit;

#[test]
fn cometbft_passes_the_contract_of_all_families() {
    let report = testkit::run(&Net::<CometBft>::new());
    println!("{report}");
    report.require_clean();
}

/// Which of these items find the defect.
fn items_found<D: Defect>(items: &[u8]) -> BTreeSet<u8> {
    let report = testkit::run_items(&Net::<Broken<D>>::new(), items);
    println!("{report}");
    report.failed_items()
}

#[track_caller]
fn assert_found<D: Defect>(item: u8) {
    assert!(items_found::<D>(&[item]).contains(&item), "item {item} did not find it");
}

#[test]
fn a_quorum_minus_one_is_found_at_the_threshold() {
    assert_found::<AcceptsOneBelowQuorum>(6);
}

#[test]
fn a_skipped_chain_identifier_is_found_by_the_update_of_another_chain() {
    assert_found::<SkipsChainId>(11);
}

#[test]
fn a_skipped_trust_level_is_found_at_the_threshold() {
    assert_found::<SkipsTrustLevel>(6);
}

#[test]
fn accepted_bad_signatures_are_found_by_flipped_bytes_and_strangers() {
    assert_eq!(items_found::<AcceptsBadSignatures>(&[2, 5, 14]), BTreeSet::from([2, 5, 14]));
}

#[test]
fn freezing_on_one_header_is_found_by_evidence_that_differs_in_encoding() {
    assert_found::<FreezesOnOneHeader>(13);
}

#[test]
fn accepted_absences_are_found_as_the_opposite_of_existences() {
    assert_found::<AcceptsAnyAbsence>(11);
}

#[test]
fn a_client_that_never_expires_is_found_by_its_status() {
    assert_found::<NeverExpires>(0);
}

#[test]
fn a_panic_is_found_and_does_not_stop_the_battery() {
    assert_found::<PanicsOnShortProofs>(1);
}
