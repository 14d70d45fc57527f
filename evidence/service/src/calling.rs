//! How others are called over https: whose word counts for their name, and what is shown to them.

use crate::files;
use std::io;
use std::path::Path;
use zeugma_evidence_anchors::Https;
use zeugma_evidence_anchors::https::{Believed, Identity};
use zeugma_types::{Code, Refusal};

/// Longest file of X.509 certificates or a key, in bytes.
const LONGEST: u64 = zeugma_evidence_anchors::authority::MAX_FILE as u64;

fn read(path: &Path) -> Result<Vec<u8>, Refusal> {
    let failed = |error: io::Error| {
        Refusal::new(Code::StoreFailed).needed(path.display().to_string()).found(error.to_string())
    };
    files::read(path, LONGEST).map_err(failed)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
}

/// Believes those of a file for the other side's name, or those that the system believes; shows the X.509 certificate and
/// holds the key of two files to whoever asks for one.
///
/// # Errors
/// [`Code::StoreFailed`] with the file; [`Code::BadX509`].
pub(crate) fn https(ca: Option<&Path>, shown: Option<(&Path, &Path)>) -> Result<Https, Refusal> {
    let shown = shown.map(|(certificate, key)| Ok((read(certificate)?, read(key)?))).transpose()?;
    let identity = shown.as_ref().map(|(certificate, key)| Identity { certificate, key });
    match ca {
        None => Https::new(Believed::System, identity),
        Some(ca) => Https::new(Believed::Pem(&read(ca)?), identity),
    }
}
