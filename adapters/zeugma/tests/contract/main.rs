//! A Zeugma chain passes the contract test of all families, and families broken on purpose do not.

mod broken;
mod fixture;
mod forgeries;
mod group;
mod leaf_forgeries;

use broken::{
    AcceptsAnyAbsence, AcceptsBadSignatures, AcceptsRetiredKeys, Broken, Defect, FreezesOnOneHeader,
    NeverExpires, PanicsOnShortProofs, SkipsNetwork,
};
use fixture::Net;
use std::collections::BTreeSet;
use zeugma_adapter_core::testkit;
use zeugma_adapter_zeugma::Zeugma;

#[test]
fn a_zeugma_chain_passes_the_contract_of_all_families() {
    let report = testkit::run(&Net::<Zeugma>::new());
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
fn accepted_bad_signatures_are_found_by_repeated_and_strange_shares_at_the_threshold_and_in_evidence() {
    assert_eq!(items_found::<AcceptsBadSignatures>(&[4, 5, 6, 14]), BTreeSet::from([4, 5, 6, 14]));
}

#[test]
fn an_accepted_retired_key_is_found_by_stale_updates() {
    assert_found::<AcceptsRetiredKeys>(12);
}

#[test]
fn a_skipped_network_is_found_by_the_update_of_another_chain() {
    assert_found::<SkipsNetwork>(11);
}

#[test]
fn freezing_on_one_header_is_found_by_evidence_of_two_views() {
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
