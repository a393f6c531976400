//! A pack from a session: kept apart until it is known to be sound and whole.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::fs;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::{Carried, DOING, names};
use crate::checkpoint::Places;
use crate::{WorkspaceError, Worktree, git, inside};

/// Bytes of a pack that is taken: more new work than this between two commands is no work.
const LARGEST: u64 = 1 << 30;
/// Bytes git may ask for at once while it reads what a session packed: a few bytes can ask for gigabytes.
const MEMORY: &str = "512m";
/// Fewer objects than this become files of their own, as git does when it fetches.
const FEW: u32 = 100;
/// A pack begins with these bytes, its version and its number of objects, four bytes each (gitformat-pack(5)).
const MAGIC: &[u8] = b"PACK";

/// Reads a pack into a folder of its own beside the repository's objects, and checks that each object is sound and that
/// nothing is missing behind `carried`.
pub(super) async fn receive(
    worktree: &Worktree,
    carried: &Carried,
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<(), WorkspaceError> {
    let folder = incoming(worktree);
    empty(worktree, &folder).await?;
    let mut start = [0; 12];
    let read = stream.read_exact(&mut start).await;
    if read.is_err() || !start.starts_with(MAGIC) {
        return Err(inside::failed(worktree, DOING, "no pack came"));
    }
    if count(&start) > 0 {
        let mut index = apart(worktree, &folder);
        index.args(["index-pack", "--stdin", "--fix-thin", "--strict"]);
        index.arg(format!("--max-input-size={LARGEST}"));
        feed(worktree, index, &start, stream).await?;
    } else {
        // The checksum, which stands for nothing.
        let mut rest = Vec::new();
        let _ = stream.take(64).read_to_end(&mut rest).await;
    }
    whole(worktree, carried, &folder).await
}

/// Gives the repository what was received.
pub(super) async fn accept(worktree: &Worktree) -> Result<(), WorkspaceError> {
    let folder = incoming(worktree);
    if let Some(pack) = packed(&folder.join("pack")).await? {
        let mut start = [0; 12];
        let mut file = open(&pack).await?;
        file.read_exact(&mut start)
            .await
            .map_err(WorkspaceError::io("read", &pack))?;
        let mut git = apart(worktree, &worktree.origin.join("objects"));
        if count(&start) < FEW {
            git.args(["unpack-objects", "-q"]);
        } else {
            git.args(["index-pack", "--stdin"]);
        }
        let file = open(&pack).await?.into_std().await;
        git::from(git, file, DOING, &worktree.repository).await?;
    }
    remove(&folder).await
}

fn incoming(worktree: &Worktree) -> PathBuf {
    Places::of(worktree).folder.join("incoming")
}

fn count(start: &[u8; 12]) -> u32 {
    let [.., a, b, c, d] = *start;
    u32::from_be_bytes([a, b, c, d])
}

/// Git with the settings of nobody's repository and its objects in this folder.
fn apart(worktree: &Worktree, objects: &Path) -> Command {
    let mut git = git::apart(worktree, &Places::of(worktree).index);
    git.env("GIT_OBJECT_DIRECTORY", objects)
        .env("GIT_ALLOC_LIMIT", MEMORY)
        .args(["-c", "core.bigFileThreshold=16m", "-c", "pack.threads=1"]);
    git
}

async fn empty(worktree: &Worktree, folder: &Path) -> Result<(), WorkspaceError> {
    remove(folder).await?;
    for part in ["pack", "info"] {
        let part = folder.join(part);
        fs::create_dir_all(&part)
            .await
            .map_err(WorkspaceError::io("create", &part))?;
    }
    let list = folder.join("info/alternates");
    let mut objects: OsString = worktree.origin.join("objects").into();
    objects.push("\n");
    fs::write(&list, objects.as_encoded_bytes())
        .await
        .map_err(WorkspaceError::io("write", &list))
}

async fn remove(folder: &Path) -> Result<(), WorkspaceError> {
    match fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(WorkspaceError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

async fn feed(
    worktree: &Worktree,
    mut git: Command,
    start: &[u8],
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<(), WorkspaceError> {
    git.stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = git.spawn().map_err(WorkspaceError::NoGit)?;
    let stdin = child.stdin.take();
    let write = async {
        if let Some(mut stdin) = stdin {
            // Git that ends early says why on its standard error.
            if stdin.write_all(start).await.is_ok() {
                let _ = tokio::io::copy(&mut stream.take(LARGEST), &mut stdin).await;
            }
        }
    };
    let ((), output) = tokio::join!(write, child.wait_with_output());
    let output = output.map_err(WorkspaceError::NoGit)?;
    if output.status.success() {
        return Ok(());
    }
    let why = crate::names::visible(String::from_utf8_lossy(&output.stderr).trim());
    Err(inside::failed(worktree, DOING, &why))
}

/// Nothing is missing behind what was carried, in the repository and what came together.
async fn whole(
    worktree: &Worktree,
    carried: &Carried,
    folder: &Path,
) -> Result<(), WorkspaceError> {
    let mut asked = String::new();
    for id in [&carried.tip, &carried.head].into_iter().flatten() {
        let _ = writeln!(asked, "{id}");
    }
    if asked.is_empty() {
        return Ok(());
    }
    let had = names::of_origin(worktree).await?.into_values();
    for id in had.chain([worktree.base().await?]) {
        let _ = writeln!(asked, "^{id}");
    }
    let mut git = apart(worktree, folder);
    git.args(["rev-list", "--objects", "--quiet", "--stdin"]);
    let listed = git::fed(git, asked.as_bytes(), DOING, &worktree.repository).await;
    listed.map(|_| ())
}

async fn packed(folder: &Path) -> Result<Option<PathBuf>, WorkspaceError> {
    let mut files = fs::read_dir(folder)
        .await
        .map_err(WorkspaceError::io("list", folder))?;
    while let Some(file) = files
        .next_entry()
        .await
        .map_err(WorkspaceError::io("list", folder))?
    {
        if file.path().extension().is_some_and(|end| end == "pack") {
            return Ok(Some(file.path()));
        }
    }
    Ok(None)
}

async fn open(path: &Path) -> Result<fs::File, WorkspaceError> {
    fs::File::open(path)
        .await
        .map_err(WorkspaceError::io("open", path))
}
