//! A receiver of webhooks on loopback, which can be told how to answer.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a call is answered.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// With this status.
    Status(u16),
    /// With a redirect to there.
    Redirect(String),
    /// Not at all, for so long.
    Stall(Duration),
    /// With the beginning of an answer.
    Cut,
    /// With 200 after so long.
    Slow(Duration),
}

/// A call.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) at: Instant,
    pub(crate) head: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Whether it was answered with 200.
    pub(crate) answered: bool,
}

#[derive(Default)]
struct Shared {
    got: Mutex<Vec<Got>>,
    /// The next manners; when there is none, 200.
    manners: Mutex<VecDeque<Manner>>,
    /// In place of 200, for good.
    usual: Mutex<Option<Manner>>,
    killed: AtomicBool,
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

type Tls = Arc<rustls::ServerConfig>;

impl Receiver {
    pub(crate) fn start() -> Self {
        Self::listening(TcpListener::bind("127.0.0.1:0").unwrap(), None)
    }

    /// Where one was that was killed.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self::listening(TcpListener::bind(address).unwrap(), None)
    }

    /// Over TLS with this X.509 certificate and key, in PEM.
    pub(crate) fn secured(certificate: &str, key: &str) -> Self {
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self::listening(TcpListener::bind("127.0.0.1:0").unwrap(), Some(Arc::new(config)))
    }

    fn listening(listener: TcpListener, tls: Option<Tls>) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.killed.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, tls, stream) = (Arc::clone(&own), tls.clone(), stream.unwrap());
                std::thread::spawn(move || match tls {
                    None => serve(&shared, stream),
                    Some(tls) => {
                        let connection = rustls::ServerConnection::new(tls).unwrap();
                        serve(&shared, rustls::StreamOwned::new(connection, stream));
                    }
                });
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/told", self.address)
    }

    /// The next calls are answered so, and those after them with 200.
    pub(crate) fn then(&self, manners: impl IntoIterator<Item = Manner>) {
        self.shared.manners.lock().unwrap().extend(manners);
    }

    /// Every call without a manner of its own is answered so.
    pub(crate) fn always(&self, manner: Option<Manner>) {
        *self.shared.usual.lock().unwrap() = manner;
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }

    /// Nothing listens there any more.
    pub(crate) fn kill(mut self) -> SocketAddr {
        self.shared.killed.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
        self.address
    }
}

fn serve(shared: &Shared, mut stream: impl Read + Write) {
    let Some((head, body)) = request(&mut stream) else { return };
    let manner = {
        let own = shared.manners.lock().unwrap().pop_front();
        own.or_else(|| shared.usual.lock().unwrap().clone()).unwrap_or(Manner::Status(200))
    };
    let answered = matches!(manner, Manner::Status(200) | Manner::Slow(_));
    shared.got.lock().unwrap().push(Got { at: Instant::now(), head, body, answered });
    let answer = |status: u16, more: &str| {
        format!("HTTP/1.1 {status} x\r\n{more}content-length: 2\r\nconnection: close\r\n\r\nok")
    };
    let text = match manner {
        Manner::Status(status) => answer(status, ""),
        Manner::Redirect(to) => answer(302, &format!("location: {to}\r\n")),
        Manner::Stall(longest) => {
            std::thread::sleep(longest);
            return;
        }
        Manner::Cut => "HTTP/1.1 2".to_owned(),
        Manner::Slow(rest) => {
            std::thread::sleep(rest);
            answer(200, "")
        }
    };
    // Who gave up has gone.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

fn request(stream: &mut impl Read) -> Option<(BTreeMap<String, String>, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    if line.is_empty() {
        return None;
    }
    let mut head = BTreeMap::from([(":request".to_owned(), line.trim().to_owned())]);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(": ") {
            Some((name, value)) => head.insert(name.to_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let mut body = vec![0; head.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// Bytes of the usual alphabet, read here.
pub(crate) fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let digit = DIGITS.iter().position(|digit| *digit == byte).unwrap();
        held = held << 6 | u32::try_from(digit).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).unwrap());
        }
    }
    bytes
}
