//! Finding the programs of a Postgres that is new enough.

use crate::StartError;
use crate::process::on_path;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The oldest major version of Postgres that will do.
pub const OLDEST_POSTGRES: u32 = 15;

/// Where Debian, Ubuntu and others keep the versions beside each other.
const VERSIONS: [&str; 2] = ["/usr/lib/postgresql", "/usr/local/pgsql"];

/// One installed Postgres.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresBinaries {
    /// The folder with `postgres`, `initdb` and `psql`.
    pub folder: PathBuf,
    /// Its major version.
    pub major: u32,
}

impl PostgresBinaries {
    /// One of its programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Finds the newest installed Postgres, or the one of version `major`.
///
/// # Errors
/// When there is none, or only older ones.
pub async fn find_postgres(major: Option<u32>) -> Result<PostgresBinaries, StartError> {
    let mut found = Vec::new();
    for folder in folders() {
        if let Ok(binaries) = check(&folder).await {
            found.push(binaries);
        }
    }
    let wanted = |b: &&PostgresBinaries| major.is_none_or(|major| b.major == major);
    let newest = found.iter().filter(wanted).max_by_key(|b| b.major);
    match newest {
        Some(newest) if newest.major >= OLDEST_POSTGRES => Ok(newest.clone()),
        Some(old) => Err(too_old(old)),
        None => Err(StartError::Missing {
            program: "Postgres",
            or: "use a server that runs already with --postgres",
        }),
    }
}

fn too_old(old: &PostgresBinaries) -> StartError {
    StartError::TooOld {
        path: old.program("postgres"),
        found: old.major.to_string(),
        needed: OLDEST_POSTGRES.to_string(),
        because: "older ones are not tested",
    }
}

/// Folders that hold all three programs.
fn folders() -> Vec<PathBuf> {
    let on_path =
        on_path("postgres").and_then(|file| Some(file.canonicalize().ok()?.parent()?.to_owned()));
    let installed = VERSIONS
        .iter()
        .flat_map(std::fs::read_dir)
        .flatten()
        .flatten();
    let installed = installed.map(|version| version.path().join("bin"));
    on_path
        .into_iter()
        .chain(installed)
        .filter(|folder| is_whole(folder))
        .collect()
}

fn is_whole(folder: &Path) -> bool {
    ["postgres", "initdb", "psql"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

async fn check(folder: &Path) -> Result<PostgresBinaries, StartError> {
    let path = folder.join("postgres");
    let output = Command::new(&path).arg("--version").output().await;
    let output = output.map_err(StartError::io(format!("run {}", path.display())))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match parse(&said) {
        Some(major) => Ok(PostgresBinaries {
            folder: folder.to_owned(),
            major,
        }),
        None => Err(StartError::NoVersion { path, said }),
    }
}

/// The major version in `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn parse(said: &str) -> Option<u32> {
    let version = said.strip_prefix("postgres (PostgreSQL) ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_major_version_is_read_from_what_postgres_prints() {
        assert_eq!(
            parse("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"),
            Some(15)
        );
        assert_eq!(parse("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse("something else"), None);
    }
}
