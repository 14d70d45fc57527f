//! What an operator sees, in the text format of Prometheus.
//!
//! Instants are kept and distances computed when they are asked for: a worker that hangs shows a client that comes
//! closer to its end, not the number of its last good round.
//!
//! | metric | kind |
//! |---|---|
//! | `zeugma_relay_client_expires_in_seconds{chain,client}` | gauge; below zero once it is expired |
//! | `zeugma_relay_client_trusting_period_seconds{chain,client}` | gauge |
//! | `zeugma_relay_client_frozen{chain,client}` | gauge, 0 or 1 |
//! | `zeugma_relay_oldest_open_packet_seconds{route}` | gauge; 0 without one |
//! | `zeugma_relay_open_packets{route}` | gauge |
//! | `zeugma_relay_submissions_waiting{chain}` | gauge: transactions in the durable queue |
//! | `zeugma_relay_submissions_total{chain,result}` | counter: done, refused, signed-anew |
//! | `zeugma_relay_refusals_total{code}` | counter |
//! | `zeugma_relay_endpoint_disagreements_total{chain}` | counter |
//! | `zeugma_relay_misbehaviour_total{chain}` | counter: evidence found and queued |
//! | `zeugma_relay_worker_failures_total{worker}` | counter: rounds that ended early |

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeugma_types::{BlockTime, Code, Span};

/// What one client looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ClientGauge {
    expires_at: Option<BlockTime>,
    trusting: Span,
    frozen: bool,
}

/// What one direction of a route looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RouteGauge {
    oldest: Option<BlockTime>,
    open: usize,
}

#[derive(Debug, Default)]
struct Numbers {
    clients: BTreeMap<(String, String), ClientGauge>,
    routes: BTreeMap<String, RouteGauge>,
    waiting: BTreeMap<String, usize>,
    submissions: BTreeMap<(String, &'static str), u64>,
    refusals: BTreeMap<Code, u64>,
    disagreements: BTreeMap<String, u64>,
    misbehaviour: BTreeMap<String, u64>,
    failures: BTreeMap<String, u64>,
}

/// The agent's metrics.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Numbers>);

impl Metrics {
    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        // Numbers are whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn client(
        &self,
        chain: &str,
        client: &str,
        expires_at: Option<BlockTime>,
        trusting: Span,
        frozen: bool,
    ) {
        let gauge = ClientGauge { expires_at, trusting, frozen };
        self.numbers().clients.insert((chain.into(), client.into()), gauge);
    }

    pub(crate) fn route(&self, route: &str, oldest: Option<BlockTime>, open: usize) {
        self.numbers().routes.insert(route.into(), RouteGauge { oldest, open });
    }

    /// The number of transactions for a chain that are not final.
    pub(crate) fn waiting(&self, chain: &str, transactions: usize) {
        self.numbers().waiting.insert(chain.into(), transactions);
    }

    pub(crate) fn submitted(&self, chain: &str, result: &'static str) {
        *self.numbers().submissions.entry((chain.into(), result)).or_default() += 1;
    }

    pub(crate) fn refused(&self, code: Code) {
        *self.numbers().refusals.entry(code).or_default() += 1;
    }

    /// The number of disagreements among a chain's endpoints so far.
    pub(crate) fn disagreements(&self, chain: &str, total: u64) {
        self.numbers().disagreements.insert(chain.into(), total);
    }

    pub(crate) fn disagreed(&self, chain: &str) {
        *self.numbers().disagreements.entry(chain.into()).or_default() += 1;
    }

    pub(crate) fn misbehaved(&self, chain: &str) {
        *self.numbers().misbehaviour.entry(chain.into()).or_default() += 1;
    }

    pub(crate) fn failed(&self, worker: &str) {
        *self.numbers().failures.entry(worker.into()).or_default() += 1;
    }

    /// Everything, as it is at `now`.
    #[must_use]
    pub fn text(&self, now: BlockTime) -> String {
        let numbers = self.numbers();
        let mut out = Page(String::new());
        out.head(
            "zeugma_relay_client_expires_in_seconds",
            "gauge",
            "Until the client expires; below zero after",
        );
        for ((chain, client), gauge) in &numbers.clients {
            if let Some(end) = gauge.expires_at {
                let labels = [("chain", chain.as_str()), ("client", client.as_str())];
                let seconds = (i128::from(end.get()) - i128::from(now.get())).div_euclid(1_000);
                out.sample("zeugma_relay_client_expires_in_seconds", &labels, seconds);
            }
        }
        out.head(
            "zeugma_relay_client_trusting_period_seconds",
            "gauge",
            "How long its newest state is trusted",
        );
        for ((chain, client), gauge) in &numbers.clients {
            let labels = [("chain", chain.as_str()), ("client", client.as_str())];
            let seconds = i128::from(gauge.trusting.get() / 1_000);
            out.sample("zeugma_relay_client_trusting_period_seconds", &labels, seconds);
        }
        out.head(
            "zeugma_relay_client_frozen",
            "gauge",
            "Whether misbehaviour of the client's chain was shown",
        );
        for ((chain, client), gauge) in &numbers.clients {
            let labels = [("chain", chain.as_str()), ("client", client.as_str())];
            out.sample("zeugma_relay_client_frozen", &labels, i128::from(gauge.frozen));
        }
        out.head("zeugma_relay_oldest_open_packet_seconds", "gauge", "Since the oldest open packet was sent");
        for (route, gauge) in &numbers.routes {
            let age = gauge.oldest.and_then(|sent| now.since(sent)).map_or(0, |span| span.get() / 1_000);
            out.sample("zeugma_relay_oldest_open_packet_seconds", &[("route", route)], i128::from(age));
        }
        out.head("zeugma_relay_open_packets", "gauge", "Packets sent and not resolved");
        for (route, gauge) in &numbers.routes {
            out.sample("zeugma_relay_open_packets", &[("route", route)], gauge.open as i128);
        }
        out.head("zeugma_relay_submissions_waiting", "gauge", "Transactions in the durable queue");
        for (chain, count) in &numbers.waiting {
            out.sample("zeugma_relay_submissions_waiting", &[("chain", chain)], *count as i128);
        }
        out.head("zeugma_relay_submissions_total", "counter", "Transactions by what became of them");
        for ((chain, result), count) in &numbers.submissions {
            let labels = [("chain", chain.as_str()), ("result", result)];
            out.sample("zeugma_relay_submissions_total", &labels, i128::from(*count));
        }
        out.head("zeugma_relay_refusals_total", "counter", "Refusals by the rule that broke");
        for (code, count) in &numbers.refusals {
            out.sample("zeugma_relay_refusals_total", &[("code", code.name())], i128::from(*count));
        }
        let by_name = [
            (
                "zeugma_relay_endpoint_disagreements_total",
                "Endpoints of one chain that contradicted each other or a proof",
                "chain",
                &numbers.disagreements,
            ),
            ("zeugma_relay_misbehaviour_total", "Evidence found and queued", "chain", &numbers.misbehaviour),
            ("zeugma_relay_worker_failures_total", "Rounds that ended early", "worker", &numbers.failures),
        ];
        for (name, help, label, counts) in by_name {
            out.head(name, "counter", help);
            for (of, count) in counts {
                out.sample(name, &[(label, of)], i128::from(*count));
            }
        }
        out.0
    }
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}.\n# TYPE {name} {kind}").expect("a string takes all");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: i128) {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<_> =
            labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escape(text))).collect();
        writeln!(self.0, "{name}{{{}}} {value}", labels.join(",")).expect("a string takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_of_the_moment_they_are_asked_for() {
        let metrics = Metrics::default();
        metrics.client("north", "zeugma-0", Some(BlockTime::new(90_000)), Span::seconds(70), false);
        metrics.waiting("north", 2);
        metrics.route("r/a-to-b", Some(BlockTime::new(10_000)), 3);
        metrics.submitted("north", "done");
        metrics.refused(Code::PacketTimedOut);
        metrics.disagreed("hub \"4\"");
        let at = |now| metrics.text(BlockTime::new(now));
        let has = |text: &str, line: &str| assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        let early = at(30_000);
        has(&early, "zeugma_relay_client_expires_in_seconds{chain=\"north\",client=\"zeugma-0\"} 60");
        has(&early, "zeugma_relay_client_trusting_period_seconds{chain=\"north\",client=\"zeugma-0\"} 70");
        has(&early, "zeugma_relay_submissions_waiting{chain=\"north\"} 2");
        has(&early, "zeugma_relay_oldest_open_packet_seconds{route=\"r/a-to-b\"} 20");
        has(&early, "zeugma_relay_open_packets{route=\"r/a-to-b\"} 3");
        has(&early, "zeugma_relay_submissions_total{chain=\"north\",result=\"done\"} 1");
        has(&early, "zeugma_relay_refusals_total{code=\"PacketTimedOut\"} 1");
        has(&early, "zeugma_relay_endpoint_disagreements_total{chain=\"hub \\\"4\\\"\"} 1");
        has(&at(91_500), "zeugma_relay_client_expires_in_seconds{chain=\"north\",client=\"zeugma-0\"} -2");
    }
}
