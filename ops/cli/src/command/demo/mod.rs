//! `zeugma demo`: everything once, with real processes, from a key that nobody holds to proofs that anyone
//! verifies offline.
//!
//! Nothing is played: validators, consensus, light clients, packets and proofs are those of the product. Only
//! the evidence log is small, until its service exists.

mod authority;
mod evidence;
mod exhibit;
mod foreign;
mod log;
mod packets;
mod story;

use super::devnet::{empty_folder, temporary_folder};
use super::verify;
use crate::devnet::{KeyMaking, Network, Plan};
use crate::ending::Interrupt;
use crate::failure::{Failure, Rule};
use crate::files::{Readers, write_new};
use crate::output::{Output, Report};
use crate::submit::Sender;
use crate::{path_text, trust};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use story::Story;
use zeugma_client::ProofFile;

/// Longest wait for one thing to become final. On one machine it takes about a second.
const PATIENCE: Duration = Duration::from_secs(30);
const VALIDATORS: u8 = 4;
/// The folder when none is named.
const OUT: &str = "demo-out";

/// Shows everything once, in about half a minute: key generation, evidence anchored, two networks, packets, proofs
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The file whose digest is anchored; a sample if none is named. Its content stays here
    file: Option<PathBuf>,
    /// Where the trust files and proofs go, a new or empty folder; demo-out if none is named
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Follow real chains of another kind too: four CometBFT validators and a Cosmos chain, built with Go the first time
    #[arg(long, value_name = "CHAINS")]
    with: Option<With>,
    /// Keep the folders of the networks: keys, configurations, storage, logs
    #[arg(long)]
    keep: bool,
}

/// What else the demo can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum With {
    /// A CometBFT network and `simd`, a Cosmos chain.
    Cometbft,
}

/// What every step has.
struct Stage<'s> {
    story: &'s Story<'s>,
    interrupt: &'s Interrupt,
    out: &'s Path,
    trash: &'s Path,
}

impl Demo {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        // First of all: from here on nothing that was started stays behind.
        let interrupt = Interrupt::listen()?;
        let exhibit = evidence::Exhibit::of(self.file.as_deref())?;
        let out = match &self.out {
            Some(out) => empty_folder(out)?,
            None => free_folder()?,
        };
        let rooms = temporary_folder()?;
        let story = Story::begin(output);
        let stage = Stage { story: &story, interrupt: &interrupt, out: &out, trash: rooms.path() };
        let done = stage.play(&exhibit, self.with);
        if self.keep {
            story.line(&format!("the networks' folders are kept: {}", rooms.keep().display()));
        }
        let found = done?;
        output.report(&closing(&out, &story, &found));
        Ok(())
    }
}

/// What came of it.
struct Found {
    transcripts: [String; 2],
    exhibit: String,
    /// The entry and its bundle.
    bundle: Value,
    file: PathBuf,
    refused: Value,
    /// Of the chains of another kind, where they were asked for.
    foreign: Option<Value>,
}

impl Stage<'_> {
    fn play(&self, exhibit: &evidence::Exhibit, with: Option<With>) -> Result<Found, Failure> {
        // They start beside the first chapters; what is missing is told before anything else is begun.
        let foreign = with.map(|With::Cometbft| foreign::Foreign::begin(self)).transpose()?;
        self.story.chapter("Four validators make a key that nobody holds");
        let mut a = self.network("Court Network A", "a", "trust.json")?;
        let first = self.told_transcript(&a)?;
        let account_a = self.sender(&a)?;

        self.story.chapter("A file becomes evidence");
        let proof = evidence::anchor(self, &account_a, exhibit)?;
        let checkpoint = self.keep_proof("checkpoint.proof", &proof)?;
        self.verify(&checkpoint, "trust.json")?;
        self.verify_logged(&checkpoint, "trust.json", &exhibit.file(self.out))?;
        let refused = self.flip(&proof, "trust.json")?;

        self.story.chapter("A service takes the file, and the bundle needs nobody");
        let bundle = exhibit::play(self, &a, exhibit)?;

        self.story.chapter("A second network, and each follows the other");
        let mut b = self.network("Trade Network B", "b", "trust-b.json")?;
        let second = self.told_transcript(&b)?;
        let account_b = self.sender(&b)?;
        packets::play(self, (&account_a, &a), (&account_b, &b))?;
        let foreign = foreign.map(|foreign| foreign.play(self, &account_a)).transpose()?;

        a.check()?;
        b.check()?;
        self.story.chapter("The end");
        drop((a, b));
        self.story.line("all eight processes have ended");
        let (exhibit, file) = (exhibit.digest(), exhibit.file(self.out));
        Ok(Found { transcripts: [first, second], exhibit, bundle, file, refused, foreign })
    }

    /// Starts a network, and puts its trust file beside the proofs.
    fn network(&self, name: &str, folder: &str, trust_name: &str) -> Result<Network, Failure> {
        let folder = self.trash.join(folder);
        std::fs::create_dir(&folder).map_err(|why| Failure::unreadable(&folder, &why))?;
        let plan = Plan::new(name, VALIDATORS, KeyMaking::Together);
        let network = Network::start(&plan, &folder, self.interrupt, &|line| self.story.line(line))?;
        write_new(&self.out.join(trust_name), trust::to_json(network.trust()).as_bytes(), Readers::Anyone)?;
        self.story.line(&format!(
            "{name} works: four processes agree on blocks, each certified by one signature of 48 bytes"
        ));
        Ok(network)
    }

    fn told_transcript(&self, network: &Network) -> Result<String, Failure> {
        let transcript = network.transcript().ok_or_else(|| unexpected("a dealer made the key"))?;
        self.story.line(&format!("transcript of its key generation: {transcript}"));
        Ok(transcript.to_owned())
    }

    fn sender<'n>(&self, network: &'n Network) -> Result<Sender<'n>, Failure> {
        Ok(Sender::new(network.client(0), network.account(), PATIENCE)?.with_interrupt(self.interrupt))
    }

    /// Writes a proof beside the trust files.
    fn keep_proof(&self, name: &str, proof: &ProofFile) -> Result<PathBuf, Failure> {
        let path = self.out.join(name);
        write_new(&path, &proof.bytes, Readers::Anyone)?;
        self.story.line(&format!("{name} written, {} bytes", proof.bytes.len()));
        Ok(path)
    }

    /// As `zeugma verify` does, from the files alone.
    fn verify(&self, proof: &Path, trust_name: &str) -> Result<(), Failure> {
        let start = Instant::now();
        let (path, time) = verify::judge(proof, &self.out.join(trust_name))?;
        let (path, time) = (path_text::show(&path), crate::clock::show(time));
        let took = start.elapsed().as_secs_f64() * 1_000.0;
        self.story
            .line(&format!("verified offline against {trust_name} in {took:.1} ms: {path}, said at {time}"));
        Ok(())
    }

    /// Shows, from the files alone, that the exhibit is an entry of the log that was anchored.
    fn verify_logged(&self, proof: &Path, trust_name: &str, file: &Path) -> Result<(), Failure> {
        let log_proof = self.out.join(evidence::LOG_PROOF);
        verify::judge_logged(proof, &self.out.join(trust_name), Some((&log_proof, file)))?;
        self.story.line(&format!(
            "{} (C2SP tlog-proof) shows offline that the file's digest is in the anchored checkpoint",
            evidence::LOG_PROOF
        ));
        Ok(())
    }

    /// Shows that one changed bit is noticed, and by which rule.
    fn flip(&self, proof: &ProofFile, trust_name: &str) -> Result<Value, Failure> {
        let value = proof.proof.leaf.value;
        let at = proof.bytes.windows(32).position(|window| window == value.as_bytes());
        let at = at.ok_or_else(|| unexpected("the value of the leaf is not in the proof file"))?;
        let mut bytes = proof.bytes.clone();
        bytes[at] ^= 1;
        let path = self.trash.join("flipped.proof");
        write_new(&path, &bytes, Readers::Owner)?;
        match verify::judge(&path, &self.out.join(trust_name)) {
            Ok(_) => Err(unexpected("a proof with a changed bit was accepted")),
            Err(refusal) => {
                let code = refusal.code().ok_or_else(|| refusal.clone())?;
                self.story.line(&format!(
                    "the same file with one bit changed is refused: {} {}, {}",
                    code.number(),
                    code.name(),
                    code.en()
                ));
                Ok(json!({ "code": code.number(), "name": code.name() }))
            }
        }
    }
}

fn unexpected(what: &str) -> Failure {
    Failure::own(Rule::Unexpected, "the demo", what, "run it again with --keep and report this")
}

/// A folder that is not there yet, beside where the command runs.
fn free_folder() -> Result<PathBuf, Failure> {
    let names = std::iter::once(OUT.to_owned()).chain((2..1_000).map(|number| format!("{OUT}-{number}")));
    let free = names.map(PathBuf::from).find(|name| !name.exists());
    empty_folder(&free.ok_or_else(|| Failure::usage("no name is free", "name a folder with --out"))?)
}

/// What can be verified now, and how.
fn closing(out: &Path, story: &Story<'_>, found: &Found) -> Report {
    let program =
        std::env::current_exe().map_or_else(|_| "zeugma".to_owned(), |path| path.display().to_string());
    let proofs = [
        ("checkpoint.proof", "trust.json"),
        ("packet.proof", "trust.json"),
        ("ack.proof", "trust-b.json"),
        ("closed.proof", "trust-b.json"),
    ];
    let mut commands = proofs
        .map(|(proof, trust)| {
            format!("{program} verify {} --trust {}", out.join(proof).display(), out.join(trust).display())
        })
        .to_vec();
    commands[0].push_str(&format!(
        " {} --logged {}",
        found.file.display(),
        out.join(evidence::LOG_PROOF).display()
    ));
    commands.push(format!(
        "{program} verify {} {} --policy {} --trust {}",
        out.join("exhibit.bundle").display(),
        found.file.display(),
        out.join("policy.zeugma").display(),
        out.join("trust.json").display()
    ));
    if let Some(foreign) = &found.foreign {
        commands.extend(foreign::commands(&program, out, foreign));
    }
    let seconds = story.seconds();
    let mut text = format!(
        "\nDone in {seconds:.1} s. Verify it yourself; no network is needed, now or in ten years:\n\n"
    );
    for command in &commands {
        text.push_str(&format!("  {command}\n"));
    }
    let json = json!({
        "out": out.display().to_string(),
        "seconds": seconds,
        "transcripts": found.transcripts,
        "exhibit": found.exhibit,
        "logged": out.join(evidence::LOG_PROOF).display().to_string(),
        "bundle": found.bundle,
        "flipped": found.refused,
        "foreign": found.foreign,
        "chapters": story.chapters(),
        "verify": commands,
    });
    Report { text, json }
}
