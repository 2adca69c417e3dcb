//! Which hosts this server answers for.
//!
//! A page in somebody's browser can make that browser send requests here under any name that its
//! author points at this address (DNS rebinding), and read the answers as its own. It cannot make
//! the browser name a host that is not the author's: whatever else is named is turned away.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode, Uri};

/// The names that are ours, without ports.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    names: BTreeSet<String>,
}

impl Hosts {
    /// The configured names, beside those of the machine itself.
    pub(crate) fn new(configured: &[String]) -> Self {
        let own = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let configured = configured.iter().map(|name| name.to_ascii_lowercase());
        Self { names: own.into_iter().chain(configured).collect() }
    }

    /// Whether a request that came to the address `at` of this machine names a host of ours.
    ///
    /// # Errors
    /// 400 where it names none or several, 421 where it names another.
    pub(crate) fn admit(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        at: Option<IpAddr>,
    ) -> Result<(), StatusCode> {
        let mut named = headers.get_all(HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else {
            return Err(StatusCode::BAD_REQUEST);
        };
        let host = host.to_str().map_err(|_| StatusCode::BAD_REQUEST)?;
        // An address in full names a host of its own, which goes before the header's.
        let whole = uri.authority().map(|authority| authority.as_str());
        if [Some(host), whole].into_iter().flatten().all(|host| self.is_ours(host, at)) {
            Ok(())
        } else {
            Err(StatusCode::MISDIRECTED_REQUEST)
        }
    }

    fn is_ours(&self, host: &str, at: Option<IpAddr>) -> bool {
        let Some(name) = name(host) else { return false };
        if self.names.contains(name) || self.names.contains(&name.to_ascii_lowercase()) {
            return true;
        }
        // An address is no name that somebody could point here: the one that was called is ours.
        let address = name.trim_start_matches('[').trim_end_matches(']');
        let address = address.parse::<IpAddr>().ok().map(|address| address.to_canonical());
        address.is_some() && address == at.map(|at| at.to_canonical())
    }
}

/// A host without its port; `None` where it is not one.
fn name(host: &str) -> Option<&str> {
    let end = host.rfind(']').map_or(0, |at| at + 1);
    let (name, port) = match host[end..].rfind(':') {
        Some(at) => (&host[..end + at], &host[end + at + 1..]),
        None => (host, ""),
    };
    let bracketed = name.starts_with('[') && name.ends_with(']');
    let plain = |name: &str| {
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
    };
    let named = !name.is_empty() && (bracketed || plain(name));
    (named && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(hosts: &[&str], target: &'static str, at: &str) -> Result<(), StatusCode> {
        let configured = ["Kho.Example.vn".to_owned()];
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().expect("a value"));
        }
        Hosts::new(&configured).admit(&Uri::from_static(target), &headers, at.parse().ok())
    }

    #[test]
    fn only_names_of_ours_are_answered() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:9",
            "[::1]:8080",
            "kho.example.vn",
            "KHO.example.vn:443",
            "192.0.2.7:8080",
        ] {
            assert_eq!(asked(&[host], "/", "192.0.2.7"), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "kho.example.vn.evil.example",
            "192.0.2.8",
            "localhost:80@evil.example",
            "evil.example:localhost",
            "",
            ":8080",
            "a b",
        ] {
            let status = Err(StatusCode::MISDIRECTED_REQUEST);
            assert_eq!(asked(&[host], "/", "192.0.2.7"), status, "{host}");
        }
    }

    #[test]
    fn a_request_names_one_host() {
        assert_eq!(asked(&[], "/", "127.0.0.1"), Err(StatusCode::BAD_REQUEST));
        let two = asked(&["localhost", "localhost"], "/", "127.0.0.1");
        assert_eq!(two, Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn an_address_in_full_counts_too() {
        let ours = asked(&["localhost"], "http://localhost:8080/", "127.0.0.1");
        assert_eq!(ours, Ok(()));
        let other = asked(&["localhost"], "http://evil.example/", "127.0.0.1");
        assert_eq!(other, Err(StatusCode::MISDIRECTED_REQUEST));
    }
}
