//! The worked examples of `docs/byte-layout.md`, sections 14 to 16, are what this crate writes.
//!
//! Each example is a table of parts whose bytes, put together by the words of the page alone, must be the bytes of the
//! ledger's own encoding. `ZEUGMA_BLESS=1` writes the tables anew.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fmt::Write as _;
use std::path::Path;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_crypto::hash::framed;
use zeugma_ledger::bounded::{List, Text};
use zeugma_ledger::gov::Parameters;
use zeugma_ledger::registry::Kind;
use zeugma_ledger::tx::{SetDigest, SignedBody, Until};
use zeugma_ledger::{Checked, Founder, Genesis, Role, Roles, Slot, Transaction, Validator, account_of};
use zeugma_types::{BlockTime, ClientId, Cost, Decode as _, Encode as _, Height, Purpose, Sequence};

/// Name and bytes of each part, in order.
type Parts = Vec<(String, Vec<u8>)>;

fn part(name: &str, bytes: impl Into<Vec<u8>>) -> (String, Vec<u8>) {
    (name.into(), bytes.into())
}

fn number(name: &str, value: u64) -> (String, Vec<u8>) {
    part(&format!("{name} = {value}"), value.to_be_bytes())
}

fn short(name: &str, value: u16) -> (String, Vec<u8>) {
    part(&format!("{name} = {value}"), value.to_be_bytes())
}

fn count(name: &str, value: u32) -> (String, Vec<u8>) {
    part(&format!("{name}: {value}"), value.to_be_bytes())
}

fn words(name: &str, text: &str) -> (String, Vec<u8>) {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    part(&format!("{name} `{text}`"), [&length[..], text.as_bytes()].concat())
}

fn joined(parts: &Parts) -> Vec<u8> {
    parts.iter().flat_map(|(_, bytes)| bytes.clone()).collect()
}

fn table(parts: &Parts) -> String {
    let mut out = String::from("| part | bytes |\n|---|---|\n");
    for (name, bytes) in parts {
        writeln!(out, "| {name} | `{}` |", hex::encode(bytes)).unwrap();
    }
    out
}

#[track_caller]
fn require_on_page(example: &str, needed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/byte-layout.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let start = format!("<!-- generated: example {example} -->\n");
    let (before, rest) = page.split_once(&start).expect("the page has the example");
    let (found, after) = rest.split_once("<!-- end -->\n").expect("the example ends");
    if std::env::var_os("ZEUGMA_BLESS").is_some() && found != needed {
        std::fs::write(&path, format!("{before}{start}{needed}<!-- end -->\n{after}")).unwrap();
        return;
    }
    assert_eq!(found, needed, "{example}: docs/byte-layout.md is not that of the source: ZEUGMA_BLESS=1");
}

fn key() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn genesis() -> Genesis {
    let public = *key().public().as_bytes();
    let text = |text| Text::new(text).unwrap();
    let validator = Validator { name: text("court"), role: text("operator"), key: public };
    let founder = Founder { key: public, roles: Roles::of(Role::ALL) };
    let genesis = Genesis {
        version: 1,
        name: text("example"),
        time: BlockTime::new(1_767_225_600_000),
        epoch_length: 3_600,
        validators: List::new(vec![validator]).unwrap(),
        accounts: List::new(vec![founder]).unwrap(),
        parameters: Parameters { families: List::new(vec![1, 2]).unwrap(), ..Parameters::default() },
    };
    genesis.check().unwrap();
    genesis
}

fn parameters() -> Parts {
    vec![
        number("block cost", 500_000),
        number("transaction cost", 400_000),
        number("allowance capacity", 1_000_000),
        number("allowance per second", 100_000),
        number("recovery delay", 86_400_000),
        short("governors needed", 1),
        number("notice", 100),
        number("proposal lifetime", 604_800),
        part("open submission: refused", [0]),
        count("families", 2),
        short("family", 1),
        short("family", 2),
    ]
}

#[test]
fn the_genesis_of_the_page_is_what_is_written() {
    let public = *key().public().as_bytes();
    let mut parts = vec![
        short("version", 1),
        words("name", "example"),
        number("time", 1_767_225_600_000),
        number("epoch length", 3_600),
        count("validators", 1),
        words("name", "court"),
        words("role", "operator"),
        part("key", public),
        count("accounts", 1),
        part("key", public),
        part("roles: all seven", [0, 0x7f]),
    ];
    parts.extend(parameters());
    let genesis = genesis();
    assert_eq!(joined(&parts), genesis.to_bytes());
    assert_eq!(Genesis::read(&joined(&parts)), Ok(genesis.clone()));
    let network = framed(Purpose::Genesis, &[&joined(&parts)]);
    assert_eq!(network, *genesis.network().as_bytes());
    parts.push(part("the network", network));
    require_on_page("genesis", &table(&parts));
}

#[test]
fn the_transaction_of_the_page_is_what_is_written() {
    let (key, genesis) = (key(), genesis());
    let set = SetDigest { kind: Kind::RulePack, name: Text::new("evidence").unwrap(), digest: [7; 32] };
    let body = SignedBody {
        network: genesis.network(),
        key: *key.public().as_bytes(),
        sequence: 1,
        until: Until::NEVER,
        cost_limit: Cost::new(5_000),
        messages: List::new(vec![set.into()]).unwrap(),
    };
    let transaction = Transaction::sign(body, &key);
    let bytes = transaction.to_bytes();
    let mut parts = vec![
        part("signed", [1]),
        part("network: that of section 15", *genesis.network().as_bytes()),
        part("key", *key.public().as_bytes()),
        number("sequence", 1),
        part("until height: no bound", [0xff; 8]),
        part("until time: no bound", [0xff; 8]),
        number("cost limit", 5_000),
        count("messages", 1),
        part("set-digest", [40]),
        part("kind: rule pack", [2]),
        words("name", "evidence"),
        part("digest", [7; 32]),
    ];
    let digest = framed(Purpose::Transaction, &[&joined(&parts)]);
    let signature = bytes[bytes.len() - 64..].to_vec();
    parts.push(part("signature", signature));
    assert_eq!(joined(&parts), bytes);
    assert_eq!(Transaction::from_bytes(&bytes), Ok(transaction));
    let checked = Checked::new(&bytes).unwrap();
    assert_eq!((checked.digest(), checked.account()), (&digest, Some(&account_of(key.public().as_bytes()))));
    parts.push(part("the digest", digest));
    parts.push(part("the account", *checked.account().unwrap().as_bytes()));
    require_on_page("transaction", &table(&parts));
}

#[test]
fn the_state_of_the_page_is_what_is_written() {
    let account = account_of(key().public().as_bytes());
    let with = |tag: u8, rest: &[&[u8]]| [&[tag][..], &rest.concat()].concat();
    let mut records = vec![
        (with(0x01, &[]), joined(&parameters()), "parameters"),
        (
            with(0x02, &[account.as_bytes()]),
            [
                &[0, 0x7f][..],
                &0_u64.to_be_bytes(),
                &1_u128.to_be_bytes(),
                &0_u128.to_be_bytes(),
                &1_000_000_000_u64.to_be_bytes(),
                &1_767_225_600_000_u64.to_be_bytes(),
            ]
            .concat(),
            "the account: sequence 0 counts as used, the bucket is full",
        ),
        (
            with(0x03, &[]),
            [&1_u32.to_be_bytes()[..], &1_u32.to_be_bytes(), &1_u64.to_be_bytes(), &0_u64.to_be_bytes()]
                .concat(),
            "counters",
        ),
        (with(0x04, &[]), vec![0; 4], "nothing waits"),
    ];
    let written = genesis().state();
    let found: Vec<_> =
        written.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.clone().unwrap())).collect();
    assert_eq!(found, records.iter().map(|(key, value, _)| (key.clone(), value.clone())).collect::<Vec<_>>());

    let client = ClientId::new("zeugma-0").unwrap();
    let (five, name) = (Sequence::new(5), b"\x08zeugma-0");
    let at = |tag| with(tag, &[name, &5_u64.to_be_bytes()]);
    let places = [
        (Slot::Client(&client), with(0x10, &[name]), "client"),
        (Slot::ClientState(&client, Height::new(5)), at(0x11), "trusted state of height 5"),
        (Slot::NextSend(&client), with(0x20, &[name]), "next sequence"),
        (Slot::Commitment(&client, five), at(0x21), "commitment"),
        (Slot::Receipt(&client, five), at(0x22), "receipt slot"),
        (Slot::Acknowledgement(&client, five), at(0x23), "acknowledgement"),
    ];
    let mut out = String::from("| what | key | record |\n|---|---|---|\n");
    for (key, record, what) in records.drain(..) {
        writeln!(out, "| {what} | `{}` | `{}` |", hex::encode(key), hex::encode(record)).unwrap();
    }
    for (slot, key, what) in places {
        assert_eq!(slot.key().as_bytes(), key, "{what}");
        writeln!(out, "| {what} | `{}` | |", hex::encode(key)).unwrap();
    }
    require_on_page("state", &out);
}
