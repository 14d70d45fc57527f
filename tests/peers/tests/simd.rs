//! A real Cosmos SDK chain: what its stores hold is proved into the headers that its validator signed.

mod judge;

use zeugma_peers::{Simd, SimdOptions, StoreQuery, balances_key};

#[test]
fn balances_present_and_absent_are_proved_into_the_next_header() {
    let chain = Simd::start(&SimdOptions::default()).unwrap();
    let bob = chain.address("bob").unwrap();
    let sent = chain.send("alice", &bob, 7, "uzeu").unwrap();

    let shown = chain.rest(&format!("/cosmos/bank/v1beta1/balances/{bob}/by_denom?denom=uzeu")).unwrap();
    assert_eq!(shown["balance"]["amount"], "1000000007");

    let rpc = chain.rpc();
    let proved = |key: &[u8], height| chain.prove(&StoreQuery { store: "bank", key, height }).unwrap();
    let root = |height: u64| rpc.header(height + 1).unwrap()["app_hash"].as_str().unwrap().to_owned();

    let account = balances_key(&bob).unwrap();
    let key = [&account[..], b"uzeu"].concat();
    let (before, after) = (proved(&key, sent.height - 1), proved(&key, sent.height));
    assert_eq!(judge::member(&before, "bank", &key, &root(sent.height - 1)).unwrap(), b"1000000000");
    assert_eq!(judge::member(&after, "bank", &key, &root(sent.height)).unwrap(), b"1000000007");
    assert!(judge::member(&after, "bank", &key, &root(sent.height - 1)).is_err(), "another state's root");

    // Between bob's own `stake` and `uzeu`. A neighbour without a value, as in the bank's index of holders that follows
    // the balances, would not do: ICS-23 cannot show a leaf with an empty value.
    let absent = [&account[..], b"tin"].concat();
    let nothing = proved(&absent, sent.height);
    judge::absent(&nothing, "bank", &absent, &root(sent.height)).unwrap();
    assert!(judge::absent(&nothing, "bank", &key, &root(sent.height)).is_err(), "a key that is there");
    chain.stop().unwrap();
}

#[test]
fn a_refused_message_says_what_the_chain_said() {
    let chain = Simd::start(&SimdOptions::default()).unwrap();
    let bob = chain.address("bob").unwrap();
    let refusal = format!("{:#}", chain.send("alice", &bob, u64::MAX, "uzeu").unwrap_err());
    assert!(refusal.contains("insufficient funds"), "{refusal}");
}
