//! What only this family knows how to forge.

use crate::fixture::{Draft, Net, TRUSTED, first, just_after, second, strangers, trusted_at};
use crate::store_forgeries::{proofs, there};
use zeugma_adapter_cometbft::commit::{CommitSig, Vote};
use zeugma_adapter_cometbft::key::PublicKey;
use zeugma_adapter_cometbft::proto;
use zeugma_adapter_cometbft::testnet::{Ballot, Secret};
use zeugma_adapter_cometbft::time::Time;
use zeugma_adapter_cometbft::validators::{MAX_TOTAL_POWER, Validator, ValidatorSet};
use zeugma_adapter_cometbft::{SignedHeader, Update};
use zeugma_adapter_core::testkit::{EvidenceCase, Expect, Forgery, ProofCase, Subject, UpdateCase};
use zeugma_types::codec::put_bytes;
use zeugma_types::{Code, Encode, Height, Span, Weight};

pub(crate) const NEVER: Expect = Expect::Never;
const SIGNATURE: Expect = Expect::Code(Code::BadSignature);

pub(crate) fn all<F>(net: &Net<F>) -> Vec<Forgery> {
    [
        profiles(net),
        fields(net),
        votes(net),
        sets(net),
        times(net),
        encodings(net),
        evidence(net),
        proofs(net),
    ]
    .concat()
}

pub(crate) fn forgery(item: u8, name: &'static str, subject: Subject, expect: Expect) -> Forgery {
    Forgery { item, name, subject, expect }
}

pub(crate) fn adjacent<F>(net: &Net<F>) -> Draft {
    net.drafts().swap_remove(0)
}

fn skipping<F>(net: &Net<F>) -> Draft {
    net.drafts().swap_remove(3)
}

fn profiles<F>(net: &Net<F>) -> Vec<Forgery> {
    let good = net.chain.profile();
    let profile = |name, change: fn(&mut zeugma_adapter_cometbft::Profile)| {
        let mut changed = good.clone();
        change(&mut changed);
        forgery(0, name, Subject::Profile(changed.to_bytes()), Expect::Code(Code::BadProfile))
    };
    vec![
        profile("a trusting period above two thirds of the unbonding period", |p| {
            p.trusting_period = Span::millis(p.unbonding_period.get() / 3 * 2 + 1);
        }),
        profile("no clock drift", |p| p.max_drift = Span::ZERO),
        profile("no chain identifier", |p| p.chain_id.clear()),
        profile("no trusting period", |p| p.trusting_period = Span::ZERO),
    ]
}

/// Item 2: one decoded field changed, encoded again; the commit still signs the old header.
fn fields<F>(net: &Net<F>) -> Vec<Forgery> {
    let (draft, chain) = (skipping(net), &net.chain);
    let update = |name, expect, change: &dyn Fn(&mut Update)| {
        let mut changed = draft.signed(chain);
        change(&mut changed);
        forgery(2, name, Subject::Update(draft.case(chain, &changed)), expect)
    };
    let wrong_commit = Expect::Code(Code::WrongCommit);
    let header = |name, change: fn(&mut zeugma_adapter_cometbft::header::Header)| {
        update(name, wrong_commit, &|u| change(&mut u.signed_header.header))
    };
    let vote = |name, expect, change: fn(&mut Vote)| {
        update(name, expect, &|u| match &mut u.signed_header.commit.signatures[1] {
            CommitSig::For(vote) => change(vote),
            other => panic!("a vote, not {other:?}"),
        })
    };
    let commit = |name, expect, change: fn(&mut zeugma_adapter_cometbft::commit::Commit)| {
        update(name, expect, &|u| change(&mut u.signed_header.commit))
    };
    vec![
        header("the application's version", |h| h.app_version += 1),
        header("the height", |h| h.height = Height::new(TRUSTED + 9)),
        header("the time", |h| h.time = Time::new(h.time.seconds(), h.time.nanos() + 1).expect("a time")),
        header("the block before", |h| h.last_block_id.hash = Some([1; 32])),
        header("the parts of the block before", |h| h.last_block_id.parts.total += 1),
        header("no block before", |h| h.last_block_id = Default::default()),
        header("the last commit", |h| h.last_commit_hash = None),
        header("the data", |h| h.data_hash = Some([1; 32])),
        header("the next validators", |h| h.next_validators_hash = strangers().validators().hash()),
        header("the consensus parameters", |h| h.consensus_hash = None),
        header("the application hash", |h| h.app_hash = vec![1; 32]),
        header("the last results", |h| h.last_results_hash = Some([2; 32])),
        header("the evidence", |h| h.evidence_hash = None),
        header("the proposer", |h| h.proposer_address = [9; 20]),
        update("the chain", Expect::Code(Code::WrongChain), &|u| u.signed_header.header.chain_id.push('0')),
        update("the validators' hash", Expect::Code(Code::WrongMembers), &|u| {
            u.signed_header.header.validators_hash = strangers().validators().hash();
        }),
        update("a power", Expect::Code(Code::WrongMembers), &|u| {
            let mut changed = u.validators.validators().to_vec();
            changed[0].power = Weight::new(11).expect("a weight");
            u.validators = ValidatorSet::new(changed).expect("a set");
        }),
        update("a key", Expect::Code(Code::WrongMembers), &|u| {
            let mut changed = u.validators.validators().to_vec();
            changed[0].key = PublicKey::Ed25519([7; 32]);
            u.validators = ValidatorSet::new(changed).expect("a set");
        }),
        update("the trusted validators", Expect::Code(Code::WrongNextMembers), &|u| {
            u.trusted_next_validators = Some(strangers().validators());
        }),
        update("no trusted validators", Expect::Code(Code::WrongNextMembers), &|u| {
            u.trusted_next_validators = None;
        }),
        update("the trusted height", Expect::Code(Code::NoStateAt), &|u| u.trusted_height = Height::new(9)),
        commit("the commit's height", wrong_commit, |c| c.height = Height::new(TRUSTED)),
        commit("the commit's round", SIGNATURE, |c| c.round += 1),
        commit("a negative round", wrong_commit, |c| c.round = -1),
        commit("the commit's block", wrong_commit, |c| c.block_id.hash = Some([1; 32])),
        commit("no block", wrong_commit, |c| c.block_id.hash = None),
        commit("the block's parts", SIGNATURE, |c| c.block_id.parts.hash = Some([1; 32])),
        commit("the number of parts", SIGNATURE, |c| c.block_id.parts.total = 2),
        commit("no parts", wrong_commit, |c| c.block_id.parts.total = 0),
        vote("a vote's voter", Expect::Code(Code::UnknownSigner), |v| v.address[0] ^= 1),
        vote("a vote's time", SIGNATURE, |v| {
            v.timestamp = Time::new(v.timestamp.seconds() + 1, 0).expect("a time");
        }),
        vote("a vote's signature", SIGNATURE, |v| v.signature[0] ^= 1),
        vote("a vote's scalar", SIGNATURE, |v| v.signature[40] ^= 1),
    ]
}

/// Items 4, 5, 7, 8: who voted.
fn votes<F>(net: &Net<F>) -> Vec<Forgery> {
    let (draft, chain) = (adjacent(net), &net.chain);
    let good = draft.signed(chain);
    let update = |item, name, expect, change: &dyn Fn(&mut Vec<CommitSig>)| {
        let mut changed = good.clone();
        change(&mut changed.signed_header.commit.signatures);
        forgery(item, name, Subject::Update(draft.case(chain, &changed)), expect)
    };
    // The same header, signed by strangers in the validators' places.
    let stranger = {
        let block = Draft { now: strangers(), ..draft.clone() }.signed(chain);
        block.signed_header.commit.signatures
    };
    let in_disguise = |index: usize, address: [u8; 20]| match stranger[index] {
        CommitSig::For(vote) => CommitSig::For(Vote { address, ..vote }),
        other => other,
    };
    let addresses = good.validators.addresses();
    let repeated = Expect::Code(Code::RepeatedSigner);
    let mixed = net.mixed();
    let mut second_form = mixed.signed(chain);
    let high = second_form.signed_header.commit.signatures.iter_mut().zip(mixed.now.members());
    for (entry, member) in high {
        if let (CommitSig::For(vote), Secret::Secp256k1(_)) = (entry, &member.secret) {
            vote.signature = negated(&vote.signature);
        }
    }
    let nil = draft.update(chain, |_| Ballot::Nil).signed_header.commit.signatures;
    vec![
        update(3, "two votes swapped", repeated, &|s| s.swap(0, 1)),
        update(4, "one vote in two places", repeated, &|s| s[1] = s[0]),
        update(4, "one vote in every place", repeated, &|s| {
            let first = s[0];
            s.fill(first);
        }),
        update(4, "one vote under two names", SIGNATURE, &|s| {
            if let CommitSig::For(vote) = s[0] {
                s[1] = CommitSig::For(Vote { address: addresses[1], ..vote });
            }
        }),
        update(4, "one vote twice, in a place more", Expect::Code(Code::WrongCommit), &|s| s.push(s[0])),
        forgery(
            4,
            "the second form of a signature",
            Subject::Update(mixed.case(chain, &second_form)),
            Expect::Code(Code::NotCanonical),
        ),
        update(5, "a stranger's vote", Expect::Code(Code::UnknownSigner), &|s| s[2] = stranger[2]),
        update(5, "a stranger's vote under a validator's name", SIGNATURE, &|s| {
            s[2] = in_disguise(2, addresses[2]);
        }),
        update(5, "a quorum and a stranger under a validator's name", SIGNATURE, &|s| {
            s[3] = in_disguise(3, addresses[3]);
        }),
        update(5, "votes for nil, said to be for the block", SIGNATURE, &|s| {
            for (entry, vote) in s.iter_mut().zip(&nil) {
                if let CommitSig::Nil(vote) = vote {
                    *entry = CommitSig::For(*vote);
                }
            }
        }),
        update(5, "a vote for the block, said to be for nil", SIGNATURE, &|s| {
            if let CommitSig::For(vote) = s[0] {
                s[0] = CommitSig::Nil(vote);
            }
        }),
        update(6, "votes for nil only", Expect::Code(Code::QuorumNotReached), &|s| s.clone_from(&nil)),
        update(7, "no entries", Expect::Code(Code::WrongCommit), &Vec::clear),
        update(7, "absent entries only", Expect::Code(Code::QuorumNotReached), &|s| {
            s.fill(CommitSig::Absent)
        }),
        update(7, "empty signatures", SIGNATURE, &|s| {
            for entry in s {
                if let CommitSig::For(vote) = entry {
                    vote.signature = [0; 64];
                }
            }
        }),
        update(8, "an entry more than validators", Expect::Code(Code::WrongCommit), &|s| {
            s.push(CommitSig::Absent);
        }),
        update(8, "an entry less than validators", Expect::Code(Code::WrongCommit), &|s| {
            s.pop();
        }),
        update(8, "more entries than any set", Expect::Code(Code::TooMany), &|s| {
            s.resize(513, CommitSig::Absent);
        }),
    ]
}

/// `(r, n - s)` of a secp256k1 signature `(r, s)`.
fn negated(signature: &[u8; 64]) -> [u8; 64] {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba,
        0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
    ];
    let mut out = *signature;
    let mut borrow = 0_i16;
    for at in (0..32).rev() {
        let digit = i16::from(ORDER[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(digit < 0);
        out[32 + at] = u8::try_from(digit.rem_euclid(256)).expect("a remainder of 256");
    }
    out
}

/// Items 3, 7, 21: sets. Powers that no type of ours holds are written byte by byte.
fn sets<F>(net: &Net<F>) -> Vec<Forgery> {
    let (draft, chain) = (adjacent(net), &net.chain);
    let good = draft.signed(chain);
    let raw = |item, name, expect, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut simple: Vec<_> = good.validators.validators().iter().map(Validator::to_simple).collect();
        change(&mut simple);
        let update = write(&good.signed_header.to_proto(), &simple);
        forgery(item, name, Subject::Update(UpdateCase { update, ..draft.case(chain, &good) }), expect)
    };
    let key = good.validators.validators()[0].key;
    let of_power = |power: i64| {
        let mut out = vec![];
        proto::put_message(&mut out, 1, |out| key.encode(out));
        proto::put_int64(&mut out, 2, power);
        out
    };
    let bls = {
        let mut out = vec![];
        proto::put_message(&mut out, 1, |out| proto::put_bytes(out, 3, &[5; 48]));
        proto::put_int64(&mut out, 2, 10);
        out
    };
    let range = Expect::Code(Code::OutOfRange);
    vec![
        raw(3, "two validators swapped", Expect::Code(Code::WrongMembers), &|s| s.swap(0, 1)),
        raw(4, "one validator twice", Expect::Code(Code::RepeatedMember), &|s| s[1] = s[0].clone()),
        raw(7, "no validators", Expect::Code(Code::EmptySet), &Vec::clear),
        raw(7, "an empty validator", NEVER, &|s| s[0].clear()),
        raw(5, "a key of another kind", Expect::Code(Code::RefusedAlgorithm), &|s| s[0] = bls.clone()),
        raw(21, "a negative power", range, &|s| s[0] = of_power(-10)),
        raw(21, "the most negative power", range, &|s| s[0] = of_power(i64::MIN)),
        raw(21, "a power above the bound", range, &|s| s[0] = of_power(i64::MAX)),
        raw(21, "powers whose sum is above the bound", range, &|s| {
            s[0] = of_power(MAX_TOTAL_POWER.cast_signed());
        }),
        raw(21, "a power of zero", Expect::Code(Code::ZeroWeight), &|s| s[0] = of_power(0)),
        raw(8, "more validators than any set", Expect::Code(Code::TooMany), &|s| s.resize(513, s[0].clone())),
    ]
}

/// An update whose validators are also those trusted, out of raw bytes.
fn write(signed_header: &[u8], simple: &[Vec<u8>]) -> Vec<u8> {
    let mut out = TRUSTED.to_bytes();
    put_bytes(&mut out, signed_header);
    zeugma_types::codec::put_list(&mut out, simple, |out, each| put_bytes(out, each));
    out.push(0);
    out
}

/// Item 12: height and time against the trusted state and the clock.
fn times<F>(net: &Net<F>) -> Vec<Forgery> {
    let chain = &net.chain;
    let at = |name, height, expect, change: &dyn Fn(&mut Draft)| {
        let mut draft = Draft::new(name, chain, height, first(), first());
        change(&mut draft);
        let mut case = draft.case(chain, &draft.signed(chain));
        case.now = just_after(chain, TRUSTED + 20);
        forgery(12, name, Subject::Update(case), expect)
    };
    let trusted = trusted_at(chain, TRUSTED, &first());
    let now = just_after(chain, TRUSTED + 20).get();
    let drift = chain.profile().max_drift.get();
    let end = Time::new(i64::try_from((now + drift) / 1_000).expect("a time"), 0).expect("a time");
    let earlier = |time: Time| Time::new(time.seconds(), time.nanos() - 1).expect("a time");
    vec![
        at("a header below the trusted one", TRUSTED - 1, Expect::Code(Code::NotNewer), &|_| {}),
        at("the trusted header's height", TRUSTED, Expect::Code(Code::NotNewer), &|_| {}),
        at("the trusted header's time", TRUSTED + 10, Expect::Code(Code::TimeNotMonotonic), &|d| {
            d.header.time = trusted.time;
        }),
        at(
            "a nanosecond before the trusted header",
            TRUSTED + 10,
            Expect::Code(Code::TimeNotMonotonic),
            &|d| {
                d.header.time = earlier(trusted.time);
            },
        ),
        at("a header at the end of the drift", TRUSTED + 10, Expect::Code(Code::HeaderAhead), &|d| {
            d.header.time = end;
        }),
        at("a header far ahead", TRUSTED + 10, Expect::Code(Code::HeaderAhead), &|d| {
            d.header.time = Time::new(4_000_000_000, 0).expect("a time");
        }),
    ]
}

/// Item 10: what a lenient reader would take for the same.
fn encodings<F>(net: &Net<F>) -> Vec<Forgery> {
    let (draft, chain) = (skipping(net), &net.chain);
    let good = draft.signed(chain);
    let SignedHeader { header, commit } = &good.signed_header;
    let simple: Vec<_> = good.validators.validators().iter().map(Validator::to_simple).collect();
    let case = draft.case(chain, &good);
    let update = |name, bytes: Vec<u8>| {
        forgery(10, name, Subject::Update(UpdateCase { update: bytes, ..case.clone() }), NEVER)
    };
    let (mut header_bytes, mut commit_bytes) = (vec![], vec![]);
    header.encode(&mut header_bytes);
    commit.encode(&mut commit_bytes);
    let signed = |parts: &[(u32, &[u8])]| {
        let mut out = vec![];
        parts.iter().for_each(|(number, bytes)| proto::put_always(&mut out, *number, bytes));
        write(&out, &simple)
    };
    // Lengths in the header start at byte 1, so a longer form of that varint has one byte more.
    let long_length = [&header_bytes[..1], &[header_bytes[1] | 0x80, 0], &header_bytes[2..]].concat();
    let field_more = [&header_bytes[..], &[0x78, 1]].concat();
    let empty_field = [&header_bytes[..], &[0x7a, 0]].concat();
    let twice = [&header_bytes[..], &header_bytes[..]].concat();
    let written_zero = {
        let mut out = commit_bytes.clone();
        // An explicit round of zero, before the round.
        let at = 1 + varint_length(&out[1..]);
        out.splice(at..at, [0x10, 0]);
        out
    };
    let long_power = {
        let mut changed = simple.clone();
        let last = changed[0].pop().expect("a power");
        changed[0].extend([last | 0x80, 0]);
        write(&good.signed_header.to_proto(), &changed)
    };
    let mut doubled = good.clone();
    doubled.trusted_next_validators = Some(good.validators.clone());
    let parts: [&[u8]; 2] = [&header_bytes, &commit_bytes];
    let proof = |name, bytes: Vec<u8>| {
        forgery(10, name, Subject::Proof(ProofCase { proof: bytes, ..there(net) }), NEVER)
    };
    let good_proof = there(net).proof;
    vec![
        update("commit before header", signed(&[(2, parts[1]), (1, parts[0])])),
        update("the header twice", signed(&[(1, parts[0]), (1, parts[0]), (2, parts[1])])),
        update("an unknown message", signed(&[(1, parts[0]), (2, parts[1]), (3, &[])])),
        update("a longer varint", signed(&[(1, &long_length), (2, parts[1])])),
        update("an unknown field in the header", signed(&[(1, &field_more), (2, parts[1])])),
        update("an empty unknown field in the header", signed(&[(1, &empty_field), (2, parts[1])])),
        update("the header's fields twice", signed(&[(1, &twice), (2, parts[1])])),
        update("a written default", signed(&[(1, parts[0]), (2, &written_zero)])),
        update("a longer power", long_power),
        update("one set, written twice", doubled.to_bytes()),
        proof("a longer varint in a proof", {
            let mut bytes = good_proof.clone();
            bytes[1] |= 0x80;
            bytes[2] |= 0x80;
            bytes.insert(3, 0);
            bytes
        }),
        proof("an unknown field in a proof", [&good_proof[..], &[0x10, 1]].concat()),
        proof("a batch of one", {
            let mut bytes = vec![];
            proto::put_message(&mut bytes, 1, |out| {
                proto::put_message(out, 3, |out| proto::put_always(out, 1, &good_proof));
            });
            bytes
        }),
    ]
}

fn varint_length(bytes: &[u8]) -> usize {
    let (_, rest) = proto::varint(bytes).expect("a varint");
    bytes.len() - rest.len()
}

/// Items 13 and 14: what must not freeze.
fn evidence<F>(net: &Net<F>) -> Vec<Forgery> {
    let chain = &net.chain;
    let [one, other] = &net.fork();
    let of = |item, name, expect, case: EvidenceCase| forgery(item, name, Subject::Evidence(case), expect);
    let none = Expect::Code(Code::NoMisbehaviour);
    let signed = |draft: &Draft| draft.signed(chain);
    let fewer = one.update(chain, |index| if index == 0 { Ballot::Absent } else { Ballot::For });
    let unsigned = other.update(chain, |_| Ballot::Absent);
    let below = other.update(chain, |index| if index < 2 { Ballot::For } else { Ballot::Absent });
    let mut garbled = signed(other);
    garbled.signed_header.commit.round += 1;
    let by_strangers =
        Draft { now: strangers(), ..Draft::new("", chain, TRUSTED + 10, first(), strangers()) };
    let mut elsewhere = other.clone();
    elsewhere.header.chain_id = "zeus-2".into();
    // The same header in another round, whose commit names other parts.
    let mut resigned = chain.sign(one.header.clone(), &one.now, |_| Ballot::For);
    resigned.commit.round = 7;
    let sign_bytes = resigned.commit.sign_bytes(&chain.chain_id);
    for (entry, member) in resigned.commit.signatures.iter_mut().zip(one.now.members()) {
        let message = sign_bytes.of(entry).expect("a vote");
        if let CommitSig::For(vote) = entry {
            vote.signature = member.secret.sign(&message);
        }
    }
    let resigned = Update { signed_header: resigned, ..signed(one) };
    let later = Draft::new("", chain, TRUSTED + 11, first(), second());
    vec![
        of(13, "one block twice", none, net.accuse("", [one, one])),
        of(13, "one header, fewer votes", none, net.accuse_by("", [one, one], [signed(one), fewer])),
        of(13, "one header, another round", none, net.accuse_by("", [one, one], [signed(one), resigned])),
        of(13, "two blocks in order", none, net.accuse("", [one, &later])),
        of(13, "two blocks in order, the later first", none, net.accuse("", [&later, one])),
        of(
            14,
            "an unsigned block",
            Expect::Code(Code::QuorumNotReached),
            net.accuse_by("", [one, other], [signed(one), unsigned]),
        ),
        of(
            14,
            "a block below the quorum",
            Expect::Code(Code::QuorumNotReached),
            net.accuse_by("", [one, other], [signed(one), below.clone()]),
        ),
        of(
            14,
            "a block below the quorum, first",
            Expect::Code(Code::QuorumNotReached),
            net.accuse_by("", [other, one], [below, signed(one)]),
        ),
        of(
            14,
            "a block with other votes",
            SIGNATURE,
            net.accuse_by("", [one, other], [signed(one), garbled]),
        ),
        of(
            14,
            "a block signed by strangers",
            Expect::Code(Code::TrustTooThin),
            net.accuse("", [one, &by_strangers]),
        ),
        of(14, "a block of another chain", Expect::Code(Code::WrongChain), net.accuse("", [one, &elsewhere])),
    ]
}
