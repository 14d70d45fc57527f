//! The commands, one file or folder each.

mod bench;
mod bridge;
mod client;
mod completions;
mod demo;
mod devnet;
mod dkg;
mod doctor;
mod evidence;
mod keys;
mod light_client;
mod node;
mod packet;
mod query;
mod relay;
mod remote;
mod rules;
mod trust;
mod tx;
mod verify;

use crate::failure::Failure;
use crate::output::Output;
use clap::Subcommand;

/// What `zeugma` can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See it all work: a network, an anchored checkpoint, a second network, packets, proofs
    Demo(demo::Demo),
    /// Start a network of validators on this machine, for trials
    Devnet(devnet::Devnet),
    /// Run a node: one validator of a network
    Node(node::Node),
    /// Make the group key of a network together with the other validators
    Dkg(dkg::Dkg),
    /// Ask a network to do something, and wait until it is final
    #[command(subcommand)]
    Tx(tx::Tx),
    /// Send an asset that an account here holds to an account on another chain
    Transfer(tx::By<tx::Transfer>),
    /// Ask a node where things stand
    #[command(subcommand)]
    Query(query::Query),
    /// Light clients of other chains: start, move, look at, freeze, recover
    #[command(subcommand)]
    Client(client::Client),
    /// A light client of its own, of any chain that has a profile: no relay chain, no account
    #[command(subcommand)]
    LightClient(light_client::LightClient),
    /// Follow one packet through the chains that it crosses
    #[command(subcommand)]
    Packet(packet::Packet),
    /// Look at a route between two networks
    #[command(subcommand)]
    Bridge(bridge::Bridge),
    /// Run the watcher, which keeps clients fresh, finds misbehaviour, and delivers packets
    #[command(subcommand)]
    Relay(relay::Relay),
    /// Verify a proof offline and say what it shows, and what not
    Verify(verify::Verify),
    /// Deposit evidence, and fetch what shows that it was there
    #[command(subcommand)]
    Evidence(evidence::Evidence),
    /// Read, try and replay rule packs
    #[command(subcommand)]
    Rules(rules::Rules),
    /// Look at a trust file, check its signatures, change its form
    #[command(subcommand)]
    Trust(trust::Trust),
    /// Make and look at keys of accounts and nodes
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Load a network, and print what it carries and how fast
    Bench(bench::Bench),
    /// Check whether this machine is fit to run a node
    Doctor(doctor::Doctor),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

impl Command {
    /// Does it.
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        match self {
            Self::Demo(demo) => demo.run(output),
            Self::Devnet(devnet) => devnet.run(output),
            Self::Node(node) => node.run(),
            Self::Dkg(dkg) => dkg.run(output),
            Self::Tx(tx) => tx.run(output),
            Self::Transfer(asked) => asked.run(output),
            Self::Query(query) => query.run(output),
            Self::Client(client) => client.run(output),
            Self::LightClient(asked) => asked.run(output),
            Self::Packet(packet) => packet.run(output),
            Self::Bridge(bridge) => bridge.run(output),
            Self::Relay(relay) => relay.run(output),
            Self::Verify(verify) => verify.run(output),
            Self::Evidence(evidence) => evidence.run(output),
            Self::Rules(rules) => rules.run(output),
            Self::Trust(trust) => trust.run(output),
            Self::Keys(keys) => keys.run(output),
            Self::Bench(bench) => bench.run(output),
            Self::Doctor(doctor) => doctor.run(output),
            Self::Completions(completions) => completions.run(),
        }
    }
}
