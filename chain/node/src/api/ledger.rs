//! Answers about the state: its records by key, and in words.
//!
//! They say what this node holds after its last final block; nothing proves them. Who must not believe this node
//! asks for the leaf that says the same.

use super::Api;
use super::problem::Problem;
use super::request::{At, account as account_id, bytes, client as client_id, number};
use super::view::{
    AccountView, ClientView, EntryView, PacketView, PointView, StatesView, StoredView, ValueView,
};
use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use zeugma_adapter_core::Client;
use zeugma_ledger::account::Account;
use zeugma_ledger::bounded::Text;
use zeugma_ledger::ibc::{ClientRecord, Receipt, Route};
use zeugma_ledger::limits::{MAX_NAME, MAX_PROFILE};
use zeugma_ledger::registry::{Entry, Kind};
use zeugma_ledger::{Key, Slot};
use zeugma_types::{AccountId, BlockTime, ClientId, Code, Decode, Height, Reader, Refusal, Sequence};

type Answer<T> = Result<Json<T>, Problem>;

/// A profile whose family need not be known here.
#[derive(Clone)]
struct AnyProfile;

impl Decode for AnyProfile {
    fn decode(_: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self)
    }

    fn from_bytes(_: &[u8]) -> Result<Self, Refusal> {
        Ok(Self)
    }
}

impl Api {
    async fn values<const N: usize>(
        &self,
        slots: [Slot<'_>; N],
    ) -> Result<(Height, [Option<Bytes>; N]), Problem> {
        let keys = slots.map(Slot::key).to_vec();
        let (height, values) = self.node.read(keys).await?;
        let values =
            values.try_into().map_err(|_| Problem::storage("a read gave another number of values"))?;
        Ok((height, values))
    }

    async fn value(&self, slot: Slot<'_>) -> Result<Option<Bytes>, Problem> {
        let (_, [value]) = self.values([slot]).await?;
        Ok(value)
    }

    async fn record<T: Decode>(&self, slot: Slot<'_>, what: &str) -> Result<T, Problem> {
        let value = self.value(slot).await?;
        let value = value.ok_or_else(|| Problem::not_found(format!("{what} is not known to the network")))?;
        T::from_bytes(&value).map_err(damaged)
    }

    async fn now(&self, height: Height) -> Result<BlockTime, Problem> {
        Ok(self.node.header(height).await?.map_or(self.node.genesis().time, |header| header.time))
    }
}

/// Bytes of our own state do not decode.
fn damaged(refusal: Refusal) -> Problem {
    Problem::storage(format!("a record of the state is damaged: {refusal}"))
}

pub(super) async fn state(State(api): State<Api>, At(key): At<String>) -> Answer<ValueView> {
    let key = key_of(&bytes("a key", &key, Key::MAX)?).map_err(Problem::malformed)?;
    let (height, mut values) = api.node.read(vec![key]).await?;
    let value = values.pop().flatten();
    Ok(Json(ValueView { height: height.get(), value: value.map(hex::encode) }))
}

pub(super) async fn client(State(api): State<Api>, At(id): At<String>) -> Answer<ClientView> {
    let id = client_id(&id)?;
    let (height, [record, route]) = api.values([Slot::Client(&id), Slot::Route(&id)]).await?;
    let bytes = record.ok_or_else(|| no_client(&id))?;
    let record = ClientRecord::from_bytes(&bytes).map_err(damaged)?;
    let route = route.map(|bytes| Route::from_bytes(&bytes)).transpose().map_err(damaged)?;
    let family = api
        .families
        .numbered(record.family)
        .ok_or_else(|| Problem::from(Refusal::new(Code::FamilyNotAllowed).found(record.family)))?;
    let held = held(&record)?;
    let described = family.describe(record.client.as_slice(), api.now(height).await?).map_err(damaged)?;
    Ok(Json(ClientView {
        id: id.to_string(),
        family: record.family,
        family_name: family.name(),
        status: described.status.name(),
        latest: described.latest.get(),
        expires_at: described.expires_at.map(BlockTime::get),
        frozen: held.frozen.map(|at| PointView { height: at.height.get(), time: at.at.get() }),
        finality: described.finality.to_string(),
        counterparty: route.and_then(|route| route.counterparty.0).map(|other| other.client.to_string()),
        bytes: hex::encode(bytes),
    }))
}

pub(super) async fn client_states(State(api): State<Api>, At(id): At<String>) -> Answer<StatesView> {
    let id = client_id(&id)?;
    let bytes = api.value(Slot::Client(&id)).await?.ok_or_else(|| no_client(&id))?;
    let held = held(&ClientRecord::from_bytes(&bytes).map_err(damaged)?)?;
    let view = |stored: &zeugma_adapter_core::Stored| StoredView {
        height: stored.height.get(),
        time: stored.time.get(),
        verified_at: stored.verified_at.get(),
    };
    Ok(Json(StatesView { states: held.stored().iter().map(view).collect() }))
}

fn held(record: &ClientRecord) -> Result<Client<AnyProfile>, Problem> {
    Client::decode_with(record.client.as_slice(), MAX_PROFILE).map_err(damaged)
}

fn no_client(id: &ClientId) -> Problem {
    let refusal = Refusal::new(Code::UnknownClient).found(id.to_string());
    Problem::Refused { status: axum::http::StatusCode::NOT_FOUND, refusal }
}

pub(super) async fn packet(
    State(api): State<Api>,
    At((client, sequence)): At<(String, String)>,
) -> Answer<PacketView> {
    let client = client_id(&client)?;
    let sequence = Sequence::new(number("a sequence", &sequence)?);
    let slots = [
        Slot::Commitment(&client, sequence),
        Slot::Receipt(&client, sequence),
        Slot::Acknowledgement(&client, sequence),
    ];
    let (height, [commitment, receipt, acknowledgement]) = api.values(slots).await?;
    let receipt = receipt.map(|bytes| Receipt::from_bytes(&bytes)).transpose().map_err(damaged)?;
    Ok(Json(PacketView {
        height: height.get(),
        commitment: commitment.map(hex::encode),
        receipt: receipt.map(Receipt::name),
        acknowledgement: acknowledgement.map(hex::encode),
    }))
}

pub(super) async fn account(State(api): State<Api>, At(id): At<String>) -> Answer<AccountView> {
    let id = account_id(&id)?;
    let account: Account = api.record(Slot::Account(&id), "the account").await?;
    Ok(Json(AccountView::new(&id, &account)))
}

pub(super) async fn registry(
    State(api): State<Api>,
    At((kind, name)): At<(String, String)>,
) -> Answer<EntryView> {
    let kind = Kind::named(&kind).ok_or_else(|| Problem::bad_request("no kind of entry has this name"))?;
    let name = Text::<MAX_NAME>::new(&name).map_err(Problem::malformed)?;
    let entry: Entry = api.record(Slot::Registry(kind.number(), &name), "the entry").await?;
    Ok(Json(EntryView {
        kind: kind.name(),
        name: name.to_string(),
        digest: entry.digest.0.map(hex::encode),
        from: entry.from.get(),
    }))
}

/// The key of these bytes: only keys that the ledger can make are read.
fn key_of(bytes: &[u8]) -> Result<Key, Refusal> {
    let (tag, rest) = bytes.split_first().ok_or_else(|| Refusal::new(Code::Empty).needed("a key"))?;
    let mut own = Reader::new(rest);
    let key = match tag {
        0x01 => Slot::Parameters.key(),
        0x02 => Slot::Account(&AccountId::decode(&mut own)?).key(),
        0x03 => Slot::Counters.key(),
        0x04 => Slot::Schedule.key(),
        0x05 => Slot::Proposal(own.u64()?).key(),
        0x10 => Slot::Client(&short_client(&mut own)?).key(),
        0x11 => Slot::ClientState(&short_client(&mut own)?, Height::decode(&mut own)?).key(),
        0x12 => Slot::Route(&short_client(&mut own)?).key(),
        0x13 => Slot::Recovery(&short_client(&mut own)?).key(),
        0x20 => Slot::NextSend(&short_client(&mut own)?).key(),
        0x21 => Slot::Commitment(&short_client(&mut own)?, Sequence::decode(&mut own)?).key(),
        0x22 => Slot::Receipt(&short_client(&mut own)?, Sequence::decode(&mut own)?).key(),
        0x23 => Slot::Acknowledgement(&short_client(&mut own)?, Sequence::decode(&mut own)?).key(),
        0x24 => Slot::Pending(&short_client(&mut own)?, Sequence::decode(&mut own)?).key(),
        0x25 => Slot::Parent(&short_client(&mut own)?, Sequence::decode(&mut own)?).key(),
        0x26 => Slot::Held(&short_client(&mut own)?, Sequence::decode(&mut own)?).key(),
        0x27 => Slot::HeldOf(&short_client(&mut own)?).key(),
        0x30 => {
            let (application, rest) =
                rest.split_first().ok_or_else(|| Refusal::new(Code::Truncated).needed(1_u64))?;
            return Ok(Slot::Application(*application, rest).key());
        }
        0x40 => Slot::Origin(&own.array()?).key(),
        0x50 => Slot::Registry(own.u8()?, &Text::new(short_text(&mut own)?)?).key(),
        0x60 => Slot::Standing(own.u8()?).key(),
        tag => return Err(Refusal::new(Code::UnknownTag).found(*tag)),
    };
    own.finish()?;
    Ok(key)
}

fn short_text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Refusal> {
    let length = reader.u8()?;
    let bytes = reader.take(usize::from(length))?;
    std::str::from_utf8(bytes).map_err(|_| Refusal::new(Code::BadText))
}

fn short_client(reader: &mut Reader<'_>) -> Result<ClientId, Refusal> {
    ClientId::new(short_text(reader)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_the_ledger_makes_is_read_back() {
        let client = ClientId::new("zeugma-7").unwrap();
        let (one, name, account) = (Sequence::new(1), Text::new("rules").unwrap(), AccountId::new([7; 32]));
        let slots = [
            Slot::Parameters,
            Slot::Account(&account),
            Slot::Counters,
            Slot::Schedule,
            Slot::Proposal(9),
            Slot::Client(&client),
            Slot::ClientState(&client, Height::new(3)),
            Slot::Route(&client),
            Slot::Recovery(&client),
            Slot::NextSend(&client),
            Slot::Commitment(&client, one),
            Slot::Receipt(&client, one),
            Slot::Acknowledgement(&client, one),
            Slot::Pending(&client, one),
            Slot::Parent(&client, one),
            Slot::Held(&client, one),
            Slot::HeldOf(&client),
            Slot::Application(1, b"own"),
            Slot::Origin(&[5; 32]),
            Slot::Registry(2, &name),
            Slot::Standing(63),
        ];
        for slot in slots {
            let key = slot.key();
            assert_eq!(key_of(key.as_bytes()).unwrap(), key, "{slot:?}");
            let longer = [key.as_bytes(), &[0]].concat();
            if key.as_bytes()[0] != 0x30 {
                key_of(&longer).unwrap_err();
            }
        }
        for bad in [&b""[..], &[0x30], &[0x99], &[0x10, 200], &[0x11, 4, b'a', b'b', b'c', b'd']] {
            key_of(bad).unwrap_err();
        }
    }
}
