//! The `cose` suite: COSE receipts of RFC 9942, each with its diagnostic notation.
//!
//! A case is one receipt `*.cbor`; what it holds is in the `*.diag` beside it: the header, the sizes, the
//! ends of each hash and of the signature, and all bytes in hexadecimal. The suite publishes neither the
//! keys nor the entries, and its receipts of one key identifier were made under different keys, so no
//! signature can be judged: only that some key can have made it, which is said. The trees are judged: from a
//! receipt of consistency follow both roots, and a receipt of inclusion of the same issuer and size must
//! lead from one of the hashes that the other names to the same root.

use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use zeugma_crypto::ecdsa::{SPolicy, p256};
use zeugma_crypto::hash::sha256;
use zeugma_evidence_verify::cose::{Algorithm, Proof, Receipt};
use zeugma_proof::tree::Hash;

/// Receipts in the layout of cose-wg/draft-ietf-cose-merkle-tree-proofs' `examples`.
pub(crate) struct Cose;

impl Suite for Cose {
    fn name(&self) -> &'static str {
        "cose"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        match file.path.extension().and_then(|extension| extension.to_str()) {
            Some("cbor") => {
                let got = match judge(file) {
                    Ok(note) => {
                        if let Some(note) = note {
                            report.policy(&note)?;
                        }
                        "as its notation says".to_owned()
                    }
                    Err(why) => format!("{why:#}"),
                };
                report.case(&file.name, &"as its notation says".to_owned(), &got)
            }
            Some("diag") if file.path.with_extension("cbor").is_file() => Ok(()),
            Some("diag") => report.unknown(&file.name, &"a notation without its receipt"),
            _ => report.unknown(&file.name, &"neither a receipt nor its notation"),
        }
    }
}

fn judge(file: &File) -> Result<Option<String>> {
    let receipt = Receipt::parse(&file.bytes)?;
    let notation = fs::read_to_string(file.path.with_extension("diag")).context("no notation beside it")?;
    compare(&receipt, &file.bytes, &Notation(&notation))?;
    let siblings = siblings(&file.path)?;
    let mine = (receipt.key_id().map(<[u8]>::to_vec), receipt.issuer().map(str::to_owned));
    let of_mine: Vec<_> = siblings
        .into_iter()
        .filter(|one| *one != receipt)
        .filter(|one| (one.key_id(), one.issuer()) == (mine.0.as_deref(), mine.1.as_deref()))
        .collect();
    ensure!(some_key(&receipt, &of_mine)?, "no key can have made its signature");
    if let Proof::Inclusion { size, .. } = receipt.proof() {
        let trees =
            of_mine.iter().filter(|one| matches!(one.proof(), Proof::Consistency { new, .. } if new == size));
        let known = trees.filter(|one| new_root(one).is_some()).count();
        ensure!(
            known == 0 || !roots(&receipt, &of_mine).is_empty(),
            "it leads to another root than the others"
        );
    }
    Ok(Some("no key and no entry is published: signatures are not judged, trees are".into()))
}

fn siblings(path: &Path) -> Result<Vec<Receipt>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path.parent().unwrap_or(Path::new(".")))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "cbor")
            && let Ok(receipt) = Receipt::parse(&fs::read(path)?)
        {
            found.push(receipt);
        }
    }
    Ok(found)
}

/// The roots that a receipt can be over: of consistency, the one that follows from its path; of inclusion,
/// those of its tree in which a hash that another receipt names stands at its place.
fn roots(receipt: &Receipt, others: &[Receipt]) -> Vec<Hash> {
    match receipt.proof() {
        Proof::Consistency { .. } => new_root(receipt).into_iter().collect(),
        Proof::Inclusion { size, .. } => {
            let trees = others.iter().filter_map(|other| match other.proof() {
                Proof::Consistency { new, path, .. } if new == size => Some((new_root(other)?, path)),
                _ => None,
            });
            let mut found = Vec::new();
            for (root, path) in trees {
                if path.iter().any(|leaf| receipt.root_including(leaf) == Ok(root)) {
                    found.push(root);
                }
            }
            found
        }
    }
}

/// The newer root. Where the older tree is not perfect both roots follow from the path, and the refusal of
/// a wrong older root names the right one; a perfect older tree's root is not carried.
fn new_root(receipt: &Receipt) -> Option<Hash> {
    let guess = [0; 32];
    match receipt.root_extending(&guess) {
        Ok(_) => None,
        Err(refusal) => match refusal.found {
            zeugma_types::Side::Bytes(old) => receipt.root_extending(&old).ok(),
            _ => None,
        },
    }
}

/// Whether any key of P-256 can have made the signature over one of the receipt's roots. Half of all altered
/// signatures belong to no key.
fn some_key(receipt: &Receipt, others: &[Receipt]) -> Result<bool> {
    if receipt.algorithm() != Algorithm::Es256 {
        return Ok(true);
    }
    let signature: [u8; 64] = receipt.signature().try_into().context("a signature of another length")?;
    let mut recoverable = [0; 65];
    recoverable[..64].copy_from_slice(&signature);
    let root = roots(receipt, others).first().copied().unwrap_or_default();
    let digest = sha256(&[&receipt.to_be_signed(&root)]);
    Ok([0, 1].into_iter().any(|v| {
        recoverable[64] = v;
        p256::recover(SPolicy::Any, &digest, &recoverable).is_ok()
    }))
}

/// What a notation says.
struct Notation<'a>(&'a str);

impl<'a> Notation<'a> {
    /// What follows `name /`, up to the end of the item.
    fn after(&self, name: &str) -> Option<&'a str> {
        let mark = format!("/ {name} ");
        let mut found = self.0.split(mark.as_str()).skip(1);
        // Names are padded with spaces to stand below each other.
        let rest = found.find_map(|rest| rest.trim_start_matches(' ').strip_prefix('/'))?;
        Some(rest.trim_start())
    }

    fn number(&self, name: &str) -> Option<i64> {
        let rest = self.after(name)?;
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '-').unwrap_or(rest.len());
        rest[..end].parse().ok()
    }

    /// The value of a labelled parameter: `/ name / label: value`.
    fn labelled(&self, name: &str) -> Option<&'a str> {
        Some(self.after(name)?.split_once(": ")?.1)
    }

    /// Hexadecimal strings in `h'...'` of a text, whole or as their ends.
    fn hex_in(text: &str) -> Vec<(String, String)> {
        let quoted = text.split("h'").skip(1).filter_map(|part| part.split_once('\''));
        quoted
            .map(|(inside, _)| match inside.split_once("...") {
                Some((start, end)) => (start.to_owned(), end.to_owned()),
                None => (inside.to_owned(), inside.to_owned()),
            })
            .collect()
    }

    fn dump(&self) -> Option<Vec<u8>> {
        let (_, rest) = self.0.split_once("## Hex")?;
        let body = rest.split("```").nth(1)?;
        hex::decode(body.split_whitespace().collect::<String>()).ok()
    }
}

fn check_hex(what: &str, found: &[u8], (start, end): &(String, String)) -> Result<()> {
    let text = hex::encode(found);
    ensure!(text.starts_with(start) && text.ends_with(end), "{what} is {text}, not {start}...{end}");
    Ok(())
}

fn compare(receipt: &Receipt, bytes: &[u8], notation: &Notation<'_>) -> Result<()> {
    if let Some((_, rest)) = notation.0.split_once("**Size:** ") {
        let size = rest.split_whitespace().next().unwrap_or_default();
        ensure!(size == bytes.len().to_string(), "has {} bytes, not {size}", bytes.len());
    }
    if let Some(dump) = notation.dump() {
        ensure!(dump == bytes, "its bytes are not those of the notation");
    }
    let number = |name: &str| notation.number(name).with_context(|| format!("the notation has no {name}"));
    let algorithm = notation.labelled("alg").context("the notation has no alg")?;
    let found = receipt.algorithm().number().to_string();
    ensure!(algorithm.starts_with(&format!("{found},")), "its algorithm is {found}");
    if let Some(kid) = notation.after("kid").and_then(|rest| Notation::hex_in(rest).into_iter().next()) {
        check_hex("its key identifier", receipt.key_id().unwrap_or_default(), &kid)?;
    }
    if let Some(issuer) = notation.labelled("iss").and_then(|rest| rest.split('"').nth(1)) {
        ensure!(receipt.issuer() == Some(issuer), "its issuer is {:?}", receipt.issuer());
    }
    let (path, listed) = match receipt.proof() {
        Proof::Inclusion { size, index, path } => {
            let (needed, place) = (number("size")?, number("leaf")?);
            ensure!(i64::try_from(size.get()) == Ok(needed), "its size is {size}, not {needed}");
            ensure!(i64::try_from(index.get()) == Ok(place), "its leaf is {index}, not {place}");
            (path, notation.after("inclusion path"))
        }
        Proof::Consistency { old, new, path } => {
            let (before, after) = (number("old_size")?, number("new_size")?);
            ensure!(i64::try_from(old.get()) == Ok(before), "its older size is {old}, not {before}");
            ensure!(i64::try_from(new.get()) == Ok(after), "its newer size is {new}, not {after}");
            (path, notation.after("consistency path"))
        }
    };
    let listed = listed.and_then(|rest| rest.split(']').next()).context("the notation has no path")?;
    let listed = Notation::hex_in(listed);
    ensure!(listed.len() == path.len(), "its path has {} hashes, not {}", path.len(), listed.len());
    for (hash, ends) in path.iter().zip(&listed) {
        check_hex("a hash of its path", hash, ends)?;
    }
    let signature = notation.after("signature").context("the notation has no signature")?;
    let ends = Notation::hex_in(signature).into_iter().next().context("the notation has no signature")?;
    check_hex("its signature", receipt.signature(), &ends)
}
