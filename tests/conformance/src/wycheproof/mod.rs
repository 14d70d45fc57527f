//! Project Wycheproof: signatures, in the layout of its `testvectors_v1`.
//!
//! | group type | through | rule |
//! |---|---|---|
//! | `EddsaVerify`, edwards25519 | `ed25519::PublicKey::verify` | `Strict` |
//! | `EcdsaVerify`, secp256k1 and P-256 with SHA-256 | `ecdsa::from_der`, `verify` | any `s` |
//! | `EcdsaBitcoinVerify` | the same | low `s` only |
//! | `EcdsaP1363Verify` | `verify` on `r ‖ s` | any `s` |
//! | `MlDsaVerify`, ML-DSA-44 | `mldsa44::PublicKey::verify` | the case's context |
//! | `BlsSigVerify` | `bls::min_pk`, `bls::min_sig` | the group's ciphersuite |
//!
//! A case's result is `valid` or `invalid`. The product has no lenient mode, so where the suite says
//! `acceptable` (a legacy form that some accept), the case passes when the form is refused.

mod verifier;

use crate::files::File;
use crate::report::Report;
use crate::suite::Suite;
use anyhow::Result;
use serde_json::Value;
use std::fmt;
use verifier::Verifier;

/// The suite.
pub(crate) struct Wycheproof;

const ACCEPTABLE: &str =
    "a case with result \"acceptable\" passes when it is refused: there is no lenient mode";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Valid,
    Invalid,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        })
    }
}

impl Suite for Wycheproof {
    fn name(&self) -> &'static str {
        "wycheproof"
    }

    fn run(&self, file: &File, report: &mut Report<'_>) -> Result<()> {
        let suite: Value = match serde_json::from_slice(&file.bytes) {
            Ok(suite) => suite,
            Err(error) => return report.unknown(&file.name, &format_args!("no JSON ({error})")),
        };
        let Some(groups) = suite.get("testGroups").and_then(Value::as_array) else {
            return report.unknown(&file.name, &"a file without testGroups");
        };
        let algorithm = text(&suite, "algorithm").unwrap_or_default();
        for (number, group) in groups.iter().enumerate() {
            let name = format!("{}:group{}", file.name, number + 1);
            match (Verifier::of(algorithm, group), group.get("tests").and_then(Value::as_array)) {
                (Ok(verifier), Some(tests)) => {
                    for test in tests {
                        case(&file.name, &verifier, test, report)?;
                    }
                }
                (Err(why), _) => report.unknown(&name, &why)?,
                (_, None) => report.unknown(&name, &"a group without tests")?,
            }
        }
        Ok(())
    }
}

fn case(file: &str, verifier: &Verifier, test: &Value, report: &mut Report<'_>) -> Result<()> {
    let number = test.get("tcId").and_then(Value::as_u64).map_or_else(|| "?".to_owned(), |id| id.to_string());
    let comment = text(test, "comment").unwrap_or_default();
    let name = format!("{file}:{number} {comment}");
    let name = name.trim_end();
    let expected = match text(test, "result") {
        Some("valid") => Verdict::Valid,
        Some("invalid") => Verdict::Invalid,
        Some("acceptable") => {
            report.policy(ACCEPTABLE)?;
            Verdict::Invalid
        }
        other => return report.unknown(name, &format_args!("result {other:?}")),
    };
    match verifier.decide(test) {
        Ok(Ok(())) => report.case(name, &expected, &Verdict::Valid),
        Ok(Err(refusal)) => {
            let got = format_args!("{} ({refusal})", Verdict::Invalid).to_string();
            report.verdict(name, expected == Verdict::Invalid, &expected, &got)
        }
        Err(why) => report.unknown(name, &why),
    }
}

fn text<'a>(object: &'a Value, field: &str) -> Option<&'a str> {
    object.get(field).and_then(Value::as_str)
}
