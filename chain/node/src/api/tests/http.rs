//! Bare HTTP, so that what is tested is what a stranger sends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    connection.write_all(head.as_bytes()).unwrap();
    // A node that refuses a body need not read all of it.
    let _ = connection.write_all(body);
    BufReader::new(connection)
}

fn head(reader: &mut BufReader<TcpStream>) -> (u16, Vec<(String, String)>) {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("{line}")).parse().unwrap();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => return (status, headers),
        }
    }
}

/// Asks, and reads the whole answer.
pub(super) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut reader = send(address, method, path, headers, body);
    let (status, headers) = head(&mut reader);
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Answer { status, headers, body }
}

/// Opens a stream: its status, and what holds it open.
pub(super) fn open(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> (u16, BufReader<TcpStream>) {
    let mut reader = send(address, "GET", path, headers, &[]);
    let (status, _) = head(&mut reader);
    (status, reader)
}

/// The lines of a stream's first `events` events.
pub(super) fn stream(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    events: usize,
) -> Vec<String> {
    let (status, mut reader) = open(address, path, headers);
    assert_eq!(status, 200);
    let (mut lines, mut seen) = (Vec::new(), 0);
    while seen < events {
        let mut line = String::new();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the stream ended: {lines:?}");
        seen += usize::from(line.starts_with("data: "));
        lines.push(line.trim_end().to_owned());
    }
    lines
}
