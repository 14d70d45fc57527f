//! The `ics23` suite: existence and absence proofs of three trees, and the checks they are made of.
//!
//! A proof file belongs to the tree its folder is named after, `iavl`, `tendermint` or `smt`; without a
//! value it proves an absence. The files `Test*.json` try single checks with leaves, nodes and specs of
//! their own; the spec is an argument of the product's functions, and of no proof.

use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use std::fmt;
use zeugma_adapter_cometbft::ics23::{
    CommitmentProof, Existence, Hash, InnerOp, InnerSpec, LeafOp, LeafSpec, Length, Order, Spec,
    calculate_root, hash_inner, hash_leaf, verify_absence, verify_existence,
};
use zeugma_types::Refusal;

/// Proofs in the layout of cosmos/ics23's `testdata`.
pub(crate) struct Ics23;

/// Hashes that none of the product's trees has; it does not compute them.
const NOT_COMPUTED: &str = "a hash that no tree of this product has";

impl Suite for Ics23 {
    fn name(&self) -> &'static str {
        "ics23"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        let cases = match serde_json::from_slice::<Value>(&file.bytes).context("not JSON") {
            Ok(json) => read(file, &json),
            Err(why) => Err(why),
        };
        match cases {
            Ok(cases) => cases.into_iter().try_for_each(|case| case.report(&file.name, report)),
            Err(why) => report.unknown(&file.name, &format!("{why:#}")),
        }
    }
}

/// What a check gives.
#[derive(PartialEq)]
enum Found {
    Holds,
    Bytes(Vec<u8>),
    Sides { left: bool, right: bool },
    Refused(String),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("proven"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Sides { left, right } => write!(f, "left empty: {left}, right empty: {right}"),
            Self::Refused(why) => write!(f, "refused{why}"),
        }
    }
}

impl Found {
    fn of<T>(result: Result<T, Refusal>, value: impl FnOnce(T) -> Self) -> Self {
        result.map_or_else(|refusal| Self::Refused(format!(": {refusal}")), value)
    }
}

struct Case {
    name: String,
    expected: Found,
    /// `None` for a case that tests the inside of another library.
    got: Option<Found>,
}

impl Case {
    fn report(self, file: &str, report: &mut Report<'_>) -> Result<()> {
        let name = if self.name.is_empty() { file.to_owned() } else { format!("{file}: {}", self.name) };
        let Some(got) = self.got else { return report.exempt(&name, NOT_COMPUTED) };
        // A refusal is one whatever its words.
        let refused = |found: &Found| matches!(found, Found::Refused(_));
        let holds = if refused(&self.expected) { refused(&got) } else { got == self.expected };
        report.verdict(&name, holds, &self.expected, &got)
    }
}

fn read(file: &File, json: &Value) -> Result<Vec<Case>> {
    let stem = file.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match stem.as_str() {
        "TestCheckLeafData" => named(json, check_leaf),
        "TestCheckAgainstSpecData" => named(json, check_against_spec),
        "TestDoHashData" => named(json, do_hash),
        "TestEmptyBranchData" => {
            let list = json.as_array().context("a list")?.iter().enumerate();
            list.map(|(index, case)| empty_branch(&format!("#{index}"), case)).collect()
        }
        "TestExistenceProofData" => named(json, existence_root),
        "TestInnerOpData" => named(json, inner_hash),
        "TestLeafOpData" => named(json, leaf_hash),
        _ => proofs(&tree(file)?, json),
    }
}

fn named(json: &Value, case: fn(&str, &Value) -> Result<Case>) -> Result<Vec<Case>> {
    let cases = json.as_object().context("an object of cases")?;
    cases.iter().map(|(name, value)| case(name, value).with_context(|| name.clone())).collect()
}

/// The spec of the folder's tree.
fn tree(file: &File) -> Result<Spec> {
    let folder = file.path.parent().and_then(|folder| folder.file_name()).map(|name| name.to_string_lossy());
    match folder.as_deref() {
        Some("iavl") => Ok(Spec::IAVL),
        Some("tendermint") => Ok(Spec::TENDERMINT),
        Some("smt") => Ok(Spec::SMT),
        _ => bail!("neither a known test nor in a folder named iavl, tendermint or smt"),
    }
}

/// A file with one proof, or a batch with several.
fn proofs(spec: &Spec, json: &Value) -> Result<Vec<Case>> {
    let (root, proof) = (hexadecimal(&json["root"])?, hexadecimal(&json["proof"])?);
    ensure!(!proof.is_empty(), "no proof");
    match json["items"].as_array() {
        None => Ok(vec![proof_case(spec, String::new(), &root, &proof, json)?]),
        Some(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| proof_case(spec, format!("item {index}"), &root, &proof, item))
            .collect(),
    }
}

fn proof_case(spec: &Spec, name: String, root: &[u8], proof: &[u8], item: &Value) -> Result<Case> {
    let (key, value) = (hexadecimal(&item["key"])?, hexadecimal(&item["value"])?);
    let holds = |entry: &CommitmentProof| match (entry, value.is_empty()) {
        (CommitmentProof::Existence(existence), false) => {
            verify_existence(spec, root, &key, &value, existence)
        }
        (CommitmentProof::Absence(absence), true) => verify_absence(spec, root, &key, absence),
        _ => Err(Refusal::new(zeugma_types::Code::ProofShape).found("the other kind of proof")),
    };
    let got = CommitmentProof::decode_batch(proof).and_then(|entries| {
        let mut last = Err(Refusal::new(zeugma_types::Code::Empty));
        for entry in &entries {
            last = holds(entry);
            if last.is_ok() {
                break;
            }
        }
        last
    });
    Ok(Case { name, expected: Found::Holds, got: Some(Found::of(got, |()| Found::Holds)) })
}

fn check_leaf(name: &str, case: &Value) -> Result<Case> {
    let got = leaf_spec(&case["Spec"])?.admits(&leaf_op(&case["Leaf"])?);
    Ok(Case { name: name.into(), expected: expected(case)?, got: Some(Found::of(got, |()| Found::Holds)) })
}

fn check_against_spec(name: &str, case: &Value) -> Result<Case> {
    let got = spec(&case["Spec"])?.admits(&existence(&case["Proof"])?);
    Ok(Case { name: name.into(), expected: expected(case)?, got: Some(Found::of(got, |()| Found::Holds)) })
}

fn do_hash(name: &str, case: &Value) -> Result<Case> {
    let preimage = either(case, "Preimage", "PreImage").as_str().context("no preimage")?;
    let hash = Hash(number(&case["HashOp"])?);
    let got = [Hash::NONE, Hash::SHA256]
        .contains(&hash)
        .then(|| Found::of(hash.of(preimage.as_bytes()), Found::Bytes));
    Ok(Case { name: name.into(), expected: Found::Bytes(hexadecimal(&case["ExpectedHash"])?), got })
}

fn empty_branch(name: &str, case: &Value) -> Result<Case> {
    let (spec, op) = (inner_spec(&case["Spec"]["inner_spec"])?, inner_op(&case["Op"])?);
    let flag = |field| case[field].as_bool().with_context(|| format!("no {field}"));
    let expected = Found::Sides { left: flag("IsLeft")?, right: flag("IsRight")? };
    let got = Found::Sides { left: spec.left_is_empty(&op), right: spec.right_is_empty(&op) };
    Ok(Case { name: name.into(), expected, got: Some(got) })
}

fn existence_root(name: &str, case: &Value) -> Result<Case> {
    let got = calculate_root(&existence(&case["Proof"])?);
    Ok(Case { name: name.into(), expected: expected(case)?, got: Some(Found::of(got, Found::Bytes)) })
}

fn inner_hash(name: &str, case: &Value) -> Result<Case> {
    let got = hash_inner(&inner_op(&case["Op"])?, &bytes(&case["Child"])?);
    Ok(Case { name: name.into(), expected: expected(case)?, got: Some(Found::of(got, Found::Bytes)) })
}

fn leaf_hash(name: &str, case: &Value) -> Result<Case> {
    let op = leaf_op(&case["Op"])?;
    let computed = [Hash::NONE, Hash::SHA256].contains(&op.hash);
    let got = hash_leaf(&op, &bytes(&case["Key"])?, &bytes(&case["Value"])?);
    let got = computed.then(|| Found::of(got, Found::Bytes));
    Ok(Case { name: name.into(), expected: expected(case)?, got })
}

/// What a case expects: an error, the bytes it names, or that the check holds.
fn expected(case: &Value) -> Result<Found> {
    let error = match (&case["IsErr"], &case["Err"]) {
        (Value::Bool(error), _) => *error,
        (_, Value::String(error)) => !error.is_empty(),
        _ => bail!("neither IsErr nor Err"),
    };
    match &case["Expected"] {
        _ if error => Ok(Found::Refused(String::new())),
        Value::String(_) => Ok(Found::Bytes(bytes(&case["Expected"])?)),
        _ => Ok(Found::Holds),
    }
}

fn existence(value: &Value) -> Result<Existence> {
    let leaf = &value["leaf"];
    Ok(Existence {
        key: bytes(&value["key"])?,
        value: bytes(&value["value"])?,
        leaf: if leaf.is_null() { None } else { Some(leaf_op(leaf)?) },
        path: value["path"].as_array().into_iter().flatten().map(inner_op).collect::<Result<_>>()?,
    })
}

fn leaf_op(value: &Value) -> Result<LeafOp> {
    fields(value, &["hash", "prehash_key", "prehash_value", "length", "prefix"])?;
    Ok(LeafOp {
        hash: Hash(number(&value["hash"])?),
        prehash_key: Hash(number(&value["prehash_key"])?),
        prehash_value: Hash(number(&value["prehash_value"])?),
        length: Length(number(&value["length"])?),
        prefix: bytes(&value["prefix"])?,
    })
}

fn inner_op(value: &Value) -> Result<InnerOp> {
    fields(value, &["hash", "prefix", "suffix"])?;
    let (prefix, suffix) = (bytes(&value["prefix"])?, bytes(&value["suffix"])?);
    Ok(InnerOp { hash: Hash(number(&value["hash"])?), prefix, suffix })
}

fn leaf_spec(value: &Value) -> Result<LeafSpec> {
    let LeafOp { hash, prehash_key, prehash_value, length, prefix } = leaf_op(value)?;
    Ok(LeafSpec { hash, prehash_key, prehash_value, length, prefix: prefix.into() })
}

fn inner_spec(value: &Value) -> Result<InnerSpec> {
    let known =
        ["child_order", "child_size", "min_prefix_length", "max_prefix_length", "empty_child", "hash"];
    fields(value, &known)?;
    let order = value["child_order"].as_array().context("no child_order")?;
    ensure!(*order == [Value::from(0), Value::from(1)], "a tree that is not binary");
    let size = |field| -> Result<usize> { Ok(usize::try_from(number(&value[field])?)?) };
    Ok(InnerSpec {
        child_size: size("child_size")?,
        min_prefix: size("min_prefix_length")?,
        max_prefix: size("max_prefix_length")?,
        empty_child: bytes(&value["empty_child"])?.into(),
        hash: Hash(number(&value["hash"])?),
    })
}

fn spec(value: &Value) -> Result<Spec> {
    fields(value, &["leaf_spec", "inner_spec", "min_depth", "max_depth", "prehash_key_before_comparison"])?;
    let hashed = value["prehash_key_before_comparison"].as_bool().unwrap_or(false);
    Ok(Spec {
        leaf: leaf_spec(&value["leaf_spec"])?,
        inner: inner_spec(&value["inner_spec"])?,
        min_depth: usize::try_from(number(&value["min_depth"])?)?,
        max_depth: usize::try_from(number(&value["max_depth"])?)?,
        order: if hashed { Order::HashedKey } else { Order::Key },
    })
}

/// Refuses fields that would be passed over.
fn fields(value: &Value, known: &[&str]) -> Result<()> {
    let empty = Map::new();
    let unknown = value.as_object().unwrap_or(&empty).keys().find(|name| !known.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| Err(anyhow!("an unknown field {name}")))
}

fn either<'a>(value: &'a Value, one: &str, other: &str) -> &'a Value {
    if value[one].is_null() { &value[other] } else { &value[one] }
}

/// A number; 0 where it is left out.
fn number(value: &Value) -> Result<u32> {
    match value {
        Value::Null => Ok(0),
        value => Ok(u32::try_from(value.as_u64().with_context(|| format!("a number: {value}"))?)?),
    }
}

/// Bytes in base64; none where they are left out.
fn bytes(value: &Value) -> Result<Vec<u8>> {
    STANDARD.decode(value.as_str().unwrap_or_default()).with_context(|| format!("base64: {value}"))
}

fn hexadecimal(value: &Value) -> Result<Vec<u8>> {
    let text = value.as_str().with_context(|| format!("hexadecimal: {value}"))?;
    hex::decode(text).map_err(|error| anyhow!("hexadecimal: {text}: {error}"))
}
