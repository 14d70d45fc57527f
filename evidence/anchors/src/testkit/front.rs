//! A small HTTP server on loopback: one request a connection, one connection at a time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a front answers.
#[derive(Debug)]
pub enum Answered {
    /// Status 200 with these bytes.
    Body(Vec<u8>),
    /// These bytes, one after each pause.
    Drip(Vec<u8>, Duration),
    /// Another status.
    Status(u16),
    /// Nothing, until the other side gives up.
    Never,
}

/// A running front. It ends when it is dropped.
#[derive(Debug)]
pub struct Front {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    /// Starts one that answers bodies so, of requests for time-stamps alone.
    #[must_use]
    pub fn start(answer: impl Fn(&[u8]) -> Answered + Send + 'static) -> Self {
        Self::of(answer, true)
    }

    /// Starts one that answers whatever is asked so.
    #[must_use]
    pub fn open(answer: impl Fn(&[u8]) -> Answered + Send + 'static) -> Self {
        Self::of(answer, false)
    }

    fn of(answer: impl Fn(&[u8]) -> Answered + Send + 'static, strict: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (ended, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (end, count) = (Arc::clone(&ended), Arc::clone(&asked));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                // One who went away meanwhile is no failure of the front.
                let _ = stream.and_then(|stream| serve(stream, &answer, &count, strict));
            }
        });
        Self { address, ended, asked, thread: Some(thread) }
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/tsa", self.address)
    }

    /// Requests that it read.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    stream: TcpStream,
    answer: &impl Fn(&[u8]) -> Answered,
    count: &AtomicUsize,
    strict: bool,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut typed) = (0, !strict);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let line = line.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        typed |= line.trim_end() == "content-type: application/timestamp-query";
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    count.fetch_add(1, Ordering::SeqCst);
    let mut stream = stream;
    let head = |status: u16, length: usize| {
        format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/timestamp-reply\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        )
    };
    // An authority that is strict about the type of a request, as many are.
    match if typed { answer(&body) } else { Answered::Status(415) } {
        Answered::Body(bytes) => {
            stream.write_all(head(200, bytes.len()).as_bytes())?;
            stream.write_all(&bytes)
        }
        Answered::Drip(bytes, pause) => {
            stream.write_all(head(200, bytes.len()).as_bytes())?;
            for byte in bytes {
                std::thread::sleep(pause);
                stream.write_all(&[byte])?;
            }
            Ok(())
        }
        Answered::Status(status) => stream.write_all(head(status, 0).as_bytes()),
        Answered::Never => {
            let _ = reader.read(&mut [0; 1]);
            Ok(())
        }
    }
}
