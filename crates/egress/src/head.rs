//! The head of a request to the proxy, read strictly: what two programs could read differently is refused.

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::policy::port_of;

/// The most a head may have, in bytes.
const MOST: usize = 16 * 1024;

/// Headers about one connection, and the one that is written anew.
const DROPPED: [&str; 6] = [
    "connection",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "upgrade",
];

/// What a program in the sandbox asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub host: String,
    pub port: u16,
    /// What to send on before the rest; nothing for a tunnel.
    pub onward: Option<Onward>,
}

/// A plain request as the server gets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Onward {
    pub head: String,
    /// How many bytes of body follow.
    pub body: u64,
}

/// Reads to the empty line. Gives the head and what was read past it; nothing if it is no proper head.
pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Option<(Head, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > MOST || from.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let rest = bytes.split_off(end + 4);
    bytes.truncate(end);
    Some((parse(&bytes)?, rest))
}

fn parse(bytes: &[u8]) -> Option<Head> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.split("\r\n");
    let first = lines.next()?;
    let headers: Vec<_> = lines.map(header).collect::<Option<_>>()?;
    let words: Vec<_> = first.split(' ').collect();
    let [method, target, version] = words[..] else {
        return None;
    };
    let proper = first.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if !proper || !matches!(version, "HTTP/1.1" | "HTTP/1.0") {
        return None;
    }
    if method == "CONNECT" {
        let (host, port) = target.rsplit_once(':')?;
        return Some(Head {
            host: host.to_owned(),
            port: port_of(port)?,
            onward: None,
        });
    }
    plain(method, target, &headers)
}

/// `GET http://host/path`: goes on as `GET /path`, with the host that was checked and no other.
fn plain(method: &str, target: &str, headers: &[(&str, &str)]) -> Option<Head> {
    let target = target.strip_prefix("http://")?;
    let start = target.find(['/', '?']).unwrap_or(target.len());
    let (authority, path) = target.split_at(start);
    let slash = if path.starts_with('/') { "" } else { "/" };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port_of(port)?),
        None => (authority, 80),
    };
    let mut head = format!("{method} {slash}{path} HTTP/1.1\r\nHost: {authority}\r\n");
    for (name, value) in headers {
        if !DROPPED.contains(&name.to_ascii_lowercase().as_str()) {
            head.extend([*name, ": ", *value, "\r\n"]);
        }
    }
    head.push_str("Connection: close\r\n\r\n");
    let body = body(headers)?;
    Some(Head {
        host: host.to_owned(),
        port,
        onward: Some(Onward { head, body }),
    })
}

/// The body's length. Only a length that is said once is understood, so that no second request hides in a body.
fn body(headers: &[(&str, &str)]) -> Option<u64> {
    let all = |wanted: &'static str| {
        let named = move |header: &&(&str, &str)| header.0.eq_ignore_ascii_case(wanted);
        headers.iter().filter(named).map(|header| header.1)
    };
    if all("transfer-encoding").next().is_some() {
        return None;
    }
    let lengths: Vec<_> = all("content-length").collect();
    match lengths[..] {
        [] => Some(0),
        [length] if length.bytes().all(|byte| byte.is_ascii_digit()) => length.parse().ok(),
        _ => None,
    }
}

fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let printed = |byte: u8| byte == b'\t' || (byte >= 0x20 && byte != 0x7f);
    let proper = !name.is_empty() && name.bytes().all(token) && value.bytes().all(printed);
    proper.then(|| (name, value.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_plain_request_goes_on_with_the_host_that_is_checked() {
        let asked = "POST http://a.org:81/x?y HTTP/1.1\r\nHost: evil.org\r\nAccept: */*\r\nContent-Length: 3\r\nProxy-Connection: keep-alive";
        let head = parse(asked.as_bytes()).unwrap();

        let onward = "POST /x?y HTTP/1.1\r\nHost: a.org:81\r\nAccept: */*\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";
        let onward = Onward {
            head: onward.to_owned(),
            body: 3,
        };
        assert_eq!(
            head,
            Head {
                host: "a.org".to_owned(),
                port: 81,
                onward: Some(onward)
            }
        );
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for head in [
            "CONNECT a.org HTTP/1.1",
            "CONNECT a.org:443",
            "CONNECT a\0.org:443 HTTP/1.1",
            "CONNECT a.org:443 HTTP/2",
            "GET /x HTTP/1.1",
            "GET file:///etc/passwd HTTP/1.1",
            "GET http://a.org/\u{1} HTTP/1.1",
            "GET http://a.org/ HTTP/1.1\r\nA : b",
            "GET http://a.org/ HTTP/1.1\r\nA: b\n c",
            "GET http://a.org/ HTTP/1.1\r\n folded",
            "POST http://a.org/ HTTP/1.1\r\nTransfer-Encoding: chunked",
            "POST http://a.org/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
            "POST http://a.org/ HTTP/1.1\r\nContent-Length: +1",
        ] {
            assert_eq!(parse(head.as_bytes()), None, "{head:?}");
        }
    }
}
