//! `zeugma-peers`: builds real nodes of other chains, starts them by hand, records what they say.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::json;
use zeugma_peers::bench::evidence::{Compare, Fill, Part};
use zeugma_peers::{
    CometNetwork, Options, Peer, RECIPES, Recipe, Release, SIMD, Simd, SimdOptions, balances_key, record,
};

const USAGE: &str = "\
usage: cargo run -p zeugma-peers -- COMMAND

  list                       what can be installed, and what is in the cache
  install [NAME...]          build these peers, or all; says the minutes each took
  start cometbft-0.38 | cometbft-1.0 | simd
                             four validators (or one), until the input ends (Ctrl-D); with --json, one line
                             says where they are
  bench cometbft-0.38 | cometbft-1.0 default | tuned RATE,RATE... SECONDS
                             four validators under load; prints what they carried as JSON
  bench evidence ZEUGMA SECONDS [PART...]
                             the evidence service and Tessera's POSIX log with antispam under load, as JSON;
                             the parts are tessera_inside, tessera_http, two_trees, one_tree, anchored
  bench evidence-load ZEUGMA ENTRIES
                             the evidence service with so many entries, as JSON
  record cometbft [DIR]      record CometBFT and simd; without DIR into tests/vectors/cometbft

The cache is $ZEUGMA_PEERS_CACHE, else $XDG_CACHE_HOME/zeugma/peers, else ~/.cache/zeugma/peers.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["list"] => list(),
        ["install", names @ ..] => install(names),
        ["start", "cometbft-0.38", form @ ..] if form.is_empty() || form == ["--json"] => {
            start_network(Release::V0_38, Form::of(form))
        }
        ["start", "cometbft-1.0", form @ ..] if form.is_empty() || form == ["--json"] => {
            start_network(Release::V1_0, Form::of(form))
        }
        ["start", "simd", form @ ..] if form.is_empty() || form == ["--json"] => start_simd(Form::of(form)),
        ["bench", "cometbft-0.38", plan @ ..] => bench(Release::V0_38, plan),
        ["bench", "cometbft-1.0", plan @ ..] => bench(Release::V1_0, plan),
        ["bench", "evidence", program, seconds, parts @ ..] => compare(program, seconds, parts),
        ["bench", "evidence-load", program, entries] => fill(program, entries),
        ["record", "cometbft"] => vectors().and_then(|out| record::cometbft(&out)),
        ["record", "cometbft", out] => record::cometbft(&PathBuf::from(out)),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How it is said where a chain runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Lines for people.
    Words,
    /// One line of JSON.
    Json,
}

impl Form {
    fn of(flags: &[&str]) -> Self {
        if flags.is_empty() { Self::Words } else { Self::Json }
    }
}

fn list() -> Result<()> {
    for recipe in RECIPES {
        let state = if Peer::is_installed(recipe)? { "in the cache" } else { "not built" };
        println!("{:<14} {} ({state})", recipe.name, recipe.about);
    }
    Ok(())
}

fn install(names: &[&str]) -> Result<()> {
    let chosen = match names {
        [] => RECIPES.to_vec(),
        names => names.iter().map(|name| Recipe::named(name)).collect::<Result<_>>()?,
    };
    let start = Instant::now();
    for recipe in &chosen {
        println!("{}: {}", recipe.name, Peer::install(recipe)?.program().display());
    }
    println!("{} peers in {:.1} min", chosen.len(), start.elapsed().as_secs_f64() / 60.0);
    Ok(())
}

fn start_network(release: Release, form: Form) -> Result<()> {
    let network = CometNetwork::start(release, &[10, 10, 10, 10], &Options::default())?;
    if form == Form::Json {
        let rpcs: Vec<String> = (0..network.len()).map(|node| network.rpc(node).url()).collect();
        println!(
            "{}",
            json!({ "chain_id": network.chain_id(), "about": release.recipe().about, "rpc": rpcs })
        );
        read_to_end()?;
        return network.stop();
    }
    for node in 0..network.len() {
        println!("node{node}: {} validator {}", network.rpc(node).url(), network.validator(node).address);
    }
    until_input_ends()?;
    network.stop()
}

fn start_simd(form: Form) -> Result<()> {
    let chain = Simd::start(&SimdOptions::default())?;
    if form == Form::Json {
        let bob = chain.address("bob")?;
        let (rpc, key) = (vec![chain.rpc().url()], hex::encode(balances_key(&bob)?));
        println!(
            "{}",
            json!({ "chain_id": chain.chain_id(), "about": SIMD.about, "rpc": rpc, "account": bob, "balances_key": key })
        );
        read_to_end()?;
        return chain.stop();
    }
    println!(
        "{}: rpc {} rest {} grpc {}",
        chain.chain_id(),
        chain.rpc().url(),
        chain.rest_url(),
        chain.grpc_url()
    );
    for account in ["alice", "bob"] {
        println!("{account}: {}", chain.address(account)?);
    }
    until_input_ends()?;
    chain.stop()
}

fn bench(release: Release, plan: &[&str]) -> Result<()> {
    zeugma_peers::bench::Plan::parse(release, plan)?.run()
}

fn compare(program: &str, seconds: &str, parts: &[&str]) -> Result<()> {
    let seconds = seconds.parse().context("the seconds")?;
    let parts = match parts {
        [] => Part::ALL.to_vec(),
        parts => parts.iter().map(|part| Part::named(part)).collect::<Result<_>>()?,
    };
    Compare { program: program.into(), seconds, parts }.run()
}

fn fill(program: &str, entries: &str) -> Result<()> {
    let entries: u64 = entries.parse().context("the entries")?;
    let window = (entries / 10).clamp(1_000, 1_000_000);
    let found = Fill { program: program.into(), entries, window }.run()?;
    println!("{:#}", found.json());
    Ok(())
}

fn until_input_ends() -> Result<()> {
    println!("running; end with Ctrl-D");
    read_to_end()
}

fn read_to_end() -> Result<()> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// `tests/vectors/cometbft` of this clone.
fn vectors() -> Result<PathBuf> {
    let home = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    home.map(|home| home.with_file_name("vectors").join("cometbft"))
        .context("started without cargo: name the directory, `record cometbft DIR`")
}
