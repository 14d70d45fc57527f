//! Every shipped profile makes a client; what a family would refuse is refused in the words of the file.

use proptest::prelude::*;
use std::collections::BTreeSet;
use zeugma_adapter_cometbft::{CometBft, Store, TrustLevel};
use zeugma_adapter_core::Family as _;
use zeugma_adapter_ethereum::Ethereum;
use zeugma_adapter_ethereum::fork::{Activation, Chain, Fork};
use zeugma_adapter_zeugma::Zeugma;
use zeugma_profiles::{Error, Profile, SHIPPED, parse, read, shipped};
use zeugma_types::{BlockTime, Decode as _, NetworkId, Span};

const NETWORK: NetworkId = NetworkId::new([0xa7; 32]);

const COMETBFT: &str = r#"family = "cometbft"
chain_id = "hub-4"
trust_level = [1, 3]
trusting_period_seconds = 200
unbonding_period_seconds = 300
max_drift_seconds = 10
store = "cosmos"
"#;

const ETHEREUM: &str = r#"family = "ethereum"
genesis_validators_root = "0x4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b"
genesis_time = 1_600_000_000
slot_milliseconds = 12_000
slots_per_epoch = 32
epochs_per_period = 256
committee_size = 512
forks = [
    { name = "altair", version = "0x01000000", epoch = 10 },
    { name = "capella", version = "0x02000000", epoch = 20 },
]
router = "0x1111111111111111111111111111111111111111"
commitments_slot = "0x2222222222222222222222222222222222222222222222222222222222222222"
trusting_period_seconds = 200
weak_subjectivity_period_seconds = 300
max_drift_seconds = 12
"#;

fn zeugma() -> String {
    format!(
        "family = \"zeugma\"\nnetwork = \"{NETWORK}\"\ntrusting_period_seconds = 600\nmax_drift_seconds = 5\n"
    )
}

/// The folder and the table of the program are the same files, and each makes a client.
#[test]
fn every_shipped_profile_makes_a_client() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../adapters/profiles");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let profile = read(&path, Some(NETWORK)).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(
            Some(profile.clone()),
            shipped(&name).map(|text| parse(text, Some(NETWORK)).expect("it is the same"))
        );
        // What the state will hold is read again as the ledger reads it.
        match &profile {
            Profile::CometBft(held) => {
                assert_eq!(&zeugma_adapter_cometbft::Profile::from_bytes(&profile.body()), &Ok(held.clone()));
            }
            Profile::Ethereum(held) => {
                assert_eq!(&zeugma_adapter_ethereum::Profile::from_bytes(&profile.body()), &Ok(held.clone()));
            }
            Profile::Zeugma(held) => {
                assert_eq!(zeugma_adapter_zeugma::Profile::from_bytes(&profile.body()), Ok(*held));
                assert_eq!(held.network, NETWORK);
            }
        }
        files.insert(name);
    }
    assert_eq!(files, SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect());
    assert!(files.len() >= 7, "{files:?}");
}

#[test]
fn a_profile_has_the_canonical_body_that_the_state_holds() {
    let body = parse(COMETBFT, None).expect("a good profile").body();
    let expected = [
        &[0, 0, 0, 5][..],
        b"hub-4",
        &[0, 0, 0, 1, 0, 0, 0, 3],
        &200_000_u64.to_be_bytes(),
        &300_000_u64.to_be_bytes(),
        &10_000_u64.to_be_bytes(),
        &[1],
    ];
    assert_eq!(body, expected.concat());
    let body = parse(&zeugma(), None).expect("a good profile").body();
    assert_eq!(body, [&[0xa7; 32][..], &600_000_u64.to_be_bytes(), &5_000_u64.to_be_bytes()].concat());
}

/// One line changed, and what the refusal must name: the key, what was found, what is needed.
#[test]
fn what_is_wrong_is_refused_with_its_key_and_both_values() {
    let cometbft = [
        ("family = \"cometbft\"", "family = \"tendermint\"", &["`family`", "\"tendermint\"", "cometbft"][..]),
        ("family = \"cometbft\"\n", "", &["`family`", "missing"]),
        ("family = \"cometbft\"", "family = 1", &["`family`", "is 1"]),
        ("\"hub-4\"", "\"\"", &["`chain_id`", "\"\"", "1 to 50"]),
        ("\"hub-4\"", "\"two words\"", &["`chain_id`", "two words", "visible"]),
        ("\"hub-4\"", "\"höb-4\"", &["`chain_id`", "visible"]),
        ("[1, 3]", "[33, 100]", &["`trust_level`", "[33, 100]", "[1, 3] to [1, 1]"]),
        ("[1, 3]", "[4, 3]", &["`trust_level`", "[4, 3]"]),
        ("[1, 3]", "[0, 0]", &["`trust_level`", "[0, 0]"]),
        ("[1, 3]", "[1, 3, 1]", &["`trust_level`", "[1, 3, 1]"]),
        ("[1, 3]", "[-1, -3]", &["`trust_level`", "[-1, -3]"]),
        ("[1, 3]", "[4294967297, 3]", &["`trust_level`", "4294967297"]),
        ("[1, 3]", "\"1/3\"", &["`trust_level`", "1/3"]),
        (
            "= 200",
            "= 201",
            &["`trusting_period_seconds`", "201", "1 to 200", "`unbonding_period_seconds` = 300"],
        ),
        ("= 200", "= 0", &["`trusting_period_seconds`", "is 0"]),
        ("= 200", "= -200", &["`trusting_period_seconds`", "-200", "whole seconds"]),
        ("= 200", "= 200.0", &["`trusting_period_seconds`", "200.0", "whole seconds"]),
        ("= 200", "= \"200\"", &["`trusting_period_seconds`", "\"200\"", "whole seconds"]),
        ("= 300", "= 299", &["`trusting_period_seconds`", "200", "199", "299"]),
        (
            "= 300",
            "= 9223372036854775807",
            &["`unbonding_period_seconds`", "9223372036854775807", "3162240000"],
        ),
        ("= 10", "= 4", &["`max_drift_seconds`", "is 4", "5 to 40"]),
        ("= 10", "= 41", &["`max_drift_seconds`", "is 41", "5 to 40"]),
        ("= 200", "= 10", &["`max_drift_seconds`", "is 10", "`trusting_period_seconds` = 10"]),
        ("\"cosmos\"", "\"Cosmos\"", &["`store`", "\"Cosmos\"", "\"cosmos\""]),
        ("store", "stores", &["`store`", "missing"]),
        ("store", "network = \"x\"\nstore", &["`network`", "is no key", "chain_id"]),
        ("store", "[inner]\nstore", &["`store`", "missing"]),
        ("store", "chain_id = \"hub-5\"\nstore", &["no TOML", "duplicate key"]),
        ("store = ", "store ", &["no TOML", "line 7"]),
    ];
    let hex = NETWORK.to_string();
    let network = [
        (hex.as_str(), "a7", &["`network`", "\"a7\"", "64 hex digits"][..]),
        (
            &hex,
            "0000000000000000000000000000000000000000000000000000000000000000",
            &["`network`", "not all zero"],
        ),
        (
            &hex,
            "g7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7",
            &["`network`", "64 hex digits"],
        ),
        ("= 600", "= 59", &["`trusting_period_seconds`", "59", "60 to 31622400"]),
        ("= 600", "= 31622401", &["`trusting_period_seconds`", "31622401"]),
        ("= 5", "= 0", &["`max_drift_seconds`", "is 0", "1 to 60"]),
        ("= 5", "= 61", &["`max_drift_seconds`", "is 61", "1 to 60"]),
        ("network", "chain_id", &["`network`", "missing", "trust file"]),
        ("network", "store = \"cosmos\"\nnetwork", &["`store`", "is no key"]),
    ];
    let ethereum = [
        ("0x4b", "4b4b", &["`genesis_validators_root`", "0x and 64 hex digits"][..]),
        ("0x4b", "0x", &["`genesis_validators_root`", "0x and 64 hex digits"]),
        (
            "\"0x4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b\"",
            "\"0x0000000000000000000000000000000000000000000000000000000000000000\"",
            &["`genesis_validators_root`", "zero"],
        ),
        ("1_600_000_000", "9_223_372_036_854_775_807", &["`genesis_time`", "316224000000"]),
        ("12_000", "0", &["`slot_milliseconds`", "is 0", "1 to 3600000"]),
        ("= 32\n", "= 0\n", &["`slots_per_epoch`", "is 0", "1 to 4294967295"]),
        ("= 256", "= 4294967296", &["`epochs_per_period`", "4294967296"]),
        ("= 512", "= 500", &["`committee_size`", "500", "power of two"]),
        ("= 512", "= 1024", &["`committee_size`", "1024", "32 to 512"]),
        ("\"altair\"", "\"phase0\"", &["`forks`", "phase0", "altair, bellatrix"]),
        ("\"altair\"", "\"deneb\"", &["`forks`", "after \"deneb\""]),
        ("epoch = 20", "epoch = 9", &["`forks`", "epoch 10", "no earlier epoch"]),
        ("0x02000000", "0x01000000", &["`forks`", "another version"]),
        ("0x02000000", "0x0200", &["`forks`", "8 hex digits"]),
        ("epoch = 20", "epoch = 20, more = 1", &["`forks`", "exactly"]),
        ("epoch = 20", "epoch = -1", &["`forks`", "exactly"]),
        ("forks = [", "forks = [] # [", &["no TOML"]),
        ("0x1111111111111111111111111111111111111111", "0x11", &["`router`", "40 hex digits"]),
        (
            "0x1111111111111111111111111111111111111111",
            "0x0000000000000000000000000000000000000000",
            &["`router`", "zero address"],
        ),
        ("0x22", "0xzz", &["`commitments_slot`", "64 hex digits"]),
        ("= 200", "= 201", &["`trusting_period_seconds`", "201", "1 to 200", "= 300"]),
        ("= 200", "= 0", &["`trusting_period_seconds`", "is 0"]),
        ("= 12\n", "= 0\n", &["`max_drift_seconds`", "is 0", "1 to 60"]),
        ("= 12\n", "= 61\n", &["`max_drift_seconds`", "is 61", "1 to 60"]),
        ("= 200", "= 12", &["`max_drift_seconds`", "is 12", "`trusting_period_seconds` = 12"]),
        ("router", "network = \"x\"\nrouter", &["`network`", "is no key"]),
    ];
    let zeugma = zeugma();
    let cases = cometbft.into_iter().map(|case| (COMETBFT, case));
    let cases = cases.chain(ethereum.into_iter().map(|case| (ETHEREUM, case)));
    for (text, (from, to, words)) in cases.chain(network.into_iter().map(|case| (zeugma.as_str(), case))) {
        assert!(text.contains(from), "{from:?} is no part of the good profile");
        let why = parse(&text.replacen(from, to, 1), None).expect_err(to).to_string();
        for word in words {
            assert!(why.contains(word), "{from:?} -> {to:?}: needed {word:?} in {why:?}");
        }
    }
}

#[test]
fn the_network_of_a_trust_file_stands_in_for_the_key_and_never_against_it() {
    let without = zeugma().lines().filter(|line| !line.starts_with("network")).collect::<Vec<_>>().join("\n");
    assert!(matches!(parse(&without, None), Err(Error::Missing { key: "network", .. })));
    let other = NetworkId::new([1; 32]);
    assert_eq!(parse(&without, Some(other)).expect("a good profile").follows(), other.to_string());
    assert!(parse(&zeugma(), Some(NETWORK)).is_ok());
    let why = parse(&zeugma(), Some(other)).expect_err("two networks").to_string();
    assert!(why.contains(&NETWORK.to_string()) && why.contains(&other.to_string()), "{why}");
}

#[test]
fn a_file_that_is_too_long_or_not_there_is_refused_by_its_path() {
    let folder = std::env::temp_dir().join(format!("zeugma-profiles-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("long.toml");
    let long = format!("# {}\n{COMETBFT}", "x".repeat(64 * 1024));
    std::fs::write(&path, long).expect("it is written");
    let why = read(&path, None).expect_err("too long").to_string();
    assert!(why.contains("long.toml") && why.contains("65536"), "{why}");
    let why = read(&folder.join("none.toml"), None).expect_err("not there").to_string();
    assert!(why.contains("none.toml"), "{why}");
    std::fs::remove_dir_all(folder).expect("it goes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The oracle is the family's check of the same numbers: no profile passes one and not the other.
    #[test]
    fn a_cometbft_file_is_a_profile_exactly_when_its_family_takes_it(
        trusting in 0_u64..70,
        unbonding in 0_u64..100,
        drift in 0_u64..45,
        level in (0_u32..5, 0_u32..8),
        id in "[a-z -]{0,6}",
    ) {
        let text = format!(
            "family = \"cometbft\"\nchain_id = \"{id}\"\ntrust_level = [{}, {}]\ntrusting_period_seconds = {trusting}\n\
             unbonding_period_seconds = {unbonding}\nmax_drift_seconds = {drift}\nstore = \"simple\"\n",
            level.0, level.1,
        );
        let held = TrustLevel::new(level.0, level.1).map(|trust_level| zeugma_adapter_cometbft::Profile {
            chain_id: id.clone(),
            trust_level,
            trusting_period: Span::seconds(trusting),
            unbonding_period: Span::seconds(unbonding),
            max_drift: Span::seconds(drift),
            store: Store::Simple,
        });
        let taken = held.and_then(|held| CometBft::check_profile(&held).map(|()| Profile::CometBft(held)));
        match (parse(&text, None), taken) {
            (Ok(typed), Ok(held)) => prop_assert_eq!(typed, held),
            (Err(Error::Refused(refusal)), _) => prop_assert!(false, "only the family saw {}", refusal),
            (Err(_), Err(_)) => {}
            (typed, held) => prop_assert!(false, "{:?} and {:?}", typed, held),
        }
    }

    #[test]
    fn an_ethereum_file_is_a_profile_exactly_when_its_family_takes_it(
        trusting in 0_u64..70,
        subjective in 0_u64..100,
        drift in 0_u64..65,
        numbers in (0_u64..3, 0_u32..3, 0_u32..3, prop::sample::select(vec![16_u32, 32, 33, 512, 1024])),
        forks in prop::collection::vec((0..7_usize, 0..3_u8, 0..3_u64), 0..4),
        zeros in (any::<bool>(), any::<bool>()),
    ) {
        let (slot, slots, epochs, seats) = numbers;
        let (root, router) = ([u8::from(!zeros.0); 32], [u8::from(!zeros.1); 20]);
        let forks: Vec<_> = forks.into_iter()
            .map(|(fork, version, epoch)| Activation { fork: Fork::ALL[fork], version: [version; 4], epoch })
            .collect();
        let typed: Vec<_> = forks.iter().map(|each| {
            let version = hex::encode(each.version);
            format!("{{ name = \"{}\", version = \"0x{version}\", epoch = {} }}", each.fork.name(), each.epoch)
        }).collect();
        let text = format!(
            "family = \"ethereum\"\ngenesis_validators_root = \"0x{}\"\ngenesis_time = 7\nslot_milliseconds = {slot}\n\
             slots_per_epoch = {slots}\nepochs_per_period = {epochs}\ncommittee_size = {seats}\nforks = [{}]\n\
             router = \"0x{}\"\ncommitments_slot = \"0x{}\"\ntrusting_period_seconds = {trusting}\n\
             weak_subjectivity_period_seconds = {subjective}\nmax_drift_seconds = {drift}\n",
            hex::encode(root), typed.join(", "), hex::encode(router), hex::encode([9; 32]),
        );
        let held = zeugma_adapter_ethereum::Profile {
            chain: Chain {
                genesis_validators_root: root,
                genesis_time: BlockTime::new(7_000),
                slot_time: Span::millis(slot),
                slots_per_epoch: slots,
                epochs_per_period: epochs,
                committee_size: seats,
                forks,
            },
            router,
            commitments: [9; 32],
            trusting_period: Span::seconds(trusting),
            weak_subjectivity_period: Span::seconds(subjective),
            max_drift: Span::seconds(drift),
        };
        match (parse(&text, None), Ethereum::check_profile(&held)) {
            (Ok(typed), Ok(())) => prop_assert_eq!(typed, Profile::Ethereum(held)),
            (Err(Error::Refused(refusal)), _) => prop_assert!(false, "only the family saw {}", refusal),
            (Err(_), Err(_)) => {}
            (typed, held) => prop_assert!(false, "{:?} and {:?}", typed, held),
        }
    }

    #[test]
    fn a_zeugma_file_is_a_profile_exactly_when_its_family_takes_it(
        trusting in prop_oneof![0_u64..130, 31_622_300_u64..31_622_500],
        drift in 0_u64..70,
    ) {
        let text = format!("family = \"zeugma\"\ntrusting_period_seconds = {trusting}\nmax_drift_seconds = {drift}\n");
        let held = zeugma_adapter_zeugma::Profile {
            network: NETWORK,
            trusting_period: Span::seconds(trusting),
            drift: Span::seconds(drift),
        };
        match (parse(&text, Some(NETWORK)), Zeugma::check_profile(&held)) {
            (Ok(typed), Ok(())) => prop_assert_eq!(typed, Profile::Zeugma(held)),
            (Err(Error::Refused(refusal)), _) => prop_assert!(false, "only the family saw {}", refusal),
            (Err(_), Err(_)) => {}
            (typed, held) => prop_assert!(false, "{:?} and {:?}", typed, held),
        }
    }
}
