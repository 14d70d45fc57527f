//! Which addresses are asked for revocation data. They come out of X.509 certificates, that is, from outside: so only
//! plain `http` is spoken, and nobody is led into this network unless its operator says so.
//!
//! The guard stands where names become addresses, at every connection: a name that says another address the second
//! time says it to the guard.
//!
//! Source: RFC 6890 and its registries of special-purpose addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use zeugma_types::{Code, Refusal};

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Addresses of the public network.
    Public,
    /// Any address: an authority of the operator's own network, or a test's.
    Anywhere,
}

/// Checks the form of an address: `http`, a host, no user.
///
/// # Errors
/// [`Code::AddressRefused`].
pub(crate) fn check(url: &str) -> Result<(), Refusal> {
    let refused = |needed: &'static str| {
        Err(Refusal::new(Code::AddressRefused)
            .needed(needed)
            .found(url.chars().take(128).collect::<String>()))
    };
    let Ok(uri) = url.parse::<Uri>() else { return refused("an address") };
    if uri.scheme_str() != Some("http") {
        return refused("http://");
    }
    match uri.authority() {
        Some(authority) if !authority.as_str().contains('@') && !authority.host().is_empty() => Ok(()),
        _ => refused("a host without a user"),
    }
}

/// Whether an address is one of the public network.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127 | 224..=255, ..] => true,
        [100, second, ..] => second & 0xc0 == 64,
        [169, 254, ..] | [192, 168, ..] => true,
        [172, second, ..] => second & 0xf0 == 16,
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        [198, second, ..] => second & 0xfe == 18,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // Addresses that stand for one of the older kind: mapped, translated, and of 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Documentation, and what tunnels or is for tests.
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [0x2001, second, ..] => second >= 0x0200,
        // Global unicast is 2000::/3; what is not of it is of no public network.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Names to addresses, those alone that may be asked.
#[derive(Debug)]
pub(crate) struct Guard(pub(crate) Reach);

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let mut kept = self.empty();
        for address in found.iter().filter(|one| self.0 == Reach::Anywhere || is_public(one.ip())) {
            kept.push(*address);
        }
        if kept.is_empty() {
            let why = "the name leads to no address of the public network";
            return Err(Error::Io(std::io::Error::new(std::io::ErrorKind::PermissionDenied, why)));
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may")]

    use super::*;

    #[test]
    fn addresses_of_this_machine_and_of_private_networks_are_not_public() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
            "64:ff9b:1::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "9.9.9.9",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "2001:4860::8888",
            "::ffff:9.9.9.9",
            "64:ff9b::909:909",
            "2002:909:909::",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_address_is_http_with_a_host_and_no_user() {
        for good in ["http://ocsp.example", "http://ocsp.example:8080/a?b", "http://[::1]/x"] {
            check(good).unwrap();
        }
        for bad in [
            "",
            "https://a.example",
            "ldap://a.example",
            "file:///etc/passwd",
            "http://",
            "//a",
            "http://u:p@a/",
        ] {
            assert_eq!(check(bad).unwrap_err().code, Code::AddressRefused, "{bad}");
        }
    }
}
