//! A time authority as it is configured. The X.509 certificate that is believed is read and checked at the start:
//! one that cannot be read would refuse every answer later.

use crate::https::Https;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeugma_crypto::hash::sha256;
use zeugma_evidence_verify::policy;
use zeugma_evidence_verify::x509::{self, MAX_CERTIFICATE};
use zeugma_types::{Code, Refusal};

/// Longest file of X.509 certificates, in bytes: an anchor and a chain below it, in PEM.
pub const MAX_FILE: usize = 8 * MAX_CERTIFICATE;
/// Most X.509 certificates of one file.
const MAX_CERTIFICATES: usize = 8;
/// Longest dotted identifier, in bytes, as in a policy file.
const MAX_OID: usize = 128;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A time authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    institution: String,
    url: String,
    anchor: Vec<u8>,
    offered: Vec<Vec<u8>>,
    policies: Vec<String>,
    https: Option<Https>,
}

impl Authority {
    /// An authority whose file holds the X.509 certificate that is believed, in PEM or DER. In PEM others may follow
    /// it: they help to reach it, and are never believed.
    ///
    /// # Errors
    /// [`Code::TooLong`], [`Code::TooMany`]; [`Code::BadText`] for PEM that is none and for a policy that is no dotted
    /// identifier; the refusals of an X.509 certificate that cannot be read.
    pub fn new(institution: &str, url: &str, file: &[u8], policies: &[String]) -> Result<Self, Refusal> {
        let mut certificates = certificates(file)?;
        for one in &certificates {
            x509::subject_of(one)?;
        }
        if let Some(policy) = policies.iter().find(|policy| !dotted(policy)) {
            return Err(Refusal::new(Code::BadText)
                .needed("a policy as a dotted identifier")
                .found(policy.clone()));
        }
        let anchor = certificates.remove(0);
        // In the one order in which a bundle keeps them.
        certificates.sort();
        certificates.dedup();
        let (institution, url) = (institution.to_owned(), url.to_owned());
        Ok(Self { institution, url, anchor, offered: certificates, policies: policies.to_vec(), https: None })
    }

    /// The authority, asked over TLS. Without it, an address that begins with `https` is not reached.
    #[must_use]
    pub fn with_https(mut self, https: Https) -> Self {
        self.https = Some(https);
        self
    }

    /// How it is asked over TLS.
    #[must_use]
    pub const fn https(&self) -> Option<&Https> {
        self.https.as_ref()
    }

    /// The institution that it counts for.
    #[must_use]
    pub fn institution(&self) -> &str {
        &self.institution
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The X.509 certificate that is believed, in DER.
    #[must_use]
    pub fn anchor(&self) -> &[u8] {
        &self.anchor
    }

    /// X.509 certificates that help to reach it, in DER, ascending.
    #[must_use]
    pub fn offered(&self) -> &[Vec<u8>] {
        &self.offered
    }

    /// Policies under which its time-stamps count; empty: under any.
    #[must_use]
    pub fn policies(&self) -> &[String] {
        &self.policies
    }

    /// SHA-256 of the X.509 certificate that is believed.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        sha256(&[&self.anchor])
    }

    /// The authority as a policy lists it.
    #[must_use]
    pub fn listed(&self) -> policy::Authority {
        policy::Authority {
            institution: self.institution.clone(),
            anchor: self.anchor.clone(),
            policies: self.policies.clone(),
        }
    }
}

fn dotted(text: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= MAX_OID && text.split('.').count() > 1 && text.split('.').all(number)
}

/// The X.509 certificates of a file: those of its PEM blocks, or the whole as one in DER.
fn certificates(file: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    if file.len() > MAX_FILE {
        return Err(Refusal::new(Code::TooLong).needed(MAX_FILE).found(file.len()));
    }
    let broken = |why: &'static str| Refusal::new(Code::BadText).needed("PEM or DER").found(why);
    // Text around the blocks may be in any encoding; it is passed over.
    let text = String::from_utf8_lossy(file);
    let mut rest = text.as_ref();
    if !rest.contains(BEGIN) {
        // An X.509 certificate in DER begins with a sequence.
        let der = file.first() == Some(&0x30);
        return if der { Ok(vec![file.to_vec()]) } else { Err(broken("neither")) };
    }
    let mut found = Vec::new();
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (body, after) = after.split_once(END).ok_or_else(|| broken("a block without its end"))?;
        if found.len() == MAX_CERTIFICATES {
            return Err(Refusal::new(Code::TooMany).needed(MAX_CERTIFICATES));
        }
        let body: String = body.split_ascii_whitespace().collect();
        found.push(STANDARD.decode(body).map_err(|_| broken("a block that is not base64"))?);
        rest = after;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may")]

    use super::*;

    fn code(file: &[u8], policies: &[&str]) -> Code {
        let policies: Vec<String> = policies.iter().map(|text| (*text).to_owned()).collect();
        Authority::new("a", "http://x", file, &policies).unwrap_err().code
    }

    #[test]
    fn a_file_that_holds_no_x509_certificate_is_refused_at_the_start() {
        assert_eq!(code(b"", &[]), Code::BadText);
        assert_eq!(code(b"\xff\xfe", &[]), Code::BadText);
        assert_eq!(code(format!("{BEGIN}\nMAA=\n").as_bytes(), &[]), Code::BadText);
        assert_eq!(code(format!("{BEGIN}\n!!\n{END}").as_bytes(), &[]), Code::BadText);
        assert!(Authority::new("a", "http://x", &[0x30, 0], &[]).is_err(), "an empty sequence");
        assert!(Authority::new("a", "http://x", format!("{BEGIN}MAA={END}").as_bytes(), &[]).is_err());
        let many = format!("{BEGIN}MAA={END}\n").repeat(MAX_CERTIFICATES + 1);
        assert_eq!(code(many.as_bytes(), &[]), Code::TooMany);
        assert_eq!(code(&vec![b' '; MAX_FILE + 1], &[]), Code::TooLong);
    }

    #[test]
    fn a_policy_is_a_dotted_identifier() {
        assert!(dotted("1.2.3") && dotted("0.4.0.2023.1.1"));
        for text in ["", "1", "1..2", ".1.2", "1.2.", "1.x", "policy"] {
            assert!(!dotted(text), "{text}");
        }
    }
}
