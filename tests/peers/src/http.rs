//! One HTTP request to a node on this machine.
//!
//! HTTP/1.0 is enough and keeps it small: the answer ends with the connection and is never chunked.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// Longest answer that is read. A commit of 200 validators has about 100 KB.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(20);

/// Status code and body of an answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// GETs `path` (with its query, encoded by the caller) from `node`.
///
/// # Errors
/// When nothing listens there, the node is silent for too long, or what comes back is not HTTP.
pub fn get(node: SocketAddr, path: &str) -> Result<Response> {
    send(node, "GET", path, &[("Accept", "application/json")], &[])
}

/// POSTs `body` to `path` of `node`.
///
/// # Errors
/// As [`get`].
pub fn post(node: SocketAddr, path: &str, heads: &[(&str, &str)], body: &[u8]) -> Result<Response> {
    send(node, "POST", path, heads, body)
}

fn send(node: SocketAddr, method: &str, path: &str, heads: &[(&str, &str)], body: &[u8]) -> Result<Response> {
    let ask = || -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&node, CONNECT)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        let mut request = format!("{method} {path} HTTP/1.0\r\nHost: {node}\r\n");
        for (name, value) in heads {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if method != "GET" {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        stream.write_all(&[request.as_bytes(), body].concat())?;
        let mut bytes = Vec::new();
        stream.take(MAX_ANSWER).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = ask().with_context(|| format!("no answer from http://{node}{path}"))?;
    parse(bytes).with_context(|| format!("the answer of http://{node}{path}"))
}

fn parse(bytes: Vec<u8>) -> Result<Response> {
    let text = String::from_utf8(bytes).context("is not text")?;
    let (head, body) = text.split_once("\r\n\r\n").context("has no end of its header")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("has no status code")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
    });
    if length.is_some_and(|length: usize| length != body.len()) {
        bail!("is cut short: {} of {} bytes", body.len(), length.unwrap_or_default());
    }
    Ok(Response { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_status_and_body() {
        let answer = parse(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec()).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        assert!(parse(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n{}".to_vec()).is_err());
        assert!(parse(b"HTTP/1.0 200 OK\r\n".to_vec()).is_err());
    }
}
