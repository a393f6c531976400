//! Addresses by their networks: who is named, and who counts as one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// How much of a version 4 address tells one neighbourhood from another.
const NEIGHBOURHOOD_V4: u8 = 24;
/// The same of a version 6 address: what one connection to the internet is given.
const NEIGHBOURHOOD_V6: u8 = 64;

/// An address, or all that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// The beginning; the rest of its bits are zero.
    base: IpAddr,
    /// How many bits are the beginning.
    bits: u8,
}

/// The text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address and no network; write it like 10.0.0.7 or 10.0.0.0/24")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let parse = || {
            let (address, bits) = match text.trim().split_once('/') {
                Some((address, bits)) => (address, Some(bits.parse().ok()?)),
                None => (text.trim(), None),
            };
            let address: IpAddr = address.parse().ok()?;
            let whole = width(address);
            let bits = bits.unwrap_or(whole);
            // A network with bits behind its beginning is a mistake that would name more than was meant.
            let network = Self::of(address, bits);
            (bits <= whole && network.base == address).then_some(network)
        };
        parse().ok_or_else(|| NetworkError(text.trim().to_owned()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl Network {
    /// The network of so many bits that an address lies in.
    fn of(address: IpAddr, bits: u8) -> Self {
        let base = match address {
            IpAddr::V4(v4) => {
                let kept = u32::MAX.checked_shl(32 - u32::from(bits.min(32)));
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & kept.unwrap_or(0)))
            }
            IpAddr::V6(v6) => {
                let kept = u128::MAX.checked_shl(128 - u32::from(bits.min(128)));
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & kept.unwrap_or(0)))
            }
        };
        Self { base, bits }
    }

    /// Whose limits an address shares: a /24 of version 4, a /64 of version 6.
    #[must_use]
    pub fn around(address: IpAddr) -> Self {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Self::of(v4, NEIGHBOURHOOD_V4),
            v6 @ IpAddr::V6(_) => Self::of(v6, NEIGHBOURHOOD_V6),
        }
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.base) && Self::of(address, self.bits).base == self.base
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_lies_in_the_networks_that_begin_like_it() {
        let cases = [
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.8", false),
            ("10.0.0.0/24", "10.0.0.255", true),
            ("10.0.0.0/24", "10.0.1.0", false),
            ("10.0.0.0/24", "::ffff:10.0.0.9", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ];
        for (network, address, inside) in cases {
            let found = network.parse::<Network>().unwrap().contains(ip(address));
            assert_eq!(found, inside, "{network} {address}");
        }
    }

    #[test]
    fn what_is_no_network_is_told() {
        for not in [
            "",
            "proxy",
            "10.0.0.0/33",
            "10.0.0.7/24",
            "::/129",
            "10.0.0.7:80",
        ] {
            assert!(not.parse::<Network>().is_err(), "{not}");
        }
    }

    #[test]
    fn neighbours_share_a_network() {
        let around = |text| Network::around(ip(text)).to_string();
        assert_eq!(around("203.0.113.9"), "203.0.113.0/24");
        assert_eq!(around("::ffff:203.0.113.9"), "203.0.113.0/24");
        assert_eq!(around("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
    }
}
