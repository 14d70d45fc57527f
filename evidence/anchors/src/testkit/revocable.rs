//! A time authority made with the `openssl` command whose signer can be revoked: `openssl ca` keeps the book of
//! certificates and makes the revocation list, `openssl ocsp` answers from the same book over HTTP.

use super::front::{Answered, Front};
use super::openssl::{OpensslAuthority, done, openssl};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

const BOOK: &str = "
[ ca ]
default_ca = book
[ book ]
database = FOLDER/index.txt
crlnumber = FOLDER/crlnumber
default_md = sha256
default_crl_days = 1
certificate = FOLDER/ca.pem
private_key = FOLDER/ca.key
";

/// Who signs the responder's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// The root itself.
    Issuer,
    /// A delegate that the root certified for answers, which is named by its key.
    Delegate,
}

/// An authority with a responder and a revocation list, both on loopback.
#[derive(Debug)]
pub struct Revocable {
    /// Who signs time-stamps.
    pub authority: Arc<OpensslAuthority>,
    folder: PathBuf,
    responder: u16,
    answers: Answers,
    running: Option<Child>,
    list: Arc<Mutex<Served>>,
    lists: Front,
}

/// What stands at the address of the list.
#[derive(Clone, Debug)]
enum Served {
    Nothing,
    Bytes(Vec<u8>),
    Silence,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Revocable {
    /// Makes one in a folder that is empty. The responder runs; there is no list yet.
    ///
    /// # Panics
    /// Without the command `openssl`, which the words name.
    #[must_use]
    pub fn new(folder: &Path, name: &str, answers: Answers) -> Self {
        let list = Arc::new(Mutex::new(Served::Nothing));
        let served = Arc::clone(&list);
        let lists = Front::open(move |_| match served.lock().unwrap().clone() {
            Served::Nothing => Answered::Status(404),
            Served::Bytes(bytes) => Answered::Body(bytes),
            Served::Silence => Answered::Never,
        });
        let responder = free_port();
        let (url, ocsp) = (lists.url(), format!("http://127.0.0.1:{responder}"));
        let more = format!("authorityInfoAccess = OCSP;URI:{ocsp}\ncrlDistributionPoints = URI:{url}\n");
        let authority = Arc::new(OpensslAuthority::revocable(folder, name, &more));
        let made = Self { authority, folder: folder.into(), responder, answers, running: None, list, lists };
        fs::write(made.at("index.txt"), "").unwrap();
        fs::write(made.at("crlnumber"), "01\n").unwrap();
        fs::write(made.at("book"), BOOK.replace("FOLDER", &folder.display().to_string())).unwrap();
        let (book, signer) = (made.at("book"), made.at("tsa.pem"));
        done(&["ca", "-config", &book, "-valid", &signer]);
        let mut made = made;
        made.answer();
        made
    }

    fn at(&self, file: &str) -> String {
        self.folder.join(file).display().to_string()
    }

    /// Starts the responder anew: it reads the book when it starts.
    fn answer(&mut self) {
        self.silence();
        let name = match self.answers {
            Answers::Issuer => "ca",
            Answers::Delegate => "responder",
        };
        let (index, ca, port) = (self.at("index.txt"), self.at("ca.pem"), self.responder.to_string());
        let (signer, key) = (self.at(&format!("{name}.pem")), self.at(&format!("{name}.key")));
        let mut command = Command::new("openssl");
        command
            .args(["ocsp", "-port", &port, "-index", &index, "-CA", &ca, "-rsigner", &signer, "-rkey", &key]);
        command.args(["-nmin", "5", "-ignore_err"]);
        if self.answers == Answers::Delegate {
            command.arg("-resp_key_id");
        }
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut started =
            started.expect("this test needs the command `openssl`: install the package openssl");
        // A connection that asks nothing would stop it: that it listens is known from what it says.
        let mut said = BufReader::new(started.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("waiting for OCSP client connections") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the responder ended before it listened");
        }
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        self.running = Some(started);
    }

    /// The responder answers no more.
    pub fn silence(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.kill();
            let _ = running.wait();
        }
    }

    /// Makes a revocation list of what the book says now, and serves it.
    pub fn publish(&self) {
        let (book, pem, der) = (self.at("book"), self.at("crl.pem"), self.at("crl.der"));
        done(&["ca", "-config", &book, "-gencrl", "-out", &pem]);
        done(&["crl", "-in", &pem, "-outform", "DER", "-out", &der]);
        *self.list.lock().unwrap() = Served::Bytes(fs::read(der).unwrap());
    }

    /// Serves these bytes in place of a list.
    pub fn serve(&self, bytes: Vec<u8>) {
        *self.list.lock().unwrap() = Served::Bytes(bytes);
    }

    /// From now on who asks for the list waits.
    pub fn stall(&self) {
        *self.list.lock().unwrap() = Served::Silence;
    }

    /// Revokes the signer, for a reason as OpenSSL writes it; responder and list say so from now on.
    pub fn revoke(&mut self, reason: &str) {
        let (book, signer) = (self.at("book"), self.at("tsa.pem"));
        done(&["ca", "-config", &book, "-revoke", &signer, "-crl_reason", reason]);
        self.answer();
        self.publish();
    }

    /// Takes the signer out of the responder's book.
    pub fn forget(&mut self) {
        fs::write(self.at("index.txt"), "").unwrap();
        self.answer();
    }

    /// How often the list was asked for.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.lists.asked()
    }

    /// What `openssl` says of a responder's answer about the signer: `good`, `revoked` or `unknown`, after it checked
    /// who signed it; `None` when it does not believe it.
    #[must_use]
    pub fn openssl_reads(&self, answer: &[u8]) -> Option<String> {
        let (file, ca, signer) = (self.at("answer"), self.at("ca.pem"), self.at("tsa.pem"));
        fs::write(&file, answer).unwrap();
        let output =
            openssl(&["ocsp", "-sha256", "-issuer", &ca, "-cert", &signer, "-respin", &file, "-CAfile", &ca]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let verified = String::from_utf8_lossy(&output.stderr).contains("Response verify OK");
        let line = said.lines().find_map(|line| line.strip_prefix(&format!("{signer}: ")))?;
        verified.then(|| line.trim().to_owned())
    }

    /// Whether `openssl verify -crl_check` believes the signer under a list, at an instant in seconds since 1970.
    #[must_use]
    pub fn openssl_accepts(&self, list: &[u8], at: u64) -> bool {
        let (der, pem, ca, signer) =
            (self.at("in.der"), self.at("in.pem"), self.at("ca.pem"), self.at("tsa.pem"));
        fs::write(&der, list).unwrap();
        done(&["crl", "-inform", "DER", "-in", &der, "-out", &pem]);
        let at = at.to_string();
        let asked = ["verify", "-crl_check", "-attime", &at, "-purpose", "timestampsign", "-CRLfile", &pem];
        openssl(&[&asked[..], &["-CAfile", &ca, &signer]].concat()).status.success()
    }
}

impl Drop for Revocable {
    fn drop(&mut self) {
        self.silence();
    }
}
