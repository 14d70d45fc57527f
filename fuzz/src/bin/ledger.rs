//! Transactions, genesis and log checkpoints: what decodes encodes back to itself, and what carries a
//! fixed key's signature was signed by it. The first byte chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zeugma_crypto::ed25519::SecretKey;
use zeugma_crypto::hash::sha256;
use zeugma_fuzz::network::client_id;
use zeugma_fuzz::{Seed, canonical, seed_of, start};
use zeugma_ledger::bounded::{Bytes, List, Text};
use zeugma_ledger::evidence::{Checkpoint, LogKey};
use zeugma_ledger::gov::Parameters;
use zeugma_ledger::ibc::{Packet, Payload, Port};
use zeugma_ledger::registry::Kind;
use zeugma_ledger::tx::{
    Opaque, OpenPayload, RecvPacket, SetDigest, SignedBody, StoreProof, Until, UpdateClient,
};
use zeugma_ledger::{Checked, Founder, Genesis, Message, Role, Roles, Transaction, Validator, account_of};
use zeugma_types::{BlockTime, Cost, Encode, Height, NetworkId, Sequence, UnixSeconds};

const NETWORK: NetworkId = NetworkId::new([1; 32]);
const ORIGIN: &str = "log.example/a";
const SIZE: u64 = 5;
const ROOT: [u8; 32] = [7; 32];

static KEY: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_seed(&[1; 32]));

/// The only transactions that the key signed.
static SIGNED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let payload = Payload {
        source_port: Port::new("zeugma-message").expect("a valid port"),
        destination_port: Port::new("zeugma-message").expect("a valid port"),
        version: Text::new("1").expect("short"),
        encoding: Text::new("canonical").expect("short"),
        value: Bytes::new([1, 2, 3]).expect("short"),
    };
    let packet = Packet::new(
        Sequence::new(1),
        client_id(),
        client_id(),
        UnixSeconds::new(1_767_225_600),
        vec![payload],
    )
    .expect("a valid packet");
    let messages = [
        vec![Message::Opaque(Opaque { payload: Bytes::new([1, 2, 3]).expect("short") })],
        vec![
            Message::UpdateClient(UpdateClient {
                client: client_id(),
                update: Bytes::new([4; 9]).expect("short"),
            }),
            Message::SetDigest(SetDigest {
                kind: Kind::RulePack,
                name: Text::new("rules").expect("short"),
                digest: [5; 32],
            }),
        ],
        vec![Message::RecvPacket(RecvPacket {
            packet,
            proof: StoreProof { height: Height::new(9), proof: Bytes::new([6; 9]).expect("short") },
        })],
    ];
    let signed = |(sequence, messages)| {
        let body = SignedBody {
            network: NETWORK,
            key: *KEY.public().as_bytes(),
            sequence,
            until: Until::NEVER,
            cost_limit: Cost::MAX,
            messages: List::new(messages).expect("few messages"),
        };
        Transaction::sign(body, &KEY).to_bytes()
    };
    (1..).zip(messages).map(signed).collect()
});

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits =
            (0..3).fold(0_usize, |bits, at| bits << 8 | usize::from(group.get(at).copied().unwrap_or(0)));
        let symbol = |at: usize| match at <= group.len() {
            true => char::from(ALPHABET[bits >> (18 - 6 * at) & 63]),
            false => '=',
        };
        [0, 1, 2, 3].map(symbol)
    };
    bytes.chunks(3).flat_map(group).collect()
}

fn note() -> String {
    let text = format!("{ORIGIN}\n{SIZE}\n{}\n", base64(&ROOT));
    let id = sha256(&[ORIGIN.as_bytes(), b"\n\x01", KEY.public().as_bytes()]);
    let line = [&id[..4], &KEY.sign_foreign(text.as_bytes())].concat();
    format!("{text}\n\u{2014} {ORIGIN} {}\n", base64(&line))
}

fn genesis() -> Genesis {
    let key = *KEY.public().as_bytes();
    let word = |text| Text::new(text).expect("short");
    let validator = Validator { name: word("a court"), role: word("court"), key };
    Genesis {
        version: Genesis::VERSION,
        name: word("test"),
        time: BlockTime::new(1_767_225_600_000),
        epoch_length: Genesis::USUAL_EPOCH_LENGTH,
        validators: List::new(vec![validator]).expect("few"),
        accounts: List::new(vec![Founder { key, roles: Roles::of(&[Role::Governor]) }]).expect("few"),
        parameters: Parameters::default(),
    }
}

fn seeds() -> Vec<Seed> {
    let open =
        OpenPayload { network: NETWORK, until: Until::NEVER, payload: Bytes::new([1, 2, 3]).expect("short") };
    let mut seeds = vec![
        seed_of(0, "open", Transaction::Open(open).to_bytes()),
        seed_of(1, "genesis", genesis().to_bytes()),
        seed_of(2, "note", note()),
    ];
    seeds.extend(SIGNED.iter().enumerate().map(|(at, bytes)| seed_of(0, format!("signed-{at}"), bytes)));
    seeds
}

fuzz_target!(init: start(seeds), |data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    match choice {
        0 => {
            let transaction = canonical::<Transaction>(bytes);
            if let Ok(checked) = Checked::new(bytes) {
                assert_eq!(Some(checked.transaction()), transaction.as_ref());
                if checked.account() == Some(&account_of(KEY.public().as_bytes())) {
                    assert!(SIGNED.iter().any(|signed| signed == bytes), "a forged transaction");
                }
            }
        }
        1 => {
            if let Ok(genesis) = Genesis::read(bytes) {
                assert_eq!(genesis.to_bytes(), bytes, "a second encoding of one genesis was accepted");
                let _ = (genesis.network(), genesis.state());
            }
        }
        _ => {
            let key = LogKey { ed25519: *KEY.public().as_bytes() };
            if let Ok(checkpoint) = Checkpoint::open(bytes, ORIGIN, &key) {
                assert_eq!((checkpoint.view.size.get(), checkpoint.view.root), (SIZE, ROOT), "a forged note");
            }
        }
    }
});
