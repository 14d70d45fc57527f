//! Where a pack comes from: a file, or this program.

use crate::failure::{Failure, Rule};
use crate::files;
use crate::output::Report;
use serde_json::json;
use std::path::Path;
use zeugma_evidence_rules::shipped::{self, FILES};
use zeugma_evidence_rules::{Broken, Pack};
use zeugma_types::{Code, Refusal};

use super::LONGEST;

/// The pack of that file, or the shipped one of that name.
pub(in crate::command) fn read(name: &str) -> Result<Pack, Failure> {
    let shipped = FILES.iter().find(|(shipped, ..)| *shipped == name);
    let text = match shipped {
        Some((_, pack, _)) => (*pack).to_owned(),
        None => text(Path::new(name))?,
    };
    Pack::from_toml(&text).map_err(|why| broken(name, &why))
}

/// The cases of that file, or those of the shipped pack of that name.
pub(super) fn cases(name: &str, file: Option<&Path>) -> Result<String, Failure> {
    match (file, FILES.iter().find(|(shipped, ..)| *shipped == name)) {
        (Some(file), _) => text(file),
        (None, Some((.., cases))) => Ok((*cases).to_owned()),
        (None, None) => Err(Failure::usage("a pack from a file needs its cases", "name them: --cases FILE")),
    }
}

/// A text file within the bound.
pub(super) fn text(path: &Path) -> Result<String, Failure> {
    let bytes = files::read(path, LONGEST)?;
    if bytes.len() > LONGEST {
        let refusal = Refusal::new(Code::TooLong).needed(LONGEST).found(bytes.len());
        return Err(Failure::refused(path.display(), refusal));
    }
    String::from_utf8(bytes).map_err(|_| Failure::refused(path.display(), Refusal::new(Code::BadText)))
}

/// Why a pack cannot be used.
pub(super) fn broken(name: &str, why: &Broken) -> Failure {
    Failure::own(Rule::BadRulePack, name, why, "zeugma rules explain spc-online-litigation shows a whole one")
}

/// The packs that come with the program.
pub(super) fn list() -> Report {
    let packs = shipped::packs();
    let line = |pack: &Pack| {
        format!(
            "{} {}  {}\n    {}\n    {}\n",
            pack.name,
            pack.version,
            hex::encode(pack.digest()),
            pack.title.en,
            pack.title.zh
        )
    };
    let json: Vec<_> = packs
        .iter()
        .map(|pack| json!({ "name": pack.name, "version": pack.version, "digest": hex::encode(pack.digest()) }))
        .collect();
    Report { text: packs.iter().map(line).collect(), json: json.into() }
}
