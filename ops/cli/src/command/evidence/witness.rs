//! `zeugma evidence witness`: cosign the logs of others, with a key and a state that are this machine's alone.

use crate::clock;
use crate::command::node::log_to_stderr;
use crate::ending::{self, Parent};
use crate::failure::{Failure, Rule};
use crate::files;
use crate::output::{Output, Report, plain};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;
use zeugma_evidence_service::keys::KeysError;
use zeugma_evidence_service::witness::{
    Looked, ServeError, StartedWitness, Witness, WitnessConfig, WitnessKeys, serve,
};
use zeugma_types::{BlockTime, Refusal};

/// Longest configuration, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// Cosign the logs of others
#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    /// Make a witness: its keys and its state, which belong together and to this machine
    Init {
        #[command(flatten)]
        configured: Configured,
        /// Take the state that is there as the newest, though it was moved or the machine started anew: by your word. What
        /// the witness signed after that state was written, it may then contradict
        #[arg(long)]
        state_is_newest: bool,
    },
    /// Run it: Ctrl-C and SIGTERM end it cleanly
    Serve {
        #[command(flatten)]
        configured: Configured,
        /// Listen here instead
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<std::net::SocketAddr>,
        /// End when standard input is closed
        #[arg(long, hide = true)]
        with_parent: bool,
    },
    /// What it cosigned last, of each log; also while it runs
    Status {
        #[command(flatten)]
        configured: Configured,
    },
}

/// Which witness.
#[derive(Debug, Args)]
pub(crate) struct Configured {
    /// One TOML file; `ops/config/witness.toml` explains every field
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Configured {
    fn read(&self) -> Result<WitnessConfig, Failure> {
        let bytes = files::read(&self.config, LONGEST)?;
        WitnessConfig::from_toml(&String::from_utf8_lossy(&bytes)).map_err(|why| {
            let todo = "correct it; ops/config/witness.toml explains every field";
            Failure::usage(format!("in {}: {why}", self.config.display()), todo)
        })
    }
}

impl WitnessCommand {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Init { configured, state_is_newest } => init(&configured.read()?, state_is_newest, output),
            Self::Serve { configured, listen, with_parent } => {
                let mut config = configured.read()?;
                if let Some(listen) = listen {
                    config.witness.listen = listen;
                }
                run(config, with_parent, output)
            }
            Self::Status { configured } => status(&configured.read()?, output),
        }
    }
}

fn system(why: impl std::fmt::Display) -> Failure {
    Failure::usage(why, "check the folder of the witness, and who may write there")
}

fn no_keys(config: &WitnessConfig, why: KeysError) -> Failure {
    let path = config.keys_file();
    match why {
        KeysError::Open { .. } => {
            let todo = format!("chmod 600 {}", path.display());
            Failure::own(Rule::OpenToOthers, path.display(), why, todo)
        }
        KeysError::File { why, .. } if why.kind() == std::io::ErrorKind::NotFound => {
            let todo = "make a witness: zeugma evidence witness init --config FILE";
            Failure::own(Rule::WitnessStateMissing, path.display(), "there are no keys", todo)
        }
        why => Failure::own(Rule::NotKeyFile, path.display(), why, "make another witness, in another folder"),
    }
}

/// What the operator can do about a state that is refused.
fn state_refused(config: &WitnessConfig, refusal: Refusal) -> Failure {
    let todo = match refusal.code {
        Rule::WitnessStateMissing => {
            "its keys may have signed what nobody remembers: retire it, and make another in another folder with `zeugma evidence witness init`"
        }
        Rule::WitnessStateMoved => {
            "if no backup or snapshot was put back, and it is the newest state there is: zeugma evidence witness init --state-is-newest; else retire it"
        }
        Rule::Damaged => "retire it, and make another in another folder with `zeugma evidence witness init`",
        Rule::FileExists => "it is made already: zeugma evidence witness serve",
        _ => return Failure::refused(config.witness.folder.display(), refusal),
    };
    Failure::own(refusal.code, config.witness.folder.display(), &refusal, todo)
}

fn init(config: &WitnessConfig, state_is_newest: bool, output: &Output) -> Result<(), Failure> {
    std::fs::create_dir_all(&config.witness.folder).map_err(system)?;
    let _held = config.hold().map_err(failed)?;
    let home = config.home().map_err(system)?;
    let keys = if state_is_newest {
        let keys = config.keys().map_err(|why| no_keys(config, why))?;
        Witness::adopt(&home, &keys).map_err(|refusal| state_refused(config, refusal))?;
        keys
    } else {
        let path = config.keys_file();
        if path.exists() {
            let missing = Refusal::new(Rule::WitnessStateMissing);
            let there = config.witness.folder.join("state").exists();
            return Err(match there {
                true => state_refused(config, Refusal::new(Rule::FileExists)),
                false => state_refused(config, missing),
            });
        }
        let keys = WitnessKeys::make(&path, &config.witness.name).map_err(|why| no_keys(config, why))?;
        Witness::init(&home, &keys).map_err(|refusal| state_refused(config, refusal))?;
        keys
    };
    let public = keys.public().map(|key| key.to_text());
    let mut text = format!("witness in {}\n", plain(&config.witness.folder.display().to_string()));
    for key in &public {
        text.push_str(&format!("key: {key}\n"));
    }
    text.push_str("give the keys to the logs it follows; keep the folder out of every backup\n");
    output.report(&Report { text, json: json!({ "name": config.witness.name, "keys": public }) });
    Ok(())
}

fn run(config: WitnessConfig, with_parent: bool, output: &Output) -> Result<(), Failure> {
    log_to_stderr();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|why| Failure::unreachable(format!("no runtime: {why}"), "try again"))?;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let parent = Parent::of(with_parent);
    runtime.spawn(async move {
        // Without signals the process still ends when it is killed, and forgets nothing that it signed.
        if ending::asked(parent).await.is_ok() {
            let _ = stop.send(true);
        } else {
            std::future::pending::<()>().await;
        }
    });
    let started = |started: &StartedWitness| {
        let mut text = format!("cosigns {} logs on {}\n", started.logs, started.url);
        for key in &started.keys {
            text.push_str(&format!("key: {key}\n"));
        }
        let json = json!({
            "address": started.address.to_string(), "url": started.url, "keys": started.keys, "logs": started.logs,
        });
        output.report(&Report { text, json });
    };
    let done = runtime.block_on(serve(config.clone(), stopped, started));
    done.map_err(|error| match error {
        ServeError::State(refusal) => state_refused(&config, refusal),
        ServeError::Keys(why) => no_keys(&config, why),
        error => failed(error),
    })
}

fn failed(error: ServeError) -> Failure {
    Failure::usage(error, "put right what it names; ops/config/witness.toml explains every field")
}

fn status(config: &WitnessConfig, output: &Output) -> Result<(), Failure> {
    let keys = config.keys().map_err(|why| no_keys(config, why))?;
    let home = config.home().map_err(system)?;
    let looked = Witness::look(&home, &keys, config.witness.reboots);
    let Looked { refusal, seen } = looked.map_err(|refusal| state_refused(config, refusal))?;
    let contradictions = Witness::contradictions_in(&home);
    let mut text = String::new();
    for log in &config.log {
        let shown = plain(&log.origin);
        match seen.iter().find(|(origin, _)| *origin == log.origin) {
            None => text.push_str(&format!("{shown}: nothing cosigned yet\n")),
            Some((_, seen)) => {
                let at = BlockTime::new(seen.at.get().saturating_mul(1_000));
                text.push_str(&format!("{shown}: {} entries, {}\n", seen.view.size, clock::show(at)));
            }
        }
    }
    text.push_str(&format!(
        "{} split views, {} checkpoints that were not shown to continue\n",
        contradictions.0, contradictions.1
    ));
    let logs: Vec<_> = seen
        .iter()
        .map(|(origin, seen)| {
            json!({
                "origin": origin, "size": seen.view.size.get(), "root": hex::encode(seen.view.root),
                "cosigned_at": seen.at.get(),
            })
        })
        .collect();
    let json = json!({
        "name": config.witness.name,
        "keys": keys.public().map(|key| key.to_text()),
        "logs": logs,
        "split_views": contradictions.0,
        "unshown": contradictions.1,
        "usable": refusal.is_none(),
    });
    output.report(&Report { text, json });
    refusal.map_or(Ok(()), |refusal| Err(state_refused(config, refusal)))
}
