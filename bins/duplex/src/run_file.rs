//! `run.json`: which processes and addresses belong to this data folder while it is in use.

use anyhow::Context as _;
use duplex_local::Identity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What is in the file. Names are `edge`, `projector`, `runner`, `nats`, `postgres`, and `nats_monitor` for an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) pids: BTreeMap<String, u32>,
    pub(crate) ports: BTreeMap<String, u16>,
    /// With passwords: the file is readable by its owner alone.
    pub(crate) urls: BTreeMap<String, String>,
    /// The same processes as in `pids`, told apart from later ones with the same number.
    pub(crate) processes: BTreeMap<String, Identity>,
}

impl Run {
    /// What an earlier run left, if it could not clean up.
    pub(crate) fn left(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    pub(crate) fn process(&mut self, name: &str, process: &Identity) {
        self.pids.insert(name.to_owned(), process.pid);
        self.processes.insert(name.to_owned(), process.clone());
    }

    pub(crate) fn address(&mut self, name: &str, url: &str) {
        let port = url
            .rsplit(':')
            .next()
            .and_then(|rest| rest.split('/').next()?.parse().ok());
        self.urls.insert(name.to_owned(), url.to_owned());
        self.ports.extend(port.map(|port| (name.to_owned(), port)));
    }
}

/// The file; dropping it removes it.
#[derive(Debug)]
pub(crate) struct RunFile {
    path: PathBuf,
    pub(crate) run: Run,
}

impl RunFile {
    pub(crate) fn new(path: PathBuf, run: Run) -> anyhow::Result<Self> {
        let file = Self { path, run };
        file.write()?;
        Ok(file)
    }

    /// Replaces the file whole, so that readers never see half of it.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let doing = || format!("cannot write {}", self.path.display());
        let fresh = self.path.with_extension("json.new");
        let file = File::create(&fresh).with_context(doing)?;
        file.set_permissions(Permissions::from_mode(0o600))
            .with_context(doing)?;
        serde_json::to_writer_pretty(file, &self.run).with_context(doing)?;
        std::fs::rename(fresh, &self.path).with_context(doing)
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gives_its_port() {
        let mut run = Run::default();
        run.address("postgres", "postgres://duplex:pw@127.0.0.1:5433/duplex");
        run.address("nats", "nats://duplex:pw@127.0.0.1:4222");
        let ports = [("nats".to_owned(), 4222), ("postgres".to_owned(), 5433)];
        assert_eq!(run.ports, BTreeMap::from(ports));
    }
}
