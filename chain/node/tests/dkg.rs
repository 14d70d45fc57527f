//! The key generation: all or nothing, whatever one member does.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test stops where its ground is not as it thinks"
)]

mod support;

use commonware_codec::{Decode as _, Encode as _};
use commonware_cryptography::Signer as _;
use commonware_cryptography::bls12381::dkg::feldman_desmedt::{Dealer, Info, Player, Reveal, deal};
use commonware_cryptography::bls12381::primitives::{sharing::Mode, variant::MinSig};
use commonware_p2p::Manager as _;
use commonware_p2p::simulated::{self, Link, Network};
use commonware_runtime::{Clock as _, Runner as _, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::{N3f1, N5f1, NZU32, NZUsize, probability};
use rand_core::SeedableRng as _;
use std::collections::VecDeque;
use std::time::Duration;
use support::{QUOTA, genesis, identity};
use zeugma_node::consensus::PublicKey;
use zeugma_node::dkg::{self, Body, Ceremony, Error, KeyFile, MAX_MESSAGE, Message};
use zeugma_types::{Decode as _, Encode as _};

fn ceremony(place: usize, seed: u8) -> Ceremony {
    let genesis = genesis(4);
    let members = zeugma_node::members(&genesis).unwrap();
    Ceremony::new(&genesis.network(), 1, members, identity(&genesis, place), [seed; 32], Vec::new()).unwrap()
}

fn rng() -> rand_chacha::ChaCha20Rng {
    rand_chacha::ChaCha20Rng::seed_from_u64(1)
}

/// What passed between the members of one ceremony, and where it left them.
struct Passed {
    members: Vec<Ceremony>,
    messages: Vec<(usize, usize, Message)>,
}

/// Four members who hear each other until nothing is left to say.
fn pass(seed: u8) -> Passed {
    let genesis = genesis(4);
    let keys: Vec<PublicKey> = (0..4).map(|place| identity(&genesis, place).public_key()).collect();
    let place = |key: &PublicKey| keys.iter().position(|other| other == key).unwrap();
    let mut members: Vec<_> = (0..4).map(|at| ceremony(at, seed + at as u8)).collect();
    let mut messages = Vec::new();
    for member in &mut members {
        member.advance(&mut rng(), &mut dkg::Step::default()).unwrap();
    }
    for _ in 0..8 {
        let mut queue: VecDeque<(usize, usize, Message)> = VecDeque::new();
        for (from, member) in members.iter().enumerate() {
            queue.extend(member.outgoing().into_iter().map(|(to, message)| (from, place(&to), message)));
        }
        while let Some((from, to, message)) = queue.pop_front() {
            messages.push((from, to, message.clone()));
            let step = members[to].receive(&mut rng(), &keys[from], message).unwrap();
            queue.extend(step.reply.map(|reply| (to, from, reply)));
        }
    }
    Passed { members, messages }
}

#[test]
fn all_members_hold_one_key_and_one_transcript() {
    let passed = pass(10);
    let genesis = genesis(4);
    assert!(passed.members.iter().all(|member| member.done() && member.settled()));
    let outcomes: Vec<_> = passed.members.into_iter().map(|member| member.outcome().unwrap()).collect();
    let files: Vec<_> = outcomes.iter().map(|outcome| KeyFile::new(genesis.network(), outcome)).collect();
    for file in &files {
        assert_eq!(file.committee(&genesis).unwrap(), files[0].committee(&genesis).unwrap());
        assert_eq!(KeyFile::from_bytes(&file.to_bytes()).unwrap(), *file);
        file.scheme(&genesis).unwrap();
    }
    assert!(outcomes.iter().all(|outcome| outcome.transcript == outcomes[0].transcript));
    assert_ne!(files[0].share, files[1].share);
}

#[test]
fn a_silent_member_stops_the_ceremony_and_is_named() {
    let genesis = genesis(4);
    let keys: Vec<PublicKey> = (0..4).map(|place| identity(&genesis, place).public_key()).collect();
    let mut members: Vec<_> = (0..3).map(|at| ceremony(at, at as u8)).collect();
    for _ in 0..8 {
        let said: Vec<_> = members.iter().map(Ceremony::outgoing).collect();
        for (from, said) in said.into_iter().enumerate() {
            for (to, message) in said {
                let Some(to) = keys.iter().take(3).position(|key| *key == to) else { continue };
                let step = members[to].receive(&mut rng(), &keys[from], message).unwrap();
                if let Some(reply) = step.reply {
                    members[from].receive(&mut rng(), &keys[to], reply).unwrap();
                }
            }
        }
    }
    assert!(members.iter().all(|member| !member.done() && member.missing().contains(&keys[3])));
}

#[test]
fn a_log_that_reveals_a_share_ends_the_ceremony() {
    let genesis = genesis(4);
    let members = zeugma_node::members(&genesis).unwrap();
    let id = dkg::ceremony_id(&genesis.network(), 1, &members);
    let info = Info::<MinSig, PublicKey>::new::<N3f1>(
        id.as_ref(),
        1,
        None,
        Mode::NonZeroCounter,
        Reveal::V1,
        members.clone(),
        members.clone(),
    )
    .unwrap();
    // Given a dealer that signs its log with the acknowledgements of three.
    let (mut dealer, commitment, shares) =
        Dealer::start::<N3f1>(rng(), info.clone(), identity(&genesis, 0), None).unwrap();
    for (place, (member, share)) in shares.into_iter().enumerate().take(3) {
        let place = members.position(&member).unwrap_or(place);
        let mut player = Player::new(info.clone(), identity(&genesis, place)).unwrap();
        let from = identity(&genesis, 0).public_key();
        let ack = player.dealer_message::<N3f1>(from, commitment.clone(), share).unwrap().unwrap();
        dealer.receive_player_ack(member, ack).unwrap();
    }
    let log = dealer.finalize::<N3f1>();
    // When another member takes it, then there is no key.
    let dealer = identity(&genesis, 0).public_key();
    let message = Message { ceremony: id, body: Body::Log(log) };
    let refused = ceremony(1, 1).receive(&mut rng(), &dealer, message).err();
    assert_eq!(refused, Some(Error::Revealed(dealer.into())));
}

#[test]
fn a_dealer_with_two_logs_ends_the_ceremony() {
    // Given the same dealer in two ceremonies of one name.
    let (first, second) = (pass(10), pass(50));
    let log_of = |passed: &Passed| {
        let found = passed
            .messages
            .iter()
            .find(|(from, _, message)| *from == 0 && matches!(message.body, Body::Log(_)));
        found.unwrap().2.clone()
    };
    let dealer = identity(&genesis(4), 0).public_key();
    let mut member = ceremony(1, 1);
    member.receive(&mut rng(), &dealer, log_of(&first)).unwrap();
    // The same log again is no offence.
    member.receive(&mut rng(), &dealer, log_of(&first)).unwrap();
    let refused = member.receive(&mut rng(), &dealer, log_of(&second)).err();
    assert_eq!(refused, Some(Error::TwoLogs(dealer.into())));
}

#[test]
fn a_member_that_confirms_another_transcript_ends_the_ceremony() {
    let (mut first, second) = (pass(10), pass(50));
    let other = second
        .messages
        .iter()
        .find(|(from, _, message)| *from == 2 && matches!(message.body, Body::Confirm { .. }));
    let member = identity(&genesis(4), 2).public_key();
    let refused = first.members[1].receive(&mut rng(), &member, other.unwrap().2.clone()).err();
    assert_eq!(refused, Some(Error::OtherTranscript(member.into())));
}

#[test]
fn a_key_file_of_another_quorum_or_committee_is_refused_in_words() {
    let of = |validators| dkg::insecure_dealer(&genesis(validators), [7; 32]).expect("a key").remove(0);
    let (four, seven) = (of(4), of(7));
    assert!(four.scheme(&genesis(4)).is_ok());
    let mixed = KeyFile { polynomial: seven.polynomial, ..four.clone() };
    let refused = mixed.scheme(&genesis(4)).expect_err("of seven members");
    assert!(refused.contains("polynomial"), "{refused}");
    let members = zeugma_node::members(&genesis(4)).expect("members");
    let (other, _) = deal::<MinSig, PublicKey, N5f1>(rng(), Mode::NonZeroCounter, members).expect("a key");
    let weaker = KeyFile { polynomial: other.public().encode().to_vec(), ..four };
    let refused = weaker.scheme(&genesis(4)).expect_err("of another quorum");
    assert!(refused.contains("4 of 4 members, the genesis asks for 3 of 4"), "{refused}");
}

#[test]
fn what_is_no_message_is_dropped_and_what_is_one_reads_back() {
    let passed = pass(10);
    for (_, _, message) in &passed.messages {
        let bytes = message.encode();
        assert!(bytes.len() <= MAX_MESSAGE as usize);
        assert_eq!(Message::decode_cfg(bytes.clone(), &NZU32!(4)).unwrap().encode(), bytes);
        for cut in [0, 1, 33, bytes.len() - 1] {
            assert!(Message::decode_cfg(bytes.slice(..cut), &NZU32!(4)).is_err());
        }
    }
}

#[test]
fn members_that_are_killed_go_on_in_the_same_ceremony() {
    for seed in 0..5_u64 {
        let config =
            deterministic::Config::new().with_seed(seed).with_timeout(Some(Duration::from_secs(600)));
        deterministic::Runner::new(config).start(|context| async move {
            let genesis = genesis(4);
            let members = zeugma_node::members(&genesis).unwrap();
            let (network, oracle) = Network::new(
                context.child("network"),
                simulated::Config {
                    max_size: MAX_MESSAGE,
                    max_peers_per_set: NZUsize!(8),
                    disconnect_on_block: true,
                    tracked_peer_sets: NZUsize!(1),
                },
            );
            network.start();
            oracle.manager().track(0, members.clone());
            // One message in five is lost.
            let link = Link {
                latency: Duration::from_millis(10),
                jitter: Duration::from_millis(5),
                success_rate: probability!(0.8),
            };
            for from in members.iter() {
                for to in members.iter().filter(|to| *to != from) {
                    oracle.add_link(from.clone(), to.clone(), link.clone()).await.unwrap();
                }
            }
            let mut tasks = Vec::new();
            for place in 0..4_usize {
                let (genesis, oracle, members) = (genesis.clone(), oracle.clone(), members.clone());
                tasks.push(context.child("member").with_attribute("place", place).spawn(
                    move |context| async move {
                        let me = identity(&genesis, place);
                        for run in 0..20_u64 {
                            let channel = oracle.control(me.public_key()).register(0, QUOTA).await.unwrap();
                            let config = dkg::Config {
                                network: genesis.network(),
                                attempt: 1,
                                members: members.clone(),
                                me: me.clone(),
                                partition: format!("dkg-{place}"),
                                tick: Duration::from_millis(200),
                                linger: Duration::from_secs(30),
                            };
                            let task = context
                                .child("run")
                                .with_attribute("run", run)
                                .spawn(move |context| dkg::run(context, config, channel));
                            if run < 3 {
                                // Killed at a moment that differs by seed, member and run.
                                let moment = 7 + (seed * 13 + place as u64 * 31 + run * 57) % 120;
                                context.sleep(Duration::from_millis(moment)).await;
                                task.abort();
                                if let Ok(outcome) = task.await {
                                    return KeyFile::new(genesis.network(), &outcome.unwrap());
                                }
                                continue;
                            }
                            return KeyFile::new(genesis.network(), &task.await.unwrap().unwrap());
                        }
                        unreachable!("the fourth run is not killed")
                    },
                ));
            }
            let mut files = Vec::new();
            for task in tasks {
                files.push(task.await.unwrap());
            }
            for file in &files {
                assert_eq!(
                    file.committee(&genesis).unwrap(),
                    files[0].committee(&genesis).unwrap(),
                    "seed {seed}"
                );
            }
        });
    }
}
