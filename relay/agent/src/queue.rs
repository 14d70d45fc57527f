//! The durable queue: one file, in which every step is complete or did not happen.
//!
//! | table | key | value |
//! |---|---|---|
//! | `tasks` | number | [`Task`]: messages, and how far they are |
//! | `claims` | chain, claim | the open task that does this work |
//! | `setbacks` | chain, claim | how often it was refused, and until when it rests |
//! | `cursors` | what is followed | the next height to read |
//! | `packets` | route, side, sequence | what was seen of a packet |
//! | `numbers` | | the next task's number |
//!
//! A claim names a piece of work (`recv/7`, `update/zeugma-0`): while a task with it is open no other is taken, so a
//! worker may ask for the same work at each tick. Final tasks are kept for a while, for whoever asks why.
//!
//! Writes are durable when a call returns: redb commits with its default durability, which syncs.

use crate::error::Error;
use crate::submit::state::Stage;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use std::path::Path;
use zeugma_endpoint_cometbft::Jitter;
use zeugma_ledger::Message;
use zeugma_ledger::limits::{MAX_MESSAGES, MAX_TRANSACTION};
use zeugma_types::codec::{put_bytes, put_list};
use zeugma_types::{BlockTime, Code, Decode, Encode, Height, Reader, Refusal, Span};

const TASKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("tasks-1");
const CLAIMS: TableDefinition<'_, &str, u64> = TableDefinition::new("claims-1");
const SETBACKS: TableDefinition<'_, &str, (u32, u64)> = TableDefinition::new("setbacks-1");
const CURSORS: TableDefinition<'_, &str, u64> = TableDefinition::new("cursors-1");
const PACKETS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("packets-1");
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers-1");

/// Longest chain name or claim, in bytes.
const MAX_WORD: usize = 256;
/// Final tasks that are kept.
const KEPT: u64 = 1_000;
/// The first rest after a refusal, doubled by each further one.
const FIRST_REST: Span = Span::seconds(1);
/// The longest rest.
const LONGEST_REST: Span = Span::seconds(120);

/// One piece of work: what it is called, and the message that does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Its name, which no other open task of the chain has.
    pub claim: String,
    /// What does it.
    pub message: Message,
}

/// One transaction, from the wish to its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The chain it goes to, as the configuration calls it.
    pub hub: String,
    /// Its messages, in order.
    pub works: Vec<Work>,
    /// How far it is.
    pub stage: Stage,
}

impl Encode for Task {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.hub.as_bytes());
        put_list(out, &self.works, |out, work| {
            put_bytes(out, work.claim.as_bytes());
            work.message.encode(out);
        });
        self.stage.encode(out);
    }
}

impl Decode for Task {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            hub: reader.text(MAX_WORD)?,
            works: reader.list(MAX_MESSAGES, |r| {
                Ok(Work { claim: r.text(MAX_WORD)?, message: Message::decode(r)? })
            })?,
            stage: Stage::decode(reader)?,
        })
    }
}

/// Longest encoded task: the transaction and its messages once more.
const MAX_TASK: usize = 3 * MAX_TRANSACTION;

/// The queue.
pub struct Queue {
    file: Database,
}

/// What one look at a packet changes: its place, and the new record, or none when it is done with.
pub type PacketWrite = ((String, u64), Option<Vec<u8>>);

fn name(hub: &str, claim: &str) -> String {
    format!("{hub}/{claim}")
}

impl Queue {
    /// Opens the file, or makes it. A file that was not closed is repaired from its last complete step.
    ///
    /// # Errors
    /// [`Error::Queue`] when another agent has it open, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = Database::create(path).map_err(Error::queue)?;
        let write = file.begin_write().map_err(Error::queue)?;
        // So that later reads find every table.
        write.open_table(TASKS).map_err(Error::queue)?;
        write.open_table(CLAIMS).map_err(Error::queue)?;
        write.open_table(SETBACKS).map_err(Error::queue)?;
        write.open_table(CURSORS).map_err(Error::queue)?;
        write.open_table(PACKETS).map_err(Error::queue)?;
        write.open_table(NUMBERS).map_err(Error::queue)?;
        write.commit().map_err(Error::queue)?;
        Ok(Self { file })
    }

    /// Takes a task, unless part of its work is under way; says whether it was taken.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn push(&self, hub: &str, works: Vec<Work>) -> Result<bool, Error> {
        let write = self.file.begin_write().map_err(Error::queue)?;
        {
            let mut claims = write.open_table(CLAIMS).map_err(Error::queue)?;
            let mut numbers = write.open_table(NUMBERS).map_err(Error::queue)?;
            let mut tasks = write.open_table(TASKS).map_err(Error::queue)?;
            let number = numbers.get("task").map_err(Error::queue)?.map_or(0, |number| number.value());
            for work in &works {
                let claim = name(hub, &work.claim);
                if claims.insert(claim.as_str(), number).map_err(Error::queue)?.is_some() {
                    // Nothing of this was committed.
                    return Ok(false);
                }
            }
            let task = Task { hub: hub.to_owned(), works, stage: Stage::Queued };
            tasks.insert(number, task.to_bytes().as_slice()).map_err(Error::queue)?;
            let next = number.checked_add(1).ok_or_else(|| Error::queue("task numbers are spent"))?;
            numbers.insert("task", next).map_err(Error::queue)?;
        }
        write.commit().map_err(Error::queue)?;
        Ok(true)
    }

    /// The open tasks of a chain, oldest first.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn open_tasks(&self, hub: &str) -> Result<Vec<(u64, Task)>, Error> {
        let all = self.tasks()?;
        let open = |task: &Task| task.hub == hub && !matches!(task.stage, Stage::Final { .. });
        Ok(all.into_iter().filter(|(_, task)| open(task)).collect())
    }

    /// Every task that is kept, oldest first.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn tasks(&self) -> Result<Vec<(u64, Task)>, Error> {
        let read = self.file.begin_read().map_err(Error::queue)?;
        let tasks = read.open_table(TASKS).map_err(Error::queue)?;
        let mut all = Vec::new();
        for entry in tasks.iter().map_err(Error::queue)? {
            let (number, bytes) = entry.map_err(Error::queue)?;
            all.push((number.value(), decode(bytes.value())?));
        }
        Ok(all)
    }

    /// Whether a piece of work is under way.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn is_claimed(&self, hub: &str, claim: &str) -> Result<bool, Error> {
        let read = self.file.begin_read().map_err(Error::queue)?;
        let claims = read.open_table(CLAIMS).map_err(Error::queue)?;
        Ok(claims.get(name(hub, claim).as_str()).map_err(Error::queue)?.is_some())
    }

    /// Whether a piece of work rests at `now`, after it was refused.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn rests(&self, hub: &str, claim: &str, now: BlockTime) -> Result<bool, Error> {
        let read = self.file.begin_read().map_err(Error::queue)?;
        let setbacks = read.open_table(SETBACKS).map_err(Error::queue)?;
        let found = setbacks.get(name(hub, claim).as_str()).map_err(Error::queue)?;
        Ok(found.is_some_and(|found| now.get() < found.value().1))
    }

    /// Ends the rests of every piece of work of a chain: an operator's "try now", and what a success does.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn forgive(&self, hub: &str) -> Result<(), Error> {
        let write = self.file.begin_write().map_err(Error::queue)?;
        {
            let mut setbacks = write.open_table(SETBACKS).map_err(Error::queue)?;
            let prefix = format!("{hub}/");
            setbacks.retain(|claim, _| !claim.starts_with(&prefix)).map_err(Error::queue)?;
        }
        write.commit().map_err(Error::queue)
    }

    /// Moves a task to an open stage.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn advance(&self, number: u64, task: &Task, stage: Stage) -> Result<(), Error> {
        let moved = Task { stage, ..task.clone() };
        let write = self.file.begin_write().map_err(Error::queue)?;
        {
            let mut tasks = write.open_table(TASKS).map_err(Error::queue)?;
            tasks.insert(number, moved.to_bytes().as_slice()).map_err(Error::queue)?;
        }
        write.commit().map_err(Error::queue)
    }

    /// Ends a task: its claims are free, those that were refused rest for a while, those that succeeded are forgiven.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn finish(
        &self,
        number: u64,
        task: &Task,
        stage: Stage,
        now: BlockTime,
        jitter: Jitter,
    ) -> Result<(), Error> {
        let refused = stage.refused(task.works.len());
        let done = Task { stage, ..task.clone() };
        let write = self.file.begin_write().map_err(Error::queue)?;
        {
            let mut tasks = write.open_table(TASKS).map_err(Error::queue)?;
            let mut claims = write.open_table(CLAIMS).map_err(Error::queue)?;
            let mut setbacks = write.open_table(SETBACKS).map_err(Error::queue)?;
            for (place, work) in task.works.iter().enumerate() {
                let claim = name(&task.hub, &work.claim);
                claims.remove(claim.as_str()).map_err(Error::queue)?;
                if refused.contains(&place) {
                    let before = setbacks.get(claim.as_str()).map_err(Error::queue)?;
                    let count = before.map_or(0, |before| before.value().0);
                    let until = now.after(jitter.shorten(rest_after(count))).unwrap_or(BlockTime::MAX);
                    let setback = (count.saturating_add(1), until.get());
                    setbacks.insert(claim.as_str(), setback).map_err(Error::queue)?;
                } else if refused.is_empty() {
                    setbacks.remove(claim.as_str()).map_err(Error::queue)?;
                }
            }
            tasks.insert(number, done.to_bytes().as_slice()).map_err(Error::queue)?;
            if let Some(old) = number.checked_sub(KEPT) {
                let stale = tasks.get(old).map_err(Error::queue)?.map(|bytes| decode(bytes.value()));
                if stale.transpose()?.is_some_and(|task: Task| matches!(task.stage, Stage::Final { .. })) {
                    tasks.remove(old).map_err(Error::queue)?;
                }
            }
        }
        write.commit().map_err(Error::queue)
    }

    /// Where reading goes on.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn cursor(&self, of: &str) -> Result<Option<Height>, Error> {
        let read = self.file.begin_read().map_err(Error::queue)?;
        let cursors = read.open_table(CURSORS).map_err(Error::queue)?;
        Ok(cursors.get(of).map_err(Error::queue)?.map(|height| Height::new(height.value())))
    }

    /// The records of packets under one name of a route's side.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn packets(&self, side: &str) -> Result<Vec<(u64, Vec<u8>)>, Error> {
        let read = self.file.begin_read().map_err(Error::queue)?;
        let packets = read.open_table(PACKETS).map_err(Error::queue)?;
        let mut all = Vec::new();
        for entry in packets.range((side, 0)..=(side, u64::MAX)).map_err(Error::queue)? {
            let (place, bytes) = entry.map_err(Error::queue)?;
            all.push((place.value().1, bytes.value().to_vec()));
        }
        Ok(all)
    }

    /// Keeps what was read up to a cursor, and the cursor, in one step.
    ///
    /// # Errors
    /// [`Error::Queue`].
    pub fn follow(&self, cursor: &str, next: Height, packets: Vec<PacketWrite>) -> Result<(), Error> {
        let write = self.file.begin_write().map_err(Error::queue)?;
        {
            let mut cursors = write.open_table(CURSORS).map_err(Error::queue)?;
            let mut table = write.open_table(PACKETS).map_err(Error::queue)?;
            for ((side, sequence), record) in packets {
                match record {
                    Some(bytes) => {
                        table.insert((side.as_str(), sequence), bytes.as_slice()).map_err(Error::queue)?;
                    }
                    None => {
                        table.remove((side.as_str(), sequence)).map_err(Error::queue)?;
                    }
                }
            }
            cursors.insert(cursor, next.get()).map_err(Error::queue)?;
        }
        write.commit().map_err(Error::queue)
    }
}

/// How long work rests that was refused `before` times already.
fn rest_after(before: u32) -> Span {
    let doubled = FIRST_REST.get().saturating_mul(1_u64.checked_shl(before.min(32)).unwrap_or(u64::MAX));
    Span::millis(doubled.min(LONGEST_REST.get()))
}

fn decode(bytes: &[u8]) -> Result<Task, Error> {
    if bytes.len() > MAX_TASK {
        let refusal = Refusal::new(Code::TooLong).needed(MAX_TASK).found(bytes.len());
        return Err(Error::queue(refusal));
    }
    Task::from_bytes(bytes).map_err(Error::queue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeugma_ledger::bounded::Bytes;
    use zeugma_ledger::outcome::{Outcome, Recorded};
    use zeugma_ledger::tx::Opaque;

    fn work(claim: &str) -> Work {
        let message = Message::Opaque(Opaque { payload: Bytes::new(*b"x").unwrap() });
        Work { claim: claim.into(), message }
    }

    fn queue() -> (tempfile::TempDir, Queue) {
        let dir = tempfile::tempdir().unwrap();
        let queue = Queue::open(&dir.path().join("q.redb")).unwrap();
        (dir, queue)
    }

    fn end(queue: &Queue, outcome: Outcome) {
        let (number, task) = queue.open_tasks("a").unwrap().remove(0);
        let stage = Stage::Final { height: Height::new(3), outcome };
        queue.finish(number, &task, stage, BlockTime::new(1_000), Jitter::NONE).unwrap();
    }

    #[test]
    fn work_is_taken_once_until_it_is_final_and_survives_a_restart() {
        let (dir, queue) = queue();
        assert!(queue.push("a", vec![work("recv/1"), work("recv/2")]).unwrap());
        assert!(!queue.push("a", vec![work("recv/3"), work("recv/2")]).unwrap());
        assert!(!queue.is_claimed("a", "recv/3").unwrap(), "all or nothing");
        assert!(queue.push("b", vec![work("recv/2")]).unwrap(), "another chain");
        drop(queue);
        let queue = Queue::open(&dir.path().join("q.redb")).unwrap();
        assert_eq!(queue.open_tasks("a").unwrap().len(), 1);
        let effects = zeugma_ledger::bounded::List::new(vec![zeugma_ledger::Effect::Applied; 2]).unwrap();
        end(&queue, Outcome::Done { messages: effects });
        assert!(queue.open_tasks("a").unwrap().is_empty());
        assert!(queue.push("a", vec![work("recv/2")]).unwrap());
    }

    #[test]
    fn only_the_message_that_was_refused_rests_and_longer_each_time() {
        let (_dir, queue) = queue();
        let refusal = Recorded::from(&Refusal::new(Code::PacketTimedOut));
        for rest in [1_000, 2_000, 4_000] {
            assert!(queue.push("a", vec![work("recv/1"), work("recv/2")]).unwrap());
            end(&queue, Outcome::Refused { message: 1, refusal: refusal.clone() });
            assert!(!queue.rests("a", "recv/1", BlockTime::new(1_000)).unwrap());
            assert!(queue.rests("a", "recv/2", BlockTime::new(1_000 + rest - 1)).unwrap());
            assert!(!queue.rests("a", "recv/2", BlockTime::new(1_000 + rest)).unwrap());
        }
        queue.forgive("a").unwrap();
        assert!(!queue.rests("a", "recv/2", BlockTime::new(1_000)).unwrap());
    }

    #[test]
    fn a_cursor_and_what_was_read_move_together() {
        let (_dir, queue) = queue();
        assert_eq!(queue.cursor("r/a").unwrap(), None);
        let put =
            |side: &str, sequence, bytes: Option<&[u8]>| ((side.to_owned(), sequence), bytes.map(Vec::from));
        queue
            .follow("r/a", Height::new(9), vec![put("r/a", 1, Some(b"one")), put("r/b", 2, Some(b"two"))])
            .unwrap();
        assert_eq!(queue.cursor("r/a").unwrap(), Some(Height::new(9)));
        assert_eq!(queue.packets("r/a").unwrap(), [(1, b"one".to_vec())]);
        queue.follow("r/a", Height::new(10), vec![put("r/a", 1, None)]).unwrap();
        assert!(queue.packets("r/a").unwrap().is_empty());
        assert_eq!(queue.packets("r/b").unwrap().len(), 1);
    }
}
