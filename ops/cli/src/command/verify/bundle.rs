//! `zeugma verify BUNDLE [FILE]`: judges an evidence bundle offline, and a file against it.
//!
//! The file is read once, in pieces, and only its digests go on; nothing is sent anywhere. A file that is not
//! the one deposited is reported, and then refused, so that a script sees it.

use crate::failure::{Failure, Rule};
use crate::output::{Lang, Output, Report};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::path::Path;
use zeugma_evidence_log::record::FileDigests;
use zeugma_evidence_verify::policy::{
    Authority, Later, MAX_POLICY, Network, Policy, Service, Shards, Witness,
};
use zeugma_evidence_verify::report::Integrity;
use zeugma_evidence_verify::{Language, Question, Subject, verify};
use zeugma_proof::TrustFile;
use zeugma_types::{BlockTime, Decode as _, Refusal};

/// First bytes of a bundle.
pub(super) const MAGIC: &[u8] = b"ZGBUNDL";

/// What is judged.
pub(super) struct Asked<'a> {
    /// The bundle's name and bytes.
    pub(super) bundle: (&'a Path, &'a [u8]),
    /// The file presented.
    pub(super) file: Option<&'a Path>,
    /// The policy: canonical bytes, or JSON.
    pub(super) policy: Option<&'a Path>,
    /// The trust file.
    pub(super) trust: &'a TrustFile,
    /// For when.
    pub(super) time: BlockTime,
}

pub(super) fn run(asked: &Asked<'_>, output: &Output) -> Result<(), Failure> {
    let Some(policy) = asked.policy else {
        return Err(Failure::usage(
            "a bundle is judged by a policy: whose word counts, and how many of them it takes",
            "name it with --policy FILE; the service that made the bundle publishes its own",
        ));
    };
    let policy = read_policy(policy)?;
    let subject = match asked.file {
        None => Subject::Nothing,
        Some(file) => Subject::Digests(digests(file)?),
    };
    let (name, bundle) = asked.bundle;
    let question = Question { bundle, subject, trust: asked.trust, policy: &policy, time: asked.time };
    let report = verify(&question).map_err(|refusal| Failure::refused(name.display(), refusal))?;
    let language = match output.lang() {
        Lang::En => Language::En,
        Lang::Zh => Language::Zh,
    };
    let json = serde_json::from_str(&report.to_json()).expect("the view is JSON");
    output.report(&Report { text: report.words(language), json });
    match (report.integrity, asked.file) {
        (Integrity::Refuted, Some(file)) => {
            Err(Failure::refused(file.display(), Refusal::new(Rule::FileDiffers)))
        }
        _ => Ok(()),
    }
}

/// The report on a bundle and a file, under canonical policy bytes, for other commands.
pub(in crate::command) fn judge(
    bundle: &[u8],
    file: &Path,
    policy: &[u8],
    trust: &TrustFile,
    time: BlockTime,
) -> Result<zeugma_evidence_verify::Report, Failure> {
    let policy = Policy::from_bytes(policy).map_err(|refusal| Failure::refused("the policy", refusal))?;
    let subject = Subject::Digests(digests(file)?);
    verify(&Question { bundle, subject, trust, policy: &policy, time })
        .map_err(|refusal| Failure::refused("the bundle", refusal))
}

fn digests(path: &Path) -> Result<FileDigests, Failure> {
    let file = crate::files::digest(path)?;
    Ok(FileDigests { sha256: Some(file.sha256), sm3: Some(file.sm3) })
}

fn read_policy(path: &Path) -> Result<Policy, Failure> {
    let bytes = crate::files::read(path, MAX_POLICY)?;
    if bytes.first() != Some(&b'{') {
        return Policy::from_bytes(&bytes).map_err(|refusal| Failure::refused(path.display(), refusal));
    }
    let unreadable = |what: String| {
        Failure::usage(
            format!("{} is not a policy: {what}", path.display()),
            "see docs/byte-layout.md, section 13",
        )
    };
    let json: Value = serde_json::from_slice(&bytes).map_err(|why| unreadable(why.to_string()))?;
    of_json(&json).ok_or_else(|| unreadable("a member is missing or has another form".into()))
}

/// A policy as people write it. Anchors are base64 of DER, the service key is hexadecimal. With `shards` (`alone` or
/// `followed`) or `services` it is of the second form.
fn of_json(json: &Value) -> Option<Policy> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let texts = |value: &Value| value.as_array()?.iter().map(text).collect::<Option<Vec<_>>>();
    let number = |value: &Value| u16::try_from(value.as_u64()?).ok();
    let witness = |value: &Value| {
        Some(Witness { institution: text(&value["institution"])?, key: text(&value["key"])? })
    };
    let authority = |value: &Value| {
        Some(Authority {
            institution: text(&value["institution"])?,
            anchor: STANDARD.decode(value["anchor"].as_str()?).ok()?,
            policies: texts(&value["policies"])?,
        })
    };
    let service = |value: &Value| {
        Some(Service {
            institution: text(&value["institution"])?,
            issuer: match &value["issuer"] {
                Value::Null => None,
                issuer => Some(text(issuer)?),
            },
            key: STANDARD.decode(value["key"].as_str()?).ok()?,
        })
    };
    let later = match (&json["shards"], &json["services"]) {
        (Value::Null, Value::Null) => None,
        (shards, services) => Some(Later {
            shards: match shards.as_str() {
                Some("followed") => Shards::Followed,
                Some("alone") => Shards::Alone,
                None if shards.is_null() => Shards::Alone,
                _ => return None,
            },
            services: match services {
                Value::Null => Vec::new(),
                services => services.as_array()?.iter().map(service).collect::<Option<_>>()?,
            },
        }),
    };
    Some(Policy {
        origin: text(&json["origin"])?,
        operator: text(&json["operator"])?,
        log_keys: texts(&json["log_keys"])?,
        second_keys: texts(&json["second_keys"])?,
        service_key: match &json["service_key"] {
            Value::Null => None,
            key => Some(hex::decode(key.as_str()?).ok()?.try_into().ok()?),
        },
        witnesses: json["witnesses"].as_array()?.iter().map(witness).collect::<Option<_>>()?,
        authorities: json["authorities"].as_array()?.iter().map(authority).collect::<Option<_>>()?,
        witnesses_needed: number(&json["witnesses_needed"])?,
        authorities_needed: number(&json["authorities_needed"])?,
        institutions_needed: number(&json["institutions_needed"])?,
        network: match json["network"].as_str()? {
            "required" => Network::Required,
            "optional" => Network::Optional,
            _ => return None,
        },
        later,
    })
}
