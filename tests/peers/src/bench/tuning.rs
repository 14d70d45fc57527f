//! The configurations that are measured. Every entry that differs from what `cometbft testnet` writes stands here.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::comet::{Release, Setting};

/// How the nodes of a measured network are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// As `cometbft testnet` writes it: only addresses, peers and the log differ.
    Default,
    /// What was found to carry most and answer soonest on a machine of two cores.
    Tuned,
}

impl Setup {
    /// Finds it by its name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "default" => Ok(Self::Default),
            "tuned" => Ok(Self::Tuned),
            _ => bail!("a setup is `default` or `tuned`, not {name}"),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Tuned => "tuned",
        }
    }

    /// Pause after each block.
    pub(super) const fn pace(self) -> Duration {
        match self {
            Self::Default => Duration::from_secs(1),
            Self::Tuned => Duration::ZERO,
        }
    }

    pub(super) fn config(self, release: Release) -> Vec<Setting> {
        // Our generator sends batches of up to this many; writing the log would be time of the disk.
        let mut all = vec![
            Setting::new("", "log_level", "error"),
            Setting::new("rpc", "max_request_batch_size", 1_000),
        ];
        match self {
            // The tests of this crate propose sooner: back to what the release does.
            Self::Default => all.push(Setting::new("consensus", "timeout_propose", "3s")),
            Self::Tuned => all.extend([
                Setting::new("consensus", "timeout_propose", "500ms"),
                Setting::new("consensus", "timeout_propose_delta", "100ms"),
                Setting::new("consensus", "peer_gossip_sleep_duration", "10ms"),
                Setting::new("mempool", "size", 20_000),
                Setting::new("mempool", "cache_size", 100_000),
                Setting::new("mempool", "recheck", false),
                Setting::new("p2p", "flush_throttle_timeout", "10ms"),
                Setting::new("p2p", "send_rate", 512_000_000),
                Setting::new("p2p", "recv_rate", 512_000_000),
                Setting::new("p2p", "max_packet_msg_payload_size", 16_384),
                Setting::new("tx_index", "indexer", "null"),
                Setting::new("storage", "discard_abci_responses", true),
            ]),
        }
        // Later releases have no such entry: with no pause after a block they do the same.
        if self == Self::Tuned && release == Release::V0_38 {
            all.push(Setting::new("consensus", "skip_timeout_commit", true));
        }
        all
    }
}
