//! Control groups: bounds for all processes of a session together, where this server may make groups.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Processes of one session.
const PIDS: &str = "1024";
/// Memory of one session, in bytes, with what lies in its private file systems.
const MEMORY: &str = "3221225472";

/// The groups that sessions' groups can be made in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Groups {
    pids: Result<Parent, String>,
    memory: Result<Parent, String>,
}

/// A group of the server's own, and the file in which a group below it is given its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Parent {
    folder: PathBuf,
    file: &'static str,
    value: &'static str,
}

impl Groups {
    /// Looks for both versions of control groups, and tries whether a group can be made.
    pub(super) fn find() -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self {
            pids: parent(&own, "pids", ["pids.max", "pids.max"], PIDS),
            memory: parent(
                &own,
                "memory",
                ["memory.limit_in_bytes", "memory.max"],
                MEMORY,
            ),
        }
    }

    #[cfg(test)]
    pub(super) fn none(why: &str) -> Self {
        Self {
            pids: Err(why.to_owned()),
            memory: Err(why.to_owned()),
        }
    }

    pub(super) fn pids(&self) -> Result<(), String> {
        self.pids.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    pub(super) fn memory(&self) -> Result<(), String> {
        self.memory.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    /// The arguments with which the outer stage joins the groups of `session`.
    pub(super) fn enter(&self, session: &str) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        for parent in [&self.pids, &self.memory].into_iter().flatten() {
            let folder = parent.folder.join(format!("duplex-{session}"));
            args.push("--group".into());
            args.push(folder.into());
            args.extend([parent.file, parent.value].map(OsString::from));
        }
        args
    }
}

/// The server's own group for a controller, if groups with limits can be made below it.
fn parent(
    own: &str,
    controller: &str,
    files: [&'static str; 2],
    value: &'static str,
) -> Result<Parent, String> {
    let [first, second] = files;
    let found = [
        (version_1(own, controller), first),
        (version_2(own), second),
    ];
    let mut why = "there are no control groups here".to_owned();
    for (folder, file) in found {
        match folder.map(|folder| usable(&folder, file).map(|()| folder)) {
            Some(Ok(folder)) => {
                return Ok(Parent {
                    folder,
                    file,
                    value,
                });
            }
            Some(Err(problem)) => why = problem,
            None => {}
        }
    }
    Err(why)
}

fn version_1(own: &str, controller: &str) -> Option<PathBuf> {
    let line = own.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let named = controllers.split(',').any(|name| name == controller);
        named.then_some((controllers, path))
    });
    let (controllers, path) = line?;
    let mount = Path::new("/sys/fs/cgroup").join(controllers);
    Some(mount.join(path.trim_start_matches('/')))
}

fn version_2(own: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    unified.then(|| Path::new("/sys/fs/cgroup").join(path))
}

fn usable(folder: &Path, file: &str) -> Result<(), String> {
    let trial = folder.join(format!("duplex-trial-{}", std::process::id()));
    fs::create_dir(&trial)
        .map_err(|error| format!("no group can be made below {}: {error}", folder.display()))?;
    let there = trial.join(file).exists();
    let _ = fs::remove_dir(&trial);
    if there {
        return Ok(());
    }
    Err(format!(
        "groups below {} have no {file}: delegate the controller to this server",
        folder.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_is_found_in_both_versions() {
        let own = "8:pids:/a\n4:cpu,memory:/b/c\n0::/d\n";

        assert_eq!(version_1(own, "pids"), Some("/sys/fs/cgroup/pids/a".into()));
        assert_eq!(
            version_1(own, "memory"),
            Some("/sys/fs/cgroup/cpu,memory/b/c".into())
        );
        assert_eq!(version_1("0::/d\n", "pids"), None);
    }
}
