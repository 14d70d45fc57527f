//! `zeugma rules`: read, try and replay the rule packs under which evidence is judged.
//!
//! Nothing is evaluated in this process: a pack may come from anywhere. It runs in a child under a ceiling on
//! memory and a deadline, which is this program again as `rules worker`.

mod bundle;
pub(in crate::command) mod pack;

use crate::failure::{Failure, Rule};
use crate::files;
use crate::output::{Lang, Output, Report, plain};
use clap::Subcommand;
use serde_json::json;
use std::path::{Path, PathBuf};
use zeugma_evidence_rules::replay::{Replay, replay};
use zeugma_evidence_rules::{Cases, Facts, Language, Pack, Sandbox, Verdict, explain, lint, render, worker};
use zeugma_evidence_verify::bundle::MAX_BUNDLE;
use zeugma_types::Decode as _;

/// Longest file of facts, cases or a verdict that is read.
const LONGEST: usize = 1024 * 1024;

/// Rule packs under the heads of authenticity, legality and relevance
#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// List the packs that come with this program, with their digests
    List,
    /// Say what a careful reader would object to before a pack is registered
    Lint {
        /// The pack: a file of TOML, or the name of a shipped pack
        pack: String,
    },
    /// Run a pack's cases, and name each reason that no case reaches
    Test {
        /// The pack: a file of TOML, or the name of a shipped pack
        pack: String,
        /// The file of cases; of a shipped pack, its own
        #[arg(long, value_name = "FILE")]
        cases: Option<PathBuf>,
    },
    /// Tell a pack in words: articles, questions, what each rule reads and may answer
    Explain {
        /// The pack: a file of TOML, or the name of a shipped pack
        pack: String,
    },
    /// Give the verdict of a pack on facts
    Judge {
        /// The pack: a file of TOML, or the name of a shipped pack
        pack: String,
        /// The facts, in JSON
        facts: PathBuf,
        /// Where to write the verdict's bytes; a file that exists is not written over
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Give a recorded verdict again, and compare it byte for byte
    Replay {
        /// The verdict, as `judge --out` wrote it; or a bundle, which holds verdict and facts
        verdict: PathBuf,
        /// The pack: a file of TOML, or the name of a shipped pack
        #[arg(long)]
        pack: String,
        /// The facts, in JSON; those of a bundle are made from the bundle
        #[arg(long, value_name = "FILE")]
        facts: Option<PathBuf>,
    },
    /// Evaluate for another process
    #[command(hide = true)]
    Worker {
        /// The ceiling on memory
        mebibytes: u64,
    },
}

impl Rules {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let report = match self {
            Self::List => pack::list(),
            Self::Lint { pack } => linted(&pack::read(&pack)?)?,
            Self::Test { pack, cases } => tested(&pack, cases.as_deref())?,
            Self::Explain { pack } => explained(&pack::read(&pack)?, output.lang()),
            Self::Judge { pack, facts, out } => {
                judged(&pack::read(&pack)?, &read_facts(&facts)?, out.as_deref(), output.lang())?
            }
            Self::Replay { verdict, pack, facts } => {
                replayed(&verdict, &pack::read(&pack)?, facts.as_deref())?
            }
            Self::Worker { mebibytes } => {
                return worker::serve(mebibytes).map_err(|why| {
                    Failure::own(Rule::NoVerdict, "rules worker", why, "start it by `zeugma rules judge`")
                });
            }
        };
        output.report(&report);
        Ok(())
    }
}

fn linted(pack: &Pack) -> Result<Report, Failure> {
    let remarks = lint(pack);
    if remarks.is_empty() {
        let digest = hex::encode(pack.digest());
        return Ok(Report {
            text: format!("{} {}: no remarks\ndigest: {digest}\n", pack.name, pack.version),
            json: json!({ "pack": pack.name, "digest": digest, "remarks": [] }),
        });
    }
    let told: Vec<_> = remarks.iter().map(|remark| format!("{}: {}", remark.at, remark.what)).collect();
    Err(Failure::own(Rule::PackRemarks, &pack.name, told.join("\n"), "change the pack, then lint it again"))
}

fn tested(name: &str, cases: Option<&Path>) -> Result<Report, Failure> {
    let pack = pack::read(name)?;
    let text = pack::cases(name, cases)?;
    let broken = |why| {
        Failure::own(
            Rule::BadRulePack,
            name,
            why,
            "run `zeugma rules lint` for what is wrong, or mend the cases",
        )
    };
    let cases = Cases::from_toml(&text).map_err(broken)?;
    let results = cases.run(&pack).map_err(broken)?;
    let differ: Vec<String> = results
        .iter()
        .flat_map(|result| {
            result.differ.iter().map(move |(rule, expected, found)| {
                format!("{}: rule {rule}: expected {expected}, found {found}", result.name)
            })
        })
        .collect();
    if !differ.is_empty() {
        let todo = "mend the rule, or the case if its claim is wrong";
        return Err(Failure::own(Rule::CasesDiffer, &pack.name, differ.join("\n"), todo));
    }
    let unreached = cases.unreached(&pack);
    let mut text = format!("{} cases of {} {} agree\n", results.len(), pack.name, pack.version);
    for (rule, reason) in &unreached {
        text.push_str(&format!("no case reaches the reason {reason} of rule {rule}\n"));
    }
    let unreached: Vec<_> =
        unreached.iter().map(|(rule, reason)| json!({ "rule": rule, "reason": reason })).collect();
    Ok(Report {
        text,
        json: json!({ "pack": pack.name, "digest": hex::encode(pack.digest()), "cases": results.len(), "unreached": unreached }),
    })
}

fn explained(pack: &Pack, lang: Lang) -> Report {
    let rules: Vec<_> = pack
        .rules
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "head": rule.head.name(),
                "article": { "zh": rule.article.zh, "en": rule.article.en },
                "question": { "zh": rule.question.zh, "en": rule.question.en },
                "reasons": rule.reasons.iter().map(|reason| reason.id.as_str()).collect::<Vec<_>>(),
            })
        })
        .collect();
    Report {
        text: explain(pack, language(lang)),
        json: json!({
            "name": pack.name, "version": pack.version, "digest": hex::encode(pack.digest()), "rules": rules,
        }),
    }
}

fn judged(pack: &Pack, facts: &Facts, out: Option<&Path>, lang: Lang) -> Result<Report, Failure> {
    let verdict = sandbox()?.evaluate(pack, facts).map_err(|aborted| {
        Failure::own(Rule::NoVerdict, &pack.name, aborted, "lint the pack: zeugma rules lint PACK")
    })?;
    if let Some(out) = out {
        files::write_new(out, &verdict.bytes(), files::Readers::Anyone)?;
    }
    Ok(Report { text: render(&verdict, pack, language(lang)), json: verdict.to_json() })
}

fn replayed(file: &Path, pack: &Pack, facts: Option<&Path>) -> Result<Report, Failure> {
    let bytes = files::read(file, MAX_BUNDLE)?;
    if bundle::is_one(&bytes) {
        return match facts {
            None => bundle::replayed(file, &bytes, pack),
            Some(_) => Err(Failure::usage("a bundle gives its own facts", "leave --facts out")),
        };
    }
    let facts = facts.ok_or_else(|| Failure::usage("there are no facts", "name them: --facts FILE"))?;
    let recorded =
        Verdict::from_bytes(&bytes).map_err(|refusal| Failure::refused(file.display(), refusal))?;
    // The pack is the one whose digest the record names, or nothing is run.
    let replay = replay(&recorded, pack, &read_facts(facts)?);
    told(file, &recorded, &replay.map_err(|broken| pack::broken(&pack.name, &broken))?)
}

fn differs(file: &Path, what: String, todo: &str) -> Failure {
    Failure::own(Rule::VerdictDiffers, file.display(), what, todo)
}

/// What a replay showed, or why the record cannot be relied on.
fn told(file: &Path, recorded: &Verdict, replay: &Replay) -> Result<Report, Failure> {
    let differs = |what: String, todo: &str| differs(file, what, todo);
    let text = match replay {
        Replay::Same => format!("the same {} bytes, by {}\n", recorded.bytes().len(), recorded.engine),
        Replay::OtherEngine { recorded: engine } => format!(
            "every finding is the same; it was recorded by {}, and given again by {}\n",
            plain(engine),
            zeugma_evidence_rules::ENGINE
        ),
        Replay::OtherPack { recorded, given } => {
            let what = format!("it is of the pack {}, not {}", hex::encode(recorded), hex::encode(given));
            return Err(differs(what, "give the pack of that digest"));
        }
        Replay::OtherFacts { recorded, given } => {
            let what = format!("it is on the facts {}, not {}", hex::encode(recorded), hex::encode(given));
            return Err(differs(what, "give the facts of that digest"));
        }
        Replay::Differs { rule } => {
            let what = format!("first at {}", plain(rule));
            return Err(differs(what, "ask who recorded it; the record cannot be relied on"));
        }
    };
    let same = *replay == Replay::Same;
    Ok(Report { text, json: json!({ "same_bytes": same, "same_findings": true, "engine": recorded.engine }) })
}

fn sandbox() -> Result<Sandbox, Failure> {
    let program = std::env::current_exe().map_err(|why| {
        Failure::unreachable(
            format!("this program's own file cannot be found: {why}"),
            "start it by its full path",
        )
    })?;
    Ok(Sandbox::new(program, &["rules", "worker"]))
}

fn read_facts(path: &Path) -> Result<Facts, Failure> {
    let text = pack::text(path)?;
    Facts::from_json(&text).map_err(|broken| {
        Failure::own(
            Rule::BadFacts,
            path.display(),
            broken,
            "compare `zeugma rules explain PACK`: what its rules read",
        )
    })
}

const fn language(lang: Lang) -> Language {
    match lang {
        Lang::En => Language::En,
        Lang::Zh => Language::Zh,
    }
}
