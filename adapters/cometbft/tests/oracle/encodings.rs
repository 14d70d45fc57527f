//! Encodings, hashes and sign-bytes are those of the published crates.

use prost::Message;
use tendermint::vote::{SignedVote, Type, Vote};
use tendermint::{block::CommitSig as TheirSig, chain, validator::Set};
use tendermint_proto::Protobuf;
use tendermint_proto::v0_38::types as raw;
use zeugma_adapter_cometbft::commit::CommitSig;
use zeugma_adapter_cometbft::testnet::{Ballot, Committee, Member, Secret, Testnet};
use zeugma_adapter_cometbft::{SignedHeader, Update, ibc, validators::ValidatorSet};
use zeugma_types::{Code, Height};

/// The published crate's view of our bytes; they are also the bytes it writes.
pub(crate) fn theirs(signed: &SignedHeader) -> tendermint::block::signed_header::SignedHeader {
    let bytes = signed.to_proto();
    let theirs: tendermint::block::signed_header::SignedHeader =
        Protobuf::<raw::SignedHeader>::decode(&bytes[..]).expect("they read what we write");
    if signed.header.last_block_id != Default::default() {
        // At the first height they leave out what Go, and we, write as an empty message.
        assert_eq!(
            Protobuf::<raw::SignedHeader>::encode_vec(theirs.clone()),
            bytes,
            "they write what we write"
        );
    }
    theirs
}

/// Our set as theirs, out of protobuf.
pub(crate) fn their_set(set: &ValidatorSet) -> Set {
    let validators = set.validators().iter().map(|each| {
        let simple = raw::SimpleValidator::decode(&each.to_simple()[..]).expect("they read our leaves");
        raw::Validator {
            address: each.key.address().to_vec(),
            pub_key: simple.pub_key,
            voting_power: simple.voting_power,
            proposer_priority: 0,
        }
    });
    let raw = raw::ValidatorSet { validators: validators.collect(), proposer: None, total_voting_power: 0 };
    raw.try_into().expect("they accept our set")
}

fn mixed() -> Committee {
    let keys = [Secret::ed25519(1), Secret::secp256k1(2), Secret::ed25519(3), Secret::secp256k1(4)];
    Committee::new(
        keys.into_iter().zip([5, 4, 300, 2]).map(|(secret, power)| Member { secret, power }).collect(),
    )
}

#[test]
fn headers_sets_and_votes_are_hashed_and_signed_as_the_published_crate_does() {
    let chain = Testnet::new("hash-7");
    for committee in [Committee::of(1..=1), Committee::of(1..=7), mixed()] {
        let mut header = chain.header(12, &committee, &Committee::of(5..=9), [3; 32]);
        for absent in [false, true] {
            if absent {
                header.last_block_id = Default::default();
                (header.last_commit_hash, header.data_hash, header.evidence_hash) = (None, None, None);
                (header.last_results_hash, header.app_hash, header.app_version) = (None, vec![], 0);
            }
            let signed = chain.sign(header.clone(), &committee, |index| match index {
                1 => Ballot::Nil,
                2 => Ballot::Absent,
                _ => Ballot::For,
            });
            let found = theirs(&signed);
            assert_eq!(found.header.hash().as_bytes(), signed.header.hash());
            let set = their_set(&committee.validators());
            assert_eq!(set.hash().as_bytes(), committee.validators().hash());
            votes_are_the_same(&chain, &signed, &found);
        }
    }
}

fn votes_are_the_same(
    chain: &Testnet,
    signed: &SignedHeader,
    theirs: &tendermint::block::signed_header::SignedHeader,
) {
    let sign_bytes = signed.commit.sign_bytes(&chain.chain_id);
    for (index, (ours, entry)) in signed.commit.signatures.iter().zip(&theirs.commit.signatures).enumerate() {
        let (address, timestamp, signature, block_id) = match entry {
            TheirSig::BlockIdFlagAbsent => {
                assert_eq!(*ours, CommitSig::Absent);
                assert_eq!(sign_bytes.of(ours), None);
                continue;
            }
            TheirSig::BlockIdFlagCommit { validator_address, timestamp, signature } => {
                (validator_address, timestamp, signature, Some(theirs.commit.block_id))
            }
            TheirSig::BlockIdFlagNil { validator_address, timestamp, signature } => {
                (validator_address, timestamp, signature, None)
            }
        };
        let vote = Vote {
            vote_type: Type::Precommit,
            height: theirs.commit.height,
            round: theirs.commit.round,
            block_id,
            timestamp: Some(*timestamp),
            validator_address: *address,
            validator_index: index.try_into().unwrap(),
            signature: signature.clone(),
            extension: vec![],
            extension_signature: None,
        };
        let id: chain::Id = chain.chain_id.parse().unwrap();
        assert_eq!(sign_bytes.of(ours), Some(SignedVote::from_vote(vote, id).unwrap().sign_bytes()));
    }
}

/// ibc-go's `Header`, as a relayer of the Cosmos world carries it.
#[derive(Clone, PartialEq, Message)]
struct IbcHeader {
    #[prost(message, optional, tag = "1")]
    signed_header: Option<raw::SignedHeader>,
    #[prost(message, optional, tag = "2")]
    validator_set: Option<raw::ValidatorSet>,
    #[prost(message, optional, tag = "3")]
    trusted_height: Option<IbcHeight>,
    #[prost(message, optional, tag = "4")]
    trusted_validators: Option<raw::ValidatorSet>,
}

#[derive(Clone, PartialEq, Message)]
struct IbcHeight {
    #[prost(uint64, tag = "1")]
    revision_number: u64,
    #[prost(uint64, tag = "2")]
    revision_height: u64,
}

fn ibc_set(set: &ValidatorSet) -> raw::ValidatorSet {
    let mut raw: raw::ValidatorSet = their_set(set).into();
    raw.proposer = raw.validators.first().cloned();
    raw.total_voting_power = raw.validators.iter().map(|each| each.voting_power).sum();
    for (each, priority) in raw.validators.iter_mut().zip([-30, 10, 0, 7]) {
        each.proposer_priority = priority;
    }
    raw
}

#[test]
fn an_update_comes_out_of_ibc_go_s_header_without_what_no_hash_commits_to() {
    let chain = Testnet::new("hub-4");
    let (old, new) = (Committee::of(1..=4), mixed());
    let update = chain.update(10, &old, chain.header(20, &new, &new, [3; 32]), &new);
    let good = IbcHeader {
        signed_header: Some(theirs(&update.signed_header).into()),
        validator_set: Some(ibc_set(&new.validators())),
        trusted_height: Some(IbcHeight { revision_number: 4, revision_height: 10 }),
        trusted_validators: Some(ibc_set(&old.validators())),
    };
    assert_eq!(ibc::update_from_header(&good.encode_to_vec()).unwrap(), update);

    // One set on both sides is carried once.
    let same = IbcHeader { trusted_validators: good.validator_set.clone(), ..good.clone() };
    let found = ibc::update_from_header(&same.encode_to_vec()).unwrap();
    assert_eq!(found, Update { trusted_next_validators: None, ..update });

    let refused = |change: fn(&mut IbcHeader)| {
        let mut changed = good.clone();
        change(&mut changed);
        ibc::update_from_header(&changed.encode_to_vec()).unwrap_err().code
    };
    let set = |header: &mut IbcHeader| header.validator_set.take().unwrap();
    assert_eq!(refused(|h| h.trusted_height.as_mut().unwrap().revision_number = 3), Code::WrongChain);
    assert_eq!(refused(|h| h.trusted_height.as_mut().unwrap().revision_height = 0), Code::BadHeader);
    assert_eq!(refused(|h| h.trusted_validators = None), Code::NotCanonical);
    assert_eq!(
        refused(|h| h.validator_set.as_mut().unwrap().validators[0].address[0] ^= 1),
        Code::WrongMembers
    );
    assert_eq!(refused(|h| h.validator_set.as_mut().unwrap().total_voting_power += 1), Code::OutOfRange);
    assert_eq!(
        refused(|h| h.validator_set.as_mut().unwrap().validators[0].voting_power = -1),
        Code::OutOfRange
    );
    let mut twice = good.clone();
    let mut doubled = set(&mut twice);
    doubled.validators.push(doubled.validators[0].clone());
    doubled.total_voting_power = 0;
    twice.validator_set = Some(doubled);
    assert_eq!(ibc::update_from_header(&twice.encode_to_vec()).unwrap_err().code, Code::RepeatedMember);
    let trailing = [good.encode_to_vec(), vec![0x28, 1]].concat();
    assert_eq!(ibc::update_from_header(&trailing).unwrap_err().code, Code::UnknownTag);
    assert_eq!(Height::new(10), ibc::update_from_header(&good.encode_to_vec()).unwrap().trusted_height);
}
