//! A time authority made with the `openssl` command: keys and X.509 certificates in a folder, `openssl ts` signs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

/// The policy that it works under.
const POLICY: &str = "1.2.3.4.1";

const CONFIG: &str = "\
[ req ]
distinguished_name = name
prompt = no
[ name ]
CN = unused
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ stamper ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
MORE[ responder ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
[ tsa ]
serial = FOLDER/serial
crypto_device = builtin
signer_cert = FOLDER/tsa.pem
signer_key = FOLDER/tsa.key
signer_digest = sha256
default_policy = POLICY
digests = sha256, sha384, sha512
accuracy = secs:1
clock_precision_digits = 3
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
";

/// An authority in a folder.
#[derive(Debug)]
pub struct OpensslAuthority {
    folder: PathBuf,
    /// OpenSSL counts its time-stamps in a file.
    signing: Mutex<()>,
}

pub(super) fn openssl(arguments: &[&str]) -> Output {
    let done = Command::new("openssl").args(arguments).output();
    done.expect("this test needs the command `openssl`: install the package openssl")
}

pub(super) fn done(arguments: &[&str]) {
    let output = openssl(arguments);
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// How keys are made.
fn curve(config: &str) -> [&str; 7] {
    ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", config]
}

impl OpensslAuthority {
    /// Makes one in a folder that is empty: a root and a signer of time-stamps below it, of this name.
    ///
    /// # Panics
    /// Without the command `openssl`, which the words name.
    #[must_use]
    pub fn new(folder: &Path, name: &str) -> Self {
        Self::made(folder, name, None, "")
    }

    /// Makes one in a folder that is empty, whose signer's X.509 certificate has these lines more; and a responder's.
    pub(super) fn revocable(folder: &Path, name: &str, more: &str) -> Self {
        let made = Self::made(folder, name, None, more);
        let at = |file: &str| folder.join(file).display().to_string();
        made.certify(
            &at("responder"),
            &format!("/CN={name} responder"),
            "responder",
            "3",
            &curve(&at("cnf")),
        );
        made
    }

    /// Makes one in a folder that is empty, whose own root is certified by this one's.
    ///
    /// # Panics
    /// As [`OpensslAuthority::new`].
    #[must_use]
    pub fn below(&self, folder: &Path, name: &str) -> Self {
        Self::made(folder, name, Some(self), "")
    }

    fn made(folder: &Path, name: &str, above: Option<&Self>, more: &str) -> Self {
        fs::create_dir_all(folder).unwrap();
        let at = |file: &str| folder.join(file).display().to_string();
        let config = CONFIG.replace("FOLDER", &folder.display().to_string()).replace("POLICY", POLICY);
        let config = config.replace("MORE", more);
        fs::write(at("cnf"), config).unwrap();
        fs::write(at("serial"), "01\n").unwrap();
        let (cnf, ca, ca_key) = (at("cnf"), at("ca.pem"), at("ca.key"));
        let curve = curve(&cnf);
        let root = format!("/CN={name} root");
        match above {
            None => {
                let asked = ["req", "-x509", "-extensions", "root", "-days", "3650", "-subj", &root];
                done(&[&asked[..], &curve, &["-keyout", &ca_key, "-out", &ca]].concat());
            }
            Some(above) => above.certify(&at("ca"), &root, "root", "2", &curve),
        }
        let made = Self { folder: folder.into(), signing: Mutex::new(()) };
        made.certify(&at("tsa"), &format!("/CN={name}"), "stamper", "2", &curve);
        made
    }

    /// A key and an X.509 certificate for it under this root, as `path.key` and `path.pem`.
    fn certify(&self, path: &str, subject: &str, extensions: &str, serial: &str, curve: &[&str]) {
        let at = |file: &str| self.folder.join(file).display().to_string();
        let (ca, ca_key, cnf) = (at("ca.pem"), at("ca.key"), at("cnf"));
        let [key, request, certificate] = ["key", "csr", "pem"].map(|end| format!("{path}.{end}"));
        let asked = ["req", "-new", "-subj", subject, "-keyout", &key, "-out", &request];
        done(&[&asked[..], curve].concat());
        let issue = ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-set_serial", serial];
        let says = ["-days", "3650", "-extfile", &cnf, "-extensions", extensions, "-out", &certificate];
        done(&[&issue[..], &says].concat());
    }

    /// The root's X.509 certificate, in PEM.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The signer's X.509 certificate, in PEM.
    #[must_use]
    pub fn signer(&self) -> PathBuf {
        self.folder.join("tsa.pem")
    }

    /// What `openssl ts -reply` answers.
    #[must_use]
    pub fn reply(&self, query: &[u8]) -> Vec<u8> {
        self.sign(query, &[])
    }

    /// As [`OpensslAuthority::reply`], with further X.509 certificates in the token.
    #[must_use]
    pub fn reply_with(&self, query: &[u8], certificates: &Path) -> Vec<u8> {
        self.sign(query, &["-chain", &certificates.display().to_string()])
    }

    fn sign(&self, query: &[u8], more: &[&str]) -> Vec<u8> {
        let _one = self.signing.lock().unwrap();
        let at = |file: &str| self.folder.join(file).display().to_string();
        fs::write(at("query"), query).unwrap();
        let (cnf, query, reply) = (at("cnf"), at("query"), at("reply"));
        let asked =
            ["ts", "-reply", "-config", &cnf, "-section", "tsa", "-queryfile", &query, "-out", &reply];
        // What was answered before is no answer to this.
        let _ = fs::remove_file(&reply);
        // It ends with a failure when it answers with a refusal; the answer is written all the same.
        let output = openssl(&[&asked[..], more].concat());
        let answer = fs::read(&reply);
        answer.unwrap_or_else(|_| panic!("openssl ts: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Whether `openssl ts -verify` accepts a token over data, under this root.
    ///
    /// # Errors
    /// What it says.
    pub fn verify(&self, token: &[u8], data: &[u8]) -> Result<(), String> {
        let _one = self.signing.lock().unwrap();
        let at = |file: &str| self.folder.join(file).display().to_string();
        fs::write(at("token"), token).unwrap();
        fs::write(at("data"), data).unwrap();
        let (token, data, root) = (at("token"), at("data"), at("ca.pem"));
        let output =
            openssl(&["ts", "-verify", "-token_in", "-in", &token, "-data", &data, "-CAfile", &root]);
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}
