//! The other validators as this node hears them: when each last voted, and for which height.
//!
//! A vote counts when the engine took it, verified or not: this tells an operator who is there, and decides nothing.

use commonware_utils::Participant;
use commonware_utils::sync::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use zeugma_types::Height;

/// A validator whose last vote is older is not heard.
pub(crate) const HEARD: Duration = Duration::from_secs(10);

/// Another validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Its index in the genesis.
    pub index: u32,
    /// Whether a vote of it came in the last ten seconds.
    pub connected: bool,
    /// The greatest height it voted for, as far as this node heard since it started.
    pub height: Option<Height>,
}

#[derive(Clone, Copy)]
struct Vote {
    at: SystemTime,
    height: Option<Height>,
}

/// What was heard. Clones share it.
#[derive(Clone)]
pub(crate) struct Peers {
    members: u32,
    me: Option<Participant>,
    votes: Arc<Mutex<BTreeMap<Participant, Vote>>>,
}

fn is_fresh(vote: &Vote, now: SystemTime) -> bool {
    // A clock that was set back makes a vote no older.
    vote.at > now || now.duration_since(vote.at).is_ok_and(|age| age <= HEARD)
}

impl Peers {
    /// Of so many members, of which this node is `me` if it is one.
    pub(crate) fn new(members: u32, me: Option<Participant>) -> Self {
        Self { members, me, votes: Arc::default() }
    }

    /// Notes a vote; `height` where its block is known here.
    pub(crate) fn voted(&self, signer: Participant, now: SystemTime, height: Option<Height>) {
        let mut votes = self.votes.lock();
        let vote = votes.entry(signer).or_insert(Vote { at: now, height });
        *vote = Vote { at: now, height: vote.height.max(height) };
    }

    /// How many were heard lately, this node among them.
    pub(crate) fn heard(&self, now: SystemTime) -> usize {
        self.votes.lock().values().filter(|vote| is_fresh(vote, now)).count()
    }

    /// The others, by index.
    pub(crate) fn all(&self, now: SystemTime) -> Vec<PeerStatus> {
        let votes = self.votes.lock();
        let others = (0..self.members).filter(|index| Some(Participant::new(*index)) != self.me);
        let status = others.map(|index| {
            let vote = votes.get(&Participant::new(index));
            PeerStatus {
                index,
                connected: vote.is_some_and(|vote| is_fresh(vote, now)),
                height: vote.and_then(|vote| vote.height),
            }
        });
        status.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_peer_is_connected_while_its_votes_come_and_its_height_never_falls() {
        let peers = Peers::new(3, Some(Participant::new(1)));
        let silent = |index| PeerStatus { index, connected: false, height: None };
        assert_eq!(peers.all(at(0)), [silent(0), silent(2)]);
        peers.voted(Participant::new(2), at(5), Some(Height::new(7)));
        peers.voted(Participant::new(2), at(6), None);
        peers.voted(Participant::new(2), at(7), Some(Height::new(6)));
        peers.voted(Participant::new(1), at(7), Some(Height::new(7)));
        let heard = PeerStatus { index: 2, connected: true, height: Some(Height::new(7)) };
        assert_eq!(peers.all(at(17)), [silent(0), heard]);
        assert_eq!(peers.heard(at(17)), 2);
        assert_eq!(peers.all(at(18)), [silent(0), PeerStatus { connected: false, ..heard }]);
        assert_eq!(peers.heard(at(18)), 0);
        // A clock that was set back.
        assert!(peers.all(at(1))[1].connected);
    }
}
