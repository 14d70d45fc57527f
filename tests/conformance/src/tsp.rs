//! The `tsp` suite: RFC 3161 responses, good and bad, with the chain of their authority.
//!
//! A folder holds `ts_chain.pem`, whose last certificate is believed and whose others may help, and
//! responses `*.tsr`, one case each; where there is a `payload`, or a request beside a response, they say
//! what it is over. What is expected of a response is in its name: one of the words of [`REFUSED`] says
//! that it is bad, any other name that it is good. A request of the same name (`request.der` for
//! `response.tsr`, `other_request.der` for `other_response.tsr`) was answered by that response, so its
//! nonce and policy count; a response with words after its name was asked for by some other request.

use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::path::Path;
use zeugma_evidence_verify::tsp::{
    Expected, Imprint, Material, Request, Stamped, token_of_response, verify_token,
};
use zeugma_evidence_verify::x509::Hash;

/// RFC 3161 responses in the layout of trailofbits/rfc3161-client's `test/fixtures`.
pub(crate) struct Tsp;

/// Words in the name of a response that must be refused.
const REFUSED: &[&str] = &[
    "invalid",
    "injected",
    "bad",
    "wrong",
    "forged",
    "tampered",
    "spoofed",
    "untrusted",
    "revoked",
    "expired",
    "mismatch",
    "malformed",
    "corrupt",
    "corrupted",
    "truncated",
    "sha1",
    "md5",
];

/// The message that the suite's own script stamps.
const MESSAGE: &[u8] = b"hello";

impl Suite for Tsp {
    fn name(&self) -> &'static str {
        "tsp"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        let folder = file.path.parent().unwrap_or(Path::new("."));
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.rsplit_once('.') {
            Some((stem, "tsr")) => {
                report.policy(
                    "a response whose name has words of its own answers another request than the one beside it: \
                     its nonce is not compared; what it is over is",
                )?;
                let expected = if is_refused(stem) { "refused" } else { "accepted" };
                let got = match judge(folder, stem, &file.bytes) {
                    Ok(_) => "accepted".to_owned(),
                    Err(why) => format!("refused ({why:#})"),
                };
                let holds = got.starts_with(expected);
                report.verdict(&file.name, holds, &expected, &got)
            }
            // A request is a case of its own: it is read, and written again as it was.
            Some((_, "der")) => {
                let got = match Request::parse(&file.bytes).and_then(|request| request.to_der()) {
                    Ok(bytes) if bytes == file.bytes => "the same request".to_owned(),
                    Ok(_) => "another request".to_owned(),
                    Err(why) => why.to_string(),
                };
                report.case(&file.name, &"the same request".to_owned(), &got)
            }
            _ if name == "ts_chain.pem" || name == "payload" || name == "README.md" => Ok(()),
            _ => report.unknown(&file.name, &"neither a response, a request, a chain nor a payload"),
        }
    }
}

fn is_refused(stem: &str) -> bool {
    stem.split(['-', '_', '.']).any(|word| REFUSED.contains(&word.to_ascii_lowercase().as_str()))
}

fn judge(folder: &Path, stem: &str, response: &[u8]) -> Result<Stamped> {
    let chain = fs::read_to_string(folder.join("ts_chain.pem")).context("no ts_chain.pem")?;
    let chain = certificates(&chain)?;
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let (anchor, offered) = chain.split_last().context("an empty ts_chain.pem")?;
    let token = token_of_response(response)?;
    let own = folder.join(stem.replace("response", "request") + ".der");
    let request: Option<Request> = match fs::read(&own) {
        Ok(bytes) => Some(Request::parse(&bytes)?),
        Err(_) => None,
    };
    let policies: Vec<String> = request.iter().filter_map(|request| request.policy.clone()).collect();
    let nonce = request.as_ref().and_then(|request| request.nonce.as_deref());
    let material = Material { anchors: &[anchor], offered, revocation: &[] };
    let expected = Expected { imprint: None, nonce, policies: &policies };
    let stamped = verify_token(&token, &expected, &material)?;
    // What it is over, under the hash that it chose: again through the function of the product.
    let imprint = match &request {
        Some(request) => request.imprint.clone(),
        None => imprint(folder, stamped.imprint().hash())?,
    };
    let expected = Expected { imprint: Some(&imprint), nonce, policies: &policies };
    Ok(verify_token(&token, &expected, &material)?)
}

/// What a response without a request of its own must be over: the payload, or the message whose digest the
/// folder's request holds.
fn imprint(folder: &Path, hash: Hash) -> Result<Imprint> {
    if let Ok(payload) = fs::read(folder.join("payload")) {
        return Ok(Imprint::of(hash, &payload));
    }
    let request = fs::read(folder.join("request.der")).context("neither a payload nor a request")?;
    let request = Request::parse(&request)?;
    let message = Imprint::of(request.imprint.hash(), MESSAGE);
    if message == request.imprint {
        return Ok(Imprint::of(hash, MESSAGE));
    }
    ensure!(hash == request.imprint.hash(), "the request's message is not known under another hash");
    Ok(request.imprint)
}

fn certificates(pem: &str) -> Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for part in pem.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let (body, _) = part.split_once("-----END CERTIFICATE-----").context("a certificate without end")?;
        let body: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
        found.push(STANDARD.decode(body).context("a certificate is not base64")?);
    }
    Ok(found)
}
