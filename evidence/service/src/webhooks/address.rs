//! Which addresses may be called: a tenant names them, so the service must not become its way into the operator's network.
//!
//! 1. A name is resolved, **every** address that it resolves to must be one of the public internet or of a network that the
//!    operator allowed, and the connection goes to one of those that were checked: a name that answers otherwise the
//!    next time changes nothing.
//! 2. Public is what is not reserved for something else: loopback, private networks, link-local, carriers' networks, multicast,
//!    documentation, benchmarks, and everything that embeds an address of version 4 in one of version 6 are not.
//!
//! Source: the IANA special-purpose registries of IPv4 and IPv6 (RFC 6890 and its successors).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::sync::Arc;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use zeugma_types::{Code, Refusal};

/// Longest address of a webhook, in bytes.
pub(super) const MAX_URL: usize = 1_024;

/// A network of addresses: `10.0.0.0/8`, `::1/128`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u8,
}

fn number(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    }
}

impl Network {
    fn has(self, address: IpAddr) -> bool {
        let ((own, width), (other, of)) = (number(self.address), number(address));
        // A shift by all bits of a number is none in Rust.
        let shift = u32::from(width - self.bits);
        width == of && (own ^ other).checked_shr(shift).unwrap_or(0) == 0
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("a network is ADDRESS/BITS or ADDRESS, found {text}");
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits)),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (number, width) = number(address);
        let bits = bits.map_or(Ok(width), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > width {
            return Err(wrong());
        }
        let beyond = match width - bits {
            0 => 0,
            rest => number & (u128::MAX >> (128 - u32::from(rest))),
        };
        if beyond != 0 {
            return Err(format!("the address of a network ends in zeros beyond its bits, found {text}"));
        }
        Ok(Self { address, bits })
    }
}

/// Networks of version 4 that are not of the public internet.
const RESERVED_4: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(192, 175, 48, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The one block of version 6 from which public addresses are given out.
const PUBLIC_6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Networks in it that are not of the public internet, or that lead to one of version 4.
const RESERVED_6: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public(address: IpAddr) -> bool {
    let within = |(network, bits): (IpAddr, u8)| Network { address: network, bits }.has(address);
    match address {
        IpAddr::V4(_) => !RESERVED_4.iter().any(|(network, bits)| within(((*network).into(), *bits))),
        IpAddr::V6(_) => {
            within((PUBLIC_6.0.into(), PUBLIC_6.1))
                && !RESERVED_6.iter().any(|(network, bits)| within(((*network).into(), *bits)))
        }
    }
}

/// What may be called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// Networks that are allowed though they are not public.
    pub(super) allowed: Vec<Network>,
    /// Whether plain HTTP may be spoken.
    pub(super) plain: bool,
}

fn refused(found: impl fmt::Display) -> Refusal {
    Refusal::new(Code::AddressRefused).found(found.to_string())
}

impl Guard {
    /// An address of a webhook in its form: whether it may be called is asked of what it resolves to.
    ///
    /// # Errors
    /// [`Code::AddressRefused`].
    pub(super) fn parse(&self, url: &str) -> Result<Uri, Refusal> {
        let wrong = |needed: &'static str| refused(bounded(url)).needed(needed);
        if url.len() > MAX_URL {
            return Err(wrong("at most 1024 bytes"));
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['#', '"', '\\']) {
            return Err(wrong("a URL without spaces, quotes and fragment"));
        }
        let uri: Uri = url.parse().map_err(|_| wrong("a URL"))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if scheme != "https" && !(self.plain && scheme == "http") {
            return Err(wrong(if self.plain { "https:// or http://" } else { "https://" }));
        }
        let authority = uri.authority().ok_or_else(|| wrong("a host"))?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(wrong("a host without a user"));
        }
        Ok(uri)
    }

    /// Whether a connection may go there.
    ///
    /// # Errors
    /// [`Code::AddressRefused`].
    pub(super) fn require(&self, address: IpAddr) -> Result<(), Refusal> {
        // One of version 4 in the clothes of version 6 is what it is.
        let address = address.to_canonical();
        if is_public(address) || self.allowed.iter().any(|network| network.has(address)) {
            return Ok(());
        }
        Err(refused(address).needed("an address of the public internet"))
    }

    /// Resolves the host now, and checks all that it resolves to. Blocks.
    ///
    /// # Errors
    /// [`Code::AddressRefused`], also for a name that resolves to nothing.
    pub(super) fn resolve(&self, uri: &Uri) -> Result<(), Refusal> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let none = || refused(bounded(host)).needed("a name that resolves");
        let mut found: Vec<SocketAddr> = (host, 443).to_socket_addrs().map_err(|_| none())?.collect();
        found.sort_unstable();
        found.dedup();
        if found.is_empty() {
            return Err(none());
        }
        found.iter().try_for_each(|one| self.require(one.ip()))
    }
}

/// At most so much of a text from outside, which may stand in an answer.
fn bounded(text: &str) -> String {
    text.chars().take(128).collect()
}

/// The resolver of the agent: what it gives out was checked.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) guard: Arc<Guard>,
    pub(super) inner: DefaultResolver,
}

/// A refusal on its way through the agent.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Refusal);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        for one in found.iter() {
            self.guard.require(one.ip()).map_err(|refusal| ureq::Error::Other(Box::new(Refused(refusal))))?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(guard: &Guard, address: &str) -> Option<Code> {
        guard.require(address.parse().unwrap()).err().map(|refusal| refusal.code)
    }

    #[test]
    fn what_is_not_of_the_public_internet_is_refused_in_every_spelling() {
        let guard = Guard::default();
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "4000::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ] {
            assert_eq!(code(&guard, address), Some(Code::AddressRefused), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "2a00:1450::1",
            "2003::1",
            "2001:200::1",
        ] {
            assert_eq!(code(&guard, address), None, "{address}");
        }
    }

    #[test]
    fn what_the_operator_allowed_may_be_called_and_nothing_beside_it() {
        let allowed = ["127.0.0.0/8", "10.1.2.3", "fd00::/8"].map(|text| text.parse().unwrap());
        let guard = Guard { allowed: allowed.into(), plain: false };
        for address in ["127.0.0.1", "::ffff:127.1.1.1", "10.1.2.3", "fd00::7"] {
            assert_eq!(code(&guard, address), None, "{address}");
        }
        for address in ["10.1.2.4", "10.1.2.2", "fc00::1", "::1", "192.168.0.1"] {
            assert_eq!(code(&guard, address), Some(Code::AddressRefused), "{address}");
        }
        let everything = Guard { allowed: vec!["0.0.0.0/0".parse().unwrap()], plain: false };
        assert_eq!(code(&everything, "192.168.0.1"), None);
        assert_eq!(code(&everything, "::1"), Some(Code::AddressRefused), "a version for itself");
        for wrong in ["", "10", "10.0.0.0/33", "10.0.0.1/8", "::/129", "a/8", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_url_has_one_form_and_a_host_in_disguise_resolves_to_what_it_is() {
        let guard = Guard::default();
        assert!(guard.parse("https://hooks.example/a?b=c").is_ok());
        for wrong in [
            "",
            "hooks.example",
            "http://hooks.example/",
            "ftp://hooks.example/",
            "https://",
            "https://user@hooks.example/",
            "https://hooks.example/#x",
            "https://hooks.example/ x",
            "https://hooks.example/\"",
            "file:///etc/passwd",
            "https:///x",
            "/x",
        ] {
            let refused = guard.parse(wrong).map(drop).map_err(|refusal| refusal.code);
            assert_eq!(refused, Err(Code::AddressRefused), "{wrong}");
        }
        let long = format!("https://hooks.example/{}", "x".repeat(MAX_URL));
        assert!(guard.parse(&long).is_err());
        assert!(Guard { plain: true, ..guard.clone() }.parse("http://hooks.example/").is_ok());
        for disguised in
            ["https://127.0.0.1/", "https://[::1]/", "https://[::ffff:7f00:1]/", "https://localhost/"]
        {
            let uri = guard.parse(disguised).unwrap();
            assert_eq!(guard.resolve(&uri).unwrap_err().code, Code::AddressRefused, "{disguised}");
        }
    }
}
