//! The configured witnesses, and how they are asked.

use crate::config::ConfigError;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::PathBuf;
use zeugma_evidence_log::VerifierKey;
use zeugma_evidence_log::note::Algorithm;

/// Most witnesses: a note has room for the cosignatures of both kinds of each.
const MAX_WITNESSES: usize = 16;
/// Longest name of an institution, in bytes, as in a policy file.
const MAX_INSTITUTION: usize = 64;

/// How witnesses are asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WitnessingConfig {
    /// How long a published checkpoint waits for witnesses before it is anchored and stamped without them, in milliseconds.
    pub patience_milliseconds: u64,
    /// How long an answer may take, in seconds.
    pub timeout_seconds: u64,
    /// The longest rest after failures, in seconds; the first is one second, and each doubles it.
    pub rest_seconds: u64,
    /// How many institutions the published policy asks for.
    pub needed: u16,
    /// File with the X.509 certificate that is shown to a witness which asks for one, in PEM, and those that lead to its root.
    pub certificate: Option<PathBuf>,
    /// File with its key, in PEM.
    pub key: Option<PathBuf>,
}

impl Default for WitnessingConfig {
    fn default() -> Self {
        Self {
            patience_milliseconds: 2_000,
            timeout_seconds: 10,
            rest_seconds: 60,
            needed: 0,
            certificate: None,
            key: None,
        }
    }
}

/// One witness.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosignerConfig {
    /// The institution that it counts for.
    pub institution: String,
    /// What `/add-checkpoint` is put after.
    pub url: String,
    /// Its keys, as its operator publishes them.
    pub keys: Vec<String>,
    /// File with the X.509 certificates under which its name is believed for `https`, in PEM; without it the system's.
    pub ca: Option<PathBuf>,
}

/// Checks the relations.
///
/// # Errors
/// [`ConfigError`] with the key and both values.
pub(crate) fn check(witnesses: &[CosignerConfig], asking: &WitnessingConfig) -> Result<(), ConfigError> {
    let relation = |key: &str, rule: String| Err(ConfigError::Relation { key: key.to_owned(), rule });
    for (key, found, most) in [
        ("witnessing.patience_milliseconds", asking.patience_milliseconds, 60_000),
        ("witnessing.timeout_seconds", asking.timeout_seconds, 86_400),
        ("witnessing.rest_seconds", asking.rest_seconds, 86_400),
    ] {
        if !(1..=most).contains(&found) {
            return relation(key, format!("1 to {most} are asked, found {found}"));
        }
    }
    if asking.certificate.is_some() != asking.key.is_some() {
        let rule = "certificate and key belong together, found one of them";
        return relation("witnessing.certificate", rule.to_owned());
    }
    if witnesses.len() > MAX_WITNESSES {
        return relation(
            "witness",
            format!("a note has room for {MAX_WITNESSES}, found {}", witnesses.len()),
        );
    }
    let (mut keys, mut institutions) = (BTreeSet::new(), BTreeSet::new());
    for (at, one) in witnesses.iter().enumerate() {
        let key = format!("witness {}", one.url);
        if one.institution.is_empty() || one.institution.len() > MAX_INSTITUTION {
            let rule =
                format!("an institution has 1 to {MAX_INSTITUTION} bytes, found {}", one.institution.len());
            return relation(&key, rule);
        }
        let scheme = ["http://", "https://"].into_iter().find(|scheme| one.url.starts_with(scheme));
        if scheme.is_none() || one.url.contains(['@', '"']) {
            return relation(&key, "http:// or https:// without a user is asked".to_owned());
        }
        if one.ca.is_some() && scheme != Some("https://") {
            return relation(&key, "a ca is for https://, found http://".to_owned());
        }
        if witnesses[..at].iter().any(|other| other.url == one.url) {
            return relation(&key, "each address stands once, found it twice".to_owned());
        }
        if one.keys.is_empty() || one.keys.len() > 2 {
            return relation(&key, format!("one key or two are asked, found {}", one.keys.len()));
        }
        for text in &one.keys {
            let parsed = VerifierKey::parse(text)
                .map_err(|refusal| ConfigError::Relation { key: key.clone(), rule: refusal.to_string() })?;
            if parsed.algorithm() == Algorithm::Ed25519 {
                let rule = "a key of a witness is asked (type 4 or 6), found one of a log (type 1)";
                return relation(&key, rule.to_owned());
            }
            if !keys.insert(parsed.to_text()) {
                // One key is one witness: it would count for two institutions.
                return relation(&key, "each key stands once, found it twice".to_owned());
            }
        }
        institutions.insert(&one.institution);
    }
    if usize::from(asking.needed) > institutions.len() {
        let rule = format!(
            "no more are needed than there are institutions, {}; found {}",
            institutions.len(),
            asking.needed
        );
        return relation("witnessing.needed", rule);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Config;
    use zeugma_crypto::ed25519;
    use zeugma_evidence_log::{CosignerSigner, VerifierKey};

    fn key(seed: u8) -> String {
        let secret = ed25519::SecretKey::from_seed(&[seed; 32]);
        CosignerSigner::ed25519("court.example/witness", secret).unwrap().key().to_text()
    }

    fn witness(institution: &str, url: &str, key: &str) -> String {
        format!("[[witness]]\ninstitution = \"{institution}\"\nurl = \"{url}\"\nkeys = [\"{key}\"]\n")
    }

    #[test]
    fn each_relation_is_refused_with_its_key_and_both_values() {
        let (one, two) = (witness("a", "http://a", &key(1)), witness("a", "http://b", &key(2)));
        assert_eq!(Config::from_toml(&format!("{one}{two}")).unwrap().witness.len(), 2);
        let secured = witness("a", "https://a", &key(1)) + "ca = \"roots.pem\"";
        assert!(Config::from_toml(&secured).unwrap().witness[0].ca.is_some());
        let public = ed25519::SecretKey::from_seed(&[1; 32]).public();
        let of_a_log = VerifierKey::ed25519("a", public.as_bytes()).unwrap().to_text();
        for (text, part) in [
            ("[witnessing]\ntimeout_seconds = 0".to_owned(), "witnessing.timeout_seconds: 1 to 86400"),
            ("[witnessing]\npatience_milliseconds = 0".to_owned(), "1 to 60000 are asked, found 0"),
            (format!("[witnessing]\nneeded = 2\n{one}{two}"), "institutions, 1; found 2"),
            (witness("", "http://a", &key(1)), "found 0"),
            (witness("a", "ftp://a", &key(1)), "http:// or https:// without a user"),
            (witness("a", "https://b@a", &key(1)), "http:// or https:// without a user"),
            (format!("{one}ca = \"roots.pem\""), "a ca is for https://"),
            ("[witnessing]\ncertificate = \"a.pem\"".to_owned(), "belong together"),
            (witness("a", "http://a", "a+00000000+AA"), "witness http://a"),
            (witness("a", "http://a", &of_a_log), "type 1"),
            (format!("{one}{}", witness("b", "http://a", &key(2))), "address stands once"),
            (format!("{one}{}", witness("b", "http://b", &key(1))), "key stands once"),
            ("[[witness]]\ninstitution = \"a\"\nurl = \"http://a\"\nkeys = []".to_owned(), "found 0"),
        ] {
            let error = Config::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
