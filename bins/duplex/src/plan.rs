//! What `duplex up` is about to do, checked before anything starts.

use crate::config::{NatsSync, Sandbox, Up, default_data, home};
use anyhow::{Context as _, bail, ensure};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// The three processes, in the order in which they are told of.
pub(crate) const PROCESSES: [&str; 3] = ["projector", "runner", "edge"];

/// Everything `duplex up` needs to know.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    /// Where browsers see the page besides at its own address.
    pub(crate) public: Vec<String>,
    /// The certificate and its key.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// The proxies whose word counts, with commas.
    pub(crate) proxies: String,
    pub(crate) nats: Option<(String, Option<String>)>,
    pub(crate) nats_sync: NatsSync,
    pub(crate) postgres: Option<String>,
    pub(crate) roots: OsString,
    pub(crate) workspaces: OsString,
    pub(crate) sandbox: Sandbox,
    pub(crate) anthropic_base_url: Option<String>,
    /// The folder with the programs of the three processes.
    pub(crate) programs: PathBuf,
}

impl Plan {
    pub(crate) fn check(up: Up) -> anyhow::Result<Self> {
        check_doors(&up)?;
        let data = up.data.or_else(default_data);
        let mut roots = up.roots;
        if roots.is_empty() {
            roots.extend(home());
        }
        Ok(Self {
            data: data.context("there is no home folder: choose a data folder with --data")?,
            programs: programs()?,
            tls: up.tls_cert.zip(up.tls_key).map(whole).transpose()?,
            proxies: up.proxies.join(","),
            public: up.origins,
            listen: up.listen,
            nats: up.nats.map(|url| (url, up.nats_monitor)),
            nats_sync: up.nats_sync,
            postgres: up.postgres,
            roots: folders("--root", &roots)?,
            workspaces: folders("--workspace", &up.workspaces)?,
            sandbox: up.sandbox,
            anthropic_base_url: up.anthropic_base_url,
        })
    }

    /// Checks that the page's address is free, and settles port 0.
    pub(crate) fn settle_address(&mut self) -> anyhow::Result<()> {
        self.listen = free(self.listen)?;
        Ok(())
    }

    /// The origins from which browsers may come, with commas.
    pub(crate) fn origins(&self) -> String {
        origins(self.scheme(), self.listen, &self.public)
    }

    /// Where this machine reaches the page, also when it listens on all its addresses.
    pub(crate) fn reached_at(&self) -> SocketAddr {
        match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => {
                (Ipv4Addr::LOCALHOST, self.listen.port()).into()
            }
            IpAddr::V6(ip) if ip.is_unspecified() => {
                (Ipv4Addr::LOCALHOST, self.listen.port()).into()
            }
            _ => self.listen,
        }
    }

    /// The address to print.
    pub(crate) fn page(&self) -> String {
        format!("{}://{}", self.scheme(), self.reached_at())
    }

    fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// The edge refuses the same; here it is told before anything starts.
fn check_doors(up: &Up) -> anyhow::Result<()> {
    if up.tls_cert.is_some() || !up.proxies.is_empty() {
        return Ok(());
    }
    ensure!(
        up.listen.ip().to_canonical().is_loopback(),
        "{} would be served unencrypted to whoever reaches it: listen on 127.0.0.1, or give a certificate with \
         --tls-cert and --tls-key, or name the proxy that encrypts with --proxy",
        up.listen
    );
    let promised = up
        .origins
        .iter()
        .find(|origin| origin.starts_with("https:"));
    if let Some(origin) = promised {
        bail!(
            "{origin} says https, but nothing encrypts: give a certificate with --tls-cert and --tls-key, or name \
             the proxy that encrypts with --proxy"
        );
    }
    Ok(())
}

/// The processes have folders of their own; files are named from the root.
fn whole((certificate, key): (PathBuf, PathBuf)) -> anyhow::Result<(PathBuf, PathBuf)> {
    let whole = |flag: &str, path: &Path| {
        let found = path.is_file().then(|| std::path::absolute(path).ok());
        found
            .flatten()
            .with_context(|| format!("{flag} {} is no file", path.display()))
    };
    Ok((
        whole("--tls-cert", &certificate)?,
        whole("--tls-key", &key)?,
    ))
}

fn free(listen: SocketAddr) -> anyhow::Result<SocketAddr> {
    match TcpListener::bind(listen).and_then(|listener| listener.local_addr()) {
        Ok(address) => Ok(address),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "{listen} is already in use: stop what listens there, or choose another address with --listen"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on {listen}")),
    }
}

/// Those given, and this machine's own two.
fn origins(scheme: &str, listen: SocketAddr, given: &[String]) -> String {
    let own = [
        format!("{scheme}://{listen}"),
        format!("{scheme}://localhost:{}", listen.port()),
    ];
    let all: Vec<_> = given.iter().chain(&own).map(String::as_str).collect();
    all.join(",")
}

/// The folder of this program, which must hold the other three.
fn programs() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    let folder = own.parent().context("this program lies in no folder")?;
    for process in PROCESSES {
        let program = program(folder, process);
        ensure!(
            program.is_file(),
            "{} is missing: build all of Duplex with `make build`",
            program.display()
        );
    }
    Ok(folder.to_owned())
}

pub(crate) fn program(folder: &Path, process: &str) -> PathBuf {
    folder.join(format!("duplex-{process}"))
}

/// Absolute folders, joined by colons.
fn folders(flag: &str, given: &[PathBuf]) -> anyhow::Result<OsString> {
    let mut whole = Vec::new();
    for path in given {
        let found = path.canonicalize().ok().filter(|path| path.is_dir());
        whole.push(found.with_context(|| format!("{flag} {} is no folder", path.display()))?);
    }
    std::env::join_paths(whole)
        .with_context(|| format!("a folder of {flag} has a colon in its name"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn browsers_may_come_from_this_machine_and_from_the_public_name() {
        let listen = "127.0.0.1:7700".parse().unwrap();
        assert_eq!(
            origins("http", listen, &["https://duplex.example.org".into()]),
            "https://duplex.example.org,http://127.0.0.1:7700,http://localhost:7700"
        );
    }

    #[test]
    fn a_folder_that_is_none_is_told_by_its_flag() {
        let error = folders("--root", &["/no/such/folder".into()]).unwrap_err();
        assert_eq!(error.to_string(), "--root /no/such/folder is no folder");
    }
}
