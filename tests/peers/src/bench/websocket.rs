//! As much of the websocket protocol (RFC 6455) as hearing events takes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail, ensure};

/// Longest message, in bytes: a block of the largest size in base64, with what surrounds it.
const MAX: u64 = 256 * 1024 * 1024;
/// A read that waits longer gives up: the caller looks whether it should end.
const SILENCE: Duration = Duration::from_secs(20);

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

pub(super) struct Websocket {
    stream: BufReader<TcpStream>,
}

impl Websocket {
    /// Opens it and sends one text.
    pub(super) fn open(node: SocketAddr, path: &str, text: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(node)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        // The key proves nothing here: nobody stands between two sockets of one machine.
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {node}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )?;
        let mut stream = BufReader::with_capacity(256 * 1024, stream);
        let mut line = String::new();
        stream.read_line(&mut line)?;
        ensure!(line.contains(" 101 "), "no websocket: {line:?}");
        while line.trim() != "" {
            line.clear();
            ensure!(stream.read_line(&mut line)? > 0, "the answer ends in its head");
        }
        let mut this = Self { stream };
        this.send(TEXT, text.as_bytes())?;
        Ok(this)
    }

    /// The next text; answers signs of life meanwhile.
    pub(super) fn text(&mut self) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        loop {
            let (last, kind, part) = self.frame()?;
            match kind {
                PING => {
                    self.send(PONG, &part)?;
                    continue;
                }
                PONG => continue,
                CLOSE => bail!("the node closed the websocket"),
                _ => whole.extend(part),
            }
            if last {
                return Ok(whole);
            }
        }
    }

    fn frame(&mut self) -> Result<(bool, u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        ensure!(head[1] & 0x80 == 0, "a node does not mask");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.stream.read_exact(&mut length)?;
                u16::from_be_bytes(length).into()
            }
            127 => {
                let mut length = [0; 8];
                self.stream.read_exact(&mut length)?;
                u64::from_be_bytes(length)
            }
            short => short.into(),
        };
        ensure!(length <= MAX, "a message of {length} bytes");
        let mut part = vec![0; usize::try_from(length)?];
        self.stream.read_exact(&mut part)?;
        Ok((head[0] & 0x80 != 0, head[0] & 0x0f, part))
    }

    /// What a client sends is masked; the mask may be any.
    fn send(&mut self, kind: u8, data: &[u8]) -> Result<()> {
        let length = u16::try_from(data.len())?;
        let mut frame = vec![0x80 | kind, 0x80 | 126];
        frame.extend(length.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(data);
        self.stream.get_mut().write_all(&frame)?;
        Ok(())
    }
}
