//! `zeugma trust`: look at a trust file, check its signatures, change its form.

use crate::command::verify::{require_fingerprint, signatures};
use crate::failure::Failure;
use crate::files::{Readers, write_new};
use crate::output::{Lang, Output, Report, plain};
use crate::trust::{self, view};
use crate::{clock, words};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use zeugma_proof::{EraEntry, KeyOrigin, TrustFile};

/// Trust files: where every verification starts
#[derive(Debug, Subcommand)]
pub(crate) enum Trust {
    /// Show network, keys, people and fingerprint of a trust file
    Show {
        /// The trust file: canonical bytes, or trust.json
        file: PathBuf,
        /// Refuse unless enough institutions of this older trust file signed it
        #[arg(long, value_name = "OLDER")]
        signed_by: Option<PathBuf>,
        /// Refuse unless it has this fingerprint: 64 hexadecimal digits, or 24 words in quotes
        #[arg(long, value_name = "HEX|WORDS", value_parser = words::parse)]
        trusted_fingerprint: Option<[u8; 32]>,
    },
    /// Write a trust file in another form
    Export {
        /// The trust file: canonical bytes, or trust.json
        file: PathBuf,
        /// The form to write
        #[arg(long, value_enum)]
        form: Form,
        /// Where to; a file that exists is not written over
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// A form of a trust file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// The canonical bytes around which all else is written
    Bytes,
    /// JSON with a readable view
    Json,
}

impl Trust {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Show { file, signed_by, trusted_fingerprint } => {
                let read = trust::read(&file)?;
                if let Some(known) = trusted_fingerprint {
                    require_fingerprint(&file.display().to_string(), &read, &known)?;
                }
                if let Some(older) = &signed_by {
                    require_signed(&file, &read, older)?;
                }
                let known =
                    Known { signers: signed_by.is_some(), fingerprint: trusted_fingerprint.is_some() };
                let (text, json) = (text(&read, known, output.lang()), json(&read, known));
                output.report(&Report { text, json });
                Ok(())
            }
            Self::Export { file, form, out } => export(&file, form, &out, output),
        }
    }
}

/// What the file was compared with.
#[derive(Clone, Copy, Debug)]
struct Known {
    signers: bool,
    fingerprint: bool,
}

fn require_signed(path: &Path, file: &TrustFile, older: &Path) -> Result<(), Failure> {
    let older_file = trust::read(older)?;
    if older_file.network != file.network {
        let refusal = zeugma_types::Refusal::new(zeugma_types::Code::WrongNetwork)
            .needed(*older_file.network.as_bytes())
            .found(*file.network.as_bytes());
        return Err(Failure::refused(path.display(), refusal));
    }
    file.verify(&older_file.institutions).map_err(|refusal| Failure::refused(path.display(), refusal))
}

fn export(path: &Path, form: Form, out: &Path, output: &Output) -> Result<(), Failure> {
    let file = trust::read(path)?;
    let bytes = match form {
        Form::Bytes => trust::to_bytes(&file),
        Form::Json => trust::to_json(&file).into_bytes(),
    };
    write_new(out, &bytes, Readers::Anyone)?;
    let shown = out.display().to_string();
    let fingerprint = hex::encode(file.fingerprint());
    let text = format!("{} {}\n", output.lang().pick("wrote", "已写入"), plain(&shown));
    output.report(&Report { text, json: json!({ "wrote": shown, "fingerprint": fingerprint }) });
    Ok(())
}

fn json(file: &TrustFile, known: Known) -> Value {
    let mut json = serde_json::to_value(view::Document::of(file)).expect("a view has only text and numbers");
    json["signed_by_its_institutions"] = file.verify(&file.institutions).is_ok().into();
    json["signed_by_older"] = if known.signers { true.into() } else { Value::Null };
    json["fingerprint_compared"] = known.fingerprint.into();
    json
}

fn text(file: &TrustFile, known: Known, lang: Lang) -> String {
    let mut text = String::new();
    let mut line = |en: &str, zh: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}{}{value}", lang.pick(en, zh), lang.pick(": ", "："));
    };
    let fingerprint = file.fingerprint();
    line("network", "网络", &file.network.to_string());
    line("fingerprint", "指纹", &hex::encode(fingerprint));
    line("in words", "词语形式", &words::of(&fingerprint));
    if known.fingerprint {
        line("compared", "比对", lang.pick("equal to the one you gave", "与所给指纹一致"));
    }
    line("issued", "签发", &clock::show(file.issued_at));
    let until =
        view::believed_until(file).map_or_else(|| lang.pick("for ever", "永久").to_owned(), clock::show);
    line("present key believed until", "现行密钥信任至", &until);
    for entry in file.eras() {
        line("era", "时代", &era(entry, lang));
        for member in entry.committee.members() {
            let member =
                format!("{}, {} ({})", plain(&member.name), plain(&member.role), hex::encode(member.key));
            line("  member", "  成员", &member);
        }
    }
    for sunset in &file.sunsets {
        let what = format!("{}, {}", plain(&sunset.algorithm), clock::show(sunset.at));
        line("algorithm ends", "算法停用", &what);
    }
    for institution in file.institutions.list() {
        let what = format!("{} ({})", plain(&institution.name), hex::encode(institution.key));
        line("institution", "机构", &what);
    }
    line("signed", "机构签名", &signatures(file, lang));
    if known.signers {
        let told = lang.pick("yes, by enough institutions of the older file", "是，旧文件所列机构的签名足够");
        line("signed by those you knew", "由您所知的机构签署", told);
    }
    text
}

fn era(entry: &EraEntry, lang: Lang) -> String {
    let made = match entry.committee.origin {
        KeyOrigin::Distributed { transcript } => {
            format!(
                "{} {transcript}",
                lang.pick(
                    "key made by the members together, DKG transcript",
                    "密钥由成员共同生成，DKG 记录摘要"
                )
            )
        }
        KeyOrigin::InsecureDealer => lang
            .pick("WARNING: key made by one dealer, for trials only", "警告：密钥由单一分发者生成，仅供试验")
            .to_owned(),
    };
    let key = hex::encode(entry.committee.group_key.as_bytes());
    let stands = match &entry.pin {
        Some(pin) => format!("{} {}", lang.pick("retired at outbox size", "停用时发件树大小"), pin.size),
        None => lang.pick("present", "现行").to_owned(),
    };
    format!("{}, {stands}, {} {key}; {made}", entry.era, lang.pick("group key", "群密钥"))
}
