//! The production network: authenticated, encrypted connections between members whose addresses are known.
//!
//! Only the keys that are listed are spoken to, at the addresses that are listed; everything else that connects is
//! refused in the handshake.

use super::{Channels, max_message};
use crate::consensus::PublicKey;
use commonware_cryptography::{ChaCha20Poly1305, ed25519};
use commonware_p2p::authenticated::lookup;
use commonware_p2p::{Address, AddressableManager as _};
use commonware_runtime::{Handle, Quota, Supervisor as _, tokio};
use commonware_stream::{cups, sake};
use commonware_utils::{NZU32, NZUsize, TryCollect as _, ordered::Map};
use std::net::SocketAddr;
use std::time::Duration;
use zeugma_types::NetworkId;

/// Domain of the handshakes, before the network's name: members of two networks never connect.
const NAMESPACE: &[u8] = b"zeugma.p2p.1";
/// Messages of one peer and channel in a second.
const QUOTA: Quota = Quota::per_second(NZU32!(512));
/// Messages that wait in a channel.
const WAITING: std::num::NonZeroUsize = NZUsize!(1_024);
/// The number of the key generation's channel.
const DKG_CHANNEL: u64 = 16;

type NetSender = lookup::Sender<PublicKey, tokio::Context>;
type NetReceiver = lookup::Receiver<PublicKey>;

/// The production network of one process.
pub(crate) struct Production {
    network: lookup::Network<tokio::Context, cups::Cups<sake::Sake<ed25519::PrivateKey>, ChaCha20Poly1305>>,
    pub(crate) oracle: lookup::Oracle<PublicKey>,
}

impl Production {
    /// Prepares to listen on `listen` and to connect to `peers`, of which this node is one.
    pub(crate) fn new(
        context: &tokio::Context,
        network: &NetworkId,
        me: ed25519::PrivateKey,
        listen: SocketAddr,
        peers: &[(PublicKey, SocketAddr)],
    ) -> Result<Self, String> {
        let upgrader = cups::Cups::<_, ChaCha20Poly1305>::new(
            sake::Sake {
                signer: me,
                synchrony_bound: Duration::from_secs(5),
                max_handshake_age: Duration::from_secs(10),
                version: sake::Version::V1,
            },
            cups::Version::V1,
        );
        let namespace = [NAMESPACE, network.as_bytes()].concat();
        let most = std::num::NonZeroUsize::new(peers.len()).ok_or("a network has members")?;
        let mut config = lookup::Config::local(upgrader, &namespace, listen, most, max_message(), WAITING);
        // Members on one machine, or in one data centre: a lost connection is back in a moment.
        config.dial_frequency = Duration::from_millis(200);
        let (network, mut oracle) = lookup::Network::new(context.child("network"), config);
        let peers: Map<PublicKey, Address> = peers
            .iter()
            .map(|(key, address)| (key.clone(), (*address).into()))
            .try_collect()
            .map_err(|_| "a validator is listed twice")?;
        oracle.track(0, peers);
        Ok(Self { network, oracle })
    }

    /// The channels of a node, and the running network.
    pub(crate) fn node(
        mut self,
    ) -> (Channels<NetSender, NetReceiver>, lookup::Oracle<PublicKey>, Handle<()>) {
        let mut channel = |number: u64| self.network.register(number, QUOTA);
        let channels = Channels {
            votes: channel(0),
            certificates: channel(1),
            resolver: channel(2),
            backfill: channel(3),
            broadcast: channel(4),
            gossip: channel(5),
        };
        (channels, self.oracle, self.network.start())
    }

    /// The channel of a key generation, and the running network.
    pub(crate) fn dkg(mut self) -> ((NetSender, NetReceiver), Handle<()>) {
        let channel = self.network.register(DKG_CHANNEL, QUOTA);
        (channel, self.network.start())
    }
}
