//! A time authority by the command `openssl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How it certifies and stamps; `@` is the folder.
const SETTINGS: &str = "\
[req]
prompt = no
distinguished_name = nobody
[nobody]
CN = nobody
[of_root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[of_stamper]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
signer_cert = @/stamper
signer_key = @/stamper.key
signer_digest = sha256
digests = sha256
default_policy = 1.2.3.4.1
serial = @/serial
accuracy = secs:1
ess_cert_id_alg = sha256
";

/// An authority in a folder.
#[derive(Debug)]
pub(super) struct Openssl {
    folder: PathBuf,
}

impl Openssl {
    /// Makes one, whose root's X.509 certificate is `root`. None without the command, or with one that cannot do it.
    pub(super) fn new(folder: &Path) -> Option<Self> {
        let one = Self { folder: folder.to_owned() };
        let settings = SETTINGS.replace('@', &folder.display().to_string());
        fs::write(folder.join("settings"), settings).ok()?;
        fs::write(folder.join("serial"), "01\n").ok()?;
        let key = ["-config", "settings", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        let root = ["req", "-x509", "-days", "30", "-subj", "/CN=Demo root", "-extensions", "of_root"];
        one.run(&[&root[..], &key, &["-keyout", "root.key", "-out", "root"]].concat())?;
        let stamper = ["req", "-new", "-subj", "/CN=Demo time authority", "-keyout", "stamper.key"];
        one.run(&[&stamper[..], &key, &["-out", "request"]].concat())?;
        let by = ["-CA", "root", "-CAkey", "root.key", "-set_serial", "2", "-days", "30"];
        let says = ["-extfile", "settings", "-extensions", "of_stamper", "-out", "stamper"];
        one.run(&[&["x509", "-req", "-in", "request"][..], &by, &says].concat())?;
        Some(one)
    }

    /// Its answer to a query, or none.
    pub(super) fn reply(&self, query: &[u8]) -> Option<Vec<u8>> {
        fs::write(self.folder.join("query"), query).ok()?;
        let settings = ["-config", "settings", "-section", "tsa"];
        self.run(&[&["ts", "-reply", "-queryfile", "query", "-out", "reply"][..], &settings].concat())?;
        fs::read(self.folder.join("reply")).ok()
    }

    fn run(&self, words: &[&str]) -> Option<()> {
        let mut openssl = Command::new("openssl");
        openssl.args(words).current_dir(&self.folder);
        let ended = openssl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        ended.ok()?.success().then_some(())
    }
}
