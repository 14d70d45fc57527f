//! One trace follows a transaction from the command that submits it through the node to the block that applies it, as
//! a collector hears it: real OTLP bytes of real processes, decoded by the protocol's own definitions.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Desk, Net};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use prost::Message as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait for a span.
const PATIENCE: Duration = Duration::from_secs(30);

/// One span, as far as the test asks.
#[derive(Clone, Debug)]
struct Heard {
    service: String,
    name: String,
    trace: Vec<u8>,
    id: Vec<u8>,
    parent: Vec<u8>,
    attributes: Vec<(String, String)>,
}

/// Takes what is told on loopback.
struct Collector {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let told = Arc::clone(&heard);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let told = Arc::clone(&told);
                std::thread::spawn(move || take(stream, &told));
            }
        });
        Self { url, heard }
    }

    fn spans(&self, of: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        self.heard.lock().unwrap().iter().filter(|span| of(span)).cloned().collect()
    }

    /// The one span that is so, once it is heard.
    #[track_caller]
    fn one(&self, what: &str, of: impl Fn(&Heard) -> bool) -> Heard {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.spans(&of);
            if let [one] = found.as_slice() {
                return one.clone();
            }
            assert!(Instant::now() < end, "{what}: {} heard, of {:#?}", found.len(), self.spans(|_| true));
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// One connection: requests of HTTP with a length, each answered by an empty message.
fn take(mut stream: TcpStream, told: &Mutex<Vec<Heard>>) {
    let mut bytes = Vec::new();
    loop {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            let mut part = [0; 16 * 1024];
            match stream.read(&mut part) {
                Ok(0) | Err(_) => return,
                Ok(read) => bytes.extend_from_slice(&part[..read]),
            }
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let body = end + 4..end + 4 + length.trim().parse::<usize>().unwrap();
        while bytes.len() < body.end {
            let mut part = [0; 16 * 1024];
            let read = stream.read(&mut part).unwrap();
            assert!(read > 0, "a request was cut");
            bytes.extend_from_slice(&part[..read]);
        }
        hear(&bytes[body.clone()], told);
        bytes.drain(..body.end);
        stream
            .write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n",
            )
            .unwrap();
    }
}

fn hear(body: &[u8], told: &Mutex<Vec<Heard>>) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let text = |value: Option<Any>| match value {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap().attributes;
        let service = attributes.into_iter().find(|one| one.key == "service.name").unwrap();
        let service = text(service.value.unwrap().value);
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
            let attributes = span.attributes.into_iter();
            told.lock().unwrap().push(Heard {
                service: service.clone(),
                name: span.name,
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
                attributes: attributes.map(|one| (one.key, text(one.value.and_then(|v| v.value)))).collect(),
            });
        }
    }
}

#[test]
fn one_trace_follows_a_transaction_from_its_submission_to_the_block_that_applies_it() {
    let (desk, collector) = (Desk::new(), Collector::start());
    // Spans are told each half second instead of each five.
    let environment = [("ZEUGMA_OTLP", collector.url.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "500")];
    let net = Net::start_with(&desk, "net", &[], &environment);
    let done = net.tx(&desk, &["opaque", "--text", "hello", "--otlp", &collector.url]).ends(0).json();
    let (id, height) = (done["transaction"].as_str().unwrap(), done["height"].to_string());

    let submit = collector.one("the command's span", |span| span.name == "transaction.submit");
    assert_eq!((submit.service.as_str(), submit.trace.len()), ("zeugma-tx", 16));
    assert!(submit.parent.is_empty(), "the trace begins with the command");
    let of_trace = |name: &'static str| {
        let trace = submit.trace.clone();
        move |span: &Heard| span.name == name && span.trace == trace
    };
    let wait = collector.one("the span in the pool", of_trace("transaction.wait"));
    assert_eq!(wait.service, "zeugma-node");
    assert!(wait.attributes.contains(&("transaction".into(), id.into())), "{wait:?}");
    let request = collector.one("the request that brought it", |span| span.id == wait.parent);
    assert_eq!((request.name.as_str(), &request.parent), ("api.request", &submit.id));
    let applied = collector.one("the span of its application", of_trace("transaction.apply"));
    assert_eq!(applied.parent, wait.id);
    assert!(applied.attributes.contains(&("height".into(), height.clone())), "{applied:?}");
    let proposed = collector.spans(of_trace("transaction.block"));
    assert!(
        proposed.iter().any(|span| span.attributes.contains(&("height".into(), height.clone()))),
        "{proposed:?}"
    );

    // Another transaction is another trace; one without a collector goes on as well and begins none at the command.
    net.tx(&desk, &["opaque", "--text", "silent"]).ends(0);
    net.tx(&desk, &["opaque", "--text", "again", "--otlp", &collector.url]).ends(0);
    let end = Instant::now() + PATIENCE;
    let submits = || collector.spans(|span| span.name == "transaction.submit");
    while submits().len() < 2 {
        assert!(Instant::now() < end, "{:?}", submits());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_ne!(submits()[0].trace, submits()[1].trace);
}

#[test]
fn what_is_no_collector_is_a_wrong_command_line_and_one_that_is_gone_harms_nothing() {
    let desk = Desk::new();
    let wrong = desk.run(&["doctor", "--otlp", "https://collector"]).ends(2);
    assert!(wrong.err.contains("http://HOST:PORT"), "{}", wrong.err);
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let start = Instant::now();
    let gone = format!("http://{gone}");
    desk.run(&["keys", "new", "account", "--out", "alice.json"]).ends(0);
    let nobody = [
        "tx",
        "opaque",
        "--text",
        "x",
        "--key",
        "alice.json",
        "--node",
        "http://127.0.0.1:1",
        "--otlp",
        &gone,
    ];
    desk.run(&nobody).ends(3);
    assert!(start.elapsed() < Duration::from_secs(20), "the command waited for its collector");
}
