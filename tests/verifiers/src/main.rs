//! `zeugma-verifiers COUNT SEED VERIFIER...`: gives the same mutated proofs to every verifier and
//! compares verdicts and codes.
//!
//! A VERIFIER is a command line (split at spaces) that reads one JSON object a line (`trust`, `time`,
//! `reliance`, `path`, `value`, `proof`) and answers each with a line: 0, or the code of the refusal.
//! The verdict of the Rust verifier is the reference; any difference is printed with its input, and
//! the exit code is then 1. The same seed makes the same proofs.

mod mutate;

use anyhow::{Context, Result, bail, ensure};
use mutate::{Input, Mutator};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, Command, Stdio};
use zeugma_proof::{Expected, Reliance, TrustFile, verify_expected};
use zeugma_types::Decode;

/// Inputs in flight: little enough for every pipe to hold the answers.
const BATCH: usize = 256;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: zeugma-verifiers COUNT SEED VERIFIER...";
    let count: usize = args.next().context(usage)?.parse().context("COUNT is a number")?;
    let seed: u64 = args.next().context(usage)?.parse().context("SEED is a number")?;
    let mut verifiers = args.map(|line| Verifier::start(&line)).collect::<Result<Vec<_>>>()?;
    ensure!(!verifiers.is_empty(), usage);

    let mut mutator = Mutator::new(seed);
    let (mut codes, mut differences) = (std::collections::BTreeMap::<u16, usize>::new(), 0);
    let mut left = count;
    while left > 0 {
        let batch: Vec<Input> = (0..left.min(BATCH)).map(|_| mutator.next()).collect();
        left -= batch.len();
        for verifier in &mut verifiers {
            verifier.ask(&batch)?;
        }
        let expected: Vec<u16> = batch.iter().map(reference).collect();
        expected.iter().for_each(|code| *codes.entry(*code).or_default() += 1);
        for verifier in &mut verifiers {
            for (input, expected) in batch.iter().zip(&expected) {
                let found = verifier.answer()?;
                if found != *expected {
                    differences += 1;
                    println!(
                        "{}: expected {expected}, got {found}: {} {}",
                        verifier.name,
                        input.mutation,
                        input.json()
                    );
                }
            }
        }
    }
    for verifier in verifiers {
        verifier.stop()?;
    }
    for (code, times) in &codes {
        println!("code {code}: {times}");
    }
    // A run in which nothing is accepted, or one code is nearly all, would compare little.
    ensure!(codes.get(&0).is_some_and(|accepted| *accepted < count / 2), "the mix of verdicts is lopsided");
    ensure!(codes.len() >= 15, "only {} different verdicts were reached", codes.len());
    println!("{} passed, {differences} failed", count - differences.min(count));
    if differences > 0 {
        bail!("{differences} verdicts differ");
    }
    Ok(())
}

fn reference(input: &Input) -> u16 {
    let verdict = TrustFile::from_bytes(&input.trust).and_then(|trust| {
        let keys = trust.at(input.time, input.reliance);
        let expected = Expected { path: input.path.as_ref(), value: input.value.as_ref() };
        verify_expected(&input.proof, &keys, expected)
    });
    verdict.err().map_or(0, |refusal| refusal.code.number())
}

struct Verifier {
    name: String,
    child: Child,
    questions: BufWriter<std::process::ChildStdin>,
    answers: BufReader<std::process::ChildStdout>,
}

impl Verifier {
    fn start(line: &str) -> Result<Self> {
        let mut words = line.split_whitespace();
        let program = words.next().context("a verifier is a command")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the verifier {program}"))?;
        let questions = BufWriter::new(child.stdin.take().context("a pipe to the verifier")?);
        let answers = BufReader::new(child.stdout.take().context("a pipe from the verifier")?);
        Ok(Self { name: line.to_owned(), child, questions, answers })
    }

    fn ask(&mut self, batch: &[Input]) -> Result<()> {
        for input in batch {
            writeln!(self.questions, "{}", input.json())?;
        }
        self.questions.flush().with_context(|| format!("{} stopped reading", self.name))
    }

    fn answer(&mut self) -> Result<u16> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        line.trim().parse().with_context(|| format!("{} answered {line:?}", self.name))
    }

    fn stop(mut self) -> Result<()> {
        drop(self.questions);
        let status = self.child.wait()?;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }
}

impl Input {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "trust": hex::encode(&self.trust),
            "time": self.time.get(),
            "reliance": match self.reliance { Reliance::Court => "court", Reliance::Destination => "destination" },
            "path": self.path.as_ref().map(|path| hex::encode(zeugma_types::Encode::to_bytes(path))),
            "value": self.value.as_ref().map(|value| hex::encode(value.as_bytes())),
            "proof": hex::encode(&self.proof),
        })
    }
}
