//! What is known of a packet and what to do about it: decisions without I/O.
//!
//! Two chains are read independently, so an answer may be seen before the packet it answers. What is seen only adds
//! up, in any order, and a record goes once both the answer and the resolution were seen: nothing about the packet can
//! come after that.

use zeugma_ledger::ibc::{Acknowledgements, Packet};
use zeugma_types::codec::put_option;
use zeugma_types::{BlockTime, Code, Decode, Encode, Reader, Refusal};

/// How the receiver's chain ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was received, and answered.
    Acknowledged(Acknowledgements),
    /// It was not received, and never will be.
    Closed,
}

/// What was seen of one packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The packet and the time of its block, once its sending was seen.
    pub sent: Option<(BlockTime, Packet)>,
    /// Whether the receiver's chain has it.
    pub received: bool,
    /// When the receiver's chain lets it go, while it is held there.
    pub held: Option<BlockTime>,
    /// How the receiver's chain ended it.
    pub answer: Option<Answer>,
    /// Whether the sender's chain knows that.
    pub resolved: bool,
}

/// One thing seen of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Sent, in a block of this time.
    Sent(BlockTime, Packet),
    /// Received.
    Received,
    /// Held, once received, until this time.
    Held(BlockTime),
    /// Held no longer.
    HoldEnded,
    /// Answered or closed.
    Answered(Answer),
    /// Acknowledged or timed out on the sender's chain.
    Resolved,
}

/// What to do about a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Show the packet to the receiver's chain.
    Receive,
    /// Close it there: its time is over.
    Close,
    /// Let it go there: the time for which it was held is over.
    Release,
    /// Bring its acknowledgement to the sender's chain.
    Acknowledge,
    /// Bring its closing there.
    TimeOut,
}

impl Step {
    /// The word in claims.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Close => "close",
            Self::Release => "release",
            Self::Acknowledge => "acknowledge",
            Self::TimeOut => "time-out",
        }
    }

    /// Whether it is done on the receiver's chain.
    #[must_use]
    pub const fn is_at_receiver(self) -> bool {
        matches!(self, Self::Receive | Self::Close | Self::Release)
    }
}

impl Record {
    /// Adds what was seen.
    pub fn add(&mut self, seen: Seen) {
        match seen {
            Seen::Sent(time, packet) => self.sent = Some((time, packet)),
            Seen::Received => self.received = true,
            Seen::Held(until) => self.held = Some(until),
            Seen::HoldEnded => self.held = None,
            Seen::Answered(answer) => self.answer = Some(answer),
            Seen::Resolved => self.resolved = true,
        }
    }

    /// Nothing about the packet can come any more.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.resolved && self.answer.is_some() && self.sent.is_some()
    }

    /// The packet, while it is sent and not resolved.
    #[must_use]
    pub fn open(&self) -> Option<(BlockTime, &Packet)> {
        match &self.sent {
            Some((time, packet)) if !self.resolved => Some((*time, packet)),
            _ => None,
        }
    }

    /// What to do at `now`; nothing while the receiver's answer is to come.
    #[must_use]
    pub fn next(&self, now: BlockTime) -> Option<Step> {
        let (_, packet) = self.open()?;
        match &self.answer {
            Some(Answer::Acknowledged(_)) => Some(Step::Acknowledge),
            Some(Answer::Closed) => Some(Step::TimeOut),
            None if self.received => self.held.filter(|until| now >= *until).map(|_| Step::Release),
            None if now.whole_seconds() >= packet.timeout => Some(Step::Close),
            None => Some(Step::Receive),
        }
    }
}

impl Encode for Record {
    fn encode(&self, out: &mut Vec<u8>) {
        put_option(out, self.sent.as_ref(), |out, (time, packet)| {
            time.encode(out);
            packet.encode(out);
        });
        // Records of before holds had 0 and 1.
        match (self.received, self.held) {
            (false, _) => out.push(0),
            (true, None) => out.push(1),
            (true, Some(until)) => {
                out.push(2);
                until.encode(out);
            }
        }
        put_option(out, self.answer.as_ref(), |out, answer| match answer {
            Answer::Acknowledged(each) => {
                out.push(1);
                each.encode(out);
            }
            Answer::Closed => out.push(2),
        });
        out.push(u8::from(self.resolved));
    }
}

impl Decode for Record {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        let flag = |reader: &mut Reader<'_>| match reader.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(Refusal::new(Code::UnknownTag).needed(1_u64).found(tag)),
        };
        let sent = reader.option(|r| Ok((BlockTime::decode(r)?, Packet::decode(r)?)))?;
        let (received, held) = match reader.u8()? {
            0 => (false, None),
            1 => (true, None),
            2 => (true, Some(BlockTime::decode(reader)?)),
            tag => return Err(Refusal::new(Code::UnknownTag).needed(2_u64).found(tag)),
        };
        Ok(Self {
            sent,
            received,
            held,
            answer: reader.option(|r| match r.u8()? {
                1 => Acknowledgements::decode(r).map(Answer::Acknowledged),
                2 => Ok(Answer::Closed),
                tag => Err(Refusal::new(Code::UnknownTag).needed(2_u64).found(tag)),
            })?,
            resolved: flag(reader)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeugma_ledger::bounded::{Bytes, Text};
    use zeugma_ledger::ibc::{Payload, Port};
    use zeugma_types::{ClientId, Sequence, UnixSeconds};

    fn packet() -> Packet {
        let payload = Payload {
            source_port: Port::new("message").unwrap(),
            destination_port: Port::new("message").unwrap(),
            version: Text::new("v").unwrap(),
            encoding: Text::new("e").unwrap(),
            value: Bytes::new(*b"x").unwrap(),
        };
        let (a, b) = (ClientId::new("zeugma-0").unwrap(), ClientId::new("zeugma-1").unwrap());
        Packet::new(Sequence::new(1), a, b, UnixSeconds::new(100), vec![payload]).unwrap()
    }

    #[test]
    fn what_is_to_be_done_follows_from_what_was_seen_and_from_the_time() {
        let mut record = Record::default();
        assert_eq!(record.next(BlockTime::new(0)), None);
        record.add(Seen::Sent(BlockTime::new(5_000), packet()));
        assert_eq!(record.next(BlockTime::new(99_999)), Some(Step::Receive));
        assert_eq!(record.next(BlockTime::new(100_000)), Some(Step::Close));
        let mut closed = record.clone();
        closed.add(Seen::Answered(Answer::Closed));
        assert_eq!(closed.next(BlockTime::new(0)), Some(Step::TimeOut));
        record.add(Seen::Received);
        assert_eq!(
            record.next(BlockTime::new(100_000)),
            None,
            "received: the answer comes, whatever the time"
        );
        record.add(Seen::Answered(Answer::Acknowledged(Acknowledgements::error())));
        assert_eq!(record.next(BlockTime::new(0)), Some(Step::Acknowledge));
        assert!(!record.is_over());
        record.add(Seen::Resolved);
        assert_eq!(record.next(BlockTime::new(0)), None);
        assert!(record.is_over());
    }

    #[test]
    fn what_is_held_is_released_at_its_time_and_answered_once_it_was() {
        let mut record = Record::default();
        record.add(Seen::Sent(BlockTime::new(5_000), packet()));
        record.add(Seen::Received);
        record.add(Seen::Held(BlockTime::new(50_000)));
        assert_eq!(record.next(BlockTime::new(49_999)), None);
        assert_eq!(record.next(BlockTime::new(50_000)), Some(Step::Release));
        assert_eq!(
            record.next(BlockTime::new(500_000)),
            Some(Step::Release),
            "past its timeout it goes back"
        );
        assert!(Step::Release.is_at_receiver());
        assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
        // Sent on: the answer is that of another packet.
        record.add(Seen::HoldEnded);
        assert_eq!(record.next(BlockTime::new(500_000)), None);
        record.add(Seen::Answered(Answer::Acknowledged(Acknowledgements::error())));
        assert_eq!(record.next(BlockTime::new(0)), Some(Step::Acknowledge));
    }

    #[test]
    fn what_is_seen_adds_up_however_the_two_chains_are_interleaved() {
        // Each chain tells its own part in order.
        let sender = [Seen::Sent(BlockTime::new(5_000), packet()), Seen::Resolved];
        let receiver = [Seen::Received, Seen::Answered(Answer::Acknowledged(Acknowledgements::error()))];
        for mask in 0_u8..16 {
            if mask.count_ones() != 2 {
                continue;
            }
            let (mut from_sender, mut from_receiver) = (sender.iter(), receiver.iter());
            let mut record = Record::default();
            for place in 0..4 {
                assert!(!record.is_over());
                let next = if mask & (1 << place) == 0 { from_sender.next() } else { from_receiver.next() };
                record.add(next.unwrap().clone());
                assert_eq!(Record::from_bytes(&record.to_bytes()).unwrap(), record);
            }
            assert!(record.is_over());
        }
    }
}
