//! A family of chains that prove nothing but what they hold: a state names the hash of a whole store, and a proof is
//! that store. No signature: here nobody forges headers, since what is tried is what follows from true ones.

use std::collections::BTreeMap;
use zeugma_adapter_core::{Family, MerklePath, Misbehaviour};
use zeugma_crypto::hash::sha256;
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{BlockTime, Code, Cost, Decode, Encode, FinalityClass, Height, Reader, Refusal, Span};

/// Most entries of one store.
const MAX_ENTRIES: usize = 1_024;

/// What a chain holds, by key.
pub type Content = BTreeMap<Vec<u8>, Vec<u8>>;

/// The name of a chain.
#[derive(Clone)]
pub struct Profile(pub u8);

/// A height of a chain: its time, and the hash of its store. It is its own update.
#[derive(Clone, PartialEq, Eq)]
pub struct State {
    /// The height.
    pub height: Height,
    /// The chain's own time.
    pub time: BlockTime,
    /// SHA-256 of the store.
    pub root: [u8; 32],
}

/// A store as bytes.
#[must_use]
pub fn bytes_of(content: &Content) -> Vec<u8> {
    let entries: Vec<(&Vec<u8>, &Vec<u8>)> = content.iter().collect();
    let mut out = Vec::new();
    put_list(&mut out, &entries, |out, (key, value)| {
        put_bytes(out, key);
        put_bytes(out, value);
    });
    out
}

/// See the module.
pub struct Mirror;

impl Encode for Profile {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
}

impl Decode for Profile {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        reader.u8().map(Self)
    }
}

impl Encode for State {
    fn encode(&self, out: &mut Vec<u8>) {
        self.height.encode(out);
        self.time.encode(out);
        self.root.encode(out);
    }
}

impl Decode for State {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            height: Height::decode(reader)?,
            time: BlockTime::decode(reader)?,
            root: <[u8; 32]>::decode(reader)?,
        })
    }
}

impl Family for Mirror {
    const NUMBER: u16 = 901;
    const NAME: &'static str = "mirror";
    const MAX_PROFILE: usize = 1;
    const MAX_STATE: usize = 48;
    const MAX_UPDATE: usize = 48;
    const MAX_EVIDENCE: usize = 1;
    const MAX_PROOF: usize = 64 * 1_024;

    type Profile = Profile;
    type State = State;
    type Update = State;
    type Evidence = Profile;

    fn check_profile(_: &Profile) -> Result<(), Refusal> {
        Ok(())
    }

    fn finality(_: &Profile) -> FinalityClass {
        FinalityClass::CommitteeQuorum
    }

    fn trusting_period(_: &Profile) -> Span {
        Span::seconds(1_000_000_000)
    }

    fn height(state: &State) -> Height {
        state.height
    }

    fn time(state: &State) -> BlockTime {
        state.time
    }

    fn trusted_height(_: &State) -> Option<Height> {
        None
    }

    fn verify_update(_: &Profile, _: &State, update: &State, _: BlockTime) -> Result<State, Refusal> {
        Ok(update.clone())
    }

    fn evidence_heights(_: &Profile) -> [Option<Height>; 2] {
        [None; 2]
    }

    fn verify_misbehaviour(
        _: &Profile,
        _: [&State; 2],
        _: &Profile,
        _: BlockTime,
    ) -> Result<Misbehaviour, Refusal> {
        Err(Refusal::new(Code::NoMisbehaviour))
    }

    fn verify_membership(
        _: &Profile,
        state: &State,
        path: &MerklePath,
        value: &[u8],
        proof: &[u8],
    ) -> Result<(), Refusal> {
        match found(state, path, proof)? {
            Some(found) if found == value => Ok(()),
            Some(_) | None => Err(Refusal::new(Code::NotProven)),
        }
    }

    fn verify_non_membership(
        _: &Profile,
        state: &State,
        path: &MerklePath,
        proof: &[u8],
    ) -> Result<(), Refusal> {
        match found(state, path, proof)? {
            None => Ok(()),
            Some(_) => Err(Refusal::new(Code::AbsenceNotProven)),
        }
    }

    fn update_cost(_: usize) -> Cost {
        Cost::new(1)
    }

    fn proof_cost(_: usize) -> Cost {
        Cost::new(1)
    }
}

/// The value under a path of the store that is the proof.
fn found<'p>(state: &State, path: &MerklePath, proof: &'p [u8]) -> Result<Option<&'p [u8]>, Refusal> {
    if sha256(&[proof]) != state.root {
        return Err(Refusal::new(Code::NotProven));
    }
    let key = path.elements().concat();
    let mut reader = Reader::new(proof);
    let mut value = None;
    reader.list(MAX_ENTRIES, |reader| {
        let (its, held) = (reader.bytes(512)?, reader.bytes(512)?);
        if its == key {
            value = Some(held);
        }
        Ok(())
    })?;
    Ok(value)
}
