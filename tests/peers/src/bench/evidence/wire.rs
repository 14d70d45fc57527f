//! HTTP/1.1 over one connection that is kept, as little of it as a load needs: what is measured is the server.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

/// Longest head of an answer, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// Longest body of an answer, in bytes: a receipt for each of 16,384 items.
const MAX_BODY: usize = 64 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to one server.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    /// What was read of the last answer: its head, then its body.
    bytes: Vec<u8>,
    body: usize,
}

impl Wire {
    pub(super) fn open(server: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(server).with_context(|| format!("nothing listens on {server}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, bytes: vec![0; 64 * 1024], body: 0 })
    }

    /// Sends a whole request and reads a whole answer: its status and its body, which stands until the next request.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request)?;
        let mut held = 0;
        let head = loop {
            if let Some(end) = find(&self.bytes[..held], b"\r\n\r\n") {
                break end + 4;
            }
            ensure!(held < MAX_HEAD, "the head of an answer does not end");
            held += self.more(held)?;
        };
        let (status, length) = parse(&self.bytes[..head])?;
        let end = head + length;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        while held < end {
            held += self.more(held)?;
        }
        ensure!(held == end, "more came than the answer said");
        self.body = head;
        Ok((status, &self.bytes[self.body..end]))
    }

    fn more(&mut self, held: usize) -> Result<usize> {
        let read = self.stream.read(&mut self.bytes[held..]).context("the server is silent")?;
        if read == 0 {
            bail!("the server closed the connection");
        }
        Ok(read)
    }
}

/// Status and length of the body.
fn parse(head: &[u8]) -> Result<(u16, usize)> {
    let head = std::str::from_utf8(head).context("the head is not text")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status code")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let length = if status == 204 { 0 } else { length.context("an answer without a length")? };
    ensure!(length <= MAX_BODY, "an answer of {length} bytes");
    Ok((status, length))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Writes a whole request into `out`, in place of what is there.
pub(super) fn request(
    out: &mut Vec<u8>,
    (method, path): (&str, &str),
    heads: &str,
    length: usize,
    body: impl FnOnce(&mut Vec<u8>),
) {
    out.clear();
    out.extend_from_slice(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{heads}").as_bytes());
    if method != "GET" {
        out.extend_from_slice(format!("Content-Length: {length}\r\n").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    let before = out.len();
    body(out);
    assert_eq!(out.len() - before, length, "the body has the length that was said");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Answers each request with these bytes, in pieces.
    fn server(answers: &'static [&'static [u8]]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in answers {
                let mut asked = [0; 1_024];
                assert!(stream.read(&mut asked).unwrap() > 0);
                for piece in answer.chunks(7) {
                    stream.write_all(piece).unwrap();
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        address
    }

    #[test]
    fn answers_in_pieces_are_read_whole_and_the_connection_is_kept() {
        let mut wire = Wire::open(server(&[
            b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nfirst",
            b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
        ]))
        .unwrap();
        let mut asking = Vec::new();
        request(&mut asking, ("POST", "/"), "", 2, |out| out.extend_from_slice(b"{}"));
        assert_eq!(wire.ask(&asking).unwrap(), (201, &b"first"[..]));
        assert_eq!(wire.ask(&asking).unwrap(), (429, &b""[..]));
        assert!(wire.ask(&asking).is_err(), "a closed connection is an error");
    }

    #[test]
    fn an_answer_without_a_length_is_an_error() {
        let mut wire = Wire::open(server(&[b"HTTP/1.1 200 OK\r\n\r\n"])).unwrap();
        let mut asking = Vec::new();
        request(&mut asking, ("GET", "/"), "", 0, |_| ());
        assert!(wire.ask(&asking).unwrap_err().to_string().contains("without a length"));
    }
}
