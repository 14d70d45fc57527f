//! What the scenarios ask of a CometBFT chain.

use std::path::PathBuf;
use tempfile::TempDir;
use zeugma_peers::CometRpc;

/// Periods of a profile, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Periods {
    pub(crate) trusting: u64,
    pub(crate) unbonding: u64,
}

/// A profile as a person types it; the folder goes with the value.
pub(crate) fn profile(chain_id: &str, periods: Periods) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.toml");
    let text = format!(
        "family = \"cometbft\"\nchain_id = \"{chain_id}\"\ntrust_level = [1, 3]\ntrusting_period_seconds = {}\n\
         unbonding_period_seconds = {}\nmax_drift_seconds = 5\nstore = \"opaque\"\n",
        periods.trusting, periods.unbonding
    );
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

/// The hash of a header, as the chain's own commit names it.
pub(crate) fn hash(rpc: CometRpc, height: u64) -> String {
    let signed = rpc.signed_header(height).unwrap();
    signed["commit"]["block_id"]["hash"].as_str().unwrap().to_lowercase()
}

/// One `[[cometbft]]` of a watcher's configuration.
pub(crate) fn watched(chain_id: &str, rpcs: &[CometRpc], clients: &[&str]) -> String {
    let urls: Vec<String> = rpcs.iter().map(CometRpc::url).collect();
    let clients: Vec<String> =
        clients.iter().map(|client| format!("{{ hub = \"north\", client = \"{client}\" }}")).collect();
    format!(
        "[[cometbft]]\nchain_id = \"{chain_id}\"\nendpoints = {urls:?}\nclients = [{}]\n",
        clients.join(", ")
    )
}
