//! Facts: one encoding, bounds before memory, and nothing that differs between machines.

use proptest::prelude::*;
use std::collections::BTreeMap;
use zeugma_evidence_rules::{Facts, Value};
use zeugma_types::{Code, Decode, Encode};

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        any::<i64>().prop_map(Value::Number),
        ".{0,20}".prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map("[a-z_]{1,6}", inner, 0..4).prop_map(Value::Map),
        ]
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    prop::collection::btree_map("[a-z_]{1,6}", value(), 0..6)
        .prop_map(|map| Facts::new(map).expect("small facts keep the bounds"))
}

proptest! {
    #[test]
    fn facts_decode_to_themselves_and_their_json_view_reads_back(facts in facts()) {
        prop_assert_eq!(&Facts::from_bytes(&facts.to_bytes()).unwrap(), &facts);
        prop_assert_eq!(&Facts::from_json(&facts.to_json().to_string()).unwrap(), &facts);
    }

    #[test]
    fn no_bytes_make_the_decoder_panic_and_what_decodes_encodes_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(facts) = Facts::from_bytes(&bytes) {
            prop_assert_eq!(facts.to_bytes(), bytes);
        }
    }
}

#[test]
fn json_with_a_fraction_null_or_a_name_twice_is_refused() {
    for (text, part) in [
        (r#"{"a": 1.5}"#, "floating point"),
        (r#"{"a": null}"#, "null"),
        (r#"{"a": 1, "a": 2}"#, "given twice"),
        (r#"{"a": 18446744073709551615}"#, "18446744073709551615"),
        ("[1]", "a map is asked"),
        (r#"{"a b": 1}"#, "a name is 1 to 64"),
    ] {
        let error = Facts::from_json(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn names_out_of_order_are_refused_with_their_code() {
    let ordered = Facts::from_json(r#"{"a": true, "b": true}"#).unwrap().to_bytes();
    let mut swapped = ordered.clone();
    // Each name stands after the count and its own length.
    swapped[8] = b'b';
    swapped[8 + 7] = b'a';
    assert_eq!(Facts::from_bytes(&swapped).unwrap_err().code, Code::NotSorted);
}

#[test]
fn depth_and_length_above_their_bounds_are_refused_by_both_readers() {
    let mut deep = Value::Number(1);
    for _ in 0..8 {
        deep = Value::List(vec![deep]);
    }
    let map = BTreeMap::from([("a".to_owned(), deep)]);
    assert!(Facts::new(map).unwrap_err().to_string().contains("depth"));
    let nested = format!("{}1{}", "[".repeat(9), "]".repeat(9));
    assert!(Facts::from_json(&format!("{{\"a\": {nested}}}")).is_err());
    let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 1, b'a'];
    for _ in 0..9 {
        bytes.extend([3, 0, 0, 0, 1]);
    }
    bytes.extend([0, 1]);
    assert_eq!(Facts::from_bytes(&bytes).unwrap_err().code, Code::TooMany);
    assert!(Facts::from_json(&format!("{{\"a\": \"{}\"}}", "x".repeat(9_000))).is_err());
}
