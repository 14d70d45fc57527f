//! What a packet of the transfer application says, in the three encodings that stock peers read.
//!
//! JSON is what wallets of Cosmos chains send, Protobuf what their programs send, and the ABI is the one form
//! that both those chains and contracts of the EVM read; it is what we send. Protobuf and ABI are read in their
//! one canonical form only.
//!
//! Source: ICS-20 `FungibleTokenPacketData`; ibc-go v10 `modules/apps/transfer/types/{packet,solidity_abi}.go`.

use super::amount::Amount;
use super::denom::Denom;
use super::json;
use crate::bounded::Text;
use crate::ibc::Payload;
use alloc::string::String;
use alloc::vec::Vec;
use zeugma_types::{Code, Refusal};

/// The version of a payload.
pub const VERSION: &str = "ics20-1";
/// The encoding that we send.
pub const ABI: &str = "application/x-solidity-abi";
/// See the module.
pub const PROTOBUF: &str = "application/x-protobuf";
/// See the module.
pub const JSON: &str = "application/json";

/// Longest sender or receiver, in bytes.
pub const MAX_ADDRESS: usize = 256;
/// Longest memo, in bytes.
pub const MAX_MEMO: usize = 8 * 1024;

/// An amount of one asset on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferData {
    /// The asset, as the sender's chain calls it.
    pub denom: Denom,
    /// How much; not zero.
    pub amount: Amount,
    /// Who sent it, in the words of the sender's chain.
    pub sender: Text<MAX_ADDRESS>,
    /// Who gets it, in the words of the receiver's chain.
    pub receiver: Text<MAX_ADDRESS>,
    /// Anything else; may be empty.
    pub memo: String,
}

/// The words of a packet, before their rules are checked.
#[derive(Default, PartialEq, Eq)]
struct Words {
    denom: String,
    amount: String,
    sender: String,
    receiver: String,
    memo: String,
}

impl TransferData {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`Code::WrongPayload`] for another version or encoding, [`Code::NotCanonical`] for another form of one,
    /// [`Code::OutOfRange`] for an amount that is none; as [`Denom::new`]; [`Code::Empty`], [`Code::TooLong`]
    /// and [`Code::BadText`] for the other words.
    pub fn read(payload: &Payload) -> Result<Self, Refusal> {
        if payload.version.as_str() != VERSION {
            return Err(super::wrong_payload(VERSION));
        }
        let value = payload.value.as_slice();
        let words = match payload.encoding.as_str() {
            JSON => of_json(value)?,
            PROTOBUF => of_protobuf(value)?,
            ABI => of_abi(value)?,
            _ => return Err(super::wrong_payload("an encoding of ics20-1: JSON, Protobuf or ABI")),
        };
        let amount = Amount::parse(&words.amount)?;
        if amount == Amount::ZERO {
            return Err(Refusal::new(Code::OutOfRange).needed("an amount above zero").found(0_u64));
        }
        if words.memo.len() > MAX_MEMO {
            return Err(Refusal::new(Code::TooLong).needed(MAX_MEMO).found(words.memo.len()));
        }
        Ok(Self {
            denom: Denom::new(&words.denom)?,
            amount,
            sender: Text::new(&words.sender)?,
            receiver: Text::new(&words.receiver)?,
            memo: words.memo,
        })
    }

    /// The value of a payload under [`ABI`].
    #[must_use]
    pub fn to_abi(&self) -> Vec<u8> {
        let words = [self.denom.as_str(), self.sender.as_str(), self.receiver.as_str(), &self.memo];
        put_abi(words, self.amount)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    core::str::from_utf8(bytes).map_err(|_| Refusal::new(Code::BadText).needed("UTF-8"))
}

fn of_json(value: &[u8]) -> Result<Words, Refusal> {
    let mut words = Words::default();
    for (name, value) in json::object(text(value)?)? {
        let word = match name.as_str() {
            "denom" => &mut words.denom,
            "amount" => &mut words.amount,
            "sender" => &mut words.sender,
            "receiver" => &mut words.receiver,
            "memo" => &mut words.memo,
            _ => return Err(super::wrong_payload("members of ics20-1").found(name)),
        };
        *word = json::string(value)?;
    }
    Ok(words)
}

/// Fields 1 to 5, each a string, ascending, none empty.
fn of_protobuf(value: &[u8]) -> Result<Words, Refusal> {
    let not_canonical = || Refusal::new(Code::NotCanonical).needed("five strings of Protobuf in their order");
    let mut words = Words::default();
    let mut rest = value;
    let mut last = 0;
    while let Some((tag, after)) = rest.split_first() {
        let (field, wire) = (tag >> 3, tag & 7);
        let (length, after) = varint(after).ok_or_else(not_canonical)?;
        if wire != 2 || field <= last || length == 0 {
            return Err(not_canonical());
        }
        let (word, after) = after.split_at_checked(length).ok_or_else(not_canonical)?;
        let slot = match field {
            1 => &mut words.denom,
            2 => &mut words.amount,
            3 => &mut words.sender,
            4 => &mut words.receiver,
            5 => &mut words.memo,
            _ => return Err(not_canonical()),
        };
        *slot = text(word)?.into();
        (rest, last) = (after, field);
    }
    Ok(words)
}

/// A length of at most three bytes, in its shortest form.
fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0;
    for (at, byte) in bytes.iter().take(3).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let shortest = at == 0 || *byte != 0;
            return shortest.then(|| (length, &bytes[at + 1..]));
        }
    }
    None
}

const WORD: usize = 32;

/// One tuple of four strings and a number: the offset of the tuple, its head of five words, its strings.
fn put_abi([denom, sender, receiver, memo]: [&str; 4], amount: Amount) -> Vec<u8> {
    let number = |number: usize| Amount::new(number as u64).to_be_bytes();
    let mut out = Vec::from(number(WORD));
    let mut tail = Vec::new();
    let mut string = |text: &str| {
        let offset = 5 * WORD + tail.len();
        tail.extend_from_slice(&number(text.len()));
        tail.extend_from_slice(text.as_bytes());
        tail.resize(tail.len().next_multiple_of(WORD), 0);
        number(offset)
    };
    let [denom, sender, receiver] = [string(denom), string(sender), string(receiver)];
    let memo = string(memo);
    for word in [denom, sender, receiver, amount.to_be_bytes(), memo] {
        out.extend_from_slice(&word);
    }
    out.extend_from_slice(&tail);
    out
}

fn of_abi(value: &[u8]) -> Result<Words, Refusal> {
    let not_canonical = || Refusal::new(Code::NotCanonical).needed("the ABI's one form of the tuple");
    let tuple = value.get(WORD..).ok_or_else(not_canonical)?;
    let word = |at: usize| -> Option<[u8; WORD]> { tuple.get(at..at.checked_add(WORD)?)?.try_into().ok() };
    let number = |at: usize| -> Option<usize> {
        let word = word(at)?;
        let (high, low) = word.split_at(WORD - 4);
        let low = u32::from_be_bytes(low.try_into().ok()?);
        if high.iter().any(|byte| *byte != 0) { None } else { usize::try_from(low).ok() }
    };
    let string = |at: usize| -> Option<&[u8]> {
        let begin = number(at)?;
        let length = number(begin)?;
        tuple.get(begin.checked_add(WORD)?..)?.get(..length)
    };
    let strings = [string(0), string(WORD), string(2 * WORD), string(4 * WORD)];
    let [Some(denom), Some(sender), Some(receiver), Some(memo)] = strings else {
        return Err(not_canonical());
    };
    let amount = Amount::from_be_bytes(word(3 * WORD).ok_or_else(not_canonical)?);
    let [denom, sender, receiver, memo] = [text(denom)?, text(sender)?, text(receiver)?, text(memo)?];
    // Offsets, padding and what lies between are all of the one form.
    if put_abi([denom, sender, receiver, memo], amount) != value {
        return Err(not_canonical());
    }
    Ok(Words {
        denom: denom.into(),
        amount: alloc::format!("{amount}"),
        sender: sender.into(),
        receiver: receiver.into(),
        memo: memo.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded::Bytes;
    use crate::ibc::Port;
    use alloc::format;
    use proptest::prelude::*;

    fn payload(encoding: &str, value: impl Into<Vec<u8>>) -> Payload {
        Payload {
            source_port: Port::new("transfer").unwrap(),
            destination_port: Port::new("transfer").unwrap(),
            version: Text::new(VERSION).unwrap(),
            encoding: Text::new(encoding).unwrap(),
            value: Bytes::new(value.into()).unwrap(),
        }
    }

    fn data() -> TransferData {
        TransferData {
            denom: Denom::new("uatom").unwrap(),
            amount: Amount::new(1_000_000),
            sender: Text::new("sender").unwrap(),
            receiver: Text::new("receiver").unwrap(),
            memo: "memo".into(),
        }
    }

    /// What Protobuf's own rules say: tag, length, bytes.
    fn protobuf(words: [&str; 5]) -> Vec<u8> {
        let mut out = Vec::new();
        for (field, word) in (1_u8..).zip(words) {
            if !word.is_empty() {
                out.push(field << 3 | 2);
                let mut length = word.len();
                while length >= 0x80 {
                    out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                    length >>= 7;
                }
                out.push(u8::try_from(length).unwrap());
                out.extend_from_slice(word.as_bytes());
            }
        }
        out
    }

    #[test]
    fn the_three_encodings_say_the_same() {
        let json =
            br#"{"denom":"uatom","amount":"1000000","sender":"sender","receiver":"receiver","memo":"memo"}"#;
        let words = ["uatom", "1000000", "sender", "receiver", "memo"];
        for payload in [
            payload(JSON, json.as_slice()),
            payload(PROTOBUF, protobuf(words)),
            payload(ABI, data().to_abi()),
        ] {
            assert_eq!(TransferData::read(&payload), Ok(data()), "{}", payload.encoding);
        }
        let bare =
            payload(JSON, r#"{"denom":"uatom","amount":"1000000","sender":"sender","receiver":"receiver"}"#);
        assert_eq!(TransferData::read(&bare).unwrap().memo, "");
        let words = ["uatom", "1000000", "sender", "receiver", ""];
        assert_eq!(TransferData::read(&payload(PROTOBUF, protobuf(words))).unwrap().memo, "");
    }

    /// Laid out by hand from the ABI's specification.
    #[test]
    fn the_abi_is_laid_out_as_contracts_lay_it_out() {
        let expected = [
            "0000000000000000000000000000000000000000000000000000000000000020",
            "00000000000000000000000000000000000000000000000000000000000000a0",
            "00000000000000000000000000000000000000000000000000000000000000e0",
            "0000000000000000000000000000000000000000000000000000000000000120",
            "00000000000000000000000000000000000000000000000000000000000f4240",
            "0000000000000000000000000000000000000000000000000000000000000160",
            "0000000000000000000000000000000000000000000000000000000000000005",
            "7561746f6d000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000006",
            "73656e6465720000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000008",
            "7265636569766572000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000004",
            "6d656d6f00000000000000000000000000000000000000000000000000000000",
        ];
        assert_eq!(hex::encode(data().to_abi()), expected.concat());
    }

    #[test]
    fn every_other_form_of_the_abi_is_refused() {
        let good = data().to_abi();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x80;
            if let Ok(read) = TransferData::read(&payload(ABI, bad.clone())) {
                assert_eq!(read.to_abi(), bad, "byte {at}");
            }
            assert!(TransferData::read(&payload(ABI, &good[..at.max(1)])).is_err(), "cut at {at}");
        }
        let longer = [good.as_slice(), &[0; 32]].concat();
        assert_eq!(TransferData::read(&payload(ABI, longer)).unwrap_err().code, Code::NotCanonical);
    }

    #[test]
    fn other_forms_of_protobuf_are_refused() {
        let good = protobuf(["uatom", "1", "sender", "receiver", ""]);
        let twice = [good.as_slice(), &protobuf(["uatom", "", "", "", ""])].concat();
        let unknown = [good.as_slice(), &[6 << 3 | 2, 1, b'x']].concat();
        let number = [good.as_slice(), &[5 << 3, 1]].concat();
        let empty = [good.as_slice(), &[5 << 3 | 2, 0]].concat();
        let long_form = [&[1 << 3 | 2, 0x85, 0x00][..], &good[2..]].concat();
        for bad in [twice, unknown, number, empty, long_form, good[..good.len() - 1].to_vec()] {
            assert_eq!(TransferData::read(&payload(PROTOBUF, bad)).unwrap_err().code, Code::NotCanonical);
        }
    }

    #[test]
    fn words_that_break_their_rules_are_refused_each_with_its_code() {
        let json = |member: &str, value: &str| {
            let mut words =
                [("denom", "uatom"), ("amount", "1"), ("sender", "s"), ("receiver", "r"), ("memo", "")];
            words.iter_mut().filter(|(name, _)| *name == member).for_each(|word| word.1 = value);
            let members: Vec<_> =
                words.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
            TransferData::read(&payload(JSON, format!("{{{}}}", members.join(","))))
                .map_err(|refusal| refusal.code)
        };
        assert!(json("", "").is_ok());
        for (member, value, code) in [
            ("amount", "0", Code::OutOfRange),
            ("amount", "01", Code::OutOfRange),
            ("amount", "-1", Code::OutOfRange),
            ("amount", "", Code::OutOfRange),
            ("denom", "", Code::Empty),
            ("denom", "two words", Code::BadIdentifier),
            ("sender", "", Code::Empty),
            ("receiver", "", Code::Empty),
            ("receiver", "a\\u0000", Code::BadText),
        ] {
            assert_eq!(json(member, value), Err(code), "{member} = {value:?}");
        }
        assert_eq!(json("receiver", &"r".repeat(MAX_ADDRESS + 1)), Err(Code::TooLong));
        assert_eq!(json("memo", &"m".repeat(MAX_MEMO + 1)), Err(Code::TooLong));
        let number = r#"{"denom":"uatom","amount":1,"sender":"s","receiver":"r"}"#;
        assert_eq!(TransferData::read(&payload(JSON, number)).unwrap_err().code, Code::BadText);
        let more = r#"{"denom":"uatom","amount":"1","sender":"s","receiver":"r","more":""}"#;
        assert_eq!(TransferData::read(&payload(JSON, more)).unwrap_err().code, Code::WrongPayload);
        assert_eq!(TransferData::read(&payload("text/plain", number)).unwrap_err().code, Code::WrongPayload);
        let other = Payload { version: Text::new("ics20-2").unwrap(), ..payload(ABI, data().to_abi()) };
        assert_eq!(TransferData::read(&other).unwrap_err().code, Code::WrongPayload);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            denom in "[!-~]{1,60}", sender in "[ -~]{1,40}", receiver in "[ -~]{1,40}", memo in ".{0,90}",
            amount in any::<[u8; 32]>(),
        ) {
            let amount = Amount::from_be_bytes(amount).max(Amount::new(1));
            let data = TransferData {
                denom: Denom::new(&denom).unwrap(),
                amount,
                sender: Text::new(&sender).unwrap(),
                receiver: Text::new(&receiver).unwrap(),
                memo: memo.clone(),
            };
            prop_assert_eq!(TransferData::read(&payload(ABI, data.to_abi())), Ok(data.clone()));
            let number = format!("{amount}");
            let written = protobuf([&denom, &number, &sender, &receiver, &memo]);
            prop_assert_eq!(TransferData::read(&payload(PROTOBUF, written)), Ok(data));
        }

        #[test]
        fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 1..400), which in 0..3_usize) {
            let _ = TransferData::read(&payload([JSON, PROTOBUF, ABI][which], bytes));
        }
    }
}
