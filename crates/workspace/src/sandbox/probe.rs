//! Trying the sandbox out, and telling the operator what to do when it does not work.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::Launch;

const PATIENCE: Duration = Duration::from_secs(10);
const APPARMOR: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
const CLONE: &str = "/proc/sys/kernel/unprivileged_userns_clone";

/// Why there is no sandbox. There is no silent fallback: the operator decides.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The program is not installed.
    #[error(
        "{0} was not found: install it (Debian, Ubuntu, Fedora: package bubblewrap), or start with --sandbox=off to run agents without one"
    )]
    Missing(PathBuf),
    /// The program has more rights than who starts it.
    #[error(
        "{0} is set-user-id or has capabilities, so that a hole in it gives them to a session: take them away (chmod u-s,g-s {0}; setcap -r {0}), since the kernel's user namespaces are enough"
    )]
    GivesRights(PathBuf),
    /// Duplex's own part is not where it belongs.
    #[error(
        "{0} was not found: build and install duplex-sandbox beside this program (`cargo build -p duplex-sandbox`)"
    )]
    NoInner(PathBuf),
    /// The program could not be run.
    #[error("{program} could not be run: {source}")]
    Start {
        /// Which program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program ran and could not make a sandbox.
    #[error(
        "the sandbox does not work on this machine: {output}; {advice}, or start with --sandbox=off to run agents without one"
    )]
    Refused {
        /// What bubblewrap said.
        output: String,
        /// What the operator can do.
        advice: &'static str,
    },
}

/// Runs it, expects it to succeed, and gives back what it printed.
pub(super) async fn try_out(launch: &Launch) -> Result<String, SandboxError> {
    let program = &launch.program;
    let mut command = Command::new(program);
    command
        .args(&launch.args)
        .env_clear()
        .current_dir(&launch.cwd)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let Ok(ran) = tokio::time::timeout(PATIENCE, command.output()).await else {
        return Err(refused("no answer within 10 s"));
    };
    match ran {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => Err(refused(String::from_utf8_lossy(&output.stderr).trim())),
        Err(source) => Err(SandboxError::Start {
            program: program.clone(),
            source,
        }),
    }
}

fn refused(output: &str) -> SandboxError {
    SandboxError::Refused {
        output: output.to_owned(),
        advice: advice(output, is(APPARMOR, "1"), is(CLONE, "0")),
    }
}

fn is(file: &str, value: &str) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.trim() == value)
}

fn advice(output: &str, apparmor: bool, clone_off: bool) -> &'static str {
    if output.contains("nknown option") {
        return "install bubblewrap 0.8 or newer";
    }
    if output.contains("duplex-sandbox: ") {
        return "a kernel with seccomp is needed (CONFIG_SECCOMP_FILTER), and all of Duplex's programs of one version";
    }
    if apparmor {
        return "AppArmor forbids it here, as Ubuntu does since 24.04: give /usr/bin/bwrap an AppArmor profile with \
                `userns,`, or set the sysctl kernel.apparmor_restrict_unprivileged_userns to 0";
    }
    if clone_off {
        return "set the sysctl kernel.unprivileged_userns_clone to 1";
    }
    "inside a container, allow it user namespaces and an unmasked /proc (Docker: --security-opt seccomp=unconfined \
     --security-opt systempaths=unconfined)"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_own_advice() {
        let uid_map = "bwrap: setting up uid map: Permission denied";

        assert_eq!(
            advice("bwrap: Unknown option --size", true, true),
            "install bubblewrap 0.8 or newer"
        );
        assert!(
            advice("duplex-sandbox: could not install the filter", false, false)
                .contains("seccomp")
        );
        assert!(
            advice(uid_map, true, false).contains("kernel.apparmor_restrict_unprivileged_userns")
        );
        assert!(advice(uid_map, false, true).contains("kernel.unprivileged_userns_clone"));
        assert!(advice("bwrap: Can't mount proc", false, false).contains("container"));
    }
}
