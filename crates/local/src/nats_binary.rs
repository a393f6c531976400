//! Finding a nats-server that keeps what it acknowledges.

use crate::StartError;
use crate::files::last_line_of;
use crate::process::on_path;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The oldest nats-server that keeps our promises.
pub const OLDEST_NATS: Version = (2, 14, 6);

type Version = (u64, u64, u64);

/// A nats-server that is new enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsBinary {
    /// The program.
    pub path: PathBuf,
    /// Its version, such as `2.15.1`.
    pub version: String,
}

/// Finds nats-server: the one `DUPLEX_NATS_SERVER` names, else the first on `PATH` that is new enough, else the newest
/// that `make setup` fetched.
///
/// # Errors
/// When there is none, or when all are too old.
pub async fn find_nats() -> Result<NatsBinary, StartError> {
    if let Some(named) = std::env::var_os("DUPLEX_NATS_SERVER") {
        return check(Path::new(&named)).await;
    }
    let mut refused = None;
    for path in on_path("nats-server").into_iter().chain(fetched()) {
        match check(&path).await {
            Ok(found) => return Ok(found),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or(StartError::Missing {
        program: "nats-server",
        or: "name one with DUPLEX_NATS_SERVER",
    }))
}

/// Checks the version of one nats-server.
pub(crate) async fn check(path: &Path) -> Result<NatsBinary, StartError> {
    let output = Command::new(path)
        .arg("--version")
        .output()
        .await
        .map_err(StartError::io(format!("run {}", path.display())))?;
    let said = last_line_of(&output.stdout);
    let Some(version) = parse(&said) else {
        return Err(StartError::NoVersion {
            path: path.to_owned(),
            said,
        });
    };
    if version < OLDEST_NATS {
        return Err(too_old(path, version));
    }
    Ok(NatsBinary {
        path: path.to_owned(),
        version: text(version),
    })
}

fn too_old(path: &Path, found: Version) -> StartError {
    StartError::TooOld {
        path: path.to_owned(),
        found: text(found),
        needed: text(OLDEST_NATS),
        because: "older ones lose acknowledged events",
    }
}

/// What `make setup` put in the cache, newest first.
fn fetched() -> Vec<PathBuf> {
    let Some(home) = std::env::var_os("HOME") else {
        return Vec::new();
    };
    let cache = Path::new(&home).join(".cache/duplex/nats");
    let mut versions: Vec<_> = std::fs::read_dir(cache)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|folder| Some((parse(folder.file_name().to_str()?)?, folder.path())))
        .collect();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder.join("nats-server"))
        .filter(|file| file.is_file())
        .collect()
}

/// The version in `nats-server: v2.15.1`, or in `2.15.1`; what follows a `-` is left out.
fn parse(text: &str) -> Option<Version> {
    let word = text.split_whitespace().next_back()?;
    let word = word.strip_prefix('v').unwrap_or(word);
    let mut parts = word.split('-').next()?.split('.');
    let version = (
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    );
    Some(version)
}

fn text((major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_the_server_prints() {
        assert_eq!(parse("nats-server: v2.15.1"), Some((2, 15, 1)));
        assert_eq!(parse("nats-server: v2.16.0-RC.1"), Some((2, 16, 0)));
        assert_eq!(parse("something else"), None);
    }
}
