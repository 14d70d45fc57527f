//! Metrics on a loopback port: one short answer for each connection.

use crate::error::Error;
use crate::metrics::Metrics;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use zeugma_types::BlockTime;

/// How long a scraper may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest request that is read, in bytes.
const MAX_REQUEST: usize = 8 * 1024;

/// Binds `address`.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(address).map_err(|why| Error::system(address, why))?;
    listener.set_nonblocking(true).map_err(|why| Error::system(address, why))?;
    Ok(listener)
}

/// Answers until it is told to stop.
pub(crate) fn serve(
    listener: &TcpListener,
    metrics: &Arc<Metrics>,
    clock: fn() -> BlockTime,
    stop: &AtomicBool,
) {
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                // A scraper that breaks off harms nobody but itself.
                if let Err(why) = answer(stream, &metrics.text(clock())) {
                    tracing::debug!(%why, "a request for metrics broke off");
                }
            }
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn answer(mut stream: TcpStream, text: &str) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < MAX_REQUEST {
        match stream.read(&mut part)? {
            0 => break,
            length => request.extend_from_slice(&part[..length]),
        }
    }
    let found = request.starts_with(b"GET /metrics ") || request.starts_with(b"GET /metrics?");
    let (status, body) =
        if found { ("200 OK", text) } else { ("404 Not Found", "metrics are at /metrics\n") };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_over_http_and_nothing_else_is_there() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Arc::new(Metrics::default());
        metrics.submitted("north", "done");
        let stop = AtomicBool::new(false);
        let get = |path: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        };
        std::thread::scope(|scope| {
            scope.spawn(|| serve(&listener, &metrics, || BlockTime::ZERO, &stop));
            let page = get("/metrics");
            assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
            assert!(
                page.contains("zeugma_relay_submissions_total{chain=\"north\",result=\"done\"} 1"),
                "{page}"
            );
            assert!(get("/").starts_with("HTTP/1.1 404"));
            stop.store(true, Ordering::Relaxed);
        });
    }
}
