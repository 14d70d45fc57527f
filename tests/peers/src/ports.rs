//! Ports of 127.0.0.1 that no other test takes meanwhile.
//!
//! A claim is a UDP socket on the same number: held for as long as the peer lives, it keeps every other claimant of this
//! machine away, also while the peer itself is halted, and TCP stays free for the peer. The range lies below the one from
//! which Linux takes the local end of outgoing connections, so a node's dialling cannot take a claimed port either.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

const FIRST: u16 = 18_000;
const COUNT: u16 = 14_000;

/// A TCP port of 127.0.0.1, ours until dropped.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: UdpSocket,
}

impl Port {
    /// Claims a port that nothing listens on.
    ///
    /// # Errors
    /// When all of the range is taken.
    pub fn claim() -> Result<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Processes begin at different places, so that they rarely try the same port at the same time.
        let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("a rest below COUNT fits");
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (start + step) % COUNT;
            let Ok(claim) = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)) else { continue };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _claim: claim });
            }
        }
        bail!("no free port of 127.0.0.1 between {FIRST} and {}: end old test nodes", FIRST + COUNT - 1)
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }

    /// Its address as CometBFT writes it: `tcp://127.0.0.1:18000`.
    pub(crate) fn tcp(&self) -> String {
        format!("tcp://{}", self.address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_port_is_not_given_twice_and_stays_free_for_tcp() {
        let ports: Vec<Port> = (0..50).map(|_| Port::claim().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ports.len());
        TcpListener::bind(ports[0].address()).expect("the claim leaves TCP alone");
    }
}
