//! Logs for people, and traces over OTLP that follow one thing across processes.
//!
//! - Logs go to stderr, as much of them as `RUST_LOG` asks for.
//! - Traces go to a collector, if one is named: OTLP over HTTP, protobuf. Without one, nothing leaves the process,
//!   and a span that no log wants costs nothing.
//! - A collector that is slow or gone costs spans, never work: they wait in a bounded queue on a thread of their own,
//!   and fall off its end.
//! - A trace goes on in another process by the header `traceparent` (W3C Trace Context, level 1): [`traceparent`] says
//!   it, [`follow`] takes it up. It names a trace and nothing else; what it holds is checked by nobody and decides
//!   nothing.
//!
//! Spans use the words of the rooms: `transaction.submit`, `transaction.wait`, `transaction.block`,
//! `transaction.apply`, `api.request`.
//!
//! Source: OpenTelemetry protocol 1.x; W3C Trace Context.
#![forbid(unsafe_code)]

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Sampler, SdkTracerProvider};
use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::time::Duration;
use tracing::{Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// The header that carries a trace on.
pub const TRACEPARENT: &str = "traceparent";

/// How long one export may take.
const EXPORT: Duration = Duration::from_secs(10);
/// How long the end of a process waits for the last export.
const LAST: Duration = Duration::from_secs(5);
/// Where a collector takes traces.
const PATH: &str = "/v1/traces";

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The collector's address is not one.
    #[error("{found:?} is not the address of a collector: http://HOST:PORT")]
    Endpoint {
        /// What was given.
        found: String,
    },
    /// The exporter cannot be made.
    #[error("the exporter of traces: {0}")]
    Exporter(String),
    /// Another part of the program took the logs before.
    #[error("the logs are taken already")]
    Taken,
}

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    endpoint: String,
    per_mille: u16,
}

impl Collector {
    /// The collector at `endpoint`, `http://HOST:PORT` or with the path of traces. Of the traces that begin here,
    /// `per_mille` in a thousand are told; one that began elsewhere is told if it is told there.
    ///
    /// # Errors
    /// [`Error::Endpoint`].
    pub fn new(endpoint: &str, per_mille: u16) -> Result<Self, Error> {
        let refuse = || Error::Endpoint { found: endpoint.to_owned() };
        let rest = endpoint.strip_prefix("http://").ok_or_else(refuse)?;
        let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
        let bad = |one: char| one.is_whitespace() || one.is_control();
        if host.is_empty() || endpoint.contains(bad) {
            return Err(refuse());
        }
        let endpoint =
            if path.is_empty() { format!("http://{host}{PATH}") } else { format!("http://{host}/{path}") };
        Ok(Self { endpoint, per_mille: per_mille.min(1_000) })
    }
}

/// What goes to stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logs {
    /// What `RUST_LOG` asks for; without it, what this filter says.
    Stderr(&'static str),
    /// Nothing.
    Off,
}

/// Runs while the program does; its end brings the last spans to the collector.
#[derive(Debug)]
#[must_use = "spans that wait are lost when this is dropped at once"]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = &self.0
            && let Err(error) = provider.shutdown_with_timeout(LAST)
        {
            eprintln!("the last traces did not reach the collector: {error}");
        }
    }
}

/// Begins to tell, as `service`; what tells one process of it from another is `instance`.
///
/// # Errors
/// [`Error`].
pub fn begin(service: &str, instance: &str, logs: Logs, to: Option<&Collector>) -> Result<Telemetry, Error> {
    let words = match logs {
        Logs::Off => None,
        Logs::Stderr(usual) => {
            let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
            let colours = std::io::stderr().is_terminal();
            let layer = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr);
            Some(layer.with_filter(filter))
        }
    };
    let provider = to.map(|to| provider(service, instance, to)).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        // Ours alone: the spans of the engine and of libraries would bury them.
        let ours = Targets::new().with_target("zeugma", Level::DEBUG);
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("zeugma"))
            .with_location(false)
            .with_threads(false)
            .with_filter(ours)
    });
    tracing_subscriber::registry().with(words).with(spans).try_init().map_err(|_| Error::Taken)?;
    Ok(Telemetry(provider))
}

fn provider(service: &str, instance: &str, to: &Collector) -> Result<SdkTracerProvider, Error> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&to.endpoint)
        .with_timeout(EXPORT)
        .build()
        .map_err(|error| Error::Exporter(error.to_string()))?;
    let sampler = Sampler::TraceIdRatioBased(f64::from(to.per_mille) / 1_000.0);
    let resource = Resource::builder_empty()
        .with_service_name(service.to_owned())
        .with_attribute(KeyValue::new("service.instance.id", instance.to_owned()))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).build())
        .with_sampler(Sampler::ParentBased(Box::new(sampler)))
        .with_resource(resource)
        .build())
}

/// The present span for the header [`TRACEPARENT`]; none where no trace is told.
#[must_use]
pub fn traceparent() -> Option<String> {
    let context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carried = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carried);
    carried.remove(TRACEPARENT)
}

/// Puts `span` below the one that another process named. A header that names none changes nothing.
pub fn follow(span: &Span, traceparent: &str) {
    if span.is_disabled() || !is_whole(traceparent) {
        return;
    }
    let carried = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &carried);
    if parent.span().span_context().is_valid() {
        // It fails where no trace is told, or the span was entered before: then it stays where it is.
        let _ = span.set_parent(parent);
    }
}

/// Whether it is of the form of version 00: four fields of lower-case hexadecimal digits.
fn is_whole(traceparent: &str) -> bool {
    let lengths = [2, 32, 16, 2];
    let fields: Vec<&str> = traceparent.splitn(lengths.len() + 1, '-').collect();
    let digits = |field: &str| field.bytes().all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'));
    fields.len() == lengths.len()
        && fields[0] == "00"
        && fields.iter().zip(lengths).all(|(field, length)| field.len() == length && digits(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_an_address_and_traces_go_to_their_path() {
        let at = |text: &str| Collector::new(text, 1_000).map(|found| found.endpoint);
        assert_eq!(at("http://127.0.0.1:4318").unwrap(), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(at("http://[::1]:4318/").unwrap(), "http://[::1]:4318/v1/traces");
        assert_eq!(at("http://host/otlp/v1/traces").unwrap(), "http://host/otlp/v1/traces");
        for wrong in ["", "127.0.0.1:4318", "https://host", "http://", "http:///v1/traces", "http://a b"] {
            assert!(matches!(at(wrong), Err(Error::Endpoint { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn a_trace_is_said_and_taken_up_and_nonsense_is_not() {
        // No exporter: the spans are made, and go nowhere.
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            assert_eq!(traceparent(), None, "no span, no trace");
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            let below = |header: &str| {
                let span = tracing::info_span!("below");
                follow(&span, header);
                span.in_scope(|| traceparent().unwrap())
            };
            let said = below(parent);
            assert_eq!(said[..36], parent[..36], "another trace");
            assert_ne!(said[36..52], parent[36..52], "the span is a new one");
            for nonsense in ["", "00-", &parent[1..], &parent.replace("0af7", "zzzz"), &"0".repeat(500)] {
                assert_ne!(below(nonsense)[3..35], parent[3..35], "{nonsense}");
            }
        });
    }
}
