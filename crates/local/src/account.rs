//! The user Postgres runs as when we are root, which it refuses to be.

use crate::StartError;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use tokio::process::Command;

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// Whom to become for Postgres: nobody else unless we are root.
    pub(crate) fn for_postgres() -> Result<Option<Self>, StartError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let named = |name| passwd.lines().find_map(|line| parse(line, name));
        named("postgres")
            .or_else(|| named("nobody"))
            .map(Some)
            .ok_or(StartError::NoUser)
    }

    /// Makes this command run as the user.
    pub(crate) fn take_on(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives the user a file or folder.
    pub(crate) fn give(&self, path: &Path) -> Result<(), StartError> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(StartError::io(format!(
            "give {} to {}",
            path.display(),
            self.name
        )))
    }

    /// Checks that the user can come to `path`, which must be absolute.
    pub(crate) fn reaches(&self, path: &Path) -> Result<(), StartError> {
        let closed = path.ancestors().skip(1).find(|folder| !self.enters(folder));
        match closed {
            None => Ok(()),
            Some(folder) => Err(StartError::Unreachable {
                folder: folder.to_owned(),
                user: self.name.clone(),
            }),
        }
    }

    fn enters(&self, folder: &Path) -> bool {
        let Ok(about) = fs::metadata(folder) else {
            return false;
        };
        let bit = match (about.uid() == self.uid, about.gid() == self.gid) {
            (true, _) => 0o100,
            (false, true) => 0o010,
            (false, false) => 0o001,
        };
        about.mode() & bit != 0
    }
}

/// A line of passwd(5), if it is about `name`.
fn parse(line: &str, name: &str) -> Option<Account> {
    let mut fields = line.split(':');
    if fields.next()? != name {
        return None;
    }
    let (uid, gid) = (fields.nth(1)?, fields.next()?);
    Some(Account {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_read_from_its_line() {
        let line = "postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash";
        let postgres = Account {
            name: "postgres".into(),
            uid: 101,
            gid: 104,
        };
        assert_eq!(parse(line, "postgres"), Some(postgres));
        assert_eq!(parse(line, "nobody"), None);
    }
}
