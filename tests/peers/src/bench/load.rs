//! Sending to a plan, hearing of blocks, counting.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::websocket::Websocket;
use crate::comet::CometNetwork;

const TICK: Duration = Duration::from_millis(2);
const LOOK: Duration = Duration::from_millis(20);
/// After the counted seconds, so long for what is still on its way.
const STRAGGLING: Duration = Duration::from_secs(10);
/// Most transactions of one request, and requests under way at one time: as our own generator.
const BATCH: u64 = 256;
const CONNECTIONS: usize = 4;
/// Before a run, what waits must be gone within this.
const SETTLING: Duration = Duration::from_secs(60);
/// Ticks of `/proc/PID/stat` in a second, on every Linux that a Go program runs on.
const HERTZ: u64 = 100;

/// Bounds of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) rate: u32,
    pub(super) size: usize,
    pub(super) warm_up: Duration,
    pub(super) counted: Duration,
}

/// What one run found.
pub(super) struct Measured {
    bounds: Bounds,
    counts: Counts,
    unseen: usize,
    cpu: Duration,
}

#[derive(Default)]
struct Counts {
    sent: u64,
    refused: u64,
    done: u64,
    blocks: u64,
    latencies: Vec<Duration>,
}

#[derive(Default)]
struct Shared {
    taken: u64,
    /// When each that is on its way was due, by its number.
    outstanding: HashMap<u64, Instant>,
    counts: Counts,
    failure: Option<anyhow::Error>,
}

struct Run {
    bounds: Bounds,
    /// No two runs send the same.
    name: u64,
    node: SocketAddr,
    start: Instant,
    begin: Instant,
    end: Instant,
    shared: Mutex<Shared>,
    over: AtomicBool,
}

#[derive(Deserialize)]
struct Event {
    result: EventResult,
}

#[derive(Deserialize)]
struct EventResult {
    data: Option<EventData>,
}

#[derive(Deserialize)]
struct EventData {
    value: EventValue,
}

#[derive(Deserialize)]
struct EventValue {
    block: EventBlock,
}

#[derive(Deserialize)]
struct EventBlock {
    data: BlockData,
}

#[derive(Deserialize)]
struct BlockData {
    txs: Option<Vec<String>>,
}

/// Waits until nothing waits in any mempool.
pub(super) fn settle(network: &CometNetwork) -> Result<()> {
    let started = Instant::now();
    loop {
        let mut waits = 0;
        for node in 0..network.len() {
            let answer = network.rpc(node).call("num_unconfirmed_txs")?;
            waits += crate::rpc::number(&answer, "/total")?;
        }
        // What does not go away belongs to the peer: it is measured as it is.
        if waits == 0 || started.elapsed() > SETTLING {
            std::thread::sleep(Duration::from_millis(500));
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Loads the network and gives what it carried.
pub(super) fn run(network: &mut CometNetwork, bounds: Bounds) -> Result<Measured> {
    let (node, watched) = (network.address(0), network.address(1));
    let subscribe = json!({
        "jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": {"query": "tm.event='NewBlock'"},
    });
    let mut events = Websocket::open(watched, "/websocket", &subscribe.to_string())?;
    // The first answer says that the subscription stands.
    events.text().context("the subscription")?;
    let start = Instant::now() + Duration::from_millis(500);
    let begin = start + bounds.warm_up;
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let run = Run {
        bounds,
        name: u64::try_from(since.as_millis()).unwrap_or_default() & 0xff_ffff_ffff,
        node,
        start,
        begin,
        end: begin + bounds.counted,
        shared: Mutex::default(),
        over: AtomicBool::new(false),
    };
    let processes = network.processes();
    let cpu = std::thread::scope(|scope| {
        let run = &run;
        let (sender, heard) = mpsc::channel::<Result<Vec<u8>>>();
        // A thread that only reads is never late; the events themselves may be large.
        scope.spawn(move || {
            while !run.over() {
                let text = events.text();
                let failed = text.is_err();
                if sender
                    .send(text.map(|text| run.hear(&text, Instant::now())).and_then(|done| done))
                    .is_err()
                    || failed
                {
                    return;
                }
            }
        });
        scope.spawn(move || {
            for done in heard {
                if let Err(error) = done {
                    run.fail(error);
                }
            }
        });
        for _ in 0..CONNECTIONS {
            scope.spawn(move || {
                if let Err(error) = run.send() {
                    run.fail(error);
                }
            });
        }
        run.until(run.begin, || false);
        let before = used(&processes);
        run.until(run.end, || false);
        let cpu = used(&processes).saturating_sub(before);
        run.until(run.end + STRAGGLING, || run.shared().outstanding.is_empty());
        run.over.store(true, Ordering::Release);
        // An idle chain may make no block: one more transaction ends the reader's wait.
        let _ = network.rpc(0).call(&format!("broadcast_tx_async?tx=\"end{}=1\"", run.name));
        cpu
    });
    let shared = run.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = shared.failure {
        return Err(error);
    }
    let unseen = shared.outstanding.values().filter(|due| **due >= run.begin && **due < run.end).count();
    let mut counts = shared.counts;
    counts.latencies.sort_unstable();
    Ok(Measured { bounds, counts, unseen, cpu })
}

impl Run {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn fail(&self, error: anyhow::Error) {
        self.shared().failure.get_or_insert(error);
        self.over.store(true, Ordering::Release);
    }

    fn counts(&self, time: Instant) -> bool {
        time >= self.begin && time < self.end
    }

    fn until(&self, end: Instant, early: impl Fn() -> bool) {
        while !self.over() && !early() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }

    fn send(&self) -> Result<()> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let url = format!("http://{}/", self.node);
        std::thread::sleep(self.start.saturating_duration_since(Instant::now()));
        while !self.over() {
            let now = Instant::now();
            if now >= self.end {
                return Ok(());
            }
            let numbers = self.take(now);
            if numbers.is_empty() {
                std::thread::sleep(TICK);
                continue;
            }
            let mut body = String::with_capacity(numbers.len() * (self.bounds.size * 4 / 3 + 128));
            for number in &numbers {
                body.push(if body.is_empty() { '[' } else { ',' });
                let tx = STANDARD.encode(self.transaction(*number));
                // Written by hand: it is the same text each time, but for two members.
                body.push_str("{\"jsonrpc\":\"2.0\",\"id\":");
                body.push_str(&number.to_string());
                body.push_str(",\"method\":\"broadcast_tx_async\",\"params\":{\"tx\":\"");
                body.push_str(&tx);
                body.push_str("\"}}");
            }
            body.push(']');
            let mut response = agent.post(&url).content_type("application/json").send(&body)?;
            let text = response.body_mut().with_config().limit(64 << 20).read_to_string()?;
            self.answered(&numbers, &text)?;
        }
        Ok(())
    }

    /// `key=value` as the application wants it: the key is unlike every other, the value does not compress.
    fn transaction(&self, number: u64) -> Vec<u8> {
        let mut tx = format!("{:010x}{number:012x}=", self.name).into_bytes();
        let mut state = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        while tx.len() < self.bounds.size {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            tx.extend(format!("{state:016x}").bytes());
        }
        tx.truncate(self.bounds.size);
        tx
    }

    fn take(&self, now: Instant) -> Vec<u64> {
        let mut shared = self.shared();
        let rate = u128::from(self.bounds.rate);
        let passed = now.saturating_duration_since(self.start).as_micros();
        let planned = u64::try_from(passed * rate / 1_000_000).unwrap_or(u64::MAX);
        let first = shared.taken;
        let numbers: Vec<u64> = (first..planned.min(first + BATCH)).collect();
        for number in &numbers {
            let micros = u128::from(*number) * 1_000_000 / rate;
            let due = self.start + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
            shared.outstanding.insert(*number, due);
            shared.counts.sent += u64::from(self.counts(due));
        }
        shared.taken += u64::try_from(numbers.len()).unwrap_or(0);
        numbers
    }

    fn answered(&self, numbers: &[u64], text: &str) -> Result<()> {
        let answers: Value =
            serde_json::from_str(text).map_err(|_| anyhow!("the node answered {text:.200}"))?;
        // A list of one call is answered by what is no list.
        let answers = answers.as_array().map_or(std::slice::from_ref(&answers), Vec::as_slice);
        ensure!(answers.len() == numbers.len(), "{} answers to {} calls", answers.len(), numbers.len());
        let mut shared = self.shared();
        for answer in answers {
            let refused = answer.get("error").is_some_and(|error| !error.is_null());
            let number = answer["id"].as_u64().context("an answer without its number")?;
            if refused && shared.outstanding.remove(&number).is_some_and(|due| self.counts(due)) {
                shared.counts.refused += 1;
            }
        }
        Ok(())
    }

    fn hear(&self, text: &[u8], now: Instant) -> Result<Vec<u8>> {
        let event: Event = serde_json::from_slice(text).context("an event")?;
        let Some(data) = event.result.data else { return Ok(Vec::new()) };
        let mut numbers = Vec::new();
        for tx in data.value.block.data.txs.unwrap_or_default() {
            // The first 24 characters hold the first 18 bytes: name and most of the number; 32 hold all of both.
            let head = tx.get(..32).and_then(|head| STANDARD.decode(head).ok());
            let head = head.and_then(|head| String::from_utf8(head).ok()).unwrap_or_default();
            let (name, number) = (head.get(..10), head.get(10..22));
            if name == Some(format!("{:010x}", self.name).as_str())
                && let Some(Ok(number)) = number.map(|number| u64::from_str_radix(number, 16))
            {
                numbers.push(number);
            }
        }
        let mut shared = self.shared();
        shared.counts.blocks += u64::from(self.counts(now));
        for number in numbers {
            let Some(due) = shared.outstanding.remove(&number) else { continue };
            shared.counts.done += u64::from(self.counts(now));
            if self.counts(due) {
                shared.counts.latencies.push(now.saturating_duration_since(due));
            }
        }
        Ok(Vec::new())
    }
}

/// Processor time of the nodes so far.
fn used(processes: &[u32]) -> Duration {
    let of = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let mut after = stat.rsplit_once(") ")?.1.split(' ').skip(11);
        let ticks = after.next()?.parse::<u64>().ok()? + after.next()?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 1_000 / HERTZ))
    };
    processes.iter().filter_map(of).sum()
}

impl Measured {
    /// The latency that this share of them does not exceed, nearest rank; `share` in thousandths.
    fn millis(&self, share: usize) -> Option<f64> {
        let rank = (self.counts.latencies.len() * share).div_ceil(1_000).max(1);
        let time = self.counts.latencies.get(rank - 1)?;
        Some((time.as_secs_f64() * 1e5).round() / 100.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
    fn per_second(&self, count: u64) -> f64 {
        (count as f64 / self.bounds.counted.as_secs_f64() * 10.0).round() / 10.0
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^53")]
    fn each(&self) -> Option<f64> {
        (self.counts.done > 0)
            .then(|| (self.cpu.as_secs_f64() * 1e7 / self.counts.done as f64).round() / 10.0)
    }

    pub(super) fn line(&self) -> String {
        format!(
            "{:>8} offered | {:>8} final/s | p50 {:?} ms | p99 {:?} ms | {} refused | {} unseen | {} blocks | {:?} CPU us/tx",
            self.bounds.rate,
            self.per_second(self.counts.done),
            self.millis(500),
            self.millis(990),
            self.counts.refused,
            self.unseen,
            self.counts.blocks,
            self.each(),
        )
    }

    /// The members that `zeugma bench` has.
    pub(super) fn json(&self) -> Value {
        json!({
            "offered_per_second": self.bounds.rate,
            "seconds": self.bounds.counted.as_secs_f64(),
            "sent": self.counts.sent,
            "refused": self.counts.refused,
            "unseen": self.unseen,
            "final": self.counts.done,
            "final_per_second": self.per_second(self.counts.done),
            "blocks": self.counts.blocks,
            "p50_ms": self.millis(500),
            "p90_ms": self.millis(900),
            "p99_ms": self.millis(990),
            "max_ms": self.millis(1_000),
            "nodes_cpu_us_per_transaction": self.each(),
        })
    }
}
