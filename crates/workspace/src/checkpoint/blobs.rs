//! What is in files, read by the server itself and handed to git. Git opens files by their paths; while commands may
//! still change the tree, a folder could become a link to anywhere between its look and its reading.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::record::path_of;
use super::{LARGEST, Places};
use crate::beneath::{Beneath, PathError};
use crate::{WorkspaceError, Worktree, git};

/// Bytes of files that are held at a time.
const HELD: usize = 32 * 1024 * 1024;

/// A file as it is to be recorded.
struct Blob {
    path: Vec<u8>,
    /// As git writes it, in octal digits.
    mode: &'static str,
    bytes: Vec<u8>,
}

/// What a look at some paths found.
#[derive(Default)]
struct Looked {
    blobs: Vec<Blob>,
    gone: Vec<Vec<u8>>,
}

impl Worktree {
    /// Brings these paths, each ended by a zero byte, into the index as they are now; what is no file any more goes.
    pub(super) async fn enter(&self, index: &Path, paths: &[u8]) -> Result<(), WorkspaceError> {
        let mut paths: Vec<Vec<u8>> = paths
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        if paths.is_empty() {
            return Ok(());
        }
        paths.reverse();
        while !paths.is_empty() {
            let tree = self.tree.clone();
            let looked = tokio::task::spawn_blocking(move || look(&tree, paths)).await;
            let (looked, rest) = looked.map_err(|error| self.unread(error))??;
            self.write_blobs(index, looked).await?;
            paths = rest;
        }
        let mut refresh = git::apart(self, index);
        refresh.args(["update-index", "-q", "--ignore-submodules", "--refresh"]);
        // It fails where a file changed meanwhile, which the next look finds.
        let _ = git::output(refresh, "look at files", &self.tree).await;
        Ok(())
    }

    async fn write_blobs(&self, index: &Path, looked: Looked) -> Result<(), WorkspaceError> {
        let ids = self.ids(&looked.blobs).await?;
        let zeros = "0".repeat(self.base().await?.len());
        let mut lines = Vec::new();
        let gone = looked.gone.iter().map(|path| ("0", &zeros, path));
        let came = looked.blobs.iter().zip(&ids);
        let came = came.map(|(blob, id)| (blob.mode, id, &blob.path));
        for (mode, id, path) in gone.chain(came) {
            lines.extend_from_slice(format!("{mode} {id}\t").as_bytes());
            lines.extend_from_slice(path);
            lines.push(0);
        }
        let mut git = git::apart(self, index);
        git.args(["update-index", "-z", "--index-info"]);
        git::fed(git, &lines, "record files", &self.tree).await?;
        Ok(())
    }

    /// Makes objects of them and gives back their ids, in order.
    async fn ids(&self, blobs: &[Blob]) -> Result<Vec<String>, WorkspaceError> {
        let mut stream = Vec::new();
        for (number, blob) in (1..).zip(blobs) {
            let head = format!("blob\nmark :{number}\ndata {}\n", blob.bytes.len());
            stream.extend_from_slice(head.as_bytes());
            stream.extend_from_slice(&blob.bytes);
            stream.extend_from_slice(format!("\nget-mark :{number}\n").as_bytes());
        }
        stream.extend_from_slice(b"done\n");
        let mut git = git::apart(self, &Places::of(self).index);
        git.args(["fast-import", "--quiet", "--done"]);
        let ids = git::fed(git, &stream, "record files", &self.tree).await?;
        let ids: Vec<String> = String::from_utf8_lossy(&ids)
            .lines()
            .map(str::to_owned)
            .collect();
        if ids.len() == blobs.len() {
            return Ok(ids);
        }
        Err(self.unread("git wrote other objects than it was given"))
    }

    fn unread(&self, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> WorkspaceError {
        WorkspaceError::io("read", &self.tree)(std::io::Error::other(why))
    }
}

/// Reads from the end of the list until enough is held, and gives back what is left of it.
fn look(tree: &Path, mut paths: Vec<Vec<u8>>) -> Result<(Looked, Vec<Vec<u8>>), WorkspaceError> {
    let io = |path: PathBuf| move |error| WorkspaceError::io("read", &path)(error);
    let beneath = Beneath::open(tree).map_err(std::io::Error::other);
    let beneath = beneath.map_err(io(tree.to_owned()))?;
    let (mut looked, mut held) = (Looked::default(), 0);
    while held < HELD
        && let Some(path) = paths.pop()
    {
        match read(&beneath, &path_of(&path)) {
            Ok(Some((mode, bytes))) => {
                held += bytes.len() + path.len();
                looked.blobs.push(Blob { path, mode, bytes });
            }
            // It grew too large since it was weighed: it stays as it was recorded.
            Ok(None) => {}
            Err(PathError::Io { source, .. }) => return Err(io(path_of(&path))(source)),
            Err(_) => looked.gone.push(path),
        }
    }
    Ok((looked, paths))
}

fn read(tree: &Beneath, path: &Path) -> Result<Option<(&'static str, Vec<u8>)>, PathError> {
    let file = match tree.read_plain(path) {
        Ok(file) => file,
        Err(PathError::Outside(_)) => {
            let target = tree.link(path)?;
            return Ok(Some(("120000", target.as_os_str().as_bytes().to_vec())));
        }
        Err(error) => return Err(error),
    };
    let failed = |source| PathError::Io {
        path: path.display().to_string(),
        source,
    };
    let executable = file.metadata().map_err(failed)?.permissions().mode() & 0o100 != 0;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let fits = bytes.len() as u64 <= LARGEST;
    let mode = if executable { "100755" } else { "100644" };
    Ok(fits.then_some((mode, bytes)))
}
