//! The bubblewrap command line: what a sandboxed process sees, and nothing else.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::args::Args;
use super::groups::Groups;
use super::report::Report;
use super::{Launch, SandboxError, Users, beside, probe};
use crate::Worktree;
use crate::repository::borrowed;

/// Sizes of the private memory file systems, in bytes.
const TMP_BYTES: &str = "1073741824";
const SHM_BYTES: &str = "67108864";

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

/// Whether a program is set-user-id or has capabilities. Bubblewrap needs neither, and with them a hole in it is a way
/// to root.
fn gives_rights(program: &Path) -> bool {
    let mode = fs::metadata(program).map_or(0, |file| file.permissions().mode());
    let set_id = mode & 0o6000 != 0;
    let mut value = [0; 64];
    set_id || rustix::fs::getxattr(program, "security.capability", &mut value).is_ok()
}

/// Bubblewrap, found and tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bubblewrap {
    /// The program.
    pub program: PathBuf,
    /// The program that is started first inside, `duplex-sandbox`.
    pub inner: PathBuf,
    /// Folders of the host that may be read besides the system's, such as a toolchain outside `/usr`.
    pub readable: Vec<PathBuf>,
    /// The socket of the egress proxy for these sandboxes; without one there is no network.
    pub proxy: Option<PathBuf>,
    /// The users that sessions are given; none where this server cannot become them.
    pub(super) users: Option<Users>,
    pub(super) report: Report,
    groups: Groups,
    system: Args,
}

impl Bubblewrap {
    /// Tries `program` with everything a real command will be started with, and whether it works as one of `users`.
    pub async fn probe(program: &Path, users: Users) -> Result<Self, SandboxError> {
        if !program.is_file() {
            return Err(SandboxError::Missing(program.to_owned()));
        }
        if gives_rights(program) {
            return Err(SandboxError::GivesRights(program.to_owned()));
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
            users: None,
            report: Report::off(),
            groups: Groups::find(),
            system: system(),
        };
        let inside = bubblewrap.try_as(None).await?;
        let own_user = bubblewrap.try_users(&users).await;
        bubblewrap.users = own_user.is_ok().then_some(users);
        bubblewrap.report = Report::bubblewrap(&inside, own_user, &bubblewrap.groups);
        Ok(bubblewrap)
    }

    async fn try_as(&self, user: Option<u32>) -> Result<String, SandboxError> {
        let mut args = self.base(user);
        args.words("--new-session --remount-ro / --");
        args.words(INNER).words("inner --write /tmp --report");
        let launch = self.outer(args, "probe", Vec::new(), PathBuf::from("/"));
        probe::try_out(&launch).await
    }

    /// Why sessions cannot have users of their own, if they cannot.
    async fn try_users(&self, users: &Users) -> Result<(), String> {
        let trial = users.trial().ok_or("the operator turned it off")?;
        if !rustix::process::geteuid().is_root() {
            return Err(
                "sessions run as the server's own user: only root can give each another".to_owned(),
            );
        }
        match self.try_as(Some(trial)).await {
            Ok(_) => Ok(()),
            Err(SandboxError::Refused { output, .. }) => Err(format!(
                "no sandbox can be made as user {trial}, so sessions run as the server's own: {output}"
            )),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(super) fn launch(
        &self,
        worktree: &Worktree,
        command: &[String],
        env: Vec<(String, String)>,
        cwd: &Path,
        terminal: bool,
    ) -> Launch {
        let mut args = self.base(worktree.user);
        if !terminal {
            // Without this a command could type into the terminal the server was started from (TIOCSTI).
            args.flag("--new-session");
        }
        args.shows(worktree.folder());
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
        args.words.extend(command.iter().map(OsString::from));
        // What the launcher is given is what the command gets, and what process 1 shows inside: it comes clean. On the
        // command line every user of the machine could read it.
        self.outer(args, &worktree.session(), env, worktree.tree.clone())
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

    /// Bubblewrap with these arguments, in the session's control groups where there are any, as the session's user
    /// where it has one.
    fn outer(
        &self,
        mut args: Args,
        session: &str,
        env: Vec<(String, String)>,
        cwd: PathBuf,
    ) -> Launch {
        let program = args.shown(&self.program);
        let mut enter = self.groups.enter(session);
        enter.extend(args.become_user());
        let (program, args) = if enter.is_empty() {
            (program, args.words)
        } else {
            enter.insert(0, "enter".into());
            enter.extend(["--".into(), program.into()]);
            enter.extend(args.words);
            (self.inner.clone(), enter)
        };
        Launch {
            program,
            args,
            env,
            cwd,
        }
    }

    /// All that does not depend on the session, but for its user.
    fn base(&self, user: Option<u32>) -> Args {
        let mut args = Args::new(user);
        args.words("--unshare-all --unshare-user --disable-userns --uid 1000 --gid 1000");
        args.words("--cap-drop ALL --hostname duplex --die-with-parent --proc /proc --dev /dev");
        args.words.extend_from_slice(&self.system.words);
        // Where the server is root the kernel takes a mapped user for it in /proc/sys and /proc/sysrq-trigger, which
        // name programs that run outside and restart the machine. Bubblewrap leaves them writable; this does not.
        args.words("--remount-ro /proc");
        args.words(&format!(
            "--size {SHM_BYTES} --tmpfs /dev/shm --remount-ro /dev"
        ));
        args.words(&format!(
            "--size {TMP_BYTES} --tmpfs /tmp --dir /run --dir /var --symlink /tmp /var/tmp"
        ));
        args.mount("--ro-bind", &self.inner, Path::new(INNER));
        if let Some(socket) = &self.proxy {
            args.mount("--ro-bind", socket, Path::new(PROXY_SOCKET));
        }
        args
    }
}

fn system() -> Args {
    let mut args = Args::new(None);
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
        let shown = Path::new("/etc").join(name);
        args.mount("--ro-bind", &worktree.etc.join(name), &shown);
    }
}

/// The session's own git folder is writable, and the repository's objects can be read. What tells git to run programs
/// or to look elsewhere is read-only all the same: people use git in the worktree too. Every mount is also the parent
/// of what it protects, so that nothing protected can be renamed away with its folder.
fn git_folder(args: &mut Args, worktree: &Worktree) {
    let (common, entry, origin) = (&worktree.common, &worktree.entry, &worktree.origin);
    args.same("--bind", common);
    for part in ["config", "hooks", "worktrees"] {
        args.same("--ro-bind", &common.join(part));
    }
    args.same("--bind", entry);
    for file in ["commondir", "gitdir", "config.worktree"] {
        args.same("--ro-bind", &entry.join(file));
    }
    args.same("--ro-bind", &origin.join("objects"));
    for borrowed in borrowed(origin) {
        args.same("--ro-bind-try", &borrowed);
    }
    args.mount("--ro-bind-try", &origin.join("lfs"), &common.join("lfs"));
}
