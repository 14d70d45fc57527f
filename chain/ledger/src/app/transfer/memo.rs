//! What a memo asks of a hub, and what a hub writes into one.
//!
//! A memo that is no JSON object is a remark and asks nothing. In an object the member `forward` sends the asset
//! on, in the words of the packet-forward middleware of Cosmos chains:
//!
//! ```json
//! {"forward": {"port": "transfer", "channel": "ethereum-0", "receiver": "0x...", "next": {"...": "..."}}}
//! ```
//!
//! `channel` is the hub's client to send on through; `next`, an object, becomes the memo there. Timeouts are the
//! hub's to set, and an order to retry would have to be kept: members of these and other names are refused, not
//! passed over. The member `zeugma` is the hub's own: it says whence an asset came and why that is final. A sender
//! who writes it is refused.

use super::data::MAX_ADDRESS;
use super::json;
use super::{PORT, wrong_payload};
use crate::bounded::Text;
use alloc::string::{String, ToString as _};
use zeugma_types::{ClientId, FinalityClass, Height, Refusal};

/// The hub's own member.
const OWN: &str = "zeugma";

/// An order to send the asset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forward {
    /// The hub's client of the next chain.
    pub(super) client: ClientId,
    /// Who gets the asset there.
    pub(super) receiver: Text<MAX_ADDRESS>,
    /// The members of the memo there, without their braces.
    pub(super) next: String,
}

/// What the memo asks.
///
/// # Errors
/// `WrongPayload` for the hub's own member, for an order that is not as above; `BadText` and what
/// [`json::object`] refuses for a memo that begins as an object and is none.
pub(super) fn read(memo: &str) -> Result<Option<Forward>, Refusal> {
    if !memo.trim_start().starts_with('{') {
        return Ok(None);
    }
    let members = json::object(memo)?;
    if members.iter().any(|(name, _)| name == OWN) {
        return Err(wrong_payload("a memo without the hub's own member").found(OWN));
    }
    let order = members.into_iter().find(|(name, _)| name == "forward");
    order.map(|(_, order)| forward(order)).transpose()
}

fn forward(order: &str) -> Result<Forward, Refusal> {
    let [mut port, mut channel, mut receiver, mut next] = [None, None, None, None];
    for (name, value) in json::object(order)? {
        let slot = match name.as_str() {
            "port" => &mut port,
            "channel" => &mut channel,
            "receiver" => &mut receiver,
            "next" => &mut next,
            _ => {
                return Err(
                    wrong_payload("port, channel, receiver and next of an order to forward").found(name)
                );
            }
        };
        *slot = Some(value);
    }
    let word = |value: Option<&str>, needed| json::string(value.ok_or_else(|| wrong_payload(needed))?);
    let port = word(port, "the port of an order to forward")?;
    if port != PORT {
        return Err(wrong_payload(PORT).found(port));
    }
    let next = match next {
        None => String::new(),
        Some(next) => {
            if json::object(next)?.iter().any(|(name, _)| name == OWN) {
                return Err(wrong_payload("a memo without the hub's own member").found(OWN));
            }
            let inner = next.trim().strip_prefix('{').and_then(|next| next.strip_suffix('}'));
            inner.expect("an object stands between braces").into()
        }
    };
    Ok(Forward {
        client: ClientId::new(&word(channel, "the channel of an order to forward")?)?,
        receiver: Text::new(&word(receiver, "the receiver of an order to forward")?)?,
        next,
    })
}

/// Whence an asset came to the hub.
pub(super) struct Whence<'a> {
    /// The hub's client of the origin chain.
    pub(super) client: &'a ClientId,
    /// The origin chain's height under which the packet was proved.
    pub(super) height: Height,
    /// Why that height is final.
    pub(super) finality: FinalityClass,
    /// Who sent it there.
    pub(super) sender: &'a str,
}

/// The memo of the packet that is sent on.
pub(super) fn write(whence: &Whence<'_>, next: &str) -> String {
    let mut memo = String::from("{\"zeugma\":{");
    let members = [
        ("client", whence.client.as_str()),
        ("height", &whence.height.get().to_string()),
        ("finality", &whence.finality.to_string()),
        ("sender", whence.sender),
    ];
    for (at, (name, value)) in members.into_iter().enumerate() {
        if at > 0 {
            memo.push(',');
        }
        json::put_string(&mut memo, name);
        memo.push(':');
        json::put_string(&mut memo, value);
    }
    memo.push('}');
    if !next.trim().is_empty() {
        memo.push(',');
        memo.push_str(next);
    }
    memo.push('}');
    memo
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeugma_types::Code;

    fn read_code(memo: &str) -> Code {
        read(memo).unwrap_err().code
    }

    #[test]
    fn a_remark_asks_nothing_and_an_order_is_read() {
        for memo in ["", "thanks!", "[1]", "\"forward\"", "{}", "{\"wasm\":{\"contract\":\"c\"}}"] {
            assert_eq!(read(memo), Ok(None), "{memo}");
        }
        let order = r#"{"forward":{"port":"transfer","channel":"test-1","receiver":"bob","next":{"a":[1]}}}"#;
        let forward = read(order).unwrap().unwrap();
        assert_eq!((forward.client.as_str(), forward.receiver.as_str()), ("test-1", "bob"));
        assert_eq!(forward.next, "\"a\":[1]");
    }

    #[test]
    fn an_order_that_cannot_be_kept_word_for_word_is_refused() {
        for memo in [
            r#"{"forward":{"port":"transfer","channel":"test-1","receiver":"bob","timeout":"10m"}}"#,
            r#"{"forward":{"port":"transfer","channel":"test-1","receiver":"bob","retries":2}}"#,
            r#"{"forward":{"port":"message","channel":"test-1","receiver":"bob"}}"#,
            r#"{"forward":{"port":"transfer","channel":"test-1"}}"#,
            r#"{"zeugma":{}}"#,
            r#"{"forward":{"port":"transfer","channel":"test-1","receiver":"bob","next":{"zeugma":1}}}"#,
        ] {
            assert_eq!(read_code(memo), Code::WrongPayload, "{memo}");
        }
        assert_eq!(read_code("{\"forward\":"), Code::BadText);
        assert_eq!(read_code(r#"{"forward":"test-1"}"#), Code::BadText);
        let next = r#"{"forward":{"port":"transfer","channel":"test-1","receiver":"bob","next":"text"}}"#;
        assert_eq!(read_code(next), Code::BadText);
        let channel = r#"{"forward":{"port":"transfer","channel":"a/b","receiver":"bob"}}"#;
        assert_eq!(read_code(channel), Code::BadIdentifier);
    }

    #[test]
    fn what_the_hub_writes_is_json_that_says_whence_and_keeps_the_rest() {
        let client = ClientId::new("test-0").unwrap();
        let whence = Whence {
            client: &client,
            height: Height::new(7),
            finality: FinalityClass::CommitteeQuorum,
            sender: "al\"ice",
        };
        let expected =
            r#"{"zeugma":{"client":"test-0","height":"7","finality":"committee-quorum","sender":"al\"ice"}"#;
        assert_eq!(write(&whence, ""), alloc::format!("{expected}}}"));
        let memo = write(&whence, r#""wasm":{"x":{}}"#);
        assert_eq!(memo, alloc::format!(r#"{expected},"wasm":{{"x":{{}}}}}}"#));
        let members = json::object(&memo).unwrap();
        assert_eq!(members[1], ("wasm".into(), r#"{"x":{}}"#));
        // And so nobody passes it on as his own.
        assert_eq!(read_code(&memo), Code::WrongPayload);
    }
}
