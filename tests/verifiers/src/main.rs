//! `zeugma-verifiers proofs|bundles COUNT SEED [--fault CODE] VERIFIER...`: gives the same mutated proofs or
//! bundles to every verifier and compares verdicts, codes and reports.
//!
//! A VERIFIER is a command line (split at spaces) that reads one JSON object a line and answers each with a
//! line: 0, or the code of the refusal, and for a bundle that has a report its bytes in hexadecimal after the 0.
//! Of a proof the object has `trust`, `time`, `reliance`, `path`, `value`, `proof`; of a bundle `trust`,
//! `policy`, `time`, `bundle` and the digests `sha256` and `sm3` of what is presented. The answer of the Rust
//! verifier is the reference; any difference is printed with its input, and the exit code is then 1. The same
//! seed makes the same inputs.
//!
//! `zeugma-verifiers reports ZEUGMA GO`: the commands of the Rust and the Go verifier write the same views of the
//! golden bundles as bytes, under three locales and zones.
//!
//! A command line that begins with `without=SUITE,SUITE` is of a verifier that does not have these seal suites: it
//! must answer `UnsupportedSuite` wherever the reference comes to judge such a seal.
//!
//! With `--fault CODE` the reference is wrong on purpose: it takes what is refused with that code for good. The
//! comparison must then find each such input and no other: a comparison that cannot fail shows nothing.

mod bundles;
mod mutate;
mod pick;
mod reports;

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, Command, Stdio};
use zeugma_types::{Code, SealSuite};

/// Inputs in flight: little enough for every pipe to hold the answers to proofs.
const BATCH: usize = 256;
/// An answer to a bundle is its report: a few of them fill a pipe.
const BUNDLE_BATCH: usize = 8;

/// One input, with the reference that answers it.
struct Question {
    mutation: &'static str,
    json: serde_json::Value,
    reference: Box<dyn Fn() -> String>,
    /// The suite of the seal that the reference comes to judge, if it does.
    judged_seal: Box<dyn Fn() -> Option<SealSuite>>,
}

const USAGE: &str = "usage: zeugma-verifiers proofs|bundles COUNT SEED [--fault CODE] VERIFIER...\n       \
                     zeugma-verifiers reports ZEUGMA GO";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).peekable();
    let kind = args.next().context(USAGE)?;
    if kind == "reports" {
        let (zeugma, go) = (args.next().context(USAGE)?, args.next().context(USAGE)?);
        println!("{} passed, 0 failed", reports::compare(&zeugma, &go)?);
        return Ok(());
    }
    let count: usize = args.next().context(USAGE)?.parse().context("COUNT is a number")?;
    let seed: u64 = args.next().context(USAGE)?.parse().context("SEED is a number")?;
    let fault = args.next_if(|one| one == "--fault").map(|_| args.next().context(USAGE)).transpose()?;
    let mut verifiers = args.map(|line| Verifier::start(&line)).collect::<Result<Vec<_>>>()?;
    ensure!(!verifiers.is_empty(), USAGE);
    let (mut questions, batch, least): (Box<dyn FnMut() -> Question>, _, _) = match kind.as_str() {
        "proofs" => {
            let mut mutator = mutate::Mutator::new(seed);
            (Box::new(move || mutator.question()), BATCH, 15)
        }
        "bundles" => {
            let mut mutator = bundles::Mutator::new(seed)?;
            (Box::new(move || mutator.question()), BUNDLE_BATCH, 25)
        }
        _ => bail!(USAGE),
    };
    let (mut codes, mut differences) = (BTreeMap::<String, usize>::new(), 0);
    let mut left = count;
    while left > 0 {
        let batch: Vec<Question> = (0..left.min(batch)).map(|_| questions()).collect();
        left -= batch.len();
        for verifier in &mut verifiers {
            verifier.ask(&batch)?;
        }
        // The others are at work meanwhile.
        let mut expected: Vec<String> = batch.iter().map(|question| (question.reference)()).collect();
        for answer in &mut expected {
            let code = answer.split(' ').next().unwrap_or_default();
            *codes.entry(code.to_owned()).or_default() += 1;
            if fault.as_deref() == Some(code) {
                *answer = "0".into();
            }
        }
        for verifier in &mut verifiers {
            differences += verifier.compare(&batch, &expected, fault.is_none())?;
        }
    }
    let asked = verifiers.len();
    for verifier in verifiers {
        verifier.stop()?;
    }
    for (code, times) in &codes {
        println!("code {code}: {times}");
    }
    if let Some(fault) = fault {
        let planted = codes.get(&fault).copied().unwrap_or_default() * asked;
        ensure!(planted > 0 && differences == planted, "{planted} faults were planted, {differences} found");
        println!("{planted} passed, 0 failed");
        return Ok(());
    }
    // A run in which nothing is accepted, or one code is nearly all, would compare little.
    ensure!(codes.get("0").is_some_and(|accepted| *accepted < count / 2), "the mix of verdicts is lopsided");
    ensure!(codes.len() >= least, "only {} different verdicts were reached", codes.len());
    println!("{} passed, {differences} failed", count - differences.min(count));
    if differences > 0 {
        bail!("{differences} verdicts differ");
    }
    Ok(())
}

struct Verifier {
    name: String,
    without: Vec<SealSuite>,
    child: Child,
    questions: BufWriter<std::process::ChildStdin>,
    answers: BufReader<std::process::ChildStdout>,
}

impl Verifier {
    fn start(line: &str) -> Result<Self> {
        let mut words = line.split_whitespace().peekable();
        let mut without = Vec::new();
        if let Some(names) = words.next_if(|word| word.starts_with("without=")) {
            for name in names["without=".len()..].split(',') {
                without.push(SealSuite::named(name).with_context(|| format!("{name} is no seal suite"))?);
            }
        }
        let program = words.next().context("a verifier is a command")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the verifier {program}"))?;
        let questions = BufWriter::new(child.stdin.take().context("a pipe to the verifier")?);
        let answers = BufReader::new(child.stdout.take().context("a pipe from the verifier")?);
        Ok(Self { name: line.to_owned(), without, child, questions, answers })
    }

    /// Whether it must say that it does not have the suite of the seal that is judged.
    fn lacks(&self, question: &Question) -> bool {
        !self.without.is_empty()
            && (question.judged_seal)().is_some_and(|suite| self.without.contains(&suite))
    }

    fn ask(&mut self, batch: &[Question]) -> Result<()> {
        for question in batch {
            writeln!(self.questions, "{}", question.json)?;
        }
        self.questions.flush().with_context(|| format!("{} stopped reading", self.name))
    }

    /// Reads the answers to a batch; returns how many differ, and tells them.
    fn compare(&mut self, batch: &[Question], expected: &[String], tell: bool) -> Result<usize> {
        let mut differences = 0;
        let unsupported = Code::UnsupportedSuite.number().to_string();
        for (question, expected) in batch.iter().zip(expected) {
            let expected = if self.lacks(question) { &unsupported } else { expected };
            let found = self.answer()?;
            if found == *expected {
                continue;
            }
            differences += 1;
            if tell {
                let Question { mutation, json, .. } = question;
                println!("{}: expected {expected}, got {found}: {mutation} {json}", self.name);
            }
        }
        Ok(differences)
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let line = line.trim();
        let code = line.split(' ').next().unwrap_or_default();
        code.parse::<u16>().with_context(|| format!("{} answered {line:?}", self.name))?;
        Ok(line.to_owned())
    }

    fn stop(mut self) -> Result<()> {
        drop(self.questions);
        let status = self.child.wait()?;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }
}
