//! The bubblewrap command line: what a sandboxed process sees, and nothing else.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use super::groups::Groups;
use super::report::Report;
use super::{Launch, SandboxError, beside, probe};
use crate::Worktree;
use crate::repository::borrowed;

/// Sizes of the private memory file systems, in bytes.
const TMP_BYTES: &str = "1073741824";
const SHM_BYTES: &str = "67108864";
const GIT_BYTES: &str = "16777216";

/// Where the inner stage lies inside. It sets limits and builds the walls that a process must build around itself.
const INNER: &str = "/duplex-sandbox";
/// Where a sandbox with a way out finds the socket of the egress proxy.
const PROXY_SOCKET: &str = "/duplex-proxy";

/// Folders that hold programs and libraries. A link is shown as the same link.
const SYSTEM: [&str; 7] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
];

/// The parts of `/etc` that programs need and that hold no secret. `/etc/ssl/private` is why this is no whole folder.
const ETC: [&str; 20] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/nsswitch.conf",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/alternatives",
    "/etc/terminfo",
    "/etc/inputrc",
    "/etc/bash.bashrc",
    "/etc/os-release",
    "/etc/debian_version",
    "/etc/mime.types",
    "/etc/protocols",
    "/etc/services",
    "/etc/fonts",
    "/etc/magic",
];

/// Files about the whole machine that its root may read, and so, where the server is root, a mapped user too.
const MASKED: [&str; 6] = [
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/timer_list",
    "/proc/sysrq-trigger",
];

/// Bubblewrap, found and tried.
#[derive(Clone, Debug)]
pub struct Bubblewrap {
    /// The program.
    pub program: PathBuf,
    /// The program that is started first inside, `duplex-sandbox`.
    pub inner: PathBuf,
    /// Folders of the host that may be read besides the system's, such as a toolchain outside `/usr`.
    pub readable: Vec<PathBuf>,
    /// The socket of the egress proxy for these sandboxes; without one there is no network.
    pub proxy: Option<PathBuf>,
    pub(super) report: Report,
    groups: Groups,
    system: Args,
}

impl Bubblewrap {
    /// Tries `program` with everything a real command will be started with.
    pub async fn probe(program: &Path) -> Result<Self, SandboxError> {
        if !program.is_file() {
            return Err(SandboxError::Missing(program.to_owned()));
        }
        let inner = beside("duplex-sandbox");
        if !inner.is_file() {
            return Err(SandboxError::NoInner(inner));
        }
        let mut bubblewrap = Self {
            program: program.to_owned(),
            inner,
            readable: Vec::new(),
            proxy: None,
            report: Report::off(),
            groups: Groups::find(),
            system: system(),
        };
        let mut args = bubblewrap.base();
        args.words("--new-session --remount-ro / --");
        args.words(INNER).words("inner --write /tmp --report");
        let launch = bubblewrap.outer(args.0, "probe", Vec::new(), PathBuf::from("/"));
        let inside = probe::try_out(&launch).await?;
        bubblewrap.report = Report::bubblewrap(&inside, &bubblewrap.groups);
        Ok(bubblewrap)
    }

    pub(super) fn launch(
        &self,
        worktree: &Worktree,
        command: &[String],
        env: Vec<(String, String)>,
        cwd: &Path,
        terminal: bool,
    ) -> Launch {
        let mut args = self.base();
        if !terminal {
            // Without this a command could type into the terminal the server was started from (TIOCSTI).
            args.flag("--new-session");
        }
        for (name, value) in &env {
            args.flags(["--setenv", name, value]);
        }
        for path in &self.readable {
            args.same("--ro-bind-try", path);
        }
        generated(&mut args, worktree);
        args.same("--bind", &worktree.home);
        git_folder(&mut args, worktree);
        args.same("--bind", &worktree.tree)
            .same("--ro-bind", &worktree.tree.join(".git"));
        args.flags(["--remount-ro", "/"]).flag("--chdir").flag(cwd);
        self.inside(&mut args, worktree);
        args.0.extend(command.iter().map(OsString::from));
        // The launcher's own environment is readable inside as that of process 1: it must be as clean.
        self.outer(args.0, &session(worktree), env, worktree.tree.clone())
    }

    /// The inner stage, and what it is told to let through.
    fn inside(&self, args: &mut Args, worktree: &Worktree) {
        args.words("--").flag(INNER).flag("inner");
        let writable = [&worktree.tree, &worktree.home, &worktree.common];
        for path in writable.map(PathBuf::as_path) {
            args.flag("--write").flag(path);
        }
        args.words("--write /tmp --write /dev");
        if self.proxy.is_some() {
            args.flag("--forward").flag(PROXY_SOCKET);
        }
        args.flag("--");
    }

    /// Bubblewrap with these arguments, in the session's control groups where there are any.
    fn outer(
        &self,
        args: Vec<OsString>,
        session: &str,
        env: Vec<(String, String)>,
        cwd: PathBuf,
    ) -> Launch {
        let (program, args) = match self.groups.enter(session) {
            Some(mut enter) => {
                enter.push("--".into());
                enter.push(self.program.clone().into());
                enter.extend(args);
                (self.inner.clone(), enter)
            }
            None => (self.program.clone(), args),
        };
        Launch {
            program,
            args,
            env,
            cwd,
        }
    }

    /// All that does not depend on the session.
    fn base(&self) -> Args {
        let mut args = Args::default();
        args.words("--unshare-all --unshare-user --disable-userns --uid 1000 --gid 1000");
        args.words(
            "--cap-drop ALL --hostname duplex --die-with-parent --clearenv --proc /proc --dev /dev",
        );
        args.0.extend_from_slice(&self.system.0);
        // Where the server is root the kernel takes a mapped user for it in /proc/sys and /proc/sysrq-trigger, which
        // name programs that run outside and restart the machine. Bubblewrap leaves them writable; this does not.
        args.words("--remount-ro /proc");
        args.words(&format!(
            "--size {SHM_BYTES} --tmpfs /dev/shm --remount-ro /dev"
        ));
        args.words(&format!(
            "--size {TMP_BYTES} --tmpfs /tmp --dir /run --dir /var --symlink /tmp /var/tmp"
        ));
        args.flag("--ro-bind").flag(&self.inner).flag(INNER);
        if let Some(socket) = &self.proxy {
            args.flag("--ro-bind").flag(socket).flag(PROXY_SOCKET);
        }
        args
    }
}

/// The folder that a session's tree and home lie in is named after it.
fn session(worktree: &Worktree) -> String {
    let folder = worktree.tree.parent().and_then(Path::file_name);
    folder.unwrap_or_default().to_string_lossy().into_owned()
}

fn system() -> Args {
    let mut args = Args::default();
    for path in SYSTEM.map(Path::new) {
        match fs::read_link(path) {
            Ok(target) => args.flag("--symlink").flag(target).flag(path),
            Err(_) => args.same("--ro-bind-try", path),
        };
    }
    for path in ETC {
        args.same("--ro-bind-try", Path::new(path));
    }
    for path in MASKED
        .map(Path::new)
        .into_iter()
        .filter(|path| path.exists())
    {
        args.flag("--ro-bind").flag("/dev/null").flag(path);
    }
    args
}

fn generated(args: &mut Args, worktree: &Worktree) {
    for name in ["passwd", "group", "hosts"] {
        args.flag("--ro-bind")
            .flag(worktree.etc.join(name))
            .flag(Path::new("/etc").join(name));
    }
}

/// The shared git folder is a private memory file system with the parts of the real one mounted in it: what a commit
/// writes is writable, the rest read-only, and what is made beside them is seen by nobody else. Git can therefore
/// lock `packed-refs`, which it does for nearly everything, but not replace it, since a mount is never renamed over:
/// `git gc` inside stops before it would move everybody's branches into a file only the sandbox sees. Every mount
/// is also the parent of what it protects, so that nothing protected can be renamed away with its folder.
fn git_folder(args: &mut Args, worktree: &Worktree) {
    let (common, entry) = (&worktree.common, &worktree.entry);
    args.flags(["--size", GIT_BYTES, "--tmpfs"]).flag(common);
    for part in [
        "config",
        "HEAD",
        "shallow",
        "hooks",
        "info",
        "lfs",
        "worktrees",
    ] {
        args.same("--ro-bind-try", &common.join(part));
    }
    let packed = common.join("packed-refs");
    let shown = if packed.exists() {
        packed.clone()
    } else {
        worktree.etc.join("packed-refs")
    };
    args.flag("--ro-bind").flag(shown).flag(packed);
    for part in ["objects", "refs", "logs"] {
        args.same("--bind", &common.join(part));
    }
    args.same("--bind-try", &common.join("reftable"));
    for borrowed in borrowed(common) {
        args.same("--ro-bind-try", &borrowed);
    }
    // Holds the list of borrowed folders: whoever could write it could have any folder shown.
    args.same("--ro-bind", &common.join("objects/info"));
    args.same("--bind", entry);
    for file in ["commondir", "gitdir", "config.worktree"] {
        args.same("--ro-bind", &entry.join(file));
    }
}

#[derive(Clone, Debug, Default)]
struct Args(Vec<OsString>);

impl Args {
    fn flag(&mut self, flag: impl AsRef<OsStr>) -> &mut Self {
        self.0.push(flag.as_ref().to_owned());
        self
    }

    fn flags<const N: usize>(&mut self, flags: [&str; N]) -> &mut Self {
        self.0.extend(flags.map(OsString::from));
        self
    }

    /// For flags that hold no blanks.
    fn words(&mut self, flags: &str) -> &mut Self {
        self.0.extend(flags.split_whitespace().map(OsString::from));
        self
    }

    /// A mount at the path it has outside, so that a path means the same on both sides.
    fn same(&mut self, how: &str, path: &Path) -> &mut Self {
        self.flag(how).flag(path).flag(path)
    }
}
