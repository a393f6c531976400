//! The data folder: its layout, its version, and the lock that keeps a second `duplex up` out.

use anyhow::{Context as _, bail, ensure};
use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The layout this build knows.
const VERSION: u32 = 1;

/// An open data folder; nobody else opens it meanwhile.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, making it if it is not there.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        // Others may pass through, since Postgres may run as another user; they may not look around.
        make_folder(path, 0o711)?;
        let path = path
            .canonicalize()
            .with_context(|| format!("cannot find {}", path.display()))?;
        let lock = lock(&path)?;
        check_version(&path)?;
        for private in ["edge", "projector", "runner", "logs", "ready"] {
            make_folder(&path.join(private), 0o700)?;
        }
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn nats(&self) -> PathBuf {
        self.path.join("nats")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// A process' own folder.
    pub(crate) fn own(&self, process: &str) -> PathBuf {
        self.path.join(process)
    }

    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.path.join("logs").join(process).with_extension("log")
    }

    pub(crate) fn ready_file(&self, process: &str) -> PathBuf {
        self.path.join("ready").join(process)
    }

    pub(crate) fn run_file(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// Written by people: who answers for which model.
    pub(crate) fn providers_file(&self) -> PathBuf {
        self.path.join("providers.toml")
    }

    /// Written by people: what is allowed in which workspace.
    pub(crate) fn workspaces_file(&self) -> PathBuf {
        self.path.join("workspaces.toml")
    }

    /// Written by people: the provider's key.
    pub(crate) fn provider_file(&self) -> PathBuf {
        self.path.join("provider.toml")
    }

    /// Written by the edge while there is no owner.
    pub(crate) fn setup_link(&self) -> Option<String> {
        let link = std::fs::read_to_string(self.own("edge").join("setup-link")).ok()?;
        Some(link.trim().to_owned()).filter(|link| !link.is_empty())
    }
}

fn make_folder(path: &Path, mode: u32) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .with_context(|| format!("cannot make the folder {}", path.display()))
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(path.join("lock"));
    let file = file.with_context(|| format!("cannot write in {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another `duplex up` is using {}: stop it, or choose another folder with --data",
            path.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

fn check_version(path: &Path) -> anyhow::Result<()> {
    let file = path.join("version");
    if !file.exists() {
        return std::fs::write(&file, format!("{VERSION}\n"))
            .with_context(|| format!("cannot write {}", file.display()));
    }
    let text = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let found: u32 = text.trim().parse().with_context(|| {
        format!(
            "{} should hold a number: is {} a data folder of Duplex?",
            file.display(),
            path.display()
        )
    })?;
    ensure!(
        found <= VERSION,
        "the data folder {} is of version {found}, written by a newer Duplex than this one, which knows version {VERSION}: \
         install the newer one, or choose another folder with --data",
        path.display()
    );
    Ok(())
}
